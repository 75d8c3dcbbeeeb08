"""Handlers of the operations that erase memories."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ai_memory.errors import BrakeError, InvalidInputError, StoreFullError
from ai_memory.operations.writing import ForgetManyRequest, ForgetRequest, Forgotten
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.leaving import Leaving, leaving
from ai_memory.service.handlers.once import Write, write, write_once
from ai_memory.service.handlers.reasons import check_reason
from ai_memory.service.handlers.writing import as_selection, clean_reason, raise_rejected
from ai_memory.service.parts import Parts
from ai_memory.store.base import Command, Forget, Result, Stored
from ai_memory.types import MemoryRecord, Selection

PAGE = 500
SMALLER = 8
"""On a full device batches become smaller by this factor."""
ALWAYS_ALLOWED = 20
"""Bulk forgetting of this many memories or fewer never trips the brake."""
SHOWN_IDS = 1_000


def forget(parts: Parts, request: ForgetRequest) -> Forgotten:
    """Erase a memory; a second request for the same id finds nothing and raises NotFoundError.

    Raises InvalidInputError for a reason that repeats the memory.
    """
    reason = clean_reason(request.reason)
    check_reason(parts, request.namespace, [request.id], reason)
    now = parts.clock.now()
    record = parts.store.get(request.namespace, [request.id])[0]
    names = Leaving() if record is None else leaving(parts, request.namespace, [request.id])
    command = Forget(
        id=request.id,
        namespace=request.namespace,
        at=now,
        reason=reason,
        if_revision=request.if_revision,
        decisions=names.decisions,
        left=names.left,
    )

    def answer(results: list[Result]) -> Forgotten:
        raise_rejected(results[0], request.id, request.namespace)
        return Forgotten(
            forgotten=1, dry_run=False, ids=(request.id,), states={} if record is None else _states([record], now)
        )

    if record is not None:
        parts.follower.forget_saved()  # before the commit as well: a process killed right after it leaves no saved words
    asked = Write("forget", request, request.namespace, request.idempotency_key)
    forgotten, _ = write_once(parts, asked, [command], answer, Forgotten)
    _drop_derived(parts, request.namespace, [request.id])
    return replace(forgotten, wipe_pending=parts.upkeep.unwiped())


def forget_many(parts: Parts, request: ForgetManyRequest) -> Forgotten:
    """Erase all memories that match, in batches; reason and share are checked for all of them before the first is erased."""
    selection = as_selection(in_users_zone(request, parts.zone))
    if selection == Selection(namespace=selection.namespace) and not request.everything:
        raise InvalidInputError(
            "no filter was given, so this would erase the whole namespace",
            hint="give a filter, or everything=true to mean just that",
            field="everything",
        )
    now = parts.clock.now()
    found: list[str] = []
    states: Counter[str] = Counter()
    if not selection.include_ended and selection.now is None:
        selection = replace(selection, now=now)
    for page in _pages(parts, selection, retired=request.retired):
        found.extend(record.id for record in page)
        states.update(_states(page, now))
    ids = list(dict.fromkeys(found))  # one that was changed between two pages may be on both
    reason = clean_reason(request.reason)
    check_reason(parts, request.namespace, ids, reason)  # in a dry run too, which is to foresee a refusal
    forgotten = len(ids)
    if not request.dry_run and ids:
        _brake(parts, request, len(ids))
        forgotten = _forget_all(parts, request.namespace, ids, reason)
    return Forgotten(
        forgotten=forgotten,
        dry_run=request.dry_run,
        ids=tuple(ids[:SHOWN_IDS]),
        states=dict(sorted(states.items())),
        wipe_pending=None if request.dry_run else parts.upkeep.unwiped(),
    )


def _pages(parts: Parts, selection: Selection, *, retired: bool) -> Iterable[Sequence[MemoryRecord]]:
    cursor: str | None = None
    while True:
        page = parts.store.select(selection, limit=PAGE, cursor=cursor, retired=retired)
        yield _latest(parts, page.memories) if selection.known_at is not None else page.memories
        cursor = page.cursor
        if cursor is None:
            return


def _latest(parts: Parts, records: Sequence[MemoryRecord]) -> list[MemoryRecord]:
    found = parts.store.get(records[0].namespace, [record.id for record in records]) if records else []
    return [record for record in found if record is not None]


def _states(records: Iterable[MemoryRecord], now: dt.datetime) -> dict[str, int]:
    """How many are `retired`, how many have `ended` (superseded ones among them), and how many are `current`."""
    return dict(
        Counter(
            "retired"
            if record.retired_at is not None
            else "ended"
            if record.valid_to is not None and record.valid_to <= now
            else "current"
            for record in records
        )
    )


def _brake(parts: Parts, request: ForgetManyRequest, matching: int) -> None:
    """Raise BrakeError where this would erase more of the namespace than is allowed."""
    counts = parts.store.stats(request.namespace)
    total = max(counts.memories + (counts.retired if request.retired else 0), 1)
    share = matching / total
    allowed = parts.forget_share if request.allow_share is None else request.allow_share
    if not request.everything and matching > ALWAYS_ALLOWED and share > allowed:
        raise BrakeError(
            f"this would erase {matching} of {total} memories in {request.namespace}, more than the allowed {allowed:.0%}",
            hint=f"narrow the filter, or pass allow_share={min(1.0, share):.2f}",
            matching=matching,
            total=total,
        )


def _forget_all(parts: Parts, namespace: str, ids: Sequence[str], reason: str | None) -> int:
    """How many of these memories were erased: all that nobody else has erased meanwhile."""
    parts.follower.forget_saved()
    names = leaving(parts, namespace, ids)
    forgotten = start = 0
    size = PAGE
    while start < len(ids):
        now = parts.clock.now()
        commands: list[Command] = [
            Forget(
                id=memory_id,
                namespace=namespace,
                at=now,
                reason=reason,
                decisions=names.decisions if memory_id == ids[0] else (),
                left=names.left if memory_id == ids[0] else (),
            )
            for memory_id in ids[start : start + size]
        ]
        try:
            results = write(parts, commands)
        except StoreFullError:  # fewer at once need less space, and each leaves some
            if len(commands) == 1:
                raise
            size = max(len(commands) // SMALLER, 1)
            continue
        forgotten += sum(isinstance(result, Stored) for result in results)
        start += size
    _drop_derived(parts, namespace, ids)
    return forgotten


def _drop_derived(parts: Parts, namespace: str, ids: Sequence[str]) -> None:
    """Erase every derived copy before a forget is acknowledged: in this process's index, its snapshot and the graph file."""
    parts.follower.forget_saved()
    parts.follower.catch_up()
    if parts.graph is not None:
        parts.graph.erase(namespace, ids)
