"""Haystack's document store over the service, which embeds by itself, and a retriever for it. Needs haystack-ai."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Mapping
from typing import Any, Unpack

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.common import documents as own
from ai_memory.integrations.common.documents import ID, IS_ONE, NEVER, Documents, missing, on_metadata
from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.client import Client
from ai_memory.python.memory import Memory
from ai_memory.python.methods import Methods

try:
    from haystack import Document, component, default_from_dict, default_to_dict
    from haystack.document_stores.errors import DuplicateDocumentError
    from haystack.document_stores.types import DuplicatePolicy, FilterPolicy
    from haystack.document_stores.types.filter_policy import apply_filter_policy
    from haystack.errors import FilterError
    from haystack.utils import Secret
except ImportError as missing_package:
    raise ImportError("ai_memory.integrations.haystack needs: pip install haystack-ai") from missing_package

_EQUALS = {"==": "$eq", "!=": "$ne"}
_COMPARISONS = {">": "$gt", ">=": "$gte", "<": "$lt", "<=": "$lte"}
_LISTS = {"in": "$in", "not in": "$nin"}
_META = "meta."


class MemoryDocumentStore:
    """Documents of text by id, with `meta` to filter by. Embeddings are not kept: the service makes its own.

    A document that is overwritten is revised, so its history stays; a deleted one is erased for good.
    """

    def __init__(
        self,
        memory: Methods | AsyncMethods | None = None,
        *,
        url: str | None = None,
        api_key: Secret | None = None,
        path: str | None = None,
        **scope: Unpack[Scope],
    ) -> None:
        """Over an open `Memory` or `Client`, which stays the caller's to close; or a service's `url`, or the `path` of a store.

        Only the last two can be serialised with a pipeline. Raises InvalidInputError unless one of the three is given.
        """
        if [memory, url, path].count(None) != 2:
            raise InvalidInputError("one of memory, url and path has to be given", hint="give url=… or path=…")
        if url is not None:
            memory = Client(url, api_key=None if api_key is None else api_key.resolve_value())
        self._owned = memory if url is not None else Memory(path) if path is not None else None
        opened = memory if memory is not None else self._owned
        assert opened is not None
        self._given: dict[str, Any] = {"url": url, "path": path, "api_key": api_key, **scope}
        self.documents = Documents(ScopedMemory(opened, **scope))

    def close(self) -> None:
        """Close what was opened here."""
        if self._owned is not None:
            self._owned.close()

    def to_dict(self) -> dict[str, Any]:
        """The store for a pipeline's file. Raises InvalidInputError where it was made over an open memory."""
        if self._given["url"] is None and self._given["path"] is None:
            raise InvalidInputError(
                "a document store over an open memory cannot be serialised", hint="make it with url=… or path=…"
            )
        return default_to_dict(self, **{name: value for name, value in self._given.items() if value is not None})

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MemoryDocumentStore:
        """The store that `to_dict` described."""
        return default_from_dict(cls, data)

    def count_documents(self) -> int:
        """How many documents there are."""
        return sum(1 for _ in self.documents.all())

    async def count_documents_async(self) -> int:
        """As `count_documents`."""
        return await asyncio.to_thread(self.count_documents)

    def filter_documents(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """The documents that fit Haystack's filters, oldest first. Raises FilterError."""
        return [_shown(found) for found in self.documents.all(_condition(filters) if filters else None)]

    async def filter_documents_async(self, filters: dict[str, Any] | None = None) -> list[Document]:
        """As `filter_documents`."""
        return await asyncio.to_thread(self.filter_documents, filters)

    def write_documents(self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Store documents and wait until they can be found; returns how many were written. NONE means FAIL.

        Raises ValueError for what is no document or has more than text, DuplicateDocumentError under FAIL.
        """
        if not isinstance(documents, list) or not all(isinstance(each, Document) for each in documents):
            raise ValueError("write_documents takes a list of Haystack's documents")
        given = {each.id: _own(each) for each in documents}
        if policy is not DuplicatePolicy.OVERWRITE:
            there = [found.id for found in self.documents.get(list(given))]
            if there and policy is not DuplicatePolicy.SKIP:
                raise DuplicateDocumentError(f"there are documents with these ids already: {', '.join(there[:5])}")
            given = {id_: document for id_, document in given.items() if id_ not in there}
        self.documents.put(given.values())
        return len(given)

    async def write_documents_async(
        self, documents: list[Document], policy: DuplicatePolicy = DuplicatePolicy.NONE
    ) -> int:
        """As `write_documents`."""
        return await asyncio.to_thread(self.write_documents, documents, policy)

    def delete_documents(self, document_ids: list[str]) -> None:
        """Erase the documents of these ids for good; an id that is not there is passed over."""
        self.documents.delete(document_ids)

    async def delete_documents_async(self, document_ids: list[str]) -> None:
        """As `delete_documents`."""
        await asyncio.to_thread(self.delete_documents, document_ids)

    def delete_all_documents(self) -> None:
        """Erase all documents of the scope for good."""
        self.documents.delete_all()

    async def delete_all_documents_async(self) -> None:
        """As `delete_all_documents`."""
        await asyncio.to_thread(self.delete_all_documents)

    def delete_by_filter(self, filters: dict[str, Any]) -> int:
        """Erase the documents that fit filters for good; returns how many. Raises FilterError, also for no filter."""
        return self.documents.delete_all(_condition(filters))

    async def delete_by_filter_async(self, filters: dict[str, Any]) -> int:
        """As `delete_by_filter`."""
        return await asyncio.to_thread(self.delete_by_filter, filters)

    def update_by_filter(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """Put values into the `meta` of the documents that fit filters; returns how many. Raises FilterError."""
        found = list(self.documents.all(_condition(filters)))
        self.documents.put(each._replace(metadata={**each.metadata, **meta}) for each in found)
        return len(found)

    async def update_by_filter_async(self, filters: dict[str, Any], meta: dict[str, Any]) -> int:
        """As `update_by_filter`."""
        return await asyncio.to_thread(self.update_by_filter, filters, meta)

    def search(self, query: str, filters: dict[str, Any] | None = None, top_k: int = 10) -> list[Document]:
        """The documents that answer a question best, the best first; a document's score is its confidence, from 0 to 1."""
        found = self.documents.search(query, top_k, where=_condition(filters) if filters else None)
        return [_shown(document, confidence) for document, confidence in found]


@component
class MemoryRetriever:
    """Retrieves documents from a `MemoryDocumentStore` by a question in words; no component for embeddings goes before it."""

    def __init__(
        self,
        document_store: MemoryDocumentStore,
        *,
        filters: dict[str, Any] | None = None,
        top_k: int = 10,
        filter_policy: FilterPolicy = FilterPolicy.REPLACE,
    ) -> None:
        """`filters` and `top_k` are used where a run gives none; the policy says whether a run's filters replace or narrow them."""
        self.document_store = document_store
        self.filters, self.top_k, self.filter_policy = filters, top_k, filter_policy

    def to_dict(self) -> dict[str, Any]:
        """The component for a pipeline's file."""
        return default_to_dict(
            self,
            document_store=self.document_store,
            filters=self.filters,
            top_k=self.top_k,
            filter_policy=self.filter_policy.value,
        )

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> MemoryRetriever:
        """The component that `to_dict` described."""
        given = data["init_parameters"]
        policy = FilterPolicy.from_str(given["filter_policy"])
        return default_from_dict(cls, {**data, "init_parameters": {**given, "filter_policy": policy}})

    @component.output_types(documents=list[Document])
    def run(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """The documents that answer the question best."""
        chosen = apply_filter_policy(self.filter_policy, self.filters, filters)
        return {"documents": self.document_store.search(query, chosen, self.top_k if top_k is None else top_k)}

    @component.output_types(documents=list[Document])
    async def run_async(
        self, query: str, filters: dict[str, Any] | None = None, top_k: int | None = None
    ) -> dict[str, list[Document]]:
        """As `run`."""
        return await asyncio.to_thread(self.run, query, filters, top_k)


def _own(document: Document) -> own.Document:
    if document.content is None or document.blob is not None or document.sparse_embedding is not None:
        raise ValueError(
            f"the document {document.id} has no text, or a blob or sparse embedding, which are not kept here"
        )
    return own.Document(document.id, document.content, document.meta)


def _shown(document: own.Document, score: float | None = None) -> Document:
    return Document(id=document.id, content=document.text, meta=document.metadata, score=score)


def _condition(filters: Mapping[str, Any]) -> dict[str, Any]:
    """Haystack's filters as a condition."""
    if "field" in filters:
        return _comparison(filters)
    try:
        operator, conditions = filters["operator"], filters["conditions"]
    except KeyError as lacking:
        raise FilterError(f"the filter {dict(filters)} has no {lacking}") from None
    parts = [_condition(each) for each in conditions]
    if not parts:
        raise FilterError(f"the filter with {operator} has no conditions")
    if operator == "NOT":
        return {"$not": {"$and": parts}}
    if operator not in ("AND", "OR"):
        raise FilterError(f"there is no operator {operator}: AND, OR, NOT")
    return {f"${operator.lower()}": parts}


def _comparison(filter_: Mapping[str, Any]) -> dict[str, Any]:
    try:
        field, operator, value = filter_["field"], filter_["operator"], filter_["value"]
    except KeyError as lacking:
        raise FilterError(f"the condition {dict(filter_)} has no {lacking}") from None
    if operator in _LISTS:
        return _among(field, operator, value)
    if operator in _EQUALS:
        if value is None:
            absent = missing(_name(field))
            return absent if operator == "==" else {"$not": absent}
        return _on(field, {_EQUALS[operator]: value})
    if operator not in _COMPARISONS:
        raise FilterError(f"there is no operator {operator}: {', '.join((*_EQUALS, *_COMPARISONS, *_LISTS))}")
    return NEVER if value is None else _on(field, {_COMPARISONS[operator]: _ordered(operator, value)})


def _among(field: str, operator: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, list):
        raise FilterError(f"{operator} takes a list, not {value!r}")
    if not value:
        return NEVER if operator == "in" else IS_ONE
    return _on(field, {_LISTS[operator]: value})


def _on(field: str, comparison: dict[str, Any]) -> dict[str, Any]:
    return {ID: comparison} if field == "id" else on_metadata(_name(field), comparison)


def _name(field: str) -> str:
    if field == "content":
        raise FilterError("the text is not filtered by: ask for it in words, with a retriever")
    return field.removeprefix(_META)


def _ordered(operator: str, value: Any) -> Any:
    """A number, or a date in ISO form: dates of one form compare as texts do."""
    if isinstance(value, str):
        try:
            dt.datetime.fromisoformat(value)
        except ValueError:
            raise FilterError(f"{operator} takes a number or a date in ISO form, not {value!r}") from None
    elif not isinstance(value, int | float):
        raise FilterError(f"{operator} takes a number or a date in ISO form, not {value!r}")
    return value
