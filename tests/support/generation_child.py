"""Processes of the tests of generations: `python generation_child.py build|ask FOLDER …`.

`build FOLDER DIMENSION` makes a generation and says `begun`, then `done`. `ask FOLDER` answers a question a line from standard
input (`*` in place of a question asks none and writes a memory instead), with the hash of the answer and its notices.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from ai_memory.clock import SystemClock
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.service.service import Service
from ai_memory.store.sqlite.store import open_sqlite_store
from tests.support.cutting_embedder import Shelf, reembed, wait_for


def open_shelf(folder: Path) -> Service:
    """The service over the store in a folder, with the embedders of the tests."""
    shelf = Shelf()
    store = open_sqlite_store(folder / "memory.db", clock=SystemClock())
    return Service(store, shelf.of_store, choose=shelf.chosen, build_lock=folder / "build.lock")


def build(folder: Path, dimension: int, rate: float) -> None:
    service = open_shelf(folder)
    reembed(service, model="hashing", dimension=dimension, rate=rate)
    _say("begun")
    assert wait_for(service).state == "done"
    _say("done")
    service.close()


def ask(folder: Path) -> None:
    service = open_shelf(folder)
    _say("ready")
    for number, line in enumerate(sys.stdin):
        if line.strip() == "*":
            service.carry_out(REMEMBER, RememberRequest(text=f"elsewhere {number}", namespace="other"))
            _say("written")
            continue
        answer = service.carry_out(RECALL, RecallRequest(query=line.strip()))
        _say(json.dumps([answer.answer_hash, [notice.message for notice in answer.notices]]))
    assert service.doctor() == ()
    service.close()


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    if sys.argv[1] == "build":
        build(Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
    else:
        ask(Path(sys.argv[2]))
