import datetime as dt
import errno
import shutil
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ai_memory.errors import StoreError, StoreFullError
from ai_memory.index import snapshot
from ai_memory.index.partition import Partition
from ai_memory.index.snapshot import Origin, discard, load, save
from ai_memory.text.analysis import analyse_query
from ai_memory.types import MemoryRecord, Selection

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
ORIGIN = Origin(store_id="store", sequence=41, generation=3, vector_position=17)
QUERY = "number7 common Ives 记忆"


def filled(rows: int = 700, dimension: int | None = 24) -> Partition:
    partition = Partition("ns", dimension)
    rng = np.random.default_rng(1)
    for number in range(1, rows + 1):
        at = START + dt.timedelta(minutes=number * 37 % 100)
        record = MemoryRecord(
            id=f"mem_{number}",
            namespace="ns",
            session=f"s\n{number % 9}" if number % 10 else None,
            context=f"work/é{number % 4}",
            author="Ives" if number % 3 else None,
            text=f"common words number{number % 50} 记忆 "
            + "filler text. " * (number % 150 if number % 90 == 0 else 3),
            tags=("even",) if number % 2 == 0 else (),
            valid_to=at if number % 5 == 0 else None,
            created_at=at,
            recorded_at=at,
            content_hash="",
        )
        partition.add(number, record)
        if dimension is not None and number % 4:
            partition.set_vectors([(number, 0, rng.standard_normal(dimension).astype(np.float32))])
    partition.remove([5, 6])
    partition.retire(8, START)
    return partition


def same(one: Partition, other: Partition) -> None:
    left, right = one.view(), other.view()
    assert left.n == right.n
    terms = analyse_query(QUERY).terms
    for a, b in zip(left.lexical_scores(terms), right.lexical_scores(terms), strict=True):
        np.testing.assert_array_equal(a, b)
    if left.dimension is not None:
        query = np.linspace(-1, 1, left.dimension, dtype=np.float32)
        np.testing.assert_array_equal(left.dense_scores(query), right.dense_scores(query))
    for selection in (
        Selection(),
        Selection(tags=("even",), context="work/é1"),
        Selection(session=("s\n3",), include_ended=False, now=START),
        Selection(known_at=START + dt.timedelta(days=1), author=("Ives",), ids=("mem_8", "mem_9")),
    ):
        np.testing.assert_array_equal(left.mask(selection), right.mask(selection))
    rows = np.arange(left.n, dtype=np.int32)
    np.testing.assert_array_equal(left.session_neighbours(rows, 2, 2), right.session_neighbours(rows, 2, 2))
    assert left.memory_ids(rows) == right.memory_ids(rows)
    assert one.missing_vectors() == other.missing_vectors()


def reason(folder: Path, store_id: str = "store", namespace: str = "ns") -> str:
    loaded = load(folder, store_id=store_id, namespace=namespace)
    assert loaded.partition is None
    assert loaded.origin is None
    assert loaded.reason is not None
    return loaded.reason


@pytest.mark.parametrize(("rows", "dimension"), [(700, 24), (700, None), (0, 24), (0, None), (1, 1)])
def test_what_is_saved_is_loaded(tmp_path: Path, rows: int, dimension: int | None) -> None:
    partition = filled(rows, dimension)
    save(partition, tmp_path / "ns", ORIGIN)
    loaded = load(tmp_path / "ns", store_id="store", namespace="ns")
    assert loaded.reason is None
    assert loaded.origin == ORIGIN
    assert loaded.partition is not None
    same(partition, loaded.partition)


def test_a_loaded_partition_goes_on(tmp_path: Path) -> None:
    partition = filled()
    save(partition, tmp_path / "ns", ORIGIN)
    loaded = load(tmp_path / "ns", store_id="store", namespace="ns").partition
    assert loaded is not None
    for each in (partition, loaded):
        for number in range(1_000, 1_300):
            record = MemoryRecord(
                id=f"mem_{number}",
                namespace="ns",
                session="s\n3",
                text="common new number7",
                created_at=START,
                recorded_at=START,
                content_hash="",
            )
            each.add(number, record)
            each.set_vectors([(number, 0, np.linspace(1, 2, 24, dtype=np.float32) * (-1) ** number)])
        each.remove([1_000, 17, 18, 700])
        each.retire(20, START)
    same(partition, loaded)
    again = load(tmp_path / "ns", store_id="store", namespace="ns")
    assert again.reason is None, "changing a loaded partition leaves the files alone"
    save(loaded, tmp_path / "ns", ORIGIN)
    reloaded = load(tmp_path / "ns", store_id="store", namespace="ns").partition
    assert reloaded is not None
    same(loaded, reloaded)
    assert [path.name for path in tmp_path.iterdir()] == ["ns"]


def test_a_missing_or_foreign_snapshot_is_not_used(tmp_path: Path) -> None:
    assert "there is no snapshot.json" in reason(tmp_path / "none")
    save(filled(3), tmp_path / "ns", ORIGIN)
    assert "another store" in reason(tmp_path / "ns", store_id="other")
    assert "another namespace" in reason(tmp_path / "ns", namespace="other")


def test_every_damaged_file_is_noticed(tmp_path: Path) -> None:
    save(filled(60), tmp_path / "ns", ORIGIN)
    files = sorted(path.name for path in (tmp_path / "ns").iterdir())
    assert len(files) > 40
    for name in files:
        path = tmp_path / "ns" / name
        intact = path.read_bytes()
        for damaged in (intact[:-1], intact + b"x", intact[:-1] + bytes([intact[-1] ^ 1]) if intact else b"y", b""):
            if damaged != intact:
                path.write_bytes(damaged)
                assert name in reason(tmp_path / "ns")
        path.unlink()
        assert name in reason(tmp_path / "ns")
        path.write_bytes(intact)
    assert load(tmp_path / "ns", store_id="store", namespace="ns").reason is None


@pytest.mark.parametrize(
    ("field", "value", "word"), [("FORMAT", snapshot.FORMAT + 1, "format"), ("ANALYSIS_VERSION", "0", "analysis")]
)
def test_another_version_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, field: str, value: object, word: str
) -> None:
    save(filled(3), tmp_path / "ns", ORIGIN)
    monkeypatch.setattr(snapshot, field, value)
    assert word in reason(tmp_path / "ns")


def test_a_head_that_is_no_head_is_not_used(tmp_path: Path) -> None:
    save(filled(3), tmp_path / "ns", ORIGIN)
    for content in (b"", b"\xff\x00", b"{}", b"00000000\n"):
        (tmp_path / "ns" / "snapshot.json").write_bytes(content)
        assert "snapshot.json" in reason(tmp_path / "ns") or "Error" in reason(tmp_path / "ns")
    shutil.rmtree(tmp_path / "ns")
    (tmp_path / "ns").write_text("a file where the folder should be")
    assert "cannot be read" in reason(tmp_path / "ns")


@pytest.mark.parametrize(("number", "kind"), [(errno.ENOSPC, StoreFullError), (errno.EIO, StoreError)])
def test_a_failed_write_leaves_the_old_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception]
) -> None:
    save(filled(3), tmp_path / "ns", ORIGIN)

    def fail(descriptor: int) -> None:
        raise OSError(number, "the device said no")

    monkeypatch.setattr("os.fsync", fail)
    with pytest.raises(kind, match="the device said no"):
        save(filled(4), tmp_path / "ns", msgspec.structs.replace(ORIGIN, sequence=99))
    monkeypatch.undo()
    assert load(tmp_path / "ns", store_id="store", namespace="ns").origin == ORIGIN
    assert [path.name for path in tmp_path.iterdir()] == ["ns"]


def test_discarding_leaves_nothing_behind(tmp_path: Path) -> None:
    discard(tmp_path / "ns")
    save(filled(3), tmp_path / "ns", ORIGIN)
    (tmp_path / "ns.123.new").mkdir()
    (tmp_path / "ns.123.old").mkdir()
    (tmp_path / "ns2").mkdir()
    discard(tmp_path / "ns")
    assert [path.name for path in tmp_path.iterdir()] == ["ns2"]


def test_forgotten_words_are_in_no_new_snapshot(tmp_path: Path) -> None:
    partition = filled(3)
    record = MemoryRecord(
        id="x",
        namespace="ns",
        session="zebra-session",
        author="zebra-author",
        tags=("zebra-tag",),
        context="zebra",
        text="zebra",
        created_at=START,
        recorded_at=START,
        content_hash="",
    )
    partition.add(50, record)
    partition.remove([50])
    save(partition, tmp_path / "ns", ORIGIN)
    assert not [path for path in (tmp_path / "ns").iterdir() if b"zebra" in path.read_bytes()]
