"""The vector cache: what it answers, what it must never answer, and what damage costs."""

from __future__ import annotations

import logging
import multiprocessing
import sqlite3
import threading
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest

from ai_memory.embed.base import Encoded, Prompted, TooLong
from ai_memory.embed.cache import VectorCache
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import InvalidInputError, StoreReadOnlyError, TooLargeError
from tests.support.disk import files_with, mounted
from tests.support.tiny_models import tiny_bert

TEXTS = [Prompted("noon"), Prompted("night"), Prompted("noon", "query: "), Prompted(""), Prompted("noon")]


class Counting:
    """The tiny model behind a cache, and the texts it was called with."""

    def __init__(self, folder: Path) -> None:
        self.embedder: TransformerEmbedder = load_embedder(read_model_folder(folder))
        self.asked: list[list[Prompted]] = []

    def encode(
        self, cache: VectorCache, inputs: Sequence[Prompted] = TEXTS, too_long: TooLong = TooLong.WINDOWS
    ) -> Encoded:
        def run(missing: Sequence[Prompted]) -> Encoded:
            self.asked.append(list(missing))
            return self.embedder.encode(missing, too_long=too_long)

        return cache.encode(self.embedder.identity, inputs, too_long, run)


@pytest.fixture
def model(tmp_path: Path) -> Counting:
    return Counting(tiny_bert(tmp_path / "tiny"))


@pytest.fixture(params=["memory", "disk", "both"])
def cache(request: pytest.FixtureRequest, tmp_path: Path) -> VectorCache:
    if request.param == "memory":
        return VectorCache()
    return VectorCache(tmp_path / "vectors.db", memory_bytes=0 if request.param == "disk" else 1 << 20)


def test_each_text_is_made_once(model: Counting, cache: VectorCache) -> None:
    expected = model.embedder.encode(TEXTS)
    for _ in range(2):
        found = model.encode(cache)
        np.testing.assert_allclose(found.vectors, expected.vectors, atol=1e-6)
        assert (found.tokens, found.cut) == (expected.tokens, expected.cut)
    assert model.asked == [TEXTS[:4]]
    assert len(cache) == 4
    more = model.encode(cache, [Prompted("dawn"), Prompted("night")])
    assert model.asked[1] == [Prompted("dawn")]
    np.testing.assert_allclose(more.vectors[1], expected.vectors[1], atol=1e-6)
    assert model.encode(cache, []).vectors.shape == (0, 16)


def test_another_embedder_prompt_or_policy_is_another_vector(model: Counting, cache: VectorCache) -> None:
    model.encode(cache, [Prompted("ab", "c")])
    model.encode(cache, [Prompted("b", "ca")])
    model.encode(cache, [Prompted("ab", "c")], TooLong.TRUNCATE)
    other = msgspec.structs.replace(model.embedder.identity, revision="another")
    cache.encode(other, [Prompted("ab", "c")], TooLong.WINDOWS, model.embedder.encode)
    assert len(cache) == 4
    assert len(model.asked) == 3


def test_an_error_is_not_kept(model: Counting, cache: VectorCache) -> None:
    long = Prompted("x" * 100)
    for _ in range(2):
        with pytest.raises(TooLargeError):
            model.encode(cache, [Prompted("noon"), long], TooLong.ERROR)
    assert len(model.asked) == 2
    assert len(cache) == 0
    assert model.encode(cache, [long], TooLong.TRUNCATE).cut == model.encode(cache, [long], TooLong.TRUNCATE).cut
    assert model.encode(cache, [long], TooLong.TRUNCATE).cut[0] > 0


def test_hostile_texts_have_keys(model: Counting, cache: VectorCache) -> None:
    hostile = [Prompted(text) for text in ("\x00", "\ud800", "\ud83d\ude00", "‮שלום", "x" * 20_000)]
    for _ in range(2):
        assert np.isfinite(model.encode(cache, hostile).vectors).all()
    assert len(model.asked) == 1


def test_the_memory_is_bounded_and_drops_what_was_used_longest_ago(model: Counting) -> None:
    cache = VectorCache(memory_bytes=3 * 4 * 16)
    for text in ("a", "b", "c", "a", "d"):
        model.encode(cache, [Prompted(text)])
    assert len(cache) == 3
    asked = len(model.asked)
    model.encode(cache, [Prompted("a"), Prompted("c"), Prompted("d")])
    assert len(model.asked) == asked
    model.encode(cache, [Prompted("b")])
    assert model.asked[-1] == [Prompted("b")]


def test_the_file_is_bounded_and_drops_what_was_written_longest_ago(model: Counting, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.db", memory_bytes=0, disk_vectors=10)
    for begin in range(0, 40, 4):
        model.encode(cache, [Prompted(str(number)) for number in range(begin, begin + 4)])
    assert len(cache) == 10
    model.encode(cache, [Prompted("39"), Prompted("0")])
    assert model.asked[-1] == [Prompted("0")]


def test_the_file_outlives_the_process_and_holds_no_text(model: Counting, tmp_path: Path) -> None:
    path = tmp_path / "kept" / "vectors.db"
    secret = "the combination of the safe"
    first = VectorCache(path)
    made = model.encode(first, [Prompted(secret)])
    first.close()
    first.close()
    again = VectorCache(path)
    np.testing.assert_array_equal(model.encode(again, [Prompted(secret)]).vectors, made.vectors)
    assert len(model.asked) == 1
    again.close()
    assert files_with(path.parent, [secret, "combination"]) == []


@pytest.mark.parametrize("damage", ["garbage", "header", "middle", "empty", "text"])
def test_a_damaged_file_is_recreated(model: Counting, tmp_path: Path, damage: str) -> None:
    path = tmp_path / "vectors.db"
    with_rows = VectorCache(path, memory_bytes=0)
    model.encode(with_rows, [Prompted(str(number)) for number in range(400)])
    with_rows.close()
    data = bytearray(path.read_bytes())
    if damage == "garbage":
        data[:] = bytes(reversed(data))
    elif damage == "header":
        data[:100] = b"\x00" * 100
    elif damage == "middle":
        data[4096 : len(data) // 2] = b"\xa5" * (len(data) // 2 - 4096)
    path.write_bytes(b"" if damage == "empty" else b"no database" if damage == "text" else bytes(data))
    cache = VectorCache(path, memory_bytes=0)
    expected = model.embedder.encode([Prompted("7"), Prompted("300")]).vectors
    for _ in range(3):
        np.testing.assert_allclose(model.encode(cache, [Prompted("7"), Prompted("300")]).vectors, expected, atol=1e-6)
    asked = len(model.asked)
    model.encode(cache, [Prompted("7"), Prompted("300")])
    assert len(model.asked) == asked, "the new file answers"
    cache.close()


def test_a_damaged_row_is_ignored_and_repaired(model: Counting, tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    cache = VectorCache(path, memory_bytes=0)
    expected = model.encode(cache, [Prompted("noon")]).vectors
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE vectors SET vector = zeroblob(64)")
    connection.close()
    np.testing.assert_array_equal(model.encode(cache, [Prompted("noon")]).vectors, expected)
    assert len(model.asked) == 2
    model.encode(cache, [Prompted("noon")])
    assert len(model.asked) == 2


class Kept(logging.Handler):
    """Keeps records itself: other tests set up the package's logging as a program would."""

    def __init__(self) -> None:
        super().__init__()
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def test_a_full_disk_costs_the_cache_and_nothing_else(model: Counting, tmp_path: Path) -> None:
    kept, logger = Kept(), logging.getLogger("ai_memory.embed.cache")
    with mounted(tmp_path / "small", "300k") as place:
        cache = VectorCache(place / "vectors.db", memory_bytes=0)
        logger.addHandler(kept)
        logger.setLevel(logging.WARNING)
        try:
            for begin in range(0, 4000, 500):
                inputs = [Prompted(str(number)) for number in range(begin, begin + 500)]
                assert model.encode(cache, inputs).vectors.shape == (500, 16)
        finally:
            logger.removeHandler(kept)
            logger.setLevel(logging.NOTSET)
        assert sum("could not be used" in message for message in kept.messages) == 1
        cache.close()


def test_a_path_that_cannot_be_written_is_reported_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StoreReadOnlyError, match=r"vector cache at .* cannot be opened"):
        VectorCache(tmp_path / "file" / "vectors.db")
    with pytest.raises(StoreReadOnlyError, match="vector cache"):
        VectorCache(tmp_path)
    with pytest.raises(InvalidInputError, match="0 or more"):
        VectorCache(memory_bytes=-1)


def _write(folder: str, path: str, offset: int) -> None:
    model, cache = Counting(Path(folder)), VectorCache(Path(path), memory_bytes=0)
    for begin in range(0, 200, 10):
        model.encode(cache, [Prompted(str(number)) for number in range(begin + offset, begin + offset + 10)])
    cache.close()


def test_processes_share_the_file(model: Counting, tmp_path: Path) -> None:
    path = tmp_path / "vectors.db"
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=_write, args=(str(tmp_path / "tiny"), str(path), offset)) for offset in (0, 100)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    cache = VectorCache(path, memory_bytes=0)
    assert len(cache) == 300
    inputs = [Prompted(str(number)) for number in range(300)]
    np.testing.assert_allclose(model.encode(cache, inputs).vectors, model.embedder.encode(inputs).vectors, atol=1e-5)
    assert model.asked == []


def test_threads_share_the_cache(model: Counting, cache: VectorCache) -> None:
    expected = model.embedder.encode(TEXTS).vectors
    wrong: list[int] = []

    def ask(number: int) -> None:
        for _ in range(20):
            if not np.allclose(model.encode(cache).vectors, expected, atol=1e-5):
                wrong.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(cache) == 4


def test_a_closed_cache_is_bypassed(model: Counting, tmp_path: Path) -> None:
    cache = VectorCache(tmp_path / "vectors.db")
    cache.close()
    assert model.encode(cache).vectors.shape == (5, 16)
