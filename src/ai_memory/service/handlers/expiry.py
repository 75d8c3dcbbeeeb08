"""When a memory lapses, as a request says it: at an instant, or a length of time from now on."""

from __future__ import annotations

import datetime as dt
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from ai_memory.clock import NEVER, period
from ai_memory.errors import InvalidInputError
from ai_memory.operations.writing import Draft, ReviseRequest
from ai_memory.types import MemoryRecord

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


def _after(ttl: str, at: dt.datetime) -> dt.datetime | None:
    if ttl.strip().lower() == NEVER:
        return None
    try:
        expiry = at + period(ttl)
        if expiry <= _LATEST:
            return expiry
    except OverflowError:
        pass
    except ValueError as error:
        raise InvalidInputError(f"ttl: {error}", field="ttl") from None
    raise InvalidInputError(f"ttl: {ttl!r} from now is after the year 9999", hint="leave it out", field="ttl")


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
