"""The engine without a store: texts in, unit vectors out, for programs that have their own place for them."""

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
"""Values of the setting `model` that lead to no model folder."""

Side = Literal["text", "query", "document"]
"""Which prompt goes before a text: none, the task's, or the one for documents."""


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """What a model is and what it runs on; known without its weights."""

    name: str
    folder: Path
    revision: str
    """sha256 (hexadecimal) over weights, tokenizer and configuration."""
    runtime: str
    device: str
    dtype: str
    dimension: int
    """Of the vectors that the methods give."""
    dimensions: tuple[int, ...]
    """All that the model supports, its own first."""
    max_tokens: int
    """The longest input, special tokens and prompt included."""
    licence: str
    """Empty where it is not known."""
    prompts: dict[str, str]
    """The prompt of each task, and of documents without (`document`) and with a title (`titled_document`)."""


class EmbeddingModel:
    """One embedding model, ready to be called from any thread. Use it as a context manager, or close it.

    Queries and documents have methods of their own, so that no prompt is forgotten. Every vector is float32 and of length 1.
    The folder is read at once, the weights at the first call that needs them.
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

        `model` is `auto` (EmbeddingGemma where it is found, else all-MiniLM-L6-v2), a known name, or a model folder. `dimension`
        is one of `supported_dimensions()`; the vectors are cut to it and made unit length again. `dtype` is `auto`,
        `float32`, `bfloat16` or `int8`; `runtime` `auto`, `openvino` or `torch`; `device` `auto`, `cpu` or `cuda`; `threads`
        0 means one a core. `cache` keeps vectors that were made before: in memory and in the data folder (True), in a file of
        your choice, or in a `VectorCache` of yours. `model`, `dtype`, `threads` and `data_dir` come from `settings` where they
        are not given, and those from the environment and the configuration file.

        Raises EmbedderUnavailableError where no model is found, ModelFilesError where its files are incomplete or damaged, and
        InvalidInputError for a wrong argument.
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
        """How many it runs on; 0 means one a core."""
        return self._threads

    @property
    def identity(self) -> EmbedderIdentity:
        """All that decides a vector; two models with an equal identity give equal vectors, up to rounding."""
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
        """Whether `EmbeddingModel(dimension=…)` takes it."""
        return not isinstance(dimension, bool) and dimension in self._embedder.dimensions

    def embed_query(self, text: str, *, task: Task | str | None = None) -> NDArray[np.float32]:
        """The vector of one query, shape (dimension,). Otherwise as `embed_queries`."""
        _one_text(text)
        vector: NDArray[np.float32] = self.embed_queries([text], task=task)[0]
        return vector

    def embed_queries(
        self, texts: Sequence[str], *, task: Task | str | None = None, too_long: TooLong | str = TooLong.ERROR
    ) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), of texts with the prompt of `task` (`default_task` where not given).

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
        """Unit vectors, shape (len(texts), dimension), of texts with the prompt for documents. Raises as `encode_queries`."""
        return self.encode_documents(texts, titles=titles, too_long=too_long).vectors

    def embed(self, texts: Sequence[str], *, too_long: TooLong | str = TooLong.ERROR) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), of texts as they are: no prompt. Raises as `encode_queries`."""
        return self.encode(texts, too_long=too_long).vectors

    def encode_queries(
        self, texts: Sequence[str], *, task: Task | str | None = None, too_long: TooLong | str = TooLong.ERROR
    ) -> Encoded:
        """As `embed_queries`, with the tokens of each text that were read and left out.

        `too_long` says what becomes of a text that has more than `max_tokens` tokens with its prompt: `error`, `truncate` (its
        end is left out) or `windows` (the mean of windows of about equal length, made unit length again). No texts give no
        rows. Raises TooLargeError naming the text, its tokens and the limit; InvalidInputError for anything that is no list of
        strings; EmbedderError where the model fails, with no partial result.
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
        """As `embed_documents`, with the tokens of each text that were read and left out. Raises as `encode_queries`."""
        return self._encode(self._embedder.prompted_documents(texts, titles), too_long)

    def encode(self, texts: Sequence[str], *, too_long: TooLong | str = TooLong.ERROR) -> Encoded:
        """As `embed`, with the tokens of each text that were read and left out. Raises as `encode_queries`."""
        return self._encode([Prompted(text) for text in as_texts(texts)], too_long)

    def similarity(self, a: ArrayLike, b: ArrayLike) -> NDArray[np.float32]:
        """Cosines of each row of `a` with each row of `b`: (n, d) and (m, d) → (n, m), float32, in [-1, 1].

        A single vector of shape (d,) counts as one row, and the result is always a matrix. The rows need not be of length 1.
        Raises InvalidInputError where the shapes do not fit, a value is not finite, or a row is all zero.
        """
        left, right = _rows(a, "a"), _rows(b, "b")
        if left.shape[1] != right.shape[1]:
            raise InvalidInputError(
                f"vectors of {left.shape[1]} and of {right.shape[1]} values cannot be compared",
                hint="embed both with the same model and dimension",
            )
        return np.clip(left @ right.T, -1.0, 1.0).astype(np.float32)

    def count_tokens(self, texts: Sequence[str], *, side: Side = "text", task: Task | str | None = None) -> list[int]:
        """Tokens of each text, special tokens and the prompt of that side included; what `max_tokens` is compared with."""
        if side == "query":
            chosen = self._default_task if task is None else _task(task)
            prompted = self._embedder.prompted_queries(texts, chosen)
        elif side == "document":
            prompted = self._embedder.prompted_documents(texts)
        elif side == "text":
            prompted = [Prompted(text) for text in as_texts(texts)]
        else:
            raise InvalidInputError(f"there is no side {side!r}", hint="give text, query or document")
        return self._embedder.tokenizer().count([each.text for each in prompted], [each.prompt for each in prompted])

    def tokenize(self, text: str) -> list[Piece]:
        """The tokens of one text as it is, special tokens included: id, spelling, and where each lies in the text."""
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
        policy = _choice(TooLong, "way to treat too long a text", too_long)
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
            f"the setting `model` is {wanted!r}, which is no embedding model", hint="give EmbeddingModel a model"
        )
    folder = find_model(wanted, settings.data_dir, elsewhere)
    if folder is None:
        looked_at = [str(place) for place in places(wanted, settings.data_dir, elsewhere)]
        raise EmbedderUnavailableError(
            f"there is no model {wanted!r} on this machine; looked at {', '.join(looked_at)}",
            hint="ai-memory model fetch minilm (84 MB), or: ai-memory model fetch embeddinggemma",
            looked_at=looked_at,
        )
    return folder


def _cache(given: VectorCache | str | PathLike[str] | bool, folder: Path) -> tuple[VectorCache | None, bool]:
    """The cache, and whether it is closed with the model."""
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
        raise InvalidInputError(f"a text must be a string, not {type(text).__name__}")


def _rows(values: ArrayLike, name: str) -> NDArray[np.float64]:
    """The rows made unit length, in float64. One vector is one row."""
    try:
        rows = np.atleast_2d(np.asarray(values, np.float64))
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"`{name}` is no array of numbers: {error}") from None
    if rows.ndim != 2:
        raise InvalidInputError(f"`{name}` has {rows.ndim} axes; a matrix of shape (n, dimension) is needed")
    if not np.isfinite(rows).all():
        raise InvalidInputError(f"`{name}` has values that are not finite")
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not (lengths > 0).all():
        raise InvalidInputError(f"`{name}` has a row of zeros, which has no direction")
    unit: NDArray[np.float64] = rows / lengths
    return unit
