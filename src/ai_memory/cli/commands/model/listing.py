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
    from ai_memory.embed.models.locate import installed
    from ai_memory.places import model_places

    settings = settings_for(Choices.of(arguments))
    every = installed(settings.data_dir, model_places())
    found = [
        {
            "name": model.name,
            "present": folder is not None,
            "folder": folder and str(folder),
            "problem": problem,
            "runnable": runnable,
            "dimensions": list(model.dimensions),
            "max_tokens": model.max_tokens,
            "licence": model.licence,
        }
        for model, folder, problem, runnable in every
    ]
    rows = [
        (
            model.name,
            ", ".join(map(str, model.dimensions)),
            str(model.max_tokens),
            model.licence,
            str(folder or problem or f"not fetched: ai-memory model fetch {model.aliases[0]}"),
        )
        for model, folder, problem, _ in every
    ]
    screen.value({"models": found}, table(("model", "dimensions", "tokens", "licence", "folder"), rows, screen.width))
    return exits.OK
