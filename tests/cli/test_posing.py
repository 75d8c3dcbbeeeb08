"""No stored text can fool a terminal: nothing moves the cursor, recolours, links, hides, or begins a line that is not its own."""

from __future__ import annotations

import datetime as dt
import re
import sys
from typing import Any

import pytest

from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.errors import InvalidInputError
from ai_memory.operations.deciding import Decision
from ai_memory.operations.moving import ImportReport, LineWarning, RejectedLine
from ai_memory.recall.answer import Answer, Hit, Notice, PassageText, Searched, Surrounding
from ai_memory.types import Actor, Entity, MemoryRecord, Outcome, Page, Receipt, Relation

AT = dt.datetime(2026, 3, 10, 22, 30, tzinfo=dt.UTC)
LINK = "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x07"
POSE = f"x\rerror: y\nhint: rm -rf ~\x1b[2K\x1b[31m{LINK}\u202e\u200b\U000e0041\u3164\x9b31m\u2028z"


def memory(**fields: Any) -> MemoryRecord:
    given: dict[str, Any] = {
        "id": "mem_1", "namespace": "n", "text": "t", "created_at": AT, "recorded_at": AT, "content_hash": "", **fields,
    }  # fmt: skip
    return MemoryRecord(**given)


def hostile() -> MemoryRecord:
    return memory(
        text="a text", title=POSE, author=POSE, context=POSE, session=POSE, user=POSE, source=POSE, retired_reason=POSE,
        retired_at=AT, tags=(POSE,), attributes={POSE: POSE},
    )  # fmt: skip


def entity() -> Entity:
    return Entity(id="ent_1", namespace="n", name=POSE, kind=POSE, created_at=AT)


def responses() -> dict[str, Any]:
    hit = Hit(
        rank=1, memory=hostile(), score=1.0, confidence=0.5, validity="current", since=AT,
        passage=PassageText(text="t", start=0, end=1), surroundings=(Surrounding(memory=hostile(), how=POSE),), reasons=(POSE,),
    )  # fmt: skip
    answer = Answer(
        question=POSE, hits=(hit,), reason=POSE, notices=(Notice(code="c", message=POSE, mend=POSE),),
        searched=Searched(memories=1, by_words=1, by_meaning=0), tokens=1, recipe="balanced", answer_hash="", took_ms=1.0,
    )  # fmt: skip
    return {
        "answer": answer,
        "record": hostile(),
        "page": Page(memories=(hostile(),)),
        "receipt": Receipt(outcome=Outcome.REJECTED, code="c", reason=POSE),
        "relation": Relation(id="rel_1", namespace="n", source="mem_1", target="ent_1", type=POSE, recorded_at=AT),
        "report": ImportReport(
            lines=1, counts={"rejected": 1}, skipped=0, rejected=(RejectedLine(line=1, code="c", reason=POSE),),
            warnings=(LineWarning(line=1, message=POSE),),
        ),
        "decision": Decision(
            id="dec_1", namespace="n", kind="merge", things=(entity(),), into=entity(), memories=(), decided_at=AT,
        ),
    }  # fmt: skip


@pytest.mark.parametrize("name", responses())
def test_what_is_stored_cannot_fool_a_terminal(name: str) -> None:
    screen = Screen()
    screen.width = 4000
    lines = list(show.lines_of(responses()[name], screen))
    for line in lines:
        assert not re.search(
            r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u200b\u3164\U000e0000-\U000e0fff]", line
        ), line
        assert not line.lstrip().startswith(("error:", "hint:", "z"))


def test_an_error_and_a_notice_are_one_line_each(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen()
    screen.error(InvalidInputError(f"no such field: {POSE}", hint=f"try {POSE}"))
    screen.note(f"notice: {POSE}")
    written = capsys.readouterr().err
    assert [line.split(":")[0] for line in written.splitlines()] == ["error", "hint", "notice"]
    assert not set("\x1b\r\x9b\u202e\U000e0041") & set(written)


def test_writing_of_every_kind_is_shown_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    text = "👩‍👩‍👧 ❤️‍🔥 می‌خواهم क्‍ष שלום العربيّة 한국어 e\u0301 naïve"
    screen = Screen()
    for line in show.lines_of(memory(text=text, actor=Actor.AGENT), screen):
        screen.line(line)
    assert sys.stdout.encoding.lower() != "utf-8" or text in capsys.readouterr().out
