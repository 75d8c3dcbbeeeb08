"""SIGKILL at random moments under load: nothing acknowledged is lost, and what was forgotten stays forgotten.

`AI_MEMORY_ROUNDS=200 pytest tests/faults/test_kill.py -s` runs the long version and prints what it saw.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ai_memory.errors import NotFoundError
from ai_memory.operations.reading import GET, RECALL, GetRequest, RecallRequest
from ai_memory.operations.watching import HEALTH, HealthRequest
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.support.disk import files_with
from tests.support.secret_words import secret

ROUNDS = int(os.environ.get("AI_MEMORY_ROUNDS", "8"))
ROUNDS_A_STORE = 10
"""A new store after so many kills, so that checking it stays quick."""
CHILD = Path(__file__).resolve().parents[1] / "support" / "load_child.py"


@dataclass
class Ledger:
    """What the children said: the texts that each memory may have, and which are forgotten."""

    texts: dict[str, set[str]] = field(default_factory=dict)
    """By id: the text acknowledged last, and the one that was on its way when the child died."""
    all_texts: dict[str, set[str]] = field(default_factory=dict)
    forgotten: set[str] = field(default_factory=set)
    uncertain: set[str] = field(default_factory=set)
    """A forget was asked for and not acknowledged."""
    counts: Counter[str] = field(default_factory=Counter)

    def read(self, lines: list[bytes]) -> None:
        for line in lines:
            if line.endswith(b"\n"):
                self._note(json.loads(line))

    def _note(self, said: dict[str, Any]) -> None:
        memory_id: str = said["id"]
        text: str | None = said.get("text")
        if "did" in said:
            self.counts[said["did"]] += 1
        if text is not None:  # else it is about a forget
            self.all_texts.setdefault(memory_id, set()).add(text)
        if "will" in said:
            if text is None:
                self.uncertain.add(memory_id)
            else:
                self.texts[memory_id].add(text)
        elif text is None:
            self.uncertain.discard(memory_id)
            self.forgotten.add(memory_id)
        else:
            self.texts[memory_id] = {text}


def _run_and_kill(folder: Path, seed: str, lines_first: int, seconds: float) -> list[bytes]:
    """The lines of a child that was killed so many seconds after it had printed so many: a slow machine works as much."""
    with subprocess.Popen(
        [sys.executable, str(CHILD), str(folder), seed], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        lines = [child.stdout.readline()]
        reader = threading.Thread(target=lambda: lines.extend(child.stdout or ()))
        reader.start()
        deadline = time.monotonic() + 60
        while len(lines) < lines_first and child.poll() is None:
            assert time.monotonic() < deadline, f"{len(lines)} lines in a minute"
            time.sleep(0.005)
        time.sleep(seconds)
        assert child.poll() is None, child.stderr.read().decode()
        child.kill()
        reader.join()
        return lines


def _wait_for_the_wipe(service: Service) -> None:
    """A child that died in the middle of a wipe leaves it to the next process, which reads the file itself as it opens."""
    deadline = time.monotonic() + 30
    while any(part.name == "wipe" and part.state != "ok" for part in service.carry_out(HEALTH, HealthRequest()).parts):
        assert time.monotonic() < deadline, "what was forgotten is still on disk after half a minute"
        time.sleep(0.05)


def _check(service: Service, ledger: Ledger, chance: random.Random) -> None:
    for memory_id, texts in ledger.texts.items():
        try:
            standing = service.carry_out(GET, GetRequest(id=memory_id)).text
        except NotFoundError:
            assert memory_id in ledger.forgotten | ledger.uncertain, f"{memory_id} was acknowledged and is lost"
        else:
            assert memory_id not in ledger.forgotten, f"{memory_id} was forgotten and is back"
            assert standing in texts
            ledger.uncertain.discard(memory_id)
    _wait_for_the_wipe(service)
    assert service.doctor() == ()
    kept = sorted(ledger.texts.keys() - ledger.forgotten - ledger.uncertain)
    for memory_id in chance.sample(kept, min(20, len(kept))):
        text = service.carry_out(GET, GetRequest(id=memory_id)).text
        answer = service.carry_out(
            RECALL, RecallRequest(query=f'"{text.split()[1]}"', limit=5)
        )  # quoted: no other may be found
        found = {hit.memory.id for hit in answer.hits}
        assert found == {memory_id}, f"the index lacks {memory_id}, which was acknowledged"
    for memory_id in sorted(ledger.forgotten)[-5:]:
        for text in ledger.all_texts[memory_id]:
            assert service.carry_out(REMEMBER, RememberRequest(text=text)).outcome == "rejected"


def _secrets(ledger: Ledger) -> list[str]:
    gone = ledger.forgotten | ledger.uncertain
    kept = {text for memory_id, texts in ledger.all_texts.items() if memory_id not in gone for text in texts}
    return [text.split()[1] for memory_id in ledger.forgotten for text in ledger.all_texts[memory_id] - kept]


@pytest.mark.slow
@pytest.mark.timeout(60 + 12 * ROUNDS)
def test_nothing_acknowledged_is_lost_when_killed(tmp_path: Path) -> None:
    chance = random.Random(20261)
    total: Counter[str] = Counter()
    ledger = Ledger()
    folder = tmp_path
    for number in range(ROUNDS):
        if number % ROUNDS_A_STORE == 0:
            ledger, folder = Ledger(), tmp_path / f"store{number}"
        before = ledger.counts.copy()
        ledger.read(_run_and_kill(folder, secret(number), chance.randrange(60), chance.uniform(0.0, 0.3)))
        total += ledger.counts - before
        service = open_service(Settings(data_dir=folder, model="hashing", snapshot_rows=100))
        try:
            _check(service, ledger, chance)
            if number % ROUNDS_A_STORE == ROUNDS_A_STORE - 1 or number == ROUNDS - 1:
                assert service.settle(60), "what was owed is paid in the end"
        finally:
            service.close()
        assert files_with(folder, _secrets(ledger)[-300:]) == []
    assert total["remember"] > 10 * ROUNDS
    sys.stdout.write(f"{ROUNDS} kills, acknowledged: {dict(total)}; nothing lost, doctor found nothing\n")
