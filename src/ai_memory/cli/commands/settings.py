"""`settings`: the values in effect, and what each setting means."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.output.layout import table
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, config_file
from ai_memory.settings import FLAG, settings_table, sourced_settings


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing but the global options."""
    del parser


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """One line per setting, with where its value came from; keys are masked."""
    choices = Choices.of(arguments)
    found = sourced_settings(config_file(choices), data_dir=choices.data_dir, offline=choices.offline)
    values = found.settings.masked()
    sources = {name: _OPTIONS.get(name, source) if source == FLAG else source for name, source in found.sources.items()}
    rows = [
        (each.name, _shown(values[each.name]), sources[each.name], each.variable, each.meaning)
        for each in settings_table()
    ]
    shown = table(("setting", "value", "from", "environment", "meaning"), rows, screen.width)
    screen.value({**values, "sources": sources}, shown)
    return exits.OK


_OPTIONS = {"data_dir": "--data-dir", "offline": "--offline"}
"""The options of this command that are settings."""


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value) if value not in ("", [], {}) else "-"
