"""Whose inputs go into the next forward pass.

One pass runs at a time. The callers run the passes themselves: the first one to come leads, takes what is waiting into passes
until its own request is done, and hands over to another. A caller that is alone so runs its pass in its own thread, with
nothing to wait for; there is no thread of the scheduler's, and no pause to gather a batch: what came while a pass ran shares
the next one.

Urgent requests (a question that somebody waits for) go before patient ones, and among equals those with few tokens left go
before those with twice as many, so that a short text never waits behind long ones for more than the pass that runs. Requests
of like size go as they came. No rule starves anybody: after eight urgent passes in a row a patient one has its turn, and after
eight passes in a row that left out the oldest request of its kind, that one has.

Long passes get a little more done and keep others waiting for longer, so only a caller who has been alone for a minute has them.
"""

from __future__ import annotations

import itertools
import math
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ai_memory.embed.base import Cancellation, Vectors
from ai_memory.embed.batcher import Batch
from ai_memory.embed.runtimes.base import Runtime
from ai_memory.errors import EmbedderUnavailableError, OverloadedError, ServiceUnavailableError

Ids = Sequence[int]

IN_A_ROW = 8
"""So many passes in a row may leave out patient requests while urgent ones wait, and the oldest request of either kind."""

MAX_REQUESTS = 512
"""Requests that may wait; the next one is refused."""

ALONE_SECONDS = 60.0
"""After so long without two requests at once a pass may be as long as the runtime likes."""

_FAST = 0.2
"""How much of the measured speed the newest pass decides."""


@dataclass(frozen=True, slots=True)
class Ran:
    """What became of a request."""

    vectors: Vectors
    """One row an input, in order."""
    waited: float
    """Seconds before its first pass began."""
    computed: float
    """Seconds from there to the end of its last."""


class _Request:
    """One caller's inputs, and what has become of them."""

    def __init__(self, inputs: Sequence[Ids], dimension: int, *, urgent: bool) -> None:
        self.inputs = inputs
        self.urgent = urgent
        self.waiting = sorted(range(len(inputs)), key=lambda position: len(inputs[position]))
        """Positions of the inputs that are in no pass yet, shortest first."""
        self.lengths = [len(inputs[position]) for position in self.waiting]
        self.tokens = sum(self.lengths)
        """Tokens that no pass has read yet."""
        self.vectors = np.empty((len(inputs), dimension), np.float32)
        self.alone = False
        """A pass that it shared has failed: its inputs share none with another request's from now on."""
        self.ended = False
        self.error: BaseException | None = None
        self.came = time.perf_counter()
        self.began: float | None = None
        self.gate = threading.Lock()
        """Held while its caller has nothing to do: released when the request has ended, or its caller is to lead."""
        self.gate.acquire()

    def take(self, at: int) -> int:
        """Take an input out of those that wait; returns its position."""
        self.tokens -= self.lengths.pop(at)
        return self.waiting.pop(at)

    def put_back(self, positions: Sequence[int]) -> None:
        """Undo `take`: the inputs' pass has not been run."""
        self.waiting = sorted([*self.waiting, *positions], key=lambda position: len(self.inputs[position]))
        self.lengths = [len(self.inputs[position]) for position in self.waiting]
        self.tokens = sum(self.lengths)


class _Line:
    """Requests of one kind, in the order in which they came."""

    def __init__(self) -> None:
        self.requests: dict[_Request, None] = {}
        self._oldest: _Request | None = None
        self._left_out = 0

    def in_turn(self) -> Iterator[_Request]:
        """By the tokens they have left in powers of two, equals as they came; the oldest first where it has waited too long."""
        oldest = next(iter(self.requests), None)
        if oldest is not None and oldest is self._oldest and self._left_out >= IN_A_ROW:
            yield oldest
            yield from (each for each in self._short_first() if each is not oldest)
        else:
            yield from self._short_first()

    def _short_first(self) -> Sequence[_Request]:
        # Not by every token: then those a little longer than others would wait together, and share no pass with what comes.
        return sorted(self.requests, key=lambda request: request.tokens.bit_length())

    def note(self, served: dict[_Request, list[int]]) -> None:
        """Say which requests the next pass serves."""
        oldest = next(iter(self.requests), None)
        passed_over = oldest is self._oldest and oldest not in served
        self._left_out = self._left_out + 1 if passed_over else int(oldest not in served)
        self._oldest = oldest


class Scheduler:
    """Runs the passes of one runtime for callers in any number of threads."""

    def __init__(self, runtime: Runtime, dimension: int, *, max_requests: int = MAX_REQUESTS) -> None:
        self._runtime = runtime
        self._dimension = dimension
        self._max_requests = max_requests
        self._changed = threading.Condition(threading.Lock())
        self._urgent, self._patient = _Line(), _Line()
        self._urgent_in_a_row = 0
        self._leader: _Request | None = None
        self._running = False
        self._closed = False
        self._crowded_at = -math.inf
        """When two requests were there at once for the last time, by the monotonic clock."""
        self._speed = 0.0

    @property
    def waiting(self) -> int:
        """Requests that have not ended."""
        return len(self._urgent.requests) + len(self._patient.requests)

    def run(self, inputs: Sequence[Ids], *, urgent: bool, cancellation: Cancellation | None = None) -> Ran:
        """Embed one input or more, none of them empty: one row of `Ran.vectors` each.

        Blocks until all are embedded. Raises what the runtime raises for them, also where they shared a pass: then each request
        is tried again by itself. Raises OverloadedError at once where too many requests wait, EmbedderUnavailableError where the
        scheduler is closed, and ServiceUnavailableError when cancelled.
        """
        request = _Request(inputs, self._dimension, urgent=urgent)
        leads = self._admit(request)
        if cancellation is not None:
            cancellation.bind(lambda: self._cancel(request))
        try:
            if not leads:
                request.gate.acquire()
            self._lead(request)
        finally:
            self._leave(request)
        if request.error is not None:
            raise request.error
        began = request.began or request.came
        return Ran(request.vectors, began - request.came, time.perf_counter() - began)

    def close(self) -> None:
        """End every request that waits with EmbedderUnavailableError; returns when no pass runs any more."""
        with self._changed:
            self._closed = True
            for line in (self._urgent, self._patient):
                for request in list(line.requests):
                    self._end(request, _closed())
            self._changed.wait_for(lambda: not self._running)

    def _line(self, request: _Request) -> _Line:
        return self._urgent if request.urgent else self._patient

    def _admit(self, request: _Request) -> bool:
        """Queue a request; True where its caller has to lead."""
        with self._changed:
            if self._closed:
                raise _closed()
            if self.waiting >= self._max_requests:
                raise self._overloaded()
            self._line(request).requests[request] = None
            if self.waiting > 1:
                self._crowded_at = time.monotonic()
            if self._leader is None:
                self._leader = request
            return self._leader is request

    def _overloaded(self) -> OverloadedError:
        tokens = sum(each.tokens for line in (self._urgent, self._patient) for each in line.requests)
        seconds = math.ceil(tokens / self._speed) if self._speed else 1
        return OverloadedError(
            f"{self.waiting} requests wait for the embedder, with {tokens:,} tokens",
            hint="try again after the seconds in Retry-After",
            retry_after=min(60, max(1, seconds)),
            limit=self._max_requests,
        )

    def _lead(self, request: _Request) -> None:
        """Run passes until the request has ended; nothing where its caller does not lead."""
        while not request.ended:
            with self._changed:
                batch, shares = self._next_pass()
                self._running = True
            try:
                self._forward(batch, shares)
            except BaseException:  # the leader's thread is interrupted: the others' inputs wait for the next leader
                with self._changed:
                    for each, positions in shares.items():
                        each.put_back(positions)
                raise
            finally:
                with self._changed:
                    self._running = False
                    if self._closed:
                        self._changed.notify_all()

    def _next_pass(self) -> tuple[Batch, dict[_Request, list[int]]]:
        """Take the inputs of the next pass out of the requests whose turn it is."""
        both = bool(self._urgent.requests and self._patient.requests)
        urgent = bool(self._urgent.requests) and not (both and self._urgent_in_a_row >= IN_A_ROW)
        self._urgent_in_a_row = self._urgent_in_a_row + 1 if urgent and both else 0
        line = self._urgent if urgent else self._patient
        batch = Batch(self._budget(), padded=self._runtime.padded)
        first, *others = line.in_turn()
        shares = {first: _taken(first, batch)}
        if self._runtime.padded:  # those that fit best, whoever came before
            others.sort(key=lambda request: batch.misfit(request.lengths))
        for request in others:
            if batch.room()[1] < 1:
                break
            if not (first.alone or request.alone) and (taken := _taken(request, batch)):
                shares[request] = taken
        line.note(shares)
        return batch, shares

    def _budget(self) -> int:
        now = time.monotonic()
        if self.waiting > 1:  # also where they came together long ago and are still not done
            self._crowded_at = now
        elif now - self._crowded_at > ALONE_SECONDS:
            return self._runtime.alone_budget
        return self._runtime.token_budget

    def _forward(self, batch: Batch, shares: dict[_Request, list[int]]) -> None:
        began = time.perf_counter()
        for request in shares:
            request.began = request.began or began
        inputs = [request.inputs[position] for request, positions in shares.items() for position in positions]
        try:
            vectors = self._runtime.forward(inputs)
        except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to the callers whose inputs these are
            self._failed(shares, error)
            return
        speed = batch.tokens / max(1e-9, time.perf_counter() - began)
        with self._changed:
            self._speed = speed if not self._speed else (1 - _FAST) * self._speed + _FAST * speed
            row = 0
            for request, positions in shares.items():
                request.vectors[positions] = vectors[row : row + len(positions)]
                row += len(positions)
                if not request.waiting:
                    self._end(request)

    def _failed(self, shares: dict[_Request, list[int]], error: Exception) -> None:
        """End the one request of a failed pass; where it had several, let each be tried by itself."""
        with self._changed:
            for request, positions in shares.items():
                if len(shares) == 1:
                    self._end(request, error)
                elif not request.ended:
                    request.alone = True
                    request.put_back(positions)

    def _cancel(self, request: _Request) -> None:
        with self._changed:
            self._end(request, ServiceUnavailableError("the caller went away before the texts were embedded"))

    def _end(self, request: _Request, error: BaseException | None = None) -> None:
        """Take a request out and let its caller go on; nothing where it has ended already."""
        if request.ended:
            return
        request.ended, request.error = True, error
        del self._line(request).requests[request]
        self._open_gate(request)

    def _leave(self, request: _Request) -> None:
        """The caller goes: an interrupted one takes its request with it, a leader hands over."""
        with self._changed:
            self._end(request, ServiceUnavailableError("the caller was interrupted"))
            if self._leader is request:
                successor = next(itertools.chain(self._urgent.in_turn(), self._patient.in_turn()), None)
                self._leader = successor
                if successor is not None:
                    self._open_gate(successor)

    @staticmethod
    def _open_gate(request: _Request) -> None:
        if request.gate.locked():
            request.gate.release()


def _taken(request: _Request, batch: Batch) -> list[int]:
    """Move the inputs of a request that may join the batch there; their positions."""
    taken = []
    while (at := batch.choose(request.lengths)) is not None:
        batch.add(request.lengths[at])
        taken.append(request.take(at))
    return taken


def _closed() -> EmbedderUnavailableError:
    return EmbedderUnavailableError("the embedder has been closed")
