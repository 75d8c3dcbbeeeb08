"""`ai-memory evaluate`: measure recall on a folder of data sets or on a file of one's own."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import TextIO

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate import report
from ai_memory.evaluate.datasets import DataSet, folder_data_sets, load_jsonl
from ai_memory.evaluate.run import Harness, Progress, Run, floor, open_harness
from ai_memory.settings import Settings, load_settings

OURS = "recall"
SIDES = (("words only", "words"), ("meaning only", "meaning"))
"""The two searches alone, by label and recipe, for comparison."""


def main(
    folder: Path | None,
    *,
    jsonl: Path | None = None,
    pooled: bool = False,
    json: bool = False,
    sides: bool = False,
    only: str | None = None,
    settings: Settings | None = None,
    out: TextIO | None = None,
) -> int:
    """Measure every data set of `folder`, or the groups of `jsonl`, and print what came out; returns the exit status 0.

    `pooled` puts all groups of a data set into one namespace, `sides` measures each search alone too, `only` keeps the data sets
    whose name contains it (letter case aside). Tables appear one by one; JSON comes at the end. Raises InvalidInputError for files
    that are not there or not understood, and for a question set without any question that has a relevant document.
    """
    out = out or sys.stdout
    runs: list[Run] = []
    with open_harness(settings or load_settings(), _progress()) as harness:
        for data_set in _data_sets(folder, jsonl, only):
            table, measured = _measure(harness, data_set, pooled=pooled, sides=sides)
            runs += measured
            if not json:
                out.write(table + "\n")
                out.flush()
    if not any(run.questions for run in runs):
        raise InvalidInputError(
            "no question has a relevant document", hint="qrels: {query: {doc: grade}}, grade above 0"
        )
    if json:
        out.write(report.as_json(runs) + "\n")
    return 0


def _data_sets(folder: Path | None, jsonl: Path | None, only: str | None) -> list[DataSet]:
    if (folder is None) == (jsonl is None):
        raise InvalidInputError("give either a folder or a JSON lines file", hint="ai-memory evaluate --help")
    found = folder_data_sets(folder) if folder else [DataSet(jsonl.stem, partial(load_jsonl, jsonl))] if jsonl else []
    chosen = [one for one in found if only is None or only.lower() in one.name.lower()]
    if not chosen:
        names = ", ".join(one.name for one in found)
        raise InvalidInputError(f"no data set is called {only!r}", hint=f"there are: {names}")
    return chosen


def _measure(harness: Harness, data_set: DataSet, *, pooled: bool, sides: bool) -> tuple[str, list[Run]]:
    """The data set's table, and its runs: recall itself, then the sides."""
    groups = data_set.load()
    name = data_set.name + (", pooled" if pooled and not data_set.name.endswith("pooled") else "")
    shown = [("BM25 floor", floor(name, groups, pool=pooled))]
    for label, recipe in SIDES if sides else ():
        shown.append((label, harness.evaluate(f"{name}, {label}", groups, recipe=recipe, pool=pooled)))
    ours = harness.evaluate(name, groups, pool=pooled)
    shown.append((OURS, ours))
    return report.as_table(name, shown), [ours, *(run for _, run in shown[1:-1])]


def _progress() -> Progress | None:
    """One line on standard error that is written over, when that is a terminal."""
    if not sys.stderr.isatty():
        return None

    def show(what: str, done: int, total: int) -> None:
        end = "\r" if done < total else "\r\033[K"
        sys.stderr.write(f"\033[K{what}: {done:,} of {total:,}{end}")
        sys.stderr.flush()

    return show
