"""Jobs as they are shown: how far each is, and the way out of one that waits for a person."""

from __future__ import annotations

import datetime as dt

import msgspec

from ai_memory.operations.watching import JobView
from ai_memory.service.background.tasks import TASK_KINDS, is_left, progress_of_task
from ai_memory.service.handlers.ageing.kinds import KINDS, way_of
from ai_memory.service.handlers.ageing.runner import progress_of
from ai_memory.service.parts import Parts
from ai_memory.types import Job, JobStatus

_BY_NAME = {kind.name: kind for kind in KINDS}


def view(parts: Parts, job: Job) -> JobView:
    """A job as it is shown."""
    plain = JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        namespace=job.namespace,
        message=job.error,
        created_at=job.created_at,
        updated_at=job.updated_at,
    )
    if job.kind in TASK_KINDS:
        return _task(parts, plain, job)
    kind = _BY_NAME.get(job.kind)
    if kind is None:
        return plain
    progress = progress_of(job)
    waits = job.state == JobStatus.HELD and kind.is_on(parts.background)
    return msgspec.structs.replace(
        plain,
        due=progress.due,
        done=progress.done,
        total=progress.total,
        message=job.error or progress.message,
        mend=str(way_of(kind, parts, str(job.namespace), job.id)) if waits else None,
        steered_by=progress.by,
        ran_at=_in_utc(progress.ran_at),
    )


def _task(parts: Parts, plain: JobView, job: Job) -> JobView:
    progress = progress_of_task(job)
    left = is_left(job, parts.clock.now())
    return msgspec.structs.replace(
        plain,
        state=JobStatus.FAILED if left else job.state,
        due=progress.due,
        done=progress.done,
        about=job.payload.get("what") or None,
        message="the process that worked on it has ended" if left else job.error or progress.message,
        ran_at=_in_utc(progress.ran_at),
    )


def _in_utc(at: dt.datetime | None) -> dt.datetime | None:
    return None if at is None else at.astimezone(dt.UTC)
