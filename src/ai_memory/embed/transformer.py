"""The embedder of a model folder: prompts, tokens, windows, batches and turns around a runtime.

Nothing here knows which architecture the folder holds or what executes it. The tokenizer and the runtime are loaded at the
first call that needs them; the identity is known at once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import numpy as np

from ai_memory.embed.base import Task, Vectors
from ai_memory.embed.batcher import Turns, plan_batches
from ai_memory.embed.folder import TOKENIZER, ModelFolder
from ai_memory.embed.runtime import Dtype, Runtime
from ai_memory.embed.texts import as_texts
from ai_memory.embed.tokenizer import TextTokenizer, Window
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, InvalidInputError
from ai_memory.types import EmbedderIdentity


class TransformerEmbedder:
    """An `Embedder` over one model folder. Safe to call from several threads; queries go before documents."""

    def __init__(self, folder: ModelFolder, dtype: Dtype, load_runtime: Callable[[], Runtime]) -> None:
        self._folder = folder
        self._load_runtime = load_runtime
        self._loading = threading.Lock()
        self._turns = Turns()
        self._tokenizer: TextTokenizer | None = None
        self._runtime: Runtime | None = None
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
        """All that decides a vector."""
        return self._identity

    @property
    def max_tokens(self) -> int:
        """The longest input of one forward pass, special tokens and prompt included."""
        return self._folder.max_tokens

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """One unit vector a text, shape (len(texts), dimension); between two passes these go before documents."""
        prompt = self._folder.prompts.for_query(task)
        return self._embed(as_texts(texts), [prompt] * len(texts), urgent=True)

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """One unit vector a text, shape (len(texts), dimension)."""
        return self._embed(as_texts(texts), self._document_prompts(texts, titles), urgent=False)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as an untitled document, special tokens and prompt included."""
        return self._loaded_tokenizer().count(as_texts(texts), self._document_prompts(texts, None))

    def warm_up(self) -> None:
        """Load everything now and run one pass, so that the first call is as fast as the next.

        Raises ModelFilesError, EmbedderUnavailableError or EmbedderError where the model cannot be used.
        """
        self.embed_queries(["warm up"])

    def close(self) -> None:
        """Free the model; waits for the pass that runs."""
        with self._loading, self._turns.turn(urgent=True):
            self._closed = True
            if self._runtime is not None:
                self._runtime.close()
            self._runtime = self._tokenizer = None

    def _document_prompts(self, texts: Sequence[str], titles: Sequence[str | None] | None) -> list[str]:
        if titles is not None and len(titles) != len(texts):
            raise InvalidInputError(
                f"there are {len(texts)} texts and {len(titles)} titles", hint="give one title, or None, a text"
            )
        return [self._folder.prompts.for_document(title) for title in titles or [None] * len(texts)]

    def _embed(self, texts: list[str], prompts: list[str], *, urgent: bool) -> Vectors:
        if not texts:
            return np.empty((0, self._folder.dimension), np.float32)
        windows = self._loaded_tokenizer().windows(texts, prompts)
        runtime = self._loaded_runtime()
        vectors = np.empty((len(windows), self._folder.dimension), np.float32)
        for batch in plan_batches([len(window.ids) for window in windows], runtime.token_budget):
            with self._turns.turn(urgent=urgent):
                if self._closed:
                    raise _closed()
                vectors[batch] = runtime.forward([windows[position].ids for position in batch])
        return vectors if len(windows) == len(texts) else _mean_of_windows(vectors, windows, len(texts))

    def _loaded_tokenizer(self) -> TextTokenizer:
        tokenizer = self._tokenizer
        if tokenizer is None:
            with self._loading:
                if self._closed:
                    raise _closed()
                if self._tokenizer is None:
                    self._tokenizer = TextTokenizer(self._folder.path / TOKENIZER, self._folder.max_tokens)
                tokenizer = self._tokenizer
        return tokenizer

    def _loaded_runtime(self) -> Runtime:
        runtime = self._runtime
        if runtime is None:
            with self._loading:
                if self._closed:
                    raise _closed()
                if self._runtime is None:
                    self._runtime = self._load_runtime()
                runtime = self._runtime
        return runtime


def _closed() -> EmbedderUnavailableError:
    return EmbedderUnavailableError("the embedder has been closed")


def _mean_of_windows(vectors: Vectors, windows: Sequence[Window], count: int) -> Vectors:
    """The windows' unit vectors, weighted by their content tokens, summed for each text and made unit length again."""
    weights = np.array([window.weight for window in windows], np.float32)
    means = np.zeros((count, vectors.shape[1]), np.float32)
    np.add.at(means, [window.text for window in windows], vectors * weights[:, None])
    lengths = np.linalg.norm(means, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise EmbedderError("the windows of a text cancel each other out: their mean has no direction")
    unit: Vectors = means / lengths
    return unit
