"""A migration that says how far it is, for its parent to kill.

Run as `python copying_child.py SOURCE TARGET ROWS`, with the password of a database in AI_MEMORY_STORE_PASSWORD. Prints a line
for each page of ROWS rows that is on disk, and `done` with the digest of the export at the end.
"""

from __future__ import annotations

import sys
from unittest import mock

from ai_memory.settings import given_settings
from ai_memory.store import copying
from ai_memory.wiring import migrate


def main() -> None:
    source, target, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])

    def told(part: str, done: int, wanted: int) -> None:
        sys.stdout.write(f"{part} {done} {wanted}\n")
        sys.stdout.flush()

    with mock.patch.object(copying, "ROWS_AT_ONCE", rows):
        sys.stdout.write(f"done {migrate(given_settings({'model': 'none'}), source, target, told).digest}\n")


if __name__ == "__main__":
    main()
