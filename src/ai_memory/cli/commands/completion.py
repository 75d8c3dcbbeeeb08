"""`completion`: a script that completes commands, options, files, models and namespaces in a shell."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.commands.operation import carry_out
from ai_memory.cli.output.layout import visible_line
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import InvalidInputError
from ai_memory.installation import require_service
from ai_memory.operations.base import parse


def add(parser: argparse.ArgumentParser) -> None:
    """The shell."""
    parser.add_argument(
        "shell",
        metavar="SHELL",
        help="bash, zsh or tcsh; or models or namespaces, which prints their names as the script of bash and zsh asks for them",
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Print the script, or names."""
    if arguments.shell in NAMES:
        for name in NAMES[arguments.shell](Choices.of(arguments), screen):
            screen.line(visible_line(name))
        return exits.OK
    import shtab

    from ai_memory.cli.parser import build_parser

    if arguments.shell not in shtab.SUPPORTED_SHELLS:
        raise InvalidInputError(
            f"no completion for {arguments.shell!r}", hint=f"supported: {', '.join(shtab.SUPPORTED_SHELLS)}"
        )
    parser = build_parser()
    _complete_values(parser)
    screen.line(shtab.complete(parser, shell=arguments.shell, preamble=_PREAMBLE.get(arguments.shell, "")))
    return exits.OK


def _complete_values(parser: argparse.ArgumentParser) -> None:
    """Say of each option what its values are: shtab reads the attribute `complete`."""
    import shtab

    for action in parser._actions:
        metavar = action.metavar if isinstance(action.metavar, str) else ""
        if isinstance(action, argparse._SubParsersAction):
            for below in action.choices.values():
                _complete_values(below)
        elif "--namespace" in action.option_strings:
            action.complete = _asking("namespaces")  # type: ignore[attr-defined]
        elif action.dest == "model":
            action.complete = _asking("models")  # type: ignore[attr-defined]
        elif "FILE" in metavar:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif metavar in ("DIR", "FOLDER"):
            action.complete = shtab.DIRECTORY  # type: ignore[attr-defined]


def _asking(what: str) -> dict[str, str]:
    return {"bash": f"_ai_memory_{what}", "zsh": f"_ai_memory_{what}"}


def _models(choices: Choices, screen: Screen) -> list[str]:
    """The names of the known models."""
    del choices, screen
    require_service("the names of models")
    from ai_memory.embed.models.known import KNOWN_MODELS

    return ["auto", *(model.name for model in KNOWN_MODELS)]


def _namespaces(choices: Choices, screen: Screen) -> list[str]:
    """The namespaces of the store."""
    from ai_memory.operations.moving import NAMESPACES

    return [each.namespace for each in carry_out(NAMESPACES, parse(NAMESPACES.request, {}), choices, screen).namespaces]


NAMES = {"models": _models, "namespaces": _namespaces}
"""What the scripts ask for while somebody types."""
_PREAMBLE = {
    "bash": "\n".join(
        f'_ai_memory_{name}() {{ compgen -W "$(ai-memory completion {name} --quiet 2>/dev/null)" -- "$1"; }}'
        for name in NAMES
    ),
    "zsh": "\n".join(
        f'_ai_memory_{name}() {{ compadd -- ${{(f)"$(ai-memory completion {name} --quiet 2>/dev/null)"}} }}'
        for name in NAMES
    ),
}
