"""What the commands about memories do inside a transaction: remember, revise, retire."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, cast

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.store.base import (
    Action,
    Command,
    Content,
    Duplicate,
    Forget,
    Relate,
    Remember,
    Restore,
    Result,
    Retire,
    Revise,
    Stored,
    Unchanged,
    Unrelate,
)
from ai_memory.store.rules import forgotten, id_taken, refuse, retired, stands_in_the_way, twin, unknown
from ai_memory.store.sqlite.file.connection import Row
from ai_memory.store.sqlite.forgetting import forget
from ai_memory.store.sqlite.relating import join, relate, unrelate
from ai_memory.store.sqlite.restoring import restore
from ai_memory.store.sqlite.revisions import NewRevisions
from ai_memory.store.sqlite.rows import hash_column, record
from ai_memory.store.sqlite.transaction import Transaction, chunks, revision_of
from ai_memory.store.sqlite.vectors import inherit
from ai_memory.store.values import content_of, content_row, micros
from ai_memory.types import MemoryRecord, RelationType


def execute(transaction: Transaction, commands: Sequence[Command]) -> list[Result]:
    """Carry out commands in order; adjacent ones that only remember are done together."""
    results: list[Result] = []
    for plain, run in groupby(commands, key=_is_plain):
        if plain:
            results.extend(_Remembering(transaction).all(cast(list[Remember], list(run))))
        else:
            results.extend(_SINGLE[type(command)](transaction, command) for command in run)
    transaction.flush()
    return results


def _is_plain(command: Command) -> bool:
    return isinstance(command, Remember) and not command.supersedes and not command.reinstate


class _Remembering:
    """A run of Remember commands: look everything up at once, decide one by one, insert everything at once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._new = NewRevisions(transaction)
        self._standing: dict[bytes, list[tuple[int | None, MemoryRecord | int]]] = {}
        self._forgotten: set[tuple[str, bytes]] = set()
        self._ids: set[tuple[str, str]] = set()

    def all(self, commands: Sequence[Remember]) -> list[Result]:
        self._look_up(commands)
        results = [self._one(command) for command in commands]
        self._new.flush()
        return results

    def _look_up(self, commands: Sequence[Remember]) -> None:
        transaction = self._transaction
        for dedup_key, key, _, valid_to in transaction.standing([command.dedup_key for command in commands]):
            self._standing.setdefault(dedup_key, []).append((valid_to, key))
        for namespace in {command.namespace for command in commands}:
            number = transaction.known_namespace(namespace)
            if number is None:
                continue
            here = [command for command in commands if command.namespace == namespace]
            tombstoned = transaction.forgotten(number, [command.value_digest for command in here])
            self._forgotten.update((namespace, digest) for digest in tombstoned)
            for marks, values in chunks([command.id for command in here]):
                taken = f"SELECT id FROM memories WHERE namespace = ? AND id IN ({marks})"
                rows = transaction.connection.execute(taken, (number, *values))
                self._ids.update((namespace, memory_id) for (memory_id,) in rows)

    def _one(self, command: Remember) -> Result:
        if (command.namespace, command.value_digest) in self._forgotten:
            return forgotten()
        duplicate = self._duplicate(command)
        if duplicate is not None:
            return Duplicate(record=duplicate)
        if (command.namespace, command.id) in self._ids:
            return id_taken(command.id)
        made = self._insert(command)
        self._ids.add((command.namespace, command.id))
        self._standing.setdefault(command.dedup_key, []).append((micros(command.content.valid_to), made))
        return Stored(sequence=self._transaction.sequence, memory_id=command.id, revision=1, record=made)

    def _duplicate(self, command: Remember) -> MemoryRecord | None:
        for valid_to, standing in self._standing.get(command.dedup_key, ()):
            if stands_in_the_way(valid_to, micros(command.content.valid_to), to_micros(command.at)):
                return standing if isinstance(standing, MemoryRecord) else record(self._transaction.by_key(standing))
        return None

    def _insert(self, command: Remember) -> MemoryRecord:
        transaction, content, at = self._transaction, command.content, to_micros(command.at)
        content_hash = hash_column(command.content_hash)
        key = transaction.append(
            Action.REMEMBERED, at, command.namespace, memory_id=command.id, content_hash=content_hash
        )
        namespace = transaction.namespace(command.namespace)
        self._new.add_memory(key, command.id, namespace, (command.user, command.agent, command.session), at)
        self._new.add(
            key,
            key,
            namespace,
            1,
            recorded_at=at,
            created_at=at,
            content=content_row(content),
            tags=content.tags,
            content_hash=content_hash,
            dedup_key=command.dedup_key,
            value_digest=command.value_digest,
        )
        return _new_record(command)


def _new_record(command: Remember) -> MemoryRecord:
    content, at = command.content, command.at
    return MemoryRecord(
        id=command.id,
        namespace=command.namespace,
        user=command.user,
        agent=command.agent,
        session=command.session,
        type=content.type,
        context=content.context,
        title=content.title,
        author=content.author,
        text=content.text,
        tags=content.tags,
        importance=content.importance,
        confidence=content.confidence,
        attributes=content.attributes,
        source=content.source,
        valid_from=content.valid_from,
        valid_to=content.valid_to,
        created_at=at,
        recorded_at=at,
        content_hash=command.content_hash,
    )


def _remember_specially(transaction: Transaction, command: Remember) -> Result:
    """Remember with `reinstate` or `supersedes`."""
    earlier: list[Row] = []
    for memory_id in dict.fromkeys(command.supersedes):
        row = transaction.current(command.namespace, memory_id)
        if row is None:
            return unknown(memory_id)
        earlier.append(row)
    if command.reinstate:
        transaction.connection.execute(
            "DELETE FROM tombstones WHERE namespace = ? AND value_digest = ?",
            (transaction.namespace(command.namespace), command.value_digest),
        )
    (result,) = _Remembering(transaction).all([command])
    if not isinstance(result, Stored):
        return result
    end = command.content.valid_from or command.at
    for row in earlier:
        _end(transaction, row, end, command)
        join(transaction, command.namespace, command.id, row[1], RelationType.SUPERSEDES, command.at)
    superseded = tuple(row[1] for row in earlier)
    return Stored(
        sequence=transaction.sequence, memory_id=command.id, revision=1, record=result.record, superseded=superseded
    )


def _end(transaction: Transaction, row: Row, end: dt.datetime, by: Remember) -> None:
    """Give a memory a revision that ends at `end`, unless it is retired or ended before."""
    current = record(row)
    if current.retired_at is not None or (current.valid_to is not None and current.valid_to <= end):
        return
    if current.valid_from is not None and current.valid_from > end:
        end = current.valid_from  # it was never true: an empty interval, not one that runs backwards
    ended = replace(content_of(current), valid_to=end)
    dedup_key, value_digest = transaction.connection.execute(
        "SELECT dedup_key, value_digest FROM revisions WHERE key = ?", (row[0],)
    ).fetchone()
    _replace(
        transaction,
        row,
        ended,
        hash_column(current.content_hash),
        dedup_key,
        value_digest,
        by.at,
        f"superseded by {by.id}",
    )


def _replace(
    transaction: Transaction,
    row: Row,
    content: Content,
    content_hash: bytes | str,
    dedup_key: bytes,
    value_digest: bytes,
    at: dt.datetime,
    reason: str | None,
) -> int:
    """Retire the revision in `row` and make `content` the current one; the new revision's key.

    The reason stands in the retired row alone: a forget erases that, while the log is kept for good.
    """
    current = record(row)
    moment = max(at, current.recorded_at)  # two writers' clocks may differ; intervals must not run backwards
    key = transaction.append(
        Action.REVISED,
        moment,
        current.namespace,
        memory_id=current.id,
        retired=(row[0],),
        content_hash=content_hash,
    )
    _retire_row(transaction, row[0], to_micros(moment), reason)
    (memory,) = transaction.connection.execute("SELECT memory FROM revisions WHERE key = ?", (row[0],)).fetchone()
    new = NewRevisions(transaction)
    new.add(
        key,
        memory,
        transaction.namespace(current.namespace),
        current.revision + 1,
        recorded_at=to_micros(moment),
        created_at=to_micros(current.created_at),
        content=content_row(content),
        tags=content.tags,
        content_hash=content_hash,
        dedup_key=dedup_key,
        value_digest=value_digest,
    )
    new.flush()
    if (content.title, content.text) == (current.title, current.text):
        inherit(transaction.connection, transaction.owing, row[0], key)
    return key


def _retire_row(transaction: Transaction, key: int, at: int, reason: str | None) -> None:
    transaction.connection.execute(
        "UPDATE revisions SET retired_at = ?, retired_reason = ? WHERE key = ?", (at, reason, key)
    )


def _revise(transaction: Transaction, command: Revise) -> Result:
    row = transaction.current(command.namespace, command.id)
    refusal = refuse(revision_of(row), command.id, command.if_revision)
    if refusal is not None:
        return refusal
    assert row is not None
    current = record(row)
    if current.retired_at is not None:
        return retired(command.id)
    content_hash = hash_column(command.content_hash)
    if content_row(command.content) == row[12:] and content_hash == row[11]:
        return Unchanged(record=current)
    if _says_what_was_forgotten(transaction, command, row[0]):
        return forgotten()
    other = _twin(transaction, command)
    if other is not None:
        return twin(other)
    key = _replace(
        transaction,
        row,
        command.content,
        content_hash,
        command.dedup_key,
        command.value_digest,
        command.at,
        command.reason,
    )
    made = record(transaction.by_key(key))
    return Stored(sequence=key, memory_id=command.id, revision=made.revision, record=made)


def _says_what_was_forgotten(transaction: Transaction, command: Revise, current_key: int) -> bool:
    """Whether the new text is tombstoned; a memory that says it already (another user's was forgotten) may go on."""
    (digest,) = transaction.connection.execute(
        "SELECT value_digest FROM revisions WHERE key = ?", (current_key,)
    ).fetchone()
    if digest == command.value_digest:
        return False
    return bool(transaction.forgotten(transaction.namespace(command.namespace), [command.value_digest]))


def _twin(transaction: Transaction, command: Revise) -> str | None:
    """The id of another memory that a revised text would be a duplicate of."""
    for _, key, _, valid_to in transaction.standing([command.dedup_key]):
        memory_id: str = transaction.by_key(key)[1]
        end = micros(command.content.valid_to)
        if memory_id != command.id and stands_in_the_way(valid_to, end, to_micros(command.at)):
            return memory_id
    return None


def _retire(transaction: Transaction, command: Retire) -> Result:
    row = transaction.current(command.namespace, command.id)
    refusal = refuse(revision_of(row), command.id, command.if_revision)
    if refusal is not None:
        return refusal
    assert row is not None
    current = record(row)
    if current.retired_at is not None:
        return Unchanged(record=current)
    moment = max(command.at, current.recorded_at)
    sequence = transaction.append(
        Action.RETIRED,
        moment,
        command.namespace,
        memory_id=command.id,
        retired=(row[0],),
        content_hash=row[11],
    )
    _retire_row(transaction, row[0], to_micros(moment), command.reason)
    now = record(transaction.by_key(row[0]))
    return Stored(sequence=sequence, memory_id=command.id, revision=now.revision, record=now)


_SINGLE: dict[type[Any], Callable[[Transaction, Any], Result]] = {
    Remember: _remember_specially,
    Revise: _revise,
    Retire: _retire,
    Forget: forget,
    Relate: relate,
    Unrelate: unrelate,
    Restore: restore,
}
