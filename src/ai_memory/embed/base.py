"""The contract of an embedder: texts in, unit vectors out, the prompt never forgotten.

Queries and documents are different methods, so that no caller can leave out a prompt. An embedder is synchronous and safe to
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

from ai_memory.types import EmbedderIdentity

Vectors = NDArray[np.float32]
"""Shape (n, dimension), float32, C-contiguous, each row of length 1."""


class Task(StrEnum):
    """What a query is for. A model without prompts of its own treats all tasks alike."""

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
    """What becomes of a text that has more tokens than one forward pass reads."""

    ERROR = "error"
    """It is refused, and the error names its tokens and the limit."""
    TRUNCATE = "truncate"
    """Its end is left out, the closing special tokens are kept, and the count of what was left out is said."""
    WINDOWS = "windows"
    """It is covered in windows of about equal length, whose mean is made unit length again."""


@dataclass(frozen=True, slots=True)
class Prompted:
    """A text and the prompt that goes before it; an empty prompt is none."""

    text: str
    prompt: str = ""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Texts, and which of a model's prompts goes before them: that of a task, or the one for documents."""

    texts: Sequence[str]
    task: Task | None
    """What the texts are queries for, `Task.NONE` for texts as they are; None means documents."""
    titles: Sequence[str | None] | None = None
    """Of documents, one a text; an empty one is none."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Where the seconds of one call went."""

    tokenizing: float = 0.0
    waiting: float = 0.0
    """For other callers' passes, before its own first one."""
    computing: float = 0.0


@dataclass(frozen=True, slots=True)
class Encoded:
    """Vectors, and what of each text went into them."""

    vectors: Vectors
    tokens: tuple[int, ...]
    """Of each text, the tokens that were read, special tokens and prompt included."""
    cut: tuple[int, ...]
    """Of each text, the tokens that were left out; 0 but where it was truncated."""
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
    """What the rest of the service knows of a model."""

    @property
    def identity(self) -> EmbedderIdentity:
        """All that decides a vector; known without loading the weights into a runtime."""
        ...

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The lengths that its vectors may be cut to (`embed.matryoshka`), its own first."""
        ...

    @property
    def max_tokens(self) -> int:
        """The longest input of one forward pass, special tokens and prompt included."""
        ...

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """One unit vector a text, in order; shape (0, dimension) for no texts.

        A text longer than `max_tokens` is covered in windows whose mean is renormalised: nothing is cut in silence.
        Raises EmbedderError when the model fails; no partial result is returned.
        """
        ...

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """As `embed_queries`, for texts that are kept. `titles`, where given, has one entry a text."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a document, special tokens and prompt included."""
        ...

    def close(self) -> None:
        """Free the model. Embedding after this raises EmbedderUnavailableError."""
        ...


class TokenVectors(NamedTuple):
    """The t tokens of one text, special tokens and prompt left out."""

    vectors: NDArray[np.float32]
    """What the model makes of each token in its context, unit length, float32, shape (t, width)."""
    spans: tuple[tuple[int, int], ...]
    """First and past-last character of each token in the text."""


@runtime_checkable
class TokenReader(Protocol):
    """An embedder that also tells what it makes of each token."""

    def read_tokens(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """The tokens of each text, in order; what `max_tokens` does not hold is left out. None where this model does not tell.

        Raises what `Embedder.embed_queries` raises.
        """
        ...


@runtime_checkable
class Engine(Embedder, Protocol):
    """An embedder that also says what went into each vector; what the service offers to other programs."""

    def embed(
        self,
        inputs: Inputs,
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """One unit vector a text, in order.

        `urgent` inputs go before others; `max_total` limits the tokens of all texts together; `cancellation` ends the call from
        another thread. Raises TooLargeError where a text is too long and that is an error, or all are; EmbedderError where the
        model fails; OverloadedError where too many callers wait.
        """
        ...

    @property
    def waiting(self) -> int:
        """Calls that have not been answered."""
        ...
