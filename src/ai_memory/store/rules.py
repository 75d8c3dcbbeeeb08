"""The rules by which commands are refused, the same on every backend: pure functions over what a store has looked up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec.structs import replace

from ai_memory.errors import IdempotencyConflictError, InvalidInputError
from ai_memory.inbox import Decide, Proposal, ProposalState
from ai_memory.store.base import Duplicate, Once, Rejected, Remember, Restore, Result, Stored, Unchanged, VectorRow
from ai_memory.store.ids import MEMORY
from ai_memory.store.inbox import PAIRED, UNDECIDED, end_at
from ai_memory.store.tombstones import MAX_SALTS, Secret
from ai_memory.store.values import vector_blob
from ai_memory.types import LENGTH_TOLERANCE, Actor, MemoryRecord, Problem, Relation
from ai_memory.wording.ways import DOCTOR

UNOPENED = "tombstones were sealed with a secret that is gone: what they refused can be stored again"
PUT_BACK = "put back the file with the store's secret (its name ends in .key) from a backup"

MEND = "ai-memory doctor --rebuild"
RESTORE = "restore a backup"
SEALED_OTHERWISE = "sealed_otherwise"
_NAMED = 5
"""How many rows a finding names."""

KEPT_MICROSECONDS = 24 * 60 * 60 * 1_000_000
"""How long the answer to an idempotency key is kept."""


def unknown(memory_id: str) -> Rejected:
    """There is no such memory in the namespace."""
    return Rejected(code="not_found", reason=f"there is no memory {memory_id}", details={"id": memory_id})


def unknown_end(node: str) -> Rejected:
    """A relation names an end or an evidence that does not exist."""
    return Rejected(code="not_found", reason=f"there is no memory or entity {node}", details={"id": node})


def unknown_relation(relation_id: str) -> Rejected:
    """There is no such relation in the namespace."""
    return Rejected(code="not_found", reason=f"there is no relation {relation_id}", details={"id": relation_id})


def forgotten() -> Rejected:
    """The text was forgotten on purpose."""
    return Rejected(code="forgotten", reason="this text was forgotten on purpose and is not taken back")


def too_many_stores(namespace: str) -> Rejected:
    """Tombstones of one more store than a namespace takes."""
    return Rejected(
        code="invalid_input",
        reason=f"the namespace {namespace} has tombstones of {MAX_SALTS} other stores already",
        details={"limit": MAX_SALTS},
    )


def id_taken(memory_id: str) -> Rejected:
    """A new memory has the id of an existing one."""
    return Rejected(code="conflict", reason=f"a memory {memory_id} exists already", details={"id": memory_id})


def other_history(memory_id: str) -> Rejected:
    """A restored memory has the id of one with another history."""
    return Rejected(
        code="conflict", reason=f"memory {memory_id} exists with other revisions", details={"id": memory_id}
    )


def relation_taken(relation_id: str) -> Rejected:
    """A new relation has the id of another one."""
    return Rejected(code="conflict", reason=f"a relation {relation_id} exists already", details={"id": relation_id})


def retired(memory_id: str) -> Rejected:
    """What is no longer held to be true is not revised."""
    return Rejected(code="conflict", reason=f"memory {memory_id} is retired", details={"memory_id": memory_id})


def twin(memory_id: str) -> Rejected:
    """Another memory says in the same scope what a revision would say."""
    return Rejected(
        code="duplicate", reason=f"memory {memory_id} says the same in the same scope", details={"memory_id": memory_id}
    )


def refuse(current: int | None, memory_id: str, if_revision: int | None) -> Rejected | None:
    """Why a change to a memory at revision `current` (None: there is no such memory) may not be made, if so."""
    if current is None:
        return unknown(memory_id)
    if if_revision is None or if_revision == current:
        return None
    return Rejected(
        code="stale_revision",
        reason=f"memory {memory_id} is at revision {current}, not {if_revision}",
        details={"expected": if_revision, "current": current},
    )


def is_duplicate(current_end: int | None, new_end: int | None, at: int) -> bool:
    """Whether an unretired memory makes a new one of equal text its duplicate; instants in microseconds.

    It does not when it has ended or expired by `at` and the new one has not: what was true once may become true again, and what
    lapsed may be said again.
    """
    ended = current_end is not None and current_end <= at
    new_has_ended = new_end is not None and new_end <= at
    return not ended or new_has_ended


def end_of_superseded(current: MemoryRecord, by: Remember) -> dt.datetime | None:
    """When a memory ends that a new one supersedes; None where it is retired or ended before."""
    return None if current.retired_at is not None else end_at(current, by.content.valid_from or by.at)


def undecidable(
    proposal: Proposal, command: Decide, memory: MemoryRecord, other: MemoryRecord | None
) -> Rejected | None:
    """Why a decision cannot be made, if so; what it would change of the memory is looked at by those who change it."""
    kind, decision = command.kind or proposal.kind, command.decision
    if decision == "undone":
        return None
    if proposal.state not in UNDECIDED:
        return _conflict(f"proposal {proposal.id} is {proposal.state}: undo that first", proposal)
    if decision != "accepted":
        return None
    if kind in PAIRED and other is None:
        return Rejected(
            code="invalid_input",
            reason=f"proposal {proposal.id} is about one memory, and the kind {kind} is about two",
            details={"id": proposal.id},
        )
    for each in (memory, other if kind in PAIRED else None):
        if each is not None and each.retired_at is not None:
            return _conflict(f"memory {each.id} is retired", proposal)
    return None


def is_decided(proposal: Proposal, command: Decide) -> bool:
    """Whether there is nothing to do, because it was decided so before."""
    if command.decision == "undone":
        return proposal.state in (ProposalState.OPEN, ProposalState.UNDONE)
    put_off_to = command.decision != "later" or command.until == proposal.until
    return proposal.state == command.decision and put_off_to


def unknown_proposal(proposal_id: str) -> Rejected:
    """There is no such proposal in the namespace."""
    return Rejected(code="not_found", reason=f"there is no proposal {proposal_id}", details={"id": proposal_id})


def not_undone(proposal: Proposal, why: str) -> Rejected:
    """What accepting did cannot be taken back."""
    return _conflict(f"memory {proposal.memory_id} cannot be put back as it was: {why}", proposal)


def _conflict(reason: str, proposal: Proposal) -> Rejected:
    return Rejected(code="conflict", reason=reason, details={"id": proposal.id, "memory_id": proposal.memory_id})


def is_same_period(current_end: int | None, restored_end: int | None, at: int) -> bool:
    """Whether two memories of equal text are one and the same: both are true still, or both ended at the same instant.

    A history may hold the same text several times, each ended at another instant (see `is_duplicate`).
    """
    still_true = [end is None or end > at for end in (current_end, restored_end)]
    return all(still_true) or current_end == restored_end


def written_by(made: Relation, writer: Actor) -> Relation:
    """A relation with who made it: the one that an archive names, else who writes it."""
    return made if made.actor is not Actor.UNKNOWN else replace(made, actor=writer)


def is_same_relation(one: Relation, other: Relation) -> bool:
    """Whether two relations are equal, whatever they say of who made them."""
    return replace(one, actor=other.actor) == other


def is_same_history(present: Sequence[MemoryRecord], restored: Sequence[MemoryRecord]) -> bool:
    """Whether an archive's revisions are those in the store, whatever they say of who wrote them: old archives do not know."""
    if len(present) != len(restored):
        return False
    return all(there == replace(given, actor=there.actor) for there, given in zip(present, restored, strict=True))


def history_fault(command: Restore) -> str | None:
    """What makes these revisions no history of one memory."""
    revisions = command.revisions
    if not revisions:
        return "there is no revision to restore"
    first = revisions[0]
    for before, after in pairwise(revisions):
        if (after.id, after.namespace, after.created_at) != (first.id, first.namespace, first.created_at):
            return "the revisions belong to different memories"
        if after.revision <= before.revision:
            return "the revisions are not in order"
        if before.retired_at is None or before.retired_at > after.recorded_at:
            return f"revision {before.revision} does not end before revision {after.revision} begins"
    return None


def changed(what: str, names: Sequence[str], mend: str) -> Problem:
    """The finding that rows, nodes or relationships are not as the store wrote them."""
    shown = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
    message = f"{what} were changed by another program, or damaged: {shown}"
    return Problem(check="seals", message=message, count=len(names), mend=mend)


def sealed_otherwise(count: int) -> Problem:
    """The finding that the secret is not the one under which rows were sealed."""
    return Problem(
        check=SEALED_OTHERWISE,
        message="rows were sealed with a secret that is gone: whether they were changed cannot be seen",
        count=count,
        mend=f"{PUT_BACK}; where there is none, {MEND} takes them as they are",
    )


def key_reused() -> IdempotencyConflictError:
    """An idempotency key came with another request than before."""
    return IdempotencyConflictError(
        "the idempotency key was used for a different request", hint="use a new key for a new request"
    )


def sealed(once: Once, secret: Secret) -> Once:
    """A key and its request as the store keeps them: of a short one the text could be guessed from a digest without a secret."""
    return replace(once, key=secret.sealed(once.key), request=secret.sealed(once.request))


def is_kept(results: Sequence[Result]) -> bool:
    """Whether the answer of these results is kept under its idempotency key: not where all were rejected, or there is none."""
    return any(not isinstance(result, Rejected) for result in results)


def repeats_what_is_forgotten(results: Sequence[Result]) -> bool:
    """Whether the request of these results holds a text that is forgotten, so that nothing may be kept of it."""
    return any(isinstance(result, Rejected) and result.code == "forgotten" for result in results)


def memories_of(results: Sequence[Result]) -> list[str]:
    """The ids of all memories that these results are about, sorted: forgetting one erases the digest of the request."""
    found: set[str] = set()
    for result in results:
        if isinstance(result, Stored | Duplicate | Unchanged) and result.record is not None:
            found.add(result.record.id)
        if isinstance(result, Stored | Unchanged) and result.relation is not None:
            ends = (result.relation.source, result.relation.target, result.relation.evidence)
            found.update(end for end in ends if end is not None and end.startswith(MEMORY))
        if isinstance(result, Stored | Unchanged):
            about = result.proposal
            ids = () if about is None else (about.memory_id, about.other_id)
            found.update(each for each in ids if each is not None)
            if result.feedback is not None:
                found.add(result.feedback.memory_id)
        if isinstance(result, Stored | Duplicate):
            found.update(result.superseded)
            found.update(result.ended_before)
        if isinstance(result, Stored):
            if result.memory_id is not None:
                found.add(result.memory_id)
            if result.retired is not None:
                found.add(result.retired.id)
    return sorted(found)


def packed(rows: Sequence[VectorRow], dimension: int) -> list[tuple[int, int, bytes]]:
    """Vectors ready to be stored: (key, passage, blob). Raises InvalidInputError for a wrong shape or length."""
    for row in rows:
        if row.vector.shape != (dimension,):
            raise InvalidInputError(
                f"a vector of shape {row.vector.shape} does not fit a generation of dimension {dimension}",
                hint=DOCTOR.after("the store's vectors were made by another embedder: "),
                limit=dimension,
                key=row.key,
            )
    if rows:
        lengths = np.linalg.norm(np.stack([row.vector for row in rows]).astype(np.float64), axis=1)
        wrong = np.flatnonzero(~(np.abs(lengths - 1) <= LENGTH_TOLERANCE))
        if wrong.size:
            first = int(wrong[0])
            raise InvalidInputError(
                f"a vector must have length 1, not {lengths[first]:.6g}",
                key=rows[first].key,
                passage=rows[first].passage,
            )
    return [(int(row.key), int(row.passage), vector_blob(row.vector)) for row in rows]
