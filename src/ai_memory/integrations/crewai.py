"""CrewAI's memory over the service. Needs crewai.

CrewAI gives its storage the vector of a question and never the question itself. So the embedder that belongs to this storage makes
a vector out of which the text can be read again, and the service asks and embeds in its own way.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, Self, Unpack

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.integrations.items import by_key, listed
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods
from ai_memory.types import MemoryRecord as Stored

try:
    from crewai.memory.storage.factory import set_memory_storage_factory
    from crewai.memory.types import MemoryRecord, ScopeInfo
    from crewai.memory.unified_memory import Memory
except ImportError as missing:
    raise ImportError("ai_memory.integrations.crewai needs: pip install crewai") from missing

SPEC = "ai-memory"
"""The name by which `Memory(storage=…)` finds the storage that `register` made."""
_OF = "crewai"
"""The attribute of a record; its parts are named in `_draft`."""
_IS_ONE = {f"attributes.{_OF}": {"$exists": True}}
_FIELDS = ("text", "context", "tags", "importance", "source", "valid_from", "attributes")
_SIGNS = 256
_SCALE = 2.0**-40
"""A character's share of a vector: exact in 32 bits, and too small to count in a cosine, next to the signs."""


def embed(texts: Sequence[str]) -> list[list[float]]:
    """The embedder of a memory over `CrewStorage`: vectors from which it reads the texts; [] for no texts.

    They are the signs of a digest, then the characters: equal texts have the cosine 1 and others one near 0, so CrewAI drops only
    what is said twice in one batch.
    """
    return [_vector(text) for text in texts]


class CrewStorage:
    """CrewAI's `StorageBackend`: its records as memories, its scopes as contexts and its categories as tags.

    A record that is updated is revised, so its history stays; a deleted one is erased for good. When a record was read last is not
    kept: reading writes nothing.
    """

    def __init__(self, memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
        """`scope` is where the records are; CrewAI's own scopes are below its context."""
        self.memory = ScopedMemory(memory, **scope)

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same storage: CrewAI copies its agents, and an open store is not copied with them."""
        return self

    def save(self, records: list[MemoryRecord]) -> None:
        """Store records, and wait until they can be found; one whose id is there is revised."""
        self.memory.put(map(self._draft, records), _FIELDS)

    def update(self, record: MemoryRecord) -> None:
        """As `save`, of one record."""
        self.save([record])

    def search(
        self,
        query_embedding: list[float],
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        metadata_filter: dict[str, Any] | None = None,
        limit: int = 10,
        min_score: float = 0.0,
    ) -> list[tuple[MemoryRecord, float]]:
        """The records that answer a question best, each with its confidence, from 0 to 1.

        Raises InvalidInputError for a vector that `embed` did not make.
        """
        where = self._where(scope_prefix, categories, metadata_filter)
        found = self.memory.find(_text_in(query_embedding), limit, where=where, least=min_score)
        return [(_record(stored), confidence) for stored, confidence in found]

    def delete(
        self,
        scope_prefix: str | None = None,
        categories: list[str] | None = None,
        record_ids: list[str] | None = None,
        older_than: dt.datetime | None = None,
        metadata_filter: dict[str, Any] | None = None,
    ) -> int:
        """Erase the records for which all of this holds for good; returns how many."""
        where = self._where(scope_prefix, categories, metadata_filter, ids=record_ids, older_than=older_than)
        return self.memory.forget_all(where)

    def get_record(self, record_id: str) -> MemoryRecord | None:
        """One record; None where there is none."""
        found = by_key(self.memory.memory, self.memory.namespace, [self.memory.key(_OF, record_id)])
        return next(map(_record, found.values()), None)

    def list_records(self, scope_prefix: str | None = None, limit: int = 200, offset: int = 0) -> list[MemoryRecord]:
        """Records of a scope, newest first."""
        found = [_record(stored) for stored in self._all(scope_prefix, order="newest", limit=offset + limit)]
        return found[offset:]

    def get_scope_info(self, scope: str) -> ScopeInfo:
        """What there is in a scope and below it."""
        records = [_record(stored) for stored in self._all(scope)]
        times = [record.created_at for record in records]
        return ScopeInfo(
            path="/" + _path(scope),
            record_count=len(records),
            categories=sorted({each for record in records for each in record.categories}),
            oldest_record=min(times, default=None),
            newest_record=max(times, default=None),
            child_scopes=_children(scope, records),
        )

    def list_scopes(self, parent: str = "/") -> list[str]:
        """The scopes right below a scope."""
        return _children(parent, map(_record, self._all(parent)))

    def list_categories(self, scope_prefix: str | None = None) -> dict[str, int]:
        """The categories in a scope, and how many records have each."""
        return dict(Counter(each for stored in self._all(scope_prefix) for each in _record(stored).categories))

    def count(self, scope_prefix: str | None = None) -> int:
        """How many records are in a scope."""
        return sum(1 for _ in self._all(scope_prefix))

    def reset(self, scope_prefix: str | None = None) -> None:
        """Erase the records of a scope, or all, for good."""
        self.delete(scope_prefix)

    async def asave(self, records: list[MemoryRecord]) -> None:
        """As `save`."""
        await asyncio.to_thread(self.save, records)

    async def asearch(self, query_embedding: list[float], **options: Any) -> list[tuple[MemoryRecord, float]]:
        """As `search`."""
        return await asyncio.to_thread(self.search, query_embedding, **options)

    async def adelete(self, **options: Any) -> int:
        """As `delete`."""
        return await asyncio.to_thread(self.delete, **options)

    def _all(
        self, scope: str | None, order: Literal["newest", "oldest"] = "oldest", limit: int | None = None
    ) -> Iterator[Stored]:
        where = self._where(scope)
        return listed(
            self.memory.memory, self.memory.namespace, order=order, limit=limit, where=where, **self.memory.facets
        )

    def _where(
        self,
        scope: str | None,
        categories: Sequence[str] | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        ids: Sequence[str] | None = None,
        older_than: dt.datetime | None = None,
    ) -> dict[str, Any]:
        """CrewAI's filters as a condition."""
        parts: list[dict[str, Any]] = [_IS_ONE]
        if context := self._context(scope or ""):
            parts.append({"context": context})
        if categories:
            parts.append({"any_tags": list(categories)})
        if ids is not None:
            parts.append({f"attributes.{_OF}.id": {"$in": list(ids)}})
        if older_than is not None:
            parts.append({"occurred_before": _in_utc(older_than).isoformat()})
        parts += [{f"attributes.{_OF}.metadata.{name}": value} for name, value in (metadata or {}).items()]
        return {"$and": parts}

    def _context(self, scope: str) -> str:
        return "/".join(part for part in (self.memory.facets.get("context", ""), _path(scope)) if part)

    def _draft(self, record: MemoryRecord) -> dict[str, Any]:
        kept = record.model_dump(mode="json", include={"id", "scope", "categories", "metadata", "private"})
        return {
            **self.memory.facets,
            "text": record.content,
            "key": self.memory.key(_OF, record.id),
            "context": self._context(record.scope),
            "tags": tuple(dict.fromkeys(each.lower() for each in record.categories)),
            "importance": record.importance,
            "source": record.source,
            "valid_from": _in_utc(record.created_at),
            "attributes": {_OF: kept},
        }


def crew_memory(
    memory: Methods | AsyncMethods, *, base: dict[str, Any] | None = None, **scope: Unpack[Scope]
) -> Memory:
    """CrewAI's `Memory` over a store or service; `base` has its fields, such as `llm` and `root_scope`."""
    return Memory(storage=CrewStorage(memory, **scope), embedder=embed, **base or {})


def register(memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
    """Make `Memory(storage="ai-memory", embedder=embed)` use this storage, in the whole process."""
    storage = CrewStorage(memory, **scope)
    set_memory_storage_factory(lambda spec: storage if spec == SPEC else None)


def _record(stored: Stored) -> MemoryRecord:
    created = (stored.valid_from or stored.created_at).replace(
        tzinfo=None
    )  # CrewAI's times are in UTC and do not say so
    return MemoryRecord(
        content=stored.text,
        importance=stored.importance,
        source=stored.source,
        created_at=created,
        last_accessed=created,
        **stored.attributes[_OF],
    )


def _path(scope: str) -> str:
    return "/".join(part for part in scope.split("/") if part)


def _children(parent: str, records: Iterable[MemoryRecord]) -> list[str]:
    """The scopes right below a scope in which there are records, or below which there are."""
    depth = len(_path(parent).split("/")) if _path(parent) else 0
    paths = (_path(record.scope).split("/") for record in records)
    return sorted({"/" + "/".join(path[: depth + 1]) for path in paths if path != [""] and len(path) > depth})


def _in_utc(time: dt.datetime) -> dt.datetime:
    return time.replace(tzinfo=dt.UTC) if time.tzinfo is None else time.astimezone(dt.UTC)


def _vector(text: str) -> list[float]:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_SIGNS // 8).digest()
    signs = [1.0 if byte >> bit & 1 else -1.0 for byte in digest for bit in range(8)]
    return [*signs, *(ord(character) * _SCALE for character in text)]


def _text_in(vector: Sequence[float]) -> str:
    """The text that a vector was made of."""
    points = [round(each / _SCALE) for each in vector[_SIGNS:]]
    text = "".join(map(chr, points)) if all(0 <= point <= 0x10FFFF for point in points) else ""
    if not text or list(vector) != _vector(text):
        raise InvalidInputError(
            "the vector of the question is not one of this storage's embedder",
            hint="give the memory embedder=embed, of ai_memory.integrations.crewai",
        )
    return text
