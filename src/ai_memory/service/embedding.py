"""The embedder as the service sees it: perhaps there, perhaps still loading, perhaps not the store's.

Loading is lazy and happens once; a model that was missing is looked for again, so that one fetched while the service runs is
picked up without a restart.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.base import Embedder, Task
from ai_memory.errors import EmbedderError, EmbedderMismatchError, MemoryServiceError
from ai_memory.recall.anchors import ANCHORS
from ai_memory.store.base import Store
from ai_memory.types import EmbedderIdentity, Generation

logger = logging.getLogger(__name__)

State = Literal["disabled", "idle", "loading", "ready", "absent", "failed", "mismatch"]
"""`idle`: not looked for yet."""
Loader = Callable[[EmbedderIdentity | None], Embedder | None]
"""Builds the embedder; given the identity that the store is pinned to, so that `auto` can choose the one that fits. None
means that no model is there; errors are MemoryServiceErrors."""

LOOK_AGAIN_SECONDS = 2.0
QUERY_CACHE = 1024


class EmbedderSlot:
    """Holds at most one embedder and the vector generation that it writes to."""

    def __init__(self, store: Store, loader: Loader | None) -> None:
        self._store = store
        self._loader = loader
        self._lock = threading.Lock()
        self._state: State = "idle" if loader else "disabled"
        self._error: MemoryServiceError | None = None
        self._embedder: Embedder | None = None
        self._generation: Generation | None = active_generation(store)
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._anchors: NDArray[np.float32] | None = None
        self._queries: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._queries_lock = threading.Lock()

    @property
    def state(self) -> State:
        """What the slot holds at this moment."""
        return self._state

    @property
    def error(self) -> MemoryServiceError | None:
        """Why there is no embedder, in the states `failed` and `mismatch`."""
        return self._error

    @property
    def generation(self) -> Generation | None:
        """The store's active vector generation, as last seen."""
        return self._generation

    def refresh_generation(self) -> Generation | None:
        """Look up the active generation anew, after another process may have switched it."""
        self._generation = active_generation(self._store)
        return self._generation

    def get(self) -> Embedder | None:
        """The embedder, loading it on the first call; None when there is none (see `state` and `error`).

        A failed or missing one is looked for again every two seconds at most.
        """
        embedder = self._embedder
        if embedder is not None or self._loader is None:
            return embedder
        with self._lock:
            if self._embedder is None and time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS:
                self._load(self._loader)
                self._looked_at = time.monotonic()
            return self._embedder

    def embed_query(self, text: str) -> NDArray[np.float32] | None:
        """The unit vector of a question, shape (dimension,), or None when there is no embedder or the model fails on it."""
        with self._queries_lock:
            known = self._queries.get(text)
            if known is not None:
                self._queries.move_to_end(text)
                return known
        embedder = self.get()
        if embedder is None:
            return None
        try:
            vector: NDArray[np.float32] = embedder.embed_queries([text], Task.RETRIEVAL)[0]
        except MemoryServiceError as error:  # also ModelFilesError: weights are read at the first use
            logger.warning("the embedder failed on a question: %s", error.message)
            self._error = error
            return None
        except Exception as error:
            logger.exception("the embedder failed on a question")
            self._error = EmbedderError(f"the embedder failed: {error}", hint="the log has the trace")
            return None
        self._error = None
        with self._queries_lock:
            self._queries[text] = vector
            if len(self._queries) > QUERY_CACHE:
                self._queries.popitem(last=False)
        return vector

    def anchors(self) -> NDArray[np.float32] | None:
        """The vectors of recall's anchor sentences, shape (m, dimension), made at the first call; None without an embedder."""
        if self._anchors is None and self._embedder is not None:
            try:
                self._anchors = self._embedder.embed_documents(ANCHORS)
            except MemoryServiceError as error:
                logger.warning("the embedder failed on the anchors: %s", error.message)
        return self._anchors

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._loader = None
            if self._embedder is not None:
                self._embedder.close()
                self._embedder = None
            self._state = "disabled"

    def _load(self, loader: Loader) -> None:
        self._state = "loading"
        pinned = self.refresh_generation()
        try:
            embedder = loader(pinned.embedder if pinned else None)
            if embedder is not None:
                self._generation = pin(self._store, embedder.identity)
        except EmbedderMismatchError as error:
            self._state, self._error = "mismatch", error
            logger.error("%s", error.message)  # noqa: TRY400 - an expected state, told once without a trace
        except MemoryServiceError as error:
            self._state, self._error = "failed", error
            logger.error("the embedder could not be loaded: %s", error.message)  # noqa: TRY400
        else:
            self._embedder, self._error = embedder, None
            self._state = "ready" if embedder is not None else "absent"
            if embedder is not None:
                logger.info("embedder ready: %s, %d dimensions", embedder.identity.model, embedder.identity.dimension)


def active_generation(store: Store) -> Generation | None:
    """The generation that recall compares with, or None in a store that has no vectors yet."""
    return next((generation for generation in store.generations() if generation.state == "active"), None)


def check_identity(store: Store, identity: EmbedderIdentity) -> Generation | None:
    """The active generation when `identity` may write to it, None when there is no generation yet.

    Raises EmbedderMismatchError, before anything is written, when the store's vectors were made by another embedder.
    """
    active = active_generation(store)
    if active is None or active.embedder == identity:
        return active
    pinned = active.embedder
    differing = [name for name in pinned.__struct_fields__ if getattr(pinned, name) != getattr(identity, name)]
    raise EmbedderMismatchError(
        f"the store's vectors were made by {_name(pinned)}, not by {_name(identity)} (they differ in {', '.join(differing)})",
        hint=f"use {pinned.model} again (model = auto does), or make all vectors anew: ai-memory reembed",
        pinned=_as_dict(pinned),
        given=_as_dict(identity),
    )


def pin(store: Store, identity: EmbedderIdentity) -> Generation:
    """The store's generation for this embedder; the first embedder that a store meets becomes its own."""
    return check_identity(store, identity) or store.create_generation(identity, activate=True)


def _name(identity: EmbedderIdentity) -> str:
    return f"{identity.model} ({identity.dtype}, {identity.dimension} dimensions, revision {identity.revision[:8]})"


def _as_dict(identity: EmbedderIdentity) -> dict[str, str | int]:
    return {name: getattr(identity, name) for name in identity.__struct_fields__}
