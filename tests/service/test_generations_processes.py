"""Generations among processes: killed builds go on to the same end, and a switch is followed by all at their next call.

`AI_MEMORY_ROUNDS=200` kills as often.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ai_memory.clock import SystemClock
from ai_memory.operations.generations import GENERATIONS, TAKE_BACK, GenerationsRequest, TakeBackRequest
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER, REMEMBER_MANY, Draft, RememberManyRequest, RememberRequest
from ai_memory.service.service import Service
from ai_memory.store.base import Store
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.cutting_embedder import reembed, wait_for
from tests.support.generation_child import open_shelf

CHILD = Path(__file__).resolve().parents[1] / "support" / "generation_child.py"
KILLS = int(os.environ.get("AI_MEMORY_ROUNDS", "20"))
MEMORIES = 3_000
RATE = 2_000.0
"""Revisions a second, so that a build lasts for some kills on any machine."""
QUESTIONS = ("which colour has the house 7", "a ship 12", "sleeping cats", "whales")

Rows = dict[tuple[int, int], bytes]


def _fill(service: Service, count: int) -> None:
    kinds = ("the house is green", "cats sleep", "ships sail to sea", "whales sing")
    drafts = [Draft(text=f"{kinds[number % 4]} {number}") for number in range(count)]
    for start in range(0, count, 1_000):
        service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts[start : start + 1_000]))
    assert service.settle(120)


def _rows(folder: Path, dimension: int) -> Rows:
    """Every vector of a generation, by revision and passage, as it lies in the store."""
    with open_sqlite_store(folder / "memory.db", clock=SystemClock()) as store:
        return _rows_in(store, dimension)


def _rows_in(store: Store, dimension: int) -> Rows:
    (found,) = [each for each in store.generations() if each.embedder.dimension == dimension]
    rows, _ = store.vector_rows(found.id, limit=1_000_000)
    return {(row.key, row.passage): row.vector.tobytes() for row in rows}


def _pending(folder: Path, dimension: int) -> int:
    with open_sqlite_store(folder / "memory.db", clock=SystemClock()) as store:
        found = [each for each in store.generations() if each.embedder.dimension == dimension]
        return store.pending_count(found[0].id) if found else MEMORIES


def _build(folder: Path, dimension: int, seconds: float | None) -> bool:
    """Run the child until it is done, or kill it so long after it has begun; whether it was killed at work."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), "build", str(folder), str(dimension), str(RATE)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        if seconds is None:
            said, errors = child.communicate(timeout=120)
            assert (child.returncode, said) == (0, "begun\ndone\n"), errors
            return False
        assert child.stdout.readline() == "begun\n", child.stderr.read()
        time.sleep(seconds)
        child.kill()
        return child.wait() != 0 and "done" not in child.stdout.read()


@pytest.mark.slow
@pytest.mark.timeout(120 + 6 * KILLS)
def test_a_build_killed_at_any_moment_ends_like_a_clean_one(tmp_path: Path) -> None:
    chance = random.Random(20263)
    (tmp_path / "origin").mkdir()
    service = open_shelf(tmp_path / "origin")
    _fill(service, MEMORIES)
    service.close()
    clean = tmp_path / "clean"
    shutil.copytree(tmp_path / "origin", clean)
    _build(clean, 48, None)
    expected = _rows(clean, 48)
    assert len(expected) == MEMORIES

    kills = halfway = rounds = 0
    while kills < KILLS:
        folder = tmp_path / f"killed {rounds}"
        shutil.copytree(tmp_path / "origin", folder)
        rounds += 1
        before = MEMORIES
        while kills < KILLS and _pending(folder, 48) and _build(folder, 48, chance.uniform(0.0, 0.5)):
            kills += 1
            left = _pending(folder, 48)
            assert left <= before, "what was paid stays paid"
            halfway += 0 < left < MEMORIES
            before = left
        if _pending(folder, 48):
            _build(folder, 48, None)
        else:  # killed after the last vector was paid: perhaps before the switch
            after = open_shelf(folder)
            after.resume_build()
            assert wait_for(after).state == "done"
            after.close()
        assert _rows(folder, 48) == expected
        resumed = open_shelf(folder)
        assert _states(resumed) == [(64, "retired"), (48, "active")]
        assert resumed.doctor() == ()
        resumed.close()
    assert halfway > KILLS // 3, "the kills fell while vectors were being made"
    sys.stdout.write(
        f"{kills} kills in {rounds} builds, {halfway} of them half-way; every row equal to a clean build\n"
    )


def _states(service: Service) -> list[tuple[int, str]]:
    found = service.carry_out(GENERATIONS, GenerationsRequest()).generations
    return [(each.embedder.dimension, each.state) for each in found]


class Asker:
    """Another process that answers questions."""

    def __init__(self, child: subprocess.Popen[str]) -> None:
        self._child = child
        assert self._read() == "ready"

    def _read(self) -> str:
        assert self._child.stdout is not None
        return self._child.stdout.readline().strip()

    def say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(line + "\n")
        self._child.stdin.flush()

    def ask(self, question: str) -> tuple[str, list[str]]:
        self.say(question)
        return self.answer()

    def answer(self) -> tuple[str, list[str]]:
        found, notices = json.loads(self._read())
        return found, notices

    def write(self) -> None:
        self.say("*")
        assert self._read() == "written"


@contextmanager
def _askers(folder: Path, count: int) -> Iterator[list[Asker]]:
    children = [
        subprocess.Popen(
            [sys.executable, str(CHILD), "ask", str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(count)
    ]
    try:
        yield [Asker(child) for child in children]
        for child in children:
            _, errors = child.communicate(timeout=60)
            assert child.returncode == 0, errors
    finally:
        for child in children:
            child.kill()
            child.wait()


@pytest.mark.timeout(240)
def test_processes_follow_a_switch_at_their_next_call_and_never_mix(tmp_path: Path) -> None:
    """Two processes are asked while a third switches to and fro and writes; each answer is that of one generation."""
    service = open_shelf(tmp_path)
    _fill(service, 400)
    hashes: dict[str, list[str]] = {"64": _hashes(service)}
    reembed(service, dimension=16)
    assert wait_for(service).state == "done"
    hashes["16"] = _hashes(service)
    assert all(large != small for large, small in zip(hashes["64"], hashes["16"], strict=True))
    with _askers(tmp_path, 2) as askers:
        for turn in range(10):
            for asker in askers:
                asker.write()
                for question in QUESTIONS:
                    asker.say(question)  # on their way while the switch comes
            service.carry_out(REMEMBER, RememberRequest(text=f"from here {turn}", namespace="other"))
            service.carry_out(TAKE_BACK, TakeBackRequest())
            assert wait_for(service).state == "done"
            active = next(dimension for dimension, state in _states(service) if state == "active")
            assert active == (64 if turn % 2 == 0 else 16)
            for asker in askers:
                for number in range(len(QUESTIONS)):
                    found, notices = asker.answer()
                    assert found in (hashes["64"][number], hashes["16"][number])
                    assert notices == []
                for number, question in enumerate(QUESTIONS):
                    assert asker.ask(question) == (hashes[str(active)][number], []), "asked after the switch"
            assert _hashes(service) == hashes[str(active)]
        assert service.settle(60)
    assert service.doctor() == ()
    service.close()


def _hashes(service: Service) -> list[str]:
    return [service.carry_out(RECALL, RecallRequest(query=question)).answer_hash for question in QUESTIONS]
