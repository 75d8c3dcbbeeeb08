"""What the memory knows as LlamaIndex's nodes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, Unpack

from llama_index.core.retrievers import BaseRetriever
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.integrations.common.shown import facts_of
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods


class MemoryRetriever(BaseRetriever):
    """Memories of every kind that answer a question, the best first; a node has the memory's id, and its facts as metadata."""

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        similarity_top_k: int = 4,
        where: Mapping[str, Any] | None = None,
        min_relevance: float = 0.0,
        base: Mapping[str, Any] | None = None,
        **scope: Unpack[Scope],
    ) -> None:
        """`where` is a condition (docs/filters.md), `min_relevance` the lowest confidence; `base` has fields of `BaseRetriever`."""
        super().__init__(**base or {})
        self.memory = ScopedMemory(memory, **scope)
        self.similarity_top_k, self.where, self.min_relevance = similarity_top_k, where, min_relevance

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = self.memory.find(
            query_bundle.query_str, self.similarity_top_k, where=self.where, least=self.min_relevance
        )
        return [
            NodeWithScore(node=TextNode(id_=record.id, text=record.text, metadata=facts_of(record)), score=confidence)
            for record, confidence in found
        ]

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        return await asyncio.to_thread(self._retrieve, query_bundle)
