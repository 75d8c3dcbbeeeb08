"""A forgotten text that comes again: refused, reinstated or warned of on every surface, and carried by archives."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.errors import ConflictError
from ai_memory.settings import Settings
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.store.test_secrets import EARLIER
from tests.support.store_samples import CLOCK
from tests.support.surfaces import Surface, all_surfaces
from tests.text.test_retelling import DRESSED, OTHERS, TEXT


@pytest.fixture(scope="module")
def surfaces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Surface]]:
    with all_surfaces(tmp_path_factory.mktemp("surfaces")) as made:
        yield made


def memory_in(folder: Path) -> Memory:
    return Memory(settings=Settings(data_dir=folder, model="none", extract=False))


@pytest.fixture
def source(tmp_path: Path) -> Iterator[Memory]:
    with memory_in(tmp_path / "source") as memory:
        yield memory


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Memory]:
    with memory_in(tmp_path / "target") as memory:
        yield memory


def remembered(memory: Memory, text: str, **fields: Any) -> str:
    memory_id = memory.remember(text, **fields).memory_id
    assert memory_id is not None
    return memory_id


def lines(memory: Memory, **how: Any) -> list[bytes]:
    return [json.dumps(each, ensure_ascii=False).encode() for each in memory.export(**how)]


def test_it_is_refused_warned_of_and_reinstated_on_every_surface(surfaces: dict[str, Surface]) -> None:
    for name, surface in surfaces.items():
        memory_id = surface.call("remember", {"text": TEXT, "author": "Ann"})["memory_id"]
        assert "error" not in surface.call("forget", {"id": memory_id}), name
        dressed = f"«{TEXT.upper()}»"
        refused = surface.call("remember", {"text": dressed})
        assert "forgotten" in json.dumps(refused), name
        longer = surface.call("remember", {"text": f"Bob knows: {TEXT.lower()} and more"})
        assert longer["contains_forgotten"] == [memory_id], name
        revised = surface.call("revise", {"id": longer["memory_id"], "text": f"Bob knew: {TEXT} long ago"})
        assert revised["contains_forgotten"] == [memory_id], name
        back = surface.call("remember", {"text": dressed, "reinstate": True})
        assert back["outcome"] == "stored", name
        plain = surface.call("remember", {"text": f"Bob knows nothing, and {name} neither"})
        assert plain.get("contains_forgotten", []) == [], name


def test_each_of_many_is_judged_by_itself(source: Memory) -> None:
    source.forget(remembered(source, TEXT))
    receipts = source.remember_many([*DRESSED.values(), *OTHERS.values()]).receipts
    codes = [receipt.code for receipt in receipts]
    assert codes == ["forgotten"] * len(DRESSED) + [None] * len(OTHERS)


def test_lines_of_an_import_are_refused_and_warned_of(source: Memory) -> None:
    memory_id = remembered(source, TEXT)
    source.forget(memory_id)
    drafts = [{"text": TEXT.title(), "author": "Bob"}, {"text": f"Ann: hello\nBob: {TEXT}"}, {"text": "plain"}]
    report = source.import_lines([json.dumps(draft).encode() for draft in drafts])
    assert [(each.line, each.code) for each in report.rejected] == [(1, "forgotten")]
    assert [(each.line, memory_id in each.message) for each in report.warnings] == [(2, True)]
    assert report.counts == {"rejected": 1, "stored": 2}


def test_an_archive_carries_tombstones_and_importing_it_keeps_them(source: Memory, target: Memory) -> None:
    kept = remembered(source, "kept")
    before = lines(source)
    source.forget(remembered(source, TEXT))
    archive = lines(source)
    assert archive == lines(source), "equal stores give equal archives"
    assert [json.loads(line)["record"] for line in archive] == ["archive", "memory", "tombstone"]
    assert not any(word.encode() in b"".join(archive) for word in ("Ivers", "4711"))
    report = target.import_lines(archive)
    assert (report.counts, report.rejected) == ({"stored": 2}, ())
    assert target.get(kept).text == "kept"
    assert {target.remember(text).code for text in DRESSED.values()} == {"forgotten"}
    assert {target.remember(text).code for text in OTHERS.values()} == {None}
    assert target.import_lines(archive).counts == {"duplicate_of": 2}
    assert [line for line in lines(target) if b'"tombstone"' in line] == archive[-1:], "the next archive has them too"
    assert target.import_lines(before).counts == {"duplicate_of": 1}
    assert source.import_lines(archive).counts == {"duplicate_of": 2}, "a store knows its own"


def test_a_forgotten_memory_of_an_older_archive_does_not_come_back_elsewhere(source: Memory, target: Memory) -> None:
    memory_id = remembered(source, TEXT)
    older = lines(source)
    source.forget(memory_id)
    target.import_lines(lines(source))
    report = target.import_lines(older)
    assert [each.code for each in report.rejected] == ["forgotten"]


def test_tombstones_can_be_left_out_on_either_side_and_moved(source: Memory, target: Memory) -> None:
    source.forget(remembered(source, TEXT))
    assert [json.loads(line)["record"] for line in lines(source, tombstones=False)] == ["archive"]
    assert [json.loads(line)["record"] for line in lines(source, current_only=True)] == ["archive"]
    assert target.import_lines(lines(source), tombstones=False).counts == {}
    assert target.import_lines(lines(source), namespace="moved").counts == {"stored": 1}
    assert target.remember(TEXT).code is None
    assert target.remember(TEXT, namespace="moved").code == "forgotten"


@pytest.mark.parametrize(
    "change", [{"digest": "x"}, {"salt": "0" * 31}, {"other_digest": "G" * 32}, {"namespace": ""}, {"digest": None}]
)
def test_a_broken_tombstone_is_reported_by_its_line(source: Memory, target: Memory, change: dict[str, Any]) -> None:
    source.forget(remembered(source, TEXT))
    archive = lines(source)
    broken = json.dumps(json.loads(archive[-1]) | change).encode()
    report = target.import_lines([*archive[:-1], broken])
    assert [(each.line, each.code) for each in report.rejected] == [(len(archive), "invalid_input")]
    assert target.remember(TEXT).code is None


def test_revise_says_that_it_would_bring_back_what_was_forgotten(source: Memory) -> None:
    source.forget(remembered(source, TEXT))
    other = remembered(source, "other")
    with pytest.raises(ConflictError, match="forgotten on purpose"):
        source.revise(other, text=TEXT.lower())


def test_what_is_derived_from_an_earlier_store_is_made_again(tmp_path: Path) -> None:
    path = tmp_path / "memory.db"
    connection = sqlite3.connect(path)
    connection.executescript(EARLIER.read_text("utf-8"))
    (newest,) = connection.execute("SELECT digest FROM log ORDER BY sequence DESC LIMIT 1").fetchone()
    connection.close()
    (tmp_path / "memory.db.index").mkdir()
    for stale in (tmp_path / "memory.db.index" / "head.json", tmp_path / "memory.db.graph"):
        stale.write_bytes(newest.hex().encode())
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as memory:
        assert memory.stats().memories == 3
    left = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert newest not in left
    assert newest.hex().encode() not in left
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert store.check() == []
