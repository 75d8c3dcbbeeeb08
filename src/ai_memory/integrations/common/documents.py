"""Documents of other frameworks as memories: each has its id, its text, and metadata by which it is filtered.

A document is a memory with the attribute `document`; whichever framework wrote it, each of the others reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

from ai_memory.integrations.common.scoped import ScopedMemory
from ai_memory.integrations.items import by_key, listed
from ai_memory.types import MemoryRecord

OF = "document"
"""The attribute of a document; its parts are named in `_draft`."""
ID = f"attributes.{OF}.id"
IS_ONE: dict[str, Any] = {f"attributes.{OF}": {"$exists": True}}
NEVER: dict[str, Any] = {f"attributes.{OF}": {"$exists": False}}
"""A condition that holds for no document."""
_JOINS = ("$and", "$or")
_PART = 500
"""So many keys in one request."""


class Document(NamedTuple):
    """One document."""

    id: str
    text: str
    metadata: dict[str, Any]
    rest: Mapping[str, Any] = MappingProxyType({})
    """What a framework keeps with it besides, as values of JSON."""


class Documents:
    """The documents of a scope."""

    def __init__(self, scope: ScopedMemory) -> None:
        """Documents with one id in two scopes are two documents."""
        self.scope = scope

    def put(self, documents: Iterable[Document]) -> None:
        """Store documents, and wait until they can be found; one whose id is there is revised. Of two with one id the last counts.

        Raises InvalidInputError for a document without text, or with more than 64 KiB of metadata.
        """
        self.scope.put(map(self._draft, documents), ("text", "attributes"))

    def get(self, ids: Sequence[str]) -> list[Document]:
        """The documents of these ids that are there, in the order of the ids."""
        keys = [self._key(each) for each in ids]
        found = by_key(self.scope.memory, self.scope.namespace, list(dict.fromkeys(keys)))
        return [document_of(found[key]) for key in keys if key in found]

    def all(self, where: Mapping[str, Any] | None = None, limit: int | None = None) -> Iterator[Document]:
        """The documents for which a condition holds, or all, the oldest first."""
        records = listed(
            self.scope.memory, self.scope.namespace, limit=limit, where=_narrowed(where), **self.scope.facets
        )
        return map(document_of, records)

    def search(
        self, question: str, limit: int, *, where: Mapping[str, Any] | None = None, least: float = 0.0
    ) -> list[tuple[Document, float]]:
        """As `ScopedMemory.find`, among the documents."""
        found = self.scope.find(question, limit, where=_narrowed(where), least=least) if question.strip() else []
        return [(document_of(record), confidence) for record, confidence in found]

    def delete(self, ids: Sequence[str]) -> int:
        """Erase the documents of these ids for good; an id that is not there is passed over. Returns how many there were."""
        keys = [self._key(each) for each in ids]
        return sum(
            self.scope.memory.forget_many(
                namespace=self.scope.namespace, keys=keys[start : start + _PART], dry_run=False, allow_share=1.0
            ).forgotten
            for start in range(0, len(keys), _PART)
        )

    def delete_all(self, where: Mapping[str, Any] | None = None) -> int:
        """Erase the documents for which a condition holds, or all, for good. Returns how many."""
        return self.scope.forget_all(_narrowed(where))

    def _key(self, id_: str) -> str:
        return self.scope.key(OF, id_)

    def _draft(self, document: Document) -> dict[str, Any]:
        kept = {
            "id": document.id,
            "metadata": document.metadata,
            **({"rest": dict(document.rest)} if document.rest else {}),
        }
        return {
            "text": document.text,
            "key": self._key(document.id),
            "attributes": {OF: kept},
            **self.scope.facets,
        }


def document_of(record: MemoryRecord) -> Document:
    """The document that a memory is."""
    kept = record.attributes[OF]
    return Document(kept["id"], record.text, kept["metadata"], kept.get("rest", {}))


def on_metadata(name: str, comparison: Any) -> dict[str, Any]:
    """The condition that a name of the metadata has a value, or compares so; `name` is a path, with dots."""
    return {f"attributes.{OF}.metadata.{name}": comparison}


def missing(name: str) -> dict[str, Any]:
    """The condition that a name of the metadata is null or not there."""
    return {"$or": [on_metadata(name, None), on_metadata(name, {"$exists": False})]}


def metadata_condition(filter_: Mapping[str, Any]) -> dict[str, Any]:
    """Conditions on names of the metadata, joined by $and, $or and $not, as conditions on documents.

    `{"year": {"$gte": 2020}, "$not": {"kind": "draft"}}`; docs/filters.md has the comparisons.
    """
    parts: list[dict[str, Any]] = []
    for name, wanted in filter_.items():
        if name in _JOINS:
            parts.append({name: [metadata_condition(each) for each in wanted]})
        elif name == "$not":
            parts.append({name: metadata_condition(wanted)})
        else:
            parts.append(on_metadata(name, wanted))
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _narrowed(where: Mapping[str, Any] | None) -> dict[str, Any]:
    """The condition among the documents alone: a scope may have other memories too."""
    return {"$and": [IS_ONE, where]} if where else IS_ONE
