"""Space kept for forgetting: a file next to a database that is given up when the device is full, so that erasing still works.

Erasing needs space before it frees any: for the new images of pages in the write-ahead log. The file is `<database>.reserve`;
what is in it means nothing, and without it everything works while there is space.
"""

from __future__ import annotations

import os
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from ai_memory.errors import StoreFullError

T = TypeVar("T")

LEAST_BYTES, MOST_BYTES = 512 * 1024, 16 * 1024 * 1024
"""The most is what the log has at most before SQLite moves it into the file."""
SHARE_OF_FILE, SHARE_OF_FREE = 16, 8
"""It is at most this part of the database, and of what is free when it is made."""
ROOM_BYTES = 128 * 1024
"""With less than this a write is expected to fail."""


class Reserve:
    """The reserve of the database at `path`. Never raises for what the device refuses."""

    def __init__(self, path: Path) -> None:
        self._database = path
        self._file = path.with_name(path.name + ".reserve")
        self._lock = threading.Lock()
        self.given_up = 0
        """How many blocks of `released` run now."""

    def fill(self) -> None:
        """Make the file, or make it larger, as far as there is space to spare; nothing happens while it is given up."""
        with self._lock, suppress(OSError):
            if self.given_up:
                return
            held = self._file.stat().st_size if self._file.exists() else 0
            allowed = held + shutil.disk_usage(self._database.parent).free // SHARE_OF_FREE
            wanted = min(self._wanted(), allowed)
            if wanted >= max(held + held // 2, ROOM_BYTES):
                _allocate(self._file, wanted)

    @contextmanager
    def released(self) -> Iterator[bool]:
        """Give the space up inside the block; whether there was any."""
        with self._lock:
            self.given_up += 1
            held = self._file.stat().st_size if self._file.exists() else 0
            with suppress(OSError):
                self._file.unlink(missing_ok=True)
        try:
            yield held > 0
        finally:
            with self._lock:
                self.given_up -= 1
                last = not self.given_up
            if last and held:
                self._take_back(held)

    def has_room(self, *, probe: bool) -> bool:
        """Whether the device has space for a write; with `probe` by taking some, which also meets a quota."""
        try:
            if shutil.disk_usage(self._database.parent).free < ROOM_BYTES:
                return False
            if probe:
                trial = self._database.with_name(f"{self._database.name}.{secrets.token_hex(4)}.part")
                try:
                    _allocate(trial, ROOM_BYTES)
                finally:
                    trial.unlink(missing_ok=True)
        except OSError:
            return False
        return True

    def _take_back(self, held: int) -> None:
        """Keep again what erasing has left of the space, before anybody else takes it."""
        with self._lock, suppress(OSError):
            free = shutil.disk_usage(self._database.parent).free
            wanted = min(max(self._wanted(), held), free)
            if wanted >= ROOM_BYTES:
                _allocate(self._file, wanted)

    def _wanted(self) -> int:
        """Enough for the images of a few pages, and for moving what the log holds now into the file."""
        log = self._database.with_name(self._database.name + "-wal")
        logged = log.stat().st_size if log.exists() else 0
        return min(
            max(self._database.stat().st_size // SHARE_OF_FILE, logged + LEAST_BYTES // 2, LEAST_BYTES), MOST_BYTES
        )


def with_room(path: Path, run: Callable[[], T]) -> T:
    """What `run` gives, tried again with the space of the reserve on StoreFullError: opening a file takes some, too."""
    try:
        return run()
    except StoreFullError:
        with Reserve(path).released() as had:
            if not had:
                raise
            return run()


def _allocate(file: Path, size: int) -> None:
    """Make a file of so many bytes that the device has set aside, readable by its owner only. Raises OSError and leaves none."""
    descriptor = os.open(file, os.O_CREAT | os.O_RDWR, 0o600)
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(descriptor, 0, size)
        else:  # macOS has no such call
            with os.fdopen(os.dup(descriptor), "wb") as opened:
                opened.write(bytes(size))
    except OSError:
        file.unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
