"""New revisions on their way into the tables, gathered so that any number of them costs a handful of statements."""

from __future__ import annotations

from itertools import repeat

from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.rows import MEMORY_COLUMNS, REVISION_COLUMNS, insert_into, memory_row, revision_row
from ai_memory.store.sqlite.transaction import Transaction
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
