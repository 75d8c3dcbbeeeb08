"""`model`: what is known, bringing one here, which is used, whether it is the published one, how fast it runs."""

from __future__ import annotations

import argparse

from ai_memory.cli.commands.model import bench, fetch, info, listing, use, verify
from ai_memory.cli.options import add_globals
from ai_memory.cli.output.screen import Screen

_ACTIONS = {
    "list": ("the known models, and where each of them is", listing),
    "info": ("the model that the settings lead to", info),
    "fetch": ("bring a model into the data folder, checked", fetch),
    "verify": ("compare a model with its published numbers", verify),
    "use": ("write into the settings file which model is used", use),
    "bench": ("measure a model on this machine", bench),
}


def add(parser: argparse.ArgumentParser) -> None:
    """An action each."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    for name, (summary, module) in _ACTIONS.items():
        sub = actions.add_parser(
            name, help=summary, description=f"{summary[0].upper()}{summary[1:]}.", allow_abbrev=False
        )
        module.add(sub)
        add_globals(sub)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """The action that was named."""
    code: int = _ACTIONS[arguments.action][1].run(arguments, screen)
    return code
