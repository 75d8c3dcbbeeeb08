"""The engine as LlamaIndex's `BaseEmbedding`."""

from __future__ import annotations

import asyncio
from typing import Any

from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.bridge.pydantic import PrivateAttr

from ai_memory.integrations.source import Source
from ai_memory.python.embedding_model import EmbeddingModel


class LlamaIndexEmbedding(BaseEmbedding):
    """Embeds texts of nodes with the document prompt and queries with that of `task`. Close it after use."""

    _source: Source = PrivateAttr()

    def __init__(
        self, model: EmbeddingModel | str | None = None, *, base: dict[str, Any] | None = None, **options: Any
    ) -> None:
        """`model` is an open model, or the name or folder of one; instead, `url=` and `api_key=` name a running service.

        `base` has fields of `BaseEmbedding`, such as `embed_batch_size`. Further options: `task`, `too_long`, `dimension` and the
        others of `EmbeddingModel`; see `integrations.source.Source`.
        """
        source = Source(model, **options)
        super().__init__(model_name=source.name, **base or {})
        self._source = source

    @classmethod
    def class_name(cls) -> str:
        """The name in LlamaIndex's events and stored settings."""
        return "AIMemoryEmbedding"

    def close(self) -> None:
        """Free the model, unless it was passed in open."""
        self._source.close()

    def _get_query_embedding(self, query: str) -> list[float]:
        return self._source.query(query)

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._source.documents([text])[0]

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return self._source.documents(texts)

    async def _aget_query_embedding(self, query: str) -> list[float]:
        return await asyncio.to_thread(self._get_query_embedding, query)

    async def _aget_text_embedding(self, text: str) -> list[float]:
        return await asyncio.to_thread(self._get_text_embedding, text)

    async def _aget_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        return await asyncio.to_thread(self._get_text_embeddings, texts)
