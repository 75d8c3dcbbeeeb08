"""Comparing the store with itself, and repairing its derived parts."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator

import msgspec
import numpy as np

from ai_memory.store.base import Action
from ai_memory.store.chain import GENESIS, agrees, chain_digest, relation_hash
from ai_memory.store.rules import MEND, PUT_BACK, RESTORE, SEALED_OTHERWISE, UNOPENED
from ai_memory.store.seals import Seals
from ai_memory.store.sqlite.rows import HELD_SOURCE, LOGGED_COLUMNS, RELATION_COLUMNS, held, logged, relation
from ai_memory.store.sqlite.transaction.graveyard import fill, unopened
from ai_memory.store.sqlite.whole.sealing import broken_vectors, foreign_objects, seal_others, seals_broken
from ai_memory.store.tombstones import Secret, Tombstones, come_back
from ai_memory.types import LENGTH_TOLERANCE, Problem

_MAKING = f"('{Action.REMEMBERED}', '{Action.REVISED}', '{Action.RESTORED}')"

_ERASED = "SELECT j.value FROM log g, json_each(g.erased_keys) j WHERE g.action IN ('forgotten', 'undone')"

_COUNTS: tuple[tuple[str, str, str | None, str], ...] = (
    (
        "current_revision",
        "memories have two current revisions, or a current one that is not the latest",
        RESTORE,
        "SELECT count(*) FROM (SELECT memory FROM revisions GROUP BY memory "
        "HAVING count(*) FILTER (WHERE retired_at IS NULL) > 1 "
        "OR max(key) FILTER (WHERE retired_at IS NULL) < max(key))",
    ),
    (
        "memory_without_revision",
        "memories have no revision",
        RESTORE,
        "SELECT count(*) FROM memories m WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.memory = m.number)",
    ),
    (
        "revision_intervals",
        "revisions begin before the one before them has ended, or end before they begin",
        RESTORE,
        "SELECT count(*) FROM (SELECT recorded_at, retired_at, lag(retired_at) OVER history AS before, "
        "lag(key) OVER history AS earlier FROM revisions WINDOW history AS (PARTITION BY memory ORDER BY key)) "
        "WHERE retired_at < recorded_at OR (earlier IS NOT NULL AND (before IS NULL OR before > recorded_at))",
    ),
    (
        "revision_without_log",
        "revisions do not agree with the log entry that made them",
        RESTORE,
        "SELECT count(*) FROM revisions r JOIN memories m ON m.number = r.memory LEFT JOIN log g ON g.sequence = r.key "
        f"WHERE g.sequence IS NULL OR g.action NOT IN {_MAKING} OR g.memory_id != m.id "
        "OR g.namespace != r.namespace OR NOT agrees(g.content_hash, r.content_hash, r.salt)",
    ),
    (
        "log_without_revision",
        "log entries made revisions that are neither there nor forgotten",
        RESTORE,
        f"SELECT count(*) FROM log g LEFT JOIN revisions r ON r.key = g.sequence WHERE g.action IN {_MAKING} "
        f"AND r.key IS NULL AND g.sequence NOT IN ({_ERASED})",
    ),
    (
        "relation_ends",
        "relations lead from or to something that is gone",
        RESTORE,
        "SELECT count(*) FROM (SELECT namespace, source AS id FROM relations UNION ALL "
        "SELECT namespace, target FROM relations UNION ALL "
        "SELECT namespace, evidence FROM relations WHERE evidence IS NOT NULL) l WHERE NOT EXISTS "
        "(SELECT 1 FROM memories m WHERE m.namespace = l.namespace AND m.id = l.id) AND NOT EXISTS "
        "(SELECT 1 FROM entities e WHERE e.namespace = l.namespace AND e.id = l.id)",
    ),
    (
        "proposal_ends",
        "proposals or feedback are about a memory that is gone",
        RESTORE,
        "SELECT count(*) FROM (SELECT namespace, memory_id AS id FROM proposals UNION ALL "
        "SELECT namespace, other_id FROM proposals WHERE other_id IS NOT NULL UNION ALL "
        "SELECT namespace, memory_id FROM feedback) l WHERE NOT EXISTS "
        "(SELECT 1 FROM memories m WHERE m.namespace = l.namespace AND m.id = l.id)",
    ),
    (
        "occurred",
        "revisions are filed under a wrong instant",
        RESTORE,
        "SELECT count(*) FROM revisions r JOIN memories m ON m.number = r.memory "
        "WHERE r.occurred != coalesce(r.valid_from, m.created_at)",
    ),
    (
        "tags",
        "tags are not filed as their revision has them",
        MEND,
        "SELECT (SELECT count(*) FROM (SELECT j.value, r.key FROM revisions r, json_each(r.tags) j "
        "EXCEPT SELECT tag, revision FROM tags)) + (SELECT count(*) FROM (SELECT tag, revision FROM tags "
        "EXCEPT SELECT j.value, r.key FROM revisions r, json_each(r.tags) j))",
    ),
    (
        "pending",
        "revisions have no vector and are not pending",
        MEND,
        "SELECT count(*) FROM generations g CROSS JOIN revisions r WHERE g.state != 'retired' "
        "AND NOT EXISTS (SELECT 1 FROM vectors v WHERE v.revision = r.key AND v.generation = g.number) "
        "AND NOT EXISTS (SELECT 1 FROM owed o WHERE o.generation = g.number AND o.revision = r.key)",
    ),
    (
        "pending_stray",
        "pending entries belong to revisions that do not exist",
        MEND,
        "SELECT count(*) FROM owed o WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = o.revision)",
    ),
    (
        "vectors_stray",
        "vectors belong to revisions or generations that are gone",
        MEND,
        "SELECT count(*) FROM vectors v WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = v.revision) "
        "OR NOT EXISTS (SELECT 1 FROM generations g WHERE g.number = v.generation)",
    ),
    (
        "vectors_size",
        "vectors have another dimension than their generation",
        MEND,
        "SELECT count(*) FROM vectors v JOIN generations g ON g.number = v.generation "
        "WHERE length(v.vector) != 4 * g.dimension",
    ),
)
"""Each check's name, what it means when the count is above 0, how to fix it, and the SQL that counts."""


_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT, sqlite3.SQLITE_ERROR)
"""What SQLite answers to a damaged file; SQLITE_ERROR where its schema or a row's text cannot be read."""


def check(
    connection: sqlite3.Connection, secret: Secret, seals: Seals, progress: Callable[[str], None] | None = None
) -> list[Problem]:
    """As `Store.check`, on one snapshot. `progress` gets the name of each check before it runs."""
    connection.create_function("agrees", 3, _agrees, deterministic=True)
    steps: list[tuple[str, Callable[[], Iterator[Problem]]]] = [
        ("integrity", lambda: _integrity(connection)),
        ("schema", lambda: foreign_objects(connection)),
        ("seals", lambda: seals_broken(connection, seals)),
        ("references", lambda: _references(connection)),
        ("chain", lambda: _chain(connection)),
        ("relations", lambda: _relations(connection)),
        ("forgotten_present", lambda: _come_back(connection, secret)),
        ("tombstones_unopened", lambda: _unopened(connection, secret)),
        ("vectors_length", lambda: _lengths(connection)),
    ]
    steps += [(name, _counting(connection, name, message, mend, sql)) for name, message, mend, sql in _COUNTS]
    problems: list[Problem] = []
    for name, step in steps:
        if progress is not None:
            progress(name)
        try:
            problems.extend(step())
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT) & 0xFF not in _DAMAGED:
                raise
            problems.append(Problem(check=name, message=f"the file is damaged: {error}", mend=RESTORE))
        except (ValueError, TypeError, LookupError, ArithmeticError, msgspec.MsgspecError) as error:
            # What a row holds cannot be read as what it should be.
            problems.append(Problem(check=name, message=f"rows are damaged: {error}", mend=RESTORE))
    return problems


def _counting(
    connection: sqlite3.Connection, name: str, message: str, mend: str | None, sql: str
) -> Callable[[], Iterator[Problem]]:
    def count() -> Iterator[Problem]:
        (found,) = connection.execute(sql).fetchone()
        if found:
            yield Problem(check=name, message=message, count=found, mend=mend)

    return count


def _integrity(connection: sqlite3.Connection) -> Iterator[Problem]:
    for (message,) in connection.execute("PRAGMA integrity_check(20)"):
        if message != "ok":
            index = "index" in message
            yield Problem(check="integrity", message=message, mend=MEND if index else RESTORE)


def _references(connection: sqlite3.Connection) -> Iterator[Problem]:
    broken: dict[tuple[str, str], int] = {}
    for table, _, parent, _ in connection.execute("PRAGMA foreign_key_check"):
        if table not in ("owed", "vectors", "tags"):  # derived, and counted by their own checks
            broken[table, parent] = broken.get((table, parent), 0) + 1
    for (table, parent), count in broken.items():
        yield Problem(check="references", message=f"rows of {table} name no row of {parent}", count=count, mend=RESTORE)


def _chain(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Recompute every digest of the log; the first entry that does not fit is named."""
    before = GENESIS
    rows = connection.execute(
        f"SELECT {LOGGED_COLUMNS} FROM log g LEFT JOIN namespaces n ON n.number = g.namespace ORDER BY g.sequence"
    )
    for position, row in enumerate(rows, start=1):
        entry, digest = logged(row)
        if entry.sequence != position or digest != chain_digest(before, entry):
            yield Problem(
                check="chain",
                message=f"log entry {entry.sequence} was changed, or one before it is missing",
                mend=RESTORE,
            )
            return
        before = digest


def _relations(connection: sqlite3.Connection) -> Iterator[Problem]:
    """Relations against what the log says they were."""
    hashes = dict(
        connection.execute("SELECT sequence, content_hash FROM log WHERE action = ?", (Action.RELATED.value,))
    )
    wrong = 0
    rows = connection.execute(
        f"SELECT {RELATION_COLUMNS}, l.salt, l.key FROM relations l JOIN namespaces n ON n.number = l.namespace"
    )
    for row in rows:
        *_, salt, key = row
        wrong += not agrees(hashes.get(key), relation_hash(relation(row)), salt)
    if wrong:
        yield Problem(check="relations", message="relations differ from their log entries", count=wrong, mend=RESTORE)


def _come_back(connection: sqlite3.Connection, secret: Secret) -> Iterator[Problem]:
    known = Tombstones()
    fill(known, connection, secret)
    if not known:
        return
    rows = connection.execute(
        f"{HELD_SOURCE} WHERE r.namespace IN (SELECT namespace FROM tombstones) ORDER BY r.memory, r.key"
    )
    revisions = ((each.key, each.memory, each.record.namespace, each.record) for each in map(held, rows))
    if wrong := come_back(revisions, known):
        message = "revisions say what was forgotten before they were made"
        yield Problem(check="forgotten_present", message=message, count=wrong, mend="ai-memory forget")


def _unopened(connection: sqlite3.Connection, secret: Secret) -> Iterator[Problem]:
    if count := unopened(connection, secret):
        yield Problem(check="tombstones_unopened", message=UNOPENED, count=count, mend=PUT_BACK)


def _agrees(committed: bytes | None, content_hash: bytes | str, salt: bytes | None) -> bool:
    """`chain.agrees` for a query."""
    return agrees(committed, content_hash.hex() if isinstance(content_hash, bytes) else content_hash, salt)


def _lengths(connection: sqlite3.Connection) -> Iterator[Problem]:
    wrong = sum(1 for _ in _not_unit(connection))
    if wrong:
        yield Problem(check="vectors_length", message="vectors do not have length 1", count=wrong, mend=MEND)


def _not_unit(connection: sqlite3.Connection) -> Iterator[int]:
    """Positions of the vectors whose length is not 1."""
    rows = connection.execute("SELECT position, vector FROM vectors")
    for position, blob in rows:
        length = float(np.linalg.norm(np.frombuffer(blob[: len(blob) // 4 * 4], dtype="<f4").astype(np.float64)))
        if not abs(length - 1) <= LENGTH_TOLERANCE:
            yield position


def repair(connection: sqlite3.Connection, secret: Secret, seals: Seals) -> list[Problem]:
    """As `Store.repair`, inside a write transaction."""
    found = [
        problem
        for problem in check(connection, secret, seals)
        if problem.mend == MEND or problem.check == SEALED_OTHERWISE
    ]
    if not found:
        return []
    seal_others(connection, seals)
    wrong = [(position,) for position in {*_not_unit(connection), *broken_vectors(connection, seals)}]
    connection.executemany("DELETE FROM vectors WHERE position = ?", wrong)
    for statement in _REPAIRS:
        connection.execute(statement)
    left = {(problem.check, problem.message) for problem in check(connection, secret, seals)}
    return [problem for problem in found if (problem.check, problem.message) not in left]


_REPAIRS = (
    "REINDEX",
    "DELETE FROM vectors WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = vectors.revision) "
    "OR (SELECT 4 * dimension FROM generations g WHERE g.number = vectors.generation) IS NOT length(vector)",
    "DELETE FROM owed WHERE NOT EXISTS (SELECT 1 FROM revisions r WHERE r.key = owed.revision) "
    "OR NOT EXISTS (SELECT 1 FROM generations g WHERE g.number = owed.generation)",
    "INSERT OR IGNORE INTO owed SELECT g.number, r.key FROM generations g CROSS JOIN revisions r "
    "WHERE g.state != 'retired' AND NOT EXISTS "
    "(SELECT 1 FROM vectors v WHERE v.revision = r.key AND v.generation = g.number)",
    "DELETE FROM tags",
    "INSERT INTO tags SELECT DISTINCT j.value, r.key FROM revisions r, json_each(r.tags) j",
)
