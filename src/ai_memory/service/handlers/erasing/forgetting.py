"""Handlers of the operations that erase memories."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from ai_memory.errors import BrakeError, InvalidInputError, StoreFullError
from ai_memory.operations.writing import ForgetManyRequest, ForgetRequest, Forgotten
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.erasing.leaving import leaving
from ai_memory.service.handlers.lookup import as_selection, key_in, memory_named, only_user
from ai_memory.service.handlers.once import Write, write, write_once
from ai_memory.service.handlers.reasons import check_reason, clean_reason
from ai_memory.service.handlers.refusals import raise_rejected
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
    """Erase a memory, or all values of a key; a second request for the same finds nothing and raises NotFoundError.

    Raises InvalidInputError for a reason that repeats a memory, and for a key of which several users have values.
    """
    reason = clean_reason(request.reason)
    now = parts.clock.now()
    ids = _named(parts, request)
    check_reason(parts, request.namespace, ids, reason)
    records = [record for record in parts.store.get(request.namespace, ids) if record is not None]
    commands = forget_commands(parts, request.namespace, ids, now, reason, if_revision=request.if_revision)

    digests: list[str] = []

    def answer(results: list[Result]) -> Forgotten:
        if not ids:
            memory_named(parts, request.namespace, request.id)  # which raises: the key has no value
        for memory_id, result in zip(ids, results, strict=True):
            raise_rejected(result, memory_id, request.namespace)
        digests.extend(each for result in results if isinstance(result, Stored) for each in result.digests)
        return Forgotten(forgotten=len(ids), dry_run=False, ids=tuple(ids[:SHOWN_IDS]), states=states_of(records, now))

    if records:
        parts.follower.forget_saved()  # before the commit as well: a process killed right after it leaves no saved words
    asked = Write("forget", request, request.namespace, request.idempotency_key)
    forgotten, _ = write_once(parts, asked, commands, answer, Forgotten)
    _drop_derived(parts, request.namespace, [*ids, *digests])
    return replace(forgotten, wipe_pending=parts.upkeep.unwiped())


def _named(parts: Parts, request: ForgetRequest) -> list[str]:
    """The ids of what is to be erased: one, or those of all values that a key has or had.

    None of a key without values is no error yet: a repeated request is answered as the first one was.
    """
    key = key_in(request.id)
    if key is None:
        return [request.id]
    if request.if_revision is not None:
        raise InvalidInputError(
            "if_revision needs a memory's id: a key may have several values", hint="leave it out", field="if_revision"
        )
    values = Selection(namespace=request.namespace, keys=(key,))
    found = [record for page in _pages(parts, values, retired=True) for record in page]
    only_user(key, found)
    return list(dict.fromkeys(record.id for record in found))


def forget_commands(
    parts: Parts,
    namespace: str,
    ids: Sequence[str],
    at: dt.datetime,
    reason: str | None,
    *,
    if_revision: int | None = None,
    relations: Sequence[str] = (),
) -> list[Forget]:
    """One command for each memory; the first one takes along the decisions that only these memories were the reason for.

    `relations` are ids of further ones to erase with it.
    """
    names = leaving(parts, namespace, ids)
    return [
        Forget(
            id=memory_id,
            namespace=namespace,
            at=at,
            reason=reason,
            if_revision=if_revision,
            decisions=() if place else tuple(dict.fromkeys((*names.decisions, *relations))),
            left=() if place else names.left,
        )
        for place, memory_id in enumerate(ids)
    ]


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
    if not (selection.include_ended and selection.include_expired) and selection.now is None:
        selection = replace(selection, now=now)
    for page in _pages(parts, selection, retired=request.retired):
        found.extend(record.id for record in page)
        states.update(states_of(page, now))
    ids = list(dict.fromkeys(found))  # one that was changed between two pages may be on both
    reason = clean_reason(request.reason)
    check_reason(parts, request.namespace, ids, reason)  # in a dry run too, which is to foresee a refusal
    forgotten = len(ids)
    if not request.dry_run and ids:
        if not request.everything:
            check_share(parts, request.namespace, len(ids), request.allow_share, retired=request.retired)
        commands = forget_commands(parts, request.namespace, ids, parts.clock.now(), reason)
        forgotten = forget_all(parts, request.namespace, ids, commands)
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


def states_of(records: Iterable[MemoryRecord], now: dt.datetime) -> dict[str, int]:
    """How many are `retired`, have `expired`, have `ended` (superseded ones among them), or are `current`."""
    return dict(
        Counter(
            "retired"
            if record.retired_at is not None
            else "expired"
            if record.expires_at is not None and record.expires_at <= now
            else "ended"
            if record.valid_to is not None and record.valid_to <= now
            else "current"
            for record in records
        )
    )


def check_share(parts: Parts, namespace: str, matching: int, allow_share: float | None, *, retired: bool) -> None:
    """Raise BrakeError where erasing so many memories would erase more of the namespace than is allowed.

    `retired`: these are among them, so they count in the whole too.
    """
    counts = parts.store.stats(namespace)
    total = max(counts.memories + (counts.retired if retired else 0), 1)
    share = matching / total
    allowed = parts.forget_share if allow_share is None else allow_share
    if matching > ALWAYS_ALLOWED and share > allowed:
        raise BrakeError(
            f"this would erase {matching} of {total} memories in {namespace}, more than the allowed {allowed:.0%}",
            hint=f"narrow what is to be erased, or pass allow_share={min(1.0, share):.2f}",
            matching=matching,
            total=total,
        )


def forget_lapsed(parts: Parts, namespace: str, records: Sequence[MemoryRecord]) -> int:
    """How many of these memories were erased: all that nobody has changed or erased since they were read.

    Decisions about names go with the memories that were the reason for them, so that where there are any, memories go one by one.
    """
    runs = [records] if not parts.store.decisions(namespace) else [[record] for record in records]
    forgotten = 0
    for run in runs:
        ids = [record.id for record in run]
        commands = forget_commands(parts, namespace, ids, parts.clock.now(), None)
        unchanged: list[Command] = [
            replace(command, if_revision=record.revision, lapsed=True)
            for command, record in zip(commands, run, strict=True)
        ]
        forgotten += forget_all(parts, namespace, ids, unchanged)
    return forgotten


def forget_all(parts: Parts, namespace: str, ids: Sequence[str], commands: Sequence[Command]) -> int:
    """How many of these memories were erased: all that nobody else has erased meanwhile."""
    parts.follower.forget_saved()
    forgotten = start = 0
    digests: list[str] = []
    size = PAGE
    while start < len(ids):
        part = commands[start : start + size]
        try:
            results = write(parts, part)
        except StoreFullError:  # fewer at once need less space, and each leaves some
            if len(part) == 1:
                raise
            size = max(len(part) // SMALLER, 1)
            continue
        forgotten += sum(isinstance(result, Stored) for result in results)
        digests += [each for result in results if isinstance(result, Stored) for each in result.digests]
        start += size
    _drop_derived(parts, namespace, [*ids, *digests])
    return forgotten


def _drop_derived(parts: Parts, namespace: str, ids: Sequence[str]) -> None:
    """Erase every derived copy before a forget is acknowledged: in this process's index, its snapshot and the graph file."""
    parts.follower.forget_saved()
    parts.follower.drop_forgotten()
    if parts.graph is not None:
        parts.graph.erase(namespace, ids)
