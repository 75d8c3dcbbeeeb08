"""Runs as a table for people and as JSON for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from ai_memory.evaluate.comparing import compare
from ai_memory.evaluate.run import Run
from ai_memory.evaluate.significance import Difference

SHOWN = ("R@1", "R@5", "R@10", "R@50", "MRR", "nDCG@10")
"""The measures of a report, in order."""
ABLATED = ("R@10", "nDCG@10")
"""The measures that a stage is judged by."""


def as_json(runs: Sequence[Run]) -> str:
    """`{"runs": [{"name", "n", "metrics", "categories", "latency_ms", "trust"}]}`, figures to four decimals.

    `categories` has the same measures with `n` for each category; `latency_ms` has `p50` and `p95`; `trust` the fields of `Trust`.
    """
    return msgspec.json.format(msgspec.json.encode({"runs": [_as_dict(run) for run in runs]}), indent=1).decode()


def as_table(name: str, runs: Sequence[tuple[str, Run]]) -> str:
    """One data set: one line per run, then R@10 by category. `runs` have labels; the last is the one that bounds are given for."""
    shown = [run for _, run in runs if run.questions]
    if not shown:
        return f"{name}: no question has a relevant document\n"
    width = max(len(label) for label, _ in runs)
    lines = [
        f"{name} (n={len(shown[0].questions)})",
        f"  {'':{width}}  " + "".join(f"{key:>8}" for key in SHOWN) + "   p50 ms  p95 ms",
    ]
    for label, run in runs:
        figures = "".join(f"{run.metrics[key]:8.3f}" for key in SHOWN)
        lines.append(f"  {label:{width}}  {figures}  {run.latency_ms(0.5):7.1f} {run.latency_ms(0.95):7.1f}")
    lines += _bounds(shown[-1])
    lines += _trust(shown[-1])
    if len(shown[0].categories) > 1:
        lines.append("  R@10 by category")
        for label, run in runs:
            parts = (f"{name} {means['R@10']:.3f} ({n})" for name, (n, means) in run.categories.items())
            lines.append(f"  {label:{width}}  " + " · ".join(parts))
    rejected = max(run.rejected for _, run in runs)
    if rejected:
        lines.append(f"  {rejected} documents were rejected and are not in the store")
    return "\n".join(lines) + "\n"


def as_ablation(recall: Run, without: Sequence[tuple[str, Run]]) -> str:
    """What each stage contributes: the recipe compared with the same recipe without that stage."""
    lines = ["  what each stage brings (95 % bounds; * where they leave out 0)"]
    width = max(len(stage) for stage, _ in without)
    for stage, run in without:
        _, found = compare(recall, run, ABLATED)
        lines.append(f"  {stage:{width}}  " + "   ".join(f"{name} {_gain(gain)}" for name, gain in found.items()))
    return "\n".join(lines) + "\n"


def as_comparison(run: Run, before: Run) -> str:
    """This run compared with a saved one: the paired difference of each measure, over the questions that both have."""
    shared, found = compare(run, before, SHOWN)
    lines = [f"  against the run before ({shared} shared questions; 95 % bounds, p of the sign-flip test)"]
    lines += [f"  {name:8} {_gain(gain)}   p {gain.p:.4f}" for name, gain in found.items()]
    return "\n".join(lines) + "\n"


def _gain(gain: Difference) -> str:
    return f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]{'*' if gain.clear else ' '}"


def _bounds(run: Run) -> Iterator[str]:
    """The bounds of a run, and the mean size of its answers."""
    intervals = {name: run.interval(name) for name in ABLATED}
    bounds = " · ".join(f"{name} {low:.3f} to {high:.3f}" for name, (_, low, high) in intervals.items())
    yield f"  95 % bounds: {bounds}; {run.tokens:,.0f} tokens per answer"


def _trust(run: Run) -> Iterator[str]:
    """What the confidence of the best hits is worth."""
    found = run.trust
    if found is None:
        return
    yield (
        f"  best hit: {found.right:.1%} right at a confidence of {found.confidence:.1%}, calibration error {found.ece:.3f}; "
        f"{found.abstained:.1%} abstained"
    )
    if found.recognised is not None:
        apart = "" if found.auc is None else f", AUC {found.auc:.3f} against the right ones"
        yield f"  unanswerable questions ({found.unanswerable}): {found.recognised:.1%} abstained{apart}"


def _as_dict(run: Run) -> dict[str, Any]:
    found = run.trust
    trust = (
        {}
        if found is None
        else {"trust": {name: _rounded(value) for name, value in msgspec.structs.asdict(found).items()}}
    )
    return {
        "name": run.name,
        "n": len(run.questions),
        "metrics": _figures(run.metrics),
        "categories": {name: {"n": n, **_figures(means)} for name, (n, means) in run.categories.items()},
        "latency_ms": {"p50": round(run.latency_ms(0.5), 3), "p95": round(run.latency_ms(0.95), 3)},
        **trust,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def _figures(means: dict[str, float]) -> dict[str, float]:
    return {name: round(means[name], 4) for name in SHOWN if name in means}
