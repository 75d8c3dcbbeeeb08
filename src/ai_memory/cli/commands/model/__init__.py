"""`model`: lists, fetches, chooses, verifies and measures embedding models."""

from __future__ import annotations

import argparse

from ai_memory.cli.commands.model import bench, fetch, info, listing, recommend, use, verify
from ai_memory.cli.options import add_globals
from ai_memory.cli.output.screen import Screen

_ACTIONS = {
    "list": ("list the known models, and where each is", listing),
    "info": ("show the model that the settings choose", info),
    "recommend": ("say which model to take for these languages and this machine", recommend),
    "fetch": ("download a model into the data folder and check it", fetch),
    "verify": ("compare a model with its published numbers", verify),
    "use": ("choose a model in the settings file", use),
    "bench": ("measure a model on this machine", bench),
}


def add(parser: argparse.ArgumentParser) -> None:
    """The actions."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (summary, module) in _ACTIONS.items():
        sub = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
        )
        module.add(sub)
        add_globals(sub)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Run the named action."""
    code: int = _ACTIONS[arguments.action][1].run(arguments, screen)
    return code
