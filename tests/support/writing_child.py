"""A process that writes to a store and reads from it for a while, following what another one says.

Run as `python writing_child.py DATA_DIR NAME SECONDS`. Prints a JSON line for each acknowledged write; reads lines of the same
kind from standard input, written by the other process, and answers for each whether its own next call saw it.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ai_memory.errors import NotFoundError
from ai_memory.operations.reading import GET, LIST, RECALL, GetRequest, ListRequest, RecallRequest
from ai_memory.operations.writing import FORGET, REMEMBER, REVISE, ForgetRequest, RememberRequest, ReviseRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.support.secret_words import secret


def main() -> None:
    folder, name, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    service = open_service(Settings(data_dir=Path(folder), model="hashing", snapshot_rows=50))
    lock = threading.Lock()

    def tell(**line: Any) -> None:
        with lock:
            sys.stdout.write(json.dumps(line) + "\n")
            sys.stdout.flush()

    tell(ready=name)
    sys.stdin.readline()  # both begin together
    watching = threading.Thread(target=_watch, args=(service, tell))
    watching.start()
    deadline = time.monotonic() + seconds
    number = 0
    while time.monotonic() < deadline:
        number += 1
        word = secret(number, name)
        memory_id = service.carry_out(REMEMBER, RememberRequest(text=f"word {word} written")).memory_id
        assert memory_id is not None
        tell(did="remember", id=memory_id, word=word, number=number)
        if number % 5 == 0:
            service.carry_out(REVISE, ReviseRequest(id=memory_id, text=f"word {secret(number, name + 'r')} revised"))
            tell(did="revise", id=memory_id, word=secret(number, name + "r"), number=number)
        if number % 7 == 0:
            service.carry_out(FORGET, ForgetRequest(id=memory_id))
            tell(did="forget", id=memory_id, word=word, number=number)
    tell(done=name)
    watching.join()
    service.close()


def _watch(service: Service, tell: Any) -> None:
    for line in sys.stdin:
        told = json.loads(line)
        tell(saw=told["id"], after=told["did"], missing=_missing(service, told))


def _missing(service: Service, told: dict[str, str]) -> list[str]:
    """The calls that do not show what the other process has just said it did."""
    memory_id, word = told["id"], told["word"]
    recalled = {
        hit.memory.id
        for hit in service.carry_out(RECALL, RecallRequest(query=word, limit=20)).hits
        if word in hit.memory.text
    }
    listed = {record.id: record.text for record in service.carry_out(LIST, ListRequest(ids=(memory_id,))).memories}
    try:
        got = service.carry_out(GET, GetRequest(id=memory_id)).text
    except NotFoundError:
        got = ""
    forgotten = told["did"] == "forget"
    seen = {"recall": memory_id in recalled, "list": word in listed.get(memory_id, ""), "get": word in got}
    return [call for call, there in seen.items() if there is forgotten]


if __name__ == "__main__":
    main()
