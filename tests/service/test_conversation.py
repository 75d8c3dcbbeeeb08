"""Conversations: each thing said becomes a memory of one session, and what was recalled is never stored again."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import InvalidInputError, Memory, MemoryType, Outcome, TooLargeError
from ai_memory.recall.context_block import FOOT, HEAD, NONE, without_blocks


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path, model="none", timezone="Europe/Riga") as opened:
        yield opened


def said(memory: Memory, session: str) -> list[tuple[str | None, str]]:
    return [(each.author, each.text) for each in memory.list(session=session, order="oldest").memories]


def test_a_conversation_is_a_session_in_order(memory: Memory) -> None:
    answer = memory.remember_messages(
        [
            {"role": "system", "content": "You are helpful."},
            {"role": "user", "content": "I moved to Riga.", "name": "Ada", "time": "2026-05-02T10:00:00+03:00"},
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "Noted."}, {"type": "image_url", "image_url": {}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
            {"role": "tool", "content": "42", "tool_call_id": "1"},
            {"role": "human", "content": "And I like tea.", "time": 1_777_777_777},
        ],
        session="s1",
        user="ada",
        tags=["chat"],
        attributes={"app": "demo"},
        source="a chat",
    )
    assert answer.session == "s1"
    assert [each.outcome for each in answer.receipts] == [
        Outcome.REJECTED, Outcome.STORED, Outcome.STORED, Outcome.REJECTED, Outcome.REJECTED, Outcome.STORED,
    ]  # fmt: skip
    assert [each.code for each in answer.receipts if each.outcome is Outcome.REJECTED] == ["left_out"] * 3
    assert answer.counts == {"rejected": 3, "stored": 3}
    first = memory.get(str(answer.receipts[1].memory_id))
    assert (first.author, first.type, first.user, first.tags) == ("Ada", MemoryType.CONVERSATION, "ada", ("chat",))
    assert first.source == "a chat"
    assert first.attributes == {"app": "demo", "role": "user", "turn": 1}
    assert first.valid_from == dt.datetime(2026, 5, 2, 7, tzinfo=dt.UTC)
    last = memory.get(str(answer.receipts[5].memory_id))
    assert last.valid_from == dt.datetime.fromtimestamp(1_777_777_777, dt.UTC)
    assert {text for _, text in said(memory, "s1")} == {"I moved to Riga.", "Noted.", "And I like tea."}


def test_messages_without_times_keep_their_order(memory: Memory) -> None:
    turns = [{"role": "user" if at % 2 == 0 else "assistant", "content": f"line {at}"} for at in range(30)]
    session = memory.remember_messages(turns).session
    assert session.startswith("ses_")
    expected = [("user" if at % 2 == 0 else "assistant", f"line {at}") for at in range(30)]
    assert said(memory, session) == expected


def test_the_same_conversation_again_stores_what_is_new(memory: Memory) -> None:
    turns: list[dict[str, Any]] = [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]
    memory.remember_messages(turns, session="s")
    turns.append({"role": "user", "content": "three"})
    assert memory.remember_messages(turns, session="s").counts == {"duplicate_of": 2, "stored": 1}


def test_a_repeated_request_has_the_same_session(memory: Memory) -> None:
    turns = [{"role": "user", "content": "one"}]
    first = memory.remember_messages(turns, idempotency_key="k")
    assert memory.remember_messages(turns, idempotency_key="k") == first


def test_what_was_recalled_is_never_stored_again(memory: Memory) -> None:
    for name in ("Ada", "Bo", "Cy"):
        memory.remember(f"{name} prefers green tea", author=name)
    for turn in range(40):
        context = memory.recall("Who prefers green tea?", format="context", layers="contextual").context
        assert context is not None
        prompt = f"{context}\n\nQuestion {turn}: who prefers green tea?"
        memory.remember_messages(
            [
                {"role": "user", "content": prompt},
                {"role": "user", "content": context},
                {"role": "tool", "content": context},
                {"role": "assistant", "content": f"Answer {turn}"},
            ],
            session=f"s{turn}",
        )
    texts = [each.text for each in memory.list(limit=1000).memories]
    assert len(texts) == 3 + 2 * 40
    assert sum("prefers green tea" in text and "Question" not in text for text in texts) == 3
    assert not any(HEAD[:11] in text or FOOT in text for text in texts)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("nothing of it", "nothing of it"),
        (f"{HEAD}\n[mem_1] today\n> a\n{FOOT}", ""),
        (f"before\n{HEAD}\n[mem_1] today\n> a\n> b\n{FOOT}\nafter", "before\nafter"),
        (f"before: {HEAD}\n[mem_1] today\n> a\n{FOOT}\nafter", "before: \nafter"),
        (f"before\n{HEAD}\n[mem_1] today\n> a\n{FOOT} after", "before\n after"),
        (f"{HEAD}\n[mem_1] today\n> cut", ""),
        (f"{HEAD}\n[mem_1] today\n> cut\nWho is Ada?", "Who is Ada?"),
        (f"{HEAD}\n> a\n{FOOT}\nmid\n{HEAD}\n> b\n{FOOT}\nend", "mid\nend"),
        (f"{NONE}\nSo I ask.", "\nSo I ask."),
        ("[memories] are made of this", "[memories] are made of this"),
        (f"{FOOT} alone", f"{FOOT} alone"),
    ],
)
def test_blocks_are_recognised(text: str, left: str) -> None:
    assert without_blocks(text) == left


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ({"role": "user", "content": ""}, "left_out"),
        ({"role": "user", "content": " \n"}, "left_out"),
        ({"role": "user"}, "left_out"),
        ({"role": "narrator", "content": "x"}, "left_out"),
        (
            {"role": "user", "content": [{"type": "tool_result", "content": "x"}, {"type": "text", "text": 5}]},
            "left_out",
        ),
        ({"role": "user", "content": "a\0b"}, "invalid_input"),
    ],
)
def test_one_wrong_message_stops_only_itself(memory: Memory, message: dict[str, Any], code: str) -> None:
    answer = memory.remember_messages([message, {"role": "user", "content": "kept"}], session="s")
    assert [each.code for each in answer.receipts] == [code, None]
    assert said(memory, "s") == [("user", "kept")]


@pytest.mark.parametrize(
    ("messages", "kind", "message"),
    [
        ([], InvalidInputError, "messages"),
        ([{"role": "user", "content": "x"}] * 2001, TooLargeError, "messages"),
        ("hello", InvalidInputError, "messages"),
        ([{"content": "x"}], InvalidInputError, "role"),
        ([{"role": 5, "content": "x"}], InvalidInputError, "role"),
        ([{"role": "user", "content": 5}], InvalidInputError, "content"),
        ([{"role": "user", "content": "x", "time": "yesterday"}], InvalidInputError, "time"),
        ([{"role": "user", "content": "x", "time": 1e300}], InvalidInputError, "seconds since 1970"),
        ([{"role": "user", "content": "x", "time": float("nan")}], InvalidInputError, "seconds since 1970"),
    ],
)
def test_what_is_wrong_is_named(memory: Memory, messages: Any, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        memory.remember_messages(messages)
    assert memory.list().memories == ()
