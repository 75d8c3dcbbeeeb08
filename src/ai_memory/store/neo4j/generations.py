"""Vector generations: which embedder made which vectors, and which of them is in use."""

from __future__ import annotations

from ai_memory.errors import ConflictError, NotFoundError
from ai_memory.store.neo4j.database.connection import Connection
from ai_memory.store.neo4j.nodes import GENERATION, generation
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.neo4j.vectors import index_name, label
from ai_memory.types import EmbedderIdentity, Generation
from ai_memory.wording.ways import CANCEL_REEMBED

DROPPED_AT_ONCE = 2_000
"""Vectors deleted in one transaction, so that other writers hardly wait."""

LARGEST_INDEXED = 4096
"""The most dimensions that Neo4j's vector index takes."""

_ALL = f"MATCH (g:Generation) RETURN {GENERATION} ORDER BY g.number"
_ONE = f"MATCH (g:Generation {{number: $number}}) RETURN {GENERATION}"
_SAME = (
    "MATCH (g:Generation {model: $model, revision: $revision, prompts: $prompts, dtype: $dtype, dimension: $dimension}) "
    "RETURN g.number"
)
_NEW = "CREATE (g:Generation) SET g = $new"
_MISSING = (
    "MATCH (r:Revision) WHERE NOT EXISTS { (:Vector {generation: $number, key: r.key}) } "
    "MERGE (:Owed {generation: $number, key: r.key})"
)
_OWES_MORE = (
    "MATCH (o:Owed {generation: $number}) WHERE NOT EXISTS { MATCH (g:Generation {state: 'active'}) "
    "MATCH (:Owed {generation: g.number, key: o.key}) } RETURN o.key LIMIT 1"
)
_ACTIVATED = (
    "MATCH (g:Generation) WHERE g.state = 'active' OR g.number = $number "
    "SET g.state = CASE g.number WHEN $number THEN 'active' ELSE 'retired' END"
)
_NOT_PENDING = "MATCH (g:Generation {state: 'retired'}) MATCH (o:Owed {generation: g.number}) DELETE o"


def generations(connection: Connection) -> list[Generation]:
    """As `Store.generations`."""
    return [generation(row) for row in connection.read(_ALL)]


def find_generation(transaction: Transaction, number: int) -> Generation:
    """One generation. Raises NotFoundError."""
    rows = transaction.rows(_ONE, number=number)
    if not rows:
        raise NotFoundError(f"there is no vector generation {number}", generation=number)
    return generation(rows[0])


def create_generation(transaction: Transaction, identity: EmbedderIdentity, now: int, *, activate: bool) -> Generation:
    """As `Store.create_generation`, inside a write transaction."""
    values = {name: getattr(identity, name) for name in identity.__struct_fields__}
    rows = transaction.rows(_SAME, **values)
    if not activate:
        _refuse_two(transaction, rows[0][0] if rows else None)
    if rows:
        ((number,),) = rows
        _resume(transaction, number)
    else:
        number = transaction.store["generations"] = transaction.store.get("generations", 0) + 1
        made = {"number": number, "state": "building", "created_at": now, "position": 0}
        transaction.rows(_NEW, new=transaction.sealed("Generation", values | made))
        transaction.rows(_MISSING, number=number)
    if activate:
        activate_generation(transaction, number)
    return find_generation(transaction, number)


def index_vectors(connection: Connection, made: Generation) -> None:
    """Have the server index the vectors of a generation, for those who ask in Cypher.

    Servers that know Cypher 25 can filter inside the search, so that the index holds the namespace there.
    """
    if made.embedder.dimension > LARGEST_INDEXED:
        return
    within = connection.cypher_25
    connection.change_schema(
        f"{'CYPHER 25 ' if within else ''}CREATE VECTOR INDEX {index_name(made.id)} IF NOT EXISTS "
        f"FOR (v:{label(made.id)}) ON v.embedding {'WITH [v.namespace] ' if within else ''}"
        f"OPTIONS {{indexConfig: {{`vector.dimensions`: {made.embedder.dimension}, "
        "`vector.similarity_function`: 'cosine'}}"
    )


def activate_generation(transaction: Transaction, generation: int, *, complete: bool = False) -> bool:
    """As `Store.activate_generation`, inside a write transaction."""
    state = find_generation(transaction, generation).state
    if complete and (state == "retired" or transaction.rows(_OWES_MORE, number=generation)):
        return state == "active"
    _resume(transaction, generation)
    transaction.rows(_ACTIVATED, number=generation)
    _reseal(transaction)
    transaction.rows(_NOT_PENDING)
    return True


def retire_generation(transaction: Transaction, generation: int) -> None:
    """As `Store.retire_generation`, inside a write transaction."""
    if find_generation(transaction, generation).state == "active":
        raise ConflictError(
            f"vector generation {generation} is in use", hint="switch to another one first", generation=generation
        )
    transaction.rows("MATCH (g:Generation {number: $number}) SET g.state = 'retired'", number=generation)
    _reseal(transaction)
    transaction.rows(_NOT_PENDING)


def drop_some(transaction: Transaction, number: int) -> bool:
    """Delete some vectors of a retired generation, inside a write transaction; whether it is gone with all of them."""
    state = find_generation(transaction, number).state
    if state != "retired":
        raise ConflictError(
            f"vector generation {number} is {state}; only one that is set aside can be deleted",
            hint="switch to another one, or cancel what is being built, first",
            generation=number,
        )
    ((deleted,),) = transaction.rows(
        "MATCH (v:Vector {generation: $number}) WITH v LIMIT $limit DETACH DELETE v RETURN count(*)",
        number=number,
        limit=DROPPED_AT_ONCE,
    )
    if deleted == DROPPED_AT_ONCE:
        return False
    transaction.rows(_NOT_PENDING)
    transaction.rows("MATCH (g:Generation {number: $number}) DELETE g", number=number)
    return True


def _refuse_two(transaction: Transaction, number: int | None) -> None:
    """Raise where a generation other than `number` is being built."""
    rows = transaction.rows("MATCH (g:Generation {state: 'building'}) RETURN g.number")
    other = next((found for (found,) in rows if found != number), None)
    if other is not None:
        raise ConflictError(
            f"vector generation {other} is being built; one is built at a time",
            hint=CANCEL_REEMBED.after("let it finish, or "),
            generation=other,
        )


def _resume(transaction: Transaction, number: int) -> None:
    """Nothing became pending in a generation while it was retired: add what was written since."""
    if find_generation(transaction, number).state == "retired":
        transaction.rows("MATCH (g:Generation {number: $number}) SET g.state = 'building'", number=number)
        _reseal(transaction)
        transaction.rows(_MISSING, number=number)


def _reseal(transaction: Transaction) -> None:
    transaction.reseal("Generation", "MATCH (n:Generation)")


def drop_index(connection: Connection, number: int) -> None:
    """Have the server forget the index over a generation that is gone."""
    connection.change_schema(f"DROP INDEX {index_name(number)} IF EXISTS")
