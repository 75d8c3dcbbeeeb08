"""`evaluate`: the measuring harness."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError
from ai_memory.recall.recipe import BALANCED, RECIPES, recipe_named


def add(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    parser.add_argument("folder", nargs="?", metavar="FOLDER", help="folder of data sets")
    parser.add_argument(
        "--jsonl", metavar="FILE", help="one data set of your own: one group of texts and questions a line"
    )
    parser.add_argument("--pooled", action="store_true", help="put all groups into one namespace")
    parser.add_argument("--sides", action="store_true", help="measure words alone and meaning alone too")
    parser.add_argument("--only", metavar="NAME", help="only data sets whose name contains this")
    parser.add_argument("--recipe", choices=list(RECIPES), default=BALANCED.name, help="the recipe to measure")
    parser.add_argument("--ablate", action="store_true", help="what each stage brings: the recipe without it too")
    parser.add_argument("--save", metavar="FILE", help="keep every question's measures here")
    parser.add_argument("--compare", metavar="FILE", help="compare with what --save kept, question by question")
    parser.add_argument("--html", metavar="FILE", help="write a page with charts here")
    parser.add_argument(
        "--least", metavar="MEASURE=VALUE", action="append", default=[], help="exit with 1 when a mean is below this"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Hand over to the harness."""
    if (arguments.folder is None) == (arguments.jsonl is None):
        raise InvalidInputError("give either FOLDER or --jsonl FILE", hint="see ai-memory evaluate --help")
    given = Path(arguments.folder or arguments.jsonl)
    if not given.exists():
        raise InvalidInputError(f"there is no {given}", hint="check the path")
    from ai_memory.evaluate.main import Options, main

    folder = given if arguments.folder else None
    return main(
        folder,
        jsonl=None if folder else given,
        wanted=Options(
            recipe=recipe_named(arguments.recipe),
            pooled=arguments.pooled,
            json=screen.json,
            sides=arguments.sides,
            only=arguments.only,
            ablate=arguments.ablate,
            save=_path(arguments.save),
            compare=_path(arguments.compare),
            html=_path(arguments.html),
            least=tuple(arguments.least),
        ),
        settings=settings_for(Choices.of(arguments)),
    )


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None
