"""How programs on this machine find the running server: a small file in the data folder, and a lock that the server holds.

A server that was killed leaves the file behind, and another program may have its port by then. So the file counts only while a
process holds the lock, and what answers at the address must prove that it knows the file's secret before it is sent anything else.

Light to import: the command line and the MCP process read it before anything else.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import ConflictError
from ai_memory.places import SERVICE_FILE, open_private

if TYPE_CHECKING:
    from http.client import HTTPConnection

LOCK_FILE = "service.lock"
PROOF_PATH = "/health/proof"
"""The route that answers a challenge: `?nonce=` in, `{"proof": …}` out."""
CHALLENGE_SECONDS = 2.0
CLAIM_SECONDS = 0.5
"""How long a starting server waits for the lock: a program that looks for a server holds it for an instant."""


class RunningService(Struct, frozen=True, kw_only=True):
    """Where the server of one data folder listens, and which process it is."""

    url: str
    pid: int
    version: str
    store: str = ""
    secret: str = ""
    """Known to those who may read the file: the user who runs the server."""
    person_proof: str = ""
    """Another secret, which clients send: who can read it may write as a person, as with the command line."""

    def proof(self, nonce: str) -> str:
        """What the server answers to a challenge. It holds for this address alone, so no other server can pass it on."""
        import hmac  # OpenSSL takes milliseconds to load

        return hmac.new(self.secret.encode(), f"ai-memory {self.url} {nonce}".encode(), "sha256").hexdigest()

    def is_behind(self, connection: HTTPConnection) -> bool:
        """Whether this server is at the other end of a new connection; nothing but a random number is sent to find out.

        Where it is, the connection can be used for requests, and never connects by itself again. Raises what http.client does.
        """
        import hmac

        nonce = os.urandom(16).hex()
        connection.request("GET", f"{PROOF_PATH}?nonce={nonce}", headers={"Accept-Encoding": "identity"})
        response = connection.getresponse()
        answer = response.read(1_000)
        connection.auto_open = 0  # else http.client would connect to another program without a word
        proof = b'{"proof":"%b"}' % self.proof(nonce).encode()
        proven = bool(self.secret) and hmac.compare_digest(answer, proof)
        return proven and response.isclosed() and not response.will_close

    def answers(self) -> bool:
        """Whether it is this server that answers at its address."""
        from http.client import HTTPConnection, HTTPException

        try:
            parts = urlsplit(self.url)
            connection = HTTPConnection(parts.hostname or "", parts.port, timeout=CHALLENGE_SECONDS)
            try:
                return self.is_behind(connection)
            finally:
                connection.close()
        except (OSError, ValueError, HTTPException):
            return False


def find_service(data_dir: Path) -> RunningService | None:
    """The server that published itself in `data_dir`, or None without one or when its process has ended."""
    try:
        found = from_json((data_dir / SERVICE_FILE).read_bytes(), RunningService)
    except (OSError, msgspec.DecodeError):  # no file, or another program's: no server was published
        return None
    return found if _is_claimed(data_dir) else None


def _is_claimed(data_dir: Path) -> bool:
    """Whether a process holds the lock of the folder."""
    try:
        lock = os.open(data_dir / LOCK_FILE, os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(lock)
    return False


class Announcement:
    """One server's claim on a data folder. The lock ends with the process, however that ends; the file may remain.

    A folder that cannot be written has neither: the server runs, but other programs do not find it by themselves.
    """

    def __init__(self, data_dir: Path) -> None:
        """Claim the folder; raises ConflictError naming the server that holds it already."""
        self._data_dir = data_dir
        self._lock: IO[bytes] | None = None
        try:
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _locked(data_dir)
            # Of a server that was killed: the lock is not its own any more.
            (data_dir / SERVICE_FILE).unlink(missing_ok=True)
        except OSError as error:
            self._give_up(error)

    def publish(self, service: RunningService) -> None:
        """Write the file that `find_service` reads: atomically, and readable by this user only."""
        if self._lock is None:
            return
        path = self._data_dir / SERVICE_FILE
        draft = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            with open_private(draft) as file:
                file.write(msgspec.json.encode(service))
            draft.replace(path)
        except OSError as error:
            draft.unlink(missing_ok=True)
            self._give_up(error)

    def withdraw(self) -> None:
        """Remove the file and release the folder. May be called twice."""
        if self._lock is not None:
            (self._data_dir / SERVICE_FILE).unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def _give_up(self, error: OSError) -> None:
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        import logging  # a client's command never comes here

        logging.getLogger(__name__).warning(
            "%s cannot be written (%s): commands and MCP servers do not find this service by themselves; give them its address",
            self._data_dir,
            error.strerror,
        )


def _locked(data_dir: Path) -> IO[bytes]:
    lock = open_private(data_dir / LOCK_FILE)
    until = time.monotonic() + CLAIM_SECONDS
    while not _try_lock(lock):
        if time.monotonic() < until:
            time.sleep(0.02)
            continue
        lock.close()
        other = find_service(data_dir)
        where = f"at {other.url} (process {other.pid})" if other else "and is starting or stopping"
        raise ConflictError(
            f"a server already serves {data_dir} {where}",
            hint="use that one, stop it, or give this one another folder with AI_MEMORY_DATA_DIR",
            data_dir=str(data_dir),
            **({"url": other.url, "pid": other.pid} if other else {}),
        )
    return lock


def _try_lock(lock: IO[bytes]) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
