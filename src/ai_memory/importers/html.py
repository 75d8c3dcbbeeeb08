"""The text of HTML as a reader would see it, with its headings and places that are linked to."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import NamedTuple

_UNSEEN = frozenset({"script", "style", "head", "template", "noscript", "svg", "nav"})
_INLINE = frozenset(
    {
        "a",
        "abbr",
        "b",
        "bdi",
        "bdo",
        "cite",
        "code",
        "data",
        "del",
        "dfn",
        "em",
        "font",
        "i",
        "img",
        "ins",
        "kbd",
        "label",
    }
    | {
        "mark",
        "meter",
        "q",
        "rp",
        "rt",
        "ruby",
        "s",
        "samp",
        "small",
        "span",
        "strong",
        "sub",
        "sup",
        "time",
        "tt",
        "u",
        "var",
        "wbr",
    }
)
"""Elements within a line; all others begin a new one."""
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_VOID = frozenset(
    {"br", "hr", "img", "input", "meta", "link", "area", "base", "col", "embed", "source", "track", "wbr"}
)


class Section(NamedTuple):
    """A part of a document: the headings that it is under, outermost first, and its text."""

    headings: tuple[str, ...]
    text: str


def text_of_html(markup: str) -> str:
    """The text without its markup; blocks are lines."""
    return "\n\n".join(
        text for part in sections_of_html(markup) for text in (*part.headings[-1:], part.text) if text
    ).strip()


def sections_of_html(markup: str) -> list[Section]:
    """The parts of a document between its headings, in order. Nothing in any markup raises."""
    reader = _Reader()
    reader.feed(markup)
    reader.close()
    reader.end_section()
    return reader.sections


def title_of_html(markup: str) -> str:
    """The document's title; empty where it has none."""
    found = re.search(r"<title[^>]*>([^<]*)</title", markup, re.IGNORECASE)
    return " ".join(found[1].split()) if found else ""


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.sections: list[Section] = []
        self._headings: list[tuple[int, str]] = []
        self._text: list[str] = []
        self._heading: list[str] | None = None
        self._unseen: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        del attrs
        if self._unseen or (tag in _UNSEEN and tag not in _VOID):
            if tag not in _VOID:
                self._unseen.append(tag)
        elif tag in _HEADINGS:
            self.end_section()
            self._heading = []
        elif tag not in _INLINE:
            self._text.append("\n")

    def handle_endtag(self, tag: str) -> None:
        """End an element; one that was never begun is passed over."""
        if self._unseen:
            if tag in self._unseen:
                del self._unseen[self._unseen.index(tag) :]
        elif tag in _HEADINGS and self._heading is not None:
            level, text = int(tag[1]), " ".join("".join(self._heading).split())
            self._heading = None
            self._headings = [each for each in self._headings if each[0] < level] + ([(level, text)] if text else [])
        elif tag not in _INLINE:
            self._text.append("\n")

    def handle_data(self, data: str) -> None:
        """Take text."""
        if not self._unseen:
            (self._text if self._heading is None else self._heading).append(re.sub(r"\s+", " ", data))

    def end_section(self) -> None:
        """Keep what was read since the last heading."""
        lines = [" ".join(line.split()) for line in "".join(self._text).split("\n")]
        text = re.sub(r"\n{2,}", "\n\n", "\n".join(lines)).strip()
        if text:
            self.sections.append(Section(tuple(text for _, text in self._headings), text))
        self._text = []
