"""SIGKILL at random moments of background decisions, in two processes at once: nothing is lost, and nothing is done twice.

`AI_MEMORY_ROUNDS=100 pytest tests/faults/test_kill_decisions.py -s` runs the long version and prints what it saw.
"""

from __future__ import annotations

import itertools
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from ai_memory.clock import SystemClock
from ai_memory.inbox import ProposalState
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.handlers.ageing.runner import Runner
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.base import Action
from ai_memory.types import Actor
from ai_memory.wiring import open_store
from tests.support import neo4j_backend
from tests.support.deciding_child import LIMITS

ROUNDS = int(os.environ.get("AI_MEMORY_ROUNDS", "8"))
EACH = 8
"""So many memories to erase, and half as many proposals to lay aside, for each round."""
CHILD = Path(__file__).resolve().parents[1] / "support" / "deciding_child.py"


@pytest.fixture(params=["sqlite", "neo4j"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, str, str]:
    """The arguments of a child: a folder, the store's address, and its password."""
    if request.param == "sqlite":
        return str(tmp_path), "", ""
    server = neo4j_backend.server("newest")
    neo4j_backend.clean(server)
    return str(tmp_path), server.uri, server.password


def opened(place: tuple[str, str, str]) -> Service:
    settings = Settings(data_dir=Path(place[0]), store=place[1], store_password=place[2])  # type: ignore[arg-type]
    return Service(open_store(settings, SystemClock()), None, background=LIMITS, ahead_seconds=1.0)


def fill(service: Service) -> None:
    memory = Methods(Acting(service, Actor.PERSON))
    drafts = [{"text": f"note {number} lapses", "ttl": 0.001} for number in range(EACH * ROUNDS)]
    for start in range(0, len(drafts), 100):
        memory.remember_many(drafts[start : start + 100])
    pairs = EACH * ROUNDS // 2
    lasting = [
        str(memory.remember(f"fact number {number} of {chr(97 + number % 26) * 5}", on_conflict="keep").memory_id)
        for number in range(pairs + 1)
    ]
    for first, second in itertools.pairwise(lasting):
        memory.propose(first, "copy", second)


def run_and_kill(place: tuple[str, str, str], batches: int, seconds: float) -> int:
    """Two children that are killed so many seconds after they have begun so many batches; how many they began."""
    children = [
        subprocess.Popen([sys.executable, str(CHILD), *place], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    lines: list[bytes] = []
    readers = [threading.Thread(target=lambda out=child.stdout: lines.extend(out or ())) for child in children]
    for reader in readers:
        reader.start()
    deadline = time.monotonic() + 60
    while _batches(lines) < batches:
        assert all(child.poll() is None for child in children), children[0].communicate()[1].decode()[-2000:]
        assert time.monotonic() < deadline, f"{lines} in a minute"
        time.sleep(0.002)
    time.sleep(seconds)
    for child in children:
        child.kill()
    for child, reader in zip(children, readers, strict=True):
        child.wait()
        reader.join()
        for stream in (child.stdout, child.stderr):
            assert stream is not None
            stream.close()
    return _batches(lines)


def _batches(lines: list[bytes]) -> int:
    return sum(line != b"ready\n" for line in lines)


def decided(service: Service) -> tuple[Counter[str], Counter[str]]:
    """How often each memory was erased, and each proposal laid aside, as the log has it."""
    erased: Counter[str] = Counter()
    lapsed: Counter[str] = Counter()
    for entry in service._parts.store.log(limit=1_000_000):
        if entry.action is Action.FORGOTTEN:
            erased[str(entry.memory_id)] += 1
        if entry.action is Action.DECIDED and entry.reason == ProposalState.LAPSED:
            lapsed[str(entry.relation_id)] += 1
    return erased, lapsed


@pytest.mark.slow
@pytest.mark.timeout(120 + 12 * ROUNDS)
def test_killed_at_any_moment_everything_is_done_once(place: tuple[str, str, str]) -> None:
    chance = random.Random(20262)
    service = opened(place)
    fill(service)
    store = service._parts.store
    kept = [each.memory_id for each in store.log(limit=1_000_000) if each.action is Action.REMEMBERED]
    began = 0
    for _ in range(ROUNDS):
        erased, lapsed = decided(service)
        left = EACH * ROUNDS - len(erased) + EACH * ROUNDS // 2 - len(lapsed)
        if left > 8:  # else they might find nothing to do
            began += run_and_kill(place, chance.randint(1, 2), chance.uniform(0.0, 0.05))
        erased, lapsed = decided(service)
        assert set(erased.values()) | set(lapsed.values()) <= {1}, "done twice"
        present = service._parts.store.get("default", [str(each) for each in kept])
        assert {str(memory) for memory, record in zip(kept, present, strict=True) if record is None} == set(erased)
        assert store.stats().revisions == len(kept) - len(erased), "each is whole or gone"
    assert began >= ROUNDS // 2
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:  # the leases of those that were killed end
        Runner().once(service._parts)
        if all(job.state == "waiting" for job in store.jobs()) and len(decided(service)[0]) == EACH * ROUNDS:
            break
        time.sleep(0.05)
    erased, lapsed = decided(service)
    assert (len(erased), len(lapsed)) == (EACH * ROUNDS, EACH * ROUNDS // 2), "nothing is lost"
    assert set(erased.values()) | set(lapsed.values()) == {1}
    assert [each for each in service.doctor() if each.check != "wipe_pending"] == []
    service.close()
    did = f"{began} batches begun, {len(erased)} erased and {len(lapsed)} laid aside, once each"
    sys.stdout.write(f"{ROUNDS} kills of two processes: {did}\n")
