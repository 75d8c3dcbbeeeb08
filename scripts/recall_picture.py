"""Draws docs/recall.svg, how recall works, from the default recipe: its stages, their weights and how many candidates it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.sax.saxutils import escape

from ai_memory.recall.recipe import BALANCED, STAGES
from ai_memory.recall.tuned import BY_LENGTH

WIDTH = 900
_TOP, _LINE, _PAD, _GAP = 64, 17, 14, 30
_LEFT, _MIDDLE, _RIGHT = 20, 321, 622
_COLUMN = 258
_STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de } .box { fill: #f6f8fa; stroke: #8c959f } .ours { fill: #ddf4ff; stroke: #0969da }
  text { font: 12.5px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 16px; font-weight: 600 } .head { font-weight: 600 } .quiet { fill: #57606a }
  .for { fill: #1a7f37 } .against { fill: #cf222e } .arrow { stroke: #57606a; stroke-width: 1.5; fill: none } .tip { fill: #57606a }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #30363d } .box { fill: #161b22; stroke: #656c76 } .ours { fill: #121d2f; stroke: #4493f8 }
    text { fill: #f0f6fc } .quiet { fill: #9198a1 } .for { fill: #3fb950 } .against { fill: #f85149 }
    .arrow { stroke: #9198a1 } .tip { fill: #9198a1 }
  }
"""
ALT = (
    "A question becomes words, phrases and filters; lexical and semantic search score every memory that passes; the best of both, "
    "and their neighbours in the session, are compared by evidence in log odds that adds up to a score; the answer has a "
    "confidence and its reasons"
)


class Box(NamedTuple):
    """A step: its heading, its lines, and where its upper left corner is."""

    head: str
    lines: tuple[str, ...]
    x: int
    y: int
    kind: str = "box"

    @property
    def height(self) -> int:
        """In pixels, from the number of lines."""
        return 2 * _PAD + _LINE * (len(self.lines) + 1) - 5

    @property
    def bottom(self) -> int:
        """Where it ends."""
        return self.y + self.height

    @property
    def middle(self) -> int:
        """Half way down."""
        return self.y + self.height // 2


def recall_picture() -> str:
    """The picture."""
    question = Box("Question", ("in any language",), _LEFT, _TOP)
    plan = Box(
        "Plan",
        (
            "words with their stems, identifiers,",
            "pairs of characters; quoted phrases;",
            "filters on time, scope and kind",
        ),
        _LEFT,
        question.bottom + _GAP,
    )
    mask = Box(
        "Filters", ("which memories may answer at all:", "applied before anything is ranked"), _LEFT, plan.bottom + _GAP
    )
    words = Box("Words", ("BM25 of every memory that passed",), _MIDDLE, _TOP)
    meaning = Box("Meaning", ("the cosine of every passage, int8",), _MIDDLE, words.bottom + _GAP)
    candidates = Box(
        "Candidates",
        (
            f"the best {BALANCED.pool} of each search,",
            f"and {BALANCED.reach} on each side in the session",
            f"of the best {BALANCED.nearest}",
        ),
        _MIDDLE,
        meaning.bottom + _GAP,
    )
    exact = Box(
        "Exact cosines",
        ("from the stored float32 vectors,", "of what may become a hit"),
        _MIDDLE,
        candidates.bottom + _GAP,
    )
    stages = [stage for stage in STAGES if getattr(BALANCED, stage) and not stage.endswith(BY_LENGTH)]
    evidence = Box("Evidence, in log odds", ("", *("" for _ in stages), ""), _RIGHT, _TOP, "ours")
    answer = Box(
        "Answer",
        (
            "one hit per memory: its best passage;",
            "confidence, and whether to trust it;",
            "its surroundings, within a budget",
        ),
        _RIGHT,
        evidence.bottom + _GAP,
    )
    boxes = (question, plan, mask, words, meaning, candidates, exact, evidence, answer)
    height = max(box.bottom for box in boxes) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'aria-label="{escape(ALT)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path class="tip" d="M0 0L8 4L0 8z"/></marker></defs>',
        f'<rect class="paper" x=".5" y=".5" width="{WIDTH - 1}" height="{height - 1}" rx="6"/>',
        _text(_LEFT, 36, "How recall works", "title"),
        *(part for box in boxes for part in _box(box)),
        *_stages(stages, evidence),
        *_arrows(boxes),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _box(box: Box) -> Iterator[str]:
    yield f'<rect class="{box.kind}" x="{box.x}" y="{box.y}" width="{_COLUMN}" height="{box.height}" rx="6"/>'
    y = box.y + _PAD + 10
    yield _text(box.x + _PAD, y, box.head, "head")
    for number, line in enumerate(box.lines, 1):
        if line:
            yield _text(box.x + _PAD, y + number * _LINE, line, "quiet")


def _stages(stages: list[str], box: Box) -> Iterator[str]:
    """A line a stage, and what their sum is."""
    y = box.y + _PAD + 10 + _LINE + 3
    for stage in stages:
        weight = getattr(BALANCED, stage)
        yield _text(box.x + _PAD, y, stage.replace("_", " "))
        by_length = "by length" if getattr(BALANCED, stage + BY_LENGTH, 0.0) else ""
        told = f"{weight:+.3f} {by_length}".strip().replace("-", "−")
        yield _text(box.x + _COLUMN - _PAD, y, told, "for" if weight > 0 else "against", "end")
        y += _LINE
    yield _text(box.x + _PAD, y + 6, "value × weight, added up: the score", "quiet")


def _arrows(boxes: tuple[Box, ...]) -> Iterator[str]:
    question, plan, mask, words, meaning, candidates, exact, evidence, answer = boxes
    for above, below in (
        (question, plan),
        (plan, mask),
        (meaning, candidates),
        (candidates, exact),
        (evidence, answer),
    ):
        yield _arrow(f"M{above.x + _COLUMN // 2} {above.bottom}V{below.y - 1}")
    gap = _MIDDLE - (_LEFT + _COLUMN)
    for search in (words, meaning):
        yield _arrow(f"M{_LEFT + _COLUMN} {mask.middle}h{gap // 2}V{search.middle}H{_MIDDLE - 1}")
    # The words' way to the candidates passes the meaning's box on its right.
    yield _arrow(f"M{_MIDDLE + _COLUMN} {words.middle}h14V{candidates.y + 24}H{_MIDDLE + _COLUMN + 1}")
    yield _arrow(f"M{_MIDDLE + _COLUMN} {exact.middle}h{gap // 2 + 6}V{evidence.middle}H{_RIGHT - 1}")


def _arrow(path: str) -> str:
    return f'<path class="arrow" d="{path}" marker-end="url(#tip)"/>'


def _text(x: int, y: int, text: str, kind: str = "", anchor: str = "start") -> str:
    cls = f' class="{kind}"' if kind else ""
    return f'<text{cls} x="{x}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'
