"""Judged questions from files: LoCoMo and XQuAD in their public formats, and one group a line of JSON.

A group is one body of memories (one user's, one corpus) with questions and what answers them. A run searches inside each
group; a pooled run puts all groups into one namespace.
"""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct, field

from ai_memory.decoding import from_builtins
from ai_memory.errors import InvalidInputError

ADVERSARIAL = "adversarial"
"""LoCoMo's category of questions that presume something false."""

LOCOMO_CATEGORIES = {1: "multi_hop", 2: "temporal", 3: "open_domain", 4: "single_hop", 5: ADVERSARIAL}
"""By number; the counts in the paper's table 3 (Maharana et al., 2024) tell which is which."""

_EVIDENCE = re.compile(r"D:?(\d+):(\d+)")
_FORMATS = (
    "%I:%M %p on %d %B, %Y",
    "%d %B %Y",
    "%d %B, %Y",
    "%B %d, %Y",
    "%d %b %Y",
    "%b %d, %Y",
    "%Y/%m/%d (%a) %H:%M",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d",
    "%d.%m.%Y",
    "%a, %d %b %Y %H:%M:%S %z",
)


class Document(Struct, frozen=True):
    """One text to remember, with what is known about it; `timestamp` is free-form."""

    text: str
    timestamp: str | None = None
    session: str | None = None
    author: str | None = None


class Query(Struct, frozen=True):
    """One question; `asked_at` is free-form."""

    text: str
    category: str | None = None
    asked_at: str | None = None


class Group(Struct, frozen=True):
    """Documents, questions and, for each question, the relevant documents with their grades (greater is better, 0 is not)."""

    group: str
    docs: dict[str, Document]
    queries: dict[str, Query]
    qrels: dict[str, dict[str, float]] = field(default_factory=dict)

    def relevant(self, query_id: str) -> dict[str, float]:
        """The documents that answer a question, by id, with grades above 0; only documents that are in the group."""
        judged = self.qrels.get(query_id, {})
        return {document: grade for document, grade in judged.items() if grade > 0 and document in self.docs}


class DataSet(Struct, frozen=True):
    """A named list of groups, loaded when asked for."""

    name: str
    load: Callable[[], list[Group]]


def parse_time(text: str | None) -> dt.datetime | None:
    """An instant from free-form text, UTC where no zone is given; None where it is not understood."""
    if not text:
        return None
    cleaned = " ".join(text.split())
    try:
        found = dt.datetime.fromisoformat(cleaned)
    except ValueError:
        parsed = (_strptime(cleaned, pattern) for pattern in _FORMATS)
        first = next((value for value in parsed if value is not None), None)
        if first is None:
            return None
        found = first
    return found.replace(tzinfo=dt.UTC) if found.tzinfo is None else found.astimezone(dt.UTC)


def _strptime(text: str, pattern: str) -> dt.datetime | None:
    try:
        return dt.datetime.strptime(text, pattern).replace(tzinfo=dt.UTC)
    except ValueError:
        return None


def pooled(groups: Sequence[Group], name: str = "pooled") -> list[Group]:
    """All groups as one, ids and sessions prefixed with their group's name: everybody's memories in one place."""
    docs: dict[str, Document] = {}
    queries: dict[str, Query] = {}
    qrels: dict[str, dict[str, float]] = {}
    for group in groups:
        for key, document in group.docs.items():
            session = None if document.session is None else f"{group.group}|{document.session}"
            docs[f"{group.group}|{key}"] = msgspec.structs.replace(document, session=session)
        queries |= {f"{group.group}|{key}": query for key, query in group.queries.items()}
        qrels |= {
            f"{group.group}|{key}": {f"{group.group}|{document}": grade for document, grade in judged.items()}
            for key, judged in group.qrels.items()
        }
    return [Group(group=name, docs=docs, queries=queries, qrels=qrels)]


def without_category(groups: Sequence[Group], category: str) -> list[Group]:
    """The groups without the questions of one category."""
    return [
        msgspec.structs.replace(
            group, queries={key: query for key, query in group.queries.items() if query.category != category}
        )
        for group in groups
    ]


# ── JSON lines ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_jsonl(file: Path) -> list[Group]:
    """Groups from JSON lines: `{"group", "docs": {id: {"text", …}}, "queries": {id: {"text", …}}, "qrels": {query: {doc: grade}}}`.

    Everything but the texts is optional; unknown fields are ignored and blank lines skipped. Raises InvalidInputError naming
    the line that is wrong.
    """
    groups: list[Group] = []
    try:
        with file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    groups.append(_group(line, number, file))
    except OSError as error:
        raise InvalidInputError(
            f"cannot read {file}: {error.strerror}", hint="give the path of a JSON lines file"
        ) from error
    if not groups:
        raise InvalidInputError(f"{file} holds no group", hint='each line is {"group", "docs", "queries", "qrels"}')
    names = [group.group for group in groups]
    if len(set(names)) == len(names):
        return groups
    return [msgspec.structs.replace(group, group=f"{group.group}#{n}") for n, group in enumerate(groups, 1)]


def _group(line: bytes, number: int, file: Path) -> Group:
    try:
        value = json.loads(line)
        if isinstance(value, dict):
            value = {"group": f"line {number}"} | {key: item for key, item in value.items() if item is not None}
            value["group"] = str(value["group"])
        return from_builtins(value, Group)
    except (ValueError, msgspec.ValidationError) as error:
        raise InvalidInputError(
            f"line {number} of {file.name} is no group: {error}",
            hint='each line is {"group", "docs": {id: {"text"}}, "queries": {id: {"text"}}, "qrels": {query: {doc: grade}}}',
            line=number,
        ) from error


# ── LoCoMo ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_locomo(file: Path, *, sessions: bool = False, audit: Path | None = None) -> list[Group]:
    """LoCoMo conversations, one group each. One document a turn, or one a session when `sessions`.

    A document's text carries the session's date and the speakers' names, as the published baselines have it; `audit` names a
    file of corrected evidence. A question that nothing in the conversation answers has no relevant document.
    """
    fixes = {entry["question_id"]: entry for entry in _json(audit)} if audit is not None else {}
    return [_conversation(sample, number, fixes, sessions) for number, sample in enumerate(_json(file))]


def _conversation(sample: Any, number: int, fixes: Mapping[str, Any], sessions: bool) -> Group:
    turns = list(_turns(sample["conversation"]))
    docs = _session_documents(turns) if sessions else {turn.id: turn.document() for turn in turns}
    document_of = {turn.id: turn.session if sessions else turn.id for turn in turns}
    queries, qrels = {}, {}
    for index, question in enumerate(sample["qa"]):
        fix = fixes.get(f"locomo_{number}_qa{index}", {})
        evidence = fix.get("correct_evidence") or question.get("evidence", [])
        key = f"{sample['sample_id']}/q{index}"
        queries[key] = Query(text=question["question"], category=LOCOMO_CATEGORIES[question["category"]])
        qrels[key] = {document_of[turn]: 1.0 for turn in sorted(_evidence(evidence)) if turn in document_of}
    return Group(group=sample["sample_id"], docs=docs, queries=queries, qrels=qrels)


class _Turn(Struct, frozen=True):
    id: str
    session: str
    date: str
    author: str
    line: str

    def document(self) -> Document:
        return Document(f"({self.date}) {self.line}", timestamp=self.date, session=self.session, author=self.author)


def _turns(conversation: Mapping[str, Any]) -> Iterator[_Turn]:
    """All turns in order; a shared picture is told by its caption."""
    names = sorted(
        (name for name in conversation if re.fullmatch(r"session_\d+", name)), key=lambda name: int(name[8:])
    )
    for session in names:
        for turn in conversation[session]:
            line = f"{turn['speaker']}: {turn['text']}"
            if turn.get("blip_caption"):
                line += f" [shares {turn['blip_caption']}]"
            yield _Turn(turn["dia_id"], session, conversation[f"{session}_date_time"], turn["speaker"], line)


def _session_documents(turns: Sequence[_Turn]) -> dict[str, Document]:
    lines: dict[str, list[str]] = {}
    dates: dict[str, str] = {}
    for turn in turns:
        lines.setdefault(turn.session, []).append(turn.line)
        dates[turn.session] = turn.date
    return {
        session: Document("\n".join([dates[session], *text]), timestamp=dates[session], session=session)
        for session, text in lines.items()
    }


def _evidence(entries: Sequence[Any]) -> set[str]:
    """Turn ids from strings such as "D8:6; D9:17", "D9:1 D4:4", "D30:05" and the range "D1:3-D1:5"."""
    found: set[str] = set()
    for entry in entries:
        for part in re.split(r"[;,]\s*|\s+(?=D)", str(entry)):
            hits = [(int(session), int(turn)) for session, turn in _EVIDENCE.findall(part)]
            if len(hits) == 2 and "-" in part and hits[0][0] == hits[1][0]:
                hits = [(hits[0][0], turn) for turn in range(hits[0][1], hits[1][1] + 1)]
            found |= {f"D{session}:{turn}" for session, turn in hits}
    return found


# ── XQuAD ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def load_xquad(questions: Path, texts: Path) -> list[Group]:
    """One group: every paragraph of `texts` is a document, every question of `questions` asks for its own paragraph.

    Both are files in SQuAD's format whose paragraphs stand in the same order; give one file twice for a single language.
    """
    docs = {f"p{number}": Document(paragraph["context"]) for number, paragraph in enumerate(_paragraphs(texts))}
    queries, qrels = {}, {}
    for number, paragraph in enumerate(_paragraphs(questions)):
        for asked in paragraph["qas"]:
            queries[asked["id"]] = Query(text=asked["question"], category="qa")
            qrels[asked["id"]] = {f"p{number}": 1.0}
    return [Group(group=f"{questions.stem}-{texts.stem}", docs=docs, queries=queries, qrels=qrels)]


def _paragraphs(file: Path) -> Iterator[Any]:
    for article in _json(file)["data"]:
        yield from article["paragraphs"]


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="give the data set's folder") from error
    except ValueError as error:
        raise InvalidInputError(f"{file.name} is not JSON: {error}", hint="fetch the data set again") from error


# ── folders ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def folder_data_sets(folder: Path) -> list[DataSet]:
    """The data sets found in a folder: `locomo*.json` with `…_audit.json` beside it, and `xquad/xquad.<language>.json`.

    Raises InvalidInputError when there is none.
    """
    found = [*_locomo_sets(folder), *_xquad_sets(folder / "xquad")]
    if not found:
        raise InvalidInputError(
            f"no known data set in {folder}",
            hint="expected locomo*.json or xquad/xquad.<language>.json; use --jsonl FILE for data of your own",
        )
    return found


def _locomo_sets(folder: Path) -> Iterator[DataSet]:
    files = [file for file in sorted(folder.glob("locomo*.json")) if not file.stem.endswith("_audit")]
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


def _xquad_sets(folder: Path) -> Iterator[DataSet]:
    files = {file.name.split(".")[1]: file for file in sorted(folder.glob("xquad.*.json"))}
    pairs = [(language, language) for language in sorted(files, reverse=True)]
    if "en" in files:
        pairs += [(language, "en") for language in sorted(files) if language != "en"]
    for asked, told in pairs:
        yield DataSet(f"XQuAD {asked} query, {told} text", partial(load_xquad, files[asked], files[told]))
