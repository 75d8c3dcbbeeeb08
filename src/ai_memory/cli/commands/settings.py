"""`settings`: the values in effect, and what each setting means."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.output.layout import table
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.settings import settings_table


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing but the global options."""
    del parser


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """One line per setting; keys are masked."""
    settings = settings_for(Choices.of(arguments))
    values = settings.masked()
    rows = [(each.name, _shown(values[each.name]), each.variable, each.meaning) for each in settings_table()]
    screen.value(values, table(("setting", "value", "environment", "meaning"), rows, screen.width))
    return exits.OK


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in ("", [], {}) else "-"
