"""`evaluate`: measures recall on judged questions."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError
from ai_memory.recall.recipe import BALANCED, RECIPES, Recipe, recipe_named
from ai_memory.recall.tuned import decode

FORMAT_NAMES = ("locomo", "longmemeval", "realtalk", "beam", "beir", "xquad", "jsonl")
"""As `evaluate.datasets.FORMATS`, which is imported only when it is needed; a test compares the two."""


def add(parser: argparse.ArgumentParser) -> None:
    """What to measure on."""
    add_places(parser)
    parser.add_argument("--pooled", action="store_true", help="put all groups into one namespace")
    parser.add_argument("--sides", action="store_true", help="measure lexical search and semantic search alone too")
    parser.add_argument(
        "--recipe", metavar="NAME|FILE", default=BALANCED.name, help="the recipe to measure, or a file that tune wrote"
    )
    parser.add_argument(
        "--ablate", action="store_true", help="measure what each stage contributes: the recipe without it too"
    )
    parser.add_argument("--save", metavar="FILE", help="write the measures of every question to FILE")
    parser.add_argument("--compare", metavar="FILE", help="compare with a file that --save wrote, question by question")
    parser.add_argument("--html", metavar="FILE", help="write a page with charts to FILE")
    parser.add_argument(
        "--least", metavar="MEASURE=VALUE", action="append", default=[], help="exit with 1 when a mean is below this"
    )


def add_places(parser: argparse.ArgumentParser) -> None:
    """The judged questions."""
    parser.add_argument("folder", nargs="?", metavar="PATH", help="folder or file of data sets in a published format")
    parser.add_argument("--format", choices=FORMAT_NAMES, help="the format of PATH (default: detected)")
    parser.add_argument("--jsonl", metavar="FILE", help="your data set: one group of texts and questions per line")
    parser.add_argument(
        "--questions",
        metavar="FILE",
        help="questions about your store, each with the ids of the memories that should be found",
    )
    parser.add_argument("--only", metavar="NAME", help="only data sets whose name contains this")


def places(arguments: argparse.Namespace) -> tuple[Path | None, Path | None, Path | None]:
    """The folder, the JSON lines or the questions: exactly one, which exists. Raises InvalidInputError."""
    given = tuple(Path(one) if one else None for one in (arguments.folder, arguments.jsonl, arguments.questions))
    there = [place for place in given if place]
    if len(there) != 1:
        raise InvalidInputError("give one of PATH, --jsonl FILE and --questions FILE", hint="see --help")
    if not there[0].exists():
        raise InvalidInputError(f"there is no {there[0]}", hint="check the path")
    return given[0], given[1], given[2]


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Run the harness."""
    folder, jsonl, own = places(arguments)
    from ai_memory.evaluate.main import Options, main

    return main(
        folder,
        jsonl=jsonl,
        own=own,
        wanted=Options(
            recipe=_recipe(arguments.recipe),
            pooled=arguments.pooled,
            json=screen.json,
            sides=arguments.sides,
            only=arguments.only,
            format=arguments.format,
            ablate=arguments.ablate,
            save=_path(arguments.save),
            compare=_path(arguments.compare),
            html=_path(arguments.html),
            least=tuple(arguments.least),
        ),
        settings=settings_for(Choices.of(arguments)),
    )


def _recipe(given: str) -> Recipe:
    """The recipe of that name, or the one in a file that `tune` wrote."""
    file = Path(given)
    if given in RECIPES or not file.is_file():
        return recipe_named(given)
    try:
        return decode(file.read_bytes(), given).recipe()
    except OSError as error:
        raise InvalidInputError(f"cannot read {given}: {error.strerror}", hint="check --recipe") from None


def _path(given: str | None) -> Path | None:
    return Path(given) if given else None
