"""The handler of events: the store's log and its jobs, read behind a cursor.

Nothing is kept for those who follow: the log is the queue, and a cursor is a place in it, so a slow reader takes no memory and one
that comes back goes on where it was. Jobs are in no log; they are compared with what the cursor says of those that changed lately.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
import time
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.clock import EPOCH, from_micros, to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.operations.upkeep.events import START, Event, EventKind, Events, EventsRequest
from ai_memory.service.handlers.ageing.job_views import view
from ai_memory.service.handlers.ageing.runner import SWITCH
from ai_memory.service.parts import Parts
from ai_memory.store.base import Action, LogEntry
from ai_memory.types import Job

LOOK_SECONDS = 0.25
"""How often one who waits looks at the store."""
OVERLAP = dt.timedelta(minutes=1)
"""A job is dated before it is committed, and by clocks of several processes: so far back a job may turn up late."""
MOST_SEEN = 40
"""Jobs that a cursor remembers; of more, some come twice."""
PAGE = 1_000
_CURSOR = re.compile(r"([0-9]{1,18})\.([0-9]{1,17})((?:\.[0-9a-f]{8})*)", re.ASCII)

_KINDS: dict[Action, EventKind] = {
    Action.RELATED: EventKind.RELATION,
    Action.UNRELATED: EventKind.RELATION,
    Action.PROPOSED: EventKind.PROPOSAL,
    Action.DECIDED: EventKind.PROPOSAL,
    Action.JUDGED: EventKind.FEEDBACK,
    Action.EXCLUDED: EventKind.TOMBSTONE,
}
"""The kinds of what is no memory."""


class Place(Struct, frozen=True):
    """A place among all events: behind a change of the log, and behind the jobs that were seen."""

    sequence: int
    at: dt.datetime
    """When the latest job that was seen changed, or when the place was made."""
    seen: tuple[str, ...] = ()
    """Digests of the jobs that were seen, of those that changed less than `OVERLAP` before `at`; the earliest first."""

    def written(self) -> str:
        """The place as a cursor."""
        return ".".join((str(self.sequence), str(to_micros(self.at)), *self.seen))


def events(parts: Parts, request: EventsRequest) -> Events:
    """What happened behind the cursor; waits for it where the request says so."""
    deadline = time.monotonic() + request.wait
    answer = _read(parts, request)
    while not answer.events and (left := deadline - time.monotonic()) > 0:
        if parts.closed.wait(min(LOOK_SECONDS, left)):
            break
        answer = _read(parts, replace(request, cursor=answer.cursor))
    return answer


def mark(parts: Parts) -> str:
    """A short text that changes when anything happens. Cheap: for one who looks on behalf of many."""
    jobs = parts.store.jobs(since=parts.clock.now() - OVERLAP)
    return f"{parts.store.sequence()}.{'.'.join(map(_digest, jobs))}"


def _read(parts: Parts, request: EventsRequest) -> Events:
    place = _place(parts, request)
    found: list[Event] = []
    head = parts.store.sequence()
    while request.kinds != (EventKind.JOB,):
        entries = parts.store.log(after=place.sequence, limit=PAGE, namespace=request.namespace)
        for entry in entries:
            place = replace(place, sequence=entry.sequence)
            event = _of_entry(entry, place)
            if not request.kinds or event.kind in request.kinds:
                found.append(event)
            if len(found) == request.limit:
                return Events(events=tuple(found), cursor=place.written())
        if len(entries) < PAGE:
            break
    place = replace(place, sequence=max(place.sequence, head))
    if not request.kinds or EventKind.JOB in request.kinds:
        for job, behind in _jobs(parts, request.namespace, place):
            place = behind
            found.append(_of_job(parts, job, place))
            if len(found) == request.limit:
                break
    return Events(events=tuple(found), cursor=place.written())


def _place(parts: Parts, request: EventsRequest) -> Place:
    if request.cursor == START:
        return Place(0, EPOCH)
    if request.cursor is not None:
        return _place_of(request.cursor)
    now = parts.clock.now()
    seen = tuple(map(_digest, _since(parts, request.namespace, now - OVERLAP)))[-MOST_SEEN:]
    head = parts.store.sequence()
    return Place(_before(parts, request, head), now, seen)


def _before(parts: Parts, request: EventsRequest, head: int) -> int:
    """The place behind which the `last` newest writes are that the request means; further and further back until it has them."""
    back = request.last
    while back > 0:
        after = max(0, head - back)
        entries = parts.store.log(after=after, limit=head, namespace=request.namespace)
        wanted = [each for each in entries if not request.kinds or _kind(each) in request.kinds]
        if len(wanted) >= request.last:
            return wanted[-request.last].sequence - 1
        if after == 0:
            return 0
        back *= 4
    return head


def _place_of(cursor: str) -> Place:
    """Raises InvalidInputError for a text that is no cursor of events."""
    if (found := _CURSOR.fullmatch(cursor)) is not None:
        return Place(int(found[1]), from_micros(int(found[2])), tuple(found[3].split(".")[1:]))
    raise InvalidInputError(
        "the cursor is damaged", hint=f"pass the cursor of an event, unchanged, or `{START}`, or none", field="cursor"
    )


def _jobs(parts: Parts, namespace: str | None, place: Place) -> Iterator[tuple[Job, Place]]:
    """The jobs that changed behind a place, each with the place behind it."""
    found = _since(parts, namespace, max(EPOCH, place.at - OVERLAP))
    digests, seen = [*map(_digest, found)], set(place.seen)
    for job, digest in zip(found, digests, strict=True):
        if digest not in seen:
            seen.add(digest)
            behind = tuple(each for each in digests if each in seen)[-MOST_SEEN:]
            place = Place(place.sequence, max(place.at, job.updated_at), behind)
            yield job, place


def _since(parts: Parts, namespace: str | None, since: dt.datetime) -> list[Job]:
    """The jobs that changed then or later, the one that changed first first."""
    found = [
        job
        for job in parts.store.jobs(since=since)
        if job.kind != SWITCH and (namespace is None or job.namespace == namespace)
    ]
    return sorted(found, key=lambda job: (job.updated_at, job.id))


def _digest(job: Job) -> str:
    said = f"{job.id}\0{job.state}\0{job.updated_at.isoformat()}"
    return hashlib.blake2b(said.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()


def _kind(entry: LogEntry) -> EventKind:
    return _KINDS.get(entry.action, EventKind.MEMORY)


def _of_entry(entry: LogEntry, place: Place) -> Event:
    return Event(
        cursor=place.written(),
        kind=_kind(entry),
        action=str(entry.action),
        at=entry.at,
        namespace=entry.namespace,
        actor=entry.actor,
        id=entry.relation_id or entry.memory_id,
        memory_id=entry.memory_id,
        state=entry.reason if entry.action is Action.DECIDED else None,
    )


def _of_job(parts: Parts, job: Job, place: Place) -> Event:
    return Event(
        cursor=place.written(),
        kind=EventKind.JOB,
        action=str(job.state),
        at=job.updated_at,
        namespace=job.namespace,
        id=job.id,
        job=view(parts, job),
    )
