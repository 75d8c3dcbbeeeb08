"""`reembed`: all vectors anew with another model, then a switch to them."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.progress import progress
from ai_memory.cli.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError


def add(parser: argparse.ArgumentParser) -> None:
    """With which model."""
    parser.add_argument("--model", help="a known model's name, or a model folder (default: the setting `model`)")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Make them; until all are there, recall goes on with the old ones. Interrupted, it goes on where it ended."""
    settings = settings_for(Choices.of(arguments), model=arguments.model)
    if settings.model == "none":
        raise InvalidInputError("the setting `model` is none", hint="name one: ai-memory reembed --model minilm")
    from ai_memory.wiring import reembed

    with progress(screen, "embedding", "memory") as advance:
        before = 0

        def progressed(done: int, total: int) -> None:
            nonlocal before
            del total
            advance(done - before)
            before = done

        count = reembed(settings, progressed)
    screen.value({"revisions": count}, [f"made the vectors of {count:,} revisions anew; they are in use now"])
    return exits.OK
