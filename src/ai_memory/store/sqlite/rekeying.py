"""What the fourth migration does beyond its script: commitments in the log, and tombstones under the store's secret."""

from __future__ import annotations

import sqlite3

from ai_memory.store.base import Action
from ai_memory.store.rekeying import rechained
from ai_memory.store.sqlite.file import wal
from ai_memory.store.sqlite.rows import LOGGED_COLUMNS, hash_column, logged
from ai_memory.store.tombstones import Secret, Trace

_LOG = f"SELECT {LOGGED_COLUMNS} FROM log g JOIN namespaces n ON n.number = g.namespace ORDER BY g.sequence"
_SALTS = "SELECT key, salt FROM revisions UNION ALL SELECT key, salt FROM relations"
_RELATIONS = "SELECT n.name, l.id, l.key FROM relations l JOIN namespaces n ON n.number = l.namespace"
_EARLIER = "SELECT namespace, value_digest, sequence FROM earlier_tombstones"


def rekey(connection: sqlite3.Connection, secret: Secret) -> bool:
    """Run inside the upgrade's transaction; whether anything was forgotten before.

    The old digests are wiped from the file as after a forget.
    """
    salts = dict(connection.execute(_SALTS).fetchall())
    related = {(namespace, relation): key for namespace, relation, key in connection.execute(_RELATIONS)}
    entries = map(logged, connection.execute(_LOG).fetchall())
    changed = [
        (None if entry.content_hash is None else hash_column(entry.content_hash), digest, entry.sequence)
        for entry, digest in rechained(entries, salts, lambda *named: related.get(named))
    ]
    connection.executemany("UPDATE log SET content_hash = ?, digest = ? WHERE sequence = ?", changed)
    earlier = connection.execute(_EARLIER).fetchall()
    traces = [(namespace, Trace.of_value(digest), sequence) for namespace, digest, sequence in earlier]
    connection.executemany(
        "INSERT INTO tombstones (namespace, digest, sealed, sequence) VALUES (?, ?, ?, ?)",
        [(namespace, secret.row(trace), secret.seal(trace), sequence) for namespace, trace, sequence in traces],
    )
    connection.execute("DROP TABLE earlier_tombstones")
    if changed:
        connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (wal.MARK, str(changed[-1][2])))
    forgotten = connection.execute("SELECT 1 FROM log WHERE action = ? LIMIT 1", (Action.FORGOTTEN.value,)).fetchone()
    return forgotten is not None
