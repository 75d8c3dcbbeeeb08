"""A process that opens the store and a cache of vectors in each folder it is told: see `test_two_processes`.

Run as `python opening_child.py`. Reads a folder a line, writes a memory there and answers `open`; at the next line it answers
with the number of memories that it sees, and closes both. What goes wrong is answered in place of either.
"""

from __future__ import annotations

import os
import sys
from contextlib import closing
from pathlib import Path

from ai_memory.embed.cache import VectorCache
from ai_memory.errors import MemoryServiceError
from ai_memory.operations.watching import STATS, StatsRequest
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.settings import Settings
from ai_memory.wiring import open_service


def main() -> None:
    while folder := sys.stdin.readline().strip():
        try:
            with (
                closing(open_service(Settings(data_dir=Path(folder), model="none"))) as service,
                closing(VectorCache(Path(folder) / "vectors.db")),
            ):
                service.carry_out(REMEMBER, RememberRequest(text=f"a memory of process {os.getpid()}"))
                _say("open")
                sys.stdin.readline()  # all have written by now
                _say(f"{service.carry_out(STATS, StatsRequest()).memories} memories")
        except MemoryServiceError as error:
            _say(repr(error))


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
