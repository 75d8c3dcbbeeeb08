"""Commands and values for the tests of stores, with digests made in the plainest way that meets the contract."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import ManualClock
from ai_memory.store.base import (
    Command,
    Forget,
    Relate,
    Remember,
    Result,
    Retire,
    Revise,
    Store,
    Stored,
    Unrelate,
)
from ai_memory.store.ids import MEMORY, RELATION, new_id
from ai_memory.types import Content, EmbedderIdentity, Entity, MemoryRecord, Relation, Selection

Reopen = Callable[[], Store]
"""Opens the store of a test once more."""

START = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
CLOCK = ManualClock(START)
"""Shared by all samples, so that no two commands have the same instant."""


def digest(*parts: str | None) -> bytes:
    return hashlib.sha256("\0".join(part or "" for part in parts).encode("utf-8", "surrogatepass")).digest()[:16]


def remember(text: str, *, namespace: str = "default", id: str | None = None, **fields: Any) -> Remember:  # noqa: A002
    """A Remember command; fields of Content may be given in addition to those of Remember."""
    own = {name: fields.pop(name) for name in ("user", "agent", "session", "supersedes", "reinstate") if name in fields}
    at = fields.pop("at", None) or CLOCK.now()
    facets = [own.get(name) for name in ("user", "agent", "session")]
    return Remember(
        id=id or new_id(MEMORY, at),
        namespace=namespace,
        content=Content(text=text, **fields),
        content_hash=hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest(),
        dedup_key=digest(namespace, *facets, text, *filter(None, [fields.get("key")])),
        at=at,
        **own,
    )


def revise(record: MemoryRecord, text: str, **fields: Any) -> Revise:
    """A Revise command for a memory that keeps its facets."""
    own = {name: fields.pop(name) for name in ("if_revision", "reason") if name in fields}
    at = fields.pop("at", None) or CLOCK.now()
    return Revise(
        id=record.id,
        namespace=record.namespace,
        content=Content(text=text, **fields),
        content_hash=hashlib.sha256(text.encode()).hexdigest(),
        dedup_key=digest(record.namespace, record.user, record.agent, record.session, text),
        at=at,
        **own,
    )


def retire(record: MemoryRecord, **fields: Any) -> Retire:
    return Retire(id=record.id, namespace=record.namespace, at=fields.pop("at", None) or CLOCK.now(), **fields)


def forget(record: MemoryRecord, **fields: Any) -> Forget:
    return Forget(id=record.id, namespace=record.namespace, at=CLOCK.now(), **fields)


def relate(
    source: str, target: str, kind: str = "REFERS_TO", *, new_entities: Sequence[Entity] = (), **fields: Any
) -> Relate:
    at = fields.pop("at", None) or CLOCK.now()
    made = Relation(
        id=fields.pop("id", None) or new_id(RELATION, at),
        namespace=fields.pop("namespace", "default"),
        source=source,
        target=target,
        type=kind,
        recorded_at=at,
        **fields,
    )
    return Relate(relation=made, new_entities=tuple(new_entities))


def unrelate(relation: Relation) -> Unrelate:
    return Unrelate(id=relation.id, namespace=relation.namespace, at=CLOCK.now())


def entity(name: str, *, kind: str = "thing", aliases: tuple[str, ...] = (), namespace: str = "default") -> Entity:
    at = CLOCK.now()
    return Entity(id=new_id("ent_", at), namespace=namespace, name=name, kind=kind, aliases=aliases, created_at=at)


def one(store: Store, command: Command) -> Result:
    (result,) = store.write([command])
    return result


def kept(store: Store, text: str, **fields: Any) -> MemoryRecord:
    """Remember a text and return its record."""
    result = one(store, remember(text, **fields))
    assert isinstance(result, Stored), result
    assert result.record is not None
    return result.record


def related(store: Store, command: Relate) -> Relation:
    result = one(store, command)
    assert isinstance(result, Stored), result
    assert result.relation is not None
    return result.relation


def identity(model: str = "tiny", dimension: int = 4) -> EmbedderIdentity:
    return EmbedderIdentity(model=model, revision="r1", prompts="p1", dtype="float32", dimension=dimension)


def unit(*numbers: float) -> NDArray[np.float32]:
    vector = np.array(numbers, dtype=np.float32)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def texts(store: Store, selection: Selection) -> list[str]:
    """The texts that a selection means, oldest first."""
    return [memory.text for memory in store.select(selection, limit=100, newest_first=False).memories]
