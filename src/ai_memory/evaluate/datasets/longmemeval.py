"""LongMemEval (Wu et al., 2025): every question with a separate haystack of chats, in `longmemeval_{s,m,oracle}.json`."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets.base import DataSet, Document, Group, Query, json_files, read_json, shaped

ABSTENTION = "abstention"
"""Questions whose id ends in `_abs`: nothing in their haystack answers, so they have no relevant document."""


class _Turn(Struct, frozen=True):
    role: str
    content: str
    has_answer: bool | None = None


class _Instance(Struct, frozen=True):
    question_id: str
    question_type: str
    question: str
    haystack_session_ids: list[str]
    haystack_dates: list[str]
    haystack_sessions: list[list[_Turn]]
    question_date: str | None = None
    answer_session_ids: list[str] = []


def load_longmemeval(file: Path, *, sessions: bool = False) -> list[Group]:
    """One group per question. One document per turn, of which those with `has_answer` are relevant, or one per session when
    `sessions`, of which those in `answer_session_ids` are. Turns without text are left out.
    """
    instances = shaped(read_json(file), list[_Instance], file, "LongMemEval's list of questions with haystacks")
    return [_group(instance, sessions, file) for instance in instances]


def _group(of: _Instance, sessions: bool, file: Path) -> Group:
    if not len(of.haystack_session_ids) == len(of.haystack_dates) == len(of.haystack_sessions):
        raise InvalidInputError(
            f"{file.name}: question {of.question_id} has {len(of.haystack_sessions)} sessions, "
            f"{len(of.haystack_session_ids)} ids and {len(of.haystack_dates)} dates",
            hint="fetch the data set again",
        )
    docs: dict[str, Document] = {}
    relevant: dict[str, float] = {}
    for name, date, turns in zip(of.haystack_session_ids, of.haystack_dates, of.haystack_sessions, strict=True):
        if sessions:
            text = "\n".join(f"{turn.role}: {turn.content}" for turn in turns)
            docs[name] = Document(f"{date}\n{text}", timestamp=date, session=name)
            continue
        for number, turn in enumerate(turns, 1):
            if turn.content.strip():
                docs[f"{name}:{number}"] = Document(turn.content, timestamp=date, session=name, author=turn.role)
                if turn.has_answer:
                    relevant[f"{name}:{number}"] = 1.0
    if sessions:
        relevant = dict.fromkeys(of.answer_session_ids, 1.0)
    unanswered = of.question_id.endswith("_abs")
    query = Query(of.question, ABSTENTION if unanswered else of.question_type, of.question_date)
    return Group(of.question_id, docs, {"q": query}, {"q": {} if unanswered else relevant})


def find(place: Path) -> Iterator[DataSet]:
    """JSON files whose questions have a `haystack_…`."""
    for file in json_files(place, b"[", b'"haystack_'):
        yield DataSet(f"LongMemEval turn ({file.stem})", partial(load_longmemeval, file))
        yield DataSet(f"LongMemEval session ({file.stem})", partial(load_longmemeval, file, sessions=True))
