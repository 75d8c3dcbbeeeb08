"""`ai-memory tune`: fit the weights of recall to judged questions, and keep them only where held-out questions gain by it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.comparing import compare
from ai_memory.evaluate.datasets import Group
from ai_memory.evaluate.fitting import Example, Values, fit
from ai_memory.evaluate.run import Harness, Judged, Measured, Run
from ai_memory.evaluate.significance import Difference
from ai_memory.recall.answer import Answer
from ai_memory.recall.recipe import IN_DIALOGUE, NEWEST, STAGES, Recipe, fitted, without
from ai_memory.recall.tuned import Tuned, encode, scaled

FEWEST = 10
"""The least number of judged questions to fit to."""
CANDIDATES = 100
"""Hits per question whose stages are fitted to."""
MEASURES = ("R@10", "MRR", "nDCG@10")
_DECIMALS = 4


class Fit(Struct, frozen=True, kw_only=True):
    """What a fit changed, and what it gained on the questions of folds that it did not see."""

    base: Recipe
    recipe: Recipe
    embedder: str | None
    questions: int
    folds: int
    before: Run
    after: Run
    gains: dict[str, Difference]

    @property
    def weights(self) -> dict[str, tuple[float, float]]:
        """Each stage's weight as it was and as it was fitted, by name."""
        return {stage: (old, getattr(self.recipe, stage)) for stage in STAGES if (old := getattr(self.base, stage))}

    @property
    def real(self) -> bool:
        """Return whether held-out questions are clearly ranked better, and no measure is clearly worse."""
        gains = self.gains.values()
        better = any(self.gains[name].low > 0.0 for name in ("R@10", "nDCG@10"))
        return better and not any(gain.high < 0.0 for gain in gains)


def tune(harness: Harness, groups: Sequence[Group], base: Recipe, *, folds: int = 5) -> Fit:
    """Fit a recipe to all questions, and measure on each fold what a fit to the other folds gives.

    No two folds share a group or, where there is only one group, a document that answers. Raises InvalidInputError where there are
    fewer than `FEWEST` questions, or where they cannot be divided.
    """
    base = fitted(base, harness.embedder or "")
    questions = harness.judged(groups)
    parts = _folds(questions, folds)
    stages = tuple(stage for stage in STAGES if getattr(base, stage) and not stage.endswith(IN_DIALOGUE))
    answers = harness.explained(questions, without(base, NEWEST), CANDIDATES)
    examples = [_example(one, answer, stages) for one, answer in zip(questions, answers, strict=True)]
    before = Run(name="before", questions=tuple(harness.measure("before", questions, base)))
    measured: list[Measured] = []
    for number, part in enumerate(parts, 1):
        others = [examples[at] for at in range(len(questions)) if at not in part]
        recipe = _recipe(base, stages, fit(others, len(stages)))
        measured += harness.measure(f"fold {number} of {len(parts)}", [questions[at] for at in sorted(part)], recipe)
    after = Run(name="after", questions=tuple(measured))
    _, gains = compare(after, before, MEASURES)
    recipe = _recipe(base, stages, fit(examples, len(stages)))
    return Fit(
        base=base,
        recipe=recipe,
        embedder=harness.embedder,
        questions=len(questions),
        folds=len(parts),
        before=before,
        after=after,
        gains=gains,
    )


def write(found: Fit, file: Path) -> None:
    """Write the recipe's file. Raises InvalidInputError where it cannot be written."""
    held_out = {
        name: {
            "before": found.before.metrics[name],
            "after": found.after.metrics[name],
            "low": gain.low,
            "high": gain.high,
        }
        for name, gain in found.gains.items()
    }
    weights = {stage: tuned for stage, (_, tuned) in found.weights.items()}
    tuned = Tuned(base=found.base.name, embedder=found.embedder, weights=weights, held_out=held_out)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(encode(tuned))
    except OSError as error:
        raise InvalidInputError(
            f"cannot write {file}: {error.strerror}", hint="give a path that can be written with --output"
        ) from error


def as_dict(found: Fit, written: Path | None) -> dict[str, Any]:
    """The fit for programs: `{"base", "questions", "folds", "weights", "held_out", "real", "written"}`."""
    return {
        "base": found.base.name,
        "questions": found.questions,
        "folds": found.folds,
        "weights": {stage: {"shipped": old, "tuned": new} for stage, (old, new) in found.weights.items()},
        "held_out": {
            name: {"before": found.before.metrics[name], "after": found.after.metrics[name], **gain._asdict()}
            for name, gain in found.gains.items()
        },
        "real": found.real,
        "written": None if written is None else str(written),
    }


def as_lines(found: Fit) -> Iterator[str]:
    """The fit for people: weights before and after, then the measures on held-out questions before and after."""
    yield f"{found.base.name}, fitted to {found.questions} questions; measured in {found.folds} folds, each on a fit to the others"
    yield ""
    yield f"  {'stage':16} {'shipped':>9} {'tuned':>9}"
    for stage, (old, new) in found.weights.items():
        yield f"  {stage.replace('_', ' '):16} {old:9.3f} {new:9.3f}   x {new / old:.2f}"
    yield ""
    yield f"  {'held out':16} {'before':>9} {'after':>9}   gain [95 % bounds] (* where they leave out 0)"
    for name, gain in found.gains.items():
        bounds = f"{gain.mean:+.4f} [{gain.low:+.4f}, {gain.high:+.4f}]{'*' if gain.clear else ''}"
        yield f"  {name:16} {found.before.metrics[name]:9.3f} {found.after.metrics[name]:9.3f}   {bounds}"
    yield ""


def _recipe(base: Recipe, stages: Sequence[str], factors: Values) -> Recipe:
    return scaled(base, {stage: round(float(factor), _DECIMALS) for stage, factor in zip(stages, factors, strict=True)})


def _example(one: Judged, answer: Answer, stages: Sequence[str]) -> Example:
    """What each stage adds to the score of each hit, and which hits answer."""
    contributions = np.zeros((len(answer.hits), len(stages)))
    column = {stage: at for at, stage in enumerate(stages)}
    for row, hit in enumerate(answer.hits):
        for stage in hit.trace.stages if hit.trace else ():
            if stage.name in column:
                contributions[row, column[stage.name]] = stage.contribution
    ranked = one.corpus.ranked(answer)
    return Example(contributions, np.array([any(name in one.relevant for name in names) for names in ranked], np.bool_))


def _folds(questions: Sequence[Judged], most: int) -> list[set[int]]:
    """Places of questions, divided into at most `most` folds of about equal size; connected questions stay together."""
    if most < 2:
        raise InvalidInputError(f"{most} folds hold nothing out", hint="give at least 2", limit=2)
    if len(questions) < FEWEST:
        raise InvalidInputError(
            f"{len(questions)} questions with an answer are too few to fit to",
            hint=f"judge at least {FEWEST}; a few hundred are better",
            limit=FEWEST,
        )
    connected = _connected(questions)
    if len(connected) < 2:
        raise InvalidInputError(
            "all questions have answers in common, so that none can be held out",
            hint="add questions about other memories",
        )
    folds: list[set[int]] = [set() for _ in range(min(most, len(connected)))]
    # The largest part first, each to the smallest fold so far, which balances the folds well enough.
    for part in sorted(connected, key=lambda part: (-len(part), part)):
        min(folds, key=len).update(part)
    return folds


def _connected(questions: Sequence[Judged]) -> list[list[int]]:
    """Places of questions that are connected: by their group; where all are of one, by a document that answers several."""
    grouped = len({one.group for one in questions}) > 1
    root = list(range(len(questions)))

    def find(at: int) -> int:
        while root[at] != at:
            root[at] = root[root[at]]
            at = root[at]
        return at

    first: dict[str, int] = {}
    for at, one in enumerate(questions):
        for name in (one.group,) if grouped else one.relevant:
            root[find(at)] = find(first.setdefault(name, at))
    parts: dict[int, list[int]] = {}
    for at in range(len(questions)):
        parts.setdefault(find(at), []).append(at)
    return list(parts.values())
