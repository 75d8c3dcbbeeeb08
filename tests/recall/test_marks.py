"""What a hit says of its time, in the block for a prompt, in MCP's text and on the command line."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.mcp.text import text_of
from ai_memory.recall import context_block
from ai_memory.recall.answer import Answer, Copies, Hit, PassageText, Rival, Searched
from ai_memory.types import MemoryRecord


def day(number: int) -> dt.datetime:
    return dt.datetime(2024, 3, number, tzinfo=dt.UTC)


def hit(number: int, **more: Any) -> Hit:
    """A hit that began on this day of March 2024."""
    memory = MemoryRecord(
        id=f"mem_{number}", namespace="n", text=f"text {number}", created_at=day(number), recorded_at=day(number),
        content_hash="", valid_to=more.get("until"),
    )  # fmt: skip
    given: dict[str, Any] = {
        "rank": 1,
        "score": 1.0,
        "confidence": 0.5,
        "validity": "current",
        "since": day(number),
        **more,
    }
    return Hit(memory=memory, passage=PassageText(text=memory.text, start=0, end=6), **given)


def rival(number: int, order: str) -> Rival:
    return Rival(id=f"mem_{number}", order="newer" if order == "newer" else "older", since=day(number), certainty=0.9)


def copies(first: int, last: int) -> Copies:
    return Copies(count=12, first=day(first), last=day(last), ids=("mem_9",), sessions=12)


MARKED = [
    (hit(1), ""),
    (hit(1, copies=copies(1, 8)), "×12 2024-03-01 to 2024-03-08"),
    (hit(1, copies=copies(1, 1)), "×12 2024-03-01"),
    (
        hit(1, validity="uncertain", rivals=(rival(9, "newer"), rival(5, "newer"))),
        "may have been replaced by [mem_9] on 2024-03-09",
    ),
    (hit(9, rivals=(rival(1, "older"),)), ""),
    (hit(1, validity="ended", until=day(4), superseded_by="mem_4"), "replaced by [mem_4]"),
]


@pytest.mark.parametrize(("one", "mark"), MARKED)
def test_a_mark_is_shown_wherever_people_and_models_read(one: Hit, mark: str) -> None:
    answer = Answer(
        question="q", hits=(one,), searched=Searched(memories=1, by_words=1, by_meaning=0), tokens=1, recipe="balanced",
        answer_hash="", took_ms=1.0,
    )  # fmt: skip
    screen = Screen()
    screen.width = 400
    for shown in (
        context_block.block([one], doubtful=False, max_tokens=None).splitlines()[1],
        text_of(answer, dt.UTC).splitlines()[0],
        next(iter(show.lines_of(answer, screen))),
    ):
        assert mark in shown
        assert bool(mark) == any(word in shown for word in ("×", "replaced")), shown
    assert one.until is None or "ended  until 2024-03-04" in text_of(answer, dt.UTC)


def heads(*hits: Hit, max_tokens: int | None = None) -> list[str]:
    lines = context_block.block(hits, doubtful=False, max_tokens=max_tokens).splitlines()
    return [line.partition("]")[0][1:] for line in lines if line.startswith("[mem_")]


def test_rivals_are_listed_by_age_in_the_place_of_the_best() -> None:
    new = hit(9, rivals=(rival(5, "older"), rival(2, "older")))
    old = hit(2, validity="uncertain", rivals=(rival(9, "newer"), rival(5, "newer")))
    middle = hit(5, validity="uncertain", rivals=(rival(9, "newer"), rival(2, "older")))
    assert heads(hit(1), new, hit(3), old, middle, hit(4)) == ["mem_1", "mem_2", "mem_5", "mem_9", "mem_3", "mem_4"]


def test_a_budget_keeps_the_newest_rival_although_it_is_listed_last() -> None:
    new, old = hit(9, rivals=(rival(2, "older"),)), hit(2, validity="uncertain", rivals=(rival(9, "newer"),))
    kept = [heads(new, old, max_tokens=most) for most in range(20, 140)]
    assert [ids for ids in kept if ids not in ([], ["mem_9"], ["mem_2", "mem_9"])] == []
    assert ["mem_9"] in kept and ["mem_2", "mem_9"] in kept
