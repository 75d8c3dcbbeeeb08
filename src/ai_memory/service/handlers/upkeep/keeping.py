"""Handlers of checks, backups and models."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from ai_memory.decoding import from_builtins
from ai_memory.embed.models.hub import fetch_known
from ai_memory.embed.models.known import KNOWN_MODELS, known_model
from ai_memory.embed.models.locate import installed
from ai_memory.errors import NotFoundError, ServiceUnavailableError
from ai_memory.operations.upkeep.keeping import (
    Backup,
    Backups,
    BackupsRequest,
    CheckRequest,
    DeleteBackupRequest,
    FetchModelRequest,
    Findings,
    FindingsRequest,
    MakeBackupRequest,
    Model,
    Models,
    ModelsRequest,
    Task,
    VerifyBackupRequest,
)
from ai_memory.places import loose_files, model_places
from ai_memory.service.background.embedder import active_generation
from ai_memory.service.background.tasks import BACKUP, CHECK, FETCH, VERIFY, Steps, Work, progress_of_task
from ai_memory.service.handlers.ageing.job_views import view
from ai_memory.service.handlers.upkeep import watching
from ai_memory.service.parts import Keeping, Parts
from ai_memory.store.backup import check_file
from ai_memory.types import Job, Problem
from ai_memory.wording.ways import by_operator

SETTLE_SECONDS, REBUILD_SECONDS = 5.0, 60.0
"""How long a check waits for pending vectors, and for those that a rebuild has made pending, before it reports the rest."""
NAMED_FILES = 3
_NAME = re.compile(r"memory-[0-9]{8}-[0-9]{6}(-[0-9]{1,3})?\.db", re.ASCII)
"""The names that this service gives, and the only ones that it looks for: no caller says where on the disk."""


def examine(
    parts: Parts, *, rebuild: bool = False, progress: Callable[[str], None] | None = None
) -> tuple[Problem, ...]:
    """What does not agree with the canonical rows or has no vector yet; with `rebuild`, derived parts are made again first.

    `progress` gets the name of each part before it is looked at.
    """
    say = progress or (lambda _: None)
    repaired: Sequence[Problem] = ()
    saved = () if rebuild else tuple(parts.follower.check())  # now: at the end of a build it would be saved again
    if rebuild:
        say("rebuild")
        repaired = parts.store.repair()
        parts.follower.reset()
        parts.follower.catch_up()
        parts.backlog.kick()
        if parts.graph is not None:
            parts.graph.reset()
            parts.graph.catch_up(math.inf)
    say("vectors")
    parts.backlog.settle(REBUILD_SECONDS if rebuild else SETTLE_SECONDS)  # else a finding could not say why
    parts.upkeep.once()
    found = (*repaired, *parts.store.check(progress), *saved)
    say("graph")
    graph = () if parts.graph is None else parts.graph.check()
    return (
        *found,
        *graph,
        *watching.dated_ahead(parts),
        *watching.backlog(parts),
        *watching.unwiped(parts),
        *watching.held_back(parts),
        *_loose(parts),
    )


def _loose(parts: Parts) -> Iterator[Problem]:
    """The finding that others on this machine can read files of the store, which opening it could not change."""
    found = [] if parts.keeping is None else [str(each) for each in loose_files(parts.keeping.beside)]
    if found:
        names = ", ".join(found[:NAMED_FILES]) + (", …" if len(found) > NAMED_FILES else "")
        yield Problem(
            check="loose_files",
            message=f"files can be read by other users of this machine: {names}",
            count=len(found),
            mend="take the rights of group and others away (chmod go=), as the owner of the files",
        )


def check(parts: Parts, request: CheckRequest) -> Task:
    """Begin a check; the same while one is under way gives that one."""
    return _begun(parts, CHECK, "", lambda steps: examine(parts, rebuild=request.repair, progress=steps.at))


def findings(parts: Parts, request: FindingsRequest) -> Findings:
    """What the last check found."""
    del request
    job = parts.tasks.latest(CHECK, "")
    if job is None:
        return Findings()
    shown = view(parts, job)
    return Findings(state=shown.state, at=job.updated_at, problems=_problems(job))


def backups(parts: Parts, request: BackupsRequest) -> Backups:
    """The backups in the folder of this service."""
    del request
    folder = _keeping(parts).backups
    files = sorted(_files(folder), key=lambda file: file.name, reverse=True)
    return Backups(backups=tuple(_backup(parts, file) for file in files), folder=str(folder))


def make_backup(parts: Parts, request: MakeBackupRequest) -> Task:
    """Begin a backup under a new name."""
    del request
    folder = _keeping(parts).backups

    def work(steps: Steps) -> dict[str, Any]:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        stem = f"memory-{parts.clock.now():%Y%m%d-%H%M%S}"
        taken = {file.name for file in _files(folder)}
        name = next(each for number in range(1_000) if (each := _named(stem, number)) not in taken)
        steps.at(name)
        parts.store.backup(folder / name)
        return {"backup": name}

    return _begun(parts, BACKUP, "", work)


def verify_backup(parts: Parts, request: VerifyBackupRequest) -> Task:
    """Begin a check of a backup. Raises NotFoundError."""
    file = backup_file(parts, request.backup)

    return _begun(parts, VERIFY, file.name, lambda steps: check_file(file, parts.clock, steps.at))


def delete_backup(parts: Parts, request: DeleteBackupRequest) -> Backups:
    """Delete a backup with its secret. Raises NotFoundError."""
    for file in belonging(backup_file(parts, request.backup)):
        file.unlink(missing_ok=True)
    return backups(parts, BackupsRequest())


def backup_file(parts: Parts, name: str) -> Path:
    """The file of a backup of this service. Raises NotFoundError for every other name."""
    file = _keeping(parts).backups / name
    if not _NAME.fullmatch(name) or not file.is_file():
        raise NotFoundError(f"there is no backup {name[:80]!r}", hint="`backups` lists those that there are")
    return file


def belonging(file: Path) -> list[Path]:
    """A backup's files: the copy, and the secret by which it refuses what was forgotten."""
    return [each for each in (file, file.with_name(file.name + ".key")) if each.exists()]


def models(parts: Parts, request: ModelsRequest) -> Models:
    """The known models, and how each is here."""
    del request
    keeping, active = _keeping(parts), active_generation(parts.store)
    using = None if active is None else active.embedder.model
    return Models(
        models=tuple(
            Model(
                name=each.model.name,
                present=each.folder is not None,
                problem=each.problem,
                active=each.model.name == using,
                runnable=each.runnable,
                dimensions=each.model.dimensions,
                max_tokens=each.model.max_tokens,
                licence=each.model.licence,
                terms=each.model.terms,
                job=None if (job := parts.tasks.latest(FETCH, each.model.name)) is None else view(parts, job),
            )
            for each in installed(keeping.data_dir, model_places())
        )
    )


def fetch_model(parts: Parts, request: FetchModelRequest) -> Task:
    """Begin a download. Raises NotFoundError for a model that is not known."""
    model, keeping = known_model(request.model), _keeping(parts)
    if model is None:
        names = ", ".join(each.name for each in KNOWN_MODELS)
        raise NotFoundError(f"there is no model {request.model[:80]!r}", hint=f"known: {names}")

    def work(steps: Steps) -> None:
        fetch_known(
            model,
            keeping.data_dir,
            offline=keeping.offline,
            progress=lambda done, due: steps.at(done=done, due=due),
        )

    return _begun(parts, FETCH, model.name, work)


def _begun(parts: Parts, kind: str, what: str, work: Work) -> Task:
    return Task(job=view(parts, parts.tasks.begin(kind, what, work)))


def _keeping(parts: Parts) -> Keeping:
    if parts.keeping is None:
        raise ServiceUnavailableError(
            "this service was opened over a store alone, without a data folder",
            hint=by_operator("open it from settings", "have it opened from settings"),
        )
    return parts.keeping


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.glob("memory-*.db") if _NAME.fullmatch(file.name)] if folder.is_dir() else []


def _named(stem: str, number: int) -> str:
    return f"{stem}.db" if number == 0 else f"{stem}-{number}.db"


def _backup(parts: Parts, file: Path) -> Backup:
    job, kept = parts.tasks.latest(VERIFY, file.name), file.stat()
    return Backup(
        name=file.name,
        bytes=kept.st_size,
        made_at=dt.datetime.fromtimestamp(kept.st_mtime, dt.UTC),
        verified=None if job is None else view(parts, job).state,
        problems=() if job is None else _problems(job),
    )


def _problems(job: Job) -> tuple[Problem, ...]:
    return from_builtins(progress_of_task(job).result or [], tuple[Problem, ...])
