"""BEAM (Tavakoli et al., 2025): long chats with an assistant, `…/<chat>/chat.json`, and questions to ten abilities,
`…/<chat>/probing_questions/probing_questions.json`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets.base import DataSet, Document, Group, Query, read_json, shaped

CHAT = "chat.json"
QUESTIONS = Path("probing_questions") / "probing_questions.json"


class _Message(Struct, frozen=True):
    role: str
    content: str
    id: int
    time_anchor: str | None = None


class _Batch(Struct, frozen=True):
    turns: list[list[_Message]]
    time_anchor: str | None = None


class _Probe(Struct, frozen=True):
    question: str
    source_chat_ids: Any = None


def load_beam(chats: Sequence[Path]) -> list[Group]:
    """Chats, given by their folders, one group each: one document per message, one session per batch, the ability as category.

    A message's date is the last anchor that was given up to it. Messages of the chat that have the same id are all relevant.
    Raises InvalidInputError for a folder that lacks a file, and for files of another shape.
    """
    return [_group(folder) for folder in chats]


def _group(folder: Path) -> Group:
    docs, names = _messages(folder / CHAT)
    file = folder / QUESTIONS
    queries, qrels = {}, {}
    probes = shaped(read_json(file), dict[str, list[_Probe]], file, "BEAM's questions, a list for each ability")
    for ability, asked in probes.items():
        for number, probe in enumerate(asked):
            key = f"{ability}/{number}"
            queries[key] = Query(probe.question, ability)
            sources = _numbers(probe.source_chat_ids, file)
            qrels[key] = {name: 1.0 for source in sources for name in names.get(source, [])}
    return Group(folder.name, docs, queries, qrels)


def _messages(file: Path) -> tuple[dict[str, Document], dict[int, list[str]]]:
    """The documents, and their ids by the message's id."""
    docs: dict[str, Document] = {}
    names: dict[int, list[str]] = {}
    date: str | None = None
    for at, batch in enumerate(
        shaped(read_json(file), list[_Batch], file, "a BEAM chat, a list of batches of turns"), 1
    ):
        date = batch.time_anchor or date
        for number, message in enumerate((message for turn in batch.turns for message in turn), 1):
            date = message.time_anchor or date
            if message.content.strip():
                name = f"b{at}:{number}"
                docs[name] = Document(message.content, timestamp=date, session=f"batch {at}", author=message.role)
                names.setdefault(message.id, []).append(name)
    return docs, names


def _numbers(value: Any, file: Path) -> list[int]:
    """Message ids, in lists or under names, however deep."""
    if value is None:
        return []
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    if isinstance(value, list | dict):
        parts = value.values() if isinstance(value, dict) else value
        return [number for part in parts for number in _numbers(part, file)]
    raise InvalidInputError(f"{file.name}: {value!r} is not a message id", hint="expected numbers in `source_chat_ids`")


def find(place: Path) -> Iterator[DataSet]:
    """Folders with both files, at most two levels down; those in the same folder are one data set."""
    chats = [file.parent for depth in ("", "*/", "*/*/") for file in sorted(place.glob(f"{depth}{CHAT}"))]
    by_size: dict[Path, list[Path]] = {}
    for chat in chats:
        if (chat / QUESTIONS).is_file():
            by_size.setdefault(chat.parent, []).append(chat)
    for size, folders in by_size.items():
        yield DataSet(f"BEAM {size.name}", partial(load_beam, folders))
