from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.index import snapshot
from ai_memory.index.catalog import Catalog
from ai_memory.index.partition import Partition
from ai_memory.types import MemoryRecord, Selection
from tests.support.condition_oracle import CONDITIONS, CONTENT, START, USERS, holds


def record(at: int, content: dict[str, Any], user: str | None = None) -> MemoryRecord:
    made = START + dt.timedelta(hours=at)
    plain = MemoryRecord(
        id=f"mem_{at}", namespace="ns", user=user, text="", created_at=made, recorded_at=made, content_hash=""
    )
    return msgspec.structs.replace(plain, **content)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.tuples(CONTENT, USERS), max_size=20), st.lists(CONDITIONS, min_size=1, max_size=4), st.data())
def test_a_mask_means_what_the_page_says(
    contents: list[Any], conditions: list[dict[str, Any]], data: st.DataObject
) -> None:
    records = [record(at, content, user) for at, (content, user) in enumerate(contents)]
    catalog = Catalog()
    for key, each in enumerate(records):
        catalog.add(key, each, 2)
    gone = data.draw(st.sets(st.sampled_from(range(len(records))))) if records else set()
    catalog.remove(np.array([row for at in gone for row in (2 * at, 2 * at + 1)], np.int32))
    for where in conditions:
        mask = catalog.mask(Selection(where=where), catalog.n)
        expected = [at not in gone and holds(where, each) for at, each in enumerate(records)]
        assert mask.tolist() == [kept for kept in expected for _ in range(2)], where


def test_what_only_erased_rows_had_is_dropped() -> None:
    catalog = Catalog()
    catalog.add(1, record(1, {"attributes": {"city": "Riga", "shared": 1}}), 1)
    catalog.add(2, record(2, {"attributes": {"code": "secret", "shared": 1}}), 1)
    catalog.remove(catalog.rows_of(2))
    assert [term for term in catalog.attributes.terms() if term] == ['["city","Riga"]', '["shared",1]']
    assert "secret" not in repr(vars(catalog.attributes))
    assert catalog.mask(Selection(where={"attributes.code": {"$exists": True}}), 2).tolist() == [False, False]


@settings(max_examples=25, deadline=None)
@given(st.lists(CONTENT, min_size=1, max_size=10), st.lists(CONDITIONS, min_size=1, max_size=4))
def test_a_snapshot_keeps_the_attributes(
    tmp_path_factory: Any, contents: list[dict[str, Any]], conditions: list[dict[str, Any]]
) -> None:
    folder = Path(tmp_path_factory.mktemp("snapshot")) / "ns"
    partition = Partition("ns")
    partition.add_many([(at, record(at, content)) for at, content in enumerate(contents)])
    partition.remove([0])
    snapshot.save(partition, folder, snapshot.Origin(store_id="s", sequence=1))
    loaded = snapshot.load(folder, store_id="s", namespace="ns").partition
    assert loaded is not None
    for where in conditions:
        before, after = (each.view().mask(Selection(where=where)).tolist() for each in (partition, loaded))
        assert before == after
    later = [(20 + at, record(20 + at, content)) for at, content in enumerate(contents)]
    for each in (partition, loaded):
        each.add_many(later)
    for where in conditions:
        before, after = (each.view().mask(Selection(where=where)).tolist() for each in (partition, loaded))
        assert before == after
