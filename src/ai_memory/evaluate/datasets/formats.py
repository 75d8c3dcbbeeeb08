"""The known formats, and which of them a folder or file is in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets import beam, beir, jsonl, locomo, longmemeval, realtalk, xquad
from ai_memory.evaluate.datasets.base import DataSet


class Format(NamedTuple):
    """One format: what it expects, in words, and a function that finds its data sets in a folder or file."""

    expects: str
    find: Callable[[Path], Iterator[DataSet]]


FORMATS: dict[str, Format] = {
    "locomo": Format("locomo*.json, with …_audit.json next to it", locomo.find),
    "longmemeval": Format("a JSON list of questions with haystack_sessions", longmemeval.find),
    "realtalk": Format("JSON files of chats with session_1, … and qa", realtalk.find),
    "beam": Format("folders with chat.json and probing_questions/probing_questions.json", beam.find),
    "beir": Format("a folder with corpus.jsonl, queries.jsonl and qrels/*.tsv", beir.find),
    "xquad": Format("xquad/xquad.<language>.json", xquad.find),
    "jsonl": Format("a .jsonl file, one group per line", jsonl.find),
}


def data_sets_in(place: Path, only: str | None = None) -> list[DataSet]:
    """The data sets of a folder or file, recognised by their shape; with `only`, those of that format alone.

    Raises InvalidInputError where there is none, with what was looked for.
    """
    if only is not None and only not in FORMATS:
        raise InvalidInputError(f"there is no format {only!r}", hint=f"choose one of {', '.join(FORMATS)}")
    wanted = FORMATS if only is None else {only: FORMATS[only]}
    found = [one for each in wanted.values() for one in each.find(place)]
    if not found:
        looked_for = "; ".join(f"{name}: {each.expects}" for name, each in wanted.items())
        raise InvalidInputError(
            f"no known data set in {place}" if only is None else f"no {only} in {place}",
            hint=f"expected {looked_for}",
        )
    return found
