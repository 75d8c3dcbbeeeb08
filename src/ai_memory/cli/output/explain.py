"""The trace of an answer for people: how the question was understood, and every term of a score as a bar.

Bars of one answer share a scale, so that hits can be compared at a glance. Everything comes from the trace of the real run; a
stage that is added to recall appears here under its name.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from ai_memory.cli.output.layout import day, isolated, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.recall.answer import Answer, Asked, Hit, Stage

INDENT = "    "
SMALLEST = 0.005
"""Contributions below this many nats are not drawn."""
_LEAST_BAR = 8
_FIGURE = 7
_MAIN_SHARE = 0.05
"""Stages with a smaller share of the difference between two hits than this are not named."""
_SOURCES = {
    "dense": "semantic search",
    "lexical": "lexical search",
    "graph": "the graph",
    "time": "the time asked for",
    "session": "the session",
}
_EIGHTHS = " ▏▎▍▌▋▊▉"


class Scale(NamedTuple):
    """The common scale of an answer's bars: the greatest term above and below zero, in nats, and the longest name."""

    most: float
    least: float
    names: int

    @classmethod
    def of(cls, hits: Sequence[Hit]) -> Scale:
        """The scale of these hits; those without a trace have no terms."""
        stages = [stage for hit in hits if hit.trace for stage in hit.trace.stages]
        values = [stage.contribution for stage in stages]
        names = max((len(_name(stage)) for stage in stages), default=0)
        return cls(max([*values, 0.0]), min([*values, 0.0]), names)


def question(value: Answer, asked: Asked, screen: Screen) -> Iterator[str]:
    """How the question was understood, where candidates came from, and whether the answer should be trusted."""
    searched = value.searched
    origins = [f"{count:,} from {_SOURCES.get(name, name)}" for name, count in asked.origins.items()]
    memories = "memory" if searched.memories == 1 else "memories"
    rows = {
        "question": isolated(value.question),
        "words": ", ".join(f"{isolated(word.text)} {word.share:.0%}" for word in asked.words) or "none",
        "phrases": ", ".join(f"“{isolated(phrase)}”" for phrase in asked.phrases),
        "times": "; ".join(f"{_local(time.since) or '…'} to {_local(time.until) or '…'}" for time in asked.times),
        "filters": "; ".join(f"{name} {isolated(text)}" for name, text in asked.filters.items()),
        "searched": f"{searched.memories:,} {memories}: {searched.by_words:,} lexically, {searched.by_meaning:,} semantically",
        "candidates": f"{asked.candidates:,}: {', '.join(origins)}" if origins else "none",
        "recipe": value.recipe,
        "answer": f"trusted: {asked.trusted}" if asked.trusted else f"doubtful: {value.reason}",
    }
    longest = max(map(len, rows))
    for name, text in rows.items():
        if not text:
            continue
        first, *rest = wrap(text, screen.width - longest - 2, made_visible=True)
        yield screen.dim(name.ljust(longest)) + "  " + (screen.bold(first) if name in ("question", "answer") else first)
        yield from (" " * (longest + 2) + line for line in rest)
    yield ""


def score(hit: Hit, after: Hit | None, scale: Scale, screen: Screen) -> Iterator[str]:
    """The terms of a hit's score as bars, its rank in each search, its confidence, and its lead over the next hit."""
    trace = hit.trace
    if trace is None:
        return
    yield ""
    for stage in trace.stages:
        if abs(stage.contribution) >= SMALLEST:
            yield INDENT + _row(stage, scale, screen)
    yield ""
    found = [_rank(source, rank, measure) for source, rank, measure in _ranks(hit)]
    found += [f"{_SOURCES['graph']} ({' '.join(map(isolated, trace.path))})"] if trace.path else []
    lines = ["found by " + ("; ".join(found) or "the session of another hit")]
    lines.append(f"confidence {hit.confidence:.0%}: {_sum(trace.certainty)}")
    if after is not None and after.trace is not None:
        lines.append(_lead(hit, after))
    for line in lines:
        yield from (screen.dim(part) for part in wrap(line, screen.width, INDENT, made_visible=True))


def bar(value: float, scale: Scale, columns: int, *, blocks: bool = True) -> tuple[str, str, str]:
    """A bar of exactly `columns` columns in three parts: blanks or the bar below zero, the axis, the bar above zero.

    `blocks` draws in eighths of a column above zero and halves below; else in whole columns of `#`.
    """
    room = columns - 1
    span = scale.most - scale.least
    below = round(room * -scale.least / span) if span > 0.0 else 0
    below = min(max(below, int(scale.least < 0.0)), room - int(scale.most > 0.0))
    above = room - below
    left, right = " " * below, " " * above
    if value > 0.0 and scale.most > 0.0:
        right = _filled(above * value / scale.most, blocks=blocks).ljust(above)[:above]
    elif value < 0.0 and scale.least < 0.0:
        left = _filled_left(below * value / scale.least, blocks=blocks).rjust(below)[-below:]
    return left, "│" if blocks else "|", right


def _filled(length: float, *, blocks: bool) -> str:
    if not blocks:
        return "#" * max(1, round(length))
    eighths = max(1, round(length * 8))
    return "█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()


def _filled_left(length: float, *, blocks: bool) -> str:
    if not blocks:
        return "#" * max(1, round(length))
    halves = max(1, round(length * 2))
    return "▐" * (halves % 2) + "█" * (halves // 2)


def _row(stage: Stage, scale: Scale, screen: Screen) -> str:
    """Name, value times weight, bar, contribution; on a narrow screen without the product."""
    blocks = screen.holds("█▌│×")
    times = f"{stage.value:.2f} {'×' if blocks else 'x'} {stage.weight:.3f}".rjust(15)
    name = _name(stage).ljust(scale.names)
    room = screen.width - len(INDENT) - scale.names - 2 - _FIGURE - 1
    if room - len(times) - 2 >= _LEAST_BAR:
        name, room = f"{name}  {times}", room - len(times) - 2
    left, axis, right = bar(stage.contribution, scale, max(room, _LEAST_BAR), blocks=blocks)
    figure = f"{stage.contribution:+.2f}".rjust(_FIGURE)
    return f"{name}  {screen.bad(left)}{screen.dim(axis)}{screen.good(right)} {figure}"


def _name(stage: Stage) -> str:
    return stage.name.replace("_", " ")


def _ranks(hit: Hit) -> Iterator[tuple[str, int | None, str]]:
    trace = hit.trace
    assert trace is not None
    if trace.cosine is not None:
        yield _SOURCES["dense"], trace.dense_rank, f"cosine {trace.cosine:.2f}"
    if trace.bm25 is not None:
        words = ", ".join(f"“{isolated(word)}”" for word in hit.matched)
        yield _SOURCES["lexical"], trace.lexical_rank, f"BM25 {trace.bm25:.1f}" + (f": {words}" if words else "")


def _rank(source: str, rank: int | None, measure: str) -> str:
    return f"{source}, {'not among the best' if rank is None else f'rank {rank:,}'} ({measure})"


def _sum(stages: Iterable[Stage]) -> str:
    """The signed terms, and their sum."""
    stages = list(stages)
    terms = ", ".join(f"{_name(stage)} {stage.contribution:+.2f}" for stage in stages)
    return f"{terms} = {sum(stage.contribution for stage in stages):+.2f} in log odds"


def _lead(hit: Hit, after: Hit) -> str:
    """By how much a hit leads the next one, and which stages make the difference."""
    assert hit.trace is not None and after.trace is not None
    theirs = {stage.name: stage.contribution for stage in after.trace.stages}
    gains = {_name(stage): stage.contribution - theirs.pop(stage.name, 0.0) for stage in hit.trace.stages}
    gains |= {name.replace("_", " "): -value for name, value in theirs.items()}
    least = max(SMALLEST, _MAIN_SHARE * sum(map(abs, gains.values())))
    ordered = sorted(gains.items(), key=lambda gain: -abs(gain[1]))
    lifts = [f"{name} {gain:+.2f}" for name, gain in ordered if gain >= least]
    pulls = [f"{name} {gain:+.2f}" for name, gain in ordered if gain <= -least]
    lead = f"above {after.rank} by {hit.score - after.score:.2f}"
    parts = [", ".join(lifts) or "by many small differences", f"against it {', '.join(pulls)}" if pulls else ""]
    return f"{lead}: {'; '.join(filter(None, parts))}"


def _local(instant: dt.datetime | None) -> str:
    """As `day`, in the instant's own zone: the days that the question means."""
    return day(instant.replace(tzinfo=dt.UTC) if instant else None, dt.UTC)
