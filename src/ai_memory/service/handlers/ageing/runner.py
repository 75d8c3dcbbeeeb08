"""The one runner of everything that is decided in the background: durable jobs behind a brake, with limits and a switch.

Each kind of decision has one job in each namespace, kept in the store. A process takes a job by writing its name and a lease into
it, only while nobody else has it, so that no two processes do the same; the lease of a process that was killed ends, and another
one goes on. Before anything is done, what is due is compared with the namespace: more than a share of it, in a day, is for a person
to allow. What was done in the last hour and day is counted in the log, so that a kill loses no count and many small runs are no
way around the brake.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import logging
import os
import secrets
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_builtins
from ai_memory.errors import MemoryServiceError
from ai_memory.service.handlers.ageing.kinds import KINDS, Kind, way_of
from ai_memory.service.parts import Parts
from ai_memory.store.base import Store
from ai_memory.truth.ageing import is_too_much
from ai_memory.types import Actor, Job, JobStatus
from ai_memory.wording.ways import Way

logger = logging.getLogger(__name__)

FIRST_SECONDS, EVERY_SECONDS = 1.0, 60.0
"""After the start, and between two looks."""
BATCH = 100
"""So many are done before the job is looked at again: whether it is paused, and still this process's."""
LEASE = dt.timedelta(seconds=30)
"""How long a process has a job without saying so again: a batch takes a small part of it."""
PAGE = 500
AN_HOUR, A_DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
SWITCH = "background"
"""The id, and the kind, of the job that pauses all others while it is paused."""


class Progress(Struct, frozen=True, kw_only=True):
    """What a job of the runner keeps: how far it is, who works on it, and what a person said."""

    due: int = 0
    """How much there was to do when it last looked."""
    done: int = 0
    """How much of that is done."""
    total: int = 0
    """How much it has done since it was made."""
    ran_at: dt.datetime | None = None
    owner: str | None = None
    """The process that has it."""
    until: dt.datetime | None = None
    """When its lease ends."""
    allowed: int = 0
    """How much a person has allowed the next run to do, whatever the brake says."""
    by: Actor | None = None
    """Who steered it last."""
    message: str | None = None
    """Why it waits."""


class Held(Struct, frozen=True):
    """A job that the brake has stopped."""

    kind: Kind
    namespace: str
    due: int
    message: str
    way: Way


def progress_of(job: Job) -> Progress:
    """How far a job of the runner is."""
    return from_builtins(job.progress, Progress, strict=False)


def job_id(kind: str, namespace: str) -> str:
    """The id of the one job of a kind in a namespace."""
    said = f"{kind}\0{namespace}".encode("utf-8", "surrogatepass")
    return f"job_{hashlib.blake2b(said, digest_size=8).hexdigest()}"


def changed(job: Job, now: dt.datetime, state: JobStatus, **progress: Any) -> Job:
    """The job in a state, with some of its progress changed."""
    made = msgspec.structs.replace(progress_of(job), **progress)
    return msgspec.structs.replace(job, state=state, progress=msgspec.to_builtins(made), updated_at=now, error=None)


def switch(store: Store) -> Job | None:
    """The job that says whether all others are paused; None where nobody has ever paused them."""
    return next(iter(store.jobs(kind=SWITCH)), None)


class Runner:
    """One background thread that carries out what is due about once a minute, from `start` to `close`."""

    def __init__(self, kinds: Sequence[Kind] = KINDS) -> None:
        self._kinds = kinds
        self._owner = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._parts: Parts | None = None
        self._said = ""
        """The last failure that was logged; the same one again is not news."""

    def start(self, parts: Parts) -> None:
        """Begin, where the settings have it decide anything."""
        if parts.background.is_on and any(kind.is_on(parts.background) for kind in self._kinds):
            self._parts = parts
            self._thread = threading.Thread(target=self._run, name="background-decisions", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop after the batch that is being done."""
        self._stopping.set()
        if self._parts is not None:
            self._parts.woken.set()
        if self._thread is not None:
            self._thread.join()

    def once(self, parts: Parts) -> None:
        """Do now what is due; nothing where it is switched off or paused, or the store cannot be written. Raises StoreError."""
        if parts.store.read_only or not parts.background.is_on:
            return
        for namespace, _ in parts.store.namespaces():
            for kind in self._kinds:
                if self._stopping.is_set() or is_paused(parts.store):
                    return
                if kind.is_on(parts.background):
                    self.run(parts, kind, namespace)

    def run(self, parts: Parts, kind: Kind, namespace: str) -> Job | None:
        """One run of one job; the job as it is then, None where there is nothing to do and never was. Raises StoreError."""
        acting = replace(parts, actor=Actor.POLICY)
        before = job_of(parts.store, kind.name, namespace)
        if before is not None and (
            before.state in (JobStatus.PAUSED, JobStatus.CANCELLED) or self._is_anothers(before, parts)
        ):
            return before
        due = kind.due(acting, namespace)
        if not due and (before is None or (before.state == JobStatus.WAITING and progress_of(before).due == 0)):
            return before
        if before is not None and self._is_held_still(parts, kind, before, len(due)):
            return before
        job = self._taken(parts, kind, namespace, before, len(due))
        if job is None:
            return job_of(parts.store, kind.name, namespace)
        try:
            return self._work(acting, kind, job, kind.due(acting, namespace))
        except MemoryServiceError as error:
            self._keep(parts, job, JobStatus.FAILED, error)
            raise

    def _work(self, parts: Parts, kind: Kind, job: Job, due: Sequence[Any]) -> Job:
        """Carry out what is due behind the brake, batch by batch; the job as it is left."""
        namespace, allowed = str(job.namespace), progress_of(job).allowed
        message = held_back(parts, kind, namespace, len(due)) if len(due) > allowed else None
        if message is not None and not allowed:
            logger.warning("%s", message)
            return self._left(parts, job, JobStatus.HELD, due=len(due), done=0, message=message)
        rest = list(due[:allowed] if message is not None else due)
        done, total = 0, progress_of(job).total
        message = None
        while rest and not self._stopping.is_set():
            within = parts.background.per_hour - done_within(parts, kind, namespace, AN_HOUR)
            if within <= 0:
                message = (
                    f"{parts.background.per_hour} in an hour is the limit decisions_per_hour; it goes on by itself"
                )
                break
            batch, rest = rest[: min(BATCH, within)], rest[min(BATCH, within) :]
            done += kind.carry_out(parts, namespace, batch)
            noted = self._noted(parts, job, due=len(due), done=done, total=total + done)
            if noted is None:  # paused or cancelled, or this process was away for longer than its lease
                return job_of(parts.store, kind.name, namespace) or job
            job = noted
        if done:
            logger.info("%s: %d of %d done in %s", kind.name, done, len(due), namespace)
        return self._left(parts, job, JobStatus.WAITING, due=len(rest), allowed=0, message=message)

    def _taken(self, parts: Parts, kind: Kind, namespace: str, before: Job | None, due: int) -> Job | None:
        """The job as this process has it from now on; None where another one was first."""
        now = parts.clock.now()
        if before is None:
            before = Job(
                id=job_id(kind.name, namespace), kind=kind.name, namespace=namespace, created_at=now, updated_at=now
            )
            expected = None
        else:
            expected = before
        lease = {"owner": self._owner, "until": now + LEASE}
        taken = changed(before, now, JobStatus.RUNNING, due=due, done=0, ran_at=now, message=None, **lease)
        return taken if parts.store.swap_job(taken, expected) else None

    def _noted(self, parts: Parts, job: Job, **progress: Any) -> Job | None:
        now = parts.clock.now()
        noted = changed(job, now, JobStatus.RUNNING, until=now + LEASE, **progress)
        return noted if parts.store.swap_job(noted, job) else None

    def _left(self, parts: Parts, job: Job, state: JobStatus, **progress: Any) -> Job:
        left = changed(job, parts.clock.now(), state, owner=None, until=None, **progress)
        return left if parts.store.swap_job(left, job) else job_of(parts.store, job.kind, str(job.namespace)) or left

    def _keep(self, parts: Parts, job: Job, state: JobStatus, error: MemoryServiceError) -> None:
        """Say in the job why it failed; the next run tries again."""
        latest = job_of(parts.store, job.kind, str(job.namespace))
        if latest is not None and progress_of(latest).owner == self._owner:
            left = changed(latest, parts.clock.now(), state, owner=None, until=None)
            parts.store.swap_job(msgspec.structs.replace(left, error=error.message), latest)

    def _is_held_still(self, parts: Parts, kind: Kind, job: Job, due: int) -> bool:
        """Whether a held job waits for a person as it did: then nothing is written, and nothing said again."""
        progress = progress_of(job)
        if job.state != JobStatus.HELD or progress.allowed or progress.due != due:
            return False
        return held_back(parts, kind, str(job.namespace), due) is not None

    def _is_anothers(self, job: Job, parts: Parts) -> bool:
        """Whether another process has it, and is not gone."""
        progress = progress_of(job)
        now = parts.clock.now()
        return job.state == JobStatus.RUNNING and progress.until is not None and now < progress.until <= now + LEASE

    def _run(self) -> None:
        parts = self._parts
        assert parts is not None
        parts.woken.wait(FIRST_SECONDS)
        while not self._stopping.is_set():
            try:
                self.once(parts)
                self._said = ""
            except MemoryServiceError as error:
                if error.message != self._said:
                    logger.warning("a background decision failed: %s", error.message)
                self._said = error.message
            except Exception:
                logger.exception("a background decision failed")
            parts.woken.wait(EVERY_SECONDS)
            parts.woken.clear()


def is_paused(store: Store) -> bool:
    """Whether somebody has paused all background decisions of a store."""
    found = switch(store)
    return found is not None and found.state == JobStatus.PAUSED


def job_of(store: Store, kind: str, namespace: str) -> Job | None:
    """The job of a kind in a namespace."""
    wanted = job_id(kind, namespace)
    return next((job for job in store.jobs(kind=kind) if job.id == wanted), None)


def held_back(parts: Parts, kind: Kind, namespace: str, due: int) -> str | None:
    """Why so much may not be done without a person, if so.

    What was done in the last day counts: else many small runs would do it.
    """
    before = done_within(parts, kind, namespace, A_DAY)
    counts = parts.store.stats(namespace)
    total = counts.memories + counts.retired
    if not is_too_much(due + before, total + (before if kind.erases else 0), parts.background.share):
        return None
    also = f", after {before} in the last day" if before else ""
    return (
        f"{due} of {total} memories of {namespace} {kind.waiting}{also}: more than {parts.background.share:.0%} "
        "of a namespace in a day is for a person to decide"
    )


def held_jobs(parts: Parts) -> list[Held]:
    """The jobs that wait for a person still, by what is stored now. Raises StoreError."""
    by_name = {kind.name: kind for kind in KINDS if kind.is_on(parts.background)}
    found = []
    for job in parts.store.jobs(states=(JobStatus.HELD,)):
        kind, namespace = by_name.get(job.kind), str(job.namespace)
        due = 0 if kind is None else len(kind.due(parts, namespace))
        if kind is not None and due and (message := held_back(parts, kind, namespace, due)) is not None:
            found.append(Held(kind, namespace, due, message, way_of(kind, parts, namespace, job.id)))
    return found


def done_within(parts: Parts, kind: Kind, namespace: str, span: dt.timedelta) -> int:
    """How many decisions of a kind were made in a namespace lately, as the log has it."""
    until = parts.clock.now() + dt.timedelta(microseconds=1)
    place, count = (until - span, 0), 0
    while entries := parts.store.log_between(namespace, after=place, until=until, limit=PAGE):
        count += sum(map(kind.counts, entries))
        place = (entries[-1].at, entries[-1].sequence)
    return count
