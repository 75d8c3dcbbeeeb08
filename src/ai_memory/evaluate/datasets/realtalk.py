"""REALTALK (Lee et al., 2025): what two people really wrote to each other over weeks, one file per chat, in LoCoMo's manner."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from ai_memory.evaluate.datasets.base import DataSet, Group, Query, json_files, read_json, shaped
from ai_memory.evaluate.datasets.locomo import Question, Said, evidence, session_documents, session_names

CATEGORIES = {1: "multi_hop", 2: "temporal", 3: "commonsense"}
"""By number, as the paper names them."""


class _Turn(Struct, frozen=True):
    dia_id: str
    speaker: str
    clean_text: str = ""
    date_time: str | None = None
    blip_caption: str | list[str] | None = None


def load_realtalk(files: Sequence[Path], *, sessions: bool = False) -> list[Group]:
    """Chats, one group each: one document per turn, or per session when `sessions`. Turns without text or picture are left out."""
    return [_chat(file, sessions) for file in files]


def _chat(file: Path, sessions: bool) -> Group:
    chat = shaped(read_json(file), dict[str, Any], file, "a REALTALK chat")
    turns = list(_turns(chat, file))
    docs = session_documents(turns) if sessions else {turn.id: turn.document() for turn in turns}
    document_of = {turn.id: turn.session if sessions else turn.id for turn in turns}
    queries, qrels = {}, {}
    for index, question in enumerate(shaped(chat.get("qa"), list[Question], file, "a REALTALK chat with its `qa`")):
        key = f"q{index}"
        queries[key] = Query(question.question, CATEGORIES.get(question.category, str(question.category)))
        qrels[key] = {document_of[turn]: 1.0 for turn in sorted(evidence(question.evidence)) if turn in document_of}
    return Group(file.stem, docs, queries, qrels)


def _turns(chat: dict[str, Any], file: Path) -> Iterator[Said]:
    for session in session_names(chat):
        begun = str(chat.get(f"{session}_date_time") or "")
        for turn in shaped(chat[session], list[_Turn], file, f"a list of turns in {session}"):
            captions = [turn.blip_caption] if isinstance(turn.blip_caption, str) else turn.blip_caption or []
            said = " ".join(
                filter(None, [turn.clean_text, *(f"[shares {caption}]" for caption in captions if caption)])
            )
            if said.strip():
                yield Said(turn.dia_id, session, turn.date_time or begun, turn.speaker, f"{turn.speaker}: {said}")


def find(place: Path) -> Iterator[DataSet]:
    """JSON files that begin with a session of turns with `clean_text`; all of a folder are one data set."""
    files = json_files(place, b"{", b'"clean_text"')
    if files:
        yield DataSet("REALTALK turn", partial(load_realtalk, files))
        yield DataSet("REALTALK session", partial(load_realtalk, files, sessions=True))
