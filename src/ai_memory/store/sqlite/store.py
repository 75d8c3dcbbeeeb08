"""The SQLite store: one file, many processes, one writer at a time, readers never blocked."""

from __future__ import annotations

import errno
import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from functools import partial, wraps
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from ai_memory.clock import Clock, from_micros, to_micros
from ai_memory.errors import (
    InvalidInputError,
    RequestTimeoutError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
)
from ai_memory.store.base import Canonical, Command, Forget, Once, Result, VectorRow
from ai_memory.store.copying import refuse_half_filled
from ai_memory.store.rules import RESTORE, sealed
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite import inbox, reading, rows, schema
from ai_memory.store.sqlite import vectors as _vectors
from ai_memory.store.sqlite.answers import keep_answer, kept_answer
from ai_memory.store.sqlite.commands import execute
from ai_memory.store.sqlite.file import meta, wal
from ai_memory.store.sqlite.file.connection import FULL_HINT, READ_ONLY_HINT, connect, prepare_writer, translated
from ai_memory.store.sqlite.file.files import identity_of, make
from ai_memory.store.sqlite.file.presence import Presence
from ai_memory.store.sqlite.file.readers import Readers
from ai_memory.store.sqlite.file.reserve import Reserve, with_room
from ai_memory.store.sqlite.file.secret import key_file, load_secret, read_secret, write_secret
from ai_memory.store.sqlite.file.writer import T, Writer
from ai_memory.store.sqlite.rows.seals import insert_sealed, install
from ai_memory.store.sqlite.transaction import Transaction, graveyard
from ai_memory.store.sqlite.transaction.graveyard import Graveyard
from ai_memory.store.sqlite.whole import checking
from ai_memory.store.sqlite.whole.copying import SqliteSource, SqliteTarget, progress_of
from ai_memory.store.tombstones import Secret, archived
from ai_memory.types import Actor, ArchivedTombstone, EmbedderIdentity, Generation, Job, Problem, WipePending

UNREAD_SECONDS = 30.0
"""While a wipe is due, an export that was not asked for the next item for so long is ended."""
LONGEST_SECONDS = 600.0
"""A wipe that is due for so long ends every export that began before it."""


def open_sqlite_store(
    path: Path | str,
    *,
    clock: Clock,
    busy_timeout_seconds: float = 30.0,
    read_only: bool = False,
    migrations: Sequence[schema.Migration] | None = None,
    half_filled: bool = False,
) -> SqliteStore:
    """Open the store at `path`, creating it (mode 0600) or bringing it to the newest schema first.

    `busy_timeout_seconds`: how long a write waits for other processes. `read_only` opens an existing store and writes
    nothing, not even next to it. `migrations` are the shipped ones unless a test brings others. A store that a migration has
    half filled is refused unless `half_filled` is set.

    Raises StoreCorruptError (damaged, or another program's file), StoreVersionError (newer than this program),
    StoreReadOnlyError (cannot be written), StoreBusyError, StoreFullError or StoreError.
    """
    path = Path(path)
    steps = tuple(migrations or schema.shipped_migrations())
    with translated(str(path)):
        schema.look_before_opening(path)
        if read_only:
            opened = _open_for_reading(path, clock, steps)
        else:
            opened = with_room(path, lambda: _open_for_writing(path, clock, steps, busy_timeout_seconds))
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
            raise StoreReadOnlyError(
                f"the store {path} cannot be read here: its write-ahead log was not finished, and its folder cannot be written",
                hint=f"copy {path.name}, {log.name} and {key_file(path).name} to a folder that can be written, and open the copy",
                location=str(path),
            ) from None
        immutable = True

    def open_one() -> sqlite3.Connection:
        return connect(path, read_only=True, immutable=immutable)

    connection = open_one()
    try:
        schema.require_current(connection, path, steps)
        presence = Presence(path, identity_of(connection))
    finally:
        connection.close()
    readers = Readers(open_one, str(path), presence.require)
    return SqliteStore(path, clock, readers, None, read_secret(path), 0.0, presence)


def _open_for_writing(path: Path, clock: Clock, steps: Sequence[schema.Migration], seconds: float) -> SqliteStore:
    with translated(str(path)):
        return _made_or_upgraded(path, clock, steps, seconds)


def _made_or_upgraded(path: Path, clock: Clock, steps: Sequence[schema.Migration], seconds: float) -> SqliteStore:
    try:
        made = make(path)
    except FileNotFoundError as error:
        raise StoreError(
            f"there is no folder {path.parent} for the store", hint=f"mkdir -p {path.parent}", location=str(path)
        ) from error
    if made:
        schema.sync(path.parent)
    else:
        _require_writable(path)
    connection = connect(path, timeout=seconds)
    try:
        prepare_writer(connection)
        schema.version_of(connection, path, steps[-1].version, seconds)
        schema.use_write_ahead_log(connection, path, seconds)
        secret = load_secret(path)
        install(connection, secret)
        rewritten = schema.upgrade(connection, path, steps, secret, seconds)
        presence = Presence(path, identity_of(connection))
        readers = Readers(lambda: connect(path), str(path), presence.require)
        opened = SqliteStore(path, clock, readers, connection, secret, seconds, presence)
        opened.rewritten = rewritten
        return opened
    except BaseException:
        connection.close()
        raise


def _require_writable(path: Path) -> None:
    """Raise PermissionError at once; not by opening the file, whose locks this process may hold (see `files`)."""
    if not os.access(path, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))


def _store_id(connection: sqlite3.Connection, path: Path) -> str:
    store_id = meta.get(connection, schema.STORE_ID)
    if store_id is None:
        raise StoreCorruptError(f"the store {path} has lost its id", hint=RESTORE, location=str(path))
    return store_id


P = ParamSpec("P")
R = TypeVar("R")


def _reads(read: Callable[Concatenate[sqlite3.Connection, P], R]) -> Callable[Concatenate[SqliteStore, P], R]:
    """The method of `Store` that a function with one statement implements: it is lent a reader's connection."""

    @wraps(read)
    def method(store: SqliteStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with store._readers.one() as connection:
            return read(connection, *args, **kwargs)

    return method


def _reads_snapshot(read: Callable[Concatenate[sqlite3.Connection, P], R]) -> Callable[Concatenate[SqliteStore, P], R]:
    """The same for a function with several statements, which all see one state."""

    @wraps(read)
    def method(store: SqliteStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        with store._readers.snapshot() as connection:
            return read(connection, *args, **kwargs)

    return method


def _writes(write: Callable[Concatenate[sqlite3.Connection, P], R]) -> Callable[Concatenate[SqliteStore, P], R]:
    """The method of `Store` that a function implements which runs inside a write transaction."""

    @wraps(write)
    def method(store: SqliteStore, /, *args: P.args, **kwargs: P.kwargs) -> R:
        return store._submit(lambda connection: write(connection, *args, **kwargs))

    return method


class SqliteStore:
    """`Store` on one SQLite file; see `open_sqlite_store`. May be used from any number of threads and processes."""

    def __init__(
        self,
        path: Path,
        clock: Clock,
        readers: Readers,
        writing: sqlite3.Connection | None,
        secret: Secret,
        seconds: float,
        presence: Presence,
    ) -> None:
        self._path = path
        self._clock = clock
        self._readers = readers
        self._presence = presence
        self._wiper = wal.Wiper(path)
        self._wipe_due = self._wipe_urgent = False
        self._held_up: str | None = None
        """The mark of a wipe that the upkeep last saw, and when it first did, on the monotonic clock."""
        self._held_up_since = 0.0
        self._reserve = Reserve(path)
        self._full: StoreFullError | None = None
        """What the last write failed with, where that was a full device."""
        self._writer: Writer | None = None
        if writing is not None:
            self._wiper.wipe(writing, seconds=0.0, urgent=True)
            self._writer = Writer(writing, str(path), seconds, self._after_commit, presence.require_with_log)
        try:
            with readers.one() as connection:
                self._store_id = _store_id(connection, path)
        except BaseException:
            readers.close()
            raise
        self.rewritten = False
        """Whether opening it wrote its log again: what is derived from it holds digests of the old one."""
        self._secret = secret
        self._seals = Seals(secret)
        self._graveyard = Graveyard(secret, self._store_id)

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

    @property
    def read_only(self) -> bool:
        """As `Store.read_only`."""
        return self._writer is None

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, commands: Sequence[Command], *, actor: Actor = Actor.UNKNOWN) -> list[Result]:
        """As `Store.write`. No commands give no results and touch nothing."""
        if not commands:
            return []
        run = partial(self._execute, commands=commands, actor=actor)
        return self._submit(run, forgets=any(isinstance(each, Forget) for each in commands))

    def write_idempotent(
        self,
        once: Once,
        commands: Sequence[Command],
        encode: Callable[[list[Result]], bytes],
        *,
        actor: Actor = Actor.UNKNOWN,
    ) -> bytes:
        """As `Store.write_idempotent`."""
        once = sealed(once, self._secret)

        def run(connection: sqlite3.Connection) -> bytes:
            now = to_micros(self._clock.now())
            answer = kept_answer(connection, once, now)
            if answer is None:
                transaction = Transaction(connection, actor, self._graveyard, self._seals)
                results = self._carry_out(transaction, commands)
                answer = encode(results)
                keep_answer(transaction, once, results, answer, now)
            return answer

        return self._submit(run, forgets=any(isinstance(each, Forget) for each in commands))

    def _submit(self, run: Callable[[sqlite3.Connection], T], *, forgets: bool = False) -> T:
        if self._writer is None:
            raise self._read_only()
        try:
            done = self._write(self._writer, run, forgets)
        except StoreFullError as error:
            self._full = error
            raise
        self._full = None
        return done

    def _read_only(self) -> StoreReadOnlyError:
        return StoreReadOnlyError(
            f"the store {self._path} is read-only: its file, folder or device cannot be written",
            hint=READ_ONLY_HINT,
            location=self.location,
        )

    def _write(self, writer: Writer, run: Callable[[sqlite3.Connection], T], forgets: bool) -> T:
        if self._reserve.given_up and not forgets:
            raise StoreFullError(f"the store {self._path}: the device is full", hint=FULL_HINT, location=self.location)
        try:
            return writer.submit(run)
        except StoreFullError:
            if not forgets:
                raise
        with self._reserve.released():
            try:
                return writer.submit(run)
            except StoreFullError:  # perhaps the log can be moved into the file, and cut
                with suppress(StoreFullError):
                    writer.between(self._wiper.cut)
            return writer.submit(run)

    def _execute(self, connection: sqlite3.Connection, commands: Sequence[Command], actor: Actor) -> list[Result]:
        return self._carry_out(Transaction(connection, actor, self._graveyard, self._seals), commands)

    def _carry_out(self, transaction: Transaction, commands: Sequence[Command]) -> list[Result]:
        results = execute(transaction, commands)
        if transaction.forgotten_ids:
            due = wal.marked(transaction.connection, transaction.sequence, to_micros(self._clock.now()))
            meta.put(transaction.connection, wal.MARK, due)
            self._wipe_due = self._wipe_urgent = True
        elif transaction.wipe_pending:
            self._wipe_due = True
        return results

    def _after_commit(self, connection: sqlite3.Connection) -> None:
        """Wipe what was erased: waiting a while after a forget, trying once after any other write."""
        if self._wipe_due:
            seconds = wal.FIRST_TRY_SECONDS if self._wipe_urgent else 0.0
            self._wipe_due = not self._wiper.wipe(connection, seconds=seconds, urgent=self._wipe_urgent)
            self._wipe_urgent = False

    # ── reading: in one statement, or in several that must see one state ──────────────────────────────────────────────

    get = _reads(reading.get)
    revisions = _reads(reading.revisions)
    load = _reads(reading.load)
    namespaces = _reads(reading.namespaces)
    sequence = _reads(reading.sequence)
    live_revisions = _reads(reading.live_revisions)
    jobs = _reads(reading.jobs)
    log_between = _reads(reading.log_between)
    lapsed = _reads(reading.lapsed)

    select = _reads_snapshot(reading.select)
    relation = _reads_snapshot(reading.one_relation)
    relations = _reads_snapshot(reading.relations)
    decisions = _reads_snapshot(reading.decisions)
    entities = _reads_snapshot(reading.entities)
    contexts = _reads_snapshot(reading.contexts)
    stats = _reads_snapshot(reading.stats)
    log = _reads_snapshot(reading.log)
    proposals = _reads(inbox.proposals)
    feedback = _reads_snapshot(inbox.all_feedback)

    def tombstoned(self, namespace: str, texts: Sequence[str]) -> list[bool]:
        """As `Store.tombstoned`."""
        with self._readers.snapshot() as connection:
            return graveyard.tombstoned(connection, self._secret, namespace, texts)

    def tombstones(self, namespace: str | None = None) -> list[ArchivedTombstone]:
        """As `Store.tombstones`."""
        with self._readers.snapshot() as connection:
            found = list(graveyard.rows(connection, namespace=namespace))
        return archived(found, self._secret, self._store_id)

    # ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────────────

    generations = _reads(_vectors.generations)
    pending = _reads(_vectors.pending)
    pending_count = _reads(_vectors.pending_count)
    vectors = _reads(_vectors.vectors)
    vector_position = _reads(_vectors.vector_position)
    vector_rows = _reads(_vectors.vector_rows)

    activate_generation = _writes(_vectors.activate_generation)
    retire_generation = _writes(_vectors.retire_generation)

    def put_vectors(self, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
        """As `Store.put_vectors`."""
        self._submit(lambda connection: _vectors.put_vectors(connection, self._seals, generation, rows, keys))

    def create_generation(self, identity: EmbedderIdentity, *, activate: bool) -> Generation:
        """As `Store.create_generation`."""
        now = to_micros(self._clock.now())
        return self._submit(lambda connection: _vectors.create_generation(connection, identity, now, activate=activate))

    def drop_generation(self, generation: int) -> None:
        """As `Store.drop_generation`: in many transactions, so that others may write between them."""
        while not self._submit(lambda connection: _vectors.drop_some(connection, generation)):
            pass

    def positions(self, generation: int | None) -> tuple[int, int]:
        """As `Store.positions`."""
        return self.sequence(), 0 if generation is None else self.vector_position(generation)

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def put_job(self, job: Job) -> None:
        """As `Store.put_job`."""
        row = rows.job_row(job)
        insert = insert_sealed("jobs", verb="INSERT OR REPLACE")
        self._submit(lambda connection: connection.execute(insert, row))

    def swap_job(self, job: Job, expected: Job | None) -> bool:
        """As `Store.swap_job`."""
        row, insert = rows.job_row(job), insert_sealed("jobs", verb="INSERT OR REPLACE")

        def run(connection: sqlite3.Connection) -> bool:
            if reading.job_by_id(connection, job.id) != expected:
                return False
            connection.execute(insert, row)
            return True

        return self._submit(run)

    # ── export, checks, end ── ───────────────────────────────────────────────────────────────────────────────────────────────

    def export(self, namespace: str | None = None) -> Iterator[Canonical]:
        """As `Store.export`, streaming; closing the iterator early releases the snapshot.

        Where it holds a wipe up, it is ended: the next item raises RequestTimeoutError.
        """
        return self._readers.stream(lambda connection: reading.export(connection, namespace))

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
            yield SqliteSource(connection, self._secret)

    def copy_target(self) -> SqliteTarget:
        """As `Copying.copy_target`."""
        return SqliteTarget(self._submit, self._secret, self._seals)

    def check(self, progress: Callable[[str], None] | None = None) -> list[Problem]:
        """As `Store.check`."""
        with self._readers.snapshot() as connection:
            return checking.check(connection, self._secret, self._seals, progress)

    def repair(self) -> list[Problem]:
        """As `Store.repair`."""
        return self._submit(lambda connection: checking.repair(connection, self._secret, self._seals))

    def backup(self, target: Path) -> None:
        """As `Store.backup`: under another name until it is whole and on disk. Raises InvalidInputError if it exists.

        The secret is copied as well, into a file of its own.
        """
        if target.exists():
            raise InvalidInputError(f"{target} exists already", hint="name a file that does not exist")
        with translated(self.location):
            self._presence.require()
            key_file(target).unlink(missing_ok=True)  # of a backup that is gone
            write_secret(target, self._secret)
            try:
                with self._readers.one() as connection:
                    schema.copy_database(connection, target)
            except BaseException:
                key_file(target).unlink(missing_ok=True)
                raise

    # ── upkeep ─────────────────────────────────────────────────────────────────────────────────────────────────────────

    def unwiped(self) -> WipePending | None:
        """As `Store.unwiped`."""
        with self._readers.one() as connection:
            due = wal.pending(connection)
        if due is None:
            return None
        since = wal.since_of(due)
        return WipePending(since=None if since is None else from_micros(since), why=self._hindrance())

    def upkeep(self) -> None:
        """As `Store.upkeep`."""
        if self._writer is None:
            return
        with self._readers.one() as connection:
            due = wal.pending(connection)
        if due is not None:
            self._end_streams(due)
            self._writer.between(self._wipe_again)
            if self._wiper.failure is not None:
                with self._reserve.released():
                    self._writer.between(self._wipe_again)
        elif self._wiper.is_idle():
            self._writer.between(self._wiper.cut)
        self._reserve.fill()

    def trouble(self) -> StoreError | None:
        """As `Store.trouble`."""
        if self._writer is None:
            return self._read_only()
        full = self._full
        if self._reserve.has_room(probe=full is not None):
            self._full = None
            return None
        return full or StoreFullError(
            f"the store {self._path}: the device has no space left", hint=FULL_HINT, location=self.location
        )

    def _end_streams(self, due: str) -> None:
        """End the exports that nobody reads, and after a longer time all that began before the wipe was due."""
        now = time.monotonic()
        if due != self._held_up:
            self._held_up, self._held_up_since = due, now
        for each in self._readers.streams():
            began = each.began or now
            is_late = began <= self._held_up_since and now - self._held_up_since >= LONGEST_SECONDS
            if is_late or now - each.asked >= UNREAD_SECONDS:
                each.end(_ended(is_late))

    def _wipe_again(self, connection: sqlite3.Connection) -> None:
        if self._wiper.wipe(connection, seconds=0.0, urgent=False):
            self._wipe_due = False

    def _hindrance(self) -> str:
        if self._wiper.failure is not None:
            return self._wiper.failure
        streams = self._readers.streams()
        if streams:
            unread = time.monotonic() - min(each.asked for each in streams)
            return f"an export that was begun before reads an older state; nobody has read on for {unread:,.0f} s"
        return "somebody, perhaps in another process, reads or copies an older state of the store"

    # ── end ────────────────────────────────────────────────────────────────────────────────────────────────────────────

    def close(self) -> None:
        """As `Store.close`."""
        self._readers.close()
        if self._writer is not None:
            self._writer.close(lambda connection: self._last(connection))

    def _last(self, connection: sqlite3.Connection) -> None:
        if self._wipe_due:
            self._wiper.wipe(connection, seconds=0.0, urgent=True)
        self._reserve.fill()


def _ended(is_late: bool) -> RequestTimeoutError:
    limit = LONGEST_SECONDS if is_late else UNREAD_SECONDS
    read = "to its end " if is_late else ""
    return RequestTimeoutError(
        f"the export was not read {read}for {limit:,.0f} s, and what has been forgotten meanwhile could not be wiped from the disk",
        hint="export again, and read without a pause; or export one namespace at a time",
        limit=limit,
    )
