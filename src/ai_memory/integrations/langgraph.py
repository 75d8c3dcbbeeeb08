"""Long-term memory of LangGraph agents: a `BaseStore` over a store here or a running service. Needs langgraph-checkpoint."""

from __future__ import annotations

import asyncio
import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from ai_memory.errors import InvalidInputError
from ai_memory.integrations.items import below, by_key, key_of, listed, path_in, placed, ranked, revise, write
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord

try:
    from langgraph.store.base import (
        BaseStore,
        GetOp,
        Item,
        ListNamespacesOp,
        MatchCondition,
        PutOp,
        SearchItem,
        SearchOp,
        TTLConfig,
        get_text_at_path,
        tokenize_path,
        validate_op_namespace,
    )
except ImportError as missing:
    raise ImportError("ai_memory.integrations.langgraph needs: pip install langgraph-checkpoint") from missing

_OF = "langgraph"
"""The attribute that holds an item; its parts are named in `_attributes`."""
_NAMESPACE = f"{_OF}.namespace"
_REFRESH = 0.01
"""A read renews an expiry that has run for this share of its time to live at least: not each read writes."""


class LangGraphStore(BaseStore):
    """Items as memories: the value as attributes, its texts as what is searched, namespace and key as a key.

    An item that is put again is revised, so its history stays; a deleted one is erased for good. `fields` are the paths of the
    texts to search (default: all texts of a value); `ttl` is LangGraph's configuration of times to live.
    """

    supports_ttl = True

    def __init__(
        self,
        memory: Methods,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        fields: Sequence[str] = ("$",),
        ttl: TTLConfig | None = None,
    ) -> None:
        """`memory` is a `Memory` or a `Client`, which stays the caller's to close; `namespace` is the service's, the wall."""
        self.memory = memory
        self.namespace = namespace
        self.fields = tuple(fields)
        self.ttl_config = ttl
        self._sweeping: threading.Thread | None = None
        self._stop = threading.Event()

    # reading and writing
    def batch(self, ops: Iterable[Any]) -> list[Any]:
        """The result of each operation, in order: reads see what was there before, then all puts are written."""
        listed = list(ops)
        for op in listed:
            validate_op_namespace(op)
        results: list[Any] = [None] * len(listed)
        puts: dict[str, PutOp] = {}
        for place, op in enumerate(listed):
            if isinstance(op, GetOp):
                results[place] = self._get(op)
            elif isinstance(op, SearchOp):
                results[place] = self._search(op)
            elif isinstance(op, ListNamespacesOp):
                results[place] = self._namespaces(op)
            elif isinstance(op, PutOp):
                puts[_key(op.namespace, op.key)] = op
            else:
                raise InvalidInputError(f"{type(op).__name__} is no operation of a LangGraph store")
        if puts:
            self._put(puts)
        return results

    async def abatch(self, ops: Iterable[Any]) -> list[Any]:
        """As `batch`, in a thread."""
        return await asyncio.to_thread(self.batch, list(ops))

    def _get(self, op: GetOp) -> Item | None:
        found = by_key(self.memory, self.namespace, [_key(op.namespace, op.key)])
        if not found:
            return None
        (record,) = found.values()
        self._renew([record], op.refresh_ttl)
        return Item(**_fields(record))

    def _all(self, limit: int | None = None, **filters: Any) -> Iterator[MemoryRecord]:
        return listed(self.memory, self.namespace, limit=limit, **filters)

    def _put(self, puts: Mapping[str, PutOp]) -> None:
        there = by_key(self.memory, self.namespace, list(puts))
        now = dt.datetime.now(dt.UTC)
        drafts = []
        for key, op in puts.items():
            record = there.get(key)
            if op.value is None:
                if record is not None:
                    self.memory.forget(f"key:{key}", namespace=self.namespace)
            elif record is None:
                drafts.append(self._draft(key, op, now))
            else:
                draft = self._draft(key, op, now)
                revise(self.memory, self.namespace, record, draft, ("text", "attributes", "expires_at"))
        write(self.memory, self.namespace, drafts)

    def _draft(self, key: str, op: PutOp, now: dt.datetime) -> dict[str, Any]:
        value = dict(op.value or {})
        if not all(isinstance(name, str) for name in value):
            raise InvalidInputError("the names in an item's value are texts")
        texts = [] if op.index is False else _texts(value, self.fields if op.index is None else op.index)
        return {
            "text": "\n".join(texts) or op.key or "(empty)",
            "key": key,
            "attributes": _attributes(op, value, searched=bool(texts)),
            "expires_at": None if op.ttl is None else now + dt.timedelta(minutes=op.ttl),
            **({"ttl": "never"} if op.ttl is None else {}),
        }

    # searching
    def _search(self, op: SearchOp) -> list[SearchItem]:
        conditions = [*below(_NAMESPACE, op.namespace_prefix), *_filtered(op.filter or {})]
        wanted = op.offset + op.limit
        if op.query is None:
            records = list(self._all(limit=wanted, where=_joined(conditions)))
            found = [SearchItem(**_fields(record), score=None) for record in records]
        else:
            conditions.append({f"attributes.{_OF}.searched": True})
            answers = ranked(self.memory, self.namespace, op.query, wanted, where=_joined(conditions))
            records = [record for record, _ in answers]
            found = [SearchItem(**_fields(record), score=confidence) for record, confidence in answers]
        self._renew(records[op.offset :], op.refresh_ttl)
        return found[op.offset : wanted]

    def _namespaces(self, op: ListNamespacesOp) -> list[tuple[str, ...]]:
        conditions = op.match_conditions or ()
        prefixes = [part for each in conditions if each.match_type == "prefix" for part in below(_NAMESPACE, each.path)]
        found: set[tuple[str, ...]] = set()
        for record in self._all(where=_joined(prefixes)):
            path = _fields(record)["namespace"]
            if all(_matches(path, each) for each in conditions):
                found.add(path[: op.max_depth] if op.max_depth is not None else path)
        return sorted(found)[op.offset : op.offset + op.limit]

    # times to live
    def _renew(self, records: Sequence[MemoryRecord], wanted: bool) -> None:
        """Begin the time to live of items again that were read."""
        now = dt.datetime.now(dt.UTC)
        for record in records if wanted else ():
            minutes = record.attributes[_OF].get("ttl")
            if minutes is None or record.expires_at is None:
                continue
            expiry = now + dt.timedelta(minutes=minutes)
            if expiry - record.expires_at >= _REFRESH * dt.timedelta(minutes=minutes):
                self.memory.revise(record.id, namespace=self.namespace, expires_at=expiry)

    def sweep_ttl(self) -> int:
        """Erase the items that have expired, which no read shows any more; returns how many."""
        return self.memory.forget_many(
            namespace=self.namespace,
            where={f"attributes.{_OF}": {"$exists": True}},
            expires_before=dt.datetime.now(dt.UTC),
            dry_run=False,
            allow_share=1.0,
        ).forgotten

    def start_ttl_sweeper(self, sweep_interval_minutes: float | None = None) -> None:
        """Sweep in a thread of its own, every so many minutes (default: those of the configuration, else 5)."""
        minutes = sweep_interval_minutes or (self.ttl_config or {}).get("sweep_interval_minutes") or 5
        if self._sweeping is None:
            self._stop.clear()
            self._sweeping = threading.Thread(target=self._sweep, args=(minutes * 60,), daemon=True)
            self._sweeping.start()

    def stop_ttl_sweeper(self, timeout: float | None = None) -> bool:
        """End that thread; False if it still runs after `timeout` seconds."""
        thread, self._sweeping = self._sweeping, None
        if thread is None:
            return True
        self._stop.set()
        thread.join(timeout)
        return not thread.is_alive()

    def _sweep(self, seconds: float) -> None:
        while not self._stop.wait(seconds):
            self.sweep_ttl()


def _key(namespace: tuple[str, ...], key: str) -> str:
    return key_of(_OF, *namespace, "", key)


def _attributes(op: PutOp, value: dict[str, Any], *, searched: bool) -> dict[str, Any]:
    """What is kept of an item."""
    return {
        _OF: {
            "namespace": placed(op.namespace),
            "key": op.key,
            "value": value,
            "searched": searched,
            "ttl": op.ttl,
        }
    }


def _fields(record: MemoryRecord) -> dict[str, Any]:
    """The fields of an item."""
    kept = record.attributes[_OF]
    return {
        "namespace": path_in(kept["namespace"]),
        "key": kept["key"],
        "value": kept["value"],
        "created_at": record.created_at,
        "updated_at": record.recorded_at,
    }


def _texts(value: dict[str, Any], fields: Iterable[str]) -> list[str]:
    found: list[str] = []
    for field in fields:
        found += list(_strings(value)) if field == "$" else get_text_at_path(value, tokenize_path(field))
    return [text for text in found if text.strip()]


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _strings(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _strings(inner)


def _filtered(filter_: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """LangGraph's filters as conditions; its null means that a value is null or missing."""
    for name, wanted in filter_.items():
        path = f"attributes.{_OF}.value.{name}"
        if wanted is None:
            yield {"$or": [{path: None}, {path: {"$exists": False}}]}
        elif isinstance(wanted, Mapping) and not any(str(each).startswith("$") for each in wanted):
            yield from _filtered({f"{name}.{inner}": each for inner, each in wanted.items()})
        else:
            yield {path: wanted}


def _joined(conditions: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The conditions joined by AND, among the items alone: a namespace may have other memories too."""
    return {"$and": [{f"attributes.{_OF}": {"$exists": True}}, *conditions]}


def _matches(path: tuple[str, ...], condition: MatchCondition) -> bool:
    wanted = condition.path
    if len(wanted) > len(path):
        return False
    part = path[: len(wanted)] if condition.match_type == "prefix" else path[len(path) - len(wanted) :]
    return all(label in ("*", there) for label, there in zip(wanted, part, strict=True))
