"""One batch inside a write transaction: the store's lock, the log's chain, and rows on their way into the graph.

What a batch changes is gathered and written by `flush` with one query for each kind of change, whatever its size.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import Any

import neo4j

from ai_memory.clock import to_micros
from ai_memory.inbox import Feedback, Proposal
from ai_memory.store.base import Action, Once, Result
from ai_memory.store.chain import ChainedEntry, chain_digest, logged_actor, number_list
from ai_memory.store.copying import CopiedAnswer
from ai_memory.store.neo4j.database.connection import Rows
from ai_memory.store.neo4j.database.sealing import reseal, sealed
from ai_memory.store.neo4j.graveyard import POSITION, Graveyard
from ai_memory.store.neo4j.nodes import (
    Properties,
    answer_properties,
    feedback_properties,
    log_properties,
    proposal_properties,
)
from ai_memory.store.rules import KEPT_MICROSECONDS, is_kept, key_reused, memories_of, repeats_what_is_forgotten
from ai_memory.store.seals import Seals
from ai_memory.types import Actor

ROWS_AT_ONCE = 1_000
"""Rows of one query, so that neither side holds much more than it works on."""

_BEGIN = (
    "MATCH (l:Store {only: true}) SET l.turn = true WITH count(*) AS locked MATCH (s:Store {only: true}) "
    f"RETURN properties(s), {POSITION}, "
    "COLLECT { MATCH (g:Generation) WHERE g.state <> 'retired' RETURN g.number }"
)
"""The count comes between the lock and the reading, so that nothing is read before the lock is held."""

INSERT_ANSWERS = "UNWIND $rows AS row CREATE (a:Answer) SET a = row"

_NEW_PROPOSALS = "UNWIND $rows AS row CREATE (p:Proposal) SET p = row"
_NEW_FEEDBACK = "UNWIND $rows AS row CREATE (f:Feedback) SET f = row"

_TOMBSTONE = ("namespace", "digest", "sealed", "salt", "sequence")
_BURY = "UNWIND $rows AS row MERGE (t:Tombstone {namespace: row.namespace, digest: row.digest}) ON CREATE SET t = row"
_LIFT = "UNWIND $rows AS row MATCH (t:Tombstone {namespace: row[0], digest: row[1]}) DELETE t"

_END = "MATCH (s:Store {only: true}) SET s = $store"


class Transaction:
    """The state of one batch."""

    def __init__(self, transaction: neo4j.ManagedTransaction, actor: Actor, graveyard: Graveyard, seals: Seals) -> None:
        self._transaction = transaction
        self.actor = actor
        """Who writes this batch."""
        self.seals = seals
        ((self.store, *position, self.open_generations),) = self.rows(_BEGIN)
        """The properties of the `Store` node; what is changed in them is written by `flush`."""
        self._before = dict(self.store)
        self.graveyard = graveyard
        self.refusing = graveyard.at(self.rows, (position[0], position[1]))
        self.sequence: int = self.store["sequence"]
        self._digest: bytes = bytes.fromhex(self.store["digest"])
        self._log: list[Properties] = []

    def rows(self, query: str, **values: Any) -> Rows:
        """The rows of one query."""
        return [record.values() for record in self._transaction.run(query, values)]

    def in_pieces(self, query: str, rows: Sequence[Any], **values: Any) -> None:
        """Carry out a query over `$rows`, some at a time; nothing for none."""
        for piece in pieces(rows):
            self._transaction.run(query, values, rows=piece).consume()

    def looked_up(self, query: str, rows: Sequence[Any], **values: Any) -> Rows:
        """All that a query over `$rows` finds, asked some at a time."""
        return [found for piece in pieces(rows) for found in self.rows(query, rows=piece, **values)]

    def append(
        self,
        action: Action,
        at: dt.datetime,
        namespace: str,
        *,
        memory_id: str | None = None,
        relation_id: str | None = None,
        erased: Sequence[int] = (),
        retired: Sequence[int] = (),
        reason: str | None = None,
        committed: bytes | None = None,
        actor: Actor | None = None,
    ) -> int:
        """Add one entry to the chain; its sequence. `committed` is a `chain.commitment`.

        `actor` is who wrote what is put back; by default it is who writes this batch.
        """
        self.sequence += 1
        entry = ChainedEntry(
            self.sequence,
            to_micros(at),
            action.value,
            namespace,
            memory_id,
            relation_id,
            number_list(erased),
            number_list(retired),
            logged_actor(actor or self.actor),
            reason,
            None if committed is None else committed.hex(),
        )
        self._digest = chain_digest(self._digest, entry)
        self._log.append(log_properties(entry, self._digest))
        return self.sequence

    def sealed(self, kind: str, properties: Properties) -> Properties:
        """The properties of a new node or relationship with their seal."""
        return sealed(self.seals, kind, properties)

    def reseal(self, kind: str, match: str, rows: Sequence[Any] = ()) -> None:
        """Seal again what was changed: what a pattern finds as `n`, with `rows` as in `in_pieces`."""
        for piece in pieces(rows) if rows else [[]]:
            reseal(self.rows, self.seals, kind, match, piece)

    def bury(self, tombstones: Sequence[Sequence[Any]]) -> None:
        """Keep tombstones: namespace, digest, sealed trace, salt and sequence of each."""
        if tombstones:
            made = [self.sealed("Tombstone", dict(zip(_TOMBSTONE, each, strict=True))) for each in tombstones]
            self.in_pieces(_BURY, made)
            self.store["buried"] = max(sequence for *_, sequence in tombstones)

    def lift(self, lifted: Sequence[tuple[str, str]]) -> None:
        """Take tombstones away, given as namespace and digest."""
        if lifted:
            self.in_pieces(_LIFT, lifted)
            self.store["lifted"] = self.store.get("lifted", 0) + 1

    def keep_proposals(self, made: Sequence[tuple[int, bytes, Proposal]]) -> None:
        """Write new proposals, each with its key and what finds it again."""
        self.in_pieces(_NEW_PROPOSALS, [self.sealed("Proposal", proposal_properties(*each)) for each in made])

    def keep_feedback(self, made: Sequence[tuple[int, Feedback]]) -> None:
        """Write new feedback, each with its key."""
        self.in_pieces(_NEW_FEEDBACK, [self.sealed("Feedback", feedback_properties(*each)) for each in made])

    def next_entity(self) -> int:
        """The number of a new entity."""
        self.store["entities"] += 1
        return int(self.store["entities"])

    def kept_answer(self, once: Once, now: int) -> bytes | None:
        """The answer kept under an idempotency key, None if there is none. Raises IdempotencyConflictError for another request."""
        # One that is dated later than now by as much was kept while the clock was ahead: it would never leave.
        outdated = {"old": now - KEPT_MICROSECONDS, "ahead": now + KEPT_MICROSECONDS}
        self.rows("MATCH (a:Answer) WHERE a.at <= $old OR a.at > $ahead DELETE a", **outdated)
        for known, response in self.rows(
            "MATCH (a:Answer {key: $key}) RETURN a.request_digest, a.response", key=once.key.hex()
        ):
            if known is not None and known != once.request.hex():
                raise key_reused()
            return bytes(response)
        return None

    def keep_answer(self, once: Once, results: Sequence[Result], answer: bytes, now: int) -> None:
        """Keep an answer for 24 hours."""
        if is_kept(results):
            request = None if repeats_what_is_forgotten(results) else once.request
            made = CopiedAnswer(once.key, once.namespace, request, answer, tuple(memories_of(results)), now)
            self.in_pieces(INSERT_ANSWERS, [self.sealed("Answer", answer_properties(made))])

    def flush(self) -> None:
        """Write the log entries held back so far and what is known of the store now."""
        if self._log:
            self.in_pieces("UNWIND $rows AS row CREATE (g:LogEntry) SET g = row", self._log)
            self._log.clear()
            self.store |= {"sequence": self.sequence, "digest": self._digest.hex()}
        if self.store != self._before:
            self._before = self.sealed("Store", self.store)
            self.rows(_END, store=self._before)
            self.store = dict(self._before)


def pieces(rows: Sequence[Any]) -> Iterator[list[Any]]:
    """The rows, some at a time; nothing for none."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        yield list(rows[start : start + ROWS_AT_ONCE])
