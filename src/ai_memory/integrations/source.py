"""Where an adapter's vectors come from: a model in this process, or that of a running service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ai_memory.embed.base import Encoded, Inputs, Task, TooLong
from ai_memory.embed.matryoshka import check_dimension, cut
from ai_memory.embed.remote import RemoteEmbedder
from ai_memory.embedding_model import EmbeddingModel
from ai_memory.errors import InvalidInputError

Numbers = list[list[float]]


class Source:
    """Documents with the prompt for documents, queries with that of a task; numbers as the libraries want them.

    A model that is passed in stays the caller's; what is opened here is closed with this object.
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
        """With `url` the service there is asked, and of `options` only `dimension` may be given; else `EmbeddingModel` gets them.

        Raises InvalidInputError where both a model and a URL are given, and what either of them raises.
        """
        if url is not None and model is not None:
            raise InvalidInputError("a model and the URL of a service are given", hint="give one of them")
        if isinstance(model, EmbeddingModel) and options:
            raise InvalidInputError("the model is open already", hint=f"give it {', '.join(options)} when it is opened")
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
        """`dimension` numbers a text, of length 1. Raises TooLargeError where a text is too long and that is an error."""
        return self._numbers(texts, None)

    def query(self, text: str) -> list[float]:
        """As `documents`, of one query."""
        return self._numbers([text], self._task)[0]

    def close(self) -> None:
        """Free what was opened here. May be called twice."""
        if self._model is not None and self._owned:
            self._model.close()
        if self._remote is not None:
            self._remote.close()

    def _numbers(self, texts: Sequence[str], task: Task | None) -> Numbers:
        encoded = self._asked(texts, task) if self._remote else self._made(texts, task)
        numbers: Numbers = cut(encoded.vectors, self.dimension).tolist()
        return numbers

    def _asked(self, texts: Sequence[str], task: Task | None) -> Encoded:
        assert self._remote is not None
        return self._remote.embed(Inputs(texts, task), too_long=self._too_long)

    def _made(self, texts: Sequence[str], task: Task | None) -> Encoded:
        assert self._model is not None
        if task is None:
            return self._model.encode_documents(texts, too_long=self._too_long)
        return self._model.encode_queries(texts, task=task, too_long=self._too_long)
