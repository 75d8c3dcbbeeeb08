"""New revisions on their way into the tables, gathered so that any number of them costs a handful of statements."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import repeat

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.store.base import Action
from ai_memory.store.chain import commitment, new_salt
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.rows import (
    MEMORY_COLUMNS,
    REVISION_COLUMNS,
    Held,
    hash_column,
    insert_into,
    memory_row,
    revision_row,
)
from ai_memory.store.sqlite.rows.seals import reseal
from ai_memory.store.sqlite.transaction import Transaction
from ai_memory.store.sqlite.vectors import inherit
from ai_memory.types import MemoryRecord

INSERT_MEMORY = insert_into("memories", MEMORY_COLUMNS)
INSERT_REVISION = insert_into("revisions", (*REVISION_COLUMNS, "seal"))
INSERT_TAG = "INSERT INTO tags VALUES (?, ?)"


class NewRevisions:
    """Gathers rows; `flush` inserts them, with their tags, and marks them as pending in every open generation."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._seal = transaction.seals.of("revisions")
        self._memories: list[Row] = []
        self._revisions: list[Row] = []
        self._keys: list[int] = []
        self._tags: list[tuple[str, int]] = []

    def add(
        self,
        key: int,
        memory: int,
        made: MemoryRecord,
        created_at: int,
        content_hash: bytes | str,
        dedup_key: bytes | None,
        salt: bytes,
    ) -> None:
        """A new revision, and the memory with it where it is the first one: a memory's number is its first revision's key.

        `created_at` and `content_hash` as for `revision_row`.
        """
        namespace = self._transaction.namespace(made.namespace)
        about = memory_row(memory, namespace, made, created_at)
        if key == memory:
            self._memories.append(about)
        row = revision_row(key, memory, namespace, made, created_at, content_hash, dedup_key, salt)
        self._revisions.append((*row, self._seal(row + about)))
        self._keys.append(key)
        for tag in dict.fromkeys(made.tags):
            self._tags.append((tag, key))

    def flush(self) -> None:
        """Insert all that was gathered."""
        connection = self._transaction.connection
        if self._memories:
            connection.executemany(INSERT_MEMORY, self._memories)
        connection.executemany(INSERT_REVISION, self._revisions)
        if self._tags:
            connection.executemany(INSERT_TAG, self._tags)
        for generation in self._transaction.open_generations:
            connection.executemany("INSERT INTO owed VALUES (?, ?)", zip(repeat(generation), self._keys))
        self._memories.clear()
        self._revisions.clear()
        self._keys.clear()
        self._tags.clear()


def replace_revision(
    transaction: Transaction,
    held: Held,
    made: MemoryRecord,
    dedup_key: bytes | None,
    at: dt.datetime,
    reason: str | None,
) -> MemoryRecord:
    """Retire a revision and make one with the content of `made` the current one, which is returned.

    The reason is stored in the retired row alone: a forget erases that, while the log is kept for good.
    """
    current = held.record
    moment = max(at, current.recorded_at)  # two writers' clocks may differ; intervals must not run backwards
    salt = new_salt()
    committed = commitment(made.content_hash, salt)
    key = transaction.append(
        Action.REVISED, moment, current.namespace, memory_id=current.id, retired=(held.key,), committed=committed
    )
    transaction.connection.execute("UPDATE revisions SET dedup_key = NULL WHERE key = ?", (held.key,))
    retire_revision(transaction, held.key, moment, reason)
    made = replace(
        made,
        revision=current.revision + 1,
        recorded_at=moment,
        retired_at=None,
        retired_reason=None,
        actor=transaction.actor,
    )
    new = NewRevisions(transaction)
    new.add(key, held.memory, made, to_micros(made.created_at), hash_column(made.content_hash), dedup_key, salt)
    new.flush()
    if (made.title, made.text) == (current.title, current.text):
        inherit(transaction.connection, transaction.open_generations, held.key, key)
    return made


def end_revision(
    transaction: Transaction, held: Held, end: dt.datetime | None, at: dt.datetime, by: str
) -> MemoryRecord:
    """Give a memory a revision that ends at `end`, where the memory `by` begins; the revision is returned."""
    ended = replace(held.record, valid_to=end)
    return replace_revision(transaction, held, ended, held.dedup_key, at, f"superseded by {by}")


def retire_revision(transaction: Transaction, key: int, at: dt.datetime, reason: str | None) -> None:
    """Say of a revision when and why it was retired."""
    transaction.connection.execute(
        "UPDATE revisions SET retired_at = ?, retired_reason = ? WHERE key = ?", (to_micros(at), reason, key)
    )
    reseal(transaction.connection, "revisions", "revisions.key = ?", (key,))


def erase_revisions(transaction: Transaction, keys: Sequence[int]) -> None:
    """Erase revisions with their vectors, tags and places in a backlog."""
    connection = transaction.connection
    tagged = [
        (tag, key)
        for key in keys
        for (tag,) in connection.execute(
            "SELECT value FROM revisions, json_each(revisions.tags) WHERE revisions.key = ?", (key,)
        )
    ]
    connection.executemany("DELETE FROM tags WHERE tag = ? AND revision = ?", tagged)
    generations = [number for (number,) in connection.execute("SELECT number FROM generations")]
    connection.executemany(
        "DELETE FROM owed WHERE generation = ? AND revision = ?",
        [(number, key) for number in generations for key in keys],
    )
    connection.executemany("DELETE FROM vectors WHERE revision = ?", [(key,) for key in keys])
    connection.executemany("DELETE FROM revisions WHERE key = ?", [(key,) for key in keys])
