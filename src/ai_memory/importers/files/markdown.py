"""Markdown as a memory: front matter becomes fields, the first heading the title."""

from __future__ import annotations

import re
from typing import Any

from ai_memory.errors import InvalidInputError
from ai_memory.importers.files import front_matter
from ai_memory.operations.imported import Imported, read_fields

MAX_TITLE = 1000
_HEADING = re.compile(r"^#[ \t]+(.+?)[ \t]*#*[ \t]*$", re.MULTILINE)


def draft_values(text: str, *, source: str | None = None) -> Imported:
    """Draft values of one Markdown text; front matter wins over `source`. Nothing in it makes the note refused.

    Raises InvalidInputError for a text without a character that is not blank.
    """
    whole = text = text.replace("\r\n", "\n").replace("\r", "\n").removeprefix("\ufeff")
    found = front_matter.read(text)
    fields: dict[str, Any] = {}
    warnings: tuple[str, ...] = ()
    if found is not None:
        fields, text, warnings = found
        if fields and not text.strip():
            text, warnings = whole, (*warnings, "there is no text below the front matter, which was kept as text")
    read = read_fields(fields, some_text(text))
    values = {"source": source, "title": _first_heading(text)}
    return Imported({name: value for name, value in values.items() if value} | read.values, warnings + read.warnings)


def has_front_matter(text: str) -> bool:
    """Whether a text begins with front matter."""
    return front_matter.read(text.replace("\r\n", "\n")) is not None


def some_text(text: str) -> str:
    """The text without empty lines around it. Raises InvalidInputError where it is blank."""
    text = text.strip("\n")
    if not text.strip():
        raise InvalidInputError("there is no text in it", hint="write the text to remember")
    return text


def _first_heading(text: str) -> str | None:
    outside_code = "".join(part for index, part in enumerate(text.split("```")) if index % 2 == 0)
    match = _HEADING.search(outside_code)
    return match[1][:MAX_TITLE] if match else None
