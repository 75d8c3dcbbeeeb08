"""`tune`: fit the weights of recall to judged questions."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli import exits
from ai_memory.cli.commands.evaluate import add_places, places
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError
from ai_memory.recall.recipe import BALANCED, RECIPES

USUAL_FOLDS = 5


def add(parser: argparse.ArgumentParser) -> None:
    """The questions to fit to, and the file for the recipe."""
    add_places(parser)
    parser.add_argument(
        "--base", choices=list(RECIPES), default=BALANCED.name, help="the recipe to start from. Default: balanced."
    )
    parser.add_argument(
        "--folds",
        type=int,
        metavar="N",
        default=USUAL_FOLDS,
        help=f"number of cross-validation folds. Default: {USUAL_FOLDS}.",
    )
    parser.add_argument(
        "--output",
        metavar="FILE",
        help="file for the recipe. Default: the setting recipe_file, recipe.json in data_dir",
    )
    parser.add_argument("--force", action="store_true", help="write it even if the gain is not significant")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Fit, show what changed, and write the recipe if it is better."""
    folder, jsonl, own = places(arguments)
    settings = settings_for(Choices.of(arguments))
    from ai_memory.evaluate import tuning
    from ai_memory.evaluate.main import data_sets, progress
    from ai_memory.evaluate.run import open_harness, open_own

    found = data_sets(folder, jsonl, own, arguments.only, arguments.format)
    if len(found) > 1:
        names = ", ".join(repr(one.name) for one in found)
        raise InvalidInputError(
            "several data sets may contain the same questions, which could then not be held out",
            hint=f"choose one with --only: {names}",
        )
    groups = found[0].load()
    show = None if screen.quiet else progress()
    with open_own(settings, show) if own else open_harness(settings, show) as harness:
        fitted = tuning.tune(harness, groups, RECIPES[arguments.base], folds=arguments.folds)
    file = Path(arguments.output) if arguments.output else settings.recipe_path
    writes = fitted.real or arguments.force
    if writes:
        tuning.write(fitted, file)
    screen.value(tuning.as_dict(fitted, file if writes else None), tuning.as_lines(fitted))
    if not screen.json:
        screen.line(
            f"written to {file}; delete it to undo"
            if writes
            else "not written: the gain on held-out questions is not significant; --force writes it anyway"
        )
    return exits.OK
