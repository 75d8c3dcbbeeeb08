"""Judged questions to the user's own store: each names the memories that should be found, by id."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_builtins
from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets import Document, Group, Query
from ai_memory.types import DEFAULT_NAMESPACE

_SHAPE = '{"question": "…", "expect": ["mem_…"], "namespace": "default", "kind": "…", "asked_at": "2026-04-01"}'


class OwnQuestion(Struct, frozen=True, kw_only=True):
    """One line: a question, and the ids of the memories that answer it; `asked_at` is free-form and counts as now."""

    question: str
    expect: list[str]
    namespace: str = DEFAULT_NAMESPACE
    kind: str | None = None
    asked_at: str | None = None


def load_questions(file: Path) -> list[Group]:
    """One group per namespace, whose documents are the memories that answer. Unknown fields are ignored, blank lines skipped.

    Raises InvalidInputError for a file that cannot be read or has no question, naming the line that is wrong.
    """
    groups: dict[str, Group] = {}
    try:
        lines = file.read_bytes().splitlines()
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="give a JSON lines file") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            asked = from_builtins(json.loads(line), OwnQuestion)
        except (ValueError, msgspec.ValidationError) as error:
            raise InvalidInputError(
                f"line {number} of {file.name} is not a question: {error}", hint=f"each line is {_SHAPE}", line=number
            ) from None
        group = groups.setdefault(asked.namespace, Group(asked.namespace, {}, {}))
        key = f"line {number}"
        group.docs.update({memory: Document("") for memory in asked.expect})
        group.queries[key] = Query(asked.question, asked.kind, asked.asked_at)
        group.qrels[key] = dict.fromkeys(asked.expect, 1.0)
    if not groups:
        raise InvalidInputError(f"{file} has no question", hint=f"each line is {_SHAPE}")
    return list(groups.values())
