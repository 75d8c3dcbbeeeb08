"""Every field of a memory's content, through every operation of a store that carries content over, on every backend.

`scripts/mutate_fields.py` shows that a field which a backend does not write, or does not read, fails here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest
from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from ai_memory.clock import ManualClock
from ai_memory.operations.writing import Draft, ReviseRequest
from ai_memory.store.base import Restore, Store, Stored
from ai_memory.store.copying import Copying, copy_store
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import Content, MemoryRecord, Selection
from tests.support.content_samples import FIELDS, full, sample, values
from tests.support.store_samples import Reopen, digest, kept, one, retire, revise

pytest_plugins = ["tests.support.store_backends"]

every_field = pytest.mark.parametrize("field", FIELDS)


def _stored(store: Store, memory_id: str, namespace: str = "default") -> list[MemoryRecord]:
    """All revisions, which every way of reading gives alike."""
    revisions = store.revisions(namespace, memory_id)
    latest = revisions[-1]
    assert store.get(namespace, [memory_id]) == [latest]
    assert [
        each for each in store.export(namespace) if isinstance(each, MemoryRecord) and each.id == memory_id
    ] == revisions
    live = [
        each for each in store.live_revisions() if each.record.id == memory_id and each.record.namespace == namespace
    ]
    assert [each.record for each in live] == revisions
    assert store.load([each.key for each in live]) == {each.key: each for each in live}
    if latest.retired_at is None:
        assert latest in store.select(Selection(namespace=namespace), limit=100).memories
    return revisions


def _remembered(store: Store, number: int, **more: Any) -> MemoryRecord:
    return kept(store, **values(number), **more)


@every_field
def test_the_samples_differ_from_the_default_and_from_each_other(field: str) -> None:
    given = [sample(field, number) for number in (1, 2, 3)]
    assert given[0] != given[1] != given[2]
    defaults = {each.name: each.default for each in fields(Content)}
    assert defaults[field] not in given[::2] or defaults[field] is NODEFAULT


@every_field
def test_remember(store: Store, reopen: Reopen, field: str) -> None:
    made = _remembered(store, 1)
    assert getattr(made, field) == sample(field, 1)
    (read,) = _stored(reopen(), made.id)
    assert getattr(read, field) == sample(field, 1)


@pytest.mark.parametrize("field", [field for field in FIELDS if field != "text"])
def test_a_field_that_is_not_given_has_its_default(store: Store, field: str) -> None:
    made = kept(store, "a text alone")
    (read,) = _stored(store, made.id)
    assert getattr(read, field) == getattr(Content(text="a text alone"), field)


@every_field
def test_supersede(store: Store, field: str) -> None:
    old = _remembered(store, 1)
    new = _remembered(store, 2, supersedes=(old.id,))
    first, ended = _stored(store, old.id)
    assert getattr(first, field) == sample(field, 1)
    assert getattr(ended, field) == (sample("valid_from", 2) if field == "valid_to" else sample(field, 1))
    assert getattr(_stored(store, new.id)[0], field) == sample(field, 2)


@every_field
def test_a_revision_of_every_field(store: Store, field: str) -> None:
    made = _remembered(store, 1)
    result = one(store, revise(made, **values(2)))
    assert isinstance(result, Stored)
    before, after = _stored(store, made.id)
    assert after == result.record
    assert (getattr(before, field), getattr(after, field)) == (sample(field, 1), sample(field, 2))


@every_field
def test_a_revision_of_one_field_keeps_the_others(store: Store, field: str) -> None:
    made = _remembered(store, 1)
    changed = values(1) | {field: sample(field, 2)}
    result = one(store, revise(made, **changed))
    assert isinstance(result, Stored), "a store that does not compare this field calls the revision unchanged"
    before, after = _stored(store, made.id)
    assert {name: getattr(before, name) for name in FIELDS} == values(1)
    assert {name: getattr(after, name) for name in FIELDS} == changed


@every_field
def test_retire(store: Store, field: str) -> None:
    made = _remembered(store, 1)
    result = one(store, retire(made))
    assert isinstance(result, Stored)
    (retired,) = _stored(store, made.id)
    assert retired == result.record
    assert getattr(retired, field) == sample(field, 1)


@every_field
def test_restore_what_was_exported(store: Store, field: str) -> None:
    made = _remembered(store, 1)
    assert isinstance(one(store, revise(made, **values(2))), Stored)
    exported = [each for each in store.export("default") if isinstance(each, MemoryRecord)]
    moved = tuple(replace(each, namespace="elsewhere") for each in exported)
    key = digest("elsewhere", "restored")
    command = Restore(revisions=moved, dedup_key=key, at=made.recorded_at)
    assert isinstance(one(store, command), Stored)
    restored = _stored(store, made.id, "elsewhere")
    assert [getattr(each, field) for each in restored] == [sample(field, 1), sample(field, 2)]


@every_field
def test_copy_out_of_the_store(store: Store, tmp_path: Path, clock: ManualClock, field: str) -> None:
    made = _remembered(store, 1)
    _remembered(store, 2, supersedes=(made.id,))
    with open_sqlite_store(tmp_path / "copy.db", clock=clock, half_filled=True) as copy:
        copy_store(cast(Copying, store), copy)
        assert list(copy.export()) == list(store.export())
        first, ended = _stored(copy, made.id)
    assert getattr(first, field) == sample(field, 1)
    assert getattr(ended, field) == (sample("valid_from", 2) if field == "valid_to" else sample(field, 1))


@every_field
def test_copy_into_the_store(store: Store, tmp_path: Path, clock: ManualClock, field: str) -> None:
    with open_sqlite_store(tmp_path / "source.db", clock=clock) as source:
        made = kept(source, **values(1))
        copy_store(source, cast(Copying, store))
        assert list(store.export()) == list(source.export())
    (copied,) = _stored(store, made.id)
    assert getattr(copied, field) == sample(field, 1)


@every_field
def test_requests_offer_every_field(field: str) -> None:
    """A draft gives each field, with the same default, and a revision may change each one alone."""
    content, draft, change = ({each.name: each for each in fields(kind)} for kind in (Content, Draft, ReviseRequest))
    assert (draft[field].default, draft[field].default_factory) == (
        content[field].default,
        content[field].default_factory,
    )
    assert change[field].required is False
    assert full(1) != replace(full(1), **{field: sample(field, 2)})
