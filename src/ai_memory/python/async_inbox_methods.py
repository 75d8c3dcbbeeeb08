"""The operations as async methods, typed and documented.

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
from ai_memory.python.async_calls import AsyncCalls
from ai_memory.python.calls import Instant
from ai_memory.types import DEFAULT_NAMESPACE


class AsyncInboxMethods(AsyncCalls):
    """The coroutines of proposals and feedback; `ai_memory.python.inbox_methods` says what the fields mean."""

    async def proposals(
        self,
        *,
        namespace: str = DEFAULT_NAMESPACE,
        states: ProposalState | str | Sequence[ProposalState | str] = (),
        kinds: ProposalKind | str | Sequence[ProposalKind | str] = (),
        about: str | None = None,
        ids: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Proposals:
        """List what the service proposes, with both texts and what accepting does."""
        values: dict[str, Any] = {
            "namespace": namespace, "states": states, "kinds": kinds, "about": about, "ids": ids, "limit": limit,
        }  # fmt: skip
        return await self._carry_out(PROPOSALS, values)

    async def propose(
        self,
        id: str,
        kind: ProposalKind | str,
        other: str | None = None,
        *,
        reason: str | None = None,
        confidence: float = 0.5,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Proposed:
        """Propose a change of a memory, for a person to decide."""
        values: dict[str, Any] = {
            "id": id, "kind": kind, "other": other, "reason": reason, "confidence": confidence,
            "namespace": namespace,
        }  # fmt: skip
        return await self._carry_out(PROPOSE, values)

    async def decide(
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
        """Accept or reject a proposal, put it off, or undo that."""
        values: dict[str, Any] = {
            "id": id, "decision": decision, "namespace": namespace, "kind": kind, "valid_to": valid_to,
            "until": until, "note": note,
        }  # fmt: skip
        return await self._carry_out(DECIDE, values)

    async def feedback(
        self,
        id: str,
        verdict: Verdict | str,
        note: str | None = None,
        *,
        namespace: str = DEFAULT_NAMESPACE,
    ) -> Judged:
        """Say whether a memory was useful, wrong, outdated or irrelevant."""
        values: dict[str, Any] = {"id": id, "verdict": verdict, "note": note, "namespace": namespace}
        return await self._carry_out(FEEDBACK, values)

    async def consolidate(
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
        """Sum up a session, a topic or a context: a digest with citations, copies, facts that changed."""
        values: dict[str, Any] = {
            "topic": topic, "session": session, "context": context, "user": user, "sentences": sentences,
            "dry_run": dry_run, "namespace": namespace,
        }  # fmt: skip
        return await self._carry_out(CONSOLIDATE, values)
