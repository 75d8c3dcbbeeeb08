"""Recall: plan, candidates, rescoring, fusion, grouping, layers, budget, in that order.

No environment and no clock are read here except the monotonic timer: equal state and an equal question give an equal answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import Literal

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.errors import InvalidInputError
from ai_memory.index.base import Mask, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall import budget, layers, silence
from ai_memory.recall.answer import Answer, Hit, Layer, Notice, PassageText, Searched
from ai_memory.recall.confidence import Coverage, confidence, leads, trusted
from ai_memory.recall.explain import reasons, stages, trace
from ai_memory.recall.phrases import MOST_VERIFIED, holding_phrases
from ai_memory.recall.plan import CONTENT_WEIGHT, Plan, make_plan
from ai_memory.recall.population import Scored, score_all
from ai_memory.recall.ranking import Ranking, Vectors, rank
from ai_memory.recall.recipe import BALANCED, Recipe
from ai_memory.store.base import Store
from ai_memory.text.passages import split
from ai_memory.types import MemoryRecord, Selection

_HASHED_DECIMALS = 4


class Question(Struct, frozen=True, kw_only=True):
    """What is asked, of which memories, and how much should come back. `selection.now` is filled in."""

    text: str
    selection: Selection
    limit: int = 10
    max_tokens: int | None = None
    layers: tuple[Layer, ...] = (Layer.SEMANTIC, Layer.CONTEXTUAL)
    explain: bool = False
    recipe: Recipe = BALANCED


def recall(
    question: Question,
    *,
    view: PartitionView,
    store: Store,
    query_vector: NDArray[np.float32] | None,
    generation: int | None,
    notices: tuple[Notice, ...] = (),
) -> Answer:
    """Answer a question from one namespace's partition.

    `query_vector` is the question's unit vector, shape (dimension,), or None to work by words alone (say so in `notices`);
    `generation` is the vector generation that the partition holds. Raises InvalidInputError for a limit or budget below 1, and
    StoreError.
    """
    started = time.perf_counter()
    _check(question)
    plan = make_plan(question.text, question.selection)
    recipe = question.recipe
    filtered = view.mask(plan.selection)
    eligible, told = filtered, list(notices)
    if plan.phrases:
        eligible, cut_short = holding_phrases(view, store, filtered, plan.phrases)
        if cut_short:
            told.append(_phrase_limit())
    vector = query_vector if recipe.dense else None
    scored = score_all(view, eligible, plan.terms if recipe.lexical else (), vector)
    vectors = Vectors(store, generation, vector) if vector is not None and generation is not None else None
    ranking = rank(view, scored, vectors, recipe, question.limit, filtered=_is_filtered(plan))
    hits, dropped = _hits(question, plan, view, store, scored, ranking)
    told += silence.notices(view, plan, scored, ranking, dropped=dropped, limit=question.limit)
    reason = None if hits else silence.reason(view, plan, filtered, scored, dropped, question.max_tokens)
    if hits and not _trusted(view, plan, ranking):
        reason = "the best matches share little with the question; they may not answer it"
    return _answer(question, hits, reason, told, silence.searched(view, scored), started)


def recall_empty(question: Question) -> Answer:
    """The answer of a namespace that has no memories at all."""
    started = time.perf_counter()
    _check(question)
    searched = Searched(memories=0, by_words=0, by_meaning=0)
    return _answer(question, (), silence.NO_MEMORIES, [], searched, started)


def _check(question: Question) -> None:
    for name, value in (("limit", question.limit), ("max_tokens", question.max_tokens)):
        if value is not None and value < 1:
            raise InvalidInputError(f"{name} must be at least 1, not {value}", field=name, limit=1, actual=value)


def _is_filtered(plan: Plan) -> bool:
    """Whether anything but the namespace and the time rules chose the memories."""
    given = plan.selection
    plain = Selection(namespace=given.namespace, include_ended=given.include_ended, now=given.now)
    return bool(plan.phrases) or given != plain


def _trusted(view: PartitionView, plan: Plan, ranking: Ranking) -> bool:
    coverage = Coverage(view, plan.terms)
    return any(
        trusted(float(score), coverage.share(coverage.matched(int(row))))
        for row, score in zip(ranking.rows[:10], ranking.scores[:10], strict=True)
    )


def _hits(
    question: Question, plan: Plan, view: PartitionView, store: Store, scored: Scored, ranking: Ranking
) -> tuple[tuple[Hit, ...], int]:
    """The hits within the budget, and how many the budget left out."""
    stored = store.load(view.keys()[ranking.rows].tolist())
    keys = view.keys()[ranking.rows].tolist()
    there = [at for at, key in enumerate(keys) if key in stored]
    records = [stored[keys[at]].record for at in there]
    coverage = Coverage(view, plan.terms)
    ahead = leads(ranking.scores.tolist())
    hits = [
        _hit(question, view, scored, ranking, coverage, at, place, record, ahead[at])
        for place, (at, record) in enumerate(zip(there, records, strict=True), 1)
    ]
    hits = _with_layers(question, plan, view, store, scored.eligible, ranking.rows[there], hits, records)
    if question.max_tokens is None:
        return tuple(hits), 0
    kept = budget.within(hits, question.max_tokens)
    return kept, len(hits) - len(kept)


def _hit(
    question: Question,
    view: PartitionView,
    scored: Scored,
    ranking: Ranking,
    coverage: Coverage,
    at: int,
    place: int,
    record: MemoryRecord,
    lead: float,
) -> Hit:
    row = int(ranking.rows[at])
    matched = coverage.matched(row)
    words = tuple(dict.fromkeys(term.surface for term in matched if term.weight >= CONTENT_WEIGHT))
    score = float(ranking.scores[at])
    return Hit(
        rank=place,
        memory=record,
        score=score,
        confidence=confidence(score, scored.rows, lead, coverage.share(matched)),
        validity=_validity(record, question.selection),
        passage=_passage(record.text, int(view.passages()[row])),
        matched=words,
        reasons=reasons(stages(ranking, at), words, float(ranking.cosines[at])),
        trace=trace(scored, ranking, at) if question.explain else None,
    )


def _with_layers(
    question: Question,
    plan: Plan,
    view: PartitionView,
    store: Store,
    eligible: Mask,
    rows: Rows,
    hits: list[Hit],
    records: Sequence[MemoryRecord],
) -> list[Hit]:
    if Layer.CONTEXTUAL in question.layers:
        around = layers.surroundings(view, store, eligible, plan.selection, rows, records)
        hits = [msgspec.structs.replace(hit, surroundings=near) for hit, near in zip(hits, around, strict=True)]
    if Layer.DETAILED in question.layers:
        evidence = layers.details(store, plan.selection, records)
        hits = [msgspec.structs.replace(hit, detail=detail) for hit, detail in zip(hits, evidence, strict=True)]
    return hits


def _passage(text: str, number: int) -> PassageText:
    passages = split(text)
    start, end = passages[min(number, len(passages) - 1)]
    return PassageText(text=text[start:end], start=start, end=end)


def _validity(record: MemoryRecord, selection: Selection) -> Literal["current", "ended", "future"]:
    """Where `as_of`, or else now, lies in the memory's validity."""
    instant = selection.as_of or selection.now
    if instant is None:
        return "current"
    instant = instant if instant.tzinfo else instant.replace(tzinfo=dt.UTC)
    if record.valid_to is not None and record.valid_to <= instant:
        return "ended"
    return "future" if record.valid_from is not None and record.valid_from > instant else "current"


def _phrase_limit() -> Notice:
    return Notice(
        code="phrase_limit",
        message=f"more than {MOST_VERIFIED:,} memories have the words of the phrase; only the newest were read",
        mend="add a filter, or a rarer word to the phrase",
    )


def _answer(
    question: Question,
    hits: tuple[Hit, ...],
    reason: str | None,
    notices: Sequence[Notice],
    searched: Searched,
    started: float,
) -> Answer:
    return Answer(
        question=question.text,
        hits=hits,
        abstained=reason is not None,
        reason=reason,
        notices=tuple(notices),
        searched=searched,
        tokens=budget.tokens_of(hits),
        recipe=question.recipe.name,
        answer_hash=answer_hash(question, hits),
        took_ms=(time.perf_counter() - started) * 1000.0,
    )


def answer_hash(question: Question, hits: Sequence[Hit]) -> str:
    """32 hex digits over the question, and each hit's id, revision and score to four decimals."""
    state = hashlib.blake2b(digest_size=16)
    parts = [question.text, question.recipe.name]
    parts += [f"{hit.memory.id}:{hit.memory.revision}:{hit.score:.{_HASHED_DECIMALS}f}" for hit in hits]
    for part in parts:
        data = part.encode("utf-8", "surrogatepass")
        state.update(b"%d:" % len(data) + data)
    return state.hexdigest()
