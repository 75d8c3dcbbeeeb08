"""How programs on this machine find the running server: a small file in the data folder, and a lock that the server holds.

Light to import: the command line and the MCP process read it before anything else.
"""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import ConflictError
from ai_memory.places import SERVICE_FILE

LOCK_FILE = "service.lock"


class RunningService(Struct, frozen=True, kw_only=True):
    """Where the server of one data folder listens, and which process it is."""

    url: str
    pid: int
    version: str
    store: str = ""
    proof: str = ""
    """A secret of this run of the server; who can read it may write as a person, as with the command line."""


def find_service(data_dir: Path) -> RunningService | None:
    """The server that published itself in `data_dir`, or None without one or when its process has ended."""
    try:
        found = from_json((data_dir / SERVICE_FILE).read_bytes(), RunningService)
    except (OSError, msgspec.DecodeError):  # no file, or another program's: no server was published
        return None
    return found if _is_running(found.pid) else None


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except PermissionError:  # it runs, as another user
        return True
    except (ProcessLookupError, OverflowError):
        return False
    return True


class Announcement:
    """One server's claim on a data folder. The lock ends with the process, however that ends; the file may remain."""

    def __init__(self, data_dir: Path) -> None:
        """Claim the folder; raises ConflictError naming the server that holds it already."""
        data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._data_dir = data_dir
        self._lock = _locked(data_dir)

    def publish(self, service: RunningService) -> None:
        """Write the file that `find_service` reads: atomically, and readable by this user only."""
        path = self._data_dir / SERVICE_FILE
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(msgspec.json.encode(service))
        draft.replace(path)

    def withdraw(self) -> None:
        """Remove the file and release the folder. May be called twice."""
        if not self._lock.closed:
            (self._data_dir / SERVICE_FILE).unlink(missing_ok=True)
            self._lock.close()


def _locked(data_dir: Path) -> IO[bytes]:
    lock = (data_dir / LOCK_FILE).open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        other = find_service(data_dir)
        where = f"at {other.url} (process {other.pid})" if other else "and is starting or stopping"
        raise ConflictError(
            f"a server already serves {data_dir} {where}",
            hint="use that one, stop it, or give this one another folder with AI_MEMORY_DATA_DIR",
            data_dir=str(data_dir),
            **({"url": other.url, "pid": other.pid} if other else {}),
        ) from None
    return lock
