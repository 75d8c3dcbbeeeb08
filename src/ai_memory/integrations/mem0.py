"""The calls of mem0's `Memory`, `AsyncMemory` and `MemoryClient` over this service. Needs no other package.

Nothing is inferred: `add` stores what was said, and says so where `infer` asks for more.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from ai_memory.errors import InvalidInputError, NotFoundError
from ai_memory.operations.base import instant
from ai_memory.python.client import Client
from ai_memory.python.memory import Memory as Store
from ai_memory.python.methods import Methods
from ai_memory.remote import DEFAULT_URL
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord, Outcome, Receipt

NOT_INFERRED = "nothing was inferred: what was said is stored as it is"
SCOPES = {"user_id": "user", "agent_id": "agent", "run_id": "session"}
_UNNAMED = "mem0:"
_JOINS = {"AND": "$and", "OR": "$or"}
_OPERATORS = ("eq", "ne", "gt", "gte", "lt", "lte", "in", "nin")

Found = dict[str, Any]


class Memory:
    """mem0's `Memory`: memories by `user_id`, `agent_id` and `run_id`, with `metadata` as an attribute of that name."""

    def __init__(self, memory: Methods | None = None, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """Over an open `ai_memory.Memory` or `Client`, which stays the caller's to close, or over the user's own store."""
        self._owned = memory is None
        self.memory = Store() if memory is None else memory
        self.namespace = namespace

    def add(
        self,
        messages: str | Mapping[str, Any] | Sequence[Mapping[str, Any]],
        *,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        infer: bool = True,
        timestamp: float | None = None,
        expiration_date: str | dt.date | None = None,
    ) -> Found:
        """Store a text, or the messages of a conversation; the events are ADD, and NONE for what is there already.

        `timestamp`, in seconds since 1970, is when it was said; from `expiration_date` on answers leave it out. Raises
        InvalidInputError without any of the three ids.
        """
        scope = _scope(user_id=user_id, agent_id=agent_id, run_id=run_id)
        attributes = {"metadata": dict(metadata)} if metadata else {}
        receipts: Sequence[Receipt]
        if isinstance(messages, str):
            draft = {"text": messages, "attributes": attributes, **_times(timestamp, expiration_date), **scope}
            receipts = self.memory.remember_many([draft], namespace=self.namespace).receipts
        else:
            turns = [messages] if isinstance(messages, Mapping) else list(messages)
            scope.setdefault("session", _unnamed(turns))
            if timestamp is not None:
                turns = [{"time": timestamp, **turn} for turn in turns]
            ttl = None if expiration_date is None else (_day(expiration_date) - dt.datetime.now(dt.UTC)).total_seconds()
            receipts = self.memory.remember_messages(
                turns, namespace=self.namespace, attributes=attributes, ttl=ttl, **scope
            ).receipts
        for receipt in receipts:
            if receipt.outcome is Outcome.REJECTED and receipt.code != "left_out":
                raise InvalidInputError(receipt.reason or "it was refused", code=receipt.code)
        ids = [receipt.memory_id for receipt in receipts if receipt.memory_id is not None]
        texts = {record.id: record.text for record in self._listed(len(ids), ids=ids)} if ids else {}
        results = [
            {
                "id": receipt.memory_id,
                "memory": texts[receipt.memory_id],
                "event": "NONE" if receipt.outcome is Outcome.DUPLICATE_OF else "ADD",
            }
            for receipt in receipts
            if receipt.memory_id in texts
        ]
        return {"results": results, **({"note": NOT_INFERRED} if infer else {})}

    def search(
        self,
        query: str,
        *,
        top_k: int = 20,
        filters: Mapping[str, Any] | None = None,
        threshold: float | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
    ) -> Found:
        """What answers a question, the best first; `score` is a hit's confidence, and `threshold` the least of it, from 0 to 1."""
        hits = self.memory.recall(
            query,
            namespace=self.namespace,
            limit=top_k,
            min_relevance=threshold or 0.0,
            **selection(filters, user_id=user_id, agent_id=agent_id, run_id=run_id),
        ).hits
        return {"results": [{**shown(hit.memory), "score": hit.confidence} for hit in hits]}

    def get(self, memory_id: str) -> Found | None:
        """One memory by its id, None where there is none."""
        try:
            return shown(self.memory.get(memory_id, namespace=self.namespace))
        except NotFoundError:
            return None

    def get_all(
        self,
        *,
        top_k: int = 20,
        filters: Mapping[str, Any] | None = None,
        user_id: str | None = None,
        agent_id: str | None = None,
        run_id: str | None = None,
    ) -> Found:
        """Memories by filter, the newest first."""
        chosen = selection(filters, user_id=user_id, agent_id=agent_id, run_id=run_id)
        return {"results": [shown(record) for record in self._listed(top_k, **chosen)]}

    def _listed(self, limit: int, **filters: Any) -> Sequence[MemoryRecord]:
        return self.memory.list(namespace=self.namespace, limit=max(1, min(limit, 1_000)), **filters).memories

    def update(
        self,
        memory_id: str,
        data: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        *,
        timestamp: float | None = None,
        expiration_date: str | dt.date | None = None,
    ) -> Found:
        """Give a memory a new text, metadata or times; what was before stays in its history. Raises NotFoundError."""
        change: dict[str, Any] = {**({} if data is None else {"text": data}), **_times(timestamp, expiration_date)}
        if metadata is not None:
            current = self.memory.get(memory_id, namespace=self.namespace)
            change["attributes"] = {**current.attributes, "metadata": dict(metadata)}
        self.memory.revise(memory_id, namespace=self.namespace, **change)
        return {"message": "Memory updated successfully!"}

    def delete(self, memory_id: str) -> Found:
        """Erase a memory for good. Raises NotFoundError."""
        self.memory.forget(memory_id, namespace=self.namespace)
        return {"message": "Memory deleted successfully!"}

    def delete_all(self, user_id: str | None = None, agent_id: str | None = None, run_id: str | None = None) -> Found:
        """Erase all memories of a user, an agent or a run. Raises InvalidInputError without any of the three."""
        scope = _scope(user_id=user_id, agent_id=agent_id, run_id=run_id)
        self.memory.forget_many(namespace=self.namespace, dry_run=False, allow_share=1.0, **scope)
        return {"message": "Memories deleted successfully!"}

    def history(self, memory_id: str) -> list[Found]:
        """The revisions of a memory, oldest first. Raises NotFoundError."""
        found: list[Found] = []
        old: str | None = None
        for record in self.memory.history(memory_id, namespace=self.namespace).revisions:
            found.append(
                {
                    "id": f"{record.id}:{record.revision}",
                    "memory_id": record.id,
                    "old_memory": old,
                    "new_memory": record.text,
                    "event": "ADD" if record.revision == 1 else "UPDATE",
                    "created_at": record.created_at.isoformat(),
                    "updated_at": record.recorded_at.isoformat(),
                    "is_deleted": False,
                }
            )
            old = record.text
        return found

    def reset(self) -> None:
        """Erase everything in the namespace."""
        self.memory.forget_many(namespace=self.namespace, everything=True, dry_run=False)

    def close(self) -> None:
        """Close the store, unless it was passed in open."""
        if self._owned:
            self.memory.close()


class MemoryClient(Memory):
    """mem0's `MemoryClient`: the same calls over a running service."""

    def __init__(
        self, api_key: str | None = None, host: str = DEFAULT_URL, *, namespace: str = DEFAULT_NAMESPACE
    ) -> None:
        """`host` is the address of the service, `api_key` one of its keys, where it has any."""
        super().__init__(Client(host, api_key=api_key), namespace=namespace)
        self._owned = True


class AsyncMemory:
    """mem0's `AsyncMemory`: the calls of `Memory` as coroutines, each in a thread."""

    def __init__(self, memory: Methods | None = None, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """As `Memory`."""
        self._sync = Memory(memory, namespace=namespace)

    async def add(self, messages: Any, **options: Any) -> Found:
        """As `Memory.add`."""
        return await asyncio.to_thread(self._sync.add, messages, **options)

    async def search(self, query: str, **options: Any) -> Found:
        """As `Memory.search`."""
        return await asyncio.to_thread(self._sync.search, query, **options)

    async def get(self, memory_id: str) -> Found | None:
        """As `Memory.get`."""
        return await asyncio.to_thread(self._sync.get, memory_id)

    async def get_all(self, **options: Any) -> Found:
        """As `Memory.get_all`."""
        return await asyncio.to_thread(self._sync.get_all, **options)

    async def update(self, memory_id: str, data: str | None = None, **options: Any) -> Found:
        """As `Memory.update`."""
        return await asyncio.to_thread(self._sync.update, memory_id, data, **options)

    async def delete(self, memory_id: str) -> Found:
        """As `Memory.delete`."""
        return await asyncio.to_thread(self._sync.delete, memory_id)

    async def delete_all(self, **scope: Any) -> Found:
        """As `Memory.delete_all`."""
        return await asyncio.to_thread(self._sync.delete_all, **scope)

    async def history(self, memory_id: str) -> list[Found]:
        """As `Memory.history`."""
        return await asyncio.to_thread(self._sync.history, memory_id)

    async def reset(self) -> None:
        """As `Memory.reset`."""
        await asyncio.to_thread(self._sync.reset)

    def close(self) -> None:
        """As `Memory.close`."""
        self._sync.close()


def _times(timestamp: float | None, expiration_date: str | dt.date | None) -> dict[str, Any]:
    """When it was said and when it lapses, as fields of a memory."""
    said = {} if timestamp is None else {"valid_from": dt.datetime.fromtimestamp(timestamp, dt.UTC)}
    return said if expiration_date is None else {**said, "expires_at": _day(expiration_date)}


def _day(date: str | dt.date) -> dt.datetime:
    return instant(date, "expiration_date")


def _unnamed(turns: Sequence[Mapping[str, Any]]) -> str:
    """The session of messages without a run: the same for the same messages, so that they are not stored twice."""
    said = json.dumps(turns, sort_keys=True, default=str).encode()
    return _UNNAMED + hashlib.blake2b(said, digest_size=13).hexdigest()


def scope_of(record: MemoryRecord) -> Found:
    """A memory's ids in mem0's words; a session that nobody named is none of them."""
    found = {name: getattr(record, facet) for name, facet in SCOPES.items()}
    named = {name: value for name, value in found.items() if value is not None}
    if str(named.get("run_id", "")).startswith(_UNNAMED):
        del named["run_id"]
    return named


def _scope(**ids: str | None) -> dict[str, Any]:
    found = {SCOPES[name]: value for name, value in ids.items() if value}
    if not found:
        raise InvalidInputError("none of user_id, agent_id and run_id is given", hint="give one of them")
    return found


def selection(filters: Mapping[str, Any] | None, **ids: str | None) -> dict[str, Any]:
    """mem0's filters, and its three ids, as filters of this service."""
    given = {**(filters or {}), **{name: value for name, value in ids.items() if value}}
    if not given:
        raise InvalidInputError("no filter is given", hint="give user_id, agent_id, run_id, or another filter")
    return {"where": _condition(given), "include_ended": False}


def _condition(filters: Mapping[str, Any]) -> dict[str, Any]:
    """A condition from mem0's filters: names of metadata, its ids, and AND, OR, NOT."""
    parts: list[dict[str, Any]] = []
    for name, wanted in filters.items():
        if name in _JOINS:
            parts.append({_JOINS[name]: [_condition(each) for each in wanted]})
        elif name == "NOT":
            several = [wanted] if isinstance(wanted, Mapping) else wanted
            parts.append({"$not": {"$or": [_condition(each) for each in several]}})
        elif name in SCOPES:
            parts.append(_of_scope(SCOPES[name], wanted))
        else:
            parts.append({f"attributes.metadata.{name}": _operation(name, wanted)})
    return parts[0] if len(parts) == 1 else {"$and": parts}


def _of_scope(facet: str, wanted: Any) -> dict[str, Any]:
    if isinstance(wanted, Mapping):
        if set(wanted) - {"eq", "in"}:
            raise InvalidInputError(f"the ids are compared with eq and in, not {', '.join(map(str, wanted))}")
        (wanted,) = wanted.values()
    return {facet: list(wanted) if isinstance(wanted, list | tuple) else [wanted]}


def _operation(name: str, wanted: Any) -> Any:
    if wanted == "*":
        return {"$exists": True}
    if isinstance(wanted, list | tuple):
        return {"$in": list(wanted)}
    if not isinstance(wanted, Mapping):
        return wanted
    unknown = [str(each) for each in wanted if each not in _OPERATORS]
    if unknown:
        raise InvalidInputError(
            f"{name}: there is no {', '.join(unknown)} here", hint=f"operators: {', '.join(_OPERATORS)}", field=name
        )
    return {f"${operator}": value for operator, value in wanted.items()}


def shown(record: MemoryRecord) -> Found:
    """A memory as mem0 shows it."""
    return {
        "id": record.id,
        "memory": record.text,
        "hash": record.content_hash,
        "metadata": record.attributes.get("metadata"),
        "created_at": record.created_at.isoformat(),
        "updated_at": record.recorded_at.isoformat(),
        **scope_of(record),
        **({"role": record.attributes["role"]} if "role" in record.attributes else {}),
        **({"actor_id": record.author} if record.author else {}),
    }
