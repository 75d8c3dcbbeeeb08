"""One process at a time builds a generation: a lock that the system takes back from a process that was killed."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class BuildLock:
    """A lock among all services that are given the same file; with None, only among the threads of this one.

    Two concurrent builders are safe, since both work through the same backlog, but they duplicate the work.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._mine = threading.Lock()

    @contextmanager
    def attempt(self) -> Iterator[bool]:
        """True if the lock was free; it is then held until the block ends."""
        if not self._mine.acquire(blocking=False):
            yield False
            return
        try:
            if self._file is None:
                yield True
                return
            descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                yield _locked(descriptor)
            finally:
                os.close(descriptor)
        finally:
            self._mine.release()

    def held(self) -> bool:
        """True if a thread of this process or another process holds the lock now."""
        with self.attempt() as free:
            return not free


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
