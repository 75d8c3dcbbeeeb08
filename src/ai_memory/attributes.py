"""The typed attributes of each memory type.

Every attribute is optional. Known names are checked for their type; other names are stored as given.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_builtins
from ai_memory.errors import InvalidInputError
from ai_memory.types import MemoryType, Share


class SemanticAttributes(Struct):
    """A fact: what it is about."""

    subject: str | None = None
    category: str | None = None


class EpisodicAttributes(Struct):
    """An event: who took part, where, and how it ended."""

    participants: list[str] | None = None
    location: str | None = None
    outcome: str | None = None
    emotion: str | None = None


class ProceduralAttributes(Struct):
    """A way of doing something: the steps in order, the tools, and what must be true first."""

    steps: list[str] | None = None
    tools: list[str] | None = None
    prerequisites: list[str] | None = None


class WorkingAttributes(Struct):
    """Something kept in mind for the current task."""

    task: str | None = None
    goal: str | None = None


class CodeAttributes(Struct):
    """A piece of code: its language, its location and what it defines."""

    language: str | None = None
    path: str | None = None
    symbol: str | None = None
    repository: str | None = None


class DocumentationAttributes(Struct):
    """A part of a document: which section, of which version, at which address."""

    section: str | None = None
    version: str | None = None
    url: str | None = None


class ConversationAttributes(Struct):
    """Something said: by whom, to whom, in which turn."""

    speaker: str | None = None
    audience: list[str] | None = None
    turn: int | None = None


class InsightAttributes(Struct):
    """A conclusion: what it rests on."""

    evidence: list[str] | None = None
    derived_from: list[str] | None = None


class PreferenceAttributes(Struct):
    """A liking or dislike: whose, and how strong."""

    holder: str | None = None
    strength: Share | None = None


class ProblemSolutionAttributes(Struct):
    """A problem and what solved it."""

    problem: str | None = None
    solution: str | None = None
    environment: str | None = None


ATTRIBUTES: dict[MemoryType, type[Struct]] = {
    MemoryType.SEMANTIC: SemanticAttributes,
    MemoryType.EPISODIC: EpisodicAttributes,
    MemoryType.PROCEDURAL: ProceduralAttributes,
    MemoryType.WORKING: WorkingAttributes,
    MemoryType.CODE: CodeAttributes,
    MemoryType.DOCUMENTATION: DocumentationAttributes,
    MemoryType.CONVERSATION: ConversationAttributes,
    MemoryType.INSIGHT: InsightAttributes,
    MemoryType.PREFERENCE: PreferenceAttributes,
    MemoryType.PROBLEM_SOLUTION: ProblemSolutionAttributes,
}

MAX_ATTRIBUTES_BYTES = 64 * 1024


def check_attributes(kind: MemoryType, attributes: dict[str, Any]) -> None:
    """Raise InvalidInputError if a known attribute of `kind` has the wrong type, or if all of them exceed 64 KiB of JSON."""
    if not attributes:
        return
    shape = ATTRIBUTES[kind]
    try:
        from_builtins(attributes, shape)
        size = len(msgspec.json.encode(attributes))
    except msgspec.ValidationError as error:
        raise InvalidInputError(
            f"attributes of a {kind} memory: {error}",
            hint=f"typed attributes of {kind}: {', '.join(shape.__struct_fields__)}; other names may have any JSON value",
            field="attributes",
        ) from None
    except (TypeError, ValueError, RecursionError) as error:
        raise InvalidInputError(f"attributes cannot be stored as JSON: {error}", field="attributes") from None
    if size > MAX_ATTRIBUTES_BYTES:
        raise InvalidInputError(
            f"attributes take {size} bytes of JSON, the limit is {MAX_ATTRIBUTES_BYTES}",
            hint="store large data elsewhere and put its address in `source`",
            field="attributes",
            limit=MAX_ATTRIBUTES_BYTES,
            actual=size,
        )
