"""The Neo4j store: one database of a server, any number of services, one writer at a time, readers never blocked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import wraps
from itertools import groupby
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

import neo4j

from ai_memory.clock import Clock, to_micros
from ai_memory.errors import InvalidInputError, StoreError
from ai_memory.inbox import Decide, Judge, Propose
from ai_memory.store.backup import back_up_to_file
from ai_memory.store.base import Command, Exclude, Forget, Once, Relate, Result, Unrelate, VectorRow
from ai_memory.store.copying import refuse_half_filled
from ai_memory.store.neo4j import checking, following, forgetting, graveyard, reading, relating, remembering
from ai_memory.store.neo4j import generations as _generations
from ai_memory.store.neo4j import vectors as _vectors
from ai_memory.store.neo4j.copying import Neo4jSource, Neo4jTarget
from ai_memory.store.neo4j.database import schema
from ai_memory.store.neo4j.database.address import Address
from ai_memory.store.neo4j.database.connection import POOL_SIZE, Connection
from ai_memory.store.neo4j.database.sealing import reseal, seal_all
from ai_memory.store.neo4j.database.sealing import sealed as sealed_properties
from ai_memory.store.neo4j.graveyard import Graveyard
from ai_memory.store.neo4j.nodes import JOB, job_properties
from ai_memory.store.neo4j.nodes import job as job_of
from ai_memory.store.neo4j.rekeying import rekey
from ai_memory.store.neo4j.remembering import inbox
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import sealed
from ai_memory.store.seals import Seals
from ai_memory.store.tombstones import Secret
from ai_memory.types import Actor, ArchivedTombstone, EmbedderIdentity, Generation, Job, Problem, WipePending

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
        prepared = schema.prepare(connection, migrations or schema.shipped_migrations(), rekey, _seal)
        if not half_filled:
            refuse_half_filled(prepared.progress, connection.location)
        opened = Neo4jStore(connection, prepared.store_id, prepared.secret, clock)
        opened.rewritten = prepared.rewritten
        return opened
    except BaseException:
        connection.close()
        raise


def _seal(transaction: neo4j.ManagedTransaction, secret: Secret, everything: bool) -> None:
    """What the sixth migration does beyond its statements; later ones seal the `Store` node that they change."""

    def rows(query: str, **values: object) -> list[list[Any]]:
        return [record.values() for record in transaction.run(query, values)]

    if everything:
        seal_all(rows, Seals(secret))
    else:
        reseal(rows, Seals(secret), "Store", "MATCH (n:Store)")


P = ParamSpec("P")


def _reads(read: Callable[Concatenate[Connection, P], T]) -> Callable[Concatenate[Neo4jStore, P], T]:
    """The method of `Store` that a function over a connection implements."""

    @wraps(read)
    def method(store: Neo4jStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return read(store._connection, *args, **kwargs)

    return method


def _writes(write: Callable[Concatenate[Transaction, P], T]) -> Callable[Concatenate[Neo4jStore, P], T]:
    """The method of `Store` that a function implements which runs inside a write transaction."""

    @wraps(write)
    def method(store: Neo4jStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return store._submit(lambda transaction: write(transaction, *args, **kwargs))

    return method


class Neo4jStore:
    """`Store` on one Neo4j database; see `open_neo4j_store`. May be used from any number of threads and processes."""

    def __init__(self, connection: Connection, store_id: str, secret: Secret, clock: Clock) -> None:
        self._connection = connection
        self._store_id = store_id
        self._clock = clock
        self.rewritten = False
        """Whether opening it wrote its log again: what is derived from it holds digests of the old one."""
        self._graveyard = Graveyard(secret, store_id)
        self._seals = Seals(secret)

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

    @property
    def read_only(self) -> bool:
        """As `Store.read_only`."""
        return False

    # ── writing ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def write(self, commands: Sequence[Command], *, actor: Actor = Actor.UNKNOWN) -> list[Result]:
        """As `Store.write`. No commands give no results and touch nothing."""
        if not commands:
            return []
        return self._submit(lambda transaction: _execute(transaction, commands), actor)

    def write_idempotent(
        self,
        once: Once,
        commands: Sequence[Command],
        encode: Callable[[list[Result]], bytes],
        *,
        actor: Actor = Actor.UNKNOWN,
    ) -> bytes:
        """As `Store.write_idempotent`."""
        once = sealed(once, self._graveyard.secret)
        now = to_micros(self._clock.now())

        def run(transaction: Transaction) -> bytes:
            answer = transaction.kept_answer(once, now)
            if answer is None:
                results = _execute(transaction, commands)
                answer = encode(results)
                transaction.keep_answer(once, results, answer, now)
            return answer

        return self._submit(run, actor)

    def _submit(self, run: Callable[[Transaction], T], actor: Actor = Actor.UNKNOWN) -> T:
        def work(managed: neo4j.ManagedTransaction) -> T:
            transaction = Transaction(managed, actor, self._graveyard, self._seals)
            result = run(transaction)
            transaction.flush()
            return result

        return self._connection.write(work)

    # ── reading ────────────────────────────────────────────────────────────────────────────────────────────────────────

    get = _reads(reading.get)
    revisions = _reads(reading.revisions)
    select = _reads(reading.select)
    relation = _reads(reading.one_relation)
    relations = _reads(reading.relations)
    decisions = _reads(reading.decisions)
    entities = _reads(reading.entities)
    contexts = _reads(reading.contexts)
    namespaces = _reads(reading.namespaces)
    stats = _reads(reading.stats)
    jobs = _reads(reading.jobs)
    proposals = _reads(reading.proposals)
    feedback = _reads(reading.all_feedback)

    def tombstoned(self, namespace: str, texts: Sequence[str]) -> list[bool]:
        """As `Store.tombstoned`."""
        return graveyard.tombstoned(self._connection.read, self._graveyard.secret, namespace, texts)

    def tombstones(self, namespace: str | None = None) -> list[ArchivedTombstone]:
        """As `Store.tombstones`."""
        return graveyard.tombstones(self._connection.read, self._graveyard, namespace)

    load = _reads(following.load)
    sequence = _reads(following.sequence)
    log = _reads(following.log)
    log_between = _reads(following.log_between)
    lapsed = _reads(following.lapsed)
    live_revisions = _reads(following.live_revisions)
    export = _reads(following.export)

    # ── vectors ────────────────────────────────────────────────────────────────────────────────────────────────────────

    generations = _reads(_generations.generations)
    pending = _reads(_vectors.pending)
    pending_count = _reads(_vectors.pending_count)
    vectors = _reads(_vectors.vectors)
    vector_position = _reads(_vectors.vector_position)
    positions = _reads(_vectors.positions)
    vector_rows = _reads(_vectors.vector_rows)

    activate_generation = _writes(_generations.activate_generation)
    retire_generation = _writes(_generations.retire_generation)

    def create_generation(self, identity: EmbedderIdentity, *, activate: bool) -> Generation:
        """As `Store.create_generation`."""
        now = to_micros(self._clock.now())
        made = self._submit(lambda each: _generations.create_generation(each, identity, now, activate=activate))
        _generations.index_vectors(self._connection, made)
        return made

    def drop_generation(self, generation: int) -> None:
        """As `Store.drop_generation`: in many transactions, so that others may write between them."""
        while not self._submit(lambda each: _generations.drop_some(each, generation)):
            pass
        _generations.drop_index(self._connection, generation)

    def put_vectors(self, generation: int, rows: Sequence[VectorRow], keys: Sequence[int]) -> None:
        """As `Store.put_vectors`."""

        def run(transaction: Transaction) -> None:
            dimension = _generations.find_generation(transaction, generation).embedder.dimension
            _vectors.put_vectors(transaction, generation, dimension, rows, keys)

        self._submit(run)

    # ── jobs ───────────────────────────────────────────────────────────────────────────────────────────────────────────

    def put_job(self, job: Job) -> None:
        """As `Store.put_job`."""
        values = sealed_properties(self._seals, "Job", job_properties(job))
        self._submit(lambda each: each.rows("MERGE (j:Job {id: $job.id}) SET j = $job", job=values))

    def swap_job(self, job: Job, expected: Job | None) -> bool:
        """As `Store.swap_job`."""
        values = sealed_properties(self._seals, "Job", job_properties(job))

        def run(transaction: Transaction) -> bool:
            found = transaction.rows(f"MATCH (j:Job {{id: $id}}) RETURN {JOB}", id=job.id)
            if (job_of(found[0]) if found else None) != expected:
                return False
            transaction.rows("MERGE (j:Job {id: $job.id}) SET j = $job", job=values)
            return True

        return self._submit(run)

    # ── export, checks, end ── ───────────────────────────────────────────────────────────────────────────────────────────────

    repair = _writes(checking.repair)

    def check(self, progress: Callable[[str], None] | None = None) -> list[Problem]:
        """As `Store.check`; writers wait meanwhile."""
        with self._connection.holding() as read:
            return checking.check(read, self._graveyard.secret, self._seals, progress)

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
            yield Neo4jSource(read, self._graveyard.secret)

    def copy_target(self) -> Neo4jTarget:
        """As `Copying.copy_target`."""
        return Neo4jTarget(
            self._submit, self._graveyard.secret, lambda made: _generations.index_vectors(self._connection, made)
        )

    def trouble(self) -> StoreError | None:
        """As `Store.trouble`: only a write shows it; a server that cannot be reached says so at every call."""
        return None

    def unwiped(self) -> WipePending | None:
        """As `Store.unwiped`: the files are the server's, see docs/neo4j.md."""
        return None

    def upkeep(self) -> None:
        """As `Store.upkeep`: the server does its own."""

    def close(self) -> None:
        """As `Store.close`."""
        self._connection.close()


_CARRYING_OUT: dict[type[Any], Callable[[Transaction, Any], list[Result]]] = {
    Relate: relating.carry_out,
    Unrelate: relating.carry_out,
    Forget: forgetting.carry_out,
    Exclude: forgetting.exclude,
    Propose: inbox.carry_out,
    Decide: inbox.carry_out,
    Judge: inbox.carry_out,
}


def _execute(transaction: Transaction, commands: Sequence[Command]) -> list[Result]:
    """Carry out commands in order; adjacent ones of one kind are looked up and written together."""
    results: list[Result] = []
    for carry_out, run in groupby(commands, key=lambda each: _CARRYING_OUT.get(type(each), remembering.carry_out)):
        results.extend(carry_out(transaction, list(run)))
    return results
