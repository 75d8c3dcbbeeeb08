"""A store with something of every kind in it, for tests that change each value."""

from __future__ import annotations

from typing import Any

from ai_memory.inbox import ProposalKind, Propose, Verdict
from ai_memory.store.base import Exclude, Once, Store, VectorRow
from ai_memory.types import ArchivedTombstone, Job, JobStatus
from tests.support.inbox_samples import decide, judge, proposal
from tests.support.store_samples import (
    CLOCK,
    entity,
    forget,
    identity,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
    unit,
    unrelate,
)


def fill(store: Store) -> None:
    """Fill an empty store."""
    old = store.create_generation(identity("old"), activate=True)
    first = kept(
        store, "one", tags=("x", "y"), title="A title", author="Ann", source="a letter", valid_from=CLOCK.now()
    )
    second = kept(store, "two", user="u", agent="a", session="s", attributes={"location": "Riga"}, valid_to=CLOCK.now())
    one(store, revise(first, "one and a half", tags=("x",), reason="more"))
    one(store, retire(kept(store, "three"), reason="over"))
    one(store, forget(kept(store, "four"), reason="asked for"))
    kept(store, "six", supersedes=(second.id,), namespace="default")
    kept(store, "elsewhere", namespace="other")
    for city in ("Ghent", "Namur"):
        kept(store, f"lives in {city}", key="user.home.city", user="u")
    kept(store, "The quick brown fox jumps over the lazy dog. " * 400)
    thing = entity("Atlas", aliases=("At", "Atl"))
    related(
        store, relate(first.id, thing.id, "MENTIONS", new_entities=[thing], evidence=second.id, attributes={"a": 1})
    )
    dated = related(store, relate(first.id, second.id, valid_from=CLOCK.now(), valid_to=CLOCK.now()))
    one(store, unrelate(dated))
    update = proposal(first, second, until=CLOCK.now(), note="perhaps")
    one(store, Propose(proposal=update))
    decide(store, update, "accepted", note="yes")
    wrong = proposal(second, kind=ProposalKind.RETIREMENT)
    one(store, Propose(proposal=wrong))
    decide(store, wrong, "later", until=CLOCK.now(), note="soon")
    judge(store, second, Verdict.OUTDATED, "old")
    foreign = ArchivedTombstone(namespace="default", salt="aa" * 16, digest="bb" * 16, other_digest="cc" * 16)
    one(store, Exclude(tombstone=foreign, at=CLOCK.now()))
    store.put_job(
        Job(id="job_1", kind="reembed", state=JobStatus.FAILED, namespace="default", payload={"a": 1}, progress={"b": 2},
            error="no", created_at=CLOCK.now(), updated_at=CLOCK.now())
    )  # fmt: skip
    store.write_idempotent(
        Once(namespace="default", key=b"key", request=b"request"), [remember("seven")], lambda _: b"answer"
    )
    new = store.create_generation(identity("new"), activate=False)
    for generation in (old, new):
        pending = [revision.key for revision in store.pending(generation.id, limit=100)][:-1]
        rows = [VectorRow(key=key, passage=0, vector=unit(1, key, 0, 0)) for key in pending]
        store.put_vectors(generation.id, rows, pending)


def another(value: Any, kind: str = "") -> Any:
    """A value of the same type that differs a little; in place of None one of the column type `kind`."""
    if isinstance(value, bytes):
        return bytes([value[0] ^ 1, *value[1:]])
    if isinstance(value, str):
        return value[:-1] + ("a" if value[-1:] != "a" else "b")
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value / 2 + 0.1
    if isinstance(value, int):
        return value + 1000
    if isinstance(value, list):
        return [*value[:-1], another(value[-1])] if value else ["new"]
    return {"TEXT": "new", "INTEGER": 7, "REAL": 0.3, "BLOB": b"new", "ANY": b"new"}[kind]
