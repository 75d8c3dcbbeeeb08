"""The schema's versions: numbered migrations, append-only, each carried out once and in order.

`PRAGMA application_id` marks the file as an ai-memory store; `PRAGMA user_version` is the number of the last migration.
"""

from __future__ import annotations

import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from importlib import resources
from pathlib import Path

from msgspec import Struct

from ai_memory.errors import StoreCorruptError, StoreError, StoreReadOnlyError, StoreVersionError
from ai_memory.store.rules import RESTORE
from ai_memory.store.sqlite.file import meta
from ai_memory.store.sqlite.file.connection import connect
from ai_memory.store.sqlite.file.files import without_connections
from ai_memory.store.sqlite.file.secret import key_file
from ai_memory.store.sqlite.file.slack import scrub
from ai_memory.store.sqlite.rekeying import rekey
from ai_memory.store.sqlite.rows.seals import seal_upgraded
from ai_memory.store.tombstones import Secret
from ai_memory.waiting import patiently

APPLICATION_ID = 0x41494D53
"""The bytes "AIMS", at offset 68 of every store file."""

STORE_ID = "store_id"
"""The row of `meta` with the store's id."""

_HEADER = b"SQLite format 3\0"
_HEADER_BYTES = 100
_LOOKS, _LOOK_SECONDS = 3, 0.02

# One statement, which sees one state: between two a process that makes the store may commit its first tables.
_WHOSE = (
    "SELECT (SELECT user_version FROM pragma_user_version), (SELECT application_id FROM pragma_application_id), "
    "(SELECT count(*) FROM sqlite_schema)"
)


class Migration(Struct, frozen=True):
    """One step of the schema: its number and the SQL statements, each ended by a semicolon."""

    version: int
    script: str
    then: Callable[[sqlite3.Connection, Secret], bool] | None = None
    """What follows the script in the same transaction; True where no copy of the store as it was may be kept."""


_THEN = {4: rekey}
"""What a migration does beyond its script, by its number."""


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations of this program, from `migrations/NNNN_*.sql`, in order."""
    folder = resources.files("ai_memory.store.sqlite") / "migrations"
    scripts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".sql")), key=lambda entry: entry.name)
    numbered = ((int(entry.name[:4]), entry) for entry in scripts)
    return tuple(Migration(number, entry.read_text("utf-8"), _THEN.get(number)) for number, entry in numbered)


def look_before_opening(path: Path) -> None:
    """Refuse a file that is no SQLite database, before SQLite touches it. An absent file is fine, or an empty one without a secret.

    A store that is being made is not empty any more when its secret is made.
    """
    if path.is_dir():
        raise StoreCorruptError(f"{path} is a folder, not a store", hint="name a file inside it")
    was_a_store = key_file(path).exists()  # before its size: another process may be making the store
    if not path.exists():
        return
    if path.stat().st_size == 0:
        if was_a_store:
            raise StoreCorruptError(
                f"{path} is empty, and was a store once: its secret is in {key_file(path).name}",
                hint="restore a backup; to begin with an empty store, delete the empty file",
                location=str(path),
            )
        return
    with without_connections(path) as closed:  # with one, it has been looked at before
        if closed and not _first_bytes(path).startswith(_HEADER):
            raise StoreCorruptError(
                f"{path} is not a SQLite database: its header is wrong",
                hint="check the path; restore a backup if the file was a store once",
                location=str(path),
            )
        if closed and (missing := _cut_off(path)):
            raise StoreCorruptError(
                f"{path} was cut off: {missing:,} bytes are missing at its end", hint=RESTORE, location=str(path)
            )


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)


def _cut_off(path: Path) -> int:
    """How many bytes the file lacks of what its header says; 0 while a log holds pages that are still to be moved into it."""
    log = path.with_name(path.name + "-wal")
    missing = 0
    for _ in range(_LOOKS):
        if log.exists() and log.stat().st_size:
            return 0
        header = _first_bytes(path)
        pages, size = int.from_bytes(header[28:32], "big"), int.from_bytes(header[16:18], "big")
        is_counted = header[24:28] == header[92:96]  # else a version of SQLite wrote it that keeps no count
        missing = pages * (65536 if size == 1 else size) - path.stat().st_size if is_counted else 0
        if missing <= 0:
            return 0
        time.sleep(_LOOK_SECONDS)  # another process may be between the two
    return missing


def version_of(connection: sqlite3.Connection, path: Path, newest: int, seconds: float = 0.0) -> int:
    """The schema version of an opened file, 0 for one without a table: new, or its first transaction was never committed.

    Waits up to `seconds` for a process that is making the store. Raises StoreCorruptError where the file is another program's
    and StoreVersionError where it is newer than `newest`.
    """
    row = patiently(connection, _WHOSE, seconds)
    assert row is not None
    version, application, tables = (int(number) for number in row)
    if (version, application, tables) == (0, 0, 0):
        return 0
    if application != APPLICATION_ID:
        raise StoreCorruptError(
            f"{path} is a database of another program (application id {application:#x})",
            hint="name another file",
            location=str(path),
        )
    if version > newest:
        raise StoreVersionError(
            f"{path} has schema version {version}; this program knows versions up to {newest}",
            hint="upgrade the service, or restore the backup that was made before the store was upgraded",
            found=version,
            newest=newest,
            location=str(path),
        )
    return version


def use_write_ahead_log(connection: sqlite3.Connection, path: Path, seconds: float) -> None:
    """Turn the write-ahead log on, waiting up to `seconds` for others.

    Raises StoreError where the file system cannot share memory between processes, which the log needs.
    """
    row = patiently(connection, "PRAGMA journal_mode = WAL", seconds)
    mode = "" if row is None else row[0]
    if mode != "wal":
        raise StoreError(
            f"the file system of {path} allows no write-ahead log (journal mode {mode})",
            hint="keep the store on a local disk",
            location=str(path),
        )


def require_current(connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration]) -> None:
    """Raise unless the file has the newest schema; for stores opened for reading only."""
    newest = migrations[-1].version
    version = version_of(connection, path, newest)
    if version != newest:
        raise StoreReadOnlyError(
            f"{path} has schema version {version} and needs {newest}, but is opened for reading only",
            hint="open it once for writing to upgrade it",
            location=str(path),
        )


def upgrade(
    connection: sqlite3.Connection, path: Path, migrations: Sequence[Migration], secret: Secret, seconds: float
) -> bool:
    """Bring the file to the newest schema in one transaction, giving a new store its id; whether its log was written again.

    An older store is copied to `<name>.before-<version>.bak` first; the copy is not kept where it would keep digests that a
    migration erases because a forgotten text could be guessed from them. Several processes may do this at once: the first one
    does the work while the others wait up to `seconds`. The connection can seal rows.
    """
    newest = migrations[-1].version
    if version_of(connection, path, newest, seconds) == newest:
        return False
    patiently(connection, "BEGIN IMMEDIATE", seconds)
    try:
        version, rewritten = version_of(connection, path, newest), False
        copy = path.with_name(f"{path.name}.before-{newest}.bak")
        if 0 < version < newest:
            with closing(connect(path, read_only=True)) as source:
                copy_database(source, copy)
        for migration in migrations:
            if migration.version > version:
                for statement in statements(migration.script):
                    connection.execute(statement)
                if migration.then is not None:
                    rewritten = version > 0
                    if migration.then(connection, secret):
                        copy.unlink(missing_ok=True)
        if version < newest:
            seal_upgraded(connection, version)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {newest}")
        if version == 0:
            meta.put(connection, STORE_ID, secrets.token_hex(16))
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise
    return rewritten


def statements(script: str) -> list[str]:
    """The statements of a script. (`executescript` would commit the transaction that a migration runs in.)"""
    found: list[str] = []
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            found.append(pending)
            pending = ""
    return found


def copy_database(source: sqlite3.Connection, target: Path) -> None:
    """A consistent copy of a database, mode 0600, whole or not there at all, on disk when this returns."""
    part = target.with_name(target.name + ".part")
    part.unlink(missing_ok=True)
    os.close(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(sqlite3.connect(part, isolation_level=None)) as destination:
            source.backup(destination)
            destination.execute("PRAGMA journal_mode = DELETE")
        _scrub_closed(part)
        sync(part)
        part.replace(target)
        sync(target.parent)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def _scrub_closed(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR)
    try:
        scrub(descriptor)
    finally:
        os.close(descriptor)


def sync(path: Path) -> None:
    """Have the device keep what was written to this file or folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
