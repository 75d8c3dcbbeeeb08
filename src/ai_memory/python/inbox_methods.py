"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ai_memory.inbox import ProposalKind, ProposalState, Verdict
from ai_memory.operations.inbox import (
    CONSOLIDATE,
    DECIDE,
    FEEDBACK,
    PROPOSALS,
    PROPOSE,
    Consolidated,
    Judged,
    Proposals,
    Proposed,
)
from ai_memory.python.calls import Calls, Instant
from ai_memory.types import DEFAULT_NAMESPACE


class InboxMethods(Calls):
    """The methods of proposals and feedback."""

    def proposals(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        states: ProposalState | str | Sequence[ProposalState | str] = (),
        kinds: ProposalKind | str | Sequence[ProposalKind | str] = (),
        about: str | None = None,
        ids: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Proposals:
        """List what the service proposes, with both texts and what accepting does.

        namespace: The namespace to work in; nothing is read or written across namespaces.
        states: Only proposals in one of these states. Default: open ones, and those put off until now.
        kinds: Only proposals of one of these kinds.
        about: Only proposals about this memory: its id, or key:NAME.
        ids: Only the proposals with these ids.
        limit: At most this many proposals, the newest.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "states": states, "kinds": kinds, "about": about, "ids": ids, "limit": limit,
        }  # fmt: skip
        return self._carry_out(PROPOSALS, values)

    def propose(
        self,
        id: str,
        kind: ProposalKind | str,
        other: str | None = None,
        *,
        reason: str | None = None,
        confidence: float = 0.5,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Proposed:
        """Propose a change of a memory, for a person to decide.

        id: The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory
            answers to.
        kind: update or contradiction (the other memory supersedes it), copy (the other says the same: it is retired),
            retirement (it is wrong: it is retired) or expiry (it is outdated: it ends).
        other: The memory that speaks against it, or says the same: its id, key:NAME, or words that only it answers
            to.
        reason: Why, in words that do not repeat either text.
        confidence: How sure it is, from 0 to 1.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        """
        values: dict[str, Any] = {
            "id": id, "kind": kind, "other": other, "reason": reason, "confidence": confidence,
            "namespace": namespace,
        }  # fmt: skip
        return self._carry_out(PROPOSE, values)

    def decide(
        self,
        id: str,
        decision: Literal["accept", "reject", "later", "undo"],
        *,
        namespace: str = DEFAULT_NAMESPACE,
        kind: ProposalKind | str | None = None,
        valid_to: Instant | None = None,
        until: Instant | None = None,
        note: str | None = None,
    ) -> Proposed:
        """Accept or reject a proposal, put it off, or undo that.

        id: The proposal's id (pro_…).
        decision: accept carries it out; reject keeps it from coming back, also for the same texts stored again; later
            puts it off; undo takes the last decision back, and all is as it was before.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        kind: With accept: another kind than the one proposed.
        valid_to: With accept: when the memory stopped being true. Default: when the other one began, or now.
        until: With later: until when, in the future.
        note: Why, in your own words; erased when a memory that it is about is forgotten.
        """
        values: dict[str, Any] = {
            "id": id, "decision": decision, "namespace": namespace, "kind": kind, "valid_to": valid_to,
            "until": until, "note": note,
        }  # fmt: skip
        return self._carry_out(DECIDE, values)

    def feedback(
        self,
        id: str,
        verdict: Verdict | str,
        note: str | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Judged:
        """Say whether a memory was useful, wrong, outdated or irrelevant.

        id: The memory's id (mem_…), `key:NAME` for the value that this key has now, or words that only this memory
            answers to.
        verdict: useful, irrelevant, outdated (also proposes that it ends), wrong (also proposes to retire it) or
            withdrawn (takes back all that was said before).
        note: Why, in your own words; erased when a memory that it is about is forgotten.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        """
        values: dict[str, Any] = {"id": id, "verdict": verdict, "note": note, "namespace": namespace}
        return self._carry_out(FEEDBACK, values)

    def consolidate(
        self,
        topic: str | None = None,
        *,
        session: str | None = None,
        context: str | None = None,
        user: str | None = None,
        sentences: int = 8,
        dry_run: bool = True,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Consolidated:
        """Sum up a session, a topic or a context: a digest with citations, copies, facts that changed.

        topic: The memories that answer this, a question or a few words.
        session: The memories of this session.
        context: The memories in this context path or below it.
        user: Only memories of this user. Default: those of each user apart.
        sentences: At most this many sentences in a digest.
        dry_run: Only show what would be written and proposed.
        namespace: The namespace to work in; nothing is read or written across namespaces.
        """
        values: dict[str, Any] = {
            "topic": topic, "session": session, "context": context, "user": user, "sentences": sentences,
            "dry_run": dry_run, "namespace": namespace,
        }  # fmt: skip
        return self._carry_out(CONSOLIDATE, values)
