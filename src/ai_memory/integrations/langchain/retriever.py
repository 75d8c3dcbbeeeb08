"""What the memory knows as LangChain's documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Unpack

from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.retrievers import BaseRetriever

from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.integrations.common.shown import facts_of
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods


class MemoryRetriever(BaseRetriever):
    """Memories of every kind that answer a question, the best first; a document has the memory's id, and its facts as metadata."""

    k: int = 4
    """At most so many documents."""
    where: Mapping[str, Any] | None = None
    """Only memories for which this condition holds; docs/filters.md."""
    min_relevance: float = 0.0
    """Only memories whose confidence, from 0 to 1, is at least this."""
    _memory: ScopedMemory

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        k: int = 4,
        where: Mapping[str, Any] | None = None,
        min_relevance: float = 0.0,
        base: Mapping[str, Any] | None = None,
        **scope: Unpack[Scope],
    ) -> None:
        """`base` has fields of `BaseRetriever`, such as `tags`; `scope` is where to look."""
        super().__init__(k=k, where=where, min_relevance=min_relevance, **base or {})
        self._memory = ScopedMemory(memory, **scope)

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002 (LangChain passes it by name)
        k: int | None = None,
        where: Mapping[str, Any] | None = None,
    ) -> list[Document]:
        found = self._memory.find(query, k or self.k, where=where or self.where, least=self.min_relevance)
        return [
            Document(id=record.id, page_content=record.text, metadata={**facts_of(record), "score": confidence})
            for record, confidence in found
        ]
