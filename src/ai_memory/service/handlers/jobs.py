"""Handlers of background jobs: listing and steering them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.operations.watching import ALL, Jobs, JobsRequest, SteerJobRequest
from ai_memory.service.background.builder import KIND as REEMBED_KIND
from ai_memory.service.background.tasks import TASK_KINDS
from ai_memory.service.handlers.ageing.job_views import view
from ai_memory.service.handlers.ageing.kinds import KINDS
from ai_memory.service.handlers.ageing.runner import SWITCH, changed, progress_of, switch
from ai_memory.service.parts import Parts
from ai_memory.types import Job, JobStatus
from ai_memory.wording.ways import CANCEL_REEMBED
from ai_memory.wording.ways import JOBS as LIST_JOBS

_BY_NAME = {kind.name: kind for kind in KINDS}
_ATTEMPTS = 20
"""A job is written by who works on it, too: steering it is tried again so often."""
_GOING_ON = (JobStatus.WAITING, JobStatus.RUNNING, JobStatus.FAILED)
_STATES: dict[str, tuple[JobStatus, tuple[JobStatus, ...]]] = {
    "pause": (JobStatus.PAUSED, (*_GOING_ON, JobStatus.HELD, JobStatus.PAUSED)),
    "resume": (JobStatus.WAITING, (*_GOING_ON, JobStatus.PAUSED, JobStatus.CANCELLED)),
    "cancel": (JobStatus.CANCELLED, (*_GOING_ON, JobStatus.HELD, JobStatus.PAUSED, JobStatus.CANCELLED)),
    "allow": (JobStatus.WAITING, (JobStatus.HELD,)),
}
"""By action: the state that it leads to, and those from which it does."""


def jobs(parts: Parts, request: JobsRequest) -> Jobs:
    """The jobs that match, the newest first."""
    found = [
        job
        for job in parts.store.jobs(states=request.states)
        if job.kind != SWITCH
        and (request.namespace is None or job.namespace == request.namespace)
        and (not request.kinds or job.kind in request.kinds)
        and (not request.ids or job.id in request.ids)
    ]
    return _shown(parts, found[: request.limit], len(found))


def steer_job(parts: Parts, request: SteerJobRequest) -> Jobs:
    """Change the state of one job, or of the switch of all; the same again changes nothing."""
    if request.id == ALL:
        return _switch_all(parts, request.action)
    for _ in range(_ATTEMPTS):
        job = next((each for each in parts.store.jobs() if each.id == request.id and each.kind != SWITCH), None)
        if job is None:
            raise NotFoundError(f"there is no job {request.id}", hint=LIST_JOBS)
        steered = _steered(parts, job, request.action)
        if steered is None or parts.store.swap_job(steered, job):
            parts.woken.set()
            return _shown(parts, [steered or job], 1)
    raise ConflictError(f"job {request.id} changes all the time", hint="try again")


def _steered(parts: Parts, job: Job, action: str) -> Job | None:
    """The job as an action leaves it; None where it is so already. Raises ConflictError where it does not apply."""
    if job.kind in TASK_KINDS and action == "cancel" and job.state in (JobStatus.RUNNING, JobStatus.CANCELLED):
        now = parts.clock.now()
        return None if job.state == JobStatus.CANCELLED else replace(job, state=JobStatus.CANCELLED, updated_at=now)
    if job.kind in TASK_KINDS:
        raise ConflictError(f"job {job.id} is {job.state}: {action} does not apply", hint=LIST_JOBS, state=job.state)
    if job.kind not in _BY_NAME:
        way = (
            CANCEL_REEMBED
            if job.kind == REEMBED_KIND
            else "end the program that imports; the same import goes on later"
        )
        raise ConflictError(f"a job of the kind {job.kind} is not steered here", hint=way)
    state, from_states = _STATES[action]
    if job.state not in from_states:
        raise ConflictError(f"job {job.id} is {job.state}: {action} does not apply", hint=LIST_JOBS, state=job.state)
    if job.state == state or (action == "resume" and job.state == JobStatus.RUNNING):
        return None
    progress = progress_of(job)
    return changed(
        job,
        parts.clock.now(),
        state,
        by=parts.actor,
        owner=None,
        until=None,
        allowed=progress.due if action == "allow" else 0,
        message=None,
    )


def _switch_all(parts: Parts, action: str) -> Jobs:
    if action not in ("pause", "resume"):
        raise InvalidInputError(
            f"{action} is for a single job", hint="give its id; all can be paused and resumed", field="action"
        )
    state: JobStatus = JobStatus.PAUSED if action == "pause" else JobStatus.WAITING
    for _ in range(_ATTEMPTS):
        now, found = parts.clock.now(), switch(parts.store)
        if (found is None and state == JobStatus.WAITING) or (found is not None and found.state == state):
            break
        made = changed(found or Job(id=SWITCH, kind=SWITCH, created_at=now, updated_at=now), now, state, by=parts.actor)
        if parts.store.swap_job(made, found):
            break
    parts.woken.set()
    return jobs(parts, JobsRequest())


def _shown(parts: Parts, found: Sequence[Job], total: int) -> Jobs:
    of_all = switch(parts.store)
    paused = of_all is not None and of_all.state == JobStatus.PAUSED
    return Jobs(
        jobs=tuple(view(parts, job) for job in found),
        total=total,
        paused=paused or not parts.background.is_on,
        paused_by=progress_of(of_all).by if of_all is not None and paused else None,
    )
