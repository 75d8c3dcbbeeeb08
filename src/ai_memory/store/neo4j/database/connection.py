"""The connection to one database of a Neo4j server, and the one place where the driver's errors become errors of this package.

Each read runs in a separate transaction and sees what this process wrote before (the driver's bookmarks carry that to any member
of a cluster). Writes take the lock of the one `Store` node first, so that all processes write one after the other.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import neo4j
from neo4j import exceptions as faults

from ai_memory.errors import (
    InvalidInputError,
    MemoryServiceError,
    StoreBusyError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreUnavailableError,
)
from ai_memory.store.neo4j.database.address import Address
from ai_memory.wording.ways import DOCTOR

T = TypeVar("T")
Rows = list[list[Any]]
Work = Callable[[neo4j.ManagedTransaction], T]

LOCK = "MATCH (s:Store {only: true}) SET s.turn = true"
"""Takes the store's lock, and waits until its holder has committed and what it wrote can be read everywhere."""

POOL_SIZE = 50
CONNECT_SECONDS = 5.0
_FETCH_SIZE = 10_000
_FIRST_WAIT_SECONDS = 0.05

_UNREACHABLE_HINT = "start the server, or check the address; what was acknowledged is kept there"
_REFUSED_HINT = "check the user in the address and the password in AI_MEMORY_STORE_PASSWORD"
_BUSY_HINT = "try again; give the server more memory (server.memory.heap.max_size) if it happens often"
_FULL_HINT = "free some space on the server's device and restart it; nothing that was acknowledged is lost"
_BROKEN_HINT = (
    "look at the server's log and the room on its device, then restart it; nothing that was acknowledged is lost"
)
_POOL_HINT = "more requests at once than connections: try again, or send fewer at once"

_FULL = (
    "no space left", "not enough space", "disk full", "file too large", "disk quota", "could not append transaction"
)  # fmt: skip
"""How an operating system's refusal to write reads inside the server's messages; at the end of the log it is not quoted."""

_BY_CODE: dict[str, tuple[type[MemoryServiceError], object | None]] = {
    "Neo.ClientError.Security.Unauthorized": (StoreUnavailableError, _REFUSED_HINT),
    "Neo.ClientError.Security.AuthenticationRateLimit": (StoreUnavailableError, "wait some seconds; " + _REFUSED_HINT),
    "Neo.ClientError.Security.CredentialsExpired": (
        StoreUnavailableError,
        "change the password first: ALTER CURRENT USER",
    ),
    "Neo.ClientError.Security.Forbidden": (StoreReadOnlyError, "give the user of the address the right to write"),
    "Neo.ClientError.Database.DatabaseNotFound": (StoreUnavailableError, "check the database's name in the address"),
    "Neo.ClientError.General.ForbiddenOnReadOnlyDatabase": (StoreReadOnlyError, "make the database writable"),
    "Neo.ClientError.Transaction.TransactionTimedOut": (StoreBusyError, _BUSY_HINT),
}
"""What the server's status codes (https://neo4j.com/docs/status-codes) mean to our callers, where their class does not say."""


class Connection:
    """A pool of connections to one database; may be used from any number of threads."""

    def __init__(self, address: Address, password: str, *, retry_seconds: float, pool_size: int = POOL_SIZE) -> None:
        self.location = address.shown
        self._database = address.database
        self._retry_seconds = retry_seconds
        self._writing = threading.Lock()
        self._closed = False
        self.cypher_25 = False
        """Whether the server knows Cypher 25, as those named after the calendar do; known once `verify` has run."""
        logging.getLogger("neo4j").setLevel(logging.CRITICAL)  # what it has to say comes as an error, once
        with translated(self.location):
            self._driver = neo4j.GraphDatabase.driver(
                address.uri,
                auth=(address.user, password) if password else None,
                max_connection_pool_size=pool_size,
                connection_acquisition_timeout=max(retry_seconds, 1.0),
                connection_timeout=CONNECT_SECONDS,
                max_transaction_retry_time=retry_seconds,
                notifications_min_severity="OFF",
                user_agent="ai-memory-local",
            )
            self._bookmarks = neo4j.GraphDatabase.bookmark_manager()

    def verify(self) -> str:
        """Reach the server once; its version, such as `5.26.30`. Raises StoreUnavailableError."""
        ((version,),) = self.read(
            "CALL dbms.components() YIELD name, versions WHERE name = 'Neo4j Kernel' RETURN versions[0]"
        )
        self.cypher_25 = int(str(version).split(".")[0]) >= 2025
        return str(version)

    def read(self, query: str, **values: Any) -> Rows:
        """The rows of one reading query, tried again for a while where the server or the way to it fails."""
        return self._patiently(lambda session: _rows(session.run(query, values)), neo4j.READ_ACCESS)

    def read_whole(self, match: str, columns: str, **values: Any) -> Rows:
        """The rows `columns` of a reading query, as one list: half the time of `read` for tens of rows of many values.

        The driver makes an object of every row that the server streams; a list it only unpacks.
        """
        ((rows,),) = self.read(f"{match} RETURN collect([{columns}])", **values)
        return list(rows)

    def settle(self) -> None:
        """Wait until all that other processes have committed, or are committing, can be read everywhere.

        A server makes a commit visible piece by piece: a log entry may be read before the revision that it made.
        """

        def wait(transaction: neo4j.ManagedTransaction) -> None:
            transaction.run(LOCK).consume()

        self.write(wait)

    def write(self, work: Work[T]) -> T:
        """Carry out `work` in one transaction, durable on return; from the start where that did not come to a commit.

        One at a time in a process: others would wait inside the server, each with a connection.
        """
        with self._writing, self._session(neo4j.WRITE_ACCESS) as session:
            return session.execute_write(work)

    def change_schema(self, statement: str) -> None:
        """One statement that changes the schema, in a separate transaction."""
        self._patiently(lambda session: session.run(statement).consume(), neo4j.WRITE_ACCESS)

    @contextmanager
    def holding(self) -> Iterator[Callable[..., Rows]]:
        """Keep all others from writing while the block reads, with what it is given instead of `read`."""
        with self._writing, self._session(neo4j.WRITE_ACCESS) as session, session.begin_transaction() as transaction:
            transaction.run(LOCK).consume()
            yield lambda query, **values: _rows(transaction.run(query, values))
            transaction.rollback()

    def close(self) -> None:
        """Give all connections back. Closing twice is allowed."""
        with self._writing:
            self._closed = True
            self._driver.close()

    @contextmanager
    def _session(self, mode: str) -> Iterator[neo4j.Session]:
        if self._closed:
            raise StoreError("the store is closed", location=self.location)
        with (
            translated(self.location),
            self._driver.session(
                database=self._database,
                default_access_mode=mode,
                bookmark_manager=self._bookmarks,
                fetch_size=_FETCH_SIZE,
            ) as session,
        ):
            yield session

    def _patiently(self, run: Callable[[neo4j.Session], T], mode: str) -> T:
        """Run an auto-commit query, which the driver itself does not try again."""
        deadline = time.monotonic() + self._retry_seconds
        wait = _FIRST_WAIT_SECONDS
        while True:
            with self._session(mode) as session:
                try:
                    return run(session)
                except (faults.DriverError, faults.Neo4jError) as error:
                    if not error.is_retryable() or time.monotonic() + wait > deadline:
                        raise
            time.sleep(wait * (0.5 + random.random()))  # noqa: S311 - jitter, nothing secret
            wait = min(2 * wait, 1.0)


def _rows(result: neo4j.Result) -> Rows:
    return [record.values() for record in result]


@contextmanager
def translated(location: str) -> Iterator[None]:
    """Turn what the driver raises inside the block into errors of this package; a value it cannot send is invalid input."""
    try:
        yield
    except (faults.DriverError, faults.Neo4jError) as error:
        raise translate(error, location) from error
    except UnicodeEncodeError as error:
        raise InvalidInputError(
            "the text holds half of a surrogate pair, which is not a character", hint="replace it before it is sent"
        ) from error
    except OverflowError as error:
        raise InvalidInputError(f"a number is out of range: {error}") from error
    except (OSError, ValueError) as error:  # an address that does not resolve
        raise StoreUnavailableError(
            f"the store {location}: {error}", hint=_UNREACHABLE_HINT, location=location
        ) from error


def translate(error: faults.DriverError | faults.Neo4jError, location: str) -> MemoryServiceError:
    """The package's error for one of the driver's; `details` has the location and the server's code."""
    code = getattr(error, "code", None) or type(error).__name__
    cls, hint = _meaning(error, code)
    message = str(error)
    if isinstance(error, faults.Neo4jError):
        message = error.message or message
    elif isinstance(error, faults.ConnectionAcquisitionTimeoutError):
        message = "no connection was free in time"
    elif cls is StoreUnavailableError:
        message = f"the server cannot be reached ({message})"
    return cls(f"the store {location}: {message}", hint=hint, location=location, neo4j=code)


def _meaning(error: Exception, code: str) -> tuple[type[MemoryServiceError], object | None]:
    if any(sign in str(error).lower() for sign in _FULL):
        return StoreFullError, _FULL_HINT
    if "needs to be restarted" in str(error):
        return StoreUnavailableError, _BROKEN_HINT
    if code in _BY_CODE:
        return _BY_CODE[code]
    if isinstance(error, faults.ConnectionAcquisitionTimeoutError):
        return StoreBusyError, _POOL_HINT
    if isinstance(error, faults.ServiceUnavailable | faults.SessionExpired | faults.ConfigurationError):
        return StoreUnavailableError, _UNREACHABLE_HINT
    if code.startswith("Neo.TransientError.Database"):
        return StoreUnavailableError, _UNREACHABLE_HINT
    if isinstance(error, faults.TransientError):
        return StoreBusyError, _BUSY_HINT
    return StoreError, DOCTOR.after("the server's own log says more; ")
