"""Draws docs/recall.svg, how recall works, from the default recipe: its stages, their weights and how many candidates it takes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from ai_memory import svg
from ai_memory.recall.recipe import BALANCED, IN_DIALOGUE, STAGES

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
    "A question becomes words, phrases and filters; lexical and semantic search cover every memory that passes the filters; the "
    "best of both, and their neighbours in the session, are scored by evidence in log odds; the answer has a confidence and its "
    "reasons"
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
    words = Box("Lexical search", ("BM25 of every memory that passed",), _MIDDLE, _TOP)
    meaning = Box("Semantic search", ("the cosine of every passage, int8",), _MIDDLE, words.bottom + _GAP)
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
        ("from the stored float32 vectors,", "of the possible hits"),
        _MIDDLE,
        candidates.bottom + _GAP,
    )
    stages = [stage for stage in STAGES if getattr(BALANCED, stage) and not stage.endswith(IN_DIALOGUE)]
    evidence = Box("Evidence, in log odds", ("", *("" for _ in stages), ""), _RIGHT, _TOP, "ours")
    answer = Box(
        "Answer",
        (
            "per memory, its best passage;",
            "confidence, and whether to trust it;",
            "its surroundings, within a budget",
        ),
        _RIGHT,
        evidence.bottom + _GAP,
    )
    boxes = (question, plan, mask, words, meaning, candidates, exact, evidence, answer)
    height = max(box.bottom for box in boxes) + 24
    parts = [
        svg.element("style", _STYLE),
        svg.arrow_head("tip", end=7, class_="tip"),
        svg.rect(0.5, 0.5, WIDTH - 1, height - 1, class_="paper", rx=6),
        svg.text(_LEFT, 36, "How recall works", class_="title"),
        *(part for box in boxes for part in _box(box)),
        *_stages(stages, evidence),
        *_arrows(boxes),
    ]
    box = (0, 0, WIDTH, height)
    return svg.document(box, *parts, width=WIDTH, height=height, role="img", aria_label=ALT) + "\n"


def _box(box: Box) -> Iterator[str]:
    yield svg.rect(box.x, box.y, _COLUMN, box.height, class_=box.kind, rx=6)
    y = box.y + _PAD + 10
    yield svg.text(box.x + _PAD, y, box.head, class_="head")
    for number, line in enumerate(box.lines, 1):
        if line:
            yield svg.text(box.x + _PAD, y + number * _LINE, line, class_="quiet")


def _stages(stages: list[str], box: Box) -> Iterator[str]:
    """One line per stage, and a line about their sum."""
    y = box.y + _PAD + 10 + _LINE + 3
    for stage in stages:
        weight = getattr(BALANCED, stage)
        yield svg.text(box.x + _PAD, y, stage.replace("_", " "))
        in_dialogue = "in dialogue" if getattr(BALANCED, stage + IN_DIALOGUE, 0.0) else ""
        shown = f"{weight:+.3f} {in_dialogue}".strip().replace("-", "−")
        sign = "for" if weight > 0 else "against"
        yield svg.text(box.x + _COLUMN - _PAD, y, shown, class_=sign, text_anchor="end")
        y += _LINE
    yield svg.text(box.x + _PAD, y + 6, "value × weight, added up: the score", class_="quiet")


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
    # The arrow from the lexical search to the candidates passes the box of the semantic search on its right.
    yield _arrow(f"M{_MIDDLE + _COLUMN} {words.middle}h14V{candidates.y + 24}H{_MIDDLE + _COLUMN + 1}")
    yield _arrow(f"M{_MIDDLE + _COLUMN} {exact.middle}h{gap // 2 + 6}V{evidence.middle}H{_RIGHT - 1}")


def _arrow(path: str) -> str:
    return svg.path(path, class_="arrow", marker_end="url(#tip)")
