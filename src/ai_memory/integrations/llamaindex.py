"""`EmbeddingModel` as LlamaIndex's `BaseEmbedding`. Needs llama-index-core."""

from __future__ import annotations

import asyncio
from typing import Any

from ai_memory.embed.base import Task, TooLong
from ai_memory.embedding_model import EmbeddingModel

try:
    from llama_index.core.base.embeddings.base import BaseEmbedding
    from llama_index.core.bridge.pydantic import PrivateAttr
except ImportError as missing:
    raise ImportError("ai_memory.integrations.llamaindex needs: pip install llama-index-core") from missing


class LlamaIndexEmbedding(BaseEmbedding):
    """Texts of nodes get the prompt for documents, queries that of `task`; what is in `options` goes to `EmbeddingModel`.

    A model that is passed in stays the caller's; one that is made here is closed with this object.
    """

    _model: EmbeddingModel = PrivateAttr()
    _owned: bool = PrivateAttr()
    _task: Task | str = PrivateAttr()
    _too_long: TooLong | str = PrivateAttr()

    def __init__(
        self,
        model: EmbeddingModel | str | None = None,
        *,
        task: Task | str = Task.RETRIEVAL,
        too_long: TooLong | str = TooLong.ERROR,
        options: dict[str, Any] | None = None,
        **base: Any,
    ) -> None:
        """`base` are fields of `BaseEmbedding`, such as `embed_batch_size` and `callback_manager`."""
        opened = (
            model if isinstance(model, EmbeddingModel) else EmbeddingModel(model, default_task=task, **options or {})
        )
        super().__init__(model_name=opened.info.name, **base)
        self._model = opened
        self._owned = not isinstance(model, EmbeddingModel)
        self._task = task
        self._too_long = too_long

    @classmethod
    def class_name(cls) -> str:
        """What LlamaIndex calls it in its events and stored settings."""
        return "AIMemoryEmbedding"

    @property
    def model(self) -> EmbeddingModel:
        """The model behind it."""
        return self._model

    def close(self) -> None:
        """Free the model, unless it is the caller's."""
        if self._owned:
            self._model.close()

    def _get_query_embedding(self, query: str) -> list[float]:
        vectors: list[list[float]] = self._model.embed_queries(
            [query], task=self._task, too_long=self._too_long
        ).tolist()
        return vectors[0]

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = self._model.embed_documents(texts, too_long=self._too_long).tolist()
        return vectors

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
