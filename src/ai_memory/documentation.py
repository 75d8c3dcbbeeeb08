"""The pages of the documentation by name, for `ai-memory help` and for the site.

`docs/README.md` is the map: its sections hold one line per page, `- [Title](name.md): summary`. In a checkout the pages are read
from `docs/`, in an installed package from `ai_memory/docs`, where the build puts a copy.
"""

from __future__ import annotations

import re
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

MAP = "README.md"
_LINE = re.compile(r"^- \[(?P<title>[^\]]+)\]\((?P<file>[\w./-]+\.md)\): (?P<summary>.+)$", re.MULTILINE)


class Page(NamedTuple):
    """One page: `name` is what a reader types, `file` its path below the folder of the pages."""

    name: str
    title: str
    summary: str
    file: str


class Section(NamedTuple):
    """A heading of the map, and the pages below it in the map's order."""

    title: str
    pages: tuple[Page, ...]


def folder() -> Traversable | None:
    """The folder of the pages; None where neither a copy nor a checkout is there."""
    checkout = Path(__file__).resolve().parents[2] / "docs"
    for place in (files("ai_memory") / "docs", checkout):
        if (place / MAP).is_file():
            return place
    return None


def sections(page_map: str) -> list[Section]:
    """What a map lists, from its text: the sections (second-level headings) that have pages."""
    found = []
    for part in re.split(r"^## ", page_map, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        pages = tuple(
            Page(name_of(line["file"]), line["title"], line["summary"], line["file"]) for line in _LINE.finditer(body)
        )
        if pages:
            found.append(Section(title.strip(), pages))
    return found


def name_of(file: str) -> str:
    """The name of a page: its file's name without the ending, or its folder's for a `README.md`."""
    path = Path(file)
    return path.parent.name if path.name == MAP else path.stem
