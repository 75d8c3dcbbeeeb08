"""What a model reads of a write."""

from __future__ import annotations

import datetime as dt

from ai_memory.mcp.text import text_of
from ai_memory.operations.writing import Forgotten
from ai_memory.types import Outcome, Receipt, Retirement

AT = dt.datetime(2026, 3, 14, 9, 30, tzinfo=dt.UTC)


def test_a_text_that_was_retired_says_why() -> None:
    receipt = Receipt(
        outcome=Outcome.STORED,
        memory_id="mem_2",
        reason="the same text was retired on 2026-03-14 as mem_1, and is current again",
        was_retired=Retirement(memory_id="mem_1", retired_at=AT, reason="she\nleft"),
    )
    first, second = text_of(receipt, dt.UTC).splitlines()
    assert first.startswith("stored mem_2: the same text was retired")
    assert second.strip() == "retired because: she left"
    assert len(text_of(Receipt(outcome=Outcome.STORED, memory_id="mem_2"), dt.UTC).splitlines()) == 1


def test_what_was_forgotten_says_in_which_state_it_was() -> None:
    assert (
        text_of(Forgotten(forgotten=1, dry_run=False, ids=("mem_1",), states={"current": 1}), dt.UTC)
        == "erased 1: mem_1"
    )
    states = {"current": 1, "retired": 2}
    shown = text_of(Forgotten(forgotten=3, dry_run=False, ids=("mem_1",), states=states), dt.UTC)
    assert shown == "erased 3 (1 current, 2 retired): mem_1"
