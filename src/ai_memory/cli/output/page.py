"""A page of the documentation on a terminal: Markdown to lines of a given width.

Paragraphs are wrapped, code blocks are kept as they are, a table is aligned where it fits, has wrapped cells where it does not,
and becomes one block per row where its columns would be too narrow to read. Only the Markdown that the pages use is understood.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

from ai_memory.cli.output.layout import pad, width, wrap
from ai_memory.cli.output.screen import Screen

NARROWEST_COLUMN = 14
"""Columns of a table's cell below which one block per row reads better."""
_GAP = 2

_HEADING = re.compile(r"(#{1,6}) (.*)")
_ITEM = re.compile(r"( *)([-*]|\d+\.) (.*)")
_FENCE = re.compile(r" *```")
_TABLE_RULE = re.compile(r"\|[\s:|-]+\|$")
_COMMENT = re.compile(r"<!--.*?-->\n?", re.DOTALL)
_PICTURE = re.compile(r"!\[([^\]]*)\]\([^)]*\)")
_LINK = re.compile(r"\[((?:[^\[\]]|\[[^\]]*\])+)\]\(([^)\s]+)\)")
_ADDRESS = re.compile(r"<(https?://[^>]+)>")
_STRONG = re.compile(r"\*\*(.+?)\*\*")


def rendered(markdown: str, screen: Screen, names: Collection[str]) -> Iterator[str]:
    """The lines of a page for `screen`, at most as wide as it, code blocks aside; `names` are the pages that a link may name."""
    blank = True
    markdown = _LINK.sub(lambda link: _link(link, names), _PICTURE.sub(r"[picture: \1]", _COMMENT.sub("", markdown)))
    for block in _blocks(markdown):
        if not blank:
            yield ""
        for line in _shown(block, screen):
            yield line
            blank = False


def _blocks(markdown: str) -> Iterator[list[str]]:
    """Headings, fenced code, tables, list items and paragraphs, as their lines."""
    block: list[str] = []
    fenced = False
    for line in markdown.splitlines():
        if _FENCE.match(line) and (fenced or not line.startswith("    ")):
            if not fenced and block:
                yield block
                block = []
            block.append(line)
            if fenced:
                yield block
                block = []
            fenced = not fenced
            continue
        starts = bool(_HEADING.match(line)) or (bool(block) and line.startswith("|") != block[0].startswith("|"))
        if not fenced and block and (not line.strip() or starts or bool(_HEADING.match(block[0]))):
            yield block
            block = []
        if fenced or line.strip():
            block.append(line)
    if block:
        yield block


def _shown(block: list[str], screen: Screen) -> list[str]:
    first = block[0]
    if heading := _HEADING.match(first):
        return _heading(len(heading[1]), _inline(heading[2]), screen)
    if _FENCE.match(first):
        return [f"    {line}".rstrip() for line in block[1:-1]]
    if first.startswith("    ") and not _ITEM.match(first):
        return [line.rstrip() for line in block]
    if len(block) > 1 and _TABLE_RULE.match(block[1]):
        rows = [_cells(line) for line in (first, *block[2:])]
        return _table(rows[0], rows[1:], screen)
    return _paragraphs(block, screen)


def _heading(level: int, text: str, screen: Screen) -> list[str]:
    if level > 2 or screen.colour:
        return [screen.bold(text)]
    return [text, ("=" if level == 1 else "-") * width(text)]


def _paragraphs(block: list[str], screen: Screen) -> list[str]:
    """A paragraph, or the items of a list, each wrapped and with its continuation lines indented."""
    parts: list[tuple[str, str]] = []
    for line in block:
        item = _ITEM.match(line)
        if item:
            parts.append((f"{item[1]}{item[2]} ", item[3]))
        elif parts:
            parts[-1] = (parts[-1][0], f"{parts[-1][1]} {line.strip()}")
        else:
            parts.append(("", line.strip()))
    lines: list[str] = []
    for mark, text in parts:
        indent = " " * len(mark)
        wrapped = wrap(_inline(text), screen.width - len(mark))
        lines += [(mark if number == 0 else indent) + line for number, line in enumerate(wrapped)]
    return lines


def _inline(text: str) -> str:
    """`text` without the marks of addresses and strong words; those of code and of examples stay."""
    return _STRONG.sub(r"\1", _ADDRESS.sub(r"\1", text))


def _link(link: re.Match[str], names: Collection[str]) -> str:
    """A link's words, and how to follow it from the terminal."""
    words, target = link[1], link[2].partition("#")[0]
    if target.startswith("http"):
        return f"{words} ({target})"
    name = target.removesuffix(".md")
    return f"{words} (help {name})" if name in names else words


def _cells(line: str) -> list[str]:
    cells = re.split(r"(?<!\\)\|", line.strip().strip("|"))
    return [_inline(cell.strip().replace("\\|", "|")) for cell in cells]


def _table(headers: list[str], rows: list[list[str]], screen: Screen) -> list[str]:
    count = len(headers)
    rows = [(row + [""] * count)[:count] for row in rows]
    natural = [max(width(row[index]) for row in [headers, *rows]) for index in range(count)]
    columns = _column_widths(natural, screen.width - _GAP * (count - 1))
    if any(given < min(full, NARROWEST_COLUMN) for given, full in zip(columns, natural, strict=True)):
        return _row_blocks(headers, rows, screen)
    lines = _row(headers, columns)
    lines.append((" " * _GAP).join("-" * column for column in columns))
    for row in rows:
        lines += _row(row, columns)
    return lines


def _column_widths(natural: Sequence[int], room: int) -> list[int]:
    """The room of each column: its own width where there is enough, else the wide ones share what the narrow ones leave."""
    widths = list(natural)
    open_columns = set(range(len(natural)))
    while open_columns and sum(widths) > room:
        left = room - sum(widths[index] for index in range(len(widths)) if index not in open_columns)
        share = max(left // len(open_columns), 1)
        narrow = {index for index in open_columns if natural[index] <= share}
        if not narrow:
            for index in open_columns:
                widths[index] = share
            break
        open_columns -= narrow
    return widths


def _row(cells: Sequence[str], columns: Sequence[int]) -> list[str]:
    wrapped = [wrap(cell, column) for cell, column in zip(cells, columns, strict=True)]
    lines = []
    for parts in zip_longest(*wrapped, fillvalue=""):
        padded = [pad(part, column) for part, column in zip(parts, columns, strict=True)]
        lines.append((" " * _GAP).join(padded).rstrip())
    return lines


def _row_blocks(headers: Sequence[str], rows: Sequence[Sequence[str]], screen: Screen) -> list[str]:
    lines: list[str] = []
    for number, row in enumerate(rows):
        lines += [""] if number else []
        for header, cell in zip(headers, row, strict=True):
            if cell:
                label = f"{header}: " if header else ""
                first, *more = wrap(label + cell, screen.width - 2)
                lines += [first, *(f"  {line}" for line in more)]
    return lines
