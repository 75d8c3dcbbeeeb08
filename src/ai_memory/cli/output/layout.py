"""Text on a terminal: widths, cutting, wrapping and aligned tables.

Widths are in terminal columns: East Asian wide characters take two, combining marks none. Control characters and direction
overrides of a memory's text are made visible, so that no text can move the cursor, recolour, reorder or link what is shown;
what nobody can see is left out (`text.shown`). A field that has a line of its own is folded onto that line.
"""

from __future__ import annotations

import datetime as dt
import unicodedata
from collections.abc import Sequence

from ai_memory.clock import day_in, in_zone, is_plain_date
from ai_memory.text.shown import without_unseen

_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def visible(text: str) -> str:
    """`text` with control characters, direction overrides and lone surrogates written as escapes; newlines and tabs stay.

    Invisible characters are left out.
    """
    if text.isascii() and text.isprintable():
        return text
    return without_unseen("".join(_visible(character) for character in text))


def visible_line(text: str) -> str:
    """As `visible`, on one line."""
    return " ".join(visible(text).split())


def _visible(character: str) -> str:
    if character in "\n\t":
        return character
    if character in _OVERRIDES or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def width(text: str) -> int:
    """Terminal columns that one line of text takes."""
    if text.isascii():
        return len(text)
    return sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    return 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 1


def day(instant: dt.datetime | None, zone: dt.tzinfo) -> str:
    """An instant in `zone`, a plain date without the time of day; empty for None."""
    if instant is None:
        return ""
    return day_in(instant, zone) if is_plain_date(instant) else in_zone(instant, zone).isoformat(" ", "minutes")[:16]


def moment(instant: dt.datetime | None, zone: dt.tzinfo) -> str:
    """As `day`, with the offset from UTC where there is a time of day."""
    if instant is None or is_plain_date(instant):
        return day(instant, zone)
    return in_zone(instant, zone).isoformat(" ", "minutes")


def isolated(text: str) -> str:
    """`text` on one line, made visible; right-to-left text is isolated, so that it does not reorder what follows."""
    text = visible_line(text)
    if text.isascii() or not any(unicodedata.bidirectional(character) in ("R", "AL") for character in text):
        return text
    return f"\u2068{text}\u2069"


def cut(text: str, columns: int) -> str:
    """The beginning of `text`, on one line, in at most `columns` columns, ending in … if something was cut."""
    text = visible_line(text)
    if width(text) <= columns:
        return text
    room = columns - 1
    taken = 0
    for index, character in enumerate(text):
        taken += _columns(character)
        if taken > room:
            return text[:index].rstrip() + "…"
    return text


def pad(text: str, columns: int, *, right: bool = False) -> str:
    """`text` padded with spaces to `columns`; on the left when `right`."""
    fill = " " * (columns - width(text))
    return fill + text if right else text + fill


def wrap(text: str, columns: int, indent: str = "", *, made_visible: bool = False) -> list[str]:
    """Lines of at most `columns` columns, each with `indent` before it; line breaks in the text stay, long words are broken.

    The text is made visible first, unless it consists of visible text already (and of results of `isolated`).
    """
    room = max(columns - width(indent), 10)
    lines: list[str] = []
    shown = text if made_visible else visible(text)
    for paragraph in shown.expandtabs(4).split("\n"):
        line = ""
        used = 0
        for word in paragraph.split(" "):
            space = 1 if line else 0
            size = width(word)
            if used + space + size <= room:
                line += " " * space + word
                used += space + size
                continue
            if line:
                lines.append(line)
            *full, line = _pieces(word, room)
            lines.extend(full)
            used = width(line)
        lines.append(line)
    return [indent + line if line else "" for line in lines]


def _pieces(word: str, room: int) -> list[str]:
    pieces: list[str] = []
    piece = ""
    used = 0
    for character in word:
        columns = _columns(character)
        if used + columns > room:
            pieces.append(piece)
            piece, used = "", 0
        piece += character
        used += columns
    return [*pieces, piece]


def table(
    headers: Sequence[str], rows: Sequence[Sequence[str]], columns: int, *, right: Sequence[int] = ()
) -> list[str]:
    """Aligned lines: the headers, then one line per row. The last column is cut to the remaining width.

    `right` names the columns that are aligned to the right. No rows give no lines.
    """
    if not rows:
        return []
    cells = [[visible_line(cell) for cell in row] for row in rows]
    widths = [max(width(line[index]) for line in [list(headers), *cells]) for index in range(len(headers))]
    before = sum(widths[:-1]) + 2 * (len(widths) - 1)
    widths[-1] = min(widths[-1], max(columns - before, 20))
    lines = []
    for row in [list(headers), *cells]:
        shown = [cut(cell, widths[index]) for index, cell in enumerate(row)]
        line = "  ".join(pad(cell, widths[index], right=index in right) for index, cell in enumerate(shown))
        lines.append(line.rstrip())
    return lines
