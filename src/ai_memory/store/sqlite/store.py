"""The SQLite store: one file, many processes, one writer at a time, readers never blocked."""

from __future__ import annotations

import datetime as dt
import errno
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import Clock, to_micros
from ai_memory.errors import InvalidInputError, StoreError, StoreReadOnlyError
from ai_memory.store.base import Command, LogEntry, Result, StoredRevision, StoreStats, VectorRow
from ai_memory.store.copying import refuse_half_filled
from ai_memory.store.sqlite import checking, reading, rows, schema, vectors
from ai_memory.store.sqlite.commands import execute
from ai_memory.store.sqlite.copying import SqliteSource, SqliteTarget, progress_of
from ai_memory.store.sqlite.file import wal
from ai_memory.store.sqlite.file.connection import connect, prepare_writer, translated
from ai_memory.store.sqlite.file.files import make
from ai_memory.store.sqlite.file.readers import Readers
from ai_memory.store.sqlite.file.writer import T, Writer
from ai_memory.store.sqlite.transaction import Transaction, keep_answer, kept_answer
from ai_memory.types import (
    EmbedderIdentity,
    Entity,
    Generation,
    Job,
    MemoryRecord,
    Page,
    Problem,
    Relation,
    Selection,
)


def open_sqlite_store(
    path: Path | str,
    *,
    clock: Clock,
    busy_timeout_seconds: float = 30.0,
    read_only: bool = False,
    migrations: Sequence[schema.Migration] | None = None,
    half_filled: bool = False,
) -> SqliteStore:
    """Open the store at `path`, making it (mode 0600) or bringing it to the newest schema first.

    `busy_timeout_seconds`: how long a write waits for other processes. `read_only` opens an existing store and writes
    nothing, not even beside it. `migrations` are the shipped ones unless a test brings others. A store that a migration has
    half filled is refused unless `half_filled` is set.

    Raises StoreCorruptError (damaged, or another program's file), StoreVersionError (newer than this program),
    StoreReadOnlyError (cannot be written), StoreBusyError, StoreFullError or StoreError.
    """
    path = Path(path)
    steps = tuple(migrations or schema.shipped_migrations())
    with translated(str(path)):
        try:
            schema.look_before_opening(path)
            if read_only:
                opened = _open_for_reading(path, clock, steps)
            else:
                opened = _open_for_writing(path, clock, steps, busy_timeout_seconds)
        except FileNotFoundError as error:
            raise StoreError(
                f"there is no folder {path.parent} for the store", hint=f"mkdir -p {path.parent}", location=str(path)
            ) from error

    if not half_filled:
        try:
            opened.refuse_half_filled()
        except StoreError:
            opened.close()
            raise
    return opened


def _open_for_reading(path: Path, clock: Clock, steps: Sequence[schema.Migration]) -> SqliteStore:
    if not path.exists():
        raise StoreError(f"there is no store at {path}", hint="check the path", location=str(path))
    immutable = False
    try:
        with closing(connect(path, read_only=True)) as with_log:
            with_log.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.OperationalError:
        # In a folder that cannot be written SQLite cannot share memory with writers. Without a log there are none.
        log = path.with_name(path.name + "-wal")
        if log.exists() and log.stat().st_size:
            raise
        immutable = True

    def open_one() -> sqlite3.Connection:
        return connect(path, read_only=True, immutable=immutable)

    connection = open_one()
    try:
        schema.require_current(connection, path, steps)
    finally:
        connection.close()
    return SqliteStore(path, clock, Readers(open_one, str(path)), None, 0.0)


def _open_for_writing(path: Path, clock: Clock, steps: Sequence[schema.Migration], seconds: float) -> SqliteStore:
    if make(path):
        schema.sync(path.parent)
    else:
        _require_writable(path)
    connection = connect(path, timeout=seconds)
    try:
        prepare_writer(connection)
        schema.version_of(connection, path, steps[-1].version, seconds)
        schema.use_write_ahead_log(connection, path, seconds)
        schema.upgrade(connection, path, steps, seconds)
        return SqliteStore(path, clock, Readers(lambda: connect(path), str(path)), connection, seconds)
    except BaseException:
        connection.close()
        raise


def _require_writable(path: Path) -> None:
    """Raise PermissionError at once; not by opening the file, whose locks this process may hold (see `files`)."""
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


class SqliteStore:
    """`Store` on one SQLite file; see `open_sqlite_store`. May be used from any number of threads and processes."""

    def __init__(
        self, path: Path, clock: Clock, readers: Readers, writing: sqlite3.Connection | None, seconds: float
    ) -> None:
        self._path = path
        self._clock = clock
        self._readers = readers
        self._wiper = wal.Wiper(path)
        self._wipe_due = self._wipe_urgent = False
        self._writer: Writer | None = None
        if writing is not None:
            self._wiper.wipe(writing, seconds=0.0, urgent=True)
            self._writer = Writer(writing, str(path), seconds, self._after_commit)
        try:
            with readers.one() as connection:
                self._store_id: str = connection.execute("SELECT value FROM meta WHERE name = 'store_id'").fetchone()[0]
        except BaseException:
            readers.close()
            raise

    def __enter__(self) -> SqliteStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def store_id(self) -> str:
        """As `Store.store_id`."""
        return self._store_id

    @property
    def location(self) -> str:
        """The file's path."""
        return str(self._path)

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, commands: Sequence[Command], *, actor: str = "") -> list[Result]:
        """As `Store.write`. No commands give no results and touch nothing."""
        if not commands:
            return []
        return self._submit(partial(self._execute, commands=commands, actor=actor))

    def write_idempotent(
        self,
        key: str,
        request_digest: bytes,
        commands: Sequence[Command],
        encode: Callable[[list[Result]], bytes],
        *,
        actor: str = "",
    ) -> bytes:
        """As `Store.write_idempotent`."""

        def run(connection: sqlite3.Connection) -> bytes:
            now = to_micros(self._clock.now())
            answer = kept_answer(connection, key, request_digest, now)
            if answer is None:
                answer = encode(self._execute(connection, commands, actor))
                keep_answer(connection, key, request_digest, answer, now)
            return answer

        return self._submit(run)

    def _submit(self, run: Callable[[sqlite3.Connection], T]) -> T:
        if self._writer is None:
            raise StoreReadOnlyError(
                f"the store {self._path} is opened for reading only", hint="open it for writing", location=self.location
            )
        return self._writer.submit(run)

    def _execute(self, connection: sqlite3.Connection, commands: Sequence[Command], actor: str) -> list[Result]:
        transaction = Transaction(connection, actor)
        results = execute(transaction, commands)
        if transaction.erased:
            wal.mark(connection, transaction.sequence)
            self._wipe_due = self._wipe_urgent = True
        elif transaction.wipe_pending:
            self._wipe_due = True
        return results

    def _after_commit(self, connection: sqlite3.Connection) -> None:
        """Wipe what was erased: waiting a while after a forget, trying once in passing after any other write."""
        if self._wipe_due:
            seconds = wal.FIRST_TRY_SECONDS if self._wipe_urgent else 0.0
            self._wipe_due = not self._wiper.wipe(connection, seconds=seconds, urgent=self._wipe_urgent)
            self._wipe_urgent = False

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def get(
        self, namespace: str, ids: Sequence[str], *, known_at: dt.datetime | None = None
    ) -> list[MemoryRecord | None]:
        """As `Store.get`."""
        with self._readers.one() as connection:
            return reading.get(connection, namespace, ids, known_at)

    def revisions(self, namespace: str, memory_id: str) -> list[MemoryRecord]:
        """As `Store.revisions`."""
        with self._readers.one() as connection:
            return reading.revisions(connection, namespace, memory_id)

    def select(self, selection: Selection, *, limit: int, cursor: str | None = None, newest_first: bool = True) -> Page:
        """As `Store.select`."""
        with self._readers.snapshot() as connection:
            return reading.select(connection, selection, limit, cursor, newest_first)

    def load(self, keys: Sequence[int]) -> dict[int, StoredRevision]:
        """As `Store.load`."""
        with self._readers.one() as connection:
            return reading.load(connection, keys)

    def relations(
        self,
        namespace: str,
        ids: Sequence[str],
        *,
        types: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        known_at: dt.datetime | None = None,
        heaviest: int | None = None,
    ) -> list[Relation]:
        """As `Store.relations`."""
        with self._readers.snapshot() as connection:
            return reading.relations(connection, namespace, ids, types, as_of, known_at, heaviest)

    def decisions(self, namespace: str) -> list[Relation]:
        """As `Store.decisions`."""
        with self._readers.snapshot() as connection:
            return reading.decisions(connection, namespace)

    def entities(self, namespace: str, *, names: Sequence[str] = (), ids: Sequence[str] = ()) -> list[Entity]:
        """As `Store.entities`."""
        with self._readers.snapshot() as connection:
            return reading.entities(connection, namespace, names, ids)

    def contexts(self, namespace: str) -> list[tuple[str, int]]:
        """As `Store.contexts`."""
        with self._readers.snapshot() as connection:
            return reading.contexts(connection, namespace)

    def namespaces(self) -> list[tuple[str, int]]:
        """As `Store.namespaces`."""
        with self._readers.one() as connection:
            return reading.namespaces(connection)

    def stats(self, namespace: str | None = None) -> StoreStats:
        """As `Store.stats`."""
        with self._readers.snapshot() as connection:
            return reading.stats(connection, namespace)

    # ── following ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def sequence(self) -> int:
        """As `Store.sequence`: one look at the end of the log's key, about 10 microseconds."""
        with self._readers.one() as connection:
            return int(connection.execute("SELECT max(sequence) FROM log").fetchone()[0] or 0)

    def log(self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None) -> list[LogEntry]:
        """As `Store.log`."""
        with self._readers.snapshot() as connection:
            return reading.log(connection, after, limit, namespace)

    def live_revisions(
        self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
    ) -> list[StoredRevision]:
        """As `Store.live_revisions`."""
        with self._readers.one() as connection:
            return reading.live_revisions(connection, after, limit, namespace)

    # ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def generations(self) -> list[Generation]:
        """As `Store.generations`."""
        with self._readers.one() as connection:
            return vectors.generations(connection)

    def create_generation(self, identity: EmbedderIdentity, *, activate: bool) -> Generation:
        """As `Store.create_generation`."""
        now = to_micros(self._clock.now())
        return self._submit(lambda connection: vectors.create_generation(connection, identity, now, activate=activate))

    def activate_generation(self, generation: int, *, complete: bool = False) -> bool:
        """As `Store.activate_generation`."""
        return self._submit(lambda connection: vectors.activate_generation(connection, generation, complete=complete))

    def retire_generation(self, generation: int) -> None:
        """As `Store.retire_generation`."""
        self._submit(lambda connection: vectors.retire_generation(connection, generation))

    def drop_generation(self, generation: int) -> None:
        """As `Store.drop_generation`: in many transactions, so that others may write between them."""
        while not self._submit(lambda connection: vectors.drop_some(connection, generation)):
            pass

    def pending(self, generation: int, *, limit: int, after: int = 0) -> list[StoredRevision]:
        """As `Store.pending`."""
        with self._readers.one() as connection:
            return vectors.pending(connection, generation, limit, after)

    def pending_count(self, generation: int) -> int:
        """As `Store.pending_count`."""
        with self._readers.one() as connection:
            return vectors.pending_count(connection, generation)

    def put_vectors(self, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
        """As `Store.put_vectors`."""
        self._submit(lambda connection: vectors.put_vectors(connection, generation, rows, keys))

    def vectors(self, generation: int, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], NDArray[np.float32]]:
        """As `Store.vectors`."""
        with self._readers.one() as connection:
            return vectors.vectors(connection, generation, wanted)

    def vector_position(self, generation: int) -> int:
        """As `Store.vector_position`."""
        with self._readers.one() as connection:
            return vectors.vector_position(connection, generation)

    def positions(self, generation: int | None) -> tuple[int, int]:
        """As `Store.positions`."""
        return self.sequence(), 0 if generation is None else self.vector_position(generation)

    def vector_rows(self, generation: int, *, after: int = 0, limit: int = 10_000) -> tuple[list[VectorRow], int]:
        """As `Store.vector_rows`."""
        with self._readers.one() as connection:
            return vectors.vector_rows(connection, generation, after, limit)

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def put_job(self, job: Job) -> None:
        """As `Store.put_job`."""
        row = rows.job_row(job)
        insert = rows.insert_into("jobs", rows.JOB_COLUMNS, replacing=True)
        self._submit(lambda connection: connection.execute(insert, row))

    def jobs(self, *, kind: str | None = None, states: Sequence[str] = ()) -> list[Job]:
        """As `Store.jobs`."""
        with self._readers.one() as connection:
            return reading.jobs(connection, kind, states)

    # ── leaving, mending ───────────────────────────────────────────────────────────────────────────────────────────────

    def export(self, namespace: str | None = None) -> Iterator[MemoryRecord | Relation | Entity]:
        """As `Store.export`, streaming; closing the iterator early releases the snapshot."""
        with self._readers.snapshot() as connection:
            yield from reading.export(connection, namespace)

    def tombstoned(self, namespace: str, digests: Sequence[bytes]) -> list[bool]:
        """As `Store.tombstoned`."""
        with self._readers.snapshot() as connection:
            return reading.tombstoned(connection, namespace, digests)

    def refuse_half_filled(self) -> None:
        """Raise StoreError where a migration into this store has not come to its end."""
        with self._readers.one() as connection:
            refuse_half_filled(progress_of(connection), self.location)

    def copy_source(self) -> AbstractContextManager[SqliteSource]:
        """As `Copying.copy_source`."""
        return self._source()

    @contextmanager
    def _source(self) -> Iterator[SqliteSource]:
        with self._readers.snapshot() as connection:
            yield SqliteSource(connection)

    def copy_target(self) -> SqliteTarget:
        """As `Copying.copy_target`."""
        return SqliteTarget(self._submit)

    def check(self, progress: Callable[[str], None] | None = None) -> list[Problem]:
        """As `Store.check`."""
        with self._readers.snapshot() as connection:
            return checking.check(connection, progress)

    def repair(self) -> list[Problem]:
        """As `Store.repair`."""
        return self._submit(checking.repair)

    def backup(self, target: Path) -> None:
        """As `Store.backup`: under another name until it is whole and on disk. Raises InvalidInputError if it exists."""
        if target.exists():
            raise InvalidInputError(f"{target} exists already", hint="name a file that does not exist")
        with translated(self.location):
            schema.copy_database(self._path, target)

    def close(self) -> None:
        """As `Store.close`."""
        self._readers.close()
        if self._writer is not None:
            self._writer.close(lambda connection: self._last(connection))

    def _last(self, connection: sqlite3.Connection) -> None:
        if self._wipe_due:
            self._wiper.wipe(connection, seconds=0.0, urgent=True)
