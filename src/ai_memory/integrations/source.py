"""The source of an adapter's vectors: a model in this process, or that of a running service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ai_memory.embed.base import Encoded, Inputs, Task, TooLong
from ai_memory.embed.matryoshka import check_dimension, cut
from ai_memory.embed.remote import RemoteEmbedder
from ai_memory.errors import InvalidInputError
from ai_memory.python.embedding_model import EmbeddingModel

Numbers = list[list[float]]


class Source:
    """Embeds documents and queries, each with its prompt, into lists of numbers as the libraries expect them.

    A model that is passed in open is left open by `close`; one that is opened here is closed.
    """

    def __init__(
        self,
        model: EmbeddingModel | str | None = None,
        *,
        url: str | None = None,
        api_key: str | None = None,
        task: Task | str = Task.RETRIEVAL,
        too_long: TooLong | str = TooLong.ERROR,
        **options: Any,
    ) -> None:
        """With `url`, use the service there; of `options` only `dimension` is allowed. Else pass `options` to `EmbeddingModel`.

        Raises InvalidInputError if both a model and a URL are given, or an option that does not apply; and what
        `EmbeddingModel` or `RemoteEmbedder` raises.
        """
        if url is not None and model is not None:
            raise InvalidInputError("both a model and the URL of a service are given", hint="give one of them")
        if isinstance(model, EmbeddingModel) and options:
            raise InvalidInputError("the model is already open", hint=f"set {', '.join(options)} when opening it")
        self._task, self._too_long = Task(task), TooLong(too_long)
        self._owned = not isinstance(model, EmbeddingModel)
        self._remote: RemoteEmbedder | None = None
        self._model: EmbeddingModel | None = None
        if url is None:
            self._model = model if isinstance(model, EmbeddingModel) else EmbeddingModel(model, **options)
            self.name, self.dimension = self._model.info.name, self._model.dimension
            return
        dimension = options.pop("dimension", None)
        if options:
            raise InvalidInputError(f"the service decides {', '.join(options)}", hint="leave that out")
        self._remote = RemoteEmbedder(url, api_key=api_key)
        self.name = self._remote.identity.model
        self.dimension = self._remote.identity.dimension if dimension is None else dimension
        check_dimension(self.name, self._remote.dimensions, self.dimension)

    def documents(self, texts: Sequence[str]) -> Numbers:
        """One unit vector of `dimension` numbers per text; [] for no texts. Raises TooLargeError under `TooLong.ERROR`."""
        return self._numbers(texts, None)

    def query(self, text: str) -> list[float]:
        """The unit vector of one query. Raises as `documents`."""
        return self._numbers([text], self._task)[0]

    def close(self) -> None:
        """Close what was opened here. May be called twice."""
        if self._model is not None and self._owned:
            self._model.close()
        if self._remote is not None:
            self._remote.close()

    def _numbers(self, texts: Sequence[str], task: Task | None) -> Numbers:
        encoded = self._remote_vectors(texts, task) if self._remote else self._local_vectors(texts, task)
        numbers: Numbers = cut(encoded.vectors, self.dimension).tolist()
        return numbers

    def _remote_vectors(self, texts: Sequence[str], task: Task | None) -> Encoded:
        assert self._remote is not None
        return self._remote.embed(Inputs(texts, task), too_long=self._too_long)

    def _local_vectors(self, texts: Sequence[str], task: Task | None) -> Encoded:
        assert self._model is not None
        if task is None:
            return self._model.encode_documents(texts, too_long=self._too_long)
        return self._model.encode_queries(texts, task=task, too_long=self._too_long)
