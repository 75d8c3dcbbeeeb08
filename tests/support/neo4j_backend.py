"""Real Neo4j servers for tests: the ones that `scripts/neo4j start` runs, or started here where their jars were fetched."""

from __future__ import annotations

import atexit
import fcntl
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import IO

import pytest

from ai_memory.clock import Clock
from ai_memory.store.neo4j.database.address import Address, parse_address
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.neo4j.store import Neo4jStore, open_neo4j_store
from neo4j_server import LINES, Line, Server, UnavailableError, running

_CLEAN = (
    "MATCH (n) WHERE NOT n:Store CALL (n) { DETACH DELETE n } IN TRANSACTIONS OF 10000 ROWS",
    "MATCH (s:Store) SET s = {only: true, schema: s.schema, store_id: randomUUID(), sequence: 0, entities: 0, turn: true, "
    "digest: reduce(zeros = '', _ IN range(1, 64) | zeros + '0')}",
)


@cache
def server(name: str) -> Server:
    """The server of a line for the whole session. Skips the test, with the reason, where it cannot be had."""
    line = LINES[name]
    found = running(line)
    if found is not None and _alone(line):
        return found
    home = Path(tempfile.mkdtemp(prefix="neo4j-"))
    started = start(line, home)
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    atexit.register(started.kill)  # runs before the one above
    return started


_locks: list[IO[bytes]] = []
"""Held until this process ends."""


def _alone(line: Line) -> bool:
    """Whether no other run of tests uses the line's running server: they would empty each other's database."""
    lock = (line.folder / "tests.lock").open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        return False
    _locks.append(lock)
    return True


def start(line: Line, home: Path, **settings: object) -> Server:
    """A server of its own for one test. Skips where it cannot be had."""
    made = Server(line, home, **settings)  # type: ignore[arg-type]
    try:
        made.start()
    except UnavailableError as error:
        pytest.skip(f"no Neo4j {line.version} here: {error}")
    return made


def open_on(where: Server, clock: Clock, **options: object) -> Neo4jStore:
    """The store in the server's database."""
    return open_neo4j_store(parse_address(where.uri), where.password, clock=clock, **options)  # type: ignore[arg-type]


def connect(address: Address, password: str) -> Connection:
    """A bare connection, for what no store would do."""
    return Connection(address, password, retry_seconds=5.0)


def clean(where: Server) -> None:
    """Empty the server's database, which is the only one that Community has, but keep its schema: changing that would
    have the server plan every query anew."""
    import neo4j

    with (
        neo4j.GraphDatabase.driver(where.uri, auth=(where.user, where.password)) as driver,
        driver.session() as session,
    ):
        for statement in _CLEAN:
            session.run(statement).consume()
