"""Tombstones on their way into the graph, and out of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ai_memory.store.neo4j.transaction import Transaction

_TOMBSTONE = ("namespace", "digest", "sealed", "salt", "sequence")
_BURY = "UNWIND $rows AS row MERGE (t:Tombstone {namespace: row.namespace, digest: row.digest}) ON CREATE SET t = row"
_LIFT = "UNWIND $rows AS row MATCH (t:Tombstone {namespace: row[0], digest: row[1]}) DELETE t"


def bury(transaction: Transaction, tombstones: Sequence[Sequence[Any]]) -> None:
    """Keep tombstones: namespace, digest, sealed trace, salt and sequence of each."""
    if tombstones:
        made = [transaction.sealed("Tombstone", dict(zip(_TOMBSTONE, each, strict=True))) for each in tombstones]
        transaction.in_pieces(_BURY, made)
        transaction.store["buried"] = max(sequence for *_, sequence in tombstones)


def lift(transaction: Transaction, lifted: Sequence[tuple[str, str]]) -> None:
    """Take tombstones away, given as namespace and digest."""
    if lifted:
        transaction.in_pieces(_LIFT, lifted)
        transaction.store["lifted"] = transaction.store.get("lifted", 0) + 1
