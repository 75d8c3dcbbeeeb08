"""What the commands about memories do inside a transaction: remember, revise, retire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain, groupby
from operator import attrgetter
from typing import Any, cast

from msgspec import Struct, field
from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.inbox import Decide, Judge, Propose
from ai_memory.store import keys
from ai_memory.store.base import (
    Action,
    Command,
    Duplicate,
    Exclude,
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
from ai_memory.store.chain import commitment, new_salt
from ai_memory.store.content import content_row, first_revision, revised
from ai_memory.store.rules import (
    end_of_superseded,
    forgotten,
    id_taken,
    is_duplicate,
    is_same_period,
    refuse,
    retired,
    twin,
    unknown,
)
from ai_memory.store.sqlite.answers import erase_requests
from ai_memory.store.sqlite.forgetting import exclude, forget
from ai_memory.store.sqlite.inbox import decide, judge, propose
from ai_memory.store.sqlite.line import neighbours
from ai_memory.store.sqlite.relating import is_joined, join, part, relate, unrelate
from ai_memory.store.sqlite.restoring import restore
from ai_memory.store.sqlite.revisions import NewRevisions, end_revision, replace_revision, retire_revision
from ai_memory.store.sqlite.rows import Held, hash_column
from ai_memory.store.sqlite.transaction import Transaction, chunks
from ai_memory.store.sqlite.transaction.graveyard import lift
from ai_memory.store.tombstones import same_text
from ai_memory.store.values import micros
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
    erase_requests(transaction)
    return results


def _is_plain(command: Command) -> bool:
    return (
        isinstance(command, Remember)
        and not command.supersedes
        and not command.sources
        and not command.reinstate
        and command.content.key is None
    )


class _Here(Struct):
    """What a namespace has of what a run of commands brings: ids that are taken."""

    commands: list[Remember] = field(default_factory=list)
    ids: set[str] = field(default_factory=set)


class _Remembering:
    """A run of Remember commands: look everything up at once, decide one by one, insert everything at once."""

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction
        self._new = NewRevisions(transaction)
        self._unretired: dict[bytes, list[tuple[int | None, MemoryRecord | int]]] = {}
        """By dedup key: when it ends, and the record where this run made it, else its key."""
        self._retired: dict[bytes, int] = {}
        """By dedup key: the key of the newest memory that has it and is retired."""
        self._here: dict[str, _Here] = {}

    def all(self, commands: Sequence[Remember]) -> list[Result]:
        self._look_up(commands)
        results = list(map(self._one, commands))
        self._new.flush()
        return results

    def _look_up(self, commands: Sequence[Remember]) -> None:
        transaction = self._transaction
        for key, dedup_key, ends, retired_at in transaction.saying(list(map(_DEDUP_KEY, commands))):
            if retired_at is None:
                self._unretired.setdefault(dedup_key, []).append((ends, key))
            else:
                self._retired[dedup_key] = key
        for command in commands:
            here = self._here.get(command.namespace)
            if here is None:
                here = self._here[command.namespace] = _Here()
            here.commands.append(command)
        for namespace, here in self._here.items():
            number = transaction.known_namespace(namespace)
            if number is None:
                continue
            for marks, values in chunks(list(map(_ID, here.commands))):
                taken = f"SELECT id FROM memories WHERE namespace = ? AND id IN ({marks})"
                here.ids.update(chain.from_iterable(transaction.connection.execute(taken, (number, *values))))

    def _one(self, command: Remember) -> Result:
        here = self._here[command.namespace]
        verdict = self._transaction.refusing.about(command.namespace, command.content)
        if verdict.said:
            return forgotten()
        same = self._unretired.setdefault(command.dedup_key, [])
        duplicate = self._duplicate(command, same) if same and command.content.key is None else None
        if duplicate is not None:
            return Duplicate(record=duplicate)
        if command.id in here.ids:
            return id_taken(command.id)
        made = self._insert(command)
        here.ids.add(command.id)
        same.append((micros(made.ends), made))
        before = self._retired.get(command.dedup_key)
        return Stored(
            sequence=self._transaction.sequence,
            memory_id=command.id,
            revision=1,
            record=made,
            contains_forgotten=verdict.forgotten_ids,
            retired=None if before is None else self._transaction.by_key(before),
        )

    def _duplicate(
        self, command: Remember, same: Sequence[tuple[int | None, MemoryRecord | int]]
    ) -> MemoryRecord | None:
        end, at = micros(command.content.ends), to_micros(command.at)
        for ends, current in same:
            if is_duplicate(ends, end, at):
                return current if isinstance(current, MemoryRecord) else self._transaction.by_key(current)
        return None

    def _insert(self, command: Remember) -> MemoryRecord:
        made = first_revision(command, self._transaction.actor)
        at, salt = to_micros(command.at), new_salt()
        committed = commitment(command.content_hash, salt)
        key = self._transaction.append(
            Action.REMEMBERED, at, command.namespace, memory_id=command.id, committed=committed
        )
        self._new.add(key, key, made, at, hash_column(command.content_hash), command.dedup_key, salt)
        return made


_DEDUP_KEY, _ID = attrgetter("dedup_key"), attrgetter("id")


def _remember_specially(transaction: Transaction, command: Remember) -> Result:
    """Remember with a key, `reinstate`, `sources` or `supersedes`."""
    earlier: dict[str, Held] = {}
    for memory_id in command.supersedes:
        held = transaction.current(command.namespace, memory_id)
        if held is None:
            return unknown(memory_id)
        earlier[memory_id] = held
    for memory_id in command.sources:
        if transaction.current(command.namespace, memory_id) is None:
            return unknown(memory_id)
    if command.reinstate:
        for entry in transaction.refusing.about(command.namespace, command.content).said:
            lift(transaction.connection, transaction.namespace(command.namespace), entry)
            transaction.refusing.lift(command.namespace, entry)
    if command.content.key is None:
        (result,) = _Remembering(transaction).all([command])
    else:
        result, command = _remember_value(transaction, command, earlier)
    if not isinstance(result, Stored | Duplicate) or result.record is None:
        return result
    by = result.record.id
    ended: list[str] = []
    before: list[str] = []
    for held in earlier.values():
        old = held.record.id
        if old != by:
            (ended if _end(transaction, held, command, by) else before).append(old)
            if isinstance(result, Stored) or not is_joined(
                transaction, command.namespace, by, old, RelationType.SUPERSEDES
            ):
                join(transaction, command.namespace, by, old, RelationType.SUPERSEDES, command.at)
    result = replace(result, superseded=tuple(ended), ended_before=tuple(before))
    return replace(result, sequence=transaction.sequence) if isinstance(result, Stored) else result


def _remember_value(transaction: Transaction, command: Remember, earlier: dict[str, Held]) -> tuple[Result, Remember]:
    """Remember a value of a key; the command as it was carried out. The value that it ends is added to `earlier`."""
    line = neighbours(transaction, command.namespace, command.user, command.content.key, keys.begins(command))
    same = keys.said_already(command, line)
    if same is not None and not transaction.refusing.about(command.namespace, command.content).said:
        return Duplicate(record=same), command
    before, after = keys.ends(keys.begins(command), line), keys.ended_by(command.content.valid_to, line)
    command = keys.placed(command, line)
    (result,) = _Remembering(transaction).all([command])
    if not isinstance(result, Stored):
        return result, command
    if before is not None:
        held = transaction.current(command.namespace, before.id)
        assert held is not None
        earlier.setdefault(before.id, held)
    if after is not None:
        if before is not None:
            part(transaction, command.namespace, after.id, before.id, RelationType.SUPERSEDES, command.at)
        join(transaction, command.namespace, after.id, command.id, RelationType.SUPERSEDES, command.at)
    return replace(result, ended_by=after), command


def _end(transaction: Transaction, held: Held, command: Remember, by: str) -> bool:
    """Give a memory a revision that ends where the memory `by` begins; False where it is retired or ended before."""
    end = end_of_superseded(held.record, command)
    if end is None:
        return False
    end_revision(transaction, held, end, command.at, by)
    return True


def _revise(transaction: Transaction, command: Revise) -> Result:
    held = transaction.current(command.namespace, command.id)
    refusal = refuse(None if held is None else held.record.revision, command.id, command.if_revision)
    if refusal is not None:
        return refusal
    assert held is not None
    current = held.record
    if current.retired_at is not None:
        return retired(command.id)
    content_hash = hash_column(command.content_hash)
    if content_row(command.content) == content_row(current) and content_hash == held.content_hash:
        return Unchanged(record=current)
    verdict = transaction.refusing.about(command.namespace, command.content)
    if verdict.said and not same_text(current.text, command.content.text):
        return forgotten()  # a memory that says it already (another user's was forgotten) may go on
    other, before = _others(transaction, command)
    made = revised(current, command)
    if other is not None and made.key is None:
        return twin(other.id)
    if keys.is_value(made):
        assert made.valid_from is not None
        line = neighbours(transaction, made.namespace, made.user, made.key, made.valid_from, without=made.id)
        other = keys.overlapping(made, line)
        if other is not None:
            return keys.taken(made, other)
    made = replace_revision(
        transaction,
        held,
        made,
        command.dedup_key,
        command.at,
        command.reason,
    )
    return Stored(
        sequence=transaction.sequence,
        memory_id=command.id,
        revision=made.revision,
        record=made,
        contains_forgotten=verdict.forgotten_ids,
        retired=before if held.dedup_key != command.dedup_key else None,
    )


def _others(transaction: Transaction, command: Revise) -> tuple[MemoryRecord | None, MemoryRecord | None]:
    """The memory that a revised text would be a duplicate of, and the newest other one that says it and was retired."""
    before: MemoryRecord | None = None
    end, at = micros(command.content.ends), to_micros(command.at)
    for key, _, ends, retired_at in transaction.saying([command.dedup_key]):
        other = transaction.by_key(key)
        if other.id != command.id and retired_at is not None:
            before = other
        elif other.id != command.id and is_same_period(ends, end, at):
            return other, before
    return None, before


def _retire(transaction: Transaction, command: Retire) -> Result:
    held = transaction.current(command.namespace, command.id)
    refusal = refuse(None if held is None else held.record.revision, command.id, command.if_revision)
    if refusal is not None:
        return refusal
    assert held is not None
    current = held.record
    if current.retired_at is not None:
        return Unchanged(record=current)
    moment = max(command.at, current.recorded_at)
    sequence = transaction.append(
        Action.RETIRED,
        moment,
        command.namespace,
        memory_id=command.id,
        retired=(held.key,),
        committed=commitment(current.content_hash, held.salt),
    )
    retire_revision(transaction, held.key, moment, command.reason)
    now = replace(current, retired_at=moment, retired_reason=command.reason)
    return Stored(sequence=sequence, memory_id=command.id, revision=now.revision, record=now)


_SINGLE: dict[type[Any], Callable[[Transaction, Any], Result]] = {
    Remember: _remember_specially,
    Revise: _revise,
    Retire: _retire,
    Forget: forget,
    Relate: relate,
    Unrelate: unrelate,
    Restore: restore,
    Exclude: exclude,
    Propose: propose,
    Decide: decide,
    Judge: judge,
}
