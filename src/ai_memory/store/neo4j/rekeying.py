"""What the fourth migration does beyond its statements: salts, commitments in the log, and tombstones under the store's secret."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import neo4j

from ai_memory.store.chain import GENESIS, new_salt
from ai_memory.store.neo4j.nodes import LOG, log_properties, logged
from ai_memory.store.rekeying import rechained
from ai_memory.store.tombstones import Secret, Trace

ROWS_AT_ONCE = 1_000

_UNSALTED = "MATCH (n:{label}) RETURN n.key, n.namespace, n.id ORDER BY n.key"
_SALTED = "UNWIND $rows AS row MATCH (n:{label} {{key: row[0]}}) SET n.salt = row[1] REMOVE n.value_digest"
_LOG = f"MATCH (g:LogEntry) RETURN {LOG} ORDER BY g.sequence"
_RECHAINED = (
    "UNWIND $rows AS row MATCH (g:LogEntry {sequence: row.sequence}) "
    "SET g.content_hash = row.content_hash, g.digest = row.digest"
)
_EARLIER = "MATCH (t:Tombstone) WHERE t.value_digest IS NOT NULL RETURN t.namespace, t.value_digest, t.sequence"
_SEALED = (
    "UNWIND $rows AS row MATCH (t:Tombstone {namespace: row[0], value_digest: row[1]}) "
    "SET t.digest = row[2], t.sealed = row[3] REMOVE t.value_digest"
)


def rekey(transaction: neo4j.ManagedTransaction, secret: Secret) -> None:
    """Run in the transaction that marks the store as upgraded. A server overwrites the old digests when it does so by itself."""
    salts: dict[int, bytes] = {}
    related: dict[tuple[str, str], int] = {}
    for label in ("Revision", "Relation"):
        found = [record.values() for record in transaction.run(_UNSALTED.format(label=label))]
        salts.update((key, new_salt()) for key, _, _ in found)
        if label == "Relation":
            related.update(((namespace, id_), key) for key, namespace, id_ in found)
        _in_pieces(transaction, _SALTED.format(label=label), [(key, salts[key].hex()) for key, _, _ in found])
    entries = ((entry, bytes.fromhex(digest)) for entry, digest in map(logged, _rows(transaction, _LOG)))
    changed = [
        log_properties(entry, digest) for entry, digest in rechained(entries, salts, lambda *named: related.get(named))
    ]
    _in_pieces(transaction, _RECHAINED, changed)
    traces = [(row[0], row[1], Trace.of_value(bytes.fromhex(row[1]))) for row in _rows(transaction, _EARLIER)]
    sealed = [(name, old, secret.row(trace).hex(), secret.seal(trace).hex()) for name, old, trace in traces]
    _in_pieces(transaction, _SEALED, sealed)
    transaction.run(
        "MATCH (s:Store {only: true}) SET s.digest = $digest, s.buried = COLLECT { MATCH (t:Tombstone) RETURN max(t.sequence) }[0]",
        digest=changed[-1]["digest"] if changed else GENESIS.hex(),
    ).consume()


def _rows(transaction: neo4j.ManagedTransaction, query: str) -> list[list[Any]]:
    return [record.values() for record in transaction.run(query)]


def _in_pieces(transaction: neo4j.ManagedTransaction, query: str, rows: Sequence[Any]) -> None:
    for start in range(0, len(rows), ROWS_AT_ONCE):
        transaction.run(query, rows=rows[start : start + ROWS_AT_ONCE]).consume()
