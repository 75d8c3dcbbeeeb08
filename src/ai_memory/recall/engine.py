"""Recall: plan, candidates, rescoring, fusion, grouping, layers, budget, in that order.

No environment and no clock are read here except the monotonic timer: equal state and an equal question give an equal answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import time
from collections.abc import Sequence
from typing import Literal

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.errors import InvalidInputError
from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall import abstention, budget, layers
from ai_memory.recall.answer import Answer, Asked, Hit, Layer, Notice, PassageText, Searched
from ai_memory.recall.confidence import Covered, confidence, coverage, leads, standing, summands
from ai_memory.recall.context_block import block
from ai_memory.recall.evidence.graph_expansion import Linker, Links
from ai_memory.recall.evidence.periods import Period
from ai_memory.recall.evidence.phrases import MOST_VERIFIED, holding_phrases
from ai_memory.recall.evidence.scores import Scored, score_all
from ai_memory.recall.evidence.token_rerank import ReadTokens, Rereader
from ai_memory.recall.explain import asked, reasons, stages, trace
from ai_memory.recall.plan import CONTENT_WEIGHT, Plan, is_filtered, make_plan
from ai_memory.recall.ranking import Ranking, Vectors, rank
from ai_memory.recall.recipe import BALANCED, Recipe
from ai_memory.store.base import Store
from ai_memory.text.passages import passage_at
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
    as_context: bool = False
    """Whether the answer shall carry a block for a prompt."""
    periods: tuple[Period, ...] = ()
    """The times that the text names."""
    recipe: Recipe = BALANCED


def recall(
    question: Question,
    *,
    view: PartitionView,
    store: Store,
    query_vector: NDArray[np.float32] | None,
    generation: int | None,
    notices: tuple[Notice, ...] = (),
    anchors: NDArray[np.float32] | None = None,
    read_tokens: ReadTokens | None = None,
    links: Links | None = None,
) -> Answer:
    """Answer a question from one namespace's partition.

    `query_vector` is the question's unit vector, shape (dimension,), or None to work by words alone (say so in `notices`);
    `generation` is the vector generation that the partition holds; `anchors` are the vectors of `anchors.ANCHORS`, shape (m,
    dimension), for small stores; `read_tokens` reads the best candidates once more, and `links` is the graph to follow, where
    the recipe asks for it. Raises InvalidInputError for a limit or budget below 1, and StoreError.
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
    scored = score_all(view, eligible, plan.terms if recipe.lexical else (), vector, anchors)
    vectors = Vectors(store, generation, vector) if vector is not None and generation is not None else None
    rereader = None
    if recipe.tokens and read_tokens is not None:
        rereader = Rereader(question.text, frozenset(term.surface for term in plan.content), store, read_tokens)
    ranking = rank(
        view,
        scored,
        plan.terms,
        vectors,
        recipe,
        question.limit,
        filtered=is_filtered(plan),
        periods=question.periods,
        rereader=rereader,
        linker=Linker(links, plan.selection) if links is not None and recipe.entities else None,
    )
    covered = coverage(ranking.words, plan.terms, ranking.rows)
    hits, dropped = _hits(question, plan, view, store, scored, ranking, covered)
    told += abstention.notices(view, plan, scored, ranking, dropped=dropped, limit=question.limit)
    reason = None if hits else abstention.reason(view, plan, filtered, scored, dropped, question.max_tokens)
    likeliest = max((hit.confidence for hit in hits), default=0.0)
    stands = standing(likeliest, ranking.scores.tolist(), covered.shares, ranking.together) if hits else None
    if hits and stands is None:
        reason = abstention.WEAK
    understood = asked(plan, question.periods, ranking, stands) if question.explain else None
    return _answer(question, hits, reason, told, abstention.searched(view, scored), started, understood)


def recall_empty(question: Question, notices: tuple[Notice, ...] = ()) -> Answer:
    """The answer of a namespace that has no memories at all."""
    started = time.perf_counter()
    _check(question)
    searched = Searched(memories=0, by_words=0, by_meaning=0)
    return _answer(question, (), abstention.NO_MEMORIES, notices, searched, started)


def _check(question: Question) -> None:
    for name, value in (("limit", question.limit), ("max_tokens", question.max_tokens)):
        if value is not None and value < 1:
            raise InvalidInputError(f"{name} must be at least 1, not {value}", field=name, limit=1, actual=value)


def _hits(
    question: Question,
    plan: Plan,
    view: PartitionView,
    store: Store,
    scored: Scored,
    ranking: Ranking,
    covered: Covered,
) -> tuple[tuple[Hit, ...], int]:
    """The hits within the budget, and how many the budget left out. Memories erased meanwhile are left out."""
    keys = view.keys()[ranking.rows].tolist()
    beside = _beside(question, plan, view, scored, ranking.rows)
    stored = store.load([*keys, *(key for pair in beside for key, _ in pair)])
    there = [at for at, key in enumerate(keys) if key in stored]
    ahead = leads(ranking.scores.tolist())
    hits = [
        _hit(question, view, scored, ranking, at, place, stored[keys[at]].record, covered, ahead[at])
        for place, at in enumerate(there, 1)
    ]
    if Layer.CONTEXTUAL in question.layers:
        pairs = [[(stored[key].record, how) for key, how in beside[at] if key in stored] for at in there]
        hits = layers.with_surroundings(view, store, scored.eligible, plan.selection, hits, pairs)
    if Layer.DETAILED in question.layers:
        hits = layers.with_details(store, plan.selection, hits)
    if question.max_tokens is None:
        return tuple(hits), 0
    kept = budget.within(hits, question.max_tokens)
    return kept, len(hits) - len(kept)


def _beside(
    question: Question, plan: Plan, view: PartitionView, scored: Scored, rows: Rows
) -> list[list[tuple[int, str]]]:
    if Layer.CONTEXTUAL not in question.layers:
        return [[] for _ in range(len(rows))]
    return layers.session_pairs(view, scored, rows, filtered=is_filtered(plan))


def _hit(
    question: Question,
    view: PartitionView,
    scored: Scored,
    ranking: Ranking,
    at: int,
    place: int,
    record: MemoryRecord,
    covered: Covered,
    lead: float,
) -> Hit:
    row = int(ranking.rows[at])
    certain = summands(float(ranking.scores[at]), scored.rows, lead)
    words = tuple(dict.fromkeys(term.surface for term in covered.words[at] if term.weight >= CONTENT_WEIGHT))
    return Hit(
        rank=place,
        memory=record,
        score=float(ranking.scores[at]),
        confidence=confidence(certain),
        validity=_validity(record, question.selection),
        passage=_passage(record.text, int(view.passages()[row])),
        matched=words,
        reasons=reasons(stages(ranking, at), words, float(ranking.cosines[at])),
        trace=trace(scored, ranking, at, certain) if question.explain else None,
    )


def _passage(text: str, number: int) -> PassageText:
    start, end = passage_at(text, number)
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
    understood: Asked | None = None,
) -> Answer:
    context = None
    if question.as_context:
        context = block(hits, doubtful=reason is not None, max_tokens=question.max_tokens)
    return Answer(
        question=question.text,
        hits=hits,
        abstained=reason is not None,
        reason=reason,
        notices=tuple(notices),
        searched=searched,
        tokens=budget.tokens_of(hits),
        asked=understood,
        context=context,
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
