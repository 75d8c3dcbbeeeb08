"""Two processes on one store: no lost write, no lock error, each sees the other's writes at its next call.

`AI_MEMORY_SECONDS=60` runs the long version.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from itertools import pairwise
from pathlib import Path
from typing import IO, Any

import pytest

from ai_memory.operations.base import parse
from ai_memory.operations.moving import ExportRequest
from ai_memory.operations.reading import GET, HISTORY, RECALL, GetRequest, HistoryRequest, RecallRequest
from ai_memory.operations.watching import STATS, StatsRequest
from ai_memory.operations.writing import (
    FORGET,
    REMEMBER,
    REMEMBER_MANY,
    REVISE,
    Draft,
    ForgetRequest,
    RememberManyRequest,
    RememberRequest,
    ReviseRequest,
)
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.support.disk import files_with
from tests.support.secret_words import secret

SECONDS = float(os.environ.get("AI_MEMORY_SECONDS", "3"))
CHILD = Path(__file__).resolve().parents[1] / "support" / "writing_child.py"
OPENING = Path(__file__).resolve().parents[1] / "support" / "opening_child.py"


def _open(folder: Path, **flags: Any) -> Service:
    return open_service(Settings(data_dir=folder, **{"model": "none", **flags}))


class Talking:
    """Two children; what one says it did is passed on to the other, a little at a time."""

    def __init__(self, folder: Path) -> None:
        self.said: dict[str, list[dict[str, Any]]] = {"one": [], "two": []}
        self.children = {
            name: subprocess.Popen(
                [sys.executable, str(CHILD), str(folder), name, str(SECONDS)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for name in self.said
        }

    def run(self) -> None:
        for child in self.children.values():
            assert child.stdout is not None
            assert "ready" in json.loads(child.stdout.readline() or "{}"), self.errors()
        for child in self.children.values():
            _write(child.stdin, "go\n")
        threads = [threading.Thread(target=self._pass_on, args=pair) for pair in (("one", "two"), ("two", "one"))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for child in self.children.values():
            assert child.stderr is not None
            errors = child.stderr.read()
            assert child.wait(30) == 0, errors
            assert "Error" not in errors
            child.stderr.close()

    def errors(self) -> str:
        """What the children wrote to standard error, once they are ended."""
        for child in self.children.values():
            child.kill()
        return "\n".join(child.communicate()[1] for child in self.children.values())

    def _pass_on(self, name: str, other: str) -> None:
        """Every third of the memories that `name` has done with is asked of `other`."""
        source, sink = self.children[name].stdout, self.children[other].stdin
        assert source is not None
        with source:
            for line in source:
                told = json.loads(line)
                self.said[name].append(told)
                number = told.get("number", 0)
                last = "forget" if number % 7 == 0 else "revise" if number % 5 == 0 else "remember"
                if told.get("did") == last and "word" in told and number % 3 == 0:
                    _write(sink, line)
                if "done" in told and sink is not None:
                    sink.close()


def _write(sink: IO[str] | None, line: str) -> None:
    assert sink is not None
    sink.write(line)
    sink.flush()


@pytest.mark.timeout(60 + 4 * int(SECONDS))
def test_two_processes_write_and_see_each_other(tmp_path: Path) -> None:
    talking = Talking(tmp_path)
    talking.run()
    said = [told for lines in talking.said.values() for told in lines]
    answers = [told for told in said if "saw" in told]
    assert len(answers) > 10
    assert [told for told in answers if told["missing"]] == []

    forgotten = {told["id"] for told in said if told.get("did") == "forget"}
    last = {told["id"]: told["word"] for told in said if told.get("did") in ("remember", "revise")}
    service = _open(tmp_path)
    try:
        assert service.carry_out(STATS, StatsRequest()).memories == len(last) - len(forgotten)
        for memory_id, word in last.items():
            if memory_id not in forgotten:
                assert word in service.carry_out(GET, GetRequest(id=memory_id)).text
        assert service.doctor() == ()
    finally:
        service.close()


def test_processes_that_open_a_new_store_at_once_all_have_it(tmp_path: Path) -> None:
    """One makes it; the others wait and open what it made, with its graph file, its index and a cache of vectors."""
    children = [
        subprocess.Popen([sys.executable, str(OPENING)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    try:
        for number in range(40):
            for child in children:
                _write(child.stdin, f"{tmp_path / str(number)}\n")
            assert [_answer(child) for child in children] == ["open"] * 3
            for child in children:
                _write(child.stdin, "close\n")
            assert [_answer(child) for child in children] == ["3 memories"] * 3
    finally:
        for child in children:
            child.kill()
            child.communicate()


def _answer(child: subprocess.Popen[str]) -> str:
    assert child.stdout is not None
    return child.stdout.readline().strip()


def test_a_second_process_closing_does_not_bring_back_what_was_forgotten(tmp_path: Path) -> None:
    """Its index, saved at the end, must not hold what the first one forgot meanwhile."""
    first, second = _open(tmp_path, snapshot_rows=100), _open(tmp_path, snapshot_rows=100)
    many = _fill(first, 1_100)
    second.carry_out(RECALL, _question(secret(7)))
    first.carry_out(FORGET, ForgetRequest(id=many[secret(7)]))
    first.close()
    second.close()  # the last one: nobody writes a better index over its own
    assert files_with(tmp_path, [secret(7)]) == []
    assert files_with(tmp_path, [secret(8)]), "the search itself works"
    third = _open(tmp_path)
    assert [hit for hit in third.carry_out(RECALL, _question(secret(7))).hits if hit.matched] == []
    assert third.carry_out(RECALL, _question(secret(8))).hits[0].memory.id == many[secret(8)]
    third.close()


def test_two_services_closing_at_once_leave_an_index_that_is_right(tmp_path: Path) -> None:
    services = [_open(tmp_path, snapshot_rows=10) for _ in range(3)]
    many = _fill(services[0], 1_050)
    for service in services:
        service.carry_out(RECALL, _question(secret(3)))
    closing = [threading.Thread(target=service.close) for service in services]
    for thread in closing:
        thread.start()
    for thread in closing:
        thread.join()
    fresh = _open(tmp_path)
    for word in (secret(0), secret(500), secret(1049)):
        assert fresh.carry_out(RECALL, _question(word)).hits[0].memory.id == many[word]
    fresh.close()


def test_partial_revisions_of_two_writers_are_both_kept(tmp_path: Path) -> None:
    """A revision changes the fields it names and no others, also when another writer comes between."""
    services = [_open(tmp_path), _open(tmp_path)]
    receipt = services[0].carry_out(REMEMBER, RememberRequest(text="shared", title="t0", context="c0"))
    assert receipt.memory_id is not None
    memory_id = receipt.memory_id

    def change(service: Service, field: str) -> None:
        for number in range(1, 31):
            service.carry_out(REVISE, parse(ReviseRequest, {"id": memory_id, field: f"{field}{number}"}))

    threads = [
        threading.Thread(target=change, args=(service, field))
        for service, field in zip(services, ("title", "context"), strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    history = services[0].carry_out(HISTORY, HistoryRequest(id=memory_id)).revisions
    assert (history[-1].title, history[-1].context, history[-1].revision) == ("title30", "context30", 61)
    changed = [
        sum(getattr(before, field) != getattr(after, field) for field in ("title", "context"))
        for before, after in pairwise(history)
    ]
    assert changed == [1] * 60, "each revision changed one field: none was made from a state that was gone"
    for service in services:
        service.close()


def test_many_threads_of_one_service_lose_nothing(tmp_path: Path) -> None:
    service = _open(tmp_path)
    kept: list[str] = []

    def write(thread: int) -> None:
        for number in range(25):
            receipt = service.carry_out(REMEMBER, RememberRequest(text=f"thread {thread} number {number}"))
            kept.append(receipt.memory_id or "")

    threads = [threading.Thread(target=write, args=(thread,)) for thread in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(kept)) == 200
    assert sum(b'"record":"memory"' in line for line in service.export(ExportRequest())) == 200
    service.close()


def _fill(service: Service, count: int) -> dict[str, str]:
    """So many memories with a word of their own each; their ids by word."""
    words = [secret(number) for number in range(count)]
    receipts = service.carry_out(
        REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=f"a {word} b") for word in words])
    )
    return {word: receipt.memory_id or "" for word, receipt in zip(words, receipts.receipts, strict=True)}


def _question(word: str) -> RecallRequest:
    return RecallRequest(query=word)
