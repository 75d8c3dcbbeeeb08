"""`jobs`: what is decided in the background; alone it lists the jobs, with an action it steers them."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.opening import opened
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.watching import STEER_JOB, SteerJobRequest

ACTIONS = ("pause", "resume", "cancel", "allow")


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The filters of a list, and an action with the ids of jobs."""
    plain.add(parser, operation)
    group = parser.add_argument_group("to steer")
    group.add_argument("action", nargs="?", choices=ACTIONS, help="What to do with the jobs that are named.")
    group.add_argument("named", nargs="*", metavar="ID", help="The jobs' ids (job_…), or all for pause and resume.")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """List the jobs, or steer each that is named; the last answer is shown."""
    if arguments.action is None:
        return plain.run(arguments, screen)
    if not arguments.named:
        raise InvalidInputError(
            f"no job to {arguments.action} is named", hint="ai-memory jobs lists them with their ids"
        )
    requests = [
        parse(SteerJobRequest, {"id": each, "action": arguments.action}) for each in dict.fromkeys(arguments.named)
    ]
    with opened(Choices.of(arguments), screen, writes=True) as caller:
        steered = [caller.carry_out(STEER_JOB, request) for request in requests]
    for value in steered:
        screen.value(value, show.lines_of(value, screen))
    return exits.OK
