"""What a new memory touches: copies, restatements and possible conflicts among what is stored, and what is proposed about them.

Found lexically, in the index that is in memory: no text is embedded during a write. The index is not loaded for a write,
unless the store is small; and a batch of more memories than a conversation has is an import, of which nothing is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ai_memory.clock import to_micros
from ai_memory.inbox import Decide, Proposal, ProposalKind, ProposalState, Propose
from ai_memory.index.partition import PartitionView
from ai_memory.service.parts import Parts
from ai_memory.store.base import Command, Remember, Result, Stored, Unchanged
from ai_memory.store.ids import PROPOSAL, new_id
from ai_memory.store.inbox import begins
from ai_memory.text.properties import asks
from ai_memory.text.stopwords import FIRST_PERSON, FIRST_PERSON_WIDE
from ai_memory.truth.compare import CERTAIN, PROPOSED, Finding, Kind, compare
from ai_memory.truth.digest import is_digest
from ai_memory.truth.statement import Statement, statement
from ai_memory.types import Actor, MemoryRecord, OnConflict, Similar, SimilarKind

COMPARED = 8
"""So many stored memories a new one is compared with."""
LONGEST = 1_000
"""A text of more characters is a document and no statement: it is not compared."""
LARGEST_BATCH = 100
"""The memories of a larger batch are stored without being compared."""
NEWCOMER = 1_000
"""Changes in a store's log up to which the index is loaded for a write: a command that ends after it waits some 60 ms for that."""
_WORDS, _POSTINGS = 6, 800
"""Others are looked for by the rarest words of a text: so many of them, and so many rows that have one."""
_LEAST_SHARED = 0.35
"""What shares less than this of the mass of these words is not looked at."""
_LOOKED_AT = 64
"""Rows among which the best are looked for, by key where they share as much."""
_CONFLICTS = {Kind.UPDATES: ProposalKind.UPDATE, Kind.CONTRADICTS: ProposalKind.CONTRADICTION}


class Touched(NamedTuple):
    """What one new memory touches, and the commands that follow the one that stores it."""

    similar: tuple[Similar, ...] = ()
    commands: tuple[Command, ...] = ()
    """About proposals, by the places of `proposed`; each may be followed by the one that accepts it."""
    proposed: tuple[str, ...] = ()
    """For each command the id of the stored memory that it is about."""


NOTHING = Touched()


def touched(parts: Parts, commands: Sequence[Remember], on_conflict: OnConflict | None) -> list[Touched]:
    """What each of some new memories touches of what is stored before them; not what they say of one another.

    `on_conflict` None means what the settings say for the namespace.
    """
    if not commands or len(commands) > LARGEST_BATCH:
        return [NOTHING] * len(commands)
    follower = parts.follower
    if not follower.opened and parts.store.sequence() > NEWCOMER:
        return [NOTHING] * len(commands)
    namespace = commands[0].namespace
    view = follower.view(namespace, None)
    if view is None:
        return [NOTHING] * len(commands)
    then = on_conflict or parts.on_conflict.get(namespace) or parts.on_conflict["*"]
    return [_touched(parts, view, command, then) for command in commands]


def _touched(parts: Parts, view: PartitionView, command: Remember, then: OnConflict) -> Touched:
    content = command.content
    if len(content.text) > LONGEST:
        return NOTHING
    new = _statement_of_new(command)
    stored = [] if new.asks else _candidates(parts, view, command, new)
    if not stored:
        return NOTHING
    findings = compare(new, [statement_of(record) for record in stored])
    similar: list[Similar] = []
    following: list[Command] = []
    about: list[str] = []
    for finding in findings:
        record = stored[finding.place]
        similar.append(
            Similar(
                id=record.id,
                kind=SimilarKind[finding.kind.name],
                confidence=round(finding.confidence, 4),
                reason=finding.reason,
                text=record.text,
            )
        )
        made = _commands(command, record, finding, then)
        following += made
        about += [record.id] * len(made)
    return Touched(tuple(similar), tuple(following), tuple(about))


def _candidates(parts: Parts, view: PartitionView, command: Remember, new: Statement) -> list[MemoryRecord]:
    """The current memories of the user that share the rarest words with a new one, best first, at most `COMPARED`."""
    rows, scores = view.sharing(sorted(new.words), _WORDS, _POSTINGS, _LEAST_SHARED)
    if not len(rows):
        return []
    inside = rows < view.n
    rows, scores = rows[inside], scores[inside]
    kept = view.holding(rows, command.user, command.at)
    rows, scores = rows[kept], scores[kept]
    if len(rows) > _LOOKED_AT:
        best = np.argpartition(-scores, _LOOKED_AT)[:_LOOKED_AT]
        rows, scores = rows[best], scores[best]
    keys = view.keys()[rows]
    keys = keys[np.lexsort((keys, -scores))]
    wanted = list(dict.fromkeys(keys.tolist()))[:COMPARED]
    loaded = parts.store.load(wanted)
    found = (loaded[key].record for key in wanted if key in loaded)
    return [
        record for record in found if record.retired_at is None and not is_digest(record) and _may_meet(command, record)
    ]


def _may_meet(command: Remember, record: MemoryRecord) -> bool:
    """Whether two memories may be about the same: of one user; in the first person also of one agent; not values of one key."""
    content = command.content
    if record.user != command.user or record.id in command.supersedes or len(record.text) > LONGEST:
        return False
    if record.agent != command.agent and (speaks_of_itself(content.text) or speaks_of_itself(record.text)):
        return False
    return content.key is None or record.key != content.key


def speaks_of_itself(text: str) -> bool:
    """Whether a text is in the first person: then agents are compared as well."""
    words = "".join(character if character.isalnum() else " " for character in text.casefold()).split()
    return not FIRST_PERSON.isdisjoint(words) or any(each in text for each in FIRST_PERSON_WIDE)


def _statement_of_new(command: Remember) -> Statement:
    content = command.content
    return statement(
        content.text,
        to_micros(content.valid_from or command.at),
        dated=content.valid_from is not None,
        asks=asks(content.text),
        author=content.author,
        user=command.user,
        context=content.context,
    )


def statement_of(record: MemoryRecord) -> Statement:
    """What a stored memory states, as it is compared with others."""
    return statement(
        record.text,
        to_micros(begins(record)),
        dated=record.valid_from is not None,
        asks=asks(record.text),
        author=record.author,
        user=record.user,
        context=record.context,
    )


def _commands(command: Remember, record: MemoryRecord, finding: Finding, then: OnConflict) -> list[Command]:
    """What follows from one finding: a proposal that the earlier one ends, and its acceptance where that is sure enough.

    A new memory may be the earlier one: it says what was true before.
    """
    kind = _CONFLICTS.get(finding.kind)
    content = command.content
    if kind is None or then is OnConflict.KEEP or finding.confidence < PROPOSED or content.key is not None:
        return []
    began = content.valid_from or command.at
    ends, stays = (record.id, command.id) if begins(record) <= began else (command.id, record.id)
    if ends == command.id and content.valid_to is not None:
        return []
    asked = Proposal(
        id=new_id(PROPOSAL, command.at),
        namespace=command.namespace,
        kind=kind,
        memory_id=ends,
        other_id=stays,
        confidence=round(finding.confidence, 4),
        reason=finding.reason,
        made_at=command.at,
        made_by=Actor.POLICY,
    )
    made: list[Command] = [Propose(proposal=asked)]
    if then is OnConflict.SUPERSEDE and finding.confidence >= CERTAIN:
        made.append(
            Decide(id=asked.id, namespace=command.namespace, decision="accepted", at=command.at, actor=Actor.POLICY)
        )
    return made


def named(found: Touched, results: Sequence[Result], memory_id: str | None) -> tuple[Similar, ...]:
    """What a memory touches, with the proposals about it; `results` are those of the commands that followed.

    A pair that was rejected before is no conflict any more. The memory itself, where it was stored before, is left out.
    """
    about: dict[str, Proposal] = {}
    for other, result in zip(found.proposed, results, strict=True):
        if isinstance(result, Stored | Unchanged) and result.proposal is not None:
            about[other] = result.proposal
    shown = []
    for each in found.similar:
        made = about.get(each.id)
        if each.id == memory_id or (made is not None and made.state is ProposalState.REJECTED):
            continue
        shown.append(
            Similar(
                id=each.id,
                kind=each.kind,
                confidence=each.confidence,
                reason=each.reason,
                proposal=None if made is None else made.id,
            )
        )
    return tuple(shown)


def ended(found: Touched, results: Sequence[Result]) -> tuple[str, ...]:
    """The stored memories that ended by it, where the service superseded them by itself."""
    done = []
    for command, result in zip(found.commands, results, strict=True):
        if isinstance(command, Decide) and isinstance(result, Stored) and result.proposal is not None:
            done.append(result.proposal.memory_id)
    return tuple(done)
