"""Long work that somebody asked for, as durable jobs: a check, a backup, a model to fetch; one at a time in a process.

The work is done in one thread and only says how far it is; another one writes that into the store, keeps the lease, and looks
whether somebody has cancelled it. A process that is killed leaves a job whose lease ends; the same may be asked for again then.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any

import msgspec
from msgspec import Struct

from ai_memory.clock import Clock
from ai_memory.decoding import from_builtins
from ai_memory.errors import ConflictError, MemoryServiceError, ServiceUnavailableError
from ai_memory.store.base import Store
from ai_memory.types import Job, JobStatus
from ai_memory.wording.ways import JOBS

logger = logging.getLogger(__name__)

CHECK, BACKUP, VERIFY, FETCH = "check", "backup", "verify_backup", "fetch_model"
TASK_KINDS = frozenset({CHECK, BACKUP, VERIFY, FETCH})
LEASE = dt.timedelta(seconds=30)
NOTE_SECONDS, RENEW_SECONDS = 0.5, 10.0
"""How often the store is asked whether it is cancelled, and how often at least it is written to."""


class TaskProgress(Struct, frozen=True, kw_only=True):
    """What a task's job keeps."""

    due: int | None = None
    done: int | None = None
    message: str | None = None
    """What it is doing."""
    ran_at: dt.datetime | None = None
    owner: str | None = None
    until: dt.datetime | None = None
    """When the lease of its process ends."""
    result: Any = None
    """What came of it, as plain values."""


class Steps:
    """How a task says how far it is; it ends where somebody has cancelled it."""

    def __init__(self) -> None:
        self.now = TaskProgress()
        self.stopped = threading.Event()

    def at(self, message: str | None = None, done: int | None = None, due: int | None = None) -> None:
        """Say where it is. Raises StoppedError where it is to end."""
        if self.stopped.is_set():
            raise StoppedError
        self.now = TaskProgress(due=due, done=done, message=message)


class StoppedError(Exception):
    """The task was cancelled, or the service is being closed."""


Work = Callable[[Steps], Any]
"""Does it; what it returns, as plain values, is kept as the result."""


def progress_of_task(job: Job) -> TaskProgress:
    """How far a task is."""
    return from_builtins(job.progress, TaskProgress, strict=False)


def task_id(kind: str, what: str) -> str:
    """The id of the one job of a task."""
    return f"job_{hashlib.blake2b(f'{kind}:{what}'.encode(), digest_size=8).hexdigest()}"


def is_left(job: Job, now: dt.datetime) -> bool:
    """Whether a task that is said to run has lost its process."""
    until = progress_of_task(job).until
    return job.state == JobStatus.RUNNING and (until is None or until <= now or until > now + LEASE)


class Tasks:
    """The tasks of one process, on one store."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._steps = Steps()
        self._closed = False

    def begin(self, kind: str, what: str, work: Work) -> Job:
        """Begin a task about `what`, where it is not under way already; its job. Raises ConflictError while another is done."""
        with self._lock:
            if self._closed:
                raise ServiceUnavailableError("the service is being closed")
            now = self._clock.now()
            before = self.latest(kind, what)
            if before is not None and before.state == JobStatus.RUNNING and not is_left(before, now):
                return before
            if self._thread is not None and self._thread.is_alive():
                raise ConflictError("another check, backup or download is under way in this service", hint=JOBS)
            job = Job(
                id=task_id(kind, what),
                kind=kind,
                state=JobStatus.RUNNING,
                payload={"what": what},
                progress=self._progress(TaskProgress(), now, now),
                created_at=now if before is None else before.created_at,
                updated_at=now,
            )
            if not self._store.swap_job(job, before):
                return self.latest(kind, what) or job
            self._steps = Steps()
            self._thread = threading.Thread(
                target=self._look_after, args=(job, work, copy_context()), name=f"task-{kind}", daemon=True
            )
            self._thread.start()
            return job

    def latest(self, kind: str, what: str) -> Job | None:
        """The job of a task; None where it was never asked for."""
        wanted = task_id(kind, what)
        return next((job for job in self._store.jobs(kind=kind) if job.id == wanted), None)

    def close(self) -> None:
        """Have the task end at its next step, and wait for that."""
        with self._lock:
            self._closed = True
            thread = self._thread
        self._steps.stopped.set()
        if thread is not None:
            thread.join()

    def _progress(self, at: TaskProgress, ran_at: dt.datetime | None, now: dt.datetime) -> Any:
        held = msgspec.structs.replace(at, ran_at=ran_at, owner=self._owner, until=now + LEASE)
        return msgspec.to_builtins(held)

    def _look_after(self, job: Job, work: Work, context: Context) -> None:
        """Have the work done, with ways out in the words of who asked, and keep its job up to date meanwhile."""
        steps, outcome = self._steps, list[Any]()

        def do() -> None:
            try:
                outcome.append(context.run(work, steps))
            except Exception as error:  # noqa: BLE001 - whatever it is, the job says it
                outcome.append(error)

        worker = threading.Thread(target=do, name=f"{job.kind}-work", daemon=True)
        worker.start()
        try:
            while worker.is_alive():
                worker.join(NOTE_SECONDS)
                job = self._noted(job, steps)
            self._ended(job, steps, outcome[0])
        except MemoryServiceError as error:
            steps.stopped.set()
            worker.join()
            logger.warning("the job %s could not be kept: %s", job.id, error.message)

    def _noted(self, job: Job, steps: Steps) -> Job:
        """Write how far it is where that is news or the lease is old; where it was cancelled meanwhile, have it end."""
        now, at, before = self._clock.now(), steps.now, progress_of_task(job)
        same = (at.due, at.done, at.message) == (before.due, before.done, before.message)
        due = (
            same
            and before.until is not None
            and (before.until - now).total_seconds() > LEASE.total_seconds() - RENEW_SECONDS
        )
        latest = self.latest(job.kind, job.payload["what"])
        if latest is None or latest.state != JobStatus.RUNNING:
            steps.stopped.set()
            return latest or job
        if due:
            return job
        noted = msgspec.structs.replace(latest, progress=self._progress(at, before.ran_at, now), updated_at=now)
        return noted if self._store.swap_job(noted, latest) else job

    def _ended(self, job: Job, steps: Steps, outcome: Any) -> None:
        latest = self.latest(job.kind, job.payload["what"])
        if latest is None or latest.state != JobStatus.RUNNING:
            return  # it was cancelled, and says so
        state, error, result = JobStatus.DONE, None, outcome
        if isinstance(outcome, StoppedError):
            state, error, result = JobStatus.FAILED, "the service was closed meanwhile", None
        elif isinstance(outcome, MemoryServiceError):
            state, error, result = JobStatus.FAILED, outcome.message, None
        elif isinstance(outcome, Exception):
            logger.error("the job %s failed", job.id, exc_info=outcome)
            state, error, result = JobStatus.FAILED, f"unexpected: {type(outcome).__name__}", None
        kept = msgspec.structs.replace(
            steps.now, ran_at=progress_of_task(job).ran_at, message=None, result=msgspec.to_builtins(result)
        )
        self._store.swap_job(
            msgspec.structs.replace(
                latest, state=state, error=error, progress=msgspec.to_builtins(kept), updated_at=self._clock.now()
            ),
            latest,
        )
