"""`review`: the inbox of proposals; alone it lists them, with a decision it decides."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.commands import operation as plain
from ai_memory.cli.opening import opened
from ai_memory.cli.output import show
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import Operation, parse
from ai_memory.operations.inbox import DECIDE, DecideRequest, Proposals
from ai_memory.operations.zones import in_users_zone

DECISIONS = ("accept", "reject", "later", "undo")
_OF_DECIDING = ("kind", "valid_to", "until", "note")


def add(parser: argparse.ArgumentParser, operation: Operation) -> None:
    """The filters of a list, and a decision with the ids of proposals."""
    plain.add(parser, operation)
    group = parser.add_argument_group("to decide")
    group.add_argument("decision", nargs="?", choices=DECISIONS, help="What to do with the proposals that are named.")
    group.add_argument("proposals", nargs="*", metavar="ID", help="The proposals' ids (pro_…).")
    group.add_argument(
        "--kind", dest="as_kind", metavar="KIND", help="With accept: another kind than the one proposed."
    )
    group.add_argument(
        "--valid-to", dest="as_valid_to", metavar="TIME", help="With accept: when the memory stopped being true."
    )
    group.add_argument("--until", dest="as_until", metavar="TIME", help="With later: until when.")
    group.add_argument("--note", dest="as_note", metavar="TEXT", help="Why.")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """List the proposals, or decide about each that is named; all are looked at before the first is decided."""
    given = {name: value for name in _OF_DECIDING if (value := getattr(arguments, f"as_{name}")) is not None}
    if arguments.decision is None:
        if given:
            raise InvalidInputError(f"--{next(iter(given)).replace('_', '-')} goes with a decision", hint="name one")
        return plain.run(arguments, screen)
    if not arguments.proposals:
        raise InvalidInputError(
            f"no proposal to {arguments.decision} is named", hint="ai-memory review lists them with their ids"
        )
    return _decide(arguments, given, screen)


def _decide(arguments: argparse.Namespace, given: dict[str, Any], screen: Screen) -> int:
    choices = Choices.of(arguments)
    if choices.namespace is not None:
        given["namespace"] = choices.namespace
    requests = [
        in_users_zone(parse(DecideRequest, {**given, "id": each, "decision": arguments.decision}), screen.zone)
        for each in dict.fromkeys(arguments.proposals)
    ]
    with opened(choices, screen, writes=True) as caller:
        decided = tuple(caller.carry_out(DECIDE, request) for request in requests)
    value = Proposals(proposals=decided, total=len(decided))
    screen.value(value, show.lines_of(value, screen))
    return exits.OK
