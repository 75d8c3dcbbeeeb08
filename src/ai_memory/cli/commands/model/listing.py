"""`model list`: every known model, and where it was found."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output.layout import table
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing but the global options."""
    del parser


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """One line per model; one with a damaged folder is listed with the problem."""
    from ai_memory.embed.models.known import KNOWN_MODELS, RUNNABLE
    from ai_memory.embed.models.locate import find_known_model
    from ai_memory.errors import ModelFilesError
    from ai_memory.places import model_places

    settings = settings_for(Choices.of(arguments))
    found = []
    for model in KNOWN_MODELS:
        place = problem = None
        try:
            folder = find_known_model(model, settings.data_dir, model_places())
            place = str(folder.path) if folder is not None else None
        except ModelFilesError as error:
            problem = error.message
        found.append(
            {
                "name": model.name,
                "present": place is not None,
                "folder": place,
                "problem": problem,
                "runnable": model.architecture in RUNNABLE,
                "dimensions": list(model.dimensions),
                "max_tokens": model.max_tokens,
                "licence": model.licence,
            }
        )
    rows = [
        (
            model.name,
            ", ".join(map(str, model.dimensions)),
            str(model.max_tokens),
            model.licence,
            str(row["folder"] or row["problem"] or f"not fetched: ai-memory model fetch {model.aliases[0]}"),
        )
        for row, model in zip(found, KNOWN_MODELS, strict=True)
    ]
    screen.value({"models": found}, table(("model", "dimensions", "tokens", "licence", "folder"), rows, screen.width))
    return exits.OK
