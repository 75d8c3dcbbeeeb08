"""What the commands about memories do: remember, revise, retire, restore."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from ai_memory.clock import to_micros
from ai_memory.store import keys
from ai_memory.store.base import (
    Action,
    Duplicate,
    Rejected,
    Remember,
    Restore,
    Result,
    Retire,
    Revise,
    Stored,
    Unchanged,
)
from ai_memory.store.chain import commitment, new_salt
from ai_memory.store.content import content_row, first_revision, revised
from ai_memory.store.keys import Neighbours, line_of
from ai_memory.store.neo4j.memories import Memories, MemoryCommand, line_of_record
from ai_memory.store.neo4j.nodes import Held
from ai_memory.store.neo4j.relating import Joined, is_joined, join, part
from ai_memory.store.neo4j.transaction import Transaction
from ai_memory.store.rules import (
    end_of_superseded,
    forgotten,
    history_fault,
    id_taken,
    is_duplicate,
    is_same_history,
    is_same_period,
    other_history,
    refuse,
    retired,
    twin,
    unknown,
)
from ai_memory.store.tombstones import same_text
from ai_memory.store.values import micros
from ai_memory.types import MemoryRecord, RelationType


def carry_out(transaction: Transaction, commands: Sequence[MemoryCommand]) -> list[Result]:
    """Carry out a run of commands about memories."""
    run = Run(transaction, commands)
    doing: dict[type[Any], Callable[[Any], Result]] = {
        Remember: run.remember,
        Revise: run.revise,
        Retire: run.retire,
        Restore: run.restore,
    }
    results = [doing[type(command)](command) for command in commands]
    run.memories.flush()
    join(transaction, run.joined)
    part(transaction, run.parted)
    return results


class Run:
    """One run of commands about memories: what it reads is looked up at once, and written at once at its end."""

    def __init__(self, transaction: Transaction, commands: Sequence[MemoryCommand]) -> None:
        self.transaction = transaction
        self.memories = Memories(transaction, commands)
        self.joined: list[Joined] = []
        self.parted: list[tuple[str, str, str, dt.datetime]] = []
        """Namespace, source and target of the relations SUPERSEDES that hold no longer, and when."""

    # ── remember ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def remember(self, command: Remember) -> Result:
        """Add a memory."""
        memories = self.memories
        earlier: dict[str, Held] = {}
        for memory_id in command.supersedes:
            latest = memories.history(command.namespace, memory_id).latest
            if latest is None:
                return unknown(memory_id)
            earlier[memory_id] = latest
        for memory_id in command.sources:
            if memories.history(command.namespace, memory_id).latest is None:
                return unknown(memory_id)
        refusing = self.transaction.refusing
        verdict = refusing.about(command.namespace, command.content)
        if command.reinstate:
            for entry in verdict.said:
                memories.lift(command.namespace, entry)
        elif verdict.said:
            return forgotten()
        line = memories.neighbours(line_of(command.namespace, command.user, command.content.key), keys.begins(command))
        refusal = self._refused(command, line)
        if isinstance(refusal, Duplicate):
            ended, before = self._supersede(earlier, command, refusal.record.id)
            return replace(refusal, superseded=ended, ended_before=before)
        if refusal is not None:
            return refusal
        after = None
        if command.content.key is not None:
            command, after = self._placed(command, line, earlier)
        made, salt = first_revision(command, self.transaction.actor), new_salt()
        retired_before = memories.retired(command.dedup_key)
        key = self.transaction.append(
            Action.REMEMBERED,
            command.at,
            command.namespace,
            memory_id=command.id,
            committed=commitment(command.content_hash, salt),
        )
        memories.add(key, made, command.dedup_key, salt)
        ended, before = self._supersede(earlier, command, command.id)
        if after is not None:
            self._join(command.namespace, after.id, command.id, command.at)
        return Stored(
            sequence=self.transaction.sequence,
            memory_id=command.id,
            revision=1,
            record=made,
            superseded=ended,
            ended_before=before,
            ended_by=after,
            contains_forgotten=verdict.forgotten_ids,
            retired=retired_before,
        )

    def _placed(
        self, command: Remember, line: Neighbours, earlier: dict[str, Held]
    ) -> tuple[Remember, MemoryRecord | None]:
        """A value of a key with its time, and the value that ends it; the one that it ends is added to `earlier`."""
        current, after = keys.ends(keys.begins(command), line), keys.ended_by(command.content.valid_to, line)
        if current is not None:
            held = self.memories.history(command.namespace, current.id).latest
            assert held is not None
            earlier.setdefault(current.id, held)
            if after is not None:
                self.parted.append((command.namespace, after.id, current.id, command.at))
        return keys.placed(command, line), after

    def _supersede(
        self, earlier: Mapping[str, Held], command: Remember, by: str
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """End memories where `by` begins, and join it to them; those that ended by this, and those that had ended before."""
        ended: list[str] = []
        before: list[str] = []
        for held in earlier.values():
            old = held.record.id
            if old != by:
                (ended if self._end(held, command, by) else before).append(old)
                if by == command.id or not self._is_joined(command.namespace, by, old):
                    self._join(command.namespace, by, old, command.at)
        return tuple(ended), tuple(before)

    def _join(self, namespace: str, by: str, old: str, at: dt.datetime) -> None:
        self.joined.append(Joined.between(self.transaction, namespace, by, old, RelationType.SUPERSEDES, at))

    def _is_joined(self, namespace: str, source: str, target: str) -> bool:
        """Whether one memory supersedes another already, in the graph or on its way there."""
        on_the_way = ((each.relation.namespace, each.relation.source, each.relation.target) for each in self.joined)
        return (namespace, source, target) in on_the_way or is_joined(
            self.transaction, namespace, source, target, RelationType.SUPERSEDES
        )

    def _refused(self, command: Remember, line: Neighbours) -> Result | None:
        memories = self.memories
        if command.content.key is not None:
            same = keys.said_already(command, line)
            if same is not None:
                return Duplicate(record=same)
        else:
            end, at = micros(command.content.ends), to_micros(command.at)
            for held in memories.unretired(command.dedup_key):
                if is_duplicate(micros(held.record.ends), end, at):
                    return Duplicate(record=held.record)
        if memories.history(command.namespace, command.id).latest is not None:
            return id_taken(command.id)
        return None

    def _end(self, held: Held, command: Remember, by: str) -> bool:
        """Give a memory a revision that ends where the memory `by` begins; False where it is retired or ended before."""
        end = end_of_superseded(held.record, command)
        if end is None:
            return False
        assert held.dedup_key is not None  # only a retired revision has none
        made = replace(held.record, valid_to=end)
        self.replace(held, made, held.dedup_key, command.at, f"superseded by {by}")
        return True

    # ── revise, retire ─────────────────────────────────────────────────────────────────────────────────────────────────

    def revise(self, command: Revise) -> Result:
        """Give a memory a new revision."""
        held = self.memories.history(command.namespace, command.id).latest
        refusal = refuse(None if held is None else held.record.revision, command.id, command.if_revision)
        if refusal is not None:
            return refusal
        assert held is not None
        current = held.record
        if current.retired_at is not None:
            return retired(command.id)
        same = content_row(command.content) == content_row(current)
        if same and command.content_hash == current.content_hash:
            return Unchanged(record=current)
        verdict = self.transaction.refusing.about(command.namespace, command.content)
        if verdict.said and not same_text(current.text, command.content.text):
            return forgotten()  # a memory that says it already (another user's was forgotten) may go on
        end, at = micros(command.content.ends), to_micros(command.at)
        for other in self.memories.unretired(command.dedup_key):
            same = command.content.key is None and is_same_period(micros(other.record.ends), end, at)
            if other.record.id != command.id and same:
                return twin(other.record.id)
        before = self.memories.retired(command.dedup_key) if held.dedup_key != command.dedup_key else None
        made = revised(current, command)
        if keys.is_value(made) and made.valid_from is not None:
            line = self.memories.neighbours(line_of_record(made), made.valid_from, without=made.id)
            overlapped = keys.overlapping(made, line)
            if overlapped is not None:
                return keys.taken(made, overlapped)
        made = self.replace(held, made, command.dedup_key, command.at, command.reason)
        return Stored(
            sequence=self.transaction.sequence,
            memory_id=command.id,
            revision=made.revision,
            record=made,
            contains_forgotten=verdict.forgotten_ids,
            retired=before,
        )

    def replace(
        self,
        held: Held,
        made: MemoryRecord,
        dedup_key: bytes,
        at: dt.datetime,
        reason: str | None,
    ) -> MemoryRecord:
        """Retire a revision and make one with the content of `made` the current one.

        The reason is stored in the retired one alone: a forget erases that, while the log is kept for good.
        """
        current = held.record
        salt = new_salt()
        moment = max(at, current.recorded_at)  # two writers' clocks may differ; intervals must not run backwards
        key = self.transaction.append(
            Action.REVISED,
            moment,
            current.namespace,
            memory_id=current.id,
            retired=(held.key,),
            committed=commitment(made.content_hash, salt),
        )
        made = replace(
            made,
            revision=current.revision + 1,
            recorded_at=moment,
            retired_at=None,
            retired_reason=None,
            actor=self.transaction.actor,
        )
        self.memories.retire(held, replace(current, retired_at=moment, retired_reason=reason), replaced=True)
        self.memories.add(key, made, dedup_key, salt)
        if (made.title, made.text) == (current.title, current.text):
            self.memories.inherit(held.key, key)
        return made

    def retire(self, command: Retire) -> Result:
        """Stop holding a memory to be true."""
        held = self.memories.history(command.namespace, command.id).latest
        refusal = refuse(None if held is None else held.record.revision, command.id, command.if_revision)
        if refusal is not None:
            return refusal
        assert held is not None
        current = held.record
        if current.retired_at is not None:
            return Unchanged(record=current)
        moment = max(command.at, current.recorded_at)
        sequence = self.transaction.append(
            Action.RETIRED,
            moment,
            command.namespace,
            memory_id=command.id,
            retired=(held.key,),
            committed=commitment(current.content_hash, held.salt),
        )
        now = replace(current, retired_at=moment, retired_reason=command.reason)
        self.memories.retire(held, now)
        return Stored(sequence=sequence, memory_id=command.id, revision=now.revision, record=now)

    # ── restore ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def restore(self, command: Restore) -> Result:
        """Put back a memory from an archive."""
        fault = history_fault(command)
        if fault is not None:
            return Rejected(code="invalid_input", reason=fault)
        memories, latest = self.memories, command.revisions[-1]
        present = [held.record for held in memories.history(latest.namespace, latest.id).held]
        if is_same_history(
            present, command.revisions
        ):  # even if another user's memory that said the same was forgotten
            return Unchanged(record=present[-1])
        verdicts = [self.transaction.refusing.about(latest.namespace, each) for each in command.revisions]
        if any(verdict.said for verdict in verdicts):
            return forgotten()
        if present:
            return other_history(latest.id)
        if latest.retired_at is None:
            for held in memories.unretired(command.dedup_key):
                if is_same_period(micros(held.record.ends), micros(latest.ends), to_micros(command.at)):
                    return Duplicate(record=held.record)
        for revision in command.revisions:
            salt = new_salt()
            key = self.transaction.append(
                Action.RESTORED,
                command.at,
                revision.namespace,
                memory_id=revision.id,
                committed=commitment(revision.content_hash, salt),
                actor=revision.actor,
            )
            memories.add(key, revision, command.dedup_key if revision is latest else None, salt)
        record = self._into_line(latest, command.at)
        return Stored(
            sequence=self.transaction.sequence,
            memory_id=latest.id,
            revision=record.revision,
            record=record,
            contains_forgotten=tuple(dict.fromkeys(each for verdict in verdicts for each in verdict.forgotten_ids)),
        )

    def _into_line(self, latest: MemoryRecord, at: dt.datetime) -> MemoryRecord:
        """Give a restored value of a key the time that its neighbours in this store leave it, and end the one that it follows."""
        if not keys.is_value(latest) or latest.valid_from is None:
            return latest
        line = self.memories.neighbours(line_of_record(latest), latest.valid_from, without=latest.id)
        before, after = keys.ends(latest.valid_from, line), keys.ended_by(latest.valid_to, line)
        if before is not None:
            self._end_at(before, latest.valid_from, at, latest)
        return latest if after is None else self._end_at(latest, after.valid_from, at, after)

    def _end_at(self, record: MemoryRecord, end: dt.datetime | None, at: dt.datetime, by: MemoryRecord) -> MemoryRecord:
        """The memory's new revision, which ends where the one `by` begins; a relation says so."""
        held = self.memories.history(record.namespace, record.id).latest
        assert held is not None
        assert held.dedup_key is not None  # only a retired revision has none
        if not self._is_joined(record.namespace, by.id, record.id):
            self._join(record.namespace, by.id, record.id, at)
        made = replace(held.record, valid_to=end)
        return self.replace(held, made, held.dedup_key, at, f"superseded by {by.id}")
