"""Recall: plan, candidates, rescoring, fusion, grouping, layers, budget, in that order.

No environment and no clock are read here except the monotonic timer: equal state and an equal question give an equal answer.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import time
from collections.abc import Sequence
from functools import partial
from itertools import compress
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ai_memory.clock import from_micros, has_come
from ai_memory.errors import InvalidInputError
from ai_memory.index.base import Mask
from ai_memory.index.partition import PartitionView
from ai_memory.recall import abstention, budget, layers
from ai_memory.recall.answer import Answer, Asked, Hit, Layer, Notice, PassageText, Rival, Searched
from ai_memory.recall.attested import VectorOf, missing_words, standing
from ai_memory.recall.confidence import Signs, confidence, is_open, leads, summands, why_trusted, words_of
from ai_memory.recall.context_block import block
from ai_memory.recall.evidence.copies import copies_of, fold
from ai_memory.recall.evidence.graph_expansion import GraphExpander, QuestionGraph
from ai_memory.recall.evidence.periods import Period
from ai_memory.recall.evidence.phrases import MAX_VERIFIED, with_phrases
from ai_memory.recall.evidence.scores import Scored, score_all
from ai_memory.recall.evidence.token_rerank import ReadTokens, TokenReranker
from ai_memory.recall.explain import asked, reasons, stages, trace
from ai_memory.recall.newest import Arranged, newest_first
from ai_memory.recall.plan import CONTENT_WEIGHT, Plan, is_filtered, make_plan
from ai_memory.recall.ranking import Ranking, Search, Vectors, rank
from ai_memory.recall.recipe import BALANCED, Recipe
from ai_memory.store.base import Store, StoredRevision
from ai_memory.text.passages import passage_at
from ai_memory.text.terms import QueryTerm
from ai_memory.truth.rivals import COMPARED, MARKED
from ai_memory.truth.wording import asks_about_the_past
from ai_memory.types import MemoryRecord, Selection

_HASHED_DECIMALS = 4


class Least(NamedTuple):
    """What a hit must reach to be returned."""

    score: float | None = None
    """In nats; None for any."""
    relevance: float = 0.0
    """A hit's confidence, in [0, 1]."""

    def reached(self, hit: Hit) -> bool:
        """Whether a hit reaches both."""
        return (self.score is None or hit.score >= self.score) and hit.confidence >= self.relevance


class Question(Struct, frozen=True, kw_only=True):
    """What is asked, of which memories, and how much to return. `selection.now` is filled in."""

    text: str
    selection: Selection
    limit: int = 10
    max_tokens: int | None = None
    least: Least = Least()
    layers: tuple[Layer, ...] = (Layer.SEMANTIC, Layer.CONTEXTUAL)
    explain: bool = False
    as_context: bool = False
    """Whether to include a prompt-ready context block."""
    periods: tuple[Period, ...] = ()
    """The times that the text names."""
    time_words: frozenset[str] = frozenset()
    """The words that name them."""
    only_time: bool = False
    """Whether the text asks for nothing but what happened then: what is inside comes first."""
    zone: dt.tzinfo = dt.UTC
    """Whose days the times are."""
    recipe: Recipe = BALANCED


class _Found(NamedTuple):
    """One question and its ranking: what the hits are made from."""

    question: Question
    plan: Plan
    view: PartitionView
    store: Store
    scored: Scored
    arranged: Arranged
    stored: dict[int, StoredRevision]
    """The revisions of the ranked memories by key."""
    matched: list[list[QueryTerm]]
    """The question's words that each of the hits has."""
    lacking: list[tuple[str, ...]]
    """Those that say what it is about and that each of the hits lacks."""
    scores: list[float]
    """Of all that were ranked, also beyond the number asked for: how far a hit is ahead does not depend on how many are shown."""
    signs: Signs
    """Those that all hits of the answer share, and the best one's standing."""

    @property
    def ranking(self) -> Ranking:
        """The ranking alone."""
        return self.arranged.ranking


def recall(
    question: Question,
    *,
    view: PartitionView,
    store: Store,
    query_vector: NDArray[np.float32] | None,
    generation: int | None,
    notices: tuple[Notice, ...] = (),
    familiar: float = 1.0,
    background_vectors: NDArray[np.float32] | None = None,
    read_tokens: ReadTokens | None = None,
    vector_of: VectorOf | None = None,
    graph: QuestionGraph | None = None,
) -> Answer:
    """Answer a question from one namespace's partition.

    `query_vector` is the question's unit vector, float32, shape (dimension,), or None to work lexically alone (say so in
    `notices`); `generation` is the vector generation that the partition holds; `familiar` is how well the embedder knows the
    question's language, in (0, 1]; `background_vectors` are those of `BACKGROUND_SENTENCES`, float32, shape (m, dimension), for
    small stores; `read_tokens` gives the token vectors to rerank with, and `graph` is the graph to follow, where the recipe has
    these stages; `vector_of` gives the vectors of words of the question, for confidence.
    Raises InvalidInputError for a limit or budget below 1, and StoreError.
    """
    started = time.perf_counter()
    _check(question)
    plan = make_plan(question.text, question.selection)
    recipe = question.recipe
    filtered = view.mask(plan.selection)
    eligible, plan, found_notices = _with_phrases(view, store, filtered, plan, list(notices))
    vector = query_vector if recipe.dense else None
    eligible, terms, copies = fold(view, eligible, plan.terms, question.periods)
    plan = msgspec.structs.replace(plan, terms=terms)
    scored = score_all(view, eligible, terms if recipe.lexical else (), vector, background_vectors, copies, familiar)
    reranker = None
    if recipe.tokens and read_tokens is not None:
        reranker = TokenReranker(question.text, frozenset(term.surface for term in plan.content), store, read_tokens)
    search = Search(
        view,
        scored,
        plan.terms,
        recipe,
        max(question.limit, COMPARED),
        filtered=is_filtered(plan),
        vectors=Vectors(store, generation, vector) if vector is not None and generation is not None else None,
        periods=question.periods,
        only_time=question.only_time,
        time_words=question.time_words,
        reranker=reranker,
        expander=GraphExpander(graph, plan.selection, recipe.entities)
        if graph is not None and recipe.entities
        else None,
    )
    ranking = rank(search)
    stored = store.load(view.keys()[ranking.rows].tolist())
    # A question about a time in the past is answered by what happened then, not by what is newest.
    by_time = recipe.newest > 0.0 and not (question.periods and asks_about_the_past(question.text))
    arranged = Arranged(ranking, ())
    if by_time:
        replaced_by = partial(layers.successors, store, plan.selection)
        arranged = newest_first(question.text, view, ranking, stored, replaced_by)
    scores, ranking = arranged.ranking.scores.tolist(), arranged.ranking.first(question.limit)
    has = ranking.words.had_by(view, ranking.rows)
    matched = words_of(has, ranking.words.masses, plan.terms)
    lacking = [missing_words(plan.terms, row, search.content) for row in has]
    signs = _signs_of_the_answer(search, scored, ranking)
    arranged, vectors = arranged._replace(ranking=ranking), arranged.ranking.vectors
    found = _Found(question, plan, view, store, scored, arranged, stored, matched, lacking, scores, signs)
    found = _with_standing(found, vectors, vector_of)
    hits, below, dropped = _hits(found)
    found_notices += abstention.notices(
        view, plan, scored, ranking, dropped=dropped, limit=question.limit, semantic=vector is not None
    )
    found_notices += abstention.below_least(below)
    reason = None if hits else _reason(question, plan, view, filtered, scored, below, dropped)
    trusted = why_trusted(max(hit.confidence for hit in hits)) if hits else None
    if hits and trusted is None:
        reason = abstention.WEAK
    understood = asked(plan, question.periods, question.zone, ranking, trusted) if question.explain else None
    return _answer(question, hits, reason, found_notices, abstention.searched(view, scored), started, understood)


def recall_empty(question: Question, notices: tuple[Notice, ...] = ()) -> Answer:
    """The answer of a namespace that has no memories at all."""
    started = time.perf_counter()
    _check(question)
    searched = Searched(memories=0, by_words=0, by_meaning=0)
    return _answer(question, (), abstention.NO_MEMORIES, notices, searched, started)


def _reason(
    question: Question, plan: Plan, view: PartitionView, filtered: Mask, scored: Scored, below: int, dropped: int
) -> str:
    if below and not dropped:
        return abstention.BELOW
    return abstention.reason(
        view,
        plan,
        filtered,
        scored,
        dropped=dropped,
        max_tokens=question.max_tokens,
        recipe=question.recipe,
        blank=not question.text.strip(),
    )


def _check(question: Question) -> None:
    for name, value in (("limit", question.limit), ("max_tokens", question.max_tokens)):
        if value is not None and value < 1:
            raise InvalidInputError(f"{name} must be at least 1, not {value}", field=name, limit=1, actual=value)


def _with_phrases(
    view: PartitionView, store: Store, filtered: NDArray[np.bool_], plan: Plan, notices: list[Notice]
) -> tuple[NDArray[np.bool_], Plan, list[Notice]]:
    """The rows that have the quoted phrases, the plan, and the notices; phrases that nothing has are laid aside, and said so."""
    if not plan.phrases:
        return filtered, plan, notices
    eligible, cut_short = with_phrases(view, store, filtered, plan.phrases)
    if cut_short:
        notices.append(_phrase_limit())
    if not (plan.literal or eligible.any()) and filtered.any():
        notices.append(_phrase_nowhere(plan.phrases))
        return filtered, msgspec.structs.replace(plan, phrases=()), notices
    return eligible, plan, notices


def _hits(found: _Found) -> tuple[tuple[Hit, ...], int, int]:
    """The hits within the budget, and how many were left out below the least that was asked for, and by the budget.

    Memories erased meanwhile are left out.
    """
    question, view, store, ranking = found.question, found.view, found.store, found.ranking
    selection = found.plan.selection
    keys = view.keys()[ranking.rows].tolist()
    neighbours = _neighbours(found)
    around = [key for pair in neighbours for key, _ in pair]
    stored = found.stored | store.load(around) if around else found.stored
    there = [at for at, key in enumerate(keys) if key in stored]
    group = found.arranged.group_of(0)
    ahead = leads(found.scores, together=group.places if group else ())
    ranked = [_hit(found, at, place, stored[keys[at]].record, ahead[at]) for place, at in enumerate(there, 1)]
    reached = [question.least.reached(hit) for hit in ranked]
    hits, there = list(compress(ranked, reached)), list(compress(there, reached))
    below = len(ranked) - len(hits)
    hits = layers.with_successors(store, selection, hits)
    if Layer.CONTEXTUAL in question.layers:
        pairs = [[(stored[key].record, how) for key, how in neighbours[at] if key in stored] for at in there]
        hits = layers.with_surroundings(view, store, found.scored.eligible, selection, hits, pairs)
    if Layer.DETAILED in question.layers:
        hits = layers.with_details(store, selection, hits)
    if question.max_tokens is None:
        return tuple(hits), below, 0
    kept = budget.within(hits, question.max_tokens)
    return kept, below, len(hits) - len(kept)


def _neighbours(found: _Found) -> list[list[tuple[int, str]]]:
    """For each ranked memory, the keys before and after it in its session; empty lists where the layer is not asked for."""
    rows = found.ranking.rows
    if Layer.CONTEXTUAL not in found.question.layers:
        return [[] for _ in range(len(rows))]
    return layers.session_pairs(found.view, found.scored, rows, filtered=is_filtered(found.plan))


def _hit(found: _Found, at: int, place: int, record: MemoryRecord, lead: float) -> Hit:
    """The hit at place `at` of the ranking; `place` counts the hits, of which erased memories are left out."""
    question, ranking = found.question, found.ranking
    row = int(ranking.rows[at])
    copies = copies_of(found.view, found.scored.copies, row, found.arranged.folded.get(row, ()))
    certain = summands(lead, _signs(found, at, copies.count if copies else 1))
    matched = (term.surface for term in found.matched[at] if term.weight >= CONTENT_WEIGHT)
    words = tuple(dict.fromkeys(matched))
    others = _rivals(found, at)
    validity = _validity(record, question.selection)
    replaced = any(other.order == "newer" and other.certainty >= MARKED for other in others)
    if validity == "current" and found.arranged.doubted and replaced:
        validity = "uncertain"
    return Hit(
        rank=place,
        memory=record,
        score=float(ranking.scores[at]),
        confidence=confidence(certain),
        validity=validity,
        since=copies.first if copies else record.valid_from or record.created_at,
        until=record.valid_to,
        rivals=others,
        passage=_passage(record.text, int(found.view.passages()[row])),
        matched=words,
        copies=copies,
        reasons=reasons(stages(ranking, at), words, float(ranking.cosines[at])),
        trace=trace(found.scored, ranking, at, certain) if question.explain else None,
    )


def _signs_of_the_answer(search: Search, scored: Scored, ranking: Ranking) -> Signs:
    """What the confidence of every hit depends on."""
    return Signs(
        memories=scored.rows,
        dialogue=scored.dialogue,
        familiar=0.0 if scored.dense is None else scored.familiar,
        words=int(np.count_nonzero(search.content)),
        author_lead=ranking.author_lead,
    )


def _with_standing(found: _Found, vectors: NDArray[np.float64] | None, vector_of: VectorOf | None) -> _Found:
    """With the sign of how near the best hit is to the words that it lacks, where that can still decide whether it answers.

    `vectors`: those of all that were ranked, as in `Ranking`; the vector of the words costs a pass of the model.
    """
    if not (found.lacking and found.lacking[0]) or vectors is None or vector_of is None:
        return found
    group = found.arranged.group_of(0)
    lead = leads(found.scores, together=group.places if group else ())[0]
    if not is_open(summands(lead, _signs(found, 0, 1))):
        return found
    stands = standing(vectors[:COMPARED], vector_of(" ".join(found.lacking[0])))
    return found._replace(signs=found.signs._replace(standing=stands))


def _signs(found: _Found, at: int, tellings: int) -> Signs:
    """Those of the hit at place `at`."""
    ranking = found.ranking
    stages = ranking.features.stages
    return found.signs._replace(
        missing=len(found.lacking[at]),
        standing=0.0 if at else found.signs.standing,
        nearness=_nearness(found.scored.dense_background.mean, float(ranking.cosines[at])),
        time=float(ranking.features.values[at, stages.index("time")]) if "time" in stages else 0.0,
        tellings=tellings,
    )


def _nearness(mean: float, cosine: float) -> float:
    return 0.0 if math.isnan(cosine) or mean >= 1.0 else (cosine - mean) / (1.0 - mean)


def _rivals(found: _Found, at: int) -> tuple[Rival, ...]:
    """The rivals of the hit at place `at`, the newest first."""
    group = found.arranged.group_of(at)
    if group is None:
        return ()
    ranking, occurred = found.ranking, found.view.occurred()
    certainty = dict(zip(group.places, group.certainty, strict=True))
    mine = int(occurred[ranking.rows[at]])
    # Rivals beyond the number of hits asked for are rivals all the same, but have no place in this ranking.
    others = [place for place in group.places if place != at and place < len(ranking.rows)]
    return tuple(
        Rival(
            id=ranking.ids[place],
            order="newer" if int(occurred[ranking.rows[place]]) > mine else "older",
            since=from_micros(int(occurred[ranking.rows[place]])),
            certainty=min(certainty[place], certainty[at]),
        )
        for place in sorted(others, key=lambda place: -int(occurred[ranking.rows[place]]))
    )


def _passage(text: str, number: int) -> PassageText:
    start, end = passage_at(text, number)
    return PassageText(text=text[start:end], start=start, end=end)


def _validity(
    record: MemoryRecord, selection: Selection
) -> Literal["current", "uncertain", "ended", "expired", "future"]:
    """Whether the memory is true at `as_of` (else now), has lapsed or ended by then, or begins later."""
    if record.expires_at is not None and selection.expired_by is not None and record.expires_at <= selection.expired_by:
        return "expired"
    instant = selection.as_of or selection.now
    if instant is None:
        return "current"
    if record.valid_to is not None and has_come(record.valid_to, instant):
        return "ended"
    return "current" if record.valid_from is None or has_come(record.valid_from, instant) else "future"


def _phrase_limit() -> Notice:
    return Notice(
        code="phrase_limit",
        message=f"more than {MAX_VERIFIED:,} memories have the words of the phrase; only the newest were read",
        mend="add a filter, or a rarer word to the phrase",
    )


def _phrase_nowhere(phrases: Sequence[str]) -> Notice:
    quoted = "the quoted phrase" if len(phrases) == 1 else "all quoted phrases"
    return Notice(
        code="phrase_nowhere",
        message=f"no memory contains {quoted}; these are the memories that answer without",
        mend="send the phrase alone, in quotes, to search for nothing else",
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
        context = block(hits, doubtful=reason is not None, max_tokens=question.max_tokens, zone=question.zone)
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
