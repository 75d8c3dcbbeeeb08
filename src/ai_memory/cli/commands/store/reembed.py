"""`reembed`: embeds everything again in the background, switches to the new vectors, and back."""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.opening import opened
from ai_memory.cli.output import show
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, running_url
from ai_memory.errors import EmbedderError, InvalidInputError
from ai_memory.operations import generations
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.caller import Caller
from ai_memory.operations.generations import Build, Generations
from ai_memory.places import absolute

POLL_SECONDS = 0.25


def add(parser: argparse.ArgumentParser) -> None:
    """What to build, how fast, and the actions on a build."""
    parser.add_argument("--model", help="a known model's name, or a model folder (default: the setting `model`)")
    parser.add_argument("--dim", "--dimension", dest="dimension", type=int, metavar="N", help="length of the vectors")
    parser.add_argument("--dtype", help="arithmetic of the embedder (default: the setting `dtype`)")
    parser.add_argument(
        "--rate", metavar="N[/s]", help="at most this many memories per second, such as 50/s (default: no limit)"
    )
    parser.add_argument("--no-switch", action="store_true", help="build only; switch later with --activate")
    parser.add_argument(
        "--background", action="store_true", help="start the build and return; the running service does the work"
    )
    actions = parser.add_argument_group("actions").add_mutually_exclusive_group()
    actions.add_argument("--status", action="store_true", help="show the generations and the build")
    actions.add_argument("--cancel", action="store_true", help="stop the build; its vectors are kept until pruned")
    actions.add_argument("--activate", action="store_true", help="switch to the generation built with --no-switch")
    actions.add_argument("--back", nargs="?", const=0, type=int, metavar="ID", help="undo the last switch")
    actions.add_argument("--prune", nargs="?", const=0, type=int, metavar="ID", help="delete kept generations")
    parser.add_argument("--incomplete", action="store_true", help="with --activate: even if vectors are missing")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Ask the running service, or do the work in this process; wait for the end of a build unless --background."""
    choices = Choices.of(arguments)
    operation, values = asked_for(arguments)
    request = parse(operation.request, values)
    started = operation in (generations.REEMBED, generations.TAKE_BACK)
    with opened(choices, screen, writes=operation.effect == "write", any_embedder=True) as caller:
        answer: Generations = caller.carry_out(operation, request)
        if started and not arguments.background:
            answer = _wait(caller, answer, screen, here=running_url(choices) is None)
        elif started and running_url(choices) is None:
            screen.note("notice: no service is running: `ai-memory serve`, or this command again, continues the build")
    screen.value(answer, show.lines_of(answer, screen))
    if started and answer.build is not None and answer.build.state == "failed":
        return exits.exit_code(EmbedderError(""))
    return exits.OK


def asked_for(arguments: argparse.Namespace) -> tuple[Operation, dict[str, Any]]:
    """The operation for the options, and its request's values. Raises InvalidInputError for options that exclude each other."""
    making = {name: getattr(arguments, name) for name in ("model", "dimension", "dtype", "rate")}
    if making["model"] and Path(making["model"]).expanduser().is_dir():
        making["model"] = str(absolute(making["model"]))  # a running service has another current folder
    given = [name for name, value in making.items() if value is not None]
    back, prune = arguments.back, arguments.prune
    acting = arguments.status or arguments.cancel or arguments.activate or back is not None or prune is not None
    if acting and (given or arguments.no_switch):
        raise InvalidInputError(
            "an action takes no --model, --dim, --dtype, --rate or --no-switch", hint="ai-memory reembed --help"
        )
    if arguments.incomplete and not arguments.activate:
        raise InvalidInputError("--incomplete is only for --activate", hint="ai-memory reembed --activate --incomplete")
    if arguments.status:
        return generations.GENERATIONS, {}
    if arguments.cancel:
        return generations.CANCEL_REEMBED, {}
    if arguments.activate:
        return generations.ACTIVATE_GENERATION, {"incomplete": arguments.incomplete}
    if back is not None:
        return generations.TAKE_BACK, {"generation": back or None}
    if prune is not None:
        return generations.PRUNE_GENERATIONS, {"generation": prune or None}
    rate = None if arguments.rate is None else rate_of(arguments.rate)
    return generations.REEMBED, {**making, "rate": rate, "switch": not arguments.no_switch}


def rate_of(text: str) -> float:
    """The number in `50`, `50/s` or `0.5/s`. Raises InvalidInputError for anything but a positive number."""
    try:
        rate = float(text.strip().removesuffix("/s"))
    except ValueError:
        rate = math.nan
    if not 0 < rate <= generations.MOST_A_SECOND:
        raise InvalidInputError(
            f"{text!r} is not a rate",
            hint=f"write a number above 0 and at most {generations.MOST_A_SECOND:.0f}, such as 50/s",
            field="rate",
        )
    return rate


def _wait(caller: Caller, answer: Generations, screen: Screen, *, here: bool) -> Generations:
    """Show the progress of the build until it has ended or is ready to be switched to."""
    build = answer.build
    if build is None or _over(build):
        return answer
    request = generations.GenerationsRequest()
    try:
        with progress(screen, "embedding", "memory", build.total) as advance:
            shown = 0
            while build is not None and not _over(build):
                advance(build.done - shown)
                shown = build.done
                time.sleep(POLL_SECONDS)
                answer = caller.carry_out(generations.GENERATIONS, request)
                build = answer.build
    except KeyboardInterrupt:
        screen.note(
            "notice: interrupted; the same command resumes the build"
            if here
            else "notice: the service continues the build; see ai-memory reembed --status, or --cancel"
        )
        raise
    return answer


def _over(build: Build) -> bool:
    """`waiting` is not the end: the process that started the build is about to work on it."""
    return build.state in ("done", "cancelled", "failed", "ready")
