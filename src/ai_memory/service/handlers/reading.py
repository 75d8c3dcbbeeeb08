"""Handlers of the operations that read memories."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.clock import has_come, in_zone, to_micros
from ai_memory.errors import NotFoundError, StoreError
from ai_memory.extraction.extract import times_named
from ai_memory.inbox import Feedback, Verdict
from ai_memory.index.partition import PartitionView
from ai_memory.operations.reading import (
    Bucket,
    ContextCount,
    Contexts,
    ContextsRequest,
    GetRequest,
    History,
    HistoryRequest,
    ListRequest,
    RecallRequest,
    Timeline,
    TimelineRequest,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.recall.answer import Answer, Moved, Notice
from ai_memory.recall.engine import Least, Question, recall_empty
from ai_memory.recall.engine import recall as run_recall
from ai_memory.recall.evidence.background import ENOUGH_ROWS
from ai_memory.recall.evidence.periods import Period
from ai_memory.recall.plan import aside, asks_only_for, words_in
from ai_memory.recall.recipe import Recipe, fitted, recipe_named
from ai_memory.service.background.embedder import AskedVector, Lack, PinnedEmbedder
from ai_memory.service.background.follower import SwitchedError
from ai_memory.service.handlers.drafts import context_path
from ai_memory.service.handlers.expiry import aged_page
from ai_memory.service.handlers.graph.view import QuestionLinks
from ai_memory.service.handlers.lookup import as_selection, memory_named, no_such_memory
from ai_memory.service.parts import Parts
from ai_memory.text.caseless import caseless
from ai_memory.text.normal import clean_text
from ai_memory.truth.wording import Wanted, wanted
from ai_memory.types import Generation, MemoryRecord, Page, Selection
from ai_memory.wording.ways import REBUILD, TUNE

TIMELINE_PAGE = 1_000
_DAY = dt.timedelta(days=1)


def recall(parts: Parts, request: RecallRequest, recipe: Recipe | None = None) -> Answer:
    """Find the memories that answer a question, lexically only where there is no embedder.

    `recipe` replaces the one that the request names: weights that have no name.
    """
    return _with_feedback(parts, request.namespace, _recalled(parts, request, recipe))


def _with_feedback(parts: Parts, namespace: str, answer: Answer) -> Answer:
    """The answer with what feedback made of its hits' confidence. What was never revised was not moved, and is not looked up."""
    changed = [hit.memory.id for hit in answer.hits if hit.memory.revision > 1]
    said = _moved(parts.store.feedback(namespace, changed)) if changed else {}
    if not said:
        return answer
    hits = tuple(msgspec.structs.replace(hit, moved=said.get(hit.memory.id)) for hit in answer.hits)
    return msgspec.structs.replace(answer, hits=hits)


def _moved(said: Sequence[Feedback]) -> dict[str, Moved]:
    """By memory what its feedback, in order of writing, made of its confidence; none where the last one took all back."""
    counts: dict[str, Counter[str]] = {}
    last: dict[str, Feedback] = {}
    for each in said:
        if each.verdict is Verdict.WITHDRAWN:
            counts.pop(each.memory_id, None)
        else:
            counts.setdefault(each.memory_id, Counter())[each.verdict.value] += 1
            last[each.memory_id] = each
    return {
        memory: Moved(given=last[memory].given, verdicts=dict(sorted(found.items())), last=last[memory].at)
        for memory, found in counts.items()
    }


def _recalled(parts: Parts, request: RecallRequest, recipe: Recipe | None) -> Answer:
    clean_text(request.query, "query")
    tuning: tuple[Notice, ...] = ()
    if recipe is None:
        recipe, tuning = _recipe(parts, request)
    # What has ended answers a question about then, and one that asks for it: *Where did I live before?*
    past = recipe.newest > 0.0 and wanted(request.query) in (Wanted.EARLIER, Wanted.PAST)
    selection = _with_now(parts, request, include_ended=request.include_ended or request.as_of is not None or past)
    now = selection.now or parts.clock.now()
    named = times_named(request.query, now) if recipe.time else ()
    zone = _zone_of(selection)
    asides = aside(request.query, [each.start for each in named])
    periods = tuple(
        Period(
            _edge(each.since),
            _edge(each.until),
            _offset(each.since, zone),
            _offset(each.until, zone),
            ahead=each.since is not None and each.since > now,
            aside=in_passing,
        )
        for each, in_passing in zip(named, asides, strict=True)
    )
    question = Question(
        text=request.query,
        selection=selection,
        limit=request.limit,
        max_tokens=request.max_tokens,
        least=Least(request.min_score, request.min_relevance),
        layers=request.layers,
        explain=request.explain,
        as_context=request.format == "context",
        recipe=recipe,
        periods=periods,
        time_words=words_in(request.query, ((each.start, each.end) for each in named)),
        only_time=bool(periods) and asks_only_for(request.query, ((each.start, each.end) for each in named)),
        zone=zone,
    )
    by_meaning = question.recipe.dense > 0.0 and bool(request.query.strip())
    seen = _look(parts, request, by_meaning=by_meaning)
    notices = (*tuning, *_notices(parts, words_only=by_meaning and seen.asked is None))
    if seen.view is None:
        return recall_empty(question, notices)
    if seen.asked is not None and seen.generation is not None:
        question = msgspec.structs.replace(question, recipe=fitted(recipe, seen.generation.embedder.model))
    search = partial(
        run_recall,
        question,
        view=seen.view,
        store=parts.store,
        query_vector=seen.asked.vector if seen.asked else None,
        familiar=seen.asked.familiar if seen.asked else 1.0,
        generation=seen.generation.id if seen.generation else None,
        background_vectors=_background(seen, seen.view),
        read_tokens=parts.slot.token_reader(seen.pinned) if seen.pinned and seen.asked else None,
        vector_of=partial(_vector_of, parts, seen.pinned) if seen.pinned and seen.asked else None,
    )
    with parts.ranking:
        if not recipe.entities:
            return search(notices=notices)
        try:
            links = QuestionLinks(parts, selection, request.query)
            return search(notices=(*notices, *links.notices()), graph=links)
        except StoreError as error:  # of the graph's file; where it is the store's, it comes again
            failed = Notice(
                code="graph_failed", message=f"searched without the graph: {error.message}", mend=str(REBUILD)
            )
            return search(notices=(*notices, failed))


def _vector_of(parts: Parts, pinned: PinnedEmbedder, words: str) -> NDArray[np.float32] | None:
    asked = parts.slot.embed_query(pinned, words)
    return None if asked is None else asked.vector


def warm_up(parts: Parts) -> None:
    """Load what every first question waits for: the tables of times, the model's weights, the background sentences' vectors."""
    times_named("yesterday", parts.clock.now())
    pinned = parts.slot.get()
    if pinned is not None:
        pinned.anchors()


def _background(seen: _Seen, view: PartitionView) -> NDArray[np.float32] | None:
    """The vectors of recall's background sentences, float32, shape (m, dimension), for a small store; None where there are none."""
    small = seen.pinned is not None and seen.asked is not None and view.n < ENOUGH_ROWS
    return seen.pinned.anchors() if small and seen.pinned else None


def _recipe(parts: Parts, request: RecallRequest) -> tuple[Recipe, tuple[Notice, ...]]:
    """The recipe that the request names, or the tuned one where the store's vectors are those that it was fitted to."""
    tuned = parts.tuned
    if tuned is None or tuned.base != request.recipe:
        return recipe_named(request.recipe), ()
    active = parts.slot.generation()
    if active is None or tuned.embedder in (None, active.embedder.model):
        return tuned.recipe(), ()
    left_out = Notice(
        code="recipe_left_out",
        message=f"the tuned recipe was fitted to {tuned.embedder}, the store's vectors are {active.embedder.model}'s; "
        f"the shipped {tuned.base} was used",
        mend=str(TUNE),
    )
    return recipe_named(request.recipe), (left_out,)


def _edge(instant: dt.datetime | None) -> int | None:
    return None if instant is None else to_micros(instant)


def _offset(instant: dt.datetime | None, zone: dt.tzinfo) -> int:
    """The zone's offset from UTC then, in microseconds."""
    try:
        offset = None if instant is None else instant.astimezone(zone).utcoffset()
    except OverflowError:
        offset = None  # the first or last day of the calendar, in another zone
    return (offset or dt.timedelta()) // dt.timedelta(microseconds=1)


class _Seen(NamedTuple):
    """What one recall compares: all of one vector generation."""

    view: PartitionView | None
    generation: Generation | None
    pinned: PinnedEmbedder | None
    asked: AskedVector | None
    """What the embedder made of the question; None where only the words are searched."""


def _look(parts: Parts, request: RecallRequest, *, by_meaning: bool) -> _Seen:
    """The question's vector and the namespace's view, both of the active generation; retried if it changes in between."""
    while True:
        if by_meaning:
            parts.backlog.embed_ahead()
        pinned = parts.slot.get() if by_meaning else None
        asked = parts.slot.embed_query(pinned, request.query) if pinned else None
        generation = pinned.generation if pinned else parts.slot.generation()
        try:
            return _Seen(parts.follower.view(request.namespace, generation), generation, pinned, asked)
        except SwitchedError:
            continue


def get(parts: Parts, request: GetRequest) -> MemoryRecord:
    """One memory: its latest revision, or the one known at an instant."""
    request = in_users_zone(request, parts.zone)
    named = memory_named(parts, request.namespace, request.id, as_of=request.as_of, known_at=request.known_at)
    record = parts.store.get(request.namespace, [named], known_at=request.known_at)[0]
    if record is None:
        raise no_such_memory(named, request.namespace)
    if request.as_of is not None and not _true_at(record, request.as_of):
        raise NotFoundError(
            f"memory {named} was not true at {request.as_of.isoformat()}",
            hint="it was true " + _span(record),
            memory_id=named,
        )
    return record


def list_(parts: Parts, request: ListRequest) -> Page:
    """A page of memories by filter."""
    return aged_page(parts, request, _with_now(parts, request, include_ended=request.include_ended))


def history(parts: Parts, request: HistoryRequest) -> History:
    """All revisions of a memory."""
    named = memory_named(parts, request.namespace, request.id)
    revisions = parts.store.revisions(request.namespace, named)
    if not revisions:
        raise no_such_memory(named, request.namespace)
    said = tuple(parts.store.feedback(request.namespace, [named]))
    return History(id=named, revisions=tuple(revisions), feedback=said)


def timeline(parts: Parts, request: TimelineRequest) -> Timeline:
    """How many memories happened in each span of time, newest first; days are those of the zone of `now`."""
    counts: Counter[dt.datetime] = Counter()
    samples: dict[dt.datetime, list[MemoryRecord]] = {}
    last: dt.datetime | None = None
    selection = _with_now(parts, request, include_ended=request.include_ended)
    zone = _zone_of(selection)
    for memory in _newest_first(parts, selection):
        # A plain date may begin up to a day after its instant, so the last bucket is full a day later.
        if last is not None and (memory.valid_from or memory.created_at) + _DAY < last:
            break
        start = _bucket_start(memory, request.bucket, zone)
        counts[start] += 1
        shown = samples.setdefault(start, [])
        if len(shown) < request.samples:
            shown.append(memory)
        if counts[start] == 1 and len(counts) >= request.limit:
            last = sorted(counts, reverse=True)[request.limit - 1]
    newest = sorted(counts, reverse=True)[: request.limit]
    buckets = tuple(Bucket(start=start, count=counts[start], memories=tuple(samples[start])) for start in newest)
    return Timeline(bucket=request.bucket, buckets=buckets)


def contexts(parts: Parts, request: ContextsRequest) -> Contexts:
    """Every context path in use, and its parents; paths that differ in case only are one, in the spelling of most memories."""
    under = caseless(context_path(request.under))
    least = under.count("/") + 1 if under else 1
    direct: Counter[str] = Counter()
    total: Counter[str] = Counter()
    written: dict[str, Counter[str]] = {}
    for path, count in parts.store.contexts(request.namespace):
        same = caseless(path)
        if not path or (under and same != under and not same.startswith(under + "/")):
            continue
        direct[same] += count
        segments = path.split("/")
        for depth in range(least, len(segments) + 1):
            spelling = "/".join(segments[:depth])
            parent = caseless(spelling)
            total[parent] += count
            written.setdefault(parent, Counter())[spelling] += count
    found = (
        ContextCount(path=_most_used(written[path]), memories=direct[path], total=total[path]) for path in sorted(total)
    )
    return Contexts(contexts=tuple(sorted(found, key=lambda each: each.path)))


def _most_used(spellings: Counter[str]) -> str:
    """The spelling with the greatest count, of several the first in the alphabet."""
    return min(spellings, key=lambda spelling: (-spellings[spelling], spelling))


def _with_now(parts: Parts, request: Selection, *, include_ended: bool) -> Selection:
    """The request's selection in canonical form, with the instant that counts as now filled in."""
    return msgspec.structs.replace(
        as_selection(in_users_zone(request, parts.zone)),
        context=context_path(request.context),
        now=_in_zone(request.now or parts.clock.now(), given=request.now is not None, zone=parts.zone),
        include_ended=include_ended,
    )


def _notices(parts: Parts, *, words_only: bool) -> Iterator[Notice]:
    if words_only:
        lack = parts.slot.lack() or Lack("the model is being loaded", None)
        yield Notice(
            code="words_only",
            message=f"lexical search only: {lack.message}",
            mend=None if lack.way is None else str(lack.way),
        )


def _true_at(record: MemoryRecord, instant: dt.datetime) -> bool:
    began = record.valid_from is None or has_come(record.valid_from, instant)
    expired = record.expires_at is not None and record.expires_at <= instant
    return began and not expired and (record.valid_to is None or not has_come(record.valid_to, instant))


def _span(record: MemoryRecord) -> str:
    begin = f"from {record.valid_from.isoformat()}" if record.valid_from else "from the beginning"
    return begin + (f" until {record.ends.isoformat()}" if record.ends else " on")


def _newest_first(parts: Parts, selection: Selection) -> Iterator[MemoryRecord]:
    cursor: str | None = None
    while True:
        page = parts.store.select(selection, limit=TIMELINE_PAGE, cursor=cursor)
        yield from page.memories
        cursor = page.cursor
        if cursor is None:
            return


def _in_zone(now: dt.datetime, *, given: bool, zone: dt.tzinfo) -> dt.datetime:
    """The present instant in the zone whose days count: its own where it was given with one, else that of the settings."""
    if now.tzinfo is None:
        return now.replace(tzinfo=zone)
    return now if given else now.astimezone(zone)


def _zone_of(selection: Selection) -> dt.tzinfo:
    """The zone whose days count, from a selection's `now`."""
    return (selection.now and selection.now.tzinfo) or dt.UTC


def _bucket_start(memory: MemoryRecord, bucket: str, zone: dt.tzinfo) -> dt.datetime:
    day = in_zone(memory.valid_from or memory.created_at, zone)
    day = day.replace(hour=0, minute=0, second=0, microsecond=0)
    if bucket == "week":
        return day - dt.timedelta(days=day.weekday())
    if bucket == "month":
        return day.replace(day=1)
    if bucket == "year":
        return day.replace(month=1, day=1)
    return day
