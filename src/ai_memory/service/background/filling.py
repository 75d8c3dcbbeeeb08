"""Fills a generation that is being built: by cutting existing larger vectors where possible, else with its embedder."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

from ai_memory.embed.base import Embedder
from ai_memory.embed.matryoshka import cut
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, MemoryServiceError
from ai_memory.service.background.backlog import BATCH, vectors_of
from ai_memory.service.background.embedder import is_cut_of
from ai_memory.store.base import Store, StoredRevision, VectorRow
from ai_memory.text.passages import split
from ai_memory.types import EmbedderIdentity, Generation
from ai_memory.wording.ways import ACTIVATE_INCOMPLETE, by_operator


class Pace:
    """Spreads work so that at most `rate` revisions are done in a second; None is no limit."""

    def __init__(self, rate: float | None, now: Callable[[], float] = time.monotonic) -> None:
        self._rate = rate
        self._now = now
        self._due = now()

    @property
    def batch(self) -> int:
        """How many revisions to do at once: about a second's worth, and not more than a whole batch."""
        return BATCH if self._rate is None else min(BATCH, max(1, int(self._rate)))

    def rest(self, count: int) -> float:
        """The seconds to pause after `count` revisions. Unused time is not saved up."""
        if self._rate is None:
            return 0.0
        now = self._now()
        self._due = max(self._due, now) + count / self._rate
        return self._due - now


class Filler:
    """Works on one generation. `step` is called after each batch with the number done; what it raises ends the pass."""

    def __init__(
        self,
        store: Store,
        generation: Generation,
        find: Callable[[], Embedder | None],
        batch: int,
        step: Callable[[int], None],
    ) -> None:
        """`find` gives the embedder, and is called when it is needed: not where all vectors can be cut from others."""
        self._store = store
        self._generation = generation
        self._find = find
        self.batch = batch
        """The most revisions per batch; may be changed between batches."""
        self._step = step
        self._error: EmbedderError | None = None
        self.embedder: Embedder | None = None
        """The embedder, once it was needed and found."""
        self.left = 0
        """Revisions that the last pass could not embed."""

    def fill(self, until: int | None = None) -> int:
        """One pass over the pending revisions, oldest first, up to the key `until`; returns how many got their vectors.

        A text that the embedder fails on stays pending. Raises EmbedderError where it fails on every text of a batch.
        """
        self.left, self._error = 0, None
        sources = sources_of(self._store, self._generation.embedder)
        embedded = after = 0
        while batch := self._store.pending(self._generation.id, limit=self.batch, after=after):
            after = batch[-1].key
            if until is not None:
                batch = [revision for revision in batch if revision.key <= until]
                if not batch:
                    break
            rows, done = self._vectors(batch, sources)
            if done:
                self._store.put_vectors(self._generation.id, rows, done)
            embedded += len(done)
            self.left += len(batch) - len(done)
            self._step(len(done))
        return embedded

    def why_left(self) -> MemoryServiceError:
        """Why the last pass left revisions pending, as an error to end the build with."""
        if self._error is not None:
            return EmbedderError(
                f"{self.left} revisions could not be embedded: {self._error.message}",
                hint=ACTIVATE_INCOMPLETE.after("fix the cause and build again, or "),
                left=self.left,
            )
        identity = self._generation.embedder
        return EmbedderUnavailableError(
            f"the model {identity.model} ({identity.dtype}, revision {identity.revision[:8]}) is not installed, and {self.left} "
            "revisions have no vectors that its own could be cut from",
            hint=by_operator(
                f"ai-memory model fetch {identity.model}, then: ai-memory reembed --model {identity.model}",
                f"fetch the embedding model {identity.model}",
            ),
            left=self.left,
        )

    def _vectors(
        self, batch: Sequence[StoredRevision], sources: Sequence[Generation]
    ) -> tuple[list[VectorRow], list[int]]:
        rows: list[VectorRow] = []
        done: set[int] = set()
        rest = list(batch)
        for source in sources:
            rows += cut_vectors(self._store, source, rest, self._generation.embedder.dimension)
            done = {row.key for row in rows}
            rest = [revision for revision in batch if revision.key not in done]
        if rest and self.embedder is None:
            self.embedder = self._find()
        if rest and self.embedder is not None:
            made, embedded = self._embedded(self.embedder, rest)
            rows += made
            done |= embedded
        return rows, sorted(done)

    def _embedded(self, embedder: Embedder, batch: Sequence[StoredRevision]) -> tuple[list[VectorRow], set[int]]:
        """Vectors of these revisions and the keys of those that have them: all, or where that fails one by one."""
        try:
            return vectors_of(embedder, batch), {revision.key for revision in batch}
        except EmbedderError as error:
            self._error = error
        if len(batch) == 1:
            return [], set()
        rows: list[VectorRow] = []
        done: set[int] = set()
        for revision in batch:
            made, keys = self._embedded(embedder, [revision])
            rows += made
            done |= keys
        if not done and self._error is not None:
            raise self._error
        return rows, done


def sources_of(store: Store, identity: EmbedderIdentity) -> list[Generation]:
    """The generations that vectors of `identity` can be cut from, the largest first: cut once rather than twice."""
    larger = [generation for generation in store.generations() if is_cut_of(identity, generation.embedder)]
    return sorted(larger, key=lambda generation: -generation.embedder.dimension)


def cut_vectors(store: Store, source: Generation, batch: Sequence[StoredRevision], dimension: int) -> list[VectorRow]:
    """Unit vectors, float32 of shape (dimension,), cut from those in `source`; no model is run.

    Only revisions that have all their vectors there are covered; an empty batch gives an empty list. The result equals what the
    model gives at that dimension: the stored vectors are exactly its output, and cutting is the same operation.
    """
    if not batch:
        return []
    places = {
        revision.key: [(revision.key, number) for number in range(len(split(revision.record.text)))]
        for revision in batch
    }
    found = store.vectors(source.id, [place for own in places.values() for place in own])
    whole = [place for own in places.values() if all(place in found for place in own) for place in own]
    if not whole:
        return []
    vectors = cut(np.stack([found[place] for place in whole]), dimension)
    return [
        VectorRow(key=key, passage=passage, vector=vector)
        for (key, passage), vector in zip(whole, vectors, strict=True)
    ]
