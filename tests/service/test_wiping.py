"""A wipe that has to wait is said by the receipt, health, stats and doctor, on every surface, and is done by the upkeep."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.errors import RequestTimeoutError
from ai_memory.mcp.structured import structure_of
from ai_memory.mcp.text import text_of
from ai_memory.operations.base import to_json
from ai_memory.service.background import upkeep
from ai_memory.settings import Settings
from ai_memory.store.sqlite import store as sqlite_store
from ai_memory.store.sqlite.file import wal
from tests.support.disk import files_with
from tests.support.rest_server import ask, serving
from tests.support.secret_words import secret

TEXT = secret(77)


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wal, "FIRST_TRY_SECONDS", 0.05)
    monkeypatch.setattr(wal, "RETRY_EVERY_SECONDS", 0.0)
    monkeypatch.setattr(upkeep, "EVERY_SECONDS", 0.1)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as opened:
        opened.remember_many([f"other {number}" for number in range(5)])
        yield opened


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_the_receipt_health_stats_and_doctor_say_that_a_wipe_waits(memory: Memory, tmp_path: Path) -> None:
    made = str(memory.remember(f"the {TEXT}").memory_id)
    other = str(memory.remember("said later").memory_id)
    reading = memory.export()
    next(reading)
    next(reading)
    receipt = memory.forget(made)
    assert receipt.forgotten == 1
    assert receipt.wipe_pending is not None
    assert "export" in receipt.wipe_pending.why
    assert receipt.wipe_pending.why in text_of(receipt, memory._service.zone)
    assert receipt.wipe_pending.why in to_json(structure_of(receipt, memory._service.zone)).decode()
    health = memory.health()
    assert "wipe" in health.degraded
    assert health.ready, "it takes writes all the same"
    said = next(part for part in health.parts if part.name == "wipe")
    assert f"{receipt.wipe_pending.since:%Y-%m-%d}" in said.message
    assert said.mend
    for problems in (memory.stats().problems, memory._service.doctor()):
        assert "wipe_pending" in {each.check for each in problems}
    assert files_with(tmp_path, [TEXT]) != []
    reading.close()  # type: ignore[attr-defined]
    _until(lambda: "wipe" not in memory.health().degraded)
    assert files_with(tmp_path, [TEXT]) == [], "by the upkeep alone, without another write"
    assert memory.stats().problems == ()
    assert memory.forget(other).wipe_pending is None


def test_the_program_that_stopped_reading_is_told_why(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store, "UNREAD_SECONDS", 0.3)
    made = str(memory.remember(f"the {TEXT}").memory_id)
    reading = memory.export()
    next(reading)
    next(reading)
    assert memory.forget(made).wipe_pending is not None
    _until(lambda: "wipe" not in memory.health().degraded)
    with pytest.raises(RequestTimeoutError, match="forgotten"):
        next(reading)


def test_over_http_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_store, "UNREAD_SECONDS", 5.0)
    with serving(tmp_path, model="none", extract=False) as served:  # which reads 12 MB for seconds
        lines = b"".join(b'{"text": "%d %s"}\n' % (number, b"x" * 100_000) for number in range(300))
        assert ask(served, "POST", "/v1/import", lines, {"Content-Type": "application/x-ndjson"}).status == 200
        made = ask(served, "POST", "/v1/memories", {"text": f"the {TEXT}"})
        assert made.json["outcome"] == "stored", made.body
        assert ask(served, "POST", "/v1/recall", {"query": TEXT}).json["hits"], (
            "the index is built, which takes seconds"
        )
        with socket.create_connection(("127.0.0.1", served.port), timeout=30) as raw:
            raw.sendall(b"GET /v1/export HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert raw.recv(1_000).startswith(b"HTTP/1.1 200")
            time.sleep(0.3)
            receipt = ask(served, "DELETE", f"/v1/memories/{made.json['memory_id']}").json
            assert receipt["wipe_pending"]["why"]
            _until(lambda: "wipe" not in ask(served, "GET", "/v1/health").json["degraded"])
            assert files_with(tmp_path, [TEXT]) == []
            got = b""
            while chunk := raw.recv(1 << 20):
                got += chunk
            assert not got.endswith(b"0\r\n\r\n"), "the answer is broken off, so that nobody takes it for a whole one"
