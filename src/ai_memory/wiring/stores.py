"""Opens a store by its place: the path of a SQLite file, or the address of a Neo4j database."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ai_memory.clock import Clock
from ai_memory.errors import InvalidInputError, OfflineError, StoreReadOnlyError
from ai_memory.installation import install_hint
from ai_memory.places import absolute, is_loopback
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store

if TYPE_CHECKING:
    from ai_memory.store.neo4j.store import Neo4jStore


def open_store_at(
    place: str,
    password: str,
    *,
    clock: Clock,
    busy_seconds: float,
    offline: bool = False,
    half_filled: bool = False,
) -> SqliteStore | Neo4jStore:
    """The store at a place, made when it is not there yet; a file's folder too, readable by its owner only.

    `password` is that of a server's user, unless the address itself has one. `busy_seconds`: how long a call waits for others
    or for the server. `offline` refuses a server on another machine. `half_filled` opens what a migration has half filled.

    Raises InvalidInputError (no place for a store, or the driver is not installed), OfflineError, and StoreError's subclasses.
    """
    if "://" in place:
        return _open_server(place, password, clock, busy_seconds, offline=offline, half_filled=half_filled)
    path = absolute(place)
    make_folder(path.parent)
    return open_sqlite_store(path, clock=clock, busy_timeout_seconds=busy_seconds, half_filled=half_filled)


def make_folder(folder: Path) -> None:
    """Make a folder, readable by its owner only, unless it is there. Raises StoreReadOnlyError."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreReadOnlyError(
            f"the folder {folder} cannot be made: {error.strerror}", hint="choose another with --data-dir"
        ) from error


def _open_server(
    place: str, password: str, clock: Clock, busy_seconds: float, *, offline: bool, half_filled: bool
) -> Neo4jStore:
    from ai_memory.store.neo4j.database.address import is_address, parse_address

    if not is_address(place):
        raise InvalidInputError(
            f"no store speaks {place.split('://')[0]}://",
            hint="give the path of a SQLite file, or neo4j://USER@HOST:PORT/DATABASE, or leave `store` empty",
            field="store",
        )
    address = parse_address(place)
    if offline and not is_loopback(address.host):
        raise OfflineError(
            f"the store is on {address.host} while `offline` is set", hint="name a server on this machine"
        )
    try:
        from ai_memory.store.neo4j.store import open_neo4j_store
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] != "neo4j":
            raise
        raise InvalidInputError(
            "the driver for Neo4j is not installed", hint=install_hint("neo4j"), field="store"
        ) from error
    return open_neo4j_store(
        address, address.password or password, clock=clock, retry_seconds=busy_seconds, half_filled=half_filled
    )
