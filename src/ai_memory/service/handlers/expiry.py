"""When a memory lapses, as a request says it, at an instant or a length of time from now on; and lists of what lapses soon."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ai_memory.clock import EPOCH, NEVER, from_micros, period, to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.operations.reading import ListRequest
from ai_memory.operations.writing import Draft, ReviseRequest
from ai_memory.service.parts import Parts
from ai_memory.types import MemoryRecord, Page, Selection

_LATEST = dt.datetime(9999, 12, 30, tzinfo=dt.UTC)
AnyDraft = TypeVar("AnyDraft", bound=Draft)


def with_expiry(draft: AnyDraft, at: dt.datetime, *, past: bool = False) -> AnyDraft:
    """The draft with the instant that its `ttl` means from `at` on; `past`: an `expires_at` that has passed is as good as any.

    Raises InvalidInputError for both, and for an instant that has passed.
    """
    if draft.ttl is None:
        if draft.expires_at is not None and not past:
            _check_ahead(draft.expires_at, at)
        return draft
    _refuse_both(draft.expires_at)
    return replace(draft, expires_at=_after(draft.ttl, at))


def new_expiry(request: ReviseRequest, current: MemoryRecord, at: dt.datetime) -> dt.datetime | UnsetType | None:
    """When a memory lapses once it is changed; UNSET where it stays as it is.

    Pinning a memory takes its expiry away unless the request gives one: a memory may have it from a default that its user
    did not choose, and who pins it means to keep it.
    """
    if request.ttl is not None:
        _refuse_both(request.expires_at)
        return _after(request.ttl, at)
    if isinstance(request.expires_at, dt.datetime) and request.expires_at != current.expires_at:
        _check_ahead(request.expires_at, at)
    if request.expires_at is UNSET and request.pinned is True and not current.pinned:
        return None
    return request.expires_at


def aged_page(parts: Parts, request: ListRequest, selection: Selection) -> Page:
    """A page of a listing, of those memories alone that lapse soon or that nothing has confirmed for long where it asks for them.

    Both count from the instant of the first page, which the cursor has: else no page would follow another one.
    """
    cursor, now = request.cursor, selection.now or parts.clock.now()
    aged = request.expiring is not None or request.stale is not None
    if aged and cursor is not None:
        now, cursor = _dated(cursor)
    if request.expiring is not None:
        ahead = min(now.astimezone(dt.UTC), _LATEST - period(request.expiring)) + period(request.expiring)
        earliest = ahead if selection.expires_before is None else min(ahead, selection.expires_before)
        selection = replace(selection, expires_before=earliest)
    since = (
        max(now.astimezone(dt.UTC), EPOCH + period(request.stale)) - period(request.stale) if request.stale else None
    )
    if since is not None:
        latest = since if selection.recorded_before is None else min(since, selection.recorded_before)
        selection = replace(selection, recorded_before=latest, include_ended=False)
    newest = request.order == "newest"
    page = parts.store.select(
        selection, limit=request.limit, cursor=cursor, newest_first=newest, retired=request.retired
    )
    if since is not None:
        page = replace(page, memories=_unconfirmed(parts, request.namespace, page.memories, since))
    return replace(page, cursor=f"{to_micros(now)}.{page.cursor}") if aged and page.cursor else page


def _dated(cursor: str) -> tuple[dt.datetime, str]:
    """The instant of the first page, and the cursor of the store."""
    try:
        at, rest = cursor.split(".", 1)
        return from_micros(int(at)), rest
    except (ValueError, OverflowError):
        raise InvalidInputError(
            "the cursor is damaged", hint="pass the cursor of the page before, unchanged, or none", cursor=cursor[:100]
        ) from None


def _unconfirmed(
    parts: Parts, namespace: str, found: Sequence[MemoryRecord], since: dt.datetime
) -> tuple[MemoryRecord, ...]:
    """Those that are not pinned and of which no copy was stored since: a session in which a fact was said again confirms it."""
    view = parts.follower.view(namespace, None)
    confirmed = set() if view is None else view.confirmed([record.id for record in found], since)
    return tuple(record for record in found if not record.pinned and record.id not in confirmed)


def _after(ttl: str, at: dt.datetime) -> dt.datetime | None:
    if ttl.strip().lower() == NEVER:
        return None
    try:
        span = period(ttl)
    except ValueError as error:
        raise InvalidInputError(f"ttl: {error}", field="ttl") from None
    if span > _LATEST - at:
        raise InvalidInputError(f"ttl: {ttl!r} from now is after the year 9999", hint="leave it out", field="ttl")
    return at + span


def _refuse_both(expires_at: object) -> None:
    if expires_at is not None and expires_at is not UNSET:
        raise InvalidInputError(
            "ttl and expires_at were both given",
            hint="give one: ttl counts from now, expires_at is an instant",
            field="ttl",
        )


def _check_ahead(expires_at: dt.datetime, at: dt.datetime) -> None:
    if expires_at <= at:
        raise InvalidInputError(
            f"expires_at ({expires_at.isoformat()}) has passed: it is {at.isoformat(timespec='seconds')}",
            hint="give a later instant; retire ends a memory now, and valid_to says when something stopped being true",
            field="expires_at",
        )
