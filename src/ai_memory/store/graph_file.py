"""What extraction found, in a separate SQLite file next to the store: derived, the same for every kind of store, deleted at will.

The file follows the store's log as the index does: it keeps the sequence up to which it has read, in the same transaction as
what it read, so that a killed process loses nothing and two processes never do the same work twice.

An entity is made of several memories: one spells its name, others mention it by a shorter form. When the last one that spells
it goes, the others are read again, as if it had never been there: in the same transaction, so that no state of the file has a
name that no memory has.
"""

from __future__ import annotations

import datetime as dt
import secrets
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, Protocol

from msgspec import Struct

from ai_memory.clock import from_micros, has_come, to_micros
from ai_memory.errors import StoreFullError
from ai_memory.store.ids import relation_id
from ai_memory.store.rules import MEND
from ai_memory.store.sqlite.file.connection import Row, connect, prepare_writer, translated
from ai_memory.store.sqlite.file.files import delete, make
from ai_memory.store.sqlite.file.readers import Readers
from ai_memory.store.sqlite.file.reserve import Reserve, with_room
from ai_memory.store.sqlite.file.wal import MARK, Wiper, marked, pending, since_of
from ai_memory.store.sqlite.schema import statements
from ai_memory.store.values import instant, json_text, micros
from ai_memory.types import Actor, Entity, Problem, Relation, RelationType, WipePending
from ai_memory.waiting import patiently

LAYOUT = 3
EDGES_PER_NODE = 1_000
"""Of an entity that more memories name than this, the newest so many are shown: no walk needs every edge of a hub."""
BUSY_SECONDS = 30.0
PASSES = 8
"""What is read again may leave another name without its memory: so often at most, and one is enough for all that texts do."""

_ENTITY = "e.id, e.namespace, e.kind, e.name, e.made_at"
_MENTION = (
    "SELECT 0, r.memory, e.id, '', r.valid_from, r.valid_to, m.first, m.last, r.memory, r.recorded_at FROM mentions m "
    "JOIN revisions r ON r.key = m.revision JOIN entities e ON e.number = m.entity"
)
_STATEMENT = (
    "SELECT s.number + 1, e.id, t.id, s.type, s.valid_from, s.valid_to, s.first, s.last, r.memory, r.recorded_at "
    "FROM statements s JOIN revisions r ON r.key = s.revision JOIN entities e ON e.number = s.source "
    "JOIN entities t ON t.number = s.target"
)


class Said(Struct, frozen=True):
    """One statement of a memory: two entities' ids, the relation, when it held, and the characters that say so."""

    source: str
    target: str
    type: str
    valid_from: dt.datetime | None
    valid_to: dt.datetime | None
    first: int
    last: int


class Named(Struct, frozen=True):
    """An entity that a revision names: the characters of the first mention, and whether the text has the entity's whole name."""

    entity: Entity
    first: int
    last: int
    spelt: bool


class Mentioned(Struct, frozen=True):
    """One mention in the file; `first` is its first character."""

    key: int
    memory: str
    entity: str
    first: int
    spelt: bool


class ReadRevision(Struct, frozen=True):
    """What one revision names, each entity once, and what it states of them.

    What it states holds no longer than the memory itself: its validity bounds that of every statement.
    """

    key: int
    namespace: str
    memory: str
    recorded_at: dt.datetime
    valid_from: dt.datetime | None
    valid_to: dt.datetime | None
    mentions: tuple[Named, ...]
    statements: tuple[Said, ...]


class Reader(Protocol):
    """What reads revisions for the file; asked with the file locked."""

    def made_by_people(self, namespace: str, ids: Sequence[str]) -> set[str]:
        """Those of these entities that people made: they have their names from them, whatever memories say."""
        ...

    def read_again(
        self, namespace: str, keys: Sequence[int], known: Sequence[tuple[int, Entity]]
    ) -> list[ReadRevision]:
        """What these revisions say, in order, where the entities `known` are named, from the key of each on."""
        ...


class GraphFile:
    """The file at `path`, made again where it is of another store, another state of it, or another `version` of extraction.

    `digest_at` gives the digest of the store's log entry with a sequence, empty where there is none. Raises StoreError's
    subclasses when the file cannot be used.
    """

    def __init__(self, path: Path, store_id: str, version: str, digest_at: Callable[[int], str]) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._digest_at = digest_at
        self._writing = with_room(path, self._open)
        self._readers = Readers(lambda: connect(path, read_only=True), str(path))
        self._wiper = Wiper(path)
        self._reserve = Reserve(path)
        self._made = f"{LAYOUT} {version} {store_id}"
        self._make_unless_fit()

    def position(self) -> int:
        """The sequence of the log up to which the store has been read."""
        with self._readers.one() as connection:
            return int(_meta(connection, "position") or 0)

    def take(
        self,
        read: Sequence[ReadRevision],
        retired: Sequence[int],
        since: int,
        now: int,
        forgotten: Callable[[], tuple[set[int], set[str]]],
        reader: Reader,
    ) -> bool:
        """Keep what was read from the log entries after `since` up to `now`, and drop revisions; False where another process did.

        `forgotten` gives, asked with the file locked, the keys that are forgotten by now, which are not kept, and the namespaces
        in which any memory was forgotten.
        """
        with self._transaction() as connection:
            if int(_meta(connection, "position") or 0) != since:
                return False
            erased, namespaces = forgotten()
            touched: set[int] = set()
            for each in read:
                if each.key not in erased:
                    touched |= _insert(connection, each)
            touched |= _drop(connection, [*retired, *sorted(erased)])
            again = _derive_again(connection, _unspelt(connection, touched), reader)
            for namespace in sorted(
                namespaces
            ):  # also what people made, and is gone with a memory that it was related to
                again |= _derive_again(connection, _all_unspelt(connection, namespace), reader)
            if again or namespaces:
                _put(connection, **{MARK: marked(connection, secrets.randbits(62))})
            _put(connection, position=str(now), digest=self._digest_at(now))
        if again or namespaces:
            self._wipe()
        return True

    def erase(self, namespace: str, memories: Sequence[str], reader: Reader) -> None:
        """Drop what forgotten memories named, and leave none of its bytes in the file, of retired revisions neither."""
        try:
            self._erase(namespace, memories, reader)
        except StoreFullError:
            with self._reserve.released():
                self._erase(namespace, memories, reader)

    def _erase(self, namespace: str, memories: Sequence[str], reader: Reader) -> None:
        with self._transaction() as connection:
            sql = "SELECT key FROM revisions WHERE namespace = ? AND memory = ?"
            for memory in memories:
                _drop(connection, [key for (key,) in connection.execute(sql, (namespace, memory))])
            _derive_again(connection, _all_unspelt(connection, namespace), reader)
            _put(connection, **{MARK: marked(connection, secrets.randbits(62))})
        self._wipe()

    def entities(
        self, namespace: str, *, ids: Sequence[str] = (), names: Sequence[str] = (), kinds: Sequence[str] = ()
    ) -> list[tuple[Entity, int]]:
        """Entities with the number of memories that name each; by id, or by name (case-folded), or all of some kinds."""
        clauses, values = ["e.namespace = ?"], [namespace]
        for column, given in (("id", ids), ("folded", [name.casefold() for name in names]), ("kind", kinds)):
            if given:
                clauses.append(f"e.{column} IN (SELECT value FROM json_each(?))")
                values.append(json_text(list(given)))
        with self._readers.one() as connection:
            rows = connection.execute(
                f"SELECT {_ENTITY}, (SELECT count(*) FROM mentions m WHERE m.entity = e.number) FROM entities e "
                f"WHERE {' AND '.join(clauses)} ORDER BY e.number",
                values,
            )
            return [(_entity(row), int(count)) for *row, count in rows]

    def naming(self, namespace: str, ids: Sequence[str]) -> list[tuple[str, str]]:
        """The memories that name some entities: (memory, entity), each pair once."""
        sql = (
            "SELECT r.memory, e.id FROM entities e JOIN mentions m ON m.entity = e.number "
            "JOIN revisions r ON r.key = m.revision "
            "WHERE e.namespace = ? AND e.id IN (SELECT value FROM json_each(?))"
        )
        with self._readers.one() as connection:
            return connection.execute(sql, (namespace, json_text(list(ids)))).fetchall()

    def mentions(self, namespace: str, entities: Sequence[str]) -> list[Mentioned]:
        """Where memories name some entities, in the order of the revisions."""
        sql = (
            "SELECT r.key, r.memory, e.id, m.first, m.spelt FROM entities e JOIN mentions m ON m.entity = e.number "
            "JOIN revisions r ON r.key = m.revision WHERE e.namespace = ? "
            "AND e.id IN (SELECT value FROM json_each(?)) ORDER BY r.key"
        )
        with self._readers.one() as connection:
            rows = connection.execute(sql, (namespace, json_text(list(entities))))
            return [Mentioned(key, memory, entity, first, bool(spelt)) for key, memory, entity, first, spelt in rows]

    def known(self, namespace: str, without: Sequence[str]) -> list[tuple[int, Entity]]:
        """The entities that memories other than `without` name, each with the first of the revisions that do, in that order."""
        with self._readers.one() as connection:
            return _known(connection, namespace, without)

    def relations(
        self,
        namespace: str,
        ids: Sequence[str],
        *,
        types: Sequence[str] = (),
        as_of: dt.datetime | None = None,
        known_at: dt.datetime | None = None,
    ) -> list[Relation]:
        """MENTIONS from a memory to each entity it names, and what memories state, with one of `ids` at either end.

        At most `EDGES_PER_NODE` of each kind at one node, the newest. All weigh the same.
        """
        found: dict[str, Relation] = {}
        with self._readers.snapshot() as connection:
            for query, values in _touching(connection, namespace, ids):
                for row in connection.execute(f"{query} ORDER BY 10 DESC LIMIT {EDGES_PER_NODE}", values):
                    made = _relation(namespace, row)
                    if _holds(made, types, as_of, known_at):
                        found[made.id] = made
        return list(found.values())

    def clear(self) -> None:
        """Empty the file: all is to be read again."""
        with self._transaction() as connection:
            self._make(connection)

    def unwiped(self) -> WipePending | None:
        """What keeps the bytes of what was erased in the file; None where they are gone."""
        with self._readers.one() as connection:
            due = pending(connection)
        if due is None:
            return None
        since = since_of(due)
        why = self._wiper.failure or "another process reads an older state of the graph file"
        return WipePending(since=None if since is None else from_micros(since), why=why)

    def upkeep(self) -> None:
        """Wipe what is still to be wiped; else cut the write-ahead log if nobody writes into it."""
        with self._lock, translated(str(self._path)):
            if pending(self._writing) is not None:
                self._wiper.wipe(self._writing, seconds=0.0, urgent=False)
            elif self._wiper.is_idle():
                self._wiper.cut(self._writing)
        self._reserve.fill()

    def check(self) -> Iterator[Problem]:
        """What is damaged in the file itself; whether it has all that memories say is not compared. Raises StoreError."""
        with self._readers.one() as connection:
            for (message,) in connection.execute("PRAGMA integrity_check(3)"):
                if message != "ok":
                    yield Problem(
                        check="graph", message=f"the file of what memories name is damaged: {message}", mend=MEND
                    )

    def delete(self) -> None:
        """Release the file and delete it."""
        self.close()
        delete(self._path)

    def close(self) -> None:
        """Release the file."""
        self._readers.close()
        with self._lock:
            self._writing.close()
        self._reserve.fill()

    def _open(self) -> sqlite3.Connection:
        with translated(str(self._path)):
            make(self._path)
            connection = connect(self._path, timeout=BUSY_SECONDS)
            try:
                prepare_writer(connection)
                patiently(connection, "PRAGMA journal_mode = WAL", BUSY_SECONDS)
            except BaseException:
                connection.close()
                raise
            return connection

    def _make_unless_fit(self) -> None:
        with self._transaction() as connection:
            position = int(_meta(connection, "position") or 0)
            if (_meta(connection, "made"), _meta(connection, "digest")) != (self._made, self._digest_at(position)):
                self._make(connection)

    def _make(self, connection: sqlite3.Connection) -> None:
        for (table,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall():
            connection.execute(f'DROP TABLE "{table}"')
        for statement in statements((resources.files("ai_memory.store") / "graph_file.sql").read_text("utf-8")):
            connection.execute(statement)
        _put(connection, made=self._made, position="0", digest="")

    def _wipe(self) -> None:
        with self._lock:
            self._wiper.wipe(self._writing, seconds=0.5, urgent=True)

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock, translated(str(self._path)):
            patiently(self._writing, "BEGIN IMMEDIATE", BUSY_SECONDS)
            try:
                yield self._writing
                self._writing.execute("COMMIT")
            except BaseException:
                self._writing.rollback()
                raise


def _insert(connection: sqlite3.Connection, read: ReadRevision) -> set[int]:
    """Insert a revision with all it says; the entities that it names without spelling them."""
    at = to_micros(read.recorded_at)
    connection.execute(
        "INSERT OR REPLACE INTO revisions VALUES (?, ?, ?, ?, ?, ?)",
        (read.key, read.namespace, read.memory, at, micros(read.valid_from), micros(read.valid_to)),
    )
    numbers: dict[str, int] = {}
    for named in read.mentions:
        entity = named.entity
        values = (read.namespace, entity.id, entity.kind, entity.name, entity.name.casefold(), at)
        connection.execute(
            "INSERT OR IGNORE INTO entities (namespace, id, kind, name, folded, made_at) VALUES (?, ?, ?, ?, ?, ?)",
            values,
        )
        sql = "SELECT number FROM entities WHERE namespace = ? AND id = ?"
        (numbers[entity.id],) = connection.execute(sql, values[:2]).fetchone()
        connection.execute(
            "INSERT OR REPLACE INTO mentions VALUES (?, ?, ?, ?, ?)",
            (read.key, numbers[entity.id], named.first, named.last, named.spelt),
        )
    connection.executemany(
        "INSERT OR REPLACE INTO statements VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (read.key, number, numbers[said.source], numbers[said.target], *_details(said, read))
            for number, said in enumerate(read.statements)
        ],
    )
    return {numbers[named.entity.id] for named in read.mentions if not named.spelt}


def _details(said: Said, read: ReadRevision) -> Row:
    return said.type, *map(micros, _held(said, read)), said.first, said.last


def _held(said: Said, read: ReadRevision) -> tuple[dt.datetime | None, dt.datetime | None]:
    """When what a memory states held: the statement's own dates, and the memory's where it has none that say otherwise.

    A memory that ended ends what it states; one that began after the end that it states itself does not begin it.
    """
    begin, end = said.valid_from, said.valid_to
    if read.valid_to is not None and (end is None or read.valid_to < end):
        end = read.valid_to if begin is None else max(read.valid_to, begin)
    if begin is None and read.valid_from is not None and (said.valid_to is None or read.valid_from < said.valid_to):
        begin = read.valid_from
    return begin, end


def _meta(connection: sqlite3.Connection, name: str) -> str | None:
    if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'meta'").fetchone() is None:
        return None
    row = connection.execute("SELECT value FROM meta WHERE name = ?", (name,)).fetchone()
    return None if row is None else str(row[0])


def _put(connection: sqlite3.Connection, **values: str) -> None:
    connection.executemany("INSERT OR REPLACE INTO meta VALUES (?, ?)", list(values.items()))


def _drop(connection: sqlite3.Connection, keys: Iterable[int]) -> set[int]:
    """Delete revisions with all they say, and the entities that no other one names; the entities that they named."""
    touched: set[int] = set()
    for key in keys:
        named = [number for (number,) in connection.execute("SELECT entity FROM mentions WHERE revision = ?", (key,))]
        touched.update(named)
        for table, column in (("mentions", "revision"), ("statements", "revision"), ("revisions", "key")):
            connection.execute(f"DELETE FROM {table} WHERE {column} = ?", (key,))
        connection.executemany(
            "DELETE FROM entities WHERE number = ?1 AND NOT EXISTS (SELECT 1 FROM mentions WHERE entity = ?1)",
            [(number,) for number in named],
        )
    return touched


_UNSPELT = (
    "SELECT e.namespace, e.id, e.number FROM entities e WHERE {} "
    "AND NOT EXISTS (SELECT 1 FROM mentions m WHERE m.entity = e.number AND m.spelt)"
)


def _unspelt(connection: sqlite3.Connection, numbers: Iterable[int]) -> list[Row]:
    """Those of these entities that no revision spells: (namespace, id, number)."""
    sql = _UNSPELT.format("e.number IN (SELECT value FROM json_each(?))")
    return connection.execute(sql, (json_text(sorted(numbers)),)).fetchall()


def _all_unspelt(connection: sqlite3.Connection, namespace: str) -> list[Row]:
    """All such entities of a namespace."""
    return connection.execute(_UNSPELT.format("e.namespace = ?"), (namespace,)).fetchall()


def _derive_again(connection: sqlite3.Connection, unspelt: Sequence[Row], reader: Reader) -> bool:
    """Read again what names entities that nothing gives their names any longer; whether there was any."""
    again = False
    for _ in range(PASSES):
        touched = _read_again(connection, unspelt, reader)
        if not touched:
            break
        again = True
        unspelt = _unspelt(connection, touched)
    return again


def _read_again(connection: sqlite3.Connection, unspelt: Sequence[Row], reader: Reader) -> set[int]:
    """One pass: the entities that were named by what was read again, before or after."""
    gone: dict[str, dict[str, int]] = {}
    for namespace, entity, number in unspelt:
        gone.setdefault(namespace, {})[entity] = number
    touched: set[int] = set()
    for namespace, entities in gone.items():
        for entity in reader.made_by_people(namespace, list(entities)):
            del entities[entity]
        naming = "SELECT DISTINCT revision FROM mentions WHERE entity IN (SELECT value FROM json_each(?)) ORDER BY 1"
        keys = [key for (key,) in connection.execute(naming, (json_text(list(entities.values())),))]
        if keys:
            touched |= _drop(connection, keys)
            for read in reader.read_again(namespace, keys, _known(connection, namespace)):
                touched |= _insert(connection, read)
    return touched


def _known(connection: sqlite3.Connection, namespace: str, without: Sequence[str] = ()) -> list[tuple[int, Entity]]:
    """As `GraphFile.known`."""
    rows = connection.execute(
        f"SELECT min(m.revision), {_ENTITY} FROM entities e JOIN mentions m ON m.entity = e.number "
        "JOIN revisions r ON r.key = m.revision WHERE e.namespace = ? "
        "AND r.memory NOT IN (SELECT value FROM json_each(?)) GROUP BY e.number ORDER BY 1, e.number",
        (namespace, json_text(list(without))),
    )
    return [(int(first), _entity(row)) for first, *row in rows]


def _touching(connection: sqlite3.Connection, namespace: str, ids: Sequence[str]) -> Iterator[tuple[str, Row]]:
    """The queries for the edges at each node: a memory's by its revision, an entity's by its number."""
    wanted = json_text(list(ids))
    inside = "namespace = ? AND {} IN (SELECT value FROM json_each(?))"
    for (key,) in connection.execute(
        f"SELECT key FROM revisions WHERE {inside.format('memory')}", (namespace, wanted)
    ).fetchall():
        yield f"{_MENTION} WHERE m.revision = ?", (key,)
    for (number,) in connection.execute(
        f"SELECT number FROM entities WHERE {inside.format('id')}", (namespace, wanted)
    ).fetchall():
        yield f"{_MENTION} WHERE m.entity = ?", (number,)
        yield f"{_STATEMENT} WHERE s.source = ?", (number,)
        yield f"{_STATEMENT} WHERE s.target = ?", (number,)


def _relation(namespace: str, row: Row) -> Relation:
    number, source, target, kind, valid_from, valid_to, first, last, memory, recorded_at = row
    at = instant(recorded_at)
    assert at is not None
    return Relation(
        id=relation_id(source, target, f"{kind}#{number}#{memory}", at),
        namespace=namespace,
        source=source,
        target=target,
        type=kind or str(RelationType.MENTIONS),
        attributes={"extracted": True, "start": first, "end": last},
        evidence=memory,
        valid_from=instant(valid_from),
        valid_to=instant(valid_to),
        recorded_at=at,
        actor=Actor.EXTRACTION,
    )


def _holds(made: Relation, types: Sequence[str], as_of: dt.datetime | None, known_at: dt.datetime | None) -> bool:
    if types and made.type not in types:
        return False
    if known_at is not None and made.recorded_at > known_at:
        return False
    begun = as_of is None or made.valid_from is None or has_come(made.valid_from, as_of)
    return begun and (as_of is None or made.valid_to is None or not has_come(made.valid_to, as_of))


def _entity(row: Sequence[Any]) -> Entity:
    entity_id, namespace, kind, name, made_at = row
    return Entity(id=entity_id, namespace=namespace, kind=kind, name=name, created_at=from_micros(made_at))
