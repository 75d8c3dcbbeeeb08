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
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.embed.base import Embedder, KnowsLanguages, Task, TokenReader, TokenVectors, sound
from ai_memory.embed.matryoshka import at_dimension
from ai_memory.embed.models.languages import without_language
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
from ai_memory.wording.ways import FETCH_MODEL, MODEL_AUTO, Way, by_operator, fetch_model

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
LONGEST_REST = 60.0
SLOW_SECONDS = 0.5
REST_FACTOR = 10.0
"""After an attempt that failed, the next comes after this many times as long as it took: a server that hangs, or a model that takes
seconds to turn out damaged, may take a tenth of a caller's time and no more."""
QUERY_CACHE = 1024


class Lack(NamedTuple):
    """Why there are no vectors, and the way out."""

    message: str
    way: object | None


class AskedVector(NamedTuple):
    """What an embedder makes of a question."""

    vector: NDArray[np.float32]
    """A unit vector, shape (dimension,), without what says only the question's language."""
    familiar: float
    """How well the model knows that language, in (0, 1]."""


class PinnedEmbedder:
    """An embedder and the generation whose vectors are its own, with what it made of recent questions."""

    def __init__(self, generation: Generation, embedder: Embedder) -> None:
        self.generation = generation
        self.embedder = embedder
        self._anchors: NDArray[np.float32] | None = None
        self._queries: OrderedDict[str, AskedVector] = OrderedDict()
        self._lock = threading.Lock()
        self._embedding: SingleFlight[NDArray[np.float32]] = SingleFlight()
        self._asking: SingleFlight[AskedVector] = SingleFlight()

    def embed_query(self, text: str) -> AskedVector:
        """The vector of a question, and how well the model knows its language. Raises what the embedder raises."""
        known = self._known(text)
        return self._asking.run(text, lambda: self._embed(text)) if known is None else known

    def anchors(self) -> NDArray[np.float32] | None:
        """The vectors of recall's anchor sentences, shape (m, dimension), made at the first call; None where that fails."""
        if self._anchors is None:
            try:
                self._embedding.run("anchors", self._embed_anchors)
            except MemoryServiceError as error:
                logger.warning("the embedder failed on the anchors: %s", error.message)
        return self._anchors

    def _known(self, text: str) -> AskedVector | None:
        with self._lock:
            known = self._queries.get(text)
            if known is not None:
                self._queries.move_to_end(text)
            return known

    def _embed(self, text: str) -> AskedVector:
        """Embed a question that was not known, unless another thread has done so since."""
        known = self._known(text)
        if known is not None:
            return known
        made = self.embedder.embed_queries([text], Task.RETRIEVAL)
        vector = sound(made, 1, self.embedder.identity.dimension)[0]
        familiar = self.embedder.familiarity(text) if isinstance(self.embedder, KnowsLanguages) else 1.0
        asked = AskedVector(without_language(vector, self.embedder.identity.model), familiar)
        with self._lock:
            self._queries[text] = asked
            if len(self._queries) > QUERY_CACHE:
                self._queries.popitem(last=False)
        return asked

    def _embed_anchors(self) -> NDArray[np.float32]:
        if self._anchors is None:
            made = self.embedder.embed_documents(BACKGROUND_SENTENCES)
            self._anchors = sound(made, len(BACKGROUND_SENTENCES), self.embedder.identity.dimension)
        return self._anchors


class EmbedderSlot:
    """Holds at most one embedder: that of the store's active generation."""

    def __init__(self, store: Store, loader: Loader | None) -> None:
        self._store = store
        self._loader = loader
        self._lock = threading.Lock()
        self._state: State = "idle" if loader else "disabled"
        self._error: MemoryServiceError | None = None
        self._failure: MemoryServiceError | None = None
        """What the embedder failed with when it was last asked for vectors; None since it gave some."""
        self._resting_until = 0.0
        """Until then (on the monotonic clock) no question waits for an embedder that has just failed slowly."""
        self._look_again = LOOK_AGAIN_SECONDS
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
        """Why there is no embedder, in the states `failed` and `mismatch`; in any other what it failed with last, if it did."""
        return self._error or self._failure

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
                    began = time.monotonic()
                    self._load(self._loader, active)
                    self._look_later(active, began)
            if not self._fits(active) and _id(self.generation()) == _id(active):
                return None

    def require(self) -> Embedder:
        """The active generation's embedder. Raises EmbedderUnavailableError with the reason and the way out."""
        pinned = self.get()
        if pinned is not None:
            return pinned.embedder
        lack = self.lack() or Lack("the embedder is not loaded yet", None)
        raise EmbedderUnavailableError(lack.message, hint=lack.way)

    def lack(self) -> Lack | None:
        """Why there are no vectors at this moment and how to get them; None where the embedder works, or was not needed yet."""
        error = self.error
        if error is not None:
            return Lack(error.message, error.way)
        if self._state == "disabled":
            return Lack("the embedder is switched off (model = none)", MODEL_AUTO)
        if self._state != "absent":
            return None
        active = self.generation()
        if active is None:
            return Lack("there is no embedding model", FETCH_MODEL)
        model = active.embedder.model
        return Lack(f"the model that made this store's vectors, {model}, is not here", fetch_model(model))

    def _fits(self, active: Generation | None) -> bool:
        """Whether the embedder held is that of this generation."""
        return self._pinned is not None and self._pinned.generation.id == _id(active)

    def _due(self, active: Generation | None) -> bool:
        """Whether it is time to look for an embedder: at once for another generation, else after a while."""
        return self._looked_for != _id(active) or time.monotonic() - self._looked_at >= self._look_again

    def _look_later(self, active: Generation | None, began: float) -> None:
        """Note that the embedder of `active` was looked for, in an attempt that began then (on the monotonic clock)."""
        self._looked_for, self._looked_at = _id(active), time.monotonic()
        self._look_again = max(LOOK_AGAIN_SECONDS, _rest(self._looked_at - began))

    def failed(self, pinned: PinnedEmbedder, error: MemoryServiceError, seconds: float) -> None:
        """Note that this embedder failed on documents after so many seconds, for a cause that is not one text.

        One that cannot be reached, or whose files are damaged, is let go and looked for again later.
        """
        self._failure = _without_trace(error)
        if isinstance(error, EmbedderError) and not isinstance(error, EmbedderUnavailableError):
            return
        with self._lock:
            if self._pinned is pinned:
                self._pinned, self._error, self._state = None, self._failure, "failed"
                self._look_later(pinned.generation, time.monotonic() - seconds)

    def worked(self) -> None:
        """Note that the embedder gave vectors of documents."""
        self._failure = None

    def embed_query(self, pinned: PinnedEmbedder, text: str) -> AskedVector | None:
        """The vector of a question, or None when the model fails on it (see `error`)."""
        began = time.monotonic()
        if began < self._resting_until and self._failure is not None:
            return None
        try:
            asked = pinned.embed_query(text)
        except MemoryServiceError as error:  # also ModelFilesError: weights are read at the first use
            logger.warning("the embedder failed on a question: %s", error.message)
            self._failure = _without_trace(error)
        except Exception as error:
            logger.exception("the embedder failed on a question")
            self._failure = EmbedderError(f"the embedder failed: {error}", hint="the log has the trace")
        else:
            self._failure = None
            return asked
        now = time.monotonic()
        self._resting_until = now + _rest(now - began)
        return None

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
            wanted = binding(self._store, active)
            embedder = self.at_hand(wanted.embedder) if wanted is not None else None
            self._pinned = None
            if embedder is None:
                embedder = loader(wanted.embedder if wanted is not None else None)
            pinned = None if embedder is None else PinnedEmbedder(pin(self._store, embedder.identity), embedder)
        except EmbedderMismatchError as error:
            self._state, self._error = "mismatch", _without_trace(error)
            logger.warning("%s", error.message)
        except MemoryServiceError as error:
            self._state, self._error = "failed", _without_trace(error)
            logger.warning("the embedder could not be loaded: %s", error.message)
        except Exception as error:
            logger.exception("the embedder could not be loaded")
            what = f"the embedder could not be loaded: {type(error).__name__}: {error}"
            self._state, self._error = "failed", EmbedderUnavailableError(what, hint="the log has the trace")
        else:
            self._pinned, self._error, self._spare = pinned, None, None
            self._state = "ready" if pinned is not None else "absent"
            if embedder is not None:
                logger.info("embedder ready: %s, %d dimensions", embedder.identity.model, embedder.identity.dimension)


def _rest(seconds: float) -> float:
    """How long to wait after an attempt that failed after `seconds`; one that failed at once may be repeated at once."""
    return min(LONGEST_REST, REST_FACTOR * seconds) if seconds >= SLOW_SECONDS else 0.0


def _without_trace(error: MemoryServiceError) -> MemoryServiceError:
    """An error to be kept: its traces would keep the embedder that failed, and its memory, with it."""
    each: BaseException | None = error
    while each is not None:
        each.__traceback__, each = None, each.__cause__ or each.__context__
    return error


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


def binding(store: Store, active: Generation | None) -> Generation | None:
    """The active generation, where it binds the store to its embedder: where the store has a vector. Else None.

    Otherwise a damaged model, which gave none, would keep the whole one out. A generation that was switched to before it had a
    vector binds it as well: the vectors of the one before say that the switch was meant.
    """
    has_vectors = active is not None and any(store.vector_position(each.id) for each in store.generations())
    return active if has_vectors else None


def check_identity(active: Generation, identity: EmbedderIdentity) -> None:
    """Raise EmbedderMismatchError, before anything is written, where the store's vectors were made by another embedder."""
    if active.embedder == identity:
        return
    pinned = active.embedder
    differing = [name for name in pinned.__struct_fields__ if getattr(pinned, name) != getattr(identity, name)]
    raise EmbedderMismatchError(
        f"the store's vectors were made by {_name(pinned)}, not by {_name(identity)} (they differ in {', '.join(differing)})",
        hint=_reembed(differing, identity).after(f"{_again(differing, pinned)}, or re-create all vectors: "),
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


def _reembed(differing: list[str], identity: EmbedderIdentity) -> Way:
    """How to make the vectors of another embedder; nothing is named that the settings say already."""
    dimension = f" --dim {identity.dimension}" if differing == ["dimension"] else ""
    return by_operator(f"ai-memory reembed{dimension}", f"make them again by {identity.model}")


def pin(store: Store, identity: EmbedderIdentity) -> Generation:
    """The store's generation for this embedder; the first embedder that a store meets becomes its own.

    Raises EmbedderMismatchError where it has another.
    """
    active = active_generation(store)
    if active is None:
        return store.create_generation(identity, activate=True)
    if active.embedder != identity and binding(store, active) is None:
        made = store.create_generation(identity, activate=False)
        store.activate_generation(made.id, complete=False)
        return msgspec.structs.replace(made, state="active")
    check_identity(active, identity)
    return active


def _name(identity: EmbedderIdentity) -> str:
    return f"{identity.model} ({identity.dtype}, {identity.dimension} dimensions, revision {identity.revision[:8]})"


def _as_dict(identity: EmbedderIdentity) -> dict[str, str | int]:
    return {name: getattr(identity, name) for name in identity.__struct_fields__}
