"""What changed between two instants: from the log, with what lapsed by itself, or from the index by what was true at each."""

from __future__ import annotations

import base64
import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from ai_memory.clock import from_micros, in_zone, period, to_micros
from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.operations.changes import Change, ChangeKind, Changes, ChangesRequest
from ai_memory.service.background.follower import SwitchedError
from ai_memory.service.handlers.ageing.differences import Made, differing, kind_of, matches
from ai_memory.service.handlers.drafts import context_path
from ai_memory.service.parts import Parts
from ai_memory.store.base import Action, LogEntry, StoredRevision
from ai_memory.types import Facets, MemoryRecord, Relation, RelationType, Selection

CHUNK = 500
"""Log entries, and lapsed memories, that are read at once."""


class Place(NamedTuple):
    """A place in the order of changes: the instant in microseconds, which of two kinds comes first then, and a number.

    The kinds are entries of the log and what lapsed by itself; and what ended and what began.
    """

    at: int
    second: bool
    number: int


class _Span(NamedTuple):
    since: dt.datetime
    until: dt.datetime


def changes(parts: Parts, request: ChangesRequest) -> Changes:
    """A page of what changed, the earliest first. Raises InvalidInputError for an empty span, and for a cursor of another one."""
    request = replace(request, context=context_path(request.context))
    span, place = _resumed(parts, request)
    if request.axis == "valid":
        return _valid(parts, request, span, place)
    start = place or Place(to_micros(span.since), False, 0)
    found: list[Change] = []
    counts: Counter[str] = Counter()
    after: Place | None = None
    for place, kind, change in _known(parts, request, span, start):
        if len(found) == request.limit:
            return _page(request, span, found, counts, after)
        if kind is not None:
            counts[kind] += 1
        if change is not None:
            found.append(change)
        after = place
    return _page(request, span, found, counts, None)


def _page(
    request: ChangesRequest, span: _Span, found: Sequence[Change], counts: Counter[str], after: Place | None
) -> Changes:
    return Changes(
        since=span.since,
        until=span.until,
        axis=request.axis,
        counts=dict(sorted(counts.items())),
        changes=tuple(found),
        cursor=None if after is None else _cursor(request, span, after),
    )


# ── what was known ─────────────────────────────────────────────────────────────────────────────────────────────────────


class _Sources(NamedTuple):
    """What the changes of one chunk are made from."""

    revisions: dict[int, StoredRevision]
    successors: dict[tuple[str, int], str]
    """By the id of a superseded memory and the instant, the memory that replaced it then."""
    decisions: dict[str, Relation]


def _known(
    parts: Parts, request: ChangesRequest, span: _Span, start: Place
) -> Iterator[tuple[Place, str | None, Change | None]]:
    """Each place after `start`, with its kind and its change; no kind where it is none that was asked for."""
    store, namespace = parts.store, request.namespace
    until = min(span.until, parts.clock.now())
    while True:
        log_from = (from_micros(start.at), (1 << 62) if start.second else start.number)
        lapsed_from = (from_micros(start.at), start.number if start.second else 0)
        entries = store.log_between(namespace, after=log_from, until=until, limit=CHUNK)
        lapsed = store.lapsed(namespace, after=lapsed_from, until=until, limit=CHUNK)
        places: dict[Place, LogEntry | StoredRevision] = {
            Place(to_micros(entry.at), False, entry.sequence): entry for entry in entries
        }
        places |= {Place(to_micros(each.record.expires_at or until), True, each.key): each for each in lapsed}
        full = [
            max(place for place in places if place.second is kind)
            for kind, rows in ((False, entries), (True, lapsed))
            if len(rows) == CHUNK
        ]
        whole = sorted(place for place in places if not full or place <= min(full))
        sources = _sources(parts, request, [each for each in places.values() if isinstance(each, LogEntry)])
        for place in whole:
            yield place, *_change(request, places[place], sources)
        if not full:
            return
        start = whole[-1]


def _sources(parts: Parts, request: ChangesRequest, entries: Sequence[LogEntry]) -> _Sources:
    keys = {
        key for entry in entries if entry.action is not Action.FORGOTTEN for key in (*entry.keys, *entry.retired_keys)
    }
    revised = sorted({entry.memory_id for entry in entries if entry.action is Action.REVISED and entry.memory_id})
    relations = parts.store.relations(request.namespace, revised, types=[RelationType.SUPERSEDES]) if revised else []
    related = any(entry.action in (Action.RELATED, Action.UNRELATED) for entry in entries)
    decisions = parts.store.decisions(request.namespace) if related and not _is_filtered(request) else []
    return _Sources(
        parts.store.load(sorted(keys)) if keys else {},
        {(each.target, to_micros(each.recorded_at)): each.source for each in relations},
        {each.id: each for each in decisions},
    )


def _change(
    request: ChangesRequest, found: LogEntry | StoredRevision, sources: _Sources
) -> tuple[str | None, Change | None]:
    if isinstance(found, StoredRevision):
        record = found.record
        if not matches(request, record) or record.expires_at is None:
            return None, None
        return "expired", Change(kind="expired", at=record.expires_at, memory=record)
    if found.action is Action.FORGOTTEN:
        return (None, None) if _is_filtered(request) else ("forgotten", None)
    if found.relation_id is not None:
        decision = sources.decisions.get(found.relation_id)
        if decision is None:
            return None, None
        made = replace(decision, retired_at=None) if found.action is Action.RELATED else decision
        return "decided", Change(kind="decided", at=found.at, actor=found.actor, decision=made)
    return _of_memory(request, found, sources)


def _of_memory(request: ChangesRequest, entry: LogEntry, sources: _Sources) -> tuple[str | None, Change | None]:
    """The change of a memory that is still there; none of one that was forgotten since, or of an action that is no change."""
    after, before = (_first(sources.revisions, keys) for keys in (entry.keys, entry.retired_keys))
    if entry.action is Action.RETIRED:
        after, before = before, None
    if after is None or not any(matches(request, each) for each in (after, before) if each is not None):
        return None, None
    by = sources.successors.get((after.id, to_micros(entry.at)))
    kind = kind_of(Made(entry.action, before, after, superseded=by is not None))
    if kind is None:
        return None, None
    change = Change(
        kind=kind,
        at=entry.at,
        actor=entry.actor,
        memory=after,
        before=before,
        differs=() if before is None else differing(before, after),
        superseded_by=by if kind == "superseded" else None,
    )
    return kind, change


def _first(revisions: dict[int, StoredRevision], keys: Sequence[int]) -> MemoryRecord | None:
    return next((revisions[key].record for key in keys if key in revisions), None)


# ── what was true ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _valid(parts: Parts, request: ChangesRequest, span: _Span, start: Place | None) -> Changes:
    """What was true at `until` and not at `since`, and the other way round, as it is known now."""
    selection = Selection(**{name: getattr(request, name) for name in Facets.__struct_fields__}, include_expired=False)
    while True:
        try:
            view = parts.follower.view(request.namespace, None)
            break
        except SwitchedError:
            continue
    turned = [] if view is None else view.turned(selection, span.since, span.until)
    places = sorted((Place(at, began, key) for at, key, began in turned))
    rest = [place for place in places if start is None or place > start]
    shown = rest[: request.limit]
    loaded = parts.store.load([place.number for place in shown])
    records = [(place, loaded[place.number].record) for place in shown if place.number in loaded]
    gone = [record.id for place, record in records if not place.second]
    relations = parts.store.relations(request.namespace, gone, types=[RelationType.SUPERSEDES]) if gone else []
    by = {each.target: each.source for each in relations}
    found = [_turn(place, record, by) for place, record in records]
    after = shown[-1] if len(rest) > len(shown) else None
    return _page(request, span, found, Counter(change.kind for change in found), after)


def _turn(place: Place, record: MemoryRecord, by: dict[str, str]) -> Change:
    kind: ChangeKind = "began"
    if not place.second:
        lapsed = record.expires_at is not None and record.expires_at == record.ends
        kind = "expired" if lapsed else "superseded" if record.id in by else "ended"
    return Change(
        kind=kind,
        at=from_micros(place.at),
        memory=record,
        superseded_by=by.get(record.id) if kind == "superseded" else None,
    )


# ── the span, and cursors ──────────────────────────────────────────────────────────────────────────────────────────────


def _resumed(parts: Parts, request: ChangesRequest) -> tuple[_Span, Place | None]:
    """The span of the request, and the place behind which its page begins; a cursor keeps the span of the first page."""
    if request.cursor is not None:
        since, until, place, digest = _position(request.cursor)
        span = _Span(from_micros(since).astimezone(parts.zone), from_micros(until).astimezone(parts.zone))
        if digest != _digest(request):
            raise InvalidInputError(
                "the cursor belongs to other changes", hint="keep the filters and the span while paging", field="cursor"
            )
        return span, place
    now = parts.clock.now()
    span = _Span(
        _instant(request.since, now, parts.zone),
        now.astimezone(parts.zone) if request.until is None else _instant(request.until, now, parts.zone),
    )
    if span.since >= span.until:
        raise InvalidInputError(
            f"since ({span.since.isoformat()}) is not before until ({span.until.isoformat()})",
            hint="give an earlier since, or a later until",
            field="since",
        )
    return span, None


def _instant(text: str, now: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """The instant that a text means: itself, in `zone` where it has none, or so long before `now`."""
    try:
        given = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return (now - period(text)).astimezone(zone)
    try:
        return (given.replace(tzinfo=zone) if given.tzinfo is None else given).astimezone(zone)
    except OverflowError:
        return in_zone(given.replace(tzinfo=dt.UTC), dt.UTC)  # the first or last day of the calendar, in another zone


def _is_filtered(request: ChangesRequest) -> bool:
    plain = Facets(namespace=request.namespace)
    return any(getattr(request, name) != getattr(plain, name) for name in Facets.__struct_fields__)


def _cursor(request: ChangesRequest, span: _Span, after: Place) -> str:
    packed = msgspec.json.encode([to_micros(span.since), to_micros(span.until), after, _digest(request)])
    return base64.urlsafe_b64encode(packed).rstrip(b"=").decode()


def _position(cursor: str) -> tuple[int, int, Place, str]:
    try:
        packed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        since, until, (at, second, number), digest = from_json(packed, tuple[int, int, tuple[int, bool, int], str])
        from_micros(since), from_micros(until), from_micros(at)
    except (ValueError, OverflowError, msgspec.MsgspecError) as error:
        raise InvalidInputError(
            "the cursor is damaged", hint="pass the cursor of the page before, unchanged, or none", cursor=cursor[:100]
        ) from error
    return since, until, Place(at, second, number), digest


def _digest(request: ChangesRequest) -> str:
    import hashlib

    encoded = msgspec.json.encode(replace(request, cursor=None, limit=1))
    return hashlib.sha256(encoded).hexdigest()[:16]
