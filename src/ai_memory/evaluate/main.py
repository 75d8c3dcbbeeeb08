"""`ai-memory evaluate`: measure recall on a folder of data sets, on a file, or on the user's own store."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from msgspec import Struct

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate import comparing, page, report
from ai_memory.evaluate.datasets import DataSet, Group, data_sets_in, load_jsonl
from ai_memory.evaluate.own import load_questions
from ai_memory.evaluate.run import Harness, Progress, Run, floor, open_harness, open_own
from ai_memory.recall.recipe import BALANCED, MEANING, NEWEST, STAGES, WORDS, Recipe, without
from ai_memory.settings import Settings, load_settings

RECALL = "recall"
"""The label of the recipe that is measured, in a table next to the baselines."""
SIDES = (("words only", WORDS), ("meaning only", MEANING))
"""The two searches alone, by label, for comparison."""

_WORDS_ALONE = "There is no embedding model here: only lexical search is measured. Run ai-memory model fetch\n"


class Options(Struct, frozen=True, kw_only=True):
    """What to measure and what to do with it."""

    recipe: Recipe = BALANCED
    pooled: bool = False
    """All groups of a data set in one namespace."""
    json: bool = False
    sides: bool = False
    """Also each search alone."""
    only: str | None = None
    """Data sets whose name contains this, letter case aside."""
    format: str | None = None
    """The format of the folder or file; None to recognise it by its contents."""
    ablate: bool = False
    """Also with each stage of the recipe switched off in turn."""
    save: Path | None = None
    """Where to save every question's measures."""
    compare: Path | None = None
    """Measures saved before, to compare with."""
    html: Path | None = None
    """Where to write a page with charts."""
    least: tuple[str, ...] = ()
    """Least means, such as `R@10=0.8`, for every data set that is measured."""


def main(
    folder: Path | None,
    *,
    jsonl: Path | None = None,
    own: Path | None = None,
    wanted: Options | None = None,
    settings: Settings | None = None,
    out: TextIO | None = None,
) -> int:
    """Measure every data set of `folder`, or the groups of `jsonl`, or the user's own store by the questions of `own`.

    Returns 0, or 1 when a mean is below its least value. Tables appear one by one; JSON comes at the end. Raises
    InvalidInputError for files that do not exist or are not understood, and for a question set in which no question has a relevant
    document.
    """
    wanted = wanted or Options()
    out = out or sys.stdout
    least = comparing.floors(wanted.least)
    before = {run.name: run for run in comparing.load(wanted.compare)} if wanted.compare else {}
    results: list[_Result] = []
    settings = settings or load_settings()
    with open_own(settings, progress()) if own else open_harness(settings, progress()) as harness:
        for data_set in data_sets(folder, jsonl, own, wanted.only, wanted.format):
            results.append(_measure(harness, data_set, wanted, before))
            if len(results) == 1 and harness.embedder is None:
                sys.stderr.write(_WORDS_ALONE)
            if not wanted.json:
                out.write(results[-1].table + "\n")
                out.flush()
    runs = [run for result in results for run in (result.recall, *result.sides, *(run for _, run in result.without))]
    if not any(run.questions for run in runs):
        raise InvalidInputError(
            "no question has a relevant document", hint="qrels: {query: {doc: grade}}, grade above 0"
        )
    if wanted.save:
        comparing.save(runs, wanted.save)
    if wanted.html:
        shown = [run for result in results for run in (result.recall, *result.sides)]
        page.write(shown, wanted.html, [(result.recall, result.without) for result in results])
    if wanted.json:
        out.write(report.as_json(runs) + "\n")
    missed = [text for result in results for text in comparing.below(result.recall, least)]
    for text in missed:
        sys.stderr.write(text + "\n")
    return 1 if missed else 0


def data_sets(
    folder: Path | None, jsonl: Path | None, own: Path | None, only: str | None = None, shape: str | None = None
) -> list[DataSet]:
    """The data sets of the one place that is given: the one called `only`, else those whose name contains it.

    `shape` names a format. Raises InvalidInputError for no place or several, and where no data set is found.
    """
    if len([place for place in (folder, jsonl, own) if place]) != 1:
        raise InvalidInputError("give one: a folder, --jsonl or --questions", hint="see --help")
    found = data_sets_in(folder, shape) if folder else []
    found += [DataSet(jsonl.stem, partial(load_jsonl, jsonl))] if jsonl else []
    found += [DataSet(own.stem, partial(load_questions, own))] if own else []
    chosen = [one for one in found if only is None or only.lower() == one.name.lower()]
    chosen = chosen or [one for one in found if only is not None and only.lower() in one.name.lower()]
    if not chosen:
        names = ", ".join(one.name for one in found)
        raise InvalidInputError(f"no data set is called {only!r}", hint=f"there are: {names}")
    return chosen


class _Result(NamedTuple):
    """What was measured on one data set: a table for people, the runs of recall, of each search, and without each stage by name."""

    table: str
    recall: Run
    sides: list[Run]
    without: list[tuple[str, Run]]


def _measure(harness: Harness, data_set: DataSet, wanted: Options, before: dict[str, Run]) -> _Result:
    groups = data_set.load()
    pool = wanted.pooled
    name = data_set.name + (", pooled" if pool and not data_set.name.endswith("pooled") else "")
    shown = [] if harness.own else [("BM25 floor", floor(name, groups, pool=pool))]
    for label, recipe in SIDES if wanted.sides else ():
        shown.append((label, harness.evaluate(f"{name}, {label}", groups, recipe=recipe, pool=pool)))
    recall = harness.evaluate(name, groups, recipe=wanted.recipe, pool=pool)
    shown.append((RECALL, recall))
    table = report.as_table(name, shown)
    ablated = _ablated(harness, name, groups, wanted) if wanted.ablate else []
    if ablated and recall.questions:
        table += report.as_ablation(recall, ablated)
    if name in before and recall.questions:
        table += report.as_comparison(recall, before[name])
    sides = [run for label, run in shown if label in dict(SIDES)]
    return _Result(table, recall, sides, ablated)


def _ablated(harness: Harness, name: str, groups: Sequence[Group], wanted: Options) -> list[tuple[str, Run]]:
    """A run without each stage that the recipe has."""
    found = []
    for stage in (*STAGES, NEWEST):
        if getattr(wanted.recipe, stage):
            recipe = without(wanted.recipe, stage)
            found.append(
                (stage, harness.evaluate(f"{name}, without {stage}", groups, recipe=recipe, pool=wanted.pooled))
            )
    return found


def progress() -> Progress | None:
    """A callback that overwrites one line on standard error; None where that is not a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(what: str, done: int, total: int) -> None:
        end = "\r" if done < total else "\r\033[K"
        sys.stderr.write(f"\033[K{what}: {done:,} of {total:,}{end}")
        sys.stderr.flush()

    return show
