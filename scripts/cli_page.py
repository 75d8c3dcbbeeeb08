"""Writes the part of docs/cli.md that follows from the parser: exit codes, and every command with its arguments."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli.exits import BY_CODE, EXITS
from ai_memory.cli.options import add_globals
from ai_memory.cli.parser import Parser, build_parser
from ai_memory.cli.table import COMMANDS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "cli.md"
BEGIN = "<!-- From here on written by scripts/generate.py; do not edit. -->"


def cli_page() -> str:
    """docs/cli.md: what was written by hand above the mark, then what is generated."""
    by_hand, _, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    parts = [
        BEGIN,
        "## Exit codes",
        _table(("Code", "Meaning", "Error codes"), [(str(code), text, _codes(code)) for code, text in EXITS.items()]),
        "## Global options",
        _table(("Option", "Meaning"), [_row(action) for action in _globals()]),
        "## Commands",
        *(part for name in COMMANDS for part in _command(name)),
    ]
    return by_hand + "\n\n".join(parts) + "\n"


def _codes(code: int) -> str:
    return ", ".join(f"`{name}`" for name, number in BY_CODE.items() if number == code)


def _globals() -> list[argparse.Action]:
    parser = Parser(add_help=False)
    add_globals(parser)
    return parser._actions


def _command(name: str) -> list[str]:
    parser = _sub_parsers(build_parser(name))[name]
    return [f"### ai-memory {name}", parser.description or "", *_arguments(parser, f"ai-memory {name}")]


def _arguments(parser: argparse.ArgumentParser, prefix: str) -> list[str]:
    taken = {action.dest for action in _globals()} | {"help"}
    own = [action for action in parser._actions if action.dest not in taken]
    rows = [_row(action) for action in own if not isinstance(action, argparse._SubParsersAction)]
    parts = [_table(("Argument", "Meaning"), rows)] if rows else []
    for name, sub in _sub_parsers(parser).items():
        parts += [f"#### {prefix} {name}", *_arguments(sub, f"{prefix} {name}")]
    return parts


def _sub_parsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    return {}


def _row(action: argparse.Action) -> tuple[str, str]:
    value = action.metavar or ("|".join(map(str, action.choices)) if action.choices else "")
    if not action.option_strings:
        return f"`{value or action.dest.upper()}`", _plain(action.help)
    if not value and action.nargs != 0:
        value = action.dest.upper()
    names = ", ".join(action.option_strings)
    return f"`{names} {value}`" if value and action.nargs != 0 else f"`{names}`", _plain(action.help)


def _plain(text: str | None) -> str:
    return (text or "").replace("%%", "%")


def _table(headers: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [headers, tuple("---" for _ in headers), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
