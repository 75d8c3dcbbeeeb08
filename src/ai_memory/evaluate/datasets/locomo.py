"""LoCoMo (Maharana et al., 2024): conversations of two people over many sessions, questions with the turns that answer them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from ai_memory.evaluate.datasets.base import (
    DataSet,
    Document,
    Group,
    Query,
    json_files,
    pooled,
    read_json,
    shaped,
    without_category,
)

ADVERSARIAL = "adversarial"
"""LoCoMo's category of questions that presume something false."""
CATEGORIES = {1: "multi_hop", 2: "temporal", 3: "open_domain", 4: "single_hop", 5: ADVERSARIAL}
"""By number; the counts in the paper's table 3 show which is which."""
_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")


class Question(Struct, frozen=True):
    """A question and the ids of the turns that answer it, written in many ways."""

    question: str
    category: int
    evidence: list[Any] = []


class _Turn(Struct, frozen=True):
    dia_id: str
    speaker: str
    text: str
    blip_caption: str | None = None


class _Sample(Struct, frozen=True):
    sample_id: str
    conversation: dict[str, Any]
    qa: list[Question]


class _Fix(Struct, frozen=True):
    question_id: str
    correct_evidence: list[Any] | None = None


class Said(Struct, frozen=True):
    """A turn as it was said: when and by whom, and its line, which begins with the speaker's name."""

    id: str
    session: str
    date: str
    author: str
    line: str

    def document(self) -> Document:
        """The turn as a document; its text carries the date, as the published baselines have it."""
        return Document(f"({self.date}) {self.line}", timestamp=self.date, session=self.session, author=self.author)


def load_locomo(file: Path, *, sessions: bool = False, audit: Path | None = None) -> list[Group]:
    """LoCoMo conversations, one group each. One document per turn, or one per session when `sessions`.

    A document's text carries the session's date and the speakers' names, as the published baselines have it; `audit` names a
    file of corrected evidence. A question that nothing in the conversation answers has no relevant document.
    """
    samples = shaped(read_json(file), list[_Sample], file, "LoCoMo's list of conversations")
    fixed = shaped(read_json(audit), list[_Fix], audit, "a list of corrections") if audit is not None else []
    fixes = {fix.question_id: fix.correct_evidence for fix in fixed}
    return [_conversation(sample, number, fixes, sessions, file) for number, sample in enumerate(samples)]


def _conversation(
    sample: _Sample, number: int, fixes: Mapping[str, list[Any] | None], sessions: bool, file: Path
) -> Group:
    turns = list(_turns(sample.conversation, file))
    docs = session_documents(turns) if sessions else {turn.id: turn.document() for turn in turns}
    document_of = {turn.id: turn.session if sessions else turn.id for turn in turns}
    queries, qrels = {}, {}
    for index, question in enumerate(sample.qa):
        relevant = evidence(fixes.get(f"locomo_{number}_qa{index}") or question.evidence)
        key = f"{sample.sample_id}/q{index}"
        queries[key] = Query(text=question.question, category=CATEGORIES.get(question.category, str(question.category)))
        qrels[key] = {document_of[turn]: 1.0 for turn in sorted(relevant) if turn in document_of}
    return Group(group=sample.sample_id, docs=docs, queries=queries, qrels=qrels)


def _turns(conversation: Mapping[str, Any], file: Path) -> Iterator[Said]:
    """All turns in order; a shared picture is described by its caption."""
    for session in session_names(conversation):
        date = shaped(conversation.get(f"{session}_date_time"), str, file, f"dated by {session}_date_time")
        for turn in shaped(conversation[session], list[_Turn], file, f"a list of turns in {session}"):
            shared = f" [shares {turn.blip_caption}]" if turn.blip_caption else ""
            yield Said(turn.dia_id, session, date, turn.speaker, f"{turn.speaker}: {turn.text}{shared}")


def session_names(conversation: Mapping[str, Any]) -> list[str]:
    """The fields `session_1`, `session_2`, … in order."""
    return sorted((name for name in conversation if re.fullmatch(r"session_\d+", name)), key=lambda name: int(name[8:]))


def session_documents(turns: Sequence[Said]) -> dict[str, Document]:
    """One document per session: its date, then its lines."""
    lines: dict[str, list[str]] = {}
    dates: dict[str, str] = {}
    for turn in turns:
        lines.setdefault(turn.session, []).append(turn.line)
        dates.setdefault(turn.session, turn.date)
    return {
        session: Document("\n".join([dates[session], *text]), timestamp=dates[session], session=session)
        for session, text in lines.items()
    }


def evidence(entries: Sequence[Any]) -> set[str]:
    """Turn ids from strings such as "D8:6; D9:17", "D9:1 D4:4", "D30:05" and the range "D1:3-D1:5"."""
    found: set[str] = set()
    for entry in entries:
        for part in re.split(r"[;,]\s*|\s+(?=D)", str(entry)):
            hits = [(int(session), int(turn)) for session, turn in _EVIDENCE.findall(part)]
            if len(hits) == 2 and "-" in part and hits[0][0] == hits[1][0]:
                hits = [(hits[0][0], turn) for turn in range(hits[0][1], hits[1][1] + 1)]
            found |= {f"D{session}:{turn}" for session, turn in hits}
    return found


def find(place: Path) -> Iterator[DataSet]:
    """Files called `locomo*.json`, or that begin like one, each with its `…_audit.json` if there is one next to it."""
    alike = json_files(place, b"[", b'"evidence"', b'"category"')
    named = [file for file in json_files(place, b"[") if file.stem.startswith("locomo")]
    files = [file for file in sorted({*alike, *named}) if not file.stem.endswith("_audit")]
    for file in files:
        label = "LoCoMo" if len(files) == 1 else f"LoCoMo ({file.stem})"
        audit = file.with_name(f"{file.stem}_audit.json")
        yield DataSet(f"{label} turn, cat 1-4", partial(_answerable, file))
        yield DataSet(f"{label} turn, cat 1-5", partial(load_locomo, file))
        if audit.exists():
            yield DataSet(f"{label} turn, cat 1-4, audited", partial(_answerable, file, audit))
        yield DataSet(f"{label} turn, cat 1-4, pooled", partial(_answerable_pooled, file))
        yield DataSet(f"{label} session, cat 1-5", partial(load_locomo, file, sessions=True))


def _answerable(file: Path, audit: Path | None = None) -> list[Group]:
    return without_category(load_locomo(file, audit=audit), ADVERSARIAL)


def _answerable_pooled(file: Path) -> list[Group]:
    return pooled(_answerable(file))
