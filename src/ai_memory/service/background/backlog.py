"""Embeds pending revisions in the background: the text is durable first, its vectors follow.

The backlog is kept by the store, so nothing is lost when a process ends; any process that has the model may work on it.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ai_memory.embed.base import Embedder, sound
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, MemoryServiceError, StoreError
from ai_memory.service.background.embedder import EmbedderSlot, PinnedEmbedder
from ai_memory.store.base import Store, StoredRevision, VectorRow
from ai_memory.text.passages import split
from ai_memory.types import Generation

logger = logging.getLogger(__name__)

BATCH = 64
AHEAD_BATCH = 8
"""Revisions per batch where a question waits for them."""
IDLE_SECONDS = 2.0
RETRY_SECONDS = 5.0
RETRY_TEXT_SECONDS = 30.0
"""After this a text that the embedder failed on is tried again: the cause may have been the machine and not the text."""


class BacklogWorker:
    """One background thread that embeds the revisions that lack vectors in the active generation, oldest first."""

    def __init__(
        self, store: Store, slot: EmbedderSlot, embedded: Callable[[], None], *, ahead_seconds: float = 0.0
    ) -> None:
        """`embedded` is called after each batch; `ahead_seconds` above 0 is for a process of one command, see `embed_ahead`."""
        self._ahead_seconds = ahead_seconds
        self._failures = 0
        """Passes that failed since this worker began."""
        self._store = store
        self._slot = slot
        self._embedded = embedded
        self._wake = threading.Event()
        self._stopping = threading.Event()
        self._settled = threading.Condition()
        self._turn = threading.Lock()
        """Held while a batch is embedded and stored."""
        self._failing: dict[int, float] = {}
        """Keys of revisions that the embedder failed on, and when each may be tried again (on the monotonic clock)."""
        self._thread = threading.Thread(target=self._run, name="embedding-backlog", daemon=True)
        self._thread.start()

    def kick(self) -> None:
        """Wake the worker: there may be pending revisions."""
        self._wake.set()

    def embed_ahead(self) -> None:
        """In a process of one command, embed what is pending before a question is answered, for `ahead_seconds` at most.

        Nothing else would ever embed it where no service runs. In any other process the worker does it, and this does nothing.
        """
        if not self._ahead_seconds:
            return
        deadline = time.monotonic() + self._ahead_seconds
        with self._turn:
            try:
                while time.monotonic() < deadline and self._embed_batch(AHEAD_BATCH):
                    pass
            except MemoryServiceError as error:  # the question meets it too, and its answer says so
                logger.warning("embedding of pending revisions is delayed: %s", error.message)

    def pending(self) -> int:
        """How many revisions lack a vector in the active generation; all of them while there is no generation."""
        generation = self._slot.generation()
        return self._store.pending_count(generation.id) if generation else self._store.stats().pending

    @contextmanager
    def held(self) -> Iterator[None]:
        """Pause this worker while the block runs: what is written meanwhile stays pending in every generation alike."""
        with self._turn:
            yield

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until nothing is pending; False at the time limit (seconds), or when the rest cannot be embedded now."""
        deadline = None if timeout is None else time.monotonic() + timeout
        failures = self._failures
        while self._embeddable():
            if self._stopping.is_set() or self._failures > failures or self._slot.get() is None:
                return False
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                return False
            self.kick()
            with self._settled:
                self._settled.wait(min(0.2, left) if left is not None else 0.2)
        return self.pending() == 0

    def _embeddable(self) -> bool:
        """Whether a revision is pending that the embedder has not just failed on, and its vector could be stored."""
        if self._store.read_only:
            return False
        generation = self._slot.generation()
        return self.pending() > 0 if generation is None else bool(self._batch(generation, BATCH))

    def _batch(self, generation: Generation, size: int) -> list[StoredRevision]:
        """The oldest pending revisions, without those that the embedder has just failed on."""
        now = time.monotonic()
        waiting = {key for key, until in list(self._failing.items()) if now < until}
        pending = self._store.pending(generation.id, limit=size + len(waiting))
        return [revision for revision in pending if revision.key not in waiting][:size]

    def close(self) -> None:
        """Stop after the current batch; the rest stays pending."""
        self._stopping.set()
        self._wake.set()
        self._thread.join()

    def _run(self) -> None:
        # A process of one command embeds before it answers, and must not wait at its end for a batch that nobody asked for.
        pause = None if self._ahead_seconds else IDLE_SECONDS
        while not self._stopping.is_set():
            self._wake.wait(pause)
            self._wake.clear()
            if self._stopping.is_set():
                return
            pause = IDLE_SECONDS
            try:
                self._embed_all()
            except MemoryServiceError as error:
                logger.warning("embedding of pending revisions is delayed: %s", error.message)
                self._failures += 1
                pause = RETRY_SECONDS
            except Exception:
                logger.exception("embedding pending revisions failed")
                self._failures += 1
                pause = RETRY_SECONDS
            with self._settled:
                self._settled.notify_all()

    def _embed_all(self) -> None:
        while not self._stopping.is_set():
            with self._turn:
                if self._stopping.is_set() or not self._embed_batch(BATCH):
                    return
            self._embedded()
            with self._settled:
                self._settled.notify_all()

    def _embed_batch(self, size: int) -> bool:
        """Embed a batch of pending revisions, at most `size`; False where there are none, or no embedder."""
        if self._store.read_only:
            return False
        generation = self._slot.generation()
        if generation is not None and not self._store.pending_count(generation.id):
            self._failing.clear()
            return False
        pinned = self._slot.get()
        if pinned is None:
            return False
        batch = self._batch(pinned.generation, size)
        if batch:
            self._embed(pinned, batch)
        return bool(batch)

    def _embed(self, pinned: PinnedEmbedder, batch: Sequence[StoredRevision]) -> None:
        """Embed these revisions; where that fails, one by one, and what fails alone waits. Raises what fails them all."""
        began = time.monotonic()
        try:
            self._store_vectors(pinned, batch)
        except StoreError:
            raise
        except MemoryServiceError as error:
            if isinstance(error, EmbedderUnavailableError) or not isinstance(error, EmbedderError):
                # Not caused by any one text: all of them wait.
                self._slot.failed(pinned, error, time.monotonic() - began)
                raise
            if len(batch) == 1:
                self._set_aside(pinned, batch[0], error)
                return
            failed = [revision for revision in batch if not self._embedded_alone(pinned, revision)]
            if len(failed) == len(batch):
                self._slot.failed(pinned, error, time.monotonic() - began)
                raise
        else:
            self._slot.worked()

    def _embedded_alone(self, pinned: PinnedEmbedder, revision: StoredRevision) -> bool:
        """Whether a revision could be embedded without the others of its batch; one that could not waits for a while."""
        try:
            self._store_vectors(pinned, [revision])
        except EmbedderUnavailableError:
            raise
        except EmbedderError as error:
            self._set_aside(pinned, revision, error)
            return False
        return True

    def _set_aside(self, pinned: PinnedEmbedder, revision: StoredRevision, error: MemoryServiceError) -> None:
        self._slot.failed(pinned, error, 0.0)
        self._failing[revision.key] = time.monotonic() + RETRY_TEXT_SECONDS
        logger.error("no vector for memory %s: %s", revision.record.id, error.message)

    def _store_vectors(self, pinned: PinnedEmbedder, batch: Sequence[StoredRevision]) -> None:
        rows = vectors_of(pinned.embedder, batch)
        self._store.put_vectors(pinned.generation.id, rows, [revision.key for revision in batch])


def vectors_of(embedder: Embedder, revisions: Sequence[StoredRevision]) -> list[VectorRow]:
    """One unit vector (float32, shape (dimension,)) per passage of each revision, in order; empty for no revisions.

    All texts go to the embedder in one call, so that it can group them by length. Raises what the embedder raises, and
    EmbedderError where what it gives is no vector.
    """
    texts: list[str] = []
    titles: list[str | None] = []
    places: list[tuple[int, int]] = []
    for revision in revisions:
        record = revision.record
        for number, passage in enumerate(split(record.text)):
            texts.append(record.text[passage.start : passage.end])
            titles.append(record.title)
            places.append((revision.key, number))
    vectors = sound(embedder.embed_documents(texts, titles), len(texts), embedder.identity.dimension)
    return [
        VectorRow(key=key, passage=number, vector=vector) for (key, number), vector in zip(places, vectors, strict=True)
    ]
