"""Draws docs/truth.svg: what is decided about a fact, when and by whom, and what never happens by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ai_memory import svg
from ai_memory.truth.ageing import ALWAYS_ALLOWED
from ai_memory.truth.compare import CERTAIN, PROPOSED

WIDTH = 900
_LEFT, _TOP, _LINE, _PAD, _GAP = 20, 56, 17, 14, 14
_COLUMNS = (20, 180, 500, 730)
"""Where the columns begin: the moment, what happens, who decides, how it is undone."""
_STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de } .box { fill: #f6f8fa; stroke: #8c959f } .never { fill: #fff5f5; stroke: #cf222e }
  text { font: 12.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } .quiet { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #30363d } .box { fill: #161b22; stroke: #656c76 } .never { fill: #25171a; stroke: #f85149 }
    text { fill: #f0f6fc } .quiet { fill: #9198a1 }
  }
"""
ALT = (
    "At a write the same key ends the value before it, and what seems to replace another memory is proposed; a person or a program "
    "that may decides; at a question the newest rival comes first and copies fold; in the background only what a setting names is "
    "done, behind a brake. Nothing ends, hides or is erased by similarity alone"
)


class Row(NamedTuple):
    """One moment: its name, and for each of the other columns its lines."""

    moment: str
    happens: tuple[str, ...]
    decides: tuple[str, ...]
    undone: tuple[str, ...]

    @property
    def height(self) -> int:
        """In pixels, from the longest of its columns."""
        return 2 * _PAD + _LINE * max(len(self.happens), len(self.decides), len(self.undone)) - 5


ROWS = (
    Row(
        "At a write",
        ("the same key: the value before ends;", "expires_at and ttl: when it lapses"),
        ("the caller, exactly",),
        ("revise; forget",),
    ),
    Row(
        "At a write",
        ("another value of the same, or its end:", f"proposed from {PROPOSED:.0%} sure on"),
        ("a person, or a program that may;", f"on_conflict=supersede: from {CERTAIN:.0%} on"),
        ("review undo:", "byte for byte"),
    ),
    Row(
        "At a question",
        ("the newest rival first, earlier ones marked;", "copies fold into one hit;", "what has lapsed is left out"),
        ("recall, each time again:", "nothing is stored"),
        ("nothing to undo",),
    ),
    Row(
        "On request",
        ("consolidate: a digest that cites its sources,", "copies proposed"),
        ("who asks, after a dry run",),
        ("forget the digest",),
    ),
    Row(
        "In the background",
        (
            "what expired is erased;",
            "proposals that nobody decides are laid aside;",
            f"more than a share, and than {ALWAYS_ALLOWED}: it stops and asks",
        ),
        ("a setting that a person made;", "both are off by default"),
        ("erased is erased;", "review undo"),
    ),
)
NEVER = (
    "Similarity alone ends no memory, hides none and changes none.",
    "A rejected proposal does not come back, neither by an import nor when the same texts are stored again.",
    "No model is recorded as a person; who decided is known by the way the call came in.",
    "Nothing in the background erases, unless a person has set that it may.",
)


def truth_picture() -> str:
    """The picture."""
    parts: list[str] = []
    y = _TOP + 24
    places = []
    for row in ROWS:
        places.append(y)
        parts += _row(row, y)
        y += row.height + _GAP
    never_height = 2 * _PAD + _LINE * (len(NEVER) + 1) - 5
    parts += _never(y + 4, never_height)
    height = y + 4 + never_height + 20
    heads = ("", "what happens", "who decides", "how it is undone")
    inside = [
        svg.element("style", _STYLE),
        svg.rect(0.5, 0.5, WIDTH - 1, height - 1, class_="paper", rx=6),
        svg.text(_LEFT, 34, "What is decided about a fact, and when", class_="title"),
        *(svg.text(x + _PAD, _TOP + 12, head, class_="quiet") for x, head in zip(_COLUMNS, heads, strict=True) if head),
        *parts,
    ]
    return svg.document((0, 0, WIDTH, height), *inside, width=WIDTH, height=height, role="img", aria_label=ALT) + "\n"


def _row(row: Row, y: int) -> Iterator[str]:
    yield svg.rect(_LEFT, y, WIDTH - 2 * _LEFT, row.height, class_="box", rx=6)
    yield svg.text(_COLUMNS[0] + _PAD, y + _PAD + 10, row.moment, class_="head")
    for x, lines in zip(_COLUMNS[1:], row[1:], strict=True):
        for number, line in enumerate(lines):
            yield svg.text(x + _PAD, y + _PAD + 10 + number * _LINE, line, class_="quiet" if x != _COLUMNS[1] else None)


def _never(y: int, height: int) -> Iterator[str]:
    yield svg.rect(_LEFT, y, WIDTH - 2 * _LEFT, height, class_="never", rx=6)
    yield svg.text(_LEFT + _PAD, y + _PAD + 10, "Never by itself", class_="head")
    for number, line in enumerate(NEVER, 1):
        yield svg.text(_LEFT + _PAD, y + _PAD + 10 + number * _LINE, line)
