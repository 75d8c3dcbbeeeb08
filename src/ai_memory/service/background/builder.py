"""Builds a vector generation in the background, beside the active one, and switches to it when it is complete.

What is to be built stands in the store: a generation in the state `building`, and a job with how it was asked for. So it goes on
after a kill, in this process or another, from where it ended: what was paid stays paid. While it is built every new revision is
owed to both generations, and the switch comes when the new one lacks nothing that the active one has.
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
"""The embedder of an identity, given the model's name or folder as it was asked for; None where it is not here."""

LOOK_SECONDS = 0.5
"""How often a build looks whether it was cancelled, whether there is more to pay, or whether another process has let go of it."""
PATIENCE = 2
"""Passes in a row that leave something unpaid and pay nothing, after which a build has failed."""
NOTE_SECONDS = 1.0
"""How often its speed is noted in the store."""


class Plan(Struct, frozen=True, kw_only=True):
    """What the job of a build holds."""

    generation: int
    former: int | None = None
    """The generation that was active when the build began."""
    model: str | None = None
    """The model as it was asked for: a name or a folder."""
    rate: float | None = None
    switch: bool = True


class _Stopped(Exception):  # noqa: N818 - no error: the service closes
    """The service is closing."""


class _Ended(Exception):  # noqa: N818 - no error: somebody cancelled it or switched to it
    """The generation is not being built any more."""


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
    """The job of the build that began last."""
    return next(iter(store.jobs(kind=KIND)), None)


def ended_as(generation: Generation | None) -> str:
    """What a build came to whose generation is not being built any more: the state of its job."""
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
        """Keep a job with some fields changed and the others as they stand now."""
        with self.noting:
            latest = latest_job(self.store)
            base = latest if latest is not None and latest.id == job.id else job
            changed = msgspec.structs.replace(base, updated_at=self.clock.now(), **changes)
            self.store.put_job(changed)
        return changed

    def end(self, job: Job, state: str, error: MemoryServiceError | None = None) -> None:
        """Note how a build ended."""
        told = None if error is None else error.message + (f" ({error.hint})" if error.hint else "")
        self.note(job, state=state, error=told)


class Builder:
    """One background thread that works on the build that the store says is unfinished, and ends when there is none."""

    def __init__(self, shop: Workshop, lock: BuildLock) -> None:
        self._shop = shop
        self._lock = lock
        self._starting = threading.Lock()
        self._asked = False
        self._thread: threading.Thread | None = None

    def begin(self) -> None:
        """See to it that the unfinished build is worked on; nothing happens where there is none."""
        with self._starting:
            self._asked = True
            if self._thread is None and not self._shop.stopping.is_set():
                self._thread = threading.Thread(target=self._run, name="generation-builder", daemon=True)
                self._thread.start()

    def note(self, job: Job, **changes: object) -> None:
        """Change a build's job from outside: how it is to go on, or how it was ended."""
        self._shop.note(job, **changes)

    def find(self, identity: EmbedderIdentity, model: str | None) -> Embedder | None:
        """The embedder of an identity: what is loaded where that will do, else what the model's name leads to."""
        return self._shop.slot.at_hand(identity) or self._shop.find(identity, model)

    def working(self) -> bool:
        """Whether this or another process is at work on a build at this moment."""
        return self._thread is not None or self._lock.held()

    def switched(self) -> None:
        """Have this process follow at once after the active generation was changed here."""
        self._shop.switched()

    def close(self) -> None:
        """Stop after the batch at hand; the rest is left for whoever goes on."""
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
                logger.exception("a build could not be looked for; trying again")
                self._shop.stopping.wait(RETRY_SECONDS)
                continue
            with self._starting:
                if not self._asked:
                    self._thread = None
                    return

    def _unfinished(self) -> Job | None:
        """The job to go on with. One whose generation is not being built any more is marked as what it came to."""
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
            return  # the next look marks it
        except MemoryServiceError as error:
            logger.warning("the build failed: %s", error.message)
            self._shop.end(job, "failed", error)
        except Exception as error:
            logger.exception("the build failed")
            self._shop.end(job, "failed", InternalError(f"{type(error).__name__}: {error}"))


class _Run:
    """One go at a build, from what is owed now to the switch."""

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
        """Pay what has come since, while nothing is paid to the active generation here, and switch if nothing is lost by it.

        That is little, a batch or so, and is done without rests, because the payer waits for it.
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
        """Whether the active generation owes as much as is left: then it is cut from its vectors once it has them."""
        active = self._shop.slot.generation()
        return active is not None and self._store.pending_count(active.id) >= self._filler.left

    def _step(self, count: int) -> None:
        """After each batch: note how fast it goes, rest as the rate asks for, and see whether to go on."""
        self._done += count
        now = time.monotonic()
        if now - self._noted >= NOTE_SECONDS:
            self._noted = now
            self._note(progress={"per_second": round(self._done / (now - self._started), 2)})
        self._wait(0.0 if self._hurrying else self._pace.rest(count))

    def _note(self, **changes: object) -> None:
        """Keep something in the job, and take over a rate or a switch that was asked for anew meanwhile."""
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
        """Rest, looking up now and then; raises _Stopped or _Ended."""
        until = time.monotonic() + seconds
        while True:
            if self._shop.stopping.wait(max(0.0, min(LOOK_SECONDS, until - time.monotonic()))):
                raise _Stopped
            generation = generation_by_id(self._store, self._generation.id)
            if generation is None or generation.state != "building":
                raise _Ended
            if time.monotonic() >= until:
                return
