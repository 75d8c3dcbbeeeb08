"""Handlers of the operations on vector generations."""

from __future__ import annotations

import msgspec

from ai_memory.errors import ConflictError, EmbedderUnavailableError, InvalidInputError, NotFoundError
from ai_memory.operations.generations import (
    ActivateGenerationRequest,
    Build,
    BuildState,
    CancelReembedRequest,
    Generations,
    GenerationsRequest,
    PruneGenerationsRequest,
    ReembedRequest,
    TakeBackRequest,
    VectorGeneration,
)
from ai_memory.service.background.builder import KIND, Plan, ended_as, generation_by_id, latest_job, new_job, plan_of
from ai_memory.service.background.embedder import Choice
from ai_memory.service.background.embedder import active_generation as active_in
from ai_memory.service.background.filling import sources_of
from ai_memory.service.parts import Parts
from ai_memory.store.base import Store
from ai_memory.types import EmbedderIdentity, Generation, Job
from ai_memory.wording.ways import ACTIVATE_INCOMPLETE, CANCEL_REEMBED, GENERATIONS, REBUILD, fetch_model


def generations(parts: Parts, request: GenerationsRequest) -> Generations:
    """All generations, and how far the build is."""
    del request
    found = tuple(
        VectorGeneration(
            id=each.id,
            embedder=each.embedder,
            state=each.state,
            created_at=each.created_at,
            pending=None if each.state == "retired" else parts.store.pending_count(each.id),
        )
        for each in parts.store.generations()
    )
    return Generations(generations=found, build=build(parts))


def build(parts: Parts) -> Build | None:
    """The latest build, or None in a store that never had one."""
    job = latest_job(parts.store)
    if job is None:
        return None
    plan = plan_of(job)
    generation = generation_by_id(parts.store, plan.generation)
    if generation is None:
        return None  # it has been pruned since
    total = parts.store.stats().revisions
    pending = parts.store.pending_count(generation.id)
    state = _state(parts, job, generation, pending)
    speed = job.progress.get("per_second") if state == "running" else None
    return Build(
        generation=generation.id,
        embedder=generation.embedder,
        state=state,
        switch=plan.switch,
        former=plan.former,
        done=max(0, total - pending),
        total=total,
        rate=plan.rate,
        per_second=speed,
        seconds_left=round(pending / speed, 1) if speed else None,
        error=job.error,
        started_at=job.created_at,
        updated_at=job.updated_at,
    )


def _state(parts: Parts, job: Job, generation: Generation, pending: int) -> BuildState:
    if generation.state != "building":
        return "done" if ended_as(generation) == "done" or job.state == "done" else "cancelled"
    if job.state == "failed":
        return "failed"
    if not pending and not plan_of(job).switch:
        return "ready"
    return "running" if parts.builder.working() else "waiting"


def reembed(parts: Parts, request: ReembedRequest) -> Generations:
    """Start a build, or resume the one that was started with the same embedder."""
    building = _building(parts.store)
    if building is not None and (request.model, request.dimension, request.dtype) == (None, None, None):
        return _start(parts, building, request, None)
    active = active_in(parts.store)
    choice = Choice(model=request.model, dimension=request.dimension, dtype=request.dtype)
    embedder = parts.choose(choice, active.embedder if active else None)
    if embedder is None:
        raise EmbedderUnavailableError(
            f"the model {request.model or ''} is not installed".replace("  ", " "),
            hint=fetch_model(request.model or ""),
        )
    identity = embedder.identity
    if active is not None and active.embedder == identity:
        raise ConflictError(
            f"the store's vectors are made by {_said(identity)} already",
            hint=REBUILD.after("name another model, dimension or dtype; for damaged vectors: "),
        )
    if building is not None and building.embedder != identity:
        raise ConflictError(
            f"vectors of {_said(building.embedder)} are being made; one generation is built at a time",
            hint=CANCEL_REEMBED.after("let it finish, or "),
            generation=building.id,
        )
    return _start(parts, parts.store.create_generation(identity, activate=False), request, active)


def _start(parts: Parts, generation: Generation, request: ReembedRequest, active: Generation | None) -> Generations:
    """Record the parameters of the build, and start or resume it."""
    job = latest_job(parts.store)
    earlier = plan_of(job) if job is not None and job.state not in ("done", "cancelled") else None
    if job is None or earlier is None or earlier.generation != generation.id:
        active = active or active_in(parts.store)
        plan = Plan(generation=generation.id, former=active.id if active else None)
        job, earlier = new_job(plan, parts.clock.now()), plan
    plan = msgspec.structs.replace(
        earlier, model=request.model or earlier.model, rate=request.rate, switch=request.switch
    )
    state = "running" if job.state == "running" else "waiting"
    parts.builder.note(job, payload=msgspec.to_builtins(plan), state=state, error=None)
    parts.builder.begin()
    return generations(parts, GenerationsRequest())


def cancel_reembed(parts: Parts, request: CancelReembedRequest) -> Generations:
    """Cancel the build in progress, in whichever process it runs."""
    del request
    building = _required(parts.store)
    parts.store.retire_generation(building.id)
    _end(parts, building, "cancelled")
    return generations(parts, GenerationsRequest())


def activate_generation(parts: Parts, request: ActivateGenerationRequest) -> Generations:
    """Switch to the generation that is being built, if it is complete or the request accepts an incomplete one."""
    building = _required(parts.store)
    if not parts.store.activate_generation(building.id, complete=not request.incomplete):
        raise ConflictError(
            f"{parts.store.pending_count(building.id)} revisions have no vector in it yet",
            hint=ACTIVATE_INCOMPLETE.after("wait until the build is ready, or "),
            generation=building.id,
        )
    _end(parts, building, "done")
    parts.builder.switched()
    return generations(parts, GenerationsRequest())


def take_back(parts: Parts, request: TakeBackRequest) -> Generations:
    """Switch to a kept generation: at once if it is complete, else once its missing vectors have been made."""
    building = _building(parts.store)
    if building is not None:
        raise ConflictError(
            f"vector generation {building.id} is being built",
            hint=CANCEL_REEMBED.after("let it finish, or "),
            generation=building.id,
        )
    target = _kept(parts.store, request.generation)
    active = active_in(parts.store)
    plan = Plan(generation=target.id, former=active.id if active else None, model=_asked_as(parts.store, target))
    target = parts.store.create_generation(target.embedder, activate=False)
    if not parts.store.activate_generation(target.id, complete=True):
        if not sources_of(parts.store, target.embedder) and parts.builder.find(target.embedder, plan.model) is None:
            pending = parts.store.pending_count(target.id)
            parts.store.retire_generation(target.id)
            raise EmbedderUnavailableError(
                f"{pending} revisions were written since, and {_said(target.embedder)} is not installed to embed them",
                hint="install the model again, or stay with the one in use",
            )
        parts.store.put_job(new_job(plan, parts.clock.now()))
        parts.builder.begin()
    else:
        parts.store.put_job(msgspec.structs.replace(new_job(plan, parts.clock.now()), state="done"))
        parts.builder.switched()
    return generations(parts, GenerationsRequest())


def prune_generations(parts: Parts, request: PruneGenerationsRequest) -> Generations:
    """Delete kept generations; there is no way back to them."""
    kept = [each for each in parts.store.generations() if each.state == "retired"]
    if request.generation is not None:
        kept = [_kept(parts.store, request.generation)]
    for each in kept:
        parts.store.drop_generation(each.id)
    return generations(parts, GenerationsRequest())


def _building(store: Store) -> Generation | None:
    return next((each for each in store.generations() if each.state == "building"), None)


def _required(store: Store) -> Generation:
    building = _building(store)
    if building is None:
        raise NotFoundError("no generation is being built", hint=GENERATIONS)
    return building


def _kept(store: Store, number: int | None) -> Generation:
    """The kept generation with this id, or the one that was active before the last switch."""
    found = generation_by_id(store, number) if number is not None else _former(store)
    if found is None:
        what = "no former generation is kept" if number is None else f"there is no vector generation {number}"
        raise NotFoundError(what, hint=GENERATIONS)
    if found.state != "retired":
        raise InvalidInputError(
            f"vector generation {found.id} is {found.state}, not one that was kept",
            hint=GENERATIONS,
            field="generation",
        )
    return found


def _former(store: Store) -> Generation | None:
    """The generation that was active before the present one, if it is still kept."""
    active = active_in(store)
    if active is None:
        return None
    plans = (plan_of(job) for job in store.jobs(kind=KIND))
    former = next((plan.former for plan in plans if plan.generation == active.id), None)
    found = None if former is None else generation_by_id(store, former)
    return found if found is not None and found.state == "retired" else None


def _asked_as(store: Store, generation: Generation) -> str | None:
    """The model name or folder that was given when a generation was built."""
    plans = (plan_of(job) for job in store.jobs(kind=KIND))
    return next((plan.model for plan in plans if plan.generation == generation.id and plan.model), None)


def _end(parts: Parts, generation: Generation, state: str) -> None:
    job = latest_job(parts.store)
    if job is not None and plan_of(job).generation == generation.id and job.state not in ("done", "cancelled"):
        parts.builder.note(job, state=state)


def _said(identity: EmbedderIdentity) -> str:
    return f"{identity.model} ({identity.dtype}, {identity.dimension} dimensions)"
