"""New revisions on their way into the tables, gathered so that any number of them costs a handful of statements."""

from __future__ import annotations

from collections.abc import Sequence

from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.rows import REVISION_COLUMNS, REVISION_MARKS
from ai_memory.store.sqlite.transaction import Transaction


class NewRevisions:
    """Gathers rows; `flush` inserts them, with their tags and the vectors they owe to every open generation."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._memories: list[Row] = []
        self._revisions: list[Row] = []
        self._tags: list[tuple[str, int]] = []

    def add_memory(
        self,
        number: int,
        memory_id: str,
        namespace: int,
        facets: tuple[str | None, str | None, str | None],
        created_at: int,
    ) -> None:
        """A new memory, whose number is the key of its first revision; `facets` are user, agent and session."""
        self._memories.append((number, memory_id, namespace, *facets, created_at))

    def add(
        self,
        key: int,
        memory: int,
        namespace: int,
        revision: int,
        *,
        recorded_at: int,
        created_at: int,
        content: Row,
        tags: Sequence[str],
        content_hash: bytes | str,
        dedup_key: bytes | None,
        value_digest: bytes,
        retired_at: int | None = None,
        retired_reason: str | None = None,
    ) -> None:
        """A new revision; `content` is a `content_row`."""
        occurred = created_at if content[0] is None else content[0]
        times = (recorded_at, retired_at, retired_reason, occurred)
        digests = (content_hash, dedup_key, value_digest)
        self._revisions.append((key, memory, namespace, revision, *times, *digests, *content))
        for tag in dict.fromkeys(tags):
            self._tags.append((tag, key))

    def flush(self) -> None:
        """Insert all that was gathered."""
        connection = self._transaction.connection
        if self._memories:
            connection.executemany("INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?)", self._memories)
        connection.executemany(f"INSERT INTO revisions ({REVISION_COLUMNS}) VALUES ({REVISION_MARKS})", self._revisions)
        if self._tags:
            connection.executemany("INSERT INTO tags VALUES (?, ?)", self._tags)
        for generation in self._transaction.owing:
            connection.executemany("INSERT INTO owed VALUES (?, ?)", [(generation, row[0]) for row in self._revisions])
        self._memories.clear()
        self._revisions.clear()
        self._tags.clear()
