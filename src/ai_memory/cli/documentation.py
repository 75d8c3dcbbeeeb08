"""The pages of the documentation by name, for `ai-memory help` and for the site.

`docs/README.md` is the map: each of its sections has one line per page, `- [Title](name.md): summary`. In a checkout the pages are
read from `docs/`; an installed package has a copy in `ai_memory/docs`, without what only the site shows.
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
    """One page of the map."""

    name: str
    """What a reader types: the file's name without its ending, or the folder's name for a `README.md` in it."""
    title: str
    summary: str
    file: str
    """Path below the folder of the pages."""


class Section(NamedTuple):
    """A heading of the map, and the pages below it in the map's order."""

    title: str
    pages: tuple[Page, ...]


def folder() -> Traversable | None:
    """The folder of the pages; None if there is neither a copy in the package nor a checkout around it."""
    checkout = Path(__file__).resolve().parents[3] / "docs"
    candidates: tuple[Traversable, ...] = (files("ai_memory") / "docs", checkout)
    return next((place for place in candidates if (place / MAP).is_file()), None)


def sections(page_map: str) -> list[Section]:
    """The sections (second-level headings) of a map's text that have pages."""
    found = []
    for part in re.split(r"^## ", page_map, flags=re.MULTILINE)[1:]:
        title, _, body = part.partition("\n")
        lines = _LINE.finditer(body)
        pages = tuple(Page(_name(line["file"]), line["title"], line["summary"], line["file"]) for line in lines)
        if pages:
            found.append(Section(title.strip(), pages))
    return found


def installed(place: Traversable) -> list[Section]:
    """The sections of the map in `place`, with the pages that are in it."""
    listed = sections((place / MAP).read_text(encoding="utf-8"))
    there = [
        Section(each.title, tuple(page for page in each.pages if (place / page.file).is_file())) for each in listed
    ]
    return [section for section in there if section.pages]


def _name(file: str) -> str:
    path = Path(file)
    return path.parent.name if path.name == MAP else path.stem
