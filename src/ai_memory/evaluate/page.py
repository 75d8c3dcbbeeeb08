"""Runs as one page of HTML with charts, complete in itself: no script, no style sheet, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from ai_memory import svg
from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.comparing import compare
from ai_memory.evaluate.report import ABLATED, SHOWN
from ai_memory.evaluate.run import Run

_WIDTH, _BAR, _LABEL, _FIGURE = 860, 22, 330, 120
_STYLE = """
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fdfdfb; --bar: #4c7a9c; --bound: #1c2430; --line: #d8d8d2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6e8; --paper: #15191e; --bar: #6ea3c8; --bound: #e4e6e8; --line: #353b42; }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .75rem; text-align: right; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { text-align: left; }
svg text { fill: var(--ink); font: 13px system-ui, sans-serif; }
"""


Ablation = tuple[Run, Sequence[tuple[str, Run]]]
"""A run, and the runs of its recipe without each of its stages, by their names."""


def write(runs: Sequence[Run], file: Path, ablations: Sequence[Ablation] = ()) -> None:
    """Write the page. Raises InvalidInputError where the file cannot be written."""
    try:
        file.write_text(render(runs, ablations), encoding="utf-8")
    except OSError as error:
        raise InvalidInputError(
            f"cannot write {file}: {error.strerror}", hint="give a place that can be written"
        ) from error


def render(runs: Sequence[Run], ablations: Sequence[Ablation] = ()) -> str:
    """The page: R@10 with its bounds for every run, all measures in a table, R@10 by category, and what each stage brings."""
    shown = [run for run in runs if run.questions]
    parts = [
        _chart(
            "R@10, with 95 % bounds", [(f"{run.name} ({len(run.questions)})", *run.interval("R@10")) for run in shown]
        )
    ]
    parts.append(_table(shown))
    for run in shown:
        if len(run.categories) > 1:
            bars = [(f"{name} ({n})", means["R@10"], None, None) for name, (n, means) in run.categories.items()]
            parts.append(_chart(f"{run.name}: R@10 by category", bars))
    for ours, without in ablations:
        if ours.questions and without:
            parts += [_gains(f"{ours.name}: what each stage brings, {name}", ours, without, name) for name in ABLATED]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Recall, measured</title>'
        f"<style>{_STYLE}</style></head><body><h1>Recall, measured</h1>\n{chr(10).join(parts)}\n</body></html>\n"
    )


def _gains(title: str, ours: Run, without: Sequence[tuple[str, Run]], measure: str) -> str:
    """Paired differences about a line at 0, with their bounds; those whose bounds leave out 0 stand out."""
    rows = [(stage.replace("_", " "), compare(ours, run, [measure])[1][measure]) for stage, run in without]
    most = max((max(abs(gain.low), abs(gain.high)) for _, gain in rows), default=0.0) or 1.0
    middle = _LABEL + (_WIDTH - _LABEL - _FIGURE) / 2
    scale = (_WIDTH - _LABEL - _FIGURE) / 2 / most
    height = _BAR * len(rows) + 8
    drawn = [svg.path(f"M{middle:.1f} 0V{height}", stroke="var(--line)")]
    for at, (label, gain) in enumerate(rows):
        row = _Row(at, drawn)
        left, length = min(middle, middle + scale * gain.mean), abs(scale * gain.mean)
        row.label(label)
        row.bar(left, length, opacity=1 if gain.clear else 0.45)
        row.bounds(middle + scale * gain.low, middle + scale * gain.high)
        row.figure(f"{gain.mean:+.3f}{'*' if gain.clear else ''}")
    return _figure(f"{title}, with 95 % bounds (* where they leave out 0)", height, drawn)


def _table(runs: Sequence[Run]) -> str:
    head = "".join(
        f"<th>{escape(name)}</th>" for name in ("data set", "questions", *SHOWN, "p50 ms", "p95 ms", "tokens")
    )
    rows = []
    for run in runs:
        cells = [escape(run.name), str(len(run.questions)), *(f"{run.metrics[name]:.3f}" for name in SHOWN)]
        cells += [f"{run.latency_ms(0.5):.1f}", f"{run.latency_ms(0.95):.1f}", f"{run.tokens:,.0f}"]
        rows.append("<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>")
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _chart(title: str, bars: Sequence[tuple[str, float, float | None, float | None]]) -> str:
    """Horizontal bars from 0 to 1, each with its label, its bounds where there are any, and its figure."""
    height = _BAR * len(bars) + 8
    room = _WIDTH - _LABEL - _FIGURE
    drawn: list[str] = []
    for at, (label, mean, low, high) in enumerate(bars):
        row = _Row(at, drawn)
        row.label(label)
        row.bar(_LABEL, room * mean)
        figure = f"{mean:.3f}"
        if low is not None and high is not None:
            row.bounds(_LABEL + room * low, _LABEL + room * high)
            figure += f" ± {(high - low) / 2:.3f}"
        row.figure(figure)
    return _figure(title, height, drawn)


class _Row:
    """One row of a chart, drawn into `into`."""

    def __init__(self, at: int, into: list[str]) -> None:
        self._top = at * _BAR + 8
        self._middle = at * _BAR + 4 + _BAR // 2
        self._into = into

    def label(self, text: str) -> None:
        self._into.append(svg.text(0, self._middle + 4, text))

    def bar(self, left: float, length: float, **attributes: float) -> None:
        bar = svg.rect(round(left, 1), self._top, round(length, 1), _BAR - 8, fill="var(--bar)", **attributes)
        self._into.append(bar)

    def bounds(self, low: float, high: float) -> None:
        self._into.append(svg.path(f"M{low:.1f} {self._middle}H{high:.1f}", stroke="var(--bound)", stroke_width=2))

    def figure(self, text: str) -> None:
        self._into.append(svg.text(_WIDTH - _FIGURE + 8, self._middle + 4, text))


def _figure(title: str, height: int, drawn: Sequence[str]) -> str:
    chart = svg.element("svg", *drawn, viewBox=f"0 0 {_WIDTH} {height}", width="100%", role="img", aria_label=title)
    return f"<h2>{escape(title)}</h2>{chart}"
