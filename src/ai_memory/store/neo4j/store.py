"""The Neo4j store: one database of a server, any number of services, one writer at a time, readers never blocked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import neo4j
import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import Clock, to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.store.backup import back_up_to_file
from ai_memory.store.base import (
    Command,
    Forget,
    LogEntry,
    Relate,
    Result,
    StoredRevision,
    StoreStats,
    Unrelate,
    VectorRow,
)
from ai_memory.store.copying import refuse_half_filled
from ai_memory.store.neo4j import (
    checking,
    following,
    forgetting,
    generations,
    reading,
    relating,
    remembering,
    vectors,
)
from ai_memory.store.neo4j.copying import Neo4jSource, Neo4jTarget
from ai_memory.store.neo4j.database import schema
from ai_memory.store.neo4j.database.address import Address
from ai_memory.store.neo4j.database.connection import POOL_SIZE, Connection
from ai_memory.store.neo4j.nodes import job_properties
from ai_memory.store.neo4j.transaction import Transaction
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

T = TypeVar("T")


def open_neo4j_store(
    address: Address,
    password: str,
    *,
    clock: Clock,
    retry_seconds: float = 30.0,
    pool_size: int = POOL_SIZE,
    migrations: Sequence[schema.Migration] | None = None,
    half_filled: bool = False,
) -> Neo4jStore:
    """Open the store in the database at `address`, making it or bringing it to the newest schema first.

    `retry_seconds`: how long a call tries again while the server cannot be reached, is busy or has no free connection.
    `migrations` are the shipped ones unless a test brings others. A store that a migration has half filled is refused unless
    `half_filled` is set.

    Raises StoreUnavailableError (no server there, or it refuses the user), StoreVersionError (schema newer than this program,
    or server older than 5.26), StoreCorruptError (another program's graph), StoreReadOnlyError or StoreError.
    """
    connection = Connection(address, password, retry_seconds=retry_seconds, pool_size=pool_size)
    try:
        store_id, progress = schema.prepare(connection, migrations or schema.shipped_migrations())
        if not half_filled:
            refuse_half_filled(progress, connection.location)
        return Neo4jStore(connection, store_id, clock)
    except BaseException:
        connection.close()
        raise


class Neo4jStore:
    """`Store` on one Neo4j database; see `open_neo4j_store`. May be used from any number of threads and processes."""

    def __init__(self, connection: Connection, store_id: str, clock: Clock) -> None:
        self._connection = connection
        self._store_id = store_id
        self._clock = clock

    def __enter__(self) -> Neo4jStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def store_id(self) -> str:
        """As `Store.store_id`."""
        return self._store_id

    @property
    def location(self) -> str:
        """The address, without a password."""
        return self._connection.location

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, commands: Sequence[Command], *, actor: str = "") -> list[Result]:
        """As `Store.write`. No commands give no results and touch nothing."""
        if not commands:
            return []
        return self._submit(lambda transaction: _execute(transaction, commands), actor)

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
        now = to_micros(self._clock.now())

        def run(transaction: Transaction) -> bytes:
            answer = transaction.kept_answer(key, request_digest, now)
            if answer is None:
                answer = encode(_execute(transaction, commands))
                transaction.keep_answer(key, request_digest, answer, now)
            return answer

        return self._submit(run, actor)

    def _submit(self, run: Callable[[Transaction], T], actor: str = "") -> T:
        def work(managed: neo4j.ManagedTransaction) -> T:
            transaction = Transaction(managed, actor)
            result = run(transaction)
            transaction.flush()
            return result

        return self._connection.write(work)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def get(
        self, namespace: str, ids: Sequence[str], *, known_at: dt.datetime | None = None
    ) -> list[MemoryRecord | None]:
        """As `Store.get`."""
        return reading.get(self._connection, namespace, ids, known_at)

    def revisions(self, namespace: str, memory_id: str) -> list[MemoryRecord]:
        """As `Store.revisions`."""
        return reading.revisions(self._connection, namespace, memory_id)

    def select(self, selection: Selection, *, limit: int, cursor: str | None = None, newest_first: bool = True) -> Page:
        """As `Store.select`."""
        return reading.select(self._connection, selection, limit, cursor, newest_first)

    def load(self, keys: Sequence[int]) -> dict[int, StoredRevision]:
        """As `Store.load`."""
        return following.load(self._connection, keys)

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
        return reading.relations(self._connection, namespace, ids, types, as_of, known_at, heaviest)

    def decisions(self, namespace: str) -> list[Relation]:
        """As `Store.decisions`."""
        return reading.decisions(self._connection, namespace)

    def entities(self, namespace: str, *, names: Sequence[str] = (), ids: Sequence[str] = ()) -> list[Entity]:
        """As `Store.entities`."""
        return reading.entities(self._connection, namespace, names, ids)

    def contexts(self, namespace: str) -> list[tuple[str, int]]:
        """As `Store.contexts`."""
        return reading.contexts(self._connection, namespace)

    def namespaces(self) -> list[tuple[str, int]]:
        """As `Store.namespaces`."""
        return reading.namespaces(self._connection)

    def stats(self, namespace: str | None = None) -> StoreStats:
        """As `Store.stats`."""
        return reading.stats(self._connection, namespace)

    # ── following ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def sequence(self) -> int:
        """As `Store.sequence`: one property of one node."""
        return following.sequence(self._connection)

    def log(self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None) -> list[LogEntry]:
        """As `Store.log`."""
        return following.log(self._connection, after, limit, namespace)

    def live_revisions(
        self, *, after: int = 0, limit: int = 10_000, namespace: str | None = None
    ) -> list[StoredRevision]:
        """As `Store.live_revisions`."""
        return following.live_revisions(self._connection, after, limit, namespace)

    # ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def generations(self) -> list[Generation]:
        """As `Store.generations`."""
        return generations.generations(self._connection)

    def create_generation(self, identity: EmbedderIdentity, *, activate: bool) -> Generation:
        """As `Store.create_generation`."""
        now = to_micros(self._clock.now())
        made = self._submit(lambda each: generations.create_generation(each, identity, now, activate=activate))
        generations.index_vectors(self._connection, made)
        return made

    def activate_generation(self, generation: int, *, complete: bool = False) -> bool:
        """As `Store.activate_generation`."""
        return self._submit(lambda each: generations.activate_generation(each, generation, complete=complete))

    def retire_generation(self, generation: int) -> None:
        """As `Store.retire_generation`."""
        self._submit(lambda each: generations.retire_generation(each, generation))

    def drop_generation(self, generation: int) -> None:
        """As `Store.drop_generation`: in many transactions, so that others may write between them."""
        while not self._submit(lambda each: generations.drop_some(each, generation)):
            pass
        generations.drop_index(self._connection, generation)

    def pending(self, generation: int, *, limit: int, after: int = 0) -> list[StoredRevision]:
        """As `Store.pending`."""
        return vectors.pending(self._connection, generation, limit, after)

    def pending_count(self, generation: int) -> int:
        """As `Store.pending_count`."""
        return vectors.pending_count(self._connection, generation)

    def put_vectors(self, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
        """As `Store.put_vectors`."""

        def run(transaction: Transaction) -> None:
            dimension = generations.find_generation(transaction, generation).embedder.dimension
            vectors.put_vectors(transaction, generation, dimension, rows, keys)

        self._submit(run)

    def vectors(self, generation: int, wanted: Sequence[tuple[int, int]]) -> dict[tuple[int, int], NDArray[np.float32]]:
        """As `Store.vectors`."""
        return vectors.vectors(self._connection, generation, wanted)

    def vector_position(self, generation: int) -> int:
        """As `Store.vector_position`."""
        return vectors.vector_position(self._connection, generation)

    def positions(self, generation: int | None) -> tuple[int, int]:
        """As `Store.positions`."""
        return vectors.positions(self._connection, generation)

    def vector_rows(self, generation: int, *, after: int = 0, limit: int = 10_000) -> tuple[list[VectorRow], int]:
        """As `Store.vector_rows`."""
        return vectors.vector_rows(self._connection, generation, after, limit)

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def put_job(self, job: Job) -> None:
        """As `Store.put_job`."""
        values = job_properties(job)
        self._submit(lambda each: each.rows("MERGE (j:Job {id: $job.id}) SET j = $job", job=values))

    def jobs(self, *, kind: str | None = None, states: Sequence[str] = ()) -> list[Job]:
        """As `Store.jobs`."""
        return reading.jobs(self._connection, kind, states)

    # ── leaving, mending ───────────────────────────────────────────────────────────────────────────────────────────────

    def export(self, namespace: str | None = None) -> Iterator[MemoryRecord | Relation | Entity]:
        """As `Store.export`, in pages: what is forgotten while it runs is left out."""
        return following.export(self._connection, namespace)

    def tombstoned(self, namespace: str, digests: Sequence[bytes]) -> list[bool]:
        """As `Store.tombstoned`."""
        return reading.tombstoned(self._connection, namespace, digests)

    def check(self, progress: Callable[[str], None] | None = None) -> list[Problem]:
        """As `Store.check`; writers wait meanwhile."""
        with self._connection.holding() as read:
            return checking.check(read, progress)

    def repair(self) -> list[Problem]:
        """As `Store.repair`."""
        return self._submit(checking.repair)

    def backup(self, target: Path) -> None:
        """As `Store.backup`: a SQLite store, which `ai-memory migrate` takes back into a database; writers wait meanwhile."""
        if target.exists():
            raise InvalidInputError(f"{target} exists already", hint="name a file that does not exist")
        back_up_to_file(self, target, self._clock)

    def copy_source(self) -> AbstractContextManager[Neo4jSource]:
        """As `Copying.copy_source`; writers wait meanwhile."""
        return self._source()

    @contextmanager
    def _source(self) -> Iterator[Neo4jSource]:
        with self._connection.holding() as read:
            yield Neo4jSource(read)

    def copy_target(self) -> Neo4jTarget:
        """As `Copying.copy_target`."""
        return Neo4jTarget(self._submit, lambda made: generations.index_vectors(self._connection, made))

    def close(self) -> None:
        """As `Store.close`."""
        self._connection.close()


_CARRYING_OUT: dict[type[Any], Callable[[Transaction, Any], list[Result]]] = {
    Relate: relating.carry_out,
    Unrelate: relating.carry_out,
    Forget: forgetting.carry_out,
}


def _execute(transaction: Transaction, commands: Sequence[Command]) -> list[Result]:
    """Carry out commands in order; adjacent ones of one kind are looked up and written together."""
    results: list[Result] = []
    for carry_out, run in groupby(commands, key=lambda each: _CARRYING_OUT.get(type(each), remembering.carry_out)):
        results.extend(carry_out(transaction, list(run)))
    return results
