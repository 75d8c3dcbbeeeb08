"""A process that works the real service hard until it is killed, telling every intent and every acknowledgement.

Run as `python load_child.py DATA_DIR SEED`. One JSON object a line on standard output: `{"will": …}` before a change of a
memory that exists, `{"did": …}` once the service has acknowledged one.
"""

from __future__ import annotations

import json
import os
import random
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

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
from tests.support.secret_words import secret


class Load:
    """The threads' common ground: the service and the memories that may be changed."""

    def __init__(self, service: Service, seed: str) -> None:
        self.service = service
        self.seed = seed
        self.mine: list[str] = []
        self.lock = threading.Lock()

    def tell(self, **line: Any) -> None:
        """One write call, so that a line is whole or not there."""
        os.write(1, json.dumps(line).encode() + b"\n")

    def text(self, thread: str, number: int) -> str:
        return f"acknowledged {secret(number, self.seed + thread)} and kept"

    def kept(self, memory_id: str | None, text: str) -> None:
        assert memory_id is not None
        self.tell(did="remember", id=memory_id, text=text)
        with self.lock:
            self.mine.append(memory_id)

    def taken(self, chance: random.Random) -> str | None:
        with self.lock:
            return self.mine.pop(chance.randrange(len(self.mine))) if len(self.mine) > 5 else None

    def remember(self, thread: str, number: int, chance: random.Random) -> None:
        text = self.text(thread, number)
        receipt = self.service.carry_out(
            REMEMBER, RememberRequest(text=text, session=f"s{number % 7}", wait=chance.random() < 0.1)
        )
        self.kept(receipt.memory_id, text)

    def remember_many(self, thread: str, number: int, chance: random.Random) -> None:
        texts = [self.text(thread, 1000 * number + place) for place in range(chance.randrange(1, 60))]
        many = self.service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=text) for text in texts]))
        for text, receipt in zip(texts, many.receipts, strict=True):
            self.kept(receipt.memory_id, text)

    def revise(self, thread: str, number: int, chance: random.Random) -> None:
        memory_id = self.taken(chance)
        if memory_id is None:
            return
        text = self.text(thread, number)
        self.tell(will="revise", id=memory_id, text=text)
        self.service.carry_out(REVISE, ReviseRequest(id=memory_id, text=text))
        self.tell(did="revise", id=memory_id, text=text)
        with self.lock:
            self.mine.append(memory_id)

    def forget(self, thread: str, number: int, chance: random.Random) -> None:
        memory_id = self.taken(chance)
        if memory_id is None:
            return
        self.tell(will="forget", id=memory_id)
        self.service.carry_out(FORGET, ForgetRequest(id=memory_id))
        self.tell(did="forget", id=memory_id)

    def forever(self, job: Callable[[str, int, random.Random], None], thread: str) -> None:
        chance = random.Random(f"{self.seed}{thread}")
        number = 0
        while True:
            number += 1
            job(thread, number, chance)


def main() -> None:
    folder, seed = sys.argv[1:]
    load = Load(open_service(Settings(data_dir=Path(folder), model="hashing", snapshot_rows=100)), seed)
    jobs = {"a": load.remember, "b": load.remember, "c": load.remember_many, "d": load.revise, "e": load.forget}
    threads = [threading.Thread(target=load.forever, args=(job, name)) for name, job in jobs.items()]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
