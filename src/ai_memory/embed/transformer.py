"""The embedder of a model folder: prompts, tokens, windows and a scheduler around a runtime.

This module does not depend on the architecture or the runtime. Tokenizer and runtime are loaded at the first call that needs
them; the identity is known at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from ai_memory.embed.base import Cancellation, Encoded, Inputs, Prompted, Task, Timings, TokenVectors, TooLong, Vectors
from ai_memory.embed.models.folder import TOKENIZER, ModelFolder
from ai_memory.embed.models.languages import familiarity
from ai_memory.embed.runtimes.base import Dtype, Runtime
from ai_memory.embed.scheduler import Scheduler
from ai_memory.embed.texts import as_texts, replace_surrogates
from ai_memory.embed.tokenizer import TextTokenizer, Window
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, InvalidInputError, TooLargeError
from ai_memory.types import EmbedderIdentity

if TYPE_CHECKING:
    from ai_memory.embed.runtimes.openvino.tokens import OpenVinoTokens


class TransformerEmbedder:
    """An `Embedder` over one model folder. Safe to call from several threads; queries go before documents."""

    def __init__(
        self,
        folder: ModelFolder,
        dtype: Dtype,
        load_runtime: Callable[[], Runtime],
        load_tokens: Callable[[], OpenVinoTokens] | None = None,
    ) -> None:
        """`load_tokens` loads the model that `read_tokens` uses; None if this model gives no token vectors."""
        self._folder = folder
        self._load_runtime = load_runtime
        self._load_tokens = load_tokens
        self._tokens: OpenVinoTokens | None = None
        self._reading = threading.Lock()
        """Held while tokens are read: the second model runs one call at a time and has no scheduler."""
        self._loading = threading.Lock()
        """Held while tokenizer and runtime are loaded, and while all is closed; the fast path reads the fields without it."""
        self._tokenizer: TextTokenizer | None = None
        self._runtime: Runtime | None = None
        self._scheduler: Scheduler | None = None
        self._closed = False
        self._identity = EmbedderIdentity(
            model=folder.name,
            revision=folder.revision(),
            prompts=folder.prompts.digest(),
            dtype=str(dtype),
            dimension=folder.dimension,
        )

    @property
    def identity(self) -> EmbedderIdentity:
        """Everything that determines a vector."""
        return self._identity

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The lengths that the model's authors trained its vectors to be cut to, the full one first."""
        return self._folder.dimensions

    @property
    def max_tokens(self) -> int:
        """The longest input of one forward pass, special tokens and prompt included."""
        return self._folder.max_tokens

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32; queries are scheduled before documents."""
        return self.encode(self.prompted_queries(texts, task), urgent=True).vectors

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32."""
        return self.encode(self.prompted_documents(texts, titles)).vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Token count of each text as an untitled document, special tokens and prompt included."""
        prompted = self.prompted_documents(texts)
        return self.tokenizer().count([each.text for each in prompted], [each.prompt for each in prompted])

    def familiarity(self, text: str) -> float:
        """How well the model knows the language of a text, in (0, 1]; see `languages.familiarity`."""
        return familiarity(self.count_tokens, text)

    def prompted_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> list[Prompted]:
        """The texts with this model's prompt for queries of the task."""
        prompt = self._folder.prompts.for_query(task)
        return [Prompted(text, prompt) for text in as_texts(texts)]

    def prompted_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> list[Prompted]:
        """The texts with this model's document prompt. Raises InvalidInputError unless `titles` has one entry per text."""
        if titles is not None and len(titles) != len(texts):
            raise InvalidInputError(
                f"there are {len(texts)} texts and {len(titles)} titles", hint="give one title, or None, for each text"
            )
        clean = [None if title is None else replace_surrogates(title) for title in titles or [None] * len(texts)]
        prompts = [self._folder.prompts.for_document(title) for title in clean]
        return [Prompted(text, prompt) for text, prompt in zip(as_texts(texts), prompts, strict=True)]

    def embed(
        self,
        inputs: Inputs,
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """As `encode`, with the prompt of the inputs' task, or the document prompt: shape (len(inputs.texts), dimension)."""
        if inputs.task is None:
            prompted = self.prompted_documents(inputs.texts, inputs.titles)
        else:
            prompted = self.prompted_queries(inputs.texts, inputs.task)
        return self.encode(prompted, too_long=too_long, urgent=urgent, max_total=max_total, cancellation=cancellation)

    def encode(
        self,
        inputs: Sequence[Prompted],
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """One unit vector per input, in order, shape (len(inputs), dimension), and the tokens of each; every embedding ends here.

        `urgent` inputs are scheduled before others; `max_total` limits the tokens of all inputs together; `cancellation` ends
        the call from another thread. Raises TooLargeError if an input is too long under `TooLong.ERROR`, or if all inputs
        together are; EmbedderError if a pass fails; OverloadedError if too many callers wait.
        """
        if not inputs:
            return Encoded(np.empty((0, self._folder.dimension), np.float32), (), ())
        began = time.perf_counter()
        texts, prompts = [each.text for each in inputs], [each.prompt for each in inputs]
        windows = self.tokenizer().windows(texts, prompts, too_long)
        tokens, cut = [0] * len(texts), [0] * len(texts)
        for window in windows:
            tokens[window.text] += len(window.ids)
            cut[window.text] += window.cut
        _check_total(sum(tokens), max_total)
        tokenizing = time.perf_counter() - began
        scheduler = self._loaded_scheduler()
        ran = scheduler.run([window.ids for window in windows], urgent=urgent, cancellation=cancellation)
        vectors = ran.vectors
        if len(windows) != len(texts):
            vectors = _mean_of_windows(vectors, windows, len(texts))
        return Encoded(vectors, tuple(tokens), tuple(cut), Timings(tokenizing, ran.waited, ran.computed))

    def read_tokens(self, texts: Sequence[str]) -> list[TokenVectors] | None:
        """Token vectors of each text without a prompt, shape (t, width) for t tokens; None if this model gives none.

        The first call loads a second model.
        Raises EmbedderError if a pass fails, EmbedderUnavailableError after `close`.
        """
        if self._load_tokens is None:
            return None
        tokenizer = self.tokenizer()
        pieces = [tokenizer.pieces(text)[: self._folder.max_tokens] for text in as_texts(texts)]
        with self._reading:
            if self._closed:
                raise _closed()
            if self._tokens is None:
                self._tokens = self._load_tokens()
            states = self._tokens.read([[piece.id for piece in each] for each in pieces])
        found = []
        for vectors, each in zip(states, pieces, strict=True):
            own = [at for at, piece in enumerate(each) if not piece.special]
            found.append(TokenVectors(vectors[own], tuple((each[at].start, each[at].stop) for at in own)))
        return found

    def tokenizer(self) -> TextTokenizer:
        """The model's tokenizer, loaded at the first call."""
        tokenizer = self._tokenizer
        if tokenizer is None:
            with self._loading:
                if self._closed:
                    raise _closed()
                if self._tokenizer is None:
                    self._tokenizer = TextTokenizer(self._folder.path / TOKENIZER, self._folder.max_tokens)
                tokenizer = self._tokenizer
        return tokenizer

    def warm_up(self) -> None:
        """Load everything now and run one pass, so that the first call is as fast as the next.

        Raises ModelFilesError, EmbedderUnavailableError or EmbedderError if the model cannot be used.
        """
        self.embed_queries(["warm up"])

    @property
    def token_budget(self) -> int | None:
        """Tokens of one forward pass; None until the weights have been loaded."""
        runtime = self._runtime
        return runtime.token_budget if runtime is not None else None

    @property
    def waiting(self) -> int:
        """Calls of all threads that have not been answered yet."""
        scheduler = self._scheduler
        return scheduler.waiting if scheduler is not None else 0

    def close(self) -> None:
        """Free the model. Waits for the running pass; waiting calls end with EmbedderUnavailableError."""
        with self._reading, self._loading:
            self._closed = True
            self._tokens = None
            if self._scheduler is not None:
                self._scheduler.close()
            if self._runtime is not None:
                self._runtime.close()
            self._scheduler = self._runtime = self._tokenizer = None

    def _loaded_scheduler(self) -> Scheduler:
        scheduler = self._scheduler
        if scheduler is None:
            with self._loading:
                if self._closed:
                    raise _closed()
                if self._scheduler is None:
                    self._runtime = self._load_runtime()
                    self._scheduler = Scheduler(self._runtime, self._folder.dimension)
                scheduler = self._scheduler
        return scheduler


def _closed() -> EmbedderUnavailableError:
    return EmbedderUnavailableError("the embedder has been closed")


def _check_total(tokens: int, limit: int | None) -> None:
    if limit is not None and tokens > limit:
        raise TooLargeError(
            f"the texts have {tokens:,} tokens together; the limit of one call is {limit:,}",
            hint="send fewer texts at once",
            limit=limit,
            actual=tokens,
        )


def _mean_of_windows(vectors: Vectors, windows: Sequence[Window], count: int) -> Vectors:
    """Renormalised means per text: (windows, d) → (count, d), float32, each window weighted by its content tokens.

    Raises EmbedderError if the windows of a text cancel each other out.
    """
    weights = np.array([window.weight for window in windows], np.float32)
    means = np.zeros((count, vectors.shape[1]), np.float32)
    # `add.at` and not `+=`: with repeated indices `+=` keeps only the last addend.
    np.add.at(means, [window.text for window in windows], vectors * weights[:, None])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise EmbedderError("the windows of a text cancel each other out: their mean is zero and has no direction")
    unit: Vectors = means / lengths
    return unit
