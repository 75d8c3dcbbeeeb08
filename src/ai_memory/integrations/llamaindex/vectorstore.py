"""LlamaIndex's vector store over the service, which embeds by itself and searches words too."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, Unpack

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.core.vector_stores.types import (
    BasePydanticVectorStore,
    FilterCondition,
    FilterOperator,
    MetadataFilter,
    MetadataFilters,
    VectorStoreQuery,
    VectorStoreQueryMode,
    VectorStoreQueryResult,
)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.common.documents import ID, OF, Document, Documents, missing, on_metadata
from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods

_CONTENT, _TYPE = "_node_content", "_node_type"
_SOURCE = f"attributes.{OF}.rest.source"
_MODES = (
    VectorStoreQueryMode.DEFAULT,
    VectorStoreQueryMode.HYBRID,
    VectorStoreQueryMode.SEMANTIC_HYBRID,
    VectorStoreQueryMode.TEXT_SEARCH,
)
_COMPARISONS = {
    FilterOperator.EQ: "$eq",
    FilterOperator.NE: "$ne",
    FilterOperator.GT: "$gt",
    FilterOperator.GTE: "$gte",
    FilterOperator.LT: "$lt",
    FilterOperator.LTE: "$lte",
    FilterOperator.IN: "$in",
    FilterOperator.NIN: "$nin",
    FilterOperator.ANY: "$in",
    FilterOperator.CONTAINS: "$eq",
}
_JOINS = {FilterCondition.AND: "$and", FilterCondition.OR: "$or"}


class MemoryVectorStore(BasePydanticVectorStore):
    """Nodes of text by id, with their metadata to filter by; similarities are confidences, from 0 to 1.

    Texts go in and a question is asked in words: embeddings of nodes are not stored, and a query needs `query_str`. A node that
    is added again under its id is revised; a deleted one is erased for good.
    """

    stores_text: bool = True
    is_embedding_query: bool = False
    _documents: Documents = PrivateAttr()

    def __init__(self, memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
        """`scope` is where the nodes are; what `memory` is stays the caller's to close."""
        super().__init__()
        self._documents = Documents(ScopedMemory(memory, **scope))

    @classmethod
    def class_name(cls) -> str:
        """The name in LlamaIndex's stored settings."""
        return "AIMemoryVectorStore"

    @property
    def client(self) -> Methods:
        """The store or service that holds the nodes."""
        return self._documents.scope.memory

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """Store nodes and wait until they can be found; returns their ids. Raises InvalidInputError for one without text."""
        del kwargs
        self._documents.put(map(_document, nodes))
        return [node.node_id for node in nodes]

    async def async_add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> list[str]:
        """As `add`."""
        return await asyncio.to_thread(self.add, nodes, **kwargs)

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Erase the nodes of a source document for good."""
        del delete_kwargs
        self._documents.delete_all({_SOURCE: ref_doc_id})

    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """As `delete`."""
        await asyncio.to_thread(self.delete, ref_doc_id, **delete_kwargs)

    def get_nodes(self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None) -> list[BaseNode]:
        """The nodes that have one of these ids and fit the filters; all nodes where neither is given."""
        return [_node(found) for found in self._documents.all(_joined(_of_ids(ID, node_ids), _filtered(filters)))]

    async def aget_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None
    ) -> list[BaseNode]:
        """As `get_nodes`."""
        return await asyncio.to_thread(self.get_nodes, node_ids, filters)

    def delete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """Erase the nodes that have one of these ids and fit the filters for good. Raises InvalidInputError without either."""
        del delete_kwargs
        where = _joined(_of_ids(ID, node_ids), _filtered(filters))
        if where is None:
            raise InvalidInputError("neither node_ids nor filters are given", hint="clear() erases all nodes")
        self._documents.delete_all(where)

    async def adelete_nodes(
        self, node_ids: list[str] | None = None, filters: MetadataFilters | None = None, **delete_kwargs: Any
    ) -> None:
        """As `delete_nodes`."""
        await asyncio.to_thread(self.delete_nodes, node_ids, filters, **delete_kwargs)

    def clear(self) -> None:
        """Erase all nodes of the scope for good."""
        self._documents.delete_all()

    async def aclear(self) -> None:
        """As `clear`."""
        await asyncio.to_thread(self.clear)

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """The nodes that answer `query_str` best, the best first. Raises InvalidInputError without it, or for another mode."""
        del kwargs
        if query.query_str is None:
            raise InvalidInputError("the query has no query_str", hint="ask in words: the service embeds by itself")
        if query.mode not in _MODES:  # which may be given as a plain text
            mode = VectorStoreQueryMode(query.mode).value
            raise InvalidInputError(f"the mode {mode} is not known here", hint=f"one of {_named(_MODES)}")
        where = _joined(_of_ids(ID, query.node_ids), _of_ids(_SOURCE, query.doc_ids), _filtered(query.filters))
        found = self._documents.search(query.query_str, query.similarity_top_k, where=where)
        nodes = [_node(document) for document, _ in found]
        return VectorStoreQueryResult(
            nodes=nodes, similarities=[confidence for _, confidence in found], ids=[node.node_id for node in nodes]
        )

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """As `query`."""
        return await asyncio.to_thread(self.query, query, **kwargs)


def _document(node: BaseNode) -> Document:
    text = node.get_content(metadata_mode=MetadataMode.NONE)
    written = node_to_metadata_dict(node, remove_text=True)
    content = json.loads(written[_CONTENT])
    metadata = content.pop("metadata", {})
    return Document(node.node_id, text, metadata, {"node": content, "kind": written[_TYPE], "source": node.ref_doc_id})


def _node(document: Document) -> BaseNode:
    """The node of a document; a document that another framework wrote becomes a node of text."""
    content = {**document.rest.get("node", {"id_": document.id}), "metadata": document.metadata}
    written = {_CONTENT: json.dumps(content), _TYPE: document.rest.get("kind")}
    return metadata_dict_to_node(written, document.text)


def _of_ids(path: str, ids: Sequence[str] | None) -> dict[str, Any] | None:
    return {path: {"$in": list(ids)}} if ids else None


def _joined(*conditions: dict[str, Any] | None) -> dict[str, Any] | None:
    given = [each for each in conditions if each is not None]
    return {"$and": given} if given else None


def _filtered(filters: MetadataFilters | None) -> dict[str, Any] | None:
    """LlamaIndex's filters as a condition."""
    if filters is None or not filters.filters:
        return None
    parts = [_filtered(each) if isinstance(each, MetadataFilters) else _compared(each) for each in filters.filters]
    given = [part for part in parts if part is not None]
    if filters.condition is FilterCondition.NOT:
        return {"$not": {"$or": given}}
    return {_JOINS[filters.condition or FilterCondition.AND]: given}


def _compared(filter_: MetadataFilter) -> dict[str, Any]:
    operator, value = filter_.operator, filter_.value
    if operator is FilterOperator.IS_EMPTY:
        return missing(filter_.key)
    if operator is FilterOperator.ALL and isinstance(value, list):
        return {"$and": [on_metadata(filter_.key, each) for each in value]}
    if operator not in _COMPARISONS:
        raise InvalidInputError(
            f"{filter_.key}: the operator {operator.value} is not known here",
            hint=f"one of {_named((*_COMPARISONS, FilterOperator.ALL, FilterOperator.IS_EMPTY))}, or ask in words",
        )
    return on_metadata(filter_.key, {_COMPARISONS[operator]: value})


def _named(values: Sequence[VectorStoreQueryMode | FilterOperator]) -> str:
    return ", ".join(each.value for each in values)
