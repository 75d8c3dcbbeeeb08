"""The engine without a store: texts in, unit vectors out, for programs that store vectors themselves."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, TypeVar

import msgspec
import numpy as np
from numpy.typing import ArrayLike, NDArray

from ai_memory.embed.base import Encoded, Prompted, Task, TooLong, Vectors
from ai_memory.embed.cache import VectorCache
from ai_memory.embed.load import Execution, choose_execution, load_embedder
from ai_memory.embed.matryoshka import check_dimension, cut
from ai_memory.embed.models.locate import find_model, places
from ai_memory.embed.texts import as_texts
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError
from ai_memory.places import model_places
from ai_memory.types import EmbedderIdentity

if TYPE_CHECKING:
    from ai_memory.embed.models.folder import ModelFolder
    from ai_memory.embed.tokenizer import Piece
    from ai_memory.settings import Settings

_NO_MODELS = ("none", "hashing")
"""Values of the setting `model` without a model folder."""

InputType = Literal["text", "query", "document"]
"""Which prompt precedes a text: none, that of the task, or the document prompt."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a model is and what it runs on; known without loading its weights."""

    name: str
    folder: Path
    revision: str
    """sha256 (hexadecimal) over weights, tokenizer and configuration."""
    runtime: str
    device: str
    dtype: str
    dimension: int
    """Of the vectors that the methods return."""
    dimensions: tuple[int, ...]
    """All supported lengths, the full one first."""
    max_tokens: int
    """The longest input, special tokens and prompt included."""
    licence: str
    """Empty if unknown."""
    prompts: dict[str, str]
    """The prompt of each task, of documents without a title (`document`) and with one (`titled_document`)."""


class EmbeddingModel:
    """One embedding model; may be called from any thread. Use it as a context manager, or close it.

    Queries and documents have separate methods, so that the right prompt is always used. Every vector is float32 and of unit
    length. The folder is read at once, the weights at the first call that needs them.
    """

    def __init__(
        self,
        model: str | PathLike[str] | None = None,
        *,
        dimension: int | None = None,
        dtype: str | None = None,
        runtime: str = "auto",
        device: str = "auto",
        threads: int | None = None,
        cache: VectorCache | str | PathLike[str] | bool = False,
        default_task: Task | str = Task.RETRIEVAL,
        data_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Find the model and check its files.

        `model` is `auto` (EmbeddingGemma, multilingual-e5-small or all-MiniLM-L6-v2), a known name, or a model folder. `dimension`
        is one of `supported_dimensions()`; vectors are cut to it and renormalised. `dtype` is `auto`, `float32`, `bfloat16` or
        `int8`; `runtime` is `auto`, `openvino` or `torch`; `device` is `auto`, `cpu` or `cuda`; `threads` 0 means one per core.
        `cache` keeps vectors for later calls: in memory and in the data folder (True), in memory and in the given file, or in the
        given `VectorCache`. `model`, `dtype`, `threads` and `data_dir` default to `settings`, and these to the environment and
        the configuration file.

        Raises EmbedderUnavailableError if no model is found, ModelFilesError if its files are incomplete or damaged,
        InvalidInputError for an invalid argument.
        """
        settings = _settings(settings, model=model, threads=threads, data_dir=data_dir)
        self._folder = _folder(settings)
        self._execution = choose_execution(
            self._folder, dtype=settings.dtype if dtype is None else dtype, runtime=runtime, device=device
        )
        self._embedder = load_embedder(
            self._folder,
            dtype=self._execution.dtype,
            runtime=self._execution.runtime,
            device=self._execution.device,
            threads=settings.threads,
            cache_dir=settings.cache_dir,
        )
        self._dimension = self._embedder.identity.dimension if dimension is None else dimension
        check_dimension(self._folder.name, self._embedder.dimensions, self._dimension)
        self._threads = settings.threads
        self._default_task = _task(default_task)
        self._cache, self._owns_cache = _cache(cache, settings.cache_dir)
        self._lock = threading.Lock()
        self._info: ModelInfo | None = None

    @property
    def dimension(self) -> int:
        """The length of the vectors."""
        return self._dimension

    @property
    def max_tokens(self) -> int:
        """The longest input, special tokens and prompt included."""
        return self._embedder.max_tokens

    @property
    def threads(self) -> int:
        """The number of threads; 0 means one per core."""
        return self._threads

    @property
    def identity(self) -> EmbedderIdentity:
        """Everything that determines a vector; models with equal identities give equal vectors, up to rounding."""
        return msgspec.structs.replace(self._embedder.identity, dimension=self._dimension)

    @property
    def info(self) -> ModelInfo:
        """What the model is and what it runs on."""
        with self._lock:
            if self._info is None:
                self._info = _describe(self._folder, self._execution, self.identity, self._embedder.dimensions)
            return self._info

    def supported_dimensions(self) -> tuple[int, ...]:
        """The lengths that the model's authors trained its vectors to be cut to, the full one first."""
        return self._embedder.dimensions

    def is_dimension_supported(self, dimension: int) -> bool:
        """Return whether `EmbeddingModel(dimension=…)` accepts it."""
        return not isinstance(dimension, bool) and dimension in self._embedder.dimensions

    def embed_query(self, text: str, *, task: Task | str | None = None) -> NDArray[np.float32]:
        """The unit vector of one query, shape (dimension,), float32. Otherwise as `embed_queries`."""
        _one_text(text)
        vector: NDArray[np.float32] = self.embed_queries([text], task=task)[0]
        return vector

    def embed_queries(
        self, texts: Sequence[str], *, task: Task | str | None = None, too_long: TooLong | str = TooLong.ERROR
    ) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32, of texts with the prompt of `task` (default: `default_task`).

        Raises as `encode_queries` does.
        """
        return self.encode_queries(texts, task=task, too_long=too_long).vectors

    def embed_documents(
        self,
        texts: Sequence[str],
        *,
        titles: Sequence[str | None] | None = None,
        too_long: TooLong | str = TooLong.ERROR,
    ) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32, of texts with the document prompt. Raises as `encode_queries`."""
        return self.encode_documents(texts, titles=titles, too_long=too_long).vectors

    def embed(self, texts: Sequence[str], *, too_long: TooLong | str = TooLong.ERROR) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32, of texts without a prompt. Raises as `encode_queries`."""
        return self.encode(texts, too_long=too_long).vectors

    def encode_queries(
        self, texts: Sequence[str], *, task: Task | str | None = None, too_long: TooLong | str = TooLong.ERROR
    ) -> Encoded:
        """As `embed_queries`, with the number of tokens of each text that were read and dropped.

        `too_long` decides how a text with more than `max_tokens` tokens, prompt included, is treated: `error`, `truncate` (its
        end is dropped) or `windows` (the renormalised mean of windows of about equal length). No texts give shape
        (0, dimension). Raises TooLargeError with the text's index, its tokens and the limit; InvalidInputError for anything but
        a list of strings; EmbedderError if the model fails, without a partial result.
        """
        chosen = self._default_task if task is None else _task(task)
        return self._encode(self._embedder.prompted_queries(texts, chosen), too_long, urgent=True)

    def encode_documents(
        self,
        texts: Sequence[str],
        *,
        titles: Sequence[str | None] | None = None,
        too_long: TooLong | str = TooLong.ERROR,
    ) -> Encoded:
        """As `embed_documents`, with the tokens read and dropped per text: vectors of shape (len(texts), dimension), float32.

        Raises as `encode_queries`.
        """
        return self._encode(self._embedder.prompted_documents(texts, titles), too_long)

    def encode(self, texts: Sequence[str], *, too_long: TooLong | str = TooLong.ERROR) -> Encoded:
        """As `embed`, with the tokens read and dropped per text: vectors of shape (len(texts), dimension), float32.

        Raises as `encode_queries`.
        """
        return self._encode([Prompted(text) for text in as_texts(texts)], too_long)

    def similarity(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.float32]:
        """Cosines of each row of `a` with each row of `b`: (n, d) and (m, d) → (n, m), float32, in [-1, 1].

        A single vector of shape (d,) is treated as one row; the result is always a matrix. Rows need not have unit length.
        Raises InvalidInputError if the shapes do not match, a value is not finite, or a row is all zero.
        """
        left, right = _rows(a, "a"), _rows(b, "b")
        if left.shape[1] != right.shape[1]:
            raise InvalidInputError(
                f"vectors of {left.shape[1]} and of {right.shape[1]} values cannot be compared",
                hint="embed both with the same model and dimension",
            )
        # Rounding may give a cosine just above 1.
        return np.clip(left @ right.T, -1.0, 1.0).astype(np.float32)

    def count_tokens(
        self, texts: Sequence[str], *, input_type: InputType = "text", task: Task | str | None = None
    ) -> list[int]:
        """Token count of each text, special tokens and prompt included, as compared with `max_tokens`.

        `input_type` selects the prompt: `query` that of `task`, `document` that of untitled documents, `text` none. Raises
        InvalidInputError for another value, and for anything but a list of strings.
        """
        if input_type == "query":
            chosen = self._default_task if task is None else _task(task)
            prompted = self._embedder.prompted_queries(texts, chosen)
        elif input_type == "document":
            prompted = self._embedder.prompted_documents(texts)
        elif input_type == "text":
            prompted = [Prompted(text) for text in as_texts(texts)]
        else:
            raise InvalidInputError(f"there is no input type {input_type!r}", hint="give text, query or document")
        return self._embedder.tokenizer().count([each.text for each in prompted], [each.prompt for each in prompted])

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of one text without a prompt, special tokens included: id, spelling and position of each."""
        _one_text(text)
        return self._embedder.tokenizer().pieces(text)

    def warm_up(self) -> None:
        """Load everything now and run one pass, so that the first call is as fast as the next."""
        self._embedder.warm_up()

    def close(self) -> None:
        """Free the model; embedding after this raises EmbedderUnavailableError. May be called twice."""
        self._embedder.close()
        if self._owns_cache and self._cache is not None:
            self._cache.close()

    def __enter__(self) -> EmbeddingModel:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _encode(self, inputs: Sequence[Prompted], too_long: TooLong | str, *, urgent: bool = False) -> Encoded:
        policy = _choice(TooLong, "policy for texts that are too long", too_long)
        if self._cache is None:
            whole = self._embedder.encode(inputs, too_long=policy, urgent=urgent)
        else:
            whole = self._cache.encode(
                self._embedder.identity,
                inputs,
                policy,
                lambda missing: self._embedder.encode(missing, too_long=policy, urgent=urgent),
            )
        return Encoded(cut(whole.vectors, self._dimension), whole.tokens, whole.cut)


def _settings(base: Settings | None, **given: object) -> Settings:
    from ai_memory.settings import given_settings

    if base is not None:
        given = {**msgspec.structs.asdict(base), **{name: value for name, value in given.items() if value is not None}}
    return given_settings(given)


def _folder(settings: Settings) -> ModelFolder:
    wanted, elsewhere = settings.model, model_places()
    if wanted in _NO_MODELS:
        raise InvalidInputError(
            f"the setting `model` is {wanted!r}, which is not an embedding model", hint="give EmbeddingModel a model"
        )
    folder = find_model(wanted, settings.data_dir, elsewhere)
    if folder is None:
        looked_at = [str(place) for place in places(wanted, settings.data_dir, elsewhere)]
        raise EmbedderUnavailableError(
            f"there is no model {wanted!r} on this machine; searched {', '.join(looked_at)}",
            hint="ai-memory model fetch (95 MB); for English on a small machine ai-memory model fetch minilm (84 MB)",
            looked_at=looked_at,
        )
    return folder


def _cache(given: VectorCache | str | PathLike[str] | bool, folder: Path) -> tuple[VectorCache | None, bool]:
    """The cache, and whether the model owns and closes it."""
    if isinstance(given, VectorCache):
        return given, False
    if given is False:
        return None, False
    return VectorCache(folder / "vectors.db" if given is True else Path(given).expanduser()), True


def _describe(
    folder: ModelFolder, execution: Execution, identity: EmbedderIdentity, dimensions: tuple[int, ...]
) -> ModelInfo:
    table = folder.prompts
    return ModelInfo(
        name=folder.name,
        folder=folder.path,
        revision=identity.revision,
        runtime=str(execution.runtime),
        device=str(execution.device),
        dtype=str(execution.dtype),
        dimension=identity.dimension,
        dimensions=dimensions,
        max_tokens=folder.max_tokens,
        licence=folder.known.licence if folder.known else "",
        prompts={
            **{str(task): table.for_query(task) for task in Task},
            "document": table.document,
            "titled_document": table.titled_document,
        },
    )


Choice = TypeVar("Choice", bound=StrEnum)


def _choice(kind: type[Choice], what: str, name: str) -> Choice:
    try:
        return kind(name)
    except ValueError:
        raise InvalidInputError(f"there is no {what} {name!r}; there are {', '.join(kind)}") from None


def _task(name: Task | str) -> Task:
    return _choice(Task, "task", name)


def _one_text(text: object) -> None:
    if not isinstance(text, str):
        raise InvalidInputError(f"the text must be a string, not {type(text).__name__}")


def _rows(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """The rows scaled to unit length: (n, d) or (d,) → (n, d) or (1, d), float64."""
    try:
        rows = np.atleast_2d(np.asarray(values, np.float64))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"`{name}` is not an array of numbers: {error}") from None
    if rows.ndim != 2:
        raise InvalidInputError(f"`{name}` has {rows.ndim} axes; a matrix of shape (n, dimension) is needed")
    if not np.isfinite(rows).all():
        raise InvalidInputError(f"`{name}` has values that are not finite")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise InvalidInputError(f"`{name}` has a row of zeros, which has no direction")
    unit: NDArray[np.float64] = rows / lengths
    return unit
