"""What is decided in the background, one `Kind` each: what is due, how it is carried out, and which log entries are its work.

A kind keeps no state. What is due is found again each time from what is stored, and each step of carrying it out is one transaction
that changes nothing where it was done before or where the memory has changed meanwhile: a process that is killed at any moment
leaves each memory as it was or as it is to be.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ai_memory.inbox import Decide, Proposal, ProposalState
from ai_memory.service.handlers.erasing.forgetting import forget_lapsed
from ai_memory.service.handlers.once import write
from ai_memory.service.parts import Parts
from ai_memory.store.base import Action, LogEntry, Stored
from ai_memory.truth.ageing import Background
from ai_memory.types import Actor, MemoryRecord, Selection
from ai_memory.wording.ways import Way

PAGE = 500


@dataclass(frozen=True)
class Kind:
    """One kind of background decision."""

    name: str
    part: str
    """What `health` calls it while it waits."""
    waiting: str
    """What of so many memories is to be said while it waits for a person."""
    erases: bool
    """Whether what it has done is not among the memories any longer."""
    is_on: Callable[[Background], bool]
    due: Callable[[Parts, str], Sequence[Any]]
    """What is to be done now in a namespace, in the order in which it is carried out. Raises StoreError."""
    carry_out: Callable[[Parts, str, Sequence[Any]], int]
    """Do a part of what is due; how much of it was done. Raises StoreError."""
    counts: Callable[[LogEntry], bool]
    """Whether an entry of the log is one of its decisions."""
    otherwise: Callable[[Parts, str], str]
    """What a person can do in place of allowing it, on the command line."""


def way_of(kind: Kind, parts: Parts, namespace: str, job_id: str) -> Way:
    """How a person lets a held job go on, or keeps it from that."""
    otherwise = kind.otherwise(parts, namespace)
    return Way(
        cli=f"ai-memory jobs allow {job_id} lets it go on; or {otherwise}",
        python=f'steer_job("{job_id}", "allow") lets it go on; or {otherwise}',
        rest=f'POST /v1/jobs/{job_id} with {{"action": "allow"}} lets it go on; or set brake_share, on the machine of the service',
        mcp="ask the user to look: ai-memory jobs, on the machine of the service, says what waits",
    )


# ── erasing what has expired ───────────────────────────────────────────────────────────────────────────────────────────


def _expired(parts: Parts, namespace: str) -> list[MemoryRecord]:
    """The memories, retired ones too, that expired so long ago that they are to be erased; pinned ones never are."""
    assert parts.background.erase_after is not None
    limit = parts.clock.now() - parts.background.erase_after
    selection = Selection(namespace=namespace, expires_before=limit, pinned=False)
    found: dict[str, MemoryRecord] = {}
    cursor: str | None = None
    while True:
        page = parts.store.select(selection, limit=PAGE, cursor=cursor, retired=True)
        found.update((record.id, record) for record in page.memories)
        cursor = page.cursor
        if cursor is None:
            return list(found.values())


def _erase_instead(parts: Parts, namespace: str) -> str:
    assert parts.background.erase_after is not None
    limit = parts.clock.now() - parts.background.erase_after
    return (
        f"ai-memory forget-many --namespace {shlex.quote(namespace)} --expires-before {limit:%Y-%m-%dT%H:%M:%SZ} --no-pinned "
        "--no-dry-run --allow-share 1; or change, pin or extend what is to stay; or set brake_share"
    )


ERASING = Kind(
    name="erase_expired",
    part="erasure",
    waiting="have expired and wait to be erased",
    erases=True,
    is_on=lambda limits: limits.erase_after is not None,
    due=_expired,
    carry_out=forget_lapsed,
    counts=lambda entry: entry.action is Action.FORGOTTEN and entry.actor is Actor.POLICY,
    otherwise=_erase_instead,
)


# ── proposals that nobody decides ──────────────────────────────────────────────────────────────────────────────────────


def _undecided(parts: Parts, namespace: str) -> list[Proposal]:
    """The proposals that have been open for too long, the oldest first; one that somebody reopened waits as long again."""
    assert parts.background.lapse_after is not None
    limit = parts.clock.now() - parts.background.lapse_after
    found = parts.store.proposals(namespace, states=(ProposalState.OPEN,))
    return [each for each in reversed(found) if max(each.made_at, each.decided_at or each.made_at) < limit]


def _lay_aside(parts: Parts, namespace: str, due: Sequence[Proposal]) -> int:
    now = parts.clock.now()
    return sum(
        isinstance(result, Stored)
        for result in write(parts, [Decide(id=each.id, namespace=namespace, decision="lapsed", at=now) for each in due])
    )


LAPSING = Kind(
    name="lapse_proposals",
    part="proposals",
    waiting="have proposals that nobody decided, which are to be laid aside",
    erases=False,
    is_on=lambda limits: limits.lapse_after is not None,
    due=_undecided,
    carry_out=_lay_aside,
    counts=lambda entry: (
        entry.action is Action.DECIDED and entry.actor is Actor.POLICY and entry.reason == ProposalState.LAPSED
    ),
    otherwise=lambda _parts, namespace: (
        f"ai-memory review --namespace {shlex.quote(namespace)} lists them, to be decided; or set brake_share"
    ),
)

KINDS = (ERASING, LAPSING)
"""In the order in which they are carried out."""
