"""The schema's versions: numbered migrations, append-only, each statement safe to run again.

The one `Store` node holds the version, the store's id, and the end of the log: its sequence and digest. A migration that was
interrupted is run once more at the next opening; several processes may run it at once.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from importlib import resources
from typing import NamedTuple

import neo4j
from msgspec import Struct

from ai_memory.errors import StoreCorruptError, StoreVersionError
from ai_memory.store.chain import GENESIS
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.tombstones import Secret

OLDEST_SERVER = (5, 26)
"""The release that brought relationship types as parameters, on which writing relations rests."""

REKEYED = 4
"""The migration that brought salts and the secret."""

SEALED = 7
"""The migration that brought seals."""

Rekey = Callable[[neo4j.ManagedTransaction, Secret], None]
Seal = Callable[[neo4j.ManagedTransaction, Secret, bool], None]
"""Seals everything, or the `Store` node alone."""

LABELS = (
    "Node",
    "Revision",
    "LogEntry",
    "Relation",
    "Proposal",
    "Feedback",
    "Tombstone",
    "Vector",
    "Owed",
    "Generation",
    "Job",
    "Answer",
    "Alias",
)


class Migration(Struct, frozen=True):
    """One step of the schema: its number and the Cypher statements, each ended by a semicolon at a line's end."""

    version: int
    script: str

    @property
    def statements(self) -> list[str]:
        """The statements, without comments."""
        lines = [line for line in self.script.splitlines() if not line.startswith("//")]
        return [statement.strip() for statement in "\n".join(lines).split(";\n") if statement.strip("; \n")]


def shipped_migrations() -> tuple[Migration, ...]:
    """The migrations of this program, from `migrations/NNNN_*.cypher`, in order."""
    folder = resources.files("ai_memory.store.neo4j") / "migrations"
    scripts = sorted((each for each in folder.iterdir() if each.name.endswith(".cypher")), key=lambda each: each.name)
    return tuple(Migration(int(each.name[:4]), each.read_text(encoding="utf-8") + "\n") for each in scripts)


class Prepared(NamedTuple):
    """What a store is opened with."""

    store_id: str
    progress: str | None
    """How far a copy into it has got."""
    secret: Secret
    rewritten: bool = False
    """Whether this wrote the log again."""


def prepare(connection: Connection, migrations: Sequence[Migration], rekey: Rekey, seal: Seal) -> Prepared:
    """Bring the database to the newest schema, giving a new store its id and its secret.

    `rekey` does the rest of the fourth migration, and `seal` of the sixth.

    Raises StoreVersionError where the schema is newer than this program or the server too old, and StoreCorruptError where
    the database holds another program's graph under our names.
    """
    _require_server(connection)
    newest = migrations[-1].version
    version, store_id, progress, key = _found(connection)
    _require_known(connection, version, newest)
    if version < newest:
        if version == 0:
            _require_ours(connection)
        for migration in migrations:
            if migration.version > version:
                for statement in migration.statements:
                    connection.change_schema(statement)
        store_id, key, rewritten = connection.write(lambda transaction: _mark(transaction, newest, rekey, seal))
        connection.read("CALL db.awaitIndexes(300)")
        return Prepared(store_id, progress, Secret(bytes.fromhex(key)), rewritten)
    if key is None:
        key = connection.write(lambda transaction: _renewed(transaction, seal))
    return Prepared(store_id, progress, Secret(bytes.fromhex(key)))


def _require_server(connection: Connection) -> None:
    version = connection.verify()
    numbers = tuple(int(part) for part in version.split("-")[0].split(".")[:2])
    if numbers < OLDEST_SERVER:
        raise StoreVersionError(
            f"the server of {connection.location} is Neo4j {version}; 5.26 or newer is needed",
            hint="upgrade the server",
            found=version,
            location=connection.location,
        )


def _found(connection: Connection) -> tuple[int, str, str | None, str | None]:
    rows = connection.read("MATCH (s:Store {only: true}) RETURN s.schema, s.store_id, s.copying, s.secret")
    return (int(rows[0][0]), str(rows[0][1]), rows[0][2], rows[0][3]) if rows else (0, "", None, None)


def _require_known(connection: Connection, version: int, newest: int) -> None:
    if version > newest:
        raise StoreVersionError(
            f"{connection.location} has schema version {version}; this program knows versions up to {newest}",
            hint="upgrade the service, or use another database",
            found=version,
            newest=newest,
            location=connection.location,
        )


def _require_ours(connection: Connection) -> None:
    ((taken,),) = connection.read(f"MATCH (n:{'|'.join(LABELS)}) RETURN count(n)")
    if taken:
        raise StoreCorruptError(
            f"{connection.location} holds {taken} nodes of another program under the labels that this one uses",
            hint="name a database of its own",
            location=connection.location,
        )


def _mark(transaction: neo4j.ManagedTransaction, version: int, rekey: Rekey, seal: Seal) -> tuple[str, str, bool]:
    """Note the schema's version, once what the store holds has its form; id, secret, whether an earlier log was rewritten."""
    row = transaction.run(
        "MERGE (s:Store {only: true}) ON CREATE SET s += $new WITH s, s.schema AS before SET s.schema = $version "
        "RETURN s.store_id, before",
        new={"store_id": secrets.token_hex(16), "sequence": 0, "digest": GENESIS.hex(), "entities": 0, "turn": True},
        version=version,
    ).single(strict=True)
    key = _new_secret(transaction)
    if (row[1] or 0) < REKEYED <= version:
        rekey(transaction, Secret(bytes.fromhex(key)))
    seal(transaction, Secret(bytes.fromhex(key)), (row[1] or 0) < SEALED)
    return str(row[0]), key, 0 < (row[1] or 0) < REKEYED <= version


def _renewed(transaction: neo4j.ManagedTransaction, seal: Seal) -> str:
    """A new secret for a store that has lost its own."""
    key = _new_secret(transaction)
    seal(transaction, Secret(bytes.fromhex(key)), False)
    return key


def _new_secret(transaction: neo4j.ManagedTransaction) -> str:
    """The store's secret, made where there is none; tombstones of one that is gone refuse nothing any more."""
    row = transaction.run(
        "MATCH (s:Store {only: true}) SET s.secret = coalesce(s.secret, $key) RETURN s.secret",
        key=Secret.new().key.hex(),
    ).single(strict=True)
    return str(row[0])
