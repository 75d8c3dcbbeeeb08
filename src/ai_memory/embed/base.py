"""The contract of an embedder: texts in, unit vectors out, with the right prompt.

Queries and documents have different methods, so a caller cannot leave out a prompt. An embedder is synchronous and safe to
call from several threads; it may serialise the calls inside.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ai_memory.errors import EmbedderError
from ai_memory.types import LENGTH_TOLERANCE, EmbedderIdentity

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, C-contiguous; the Euclidean length of each row is 1 up to rounding."""


def sound(vectors: Vectors, count: int, dimension: int) -> Vectors:
    """`vectors`, after checking that they are `count` unit vectors of `dimension` values.

    Raises EmbedderError for another shape, for NaN, infinity, zeros and any other length: what an embedder gives, on this machine
    or another, is checked once, before it is compared or stored.
    """
    if vectors.shape != (count, dimension):
        raise EmbedderError(f"the embedder gave vectors of shape {vectors.shape} in place of {(count, dimension)}")
    with np.errstate(all="ignore"):  # infinity squared is infinity, which is refused below
        lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors, dtype=np.float64))
        wrong = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))
    if wrong.size:
        length = lengths[wrong[0]]
        what = f"has length {length:.4g} in place of 1" if np.isfinite(length) else "holds NaN or infinity"
        raise EmbedderError(f"the embedder gave a vector that {what}, {wrong.size} of {count}")
    return vectors


class Task(StrEnum):
    """What a query is for; a model may have a prompt for each task. A model without prompts treats all tasks alike."""

    RETRIEVAL = "retrieval"
    QUESTION_ANSWERING = "question_answering"
    FACT_CHECKING = "fact_checking"
    CLASSIFICATION = "classification"
    CLUSTERING = "clustering"
    SIMILARITY = "similarity"
    CODE_RETRIEVAL = "code_retrieval"
    SUMMARIZATION = "summarization"
    NONE = "none"


class TooLong(StrEnum):
    """How a text with more tokens than one forward pass reads is treated."""

    ERROR = "error"
    """It is refused; the error gives its token count and the limit."""
    TRUNCATE = "truncate"
    """Its end is dropped, the closing special tokens are kept, and the number of dropped tokens is reported."""
    WINDOWS = "windows"
    """It is split into windows of about equal length, whose mean is renormalised to unit length."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """A text and the prompt that precedes it; empty for no prompt."""

    text: str
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Texts, and which of a model's prompts precedes them: that of a task, or the document prompt."""

    texts: Sequence[str]
    task: Task | None
    """The task of queries, `Task.NONE` for texts without a prompt, None for documents."""
    titles: Sequence[str | None] | None = None
    """For documents, one title per text; None or empty for no title."""


@dataclass(frozen=True, slots=True)
class Timings:
    """The seconds of one call, by phase."""

    tokenizing: float = 0.0
    waiting: float = 0.0
    """For the passes of other callers, before this call's first pass."""
    computing: float = 0.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors, and how many tokens of each text they were made from."""

    vectors: Vectors
    """Shape (texts, dimension), float32, rows of unit length."""
    tokens: tuple[int, ...]
    """Tokens read per text, special tokens and prompt included."""
    cut: tuple[int, ...]
    """Tokens dropped per text; 0 unless the text was truncated."""
    timings: Timings = Timings()


class Cancellation:
    """Ends a call to an embedder from another thread, when its caller has disconnected.

    Inputs that are in no forward pass yet are dropped; a running pass finishes, and its vectors are discarded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._end: Callable[[], None] | None = None
        self._cancelled = False

    def cancel(self) -> None:
        """End the bound call, and every call that is bound later, with ServiceUnavailableError."""
        with self._lock:
            self._cancelled = True
            end = self._end
        # Outside the lock: `end` takes locks of the embedder's, and two locks held at once could deadlock.
        if end is not None:
            end()

    def bind(self, end: Callable[[], None]) -> None:
        """Set what ends the call that begins now; `end` may be called more than once, and after the call has ended."""
        with self._lock:
            self._end = end
            cancelled = self._cancelled
        if cancelled:
            end()


class Embedder(Protocol):
    """What the rest of the service knows about a model."""

    @property
    def identity(self) -> EmbedderIdentity:
        """Everything that determines a vector; known without loading the weights into a runtime."""
        ...

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The lengths that its vectors may be cut to (`embed.matryoshka`), the full length first."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest input of one forward pass, special tokens and prompt included."""
        ...

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """One unit vector per text, in order: shape (len(texts), dimension), float32; (0, dimension) for no texts.

        A text longer than `max_tokens` is split into windows whose mean is renormalised, so nothing is dropped silently.
        Raises EmbedderError when the model fails; no partial result is returned.
        """
        ...

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """As `embed_queries`, for texts that are stored: shape (len(texts), dimension), float32.

        `titles`, if given, has one entry per text. Raises InvalidInputError if it has not.
        """
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Token count of each text as a document, special tokens and prompt included; [] for no texts."""
        ...

    def close(self) -> None:
        """Free the model. Embedding after this raises EmbedderUnavailableError."""
        ...


class TokenVectors(NamedTuple):
    """The t tokens of one text, without special tokens and prompt."""

    vectors: NDArray[np.float32]
    """The last layer's state of each token: shape (t, width), float32, rows of unit length."""
    spans: tuple[tuple[int, int], ...]
    """Start and end (exclusive) of each token in the text, in characters."""


@runtime_checkable
class TokenReader(Protocol):
    """An embedder that also gives a vector for each token."""

    def read_tokens(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """The token vectors of each text, in order; tokens beyond `max_tokens` are dropped. None if this model gives none.

        For t tokens, `vectors` has shape (t, width); no texts give []. Raises what `Embedder.embed_queries` raises.
        """
        ...


@runtime_checkable
class KnowsLanguages(Protocol):
    """An embedder that can say how well it knows the language of a text, without a call to another machine."""

    def familiarity(self, text: str) -> float:
        """In (0, 1]: 1 for a language that the model knows, near 0 for one in which its vectors say nothing."""
        ...


@runtime_checkable
class Engine(Embedder, Protocol):
    """An embedder that also reports the tokens of each vector; the service offers it to other programs."""

    def embed(
        self,
        inputs: Inputs,
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """One unit vector per text, in order; shape (0, dimension) for no texts.

        `urgent` inputs go before others; `max_total` limits the tokens of all texts together; `cancellation` ends the call from
        another thread. Raises TooLargeError if a text is too long under `TooLong.ERROR`, or if all texts together are;
        EmbedderError if the model fails; OverloadedError if too many callers wait.
        """
        ...

    @property
    def waiting(self) -> int:
        """Number of calls that have not been answered yet."""
        ...
