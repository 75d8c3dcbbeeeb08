"""Tags and contexts are shown as written and compared without case, by every operation that filters or lists."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.settings import Settings


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(settings=Settings(data_dir=tmp_path / "data", model="none", snapshot_rows=1)) as opened:
        opened.remember("alpha budget", tags=["finance"], context="Work/Atlas")
        opened.remember("beta budget", tags=["Finance", "Q3"], context="work/atlas")
        opened.remember("gamma budget", tags=["home"], context="WORK/Bees")
        opened.remember("delta budget", context="Work")
        yield opened


def recalled(memory: Memory, **how: object) -> set[str]:
    return {hit.memory.text.split()[0] for hit in memory.recall("budget", **how).hits}  # type: ignore[arg-type]


def listed(memory: Memory, **how: object) -> set[str]:
    return {each.text.split()[0] for each in memory.list(**how).memories}  # type: ignore[arg-type]


CASES: list[tuple[dict[str, object], set[str]]] = [
    ({"tags": ["FINANCE"]}, {"alpha", "beta"}),
    ({"tags": ["FINANCE", "q3"]}, {"beta"}),
    ({"any_tags": ["HOME", "Q3"]}, {"beta", "gamma"}),
    ({"without_tags": ["FINANCE"]}, {"gamma", "delta"}),
    ({"context": "WORK/ATLAS"}, {"alpha", "beta"}),
    ({"context": "work"}, {"alpha", "beta", "gamma", "delta"}),
    ({"context": "wor"}, set()),
]


@pytest.mark.parametrize(("how", "expected"), CASES)
def test_filters(memory: Memory, how: dict[str, object], expected: set[str]) -> None:
    assert recalled(memory, **how) == listed(memory, **how) == expected
    counts = [bucket.count for bucket in memory.timeline(**how).buckets]  # type: ignore[arg-type]
    assert sum(counts) == len(expected)
    assert memory.forget_many(**how).forgotten == len(expected)  # type: ignore[arg-type]


def test_filters_after_a_restart(tmp_path: Path, memory: Memory) -> None:
    recalled(memory)
    memory.close()
    with Memory(settings=Settings(data_dir=tmp_path / "data", model="none", snapshot_rows=1)) as again:
        for how, expected in CASES:
            assert recalled(again, **how) == expected


def test_what_was_erased_is_found_in_no_spelling(memory: Memory) -> None:
    assert memory.forget_many(tags=["FINANCE"], dry_run=False, everything=True).forgotten == 2
    assert recalled(memory, tags=["finance"]) == listed(memory, tags=["finance"]) == set()
    memory.remember("epsilon budget", tags=["FINANCE"])
    assert recalled(memory, tags=["finance"]) == listed(memory, tags=["finance"]) == {"epsilon"}


def test_contexts_are_one_path_in_its_most_used_spelling(memory: Memory) -> None:
    memory.remember("zeta budget", context="work/atlas")
    found = [(each.path, each.memories, each.total) for each in memory.contexts().contexts]
    assert found == [("WORK/Bees", 1, 1), ("Work", 1, 5), ("work/atlas", 3, 3)]
    below = [(each.path, each.memories, each.total) for each in memory.contexts(under="WORK/ATLAS").contexts]
    assert below == [("work/atlas", 3, 3)]


def test_a_tag_is_kept_once_and_as_first_written(memory: Memory) -> None:
    memory.remember("eta budget", tags=["Ops", "OPS", " ops ", "Redis"])
    (eta,) = memory.list(tags=["ops"]).memories
    assert eta.tags == ("Ops", "Redis")
    again = memory.remember("eta budget", tags=["OPS", "redis"])
    assert (again.outcome.value, again.differs) == ("duplicate_of", ())
    assert memory.remember("alpha budget", context="WORK/ATLAS").differs == ()
    assert memory.remember("alpha budget", context="elsewhere").differs == ("context",)
