"""LangChain's `VectorStore` over the service, which embeds by itself and searches words too."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, Unpack

from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.common import documents
from ai_memory.integrations.common.documents import Documents, metadata_condition
from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods


class MemoryVectorStore(VectorStore):
    """Documents by id, with metadata to filter by. `filter` is a condition on names of the metadata; scores are confidences.

    A document that is added under an id that is there is revised, so its history stays; a deleted one is erased for good.
    """

    def __init__(self, memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
        """`scope` is where the documents are; what `memory` is stays the caller's to close."""
        self.documents = Documents(ScopedMemory(memory, **scope))

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Add documents, or replace those of the same ids; returns the ids, new ones where none are given.

        Raises ValueError where the lists have different lengths, InvalidInputError for a document without text.
        """
        _no_more(kwargs)
        listed = list(texts)
        new = [str(uuid.uuid4()) for _ in listed]
        named = [given or other for given, other in zip(ids, new, strict=True)] if ids is not None else new
        data = metadatas if metadatas is not None else [{} for _ in listed]
        self.documents.put(
            documents.Document(id_, text, dict(metadata))
            for id_, text, metadata in zip(named, listed, data, strict=True)
        )
        return named

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Erase documents for good: those of these ids, or all of the scope. An id that is not there is passed over."""
        _no_more(kwargs)
        if ids is None:
            self.documents.delete_all()
        else:
            self.documents.delete(ids)
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents of these ids that are there, in the order of the ids."""
        return [_shown(each) for each in self.documents.get(ids)]

    def similarity_search(
        self,
        query: str,
        k: int = 4,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 (as other vector stores name it)
        **kwargs: Any,
    ) -> list[Document]:
        """The `k` documents that answer a question best, the best first."""
        return [found for found, _ in self.similarity_search_with_score(query, k, filter=filter, **kwargs)]

    def similarity_search_with_score(
        self,
        query: str,
        k: int = 4,
        *,
        filter: Mapping[str, Any] | None = None,  # noqa: A002 (as other vector stores name it)
        **kwargs: Any,
    ) -> list[tuple[Document, float]]:
        """As `similarity_search`, each with its confidence, the estimated probability that it is relevant, from 0 to 1."""
        _no_more(kwargs)
        where = metadata_condition(filter) if filter else None
        return [(_shown(found), confidence) for found, confidence in self.documents.search(query, k, where=where)]

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        return float  # it is one already

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        memory: Methods | AsyncMethods | None = None,
        **scope: Unpack[Scope],
    ) -> Self:
        """A store with these texts over `memory`, which has to be given; `embedding` is not used, since the service embeds."""
        del embedding
        if memory is None:
            raise InvalidInputError("memory is not given", hint="pass memory=, an open Memory or Client")
        store = cls(memory, **scope)
        store.add_texts(texts, metadatas, ids=ids)
        return store


def _shown(document: documents.Document) -> Document:
    return Document(id=document.id, page_content=document.text, metadata=document.metadata)


def _no_more(arguments: Mapping[str, Any]) -> None:
    if arguments:
        raise TypeError(f"not known here: {', '.join(arguments)}")
