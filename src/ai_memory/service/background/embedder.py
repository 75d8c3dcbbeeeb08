"""The embedder as the service sees it: ready, still loading, missing, or not the one that the store's vectors were made by.

Loading is lazy; a missing model is looked for again, so that one fetched while the service runs is picked up without a restart.
Which generation is active is read from the store at every call: where another process has switched it, the embedder changes with
it, and a question is always embedded by the embedder of the generation that it is compared with.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.embed.base import Embedder, Task, TokenReader, TokenVectors
from ai_memory.embed.matryoshka import at_dimension
from ai_memory.errors import (
    EmbedderError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    InvalidInputError,
    MemoryServiceError,
)
from ai_memory.recall.evidence.background import BACKGROUND_SENTENCES
from ai_memory.recall.evidence.token_rerank import ReadTokens
from ai_memory.service.background.single_flight import SingleFlight
from ai_memory.store.base import Store
from ai_memory.types import EmbedderIdentity, Generation

logger = logging.getLogger(__name__)

State = Literal["disabled", "idle", "loading", "ready", "absent", "failed", "mismatch"]
"""`idle`: not looked for yet."""
Loader = Callable[[EmbedderIdentity | None], Embedder | None]
"""Builds the embedder; given the identity that the store is pinned to, so that `auto` can choose the one that fits. None
means that no model is there; errors are MemoryServiceErrors."""


class Choice(Struct, frozen=True, kw_only=True):
    """Which embedder is asked for; None leaves a part to the settings and the store."""

    model: str | None = None
    dimension: int | None = None
    dtype: str | None = None


Chooser = Callable[[Choice, EmbedderIdentity | None], Embedder | None]
"""Builds the embedder that is asked for, given the identity that the store is pinned to; None where the model is not here."""

LOOK_AGAIN_SECONDS = 2.0
QUERY_CACHE = 1024


class PinnedEmbedder:
    """An embedder and the generation whose vectors are its own, with what it made of recent questions."""

    def __init__(self, generation: Generation, embedder: Embedder) -> None:
        self.generation = generation
        self.embedder = embedder
        self._anchors: NDArray[np.float32] | None = None
        self._queries: OrderedDict[str, NDArray[np.float32]] = OrderedDict()
        self._lock = threading.Lock()
        self._embedding: SingleFlight[NDArray[np.float32]] = SingleFlight()

    def embed_query(self, text: str) -> NDArray[np.float32]:
        """The unit vector of a question, shape (dimension,). Raises what the embedder raises."""
        known = self._known(text)
        return self._embedding.run(f"question {text}", lambda: self._embed(text)) if known is None else known

    def anchors(self) -> NDArray[np.float32] | None:
        """The vectors of recall's anchor sentences, shape (m, dimension), made at the first call; None where that fails."""
        if self._anchors is None:
            try:
                self._embedding.run("anchors", self._embed_anchors)
            except MemoryServiceError as error:
                logger.warning("the embedder failed on the anchors: %s", error.message)
        return self._anchors

    def _known(self, text: str) -> NDArray[np.float32] | None:
        with self._lock:
            known = self._queries.get(text)
            if known is not None:
                self._queries.move_to_end(text)
            return known

    def _embed(self, text: str) -> NDArray[np.float32]:
        """Embed a question that was not known, unless another thread has done so since."""
        known = self._known(text)
        if known is not None:
            return known
        vector: NDArray[np.float32] = self.embedder.embed_queries([text], Task.RETRIEVAL)[0]
        with self._lock:
            self._queries[text] = vector
            if len(self._queries) > QUERY_CACHE:
                self._queries.popitem(last=False)
        return vector

    def _embed_anchors(self) -> NDArray[np.float32]:
        if self._anchors is None:
            self._anchors = self.embedder.embed_documents(BACKGROUND_SENTENCES)
        return self._anchors


class EmbedderSlot:
    """Holds at most one embedder: that of the store's active generation."""

    def __init__(self, store: Store, loader: Loader | None) -> None:
        self._store = store
        self._loader = loader
        self._lock = threading.Lock()
        self._state: State = "idle" if loader else "disabled"
        self._error: MemoryServiceError | None = None
        self._pinned: PinnedEmbedder | None = None
        self._spare: Embedder | None = None
        self._looked_at = -LOOK_AGAIN_SECONDS
        self._looked_for: int | None = None
        """The generation, by its id, whose embedder was looked for last."""

    @property
    def state(self) -> State:
        """What the slot holds at this moment."""
        return self._state

    @property
    def error(self) -> MemoryServiceError | None:
        """Why there is no embedder, in the states `failed` and `mismatch`."""
        return self._error

    def generation(self) -> Generation | None:
        """The store's active vector generation at this moment; None before the first embedder came."""
        return active_generation(self._store)

    def get(self) -> PinnedEmbedder | None:
        """The active generation's embedder, loading it at the first call and after a switch; None when there is none here.

        `state` and `error` say why. A failed or missing one is looked for again every two seconds at most.
        """
        while True:  # once more only where the generation was switched, or begun, meanwhile
            active = self.generation()
            if self._fits(active):
                return self._pinned
            if self._loader is None:
                return None
            with self._lock:
                if not self._fits(active) and self._due(active):
                    self._load(self._loader, active)
                    self._looked_for, self._looked_at = _id(active), time.monotonic()
            if not self._fits(active) and _id(self.generation()) == _id(active):
                return None

    def require(self) -> Embedder:
        """The active generation's embedder. Raises EmbedderUnavailableError with the reason and the way out."""
        pinned = self.get()
        if pinned is not None:
            return pinned.embedder
        error = self._error
        if error is not None:
            raise EmbedderUnavailableError(error.message, hint=error.hint)
        if self._state == "disabled":
            raise EmbedderUnavailableError("the embedder is switched off (model = none)", hint="set model to auto")
        raise EmbedderUnavailableError("there is no embedding model here", hint="ai-memory model fetch")

    def _fits(self, active: Generation | None) -> bool:
        """Whether the embedder held is that of this generation."""
        return self._pinned is not None and self._pinned.generation.id == _id(active)

    def _due(self, active: Generation | None) -> bool:
        """Whether it is time to look for an embedder: at once for another generation, else after a while."""
        return self._looked_for != _id(active) or time.monotonic() - self._looked_at >= LOOK_AGAIN_SECONDS

    def embed_query(self, pinned: PinnedEmbedder, text: str) -> NDArray[np.float32] | None:
        """The unit vector of a question, shape (dimension,), or None when the model fails on it (see `error`)."""
        try:
            vector = pinned.embed_query(text)
        except MemoryServiceError as error:  # also ModelFilesError: weights are read at the first use
            logger.warning("the embedder failed on a question: %s", error.message)
            self._error = error
            return None
        except Exception as error:
            logger.exception("the embedder failed on a question")
            self._error = EmbedderError(f"the embedder failed: {error}", hint="the log has the trace")
            return None
        self._error = None
        return vector

    def token_reader(self, pinned: PinnedEmbedder) -> ReadTokens | None:
        """A function that reads token vectors with the embedder and never raises; None where it does not provide them."""
        embedder = pinned.embedder
        if not isinstance(embedder, TokenReader):
            return None

        def read(texts: Sequence[str]) -> list[TokenVectors] | None:
            try:
                return embedder.read_tokens(texts)
            except MemoryServiceError as error:
                logger.warning("the embedder failed on the best candidates' tokens: %s", error.message)
                return None

        return read

    def offer(self, embedder: Embedder) -> None:
        """Hand over an embedder whose generation is about to become the active one, to spare loading it again."""
        self._spare = embedder

    def at_hand(self, identity: EmbedderIdentity) -> Embedder | None:
        """An embedder of this identity, if what is loaded can be it without another model."""
        pinned = self._pinned
        for held in (self._spare, pinned.embedder if pinned else None):
            if held is not None and (fit := fitting(held, identity)) is not None:
                return fit
        return None

    def close(self) -> None:
        """Free the model."""
        with self._lock:
            self._loader = None
            for held in (self._spare, self._pinned.embedder if self._pinned else None):
                if held is not None:
                    held.close()
            self._spare = self._pinned = None
            self._state = "disabled"

    def _load(self, loader: Loader, active: Generation | None) -> None:
        """Load the embedder of `active`. The one before is let go and not closed: a recall may still be using it."""
        self._state = "loading"
        try:
            embedder = self.at_hand(active.embedder) if active is not None else None
            self._pinned = None
            if embedder is None:
                embedder = loader(active.embedder if active is not None else None)
            pinned = None if embedder is None else PinnedEmbedder(pin(self._store, embedder.identity), embedder)
        except EmbedderMismatchError as error:
            self._state, self._error = "mismatch", error
            logger.error("%s", error.message)  # noqa: TRY400 - an expected state, logged once without a trace
        except MemoryServiceError as error:
            self._state, self._error = "failed", error
            logger.error("the embedder could not be loaded: %s", error.message)  # noqa: TRY400
        else:
            self._pinned, self._error, self._spare = pinned, None, None
            self._state = "ready" if pinned is not None else "absent"
            if embedder is not None:
                logger.info("embedder ready: %s, %d dimensions", embedder.identity.model, embedder.identity.dimension)


def fitting(embedder: Embedder, identity: EmbedderIdentity) -> Embedder | None:
    """An embedder of `identity` made of this one: itself, or its vectors cut to a smaller dimension; None where neither fits."""
    if embedder.identity == identity:
        return embedder
    if identity.dimension in embedder.dimensions and is_cut_of(identity, embedder.identity):
        return at_dimension(embedder, identity.dimension)
    return None


def find_embedder(
    loader: Loader | None, choose: Chooser, identity: EmbedderIdentity, model: str | None
) -> Embedder | None:
    """The embedder of an identity: where the settings lead to it, or else the name or folder `model`; None where neither does."""
    if loader is not None:
        try:
            loaded = loader(identity)
        except MemoryServiceError as error:
            logger.warning("the settings' model cannot be used: %s", error.message)
        else:
            if loaded is not None and (fit := fitting(loaded, identity)) is not None:
                return fit
    choice = Choice(model=model or identity.model, dimension=identity.dimension, dtype=identity.dtype)
    try:
        chosen = choose(choice, None)
    except InvalidInputError as error:  # no model of that name or dimension
        logger.warning("the model cannot be found again: %s", error.message)
        return None
    return None if chosen is None else fitting(chosen, identity)


def no_choice(choice: Choice, pinned: EmbedderIdentity | None) -> Embedder | None:
    """The `Chooser` of a service that has its loader's embedder and no other."""
    del choice, pinned
    return None


def is_cut_of(smaller: EmbedderIdentity, larger: EmbedderIdentity) -> bool:
    """Whether vectors of `smaller` are those of `larger`, cut: all else is the same."""
    return smaller.dimension < larger.dimension and smaller == msgspec.structs.replace(
        larger, dimension=smaller.dimension
    )


def _id(generation: Generation | None) -> int | None:
    return None if generation is None else generation.id


def active_generation(store: Store) -> Generation | None:
    """The generation that recall compares with, or None in a store that has no vectors yet."""
    return next((generation for generation in store.generations() if generation.state == "active"), None)


def check_identity(active: Generation, identity: EmbedderIdentity) -> None:
    """Raise EmbedderMismatchError, before anything is written, where the store's vectors were made by another embedder."""
    if active.embedder == identity:
        return
    pinned = active.embedder
    differing = [name for name in pinned.__struct_fields__ if getattr(pinned, name) != getattr(identity, name)]
    raise EmbedderMismatchError(
        f"the store's vectors were made by {_name(pinned)}, not by {_name(identity)} (they differ in {', '.join(differing)})",
        hint=f"{_again(differing, pinned)}, or re-create all vectors: {_command(differing, identity)}",
        pinned=_as_dict(pinned),
        given=_as_dict(identity),
    )


def _again(differing: list[str], pinned: EmbedderIdentity) -> str:
    """How to continue with the store's own embedder."""
    if differing == ["dimension"]:
        return f"use {pinned.dimension} dimensions again (dimension = 0 does)"
    if differing == ["dtype"]:
        return f"compute in {pinned.dtype} again (dtype = auto does)"
    return f"use {pinned.model} again (model = auto does)"


def _command(differing: list[str], identity: EmbedderIdentity) -> str:
    """The command that makes the vectors of another embedder; nothing is named that the settings say already."""
    dimension = f" --dim {identity.dimension}" if differing == ["dimension"] else ""
    return f"ai-memory reembed{dimension}"


def pin(store: Store, identity: EmbedderIdentity) -> Generation:
    """The store's generation for this embedder; the first embedder that a store meets becomes its own.

    Raises EmbedderMismatchError where it has another.
    """
    active = active_generation(store)
    if active is None:
        return store.create_generation(identity, activate=True)
    check_identity(active, identity)
    return active


def _name(identity: EmbedderIdentity) -> str:
    return f"{identity.model} ({identity.dtype}, {identity.dimension} dimensions, revision {identity.revision[:8]})"


def _as_dict(identity: EmbedderIdentity) -> dict[str, str | int]:
    return {name: getattr(identity, name) for name in identity.__struct_fields__}
