"""Abstention: why an answer is empty or smaller than it could be, in words a person can act on."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
import numpy as np

from ai_memory.index.base import Mask, Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.answer import Notice, Searched
from ai_memory.recall.evidence.scores import Scored
from ai_memory.recall.plan import Plan
from ai_memory.recall.ranking import Ranking
from ai_memory.recall.recipe import Recipe
from ai_memory.types import Selection
from ai_memory.wording.ways import EMBED_PENDING, by_field

NO_MEMORIES = "there are no memories in this namespace"
BELOW = "no hit reaches the min_score and min_relevance that were asked for"
WEAK = "the best matches share little with the question; they may not answer it"


def reason(
    view: PartitionView,
    plan: Plan,
    filtered: Mask,
    scored: Scored,
    *,
    dropped: int,
    max_tokens: int | None,
    recipe: Recipe,
    blank: bool,
) -> str:
    """Why there are no hits; `filtered` is the mask of the filters without phrases, bool, shape (n,).

    `blank`: the question has no character but blanks, so that nothing was searched.
    """
    if dropped:
        return f"not even the best match fits in {max_tokens} tokens; raise max_tokens"
    if not filtered.any():
        everything = Selection(namespace=plan.selection.namespace)
        return "no memory passes the filters" if view.mask(everything).any() else NO_MEMORIES
    if not scored.rows:
        return (
            "no memory contains the quoted phrase"
            if len(plan.phrases) == 1
            else "no memory contains all quoted phrases"
        )
    if blank:
        return "the question is empty"
    if not recipe.dense:
        otherwise = f"the recipe {recipe.name} does not search semantically"
    elif not recipe.lexical:
        return f"there are no vectors to compare with, and the recipe {recipe.name} does not search lexically"
    else:
        otherwise = "there are no vectors to compare with"
    if not plan.terms:
        return f"the question has no words to search by, and {otherwise}"
    if not plan.content:
        return f"the question has function words only, no memory matches them, and {otherwise}"
    return f"no memory has a word of the question, and {otherwise}"


def notices(
    view: PartitionView, plan: Plan, scored: Scored, ranking: Ranking, *, dropped: int, limit: int, semantic: bool
) -> Iterator[Notice]:
    """What is missing from this answer and how to get it; `dropped` hits did not fit in the token budget.

    `semantic`: there was a vector of the question to compare with.
    """
    ended = 0 if plan.selection.include_ended else _left_out(view, plan, scored, ranking, limit, "include_ended")
    if ended:
        yield Notice(
            code="ended_left_out",
            message=f"{_memories(ended)} would have matched but had ended",
            mend=str(by_field("include_ended", "")),
        )
    looked_for = view.any_expires and not plan.selection.include_expired
    expired = _left_out(view, plan, scored, ranking, limit, "include_expired") if looked_for else 0
    if expired:
        yield Notice(
            code="expired_left_out",
            message=f"{_memories(expired)} would have matched but had expired",
            mend=str(by_field("include_expired", "")),
        )
    if dropped:
        yield Notice(
            code="budget_cut",
            message=f"{_memories(dropped)} did not fit in the token budget; the weakest were left out",
            mend=str(by_field("max_tokens", "N", " with a larger number")),
        )
    pending = _pending(view, scored) if semantic else 0
    if pending:
        lack = "lacks a vector and is" if pending == 1 else "lack a vector and are"
        yield Notice(
            code="vectors_pending",
            message=f"{_memories(pending)} {lack} found lexically only",
            mend=str(EMBED_PENDING),
        )


def below_least(below: int) -> Iterator[Notice]:
    """What `min_score` and `min_relevance` left out."""
    if below:
        yield Notice(
            code="below_least",
            message=f"{_memories(below)} matched but did not reach min_score or min_relevance",
            mend=str(by_field("min_relevance", "X", " with a smaller number")),
        )


def searched(view: PartitionView, scored: Scored) -> Searched:
    """How many memories were looked at, and by which search."""
    first = view.passages() == 0
    first &= scored.eligible
    memories = int(np.count_nonzero(first))
    by_words = len(scored.lexical.rows)
    if memories != scored.rows:
        by_words = _distinct(view, scored.lexical.rows)
    copies = scored.copies
    if len(copies.rows):
        memories += _distinct(view, copies.rows)
        by_words += _distinct(view, copies.rows[np.isin(copies.kept, scored.lexical.rows)])
    by_meaning = 0 if scored.dense is None else memories - _pending(view, scored)
    return Searched(memories=memories, by_words=by_words, by_meaning=by_meaning)


def _pending(view: PartitionView, scored: Scored) -> int:
    """Eligible memories without a vector."""
    if scored.dense is not None and scored.dense_background.size == scored.rows:
        return 0
    missing = scored.eligible.copy() if scored.dense is None else np.isnan(scored.dense) & scored.eligible
    return _distinct(view, np.flatnonzero(missing).astype(np.int32))


def _distinct(view: PartitionView, rows: Rows) -> int:
    """How many memories some rows, int32, belong to."""
    # Flags by memory number instead of `np.unique`, which would sort: this runs over all eligible rows of every question.
    numbers = view.memories()[rows]
    if not len(numbers):
        return 0
    seen = np.zeros(int(numbers.max()) + 1, np.bool_)
    seen[numbers] = True
    return int(np.count_nonzero(seen))


def _left_out(view: PartitionView, plan: Plan, scored: Scored, ranking: Ranking, limit: int, rule: str) -> int:
    """How many memories would have been candidates without a rule of the selection: as good in one search as its last hit."""
    if plan.phrases:
        return 0
    without = view.mask(msgspec.structs.replace(plan.selection, **{rule: True}))
    without &= ~scored.eligible
    without[scored.copies.rows] = False
    rows = np.flatnonzero(without).astype(np.int32)
    if not len(rows):
        return 0
    return _distinct(view, rows[_would_match(view, plan, scored, ranking, rows, limit)])


def _would_match(
    view: PartitionView, plan: Plan, scored: Scored, ranking: Ranking, rows: Rows, limit: int
) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which of `rows`, int32, match a content word or have a cosine as great as the last one shown: bool, shape (len(rows),)."""
    found = view.lexical_scores(plan.content) if plan.content else None
    match = np.zeros(len(rows), np.bool_) if found is None else np.isin(rows, found.rows)
    if scored.dense is not None and len(ranking.sources.pools.dense):
        last = scored.dense[ranking.sources.pools.dense[min(limit, len(ranking.sources.pools.dense)) - 1]]
        match |= scored.dense[rows] >= last
    return match


def _memories(count: int) -> str:
    return "1 memory" if count == 1 else f"{count:,} memories"
