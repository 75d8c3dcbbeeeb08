"""The service in process: `Memory` and `AsyncMemory`."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import anyio
import pytest

from ai_memory import (
    AsyncMemory,
    InvalidInputError,
    Memory,
    Outcome,
    ServiceUnavailableError,
    Settings,
    StoreCorruptError,
)


def test_a_store_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "my.db"
    with Memory(path, data_dir=tmp_path, model="none") as memory:
        receipt = memory.remember("Kept in a file of its own.", tags={"a", "b"}, attributes={"n": 1})  # type: ignore[arg-type]
        assert receipt.outcome is Outcome.STORED
        assert memory.settle(1.0) is False
    assert path.exists()
    with Memory(str(path), data_dir=tmp_path, model="none") as again:
        found = again.list().memories[0]
        assert (found.text, set(found.tags), found.attributes) == ("Kept in a file of its own.", {"a", "b"}, {"n": 1})


def test_meaning_in_process(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        receipt = memory.remember("The ferry leaves at nine.", wait=True)
        assert receipt.searchable.meaning
        assert memory.settle(30.0) is True
        answer = memory.recall("When does the ferry leave?", limit=3)
        assert answer.hits[0].memory.id == receipt.memory_id


def test_instants_in_every_spelling(tmp_path: Path) -> None:
    expected = dt.datetime(2026, 3, 14, tzinfo=dt.UTC)
    spellings: list[Any] = [
        "2026-03-14",
        "2026-03-14T00:00:00",
        "2026-03-14T01:00:00+01:00",
        dt.date(2026, 3, 14),
        dt.datetime(2026, 3, 14),
        expected,
        dt.datetime(2026, 3, 14, 3, tzinfo=dt.timezone(dt.timedelta(hours=3))),
    ]
    with Memory(data_dir=tmp_path, model="none") as memory:
        for number, spelling in enumerate(spellings):
            memory.remember(f"spelling {number}", valid_from=spelling)
        assert {one.valid_from for one in memory.list().memories} == {expected}
        for wrong in ("soon", "2026-02-30", " ", "9999-12-31T23:59:59-23:00"):
            with pytest.raises(InvalidInputError, match="valid_from"):
                memory.remember("x", valid_from=wrong)


def test_lines_in_process(tmp_path: Path) -> None:
    told: list[tuple[int, dict[str, int]]] = []
    with Memory(data_dir=tmp_path / "a", model="none") as memory:
        lines = ({"text": f"line {number}"} for number in range(600))
        report = memory.import_lines(lines, progress=lambda done, counts: told.append((done, counts)))
        assert report.counts == {"stored": 600}
        assert told[-1] == (600, {"stored": 600})
        archive = list(memory.export())
    with Memory(data_dir=tmp_path / "b", model="none") as other:
        assert other.import_lines(archive).counts == {"stored": 600}
        assert list(other.export()) == archive


def test_a_closed_memory_says_so(tmp_path: Path) -> None:
    memory = Memory(data_dir=tmp_path, model="none")
    memory.close()
    memory.close()
    with pytest.raises(ServiceUnavailableError, match="closed"):
        memory.list()


def test_settings_are_given_once_and_right(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, model="none")
    with Memory(settings=settings) as memory:
        assert memory.settings is settings
    with pytest.raises(InvalidInputError, match="settings are given"):
        Memory(settings=settings, model="none")
    with pytest.raises(InvalidInputError, match="port"):
        Memory(data_dir=tmp_path, port=70_000)
    with pytest.raises(InvalidInputError, match="colour"):
        Memory(data_dir=tmp_path, colour="red")


def test_a_file_that_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear reader, " * 100)
    with pytest.raises(StoreCorruptError):
        Memory(tmp_path / "letter.txt", data_dir=tmp_path, model="none")
    assert (tmp_path / "letter.txt").read_text().startswith("Dear reader")


def test_the_async_memory(tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncMemory(data_dir=tmp_path, model="hashing") as memory:
            receipt = await memory.remember("kept async")
            assert await memory.settle(30.0)
            assert (await memory.get(receipt.memory_id or "")).text == "kept async"
            assert [line async for line in memory.export()][1]["text"] == "kept async"
            assert (await memory.import_lines(['{"text": "more"}'])).counts == {"stored": 1}
        with pytest.raises(ServiceUnavailableError):
            await memory.list()

    anyio.run(main)
