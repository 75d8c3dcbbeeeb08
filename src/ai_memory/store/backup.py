"""The backup of a store on a server: a SQLite store in one file, which `ai-memory migrate` takes back into a database."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from ai_memory.clock import Clock
from ai_memory.store.copying import Copying, copy_store
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import Problem


def back_up_to_file(source: Copying, target: Path, clock: Clock) -> None:
    """Copy `source` into a new store at `target`, under another name until it is whole. Raises InvalidInputError if it exists."""
    part = target.with_name(target.name + ".copy")
    part.unlink(missing_ok=True)  # of an earlier try that was interrupted
    try:
        with open_sqlite_store(part, clock=clock, half_filled=True) as copy:
            copy_store(source, copy)
            copy.backup(target)
    finally:
        for file in target.parent.glob(part.name + "*"):
            file.unlink()


def check_file(file: Path, clock: Clock, progress: Callable[[str], None] | None = None) -> list[Problem]:
    """As `Store.check`, of a backup, which is only read. Raises StoreError's subclasses where it cannot be opened."""
    with open_sqlite_store(file, clock=clock, read_only=True) as copy:
        return copy.check(progress)
