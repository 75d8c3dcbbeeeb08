"""Builds a vector generation in the background while the active one stays in use, and switches to it when it is complete.

The store holds what is to be built: a generation in the state `building`, and a job with the parameters of the request. After a
kill, this process or another resumes from there: vectors that were stored are kept. During a build every new revision is pending
in both generations, and the switch happens when the new one has every vector that the active one has.
"""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec
from msgspec import Struct

from ai_memory.clock import Clock
from ai_memory.decoding import from_builtins
from ai_memory.embed.base import Embedder
from ai_memory.errors import InternalError, MemoryServiceError, StoreError
from ai_memory.service.background.backlog import BATCH, RETRY_SECONDS, BacklogWorker
from ai_memory.service.background.build_lock import BuildLock
from ai_memory.service.background.embedder import EmbedderSlot
from ai_memory.service.background.filling import Filler, Pace
from ai_memory.store.base import Store
from ai_memory.types import EmbedderIdentity, Generation, Job

logger = logging.getLogger(__name__)

KIND = "reembed"
Finder = Callable[[EmbedderIdentity, str | None], Embedder | None]
"""The embedder of an identity, given the model's name or folder from the request; None where it is not installed."""

LOOK_SECONDS = 0.5
"""How often a build checks whether it was cancelled, whether more is pending, or whether another process has released it."""
PATIENCE = 2
"""Consecutive passes without progress, with revisions still pending, after which a build is declared failed."""
NOTE_SECONDS = 1.0
"""How often a build's speed is recorded in its job."""


class Plan(Struct, frozen=True, kw_only=True):
    """What the job of a build holds."""

    generation: int
    former: int | None = None
    """The generation that was active when the build began."""
    model: str | None = None
    """The model from the request: a name or a folder."""
    rate: float | None = None
    switch: bool = True


class _Stopped(Exception):  # noqa: N818 - no error: the service closes
    """The service is closing."""


class _Ended(Exception):  # noqa: N818 - no error: it was cancelled, or switched to, elsewhere
    """The generation is no longer being built."""


def plan_of(job: Job) -> Plan:
    """The plan of a build's job."""
    return from_builtins(job.payload, Plan)


def new_job(plan: Plan, now: dt.datetime) -> Job:
    """A job for a build that begins."""
    return Job(
        id=f"{KIND}_{secrets.token_hex(8)}",
        kind=KIND,
        payload=msgspec.to_builtins(plan),
        created_at=now,
        updated_at=now,
    )


def latest_job(store: Store) -> Job | None:
    """The job of the most recent build."""
    return next(iter(store.jobs(kind=KIND)), None)


def ended_as(generation: Generation | None) -> str:
    """The final state of the job of a build whose generation is no longer being built."""
    return "done" if generation is not None and generation.state == "active" else "cancelled"


def generation_by_id(store: Store, number: int) -> Generation | None:
    """A generation by its id, or None."""
    return next((generation for generation in store.generations() if generation.id == number), None)


@dataclass(frozen=True)
class Workshop:
    """What a build works with."""

    store: Store
    slot: EmbedderSlot
    backlog: BacklogWorker
    clock: Clock
    find: Finder
    switched: Callable[[], None]
    """Called after the active generation has changed."""
    stopping: threading.Event = field(default_factory=threading.Event)
    noting: threading.Lock = field(default_factory=threading.Lock)

    def note(self, job: Job, **changes: object) -> Job:
        """Save a job with some fields changed and the others as they are in the store now."""
        with self.noting:
            latest = latest_job(self.store)
            base = latest if latest is not None and latest.id == job.id else job
            changed = msgspec.structs.replace(base, updated_at=self.clock.now(), **changes)
            self.store.put_job(changed)
        return changed

    def end(self, job: Job, state: str, error: MemoryServiceError | None = None) -> None:
        """Record how a build ended."""
        # Without the hint: who will read this, on which surface, is not known yet.
        self.note(job, state=state, error=None if error is None else error.message)


class Builder:
    """One background thread that works on the store's unfinished build, and ends when there is none."""

    def __init__(self, shop: Workshop, lock: BuildLock) -> None:
        self._shop = shop
        self._lock = lock
        self._starting = threading.Lock()
        self._asked = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """Start working on the unfinished build; nothing happens where there is none."""
        with self._starting:
            self._asked = True
            if self._thread is None and not self._shop.stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="generation-builder", daemon=True)
                self._thread.start()

    def note(self, job: Job, **changes: object) -> None:
        """Change a build's job from outside: its parameters, or its final state."""
        self._shop.note(job, **changes)

    def find(self, identity: EmbedderIdentity, model: str | None) -> Embedder | None:
        """The embedder of an identity: the loaded one where it fits, else the one that the model's name leads to."""
        return self._shop.slot.at_hand(identity) or self._shop.find(identity, model)

    def working(self) -> bool:
        """True if this or another process is working on a build now."""
        return self._thread is not None or self._lock.held()

    def switched(self) -> None:
        """Update this process's index at once, after the active generation was changed here."""
        self._shop.switched()

    def close(self) -> None:
        """Stop after the current batch; the next process that opens the store resumes the build."""
        self._shop.stopping.set()
        with self._starting:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._shop.stopping.is_set():
            self._asked = False
            try:
                job = self._unfinished()
                if job is not None:
                    self._work_alone(job)
                    continue
            except Exception:
                logger.exception("looking for an unfinished build failed; trying again")
                self._shop.stopping.wait(RETRY_SECONDS)
                continue
            with self._starting:
                if not self._asked:
                    self._thread = None
                    return

    def _unfinished(self) -> Job | None:
        """The job to resume. A job whose generation is no longer being built is given its final state."""
        job = latest_job(self._shop.store)
        if job is None or job.state not in ("waiting", "running"):
            return None
        generation = generation_by_id(self._shop.store, plan_of(job).generation)
        if generation is not None and generation.state == "building":
            return job
        self._shop.end(job, ended_as(generation))
        return None

    def _work_alone(self, job: Job) -> None:
        with self._lock.attempt() as mine:
            if mine:
                self._work(job)
        if not mine:
            self._shop.stopping.wait(LOOK_SECONDS)

    def _work(self, job: Job) -> None:
        try:
            _Run(self._shop, self.find, job).to_the_end()
        except _Stopped:
            self._shop.note(job, state="waiting")
        except _Ended:
            return  # `_unfinished` gives the job its final state
        except MemoryServiceError as error:
            logger.warning("the build failed: %s", error.message)
            self._shop.end(job, "failed", error)
        except Exception as error:
            logger.exception("the build failed")
            self._shop.end(job, "failed", InternalError(f"{type(error).__name__}: {error}"))


class _Run:
    """One attempt at a build, from the current backlog to the switch."""

    def __init__(self, shop: Workshop, find: Finder, job: Job) -> None:
        self._shop = shop
        self._store = shop.store
        self._done = 0
        self._hurrying = False
        self._started = self._noted = time.monotonic()
        self._job = shop.note(job, state="running", error=None, progress={})
        self._plan = plan = plan_of(self._job)
        self._pace = Pace(plan.rate)
        generation = generation_by_id(self._store, plan.generation)
        if generation is None:
            raise _Ended
        self._generation = generation
        self._filler = Filler(
            self._store, generation, lambda: find(generation.embedder, plan.model), self._pace.batch, self._step
        )

    def to_the_end(self) -> None:
        """Fill the generation and switch; raises _Stopped, _Ended, or what makes it fail."""
        fruitless = 0
        while True:
            try:
                embedded = self._filler.fill()
                if self._plan.switch and embedded <= BATCH and self._switch():
                    return
            except StoreError as error:  # another process holds the lock, or the device is full: it may pass
                logger.warning("the build waits: %s", error.message)
                self._wait(RETRY_SECONDS)
                continue
            fruitless = fruitless + 1 if self._filler.left and not embedded else 0
            if fruitless > PATIENCE and (self._plan.switch or not self._pending_in_both()):
                raise self._filler.why_left()
            self._wait(0.0 if embedded else LOOK_SECONDS)
            self._note()

    def _switch(self) -> bool:
        """Embed the remaining revisions with the backlog worker paused, then activate the new generation if it is complete.

        That is little, a batch or so, and is done without pauses, because the backlog worker waits for it.
        """
        with self._shop.backlog.held():
            self._hurrying = True
            try:
                self._filler.fill(until=self._store.sequence())
            finally:
                self._hurrying = False
            if self._filler.embedder is not None:
                self._shop.slot.offer(self._filler.embedder)
            if not self._store.activate_generation(self._generation.id, complete=True):
                return False
        self._shop.end(self._job, "done")
        self._shop.switched()
        return True

    def _pending_in_both(self) -> bool:
        """True if the active generation lacks as many vectors: once it has them, the new ones are cut from them."""
        active = self._shop.slot.generation()
        return active is not None and self._store.pending_count(active.id) >= self._filler.left

    def _step(self, count: int) -> None:
        """After each batch: record the speed, pause as the rate limit requires, and check whether to continue."""
        self._done += count
        now = time.monotonic()
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            self._note(progress={"per_second": round(self._done / (now - self._started), 2)})
        self._wait(0.0 if self._hurrying else self._pace.rest(count))

    def _note(self, **changes: object) -> None:
        """Update the job, and adopt a rate or a switch that was requested in the meantime."""
        latest = latest_job(self._store)
        if changes:
            self._job = self._shop.note(self._job, **changes)
        elif latest is not None and latest.id == self._job.id:
            self._job = latest
        before, self._plan = self._plan, plan_of(self._job)
        if self._plan.rate != before.rate:
            self._pace = Pace(self._plan.rate)
            self._filler.batch = self._pace.batch

    def _wait(self, seconds: float) -> None:
        """Pause, checking now and then whether to stop; raises _Stopped or _Ended."""
        until = time.monotonic() + seconds
        while True:
            if self._shop.stopping.wait(max(0.0, min(LOOK_SECONDS, until - time.monotonic()))):
                raise _Stopped
            generation = generation_by_id(self._store, self._generation.id)
            if generation is None or generation.state != "building":
                raise _Ended
            if time.monotonic() >= until:
                return
