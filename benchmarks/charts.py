"""Horizontal bars as SVG, for light and dark pages and for screen readers.

The same chart gives the same bytes. The files load nothing and run no script, so they work wherever an image does.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ai_memory import svg

WIDTH = 900
_LEFT, _RIGHT = 285, 645
"""The horizontal range of the bars: labels are on the left, values on the right."""
_ROW, _BAR, _HEAD, _TOP, _GAP, _FOOT = 19, 13, 24, 72, 10, 34
_STYLE = """
  .paper { fill: #ffffff; stroke: #d0d7de } .axis { stroke: #d0d7de } .base { stroke: #57606a }
  text { font: 12px system-ui, -apple-system, "Segoe UI", sans-serif; fill: #1f2328 }
  .title { font-size: 15px; font-weight: 600 } .group { font-weight: 600 } .quiet { fill: #57606a }
  .ours { fill: #0969da } .peer { fill: #8c959f } .missed { fill: #bc4c00 } .target { stroke: #1f2328; stroke-width: 2 }
  @media (prefers-color-scheme: dark) {
    .paper { fill: #0d1117; stroke: #30363d } .axis { stroke: #30363d } .base { stroke: #9198a1 }
    text { fill: #f0f6fc } .quiet { fill: #9198a1 } .target { stroke: #f0f6fc }
    .ours { fill: #4493f8 } .peer { fill: #656c76 } .missed { fill: #f0883e }
  }
"""


@dataclass(frozen=True)
class Bar:
    """One measured value. `kind` is `ours`, `peer` or `missed` and sets the colour."""

    name: str
    """The name of its row; shown when the pointer rests on it, and read aloud."""
    label: str
    value: float
    shown: str
    """The value with its unit, and its target if it has one."""
    kind: str = "ours"
    target: float | None = None
    """On the same scale as `value`; drawn as a mark across the bar."""


@dataclass(frozen=True)
class Chart:
    """Groups of bars under one title. They begin at 0, on a logarithmic scale at 1, where they end at `most` or 1/`most`."""

    title: str
    about: str
    """One line: the unit, which way is better, what a mark means."""
    groups: Sequence[tuple[str, Sequence[Bar]]]
    source: str
    """One line at the foot: what was measured where."""
    logarithmic: bool = False
    most: float = 0.0
    """The end of the scale; 0 takes the largest value or target."""


def draw(chart: Chart) -> str:
    """The chart as one SVG document. A chart without bars raises ValueError."""
    bars = [bar for _, group in chart.groups for bar in group]
    if not bars:
        raise ValueError(f"the chart {chart.title!r} has no bars")
    scale = _Scale(bars, logarithmic=chart.logarithmic, most=chart.most)
    body, bottom = _groups(chart.groups, scale)
    height = bottom + _FOOT
    parts = [
        svg.title(chart.title, id="title"),
        svg.element("desc", svg.escape(_read_out(chart)), id="about"),
        svg.element("style", _STYLE),
        svg.rect(0.5, 0.5, WIDTH - 1, height - 1, class_="paper", rx=6),
        svg.text(16, 26, chart.title, class_="title"),
        svg.text(16, 46, chart.about, class_="quiet"),
        *_axis(scale, bottom),
        *body,
        svg.text(16, height - 12, chart.source, class_="quiet"),
    ]
    labelled = {"role": "img", "aria_labelledby": "title about"}
    return svg.document((0, 0, WIDTH, height), *parts, width=WIDTH, height=height, **labelled) + "\n"


class _Scale:
    """From a value to a horizontal position between the labels and the values."""

    def __init__(self, bars: Sequence[Bar], *, logarithmic: bool, most: float) -> None:
        largest = max(max(bar.value, bar.target or 0.0) for bar in bars)
        self.logarithmic = logarithmic
        self.most = most or largest or 1.0
        self.base = self.place(1.0 if logarithmic else 0.0)

    def place(self, value: float) -> float:
        """The position, in pixels; values beyond the scale are at its ends."""
        share = math.log(max(value, 1e-9), self.most) / 2 + 0.5 if self.logarithmic else value / self.most
        return round(_LEFT + (_RIGHT - _LEFT) * min(1.0, max(0.0, share)), 1)

    def ticks(self) -> list[float]:
        """About five round values."""
        if self.logarithmic:
            powers = range(-int(math.log2(self.most)), int(math.log2(self.most)) + 1)
            return [2.0**power for power in powers]
        step = 10.0 ** math.floor(math.log10(self.most / 2))
        step *= next(each for each in (1, 2, 5, 10) if self.most / (step * each) <= 6)
        return [step * count for count in range(int(self.most / step) + 1)]


def _axis(scale: _Scale, bottom: int) -> Iterator[str]:
    for tick in scale.ticks():
        at = scale.place(tick)
        kind = "base" if at == scale.base else "axis"
        shown = f"{tick:,g}" if tick >= 1 or not scale.logarithmic else f"1/{1 / tick:g}"
        yield svg.line(at, _TOP, at, bottom, class_=kind)
        yield svg.text(at, _TOP - 4, shown, class_="quiet", text_anchor="middle")


def _groups(groups: Sequence[tuple[str, Sequence[Bar]]], scale: _Scale) -> tuple[list[str], int]:
    """The lines of all groups, and where they end."""
    lines: list[str] = []
    y = _TOP + 4
    for name, bars in groups:
        if name:
            lines.append(svg.text(16, y + 15, name, class_="group"))
            y += _HEAD
        for bar in bars:
            lines.append(_bar(bar, scale, y))
            y += _ROW
        y += _GAP
    return lines, y


def _bar(bar: Bar, scale: _Scale, y: int) -> str:
    ends = sorted((scale.base, scale.place(bar.value)))
    width = max(1.0, round(ends[1] - ends[0], 1))
    middle = y + 10.5
    parts = [
        svg.title(f"{bar.name}: {bar.shown}"),
        svg.text(_LEFT - 8, y + 14, bar.label, text_anchor="end"),
        svg.rect(ends[0], y + 4, width, _BAR, class_=bar.kind, rx=2),
    ]
    if bar.target is not None:
        at = scale.place(bar.target)
        parts.append(svg.line(at, middle - 9, at, middle + 9, class_="target"))
        ends.append(at)
    after = _RIGHT if scale.logarithmic else max(ends)
    parts.append(svg.text(round(after + 8, 1), y + 14, bar.shown))
    return svg.element("g", *parts)


def _read_out(chart: Chart) -> str:
    """The whole chart as sentences, for screen readers."""
    groups = [
        (f"{name}: " if name else "") + "; ".join(f"{bar.label} {bar.shown}" for bar in bars) + "."
        for name, bars in chart.groups
    ]
    return " ".join([f"{chart.about}.", *groups, f"{chart.source}."])
