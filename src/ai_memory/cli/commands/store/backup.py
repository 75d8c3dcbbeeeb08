"""`backup`: a copy of the store, taken while it is in use."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import ConflictError, NotFoundError
from ai_memory.places import shown_address


def add(parser: argparse.ArgumentParser) -> None:
    """The file to write."""
    parser.add_argument("file", metavar="FILE", help="the copy; must not exist yet")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Copy the store of the data folder, whether or not a service runs on it."""
    settings = settings_for(Choices.of(arguments))
    target = Path(arguments.file)
    if target.exists():
        raise ConflictError(f"{target} exists already", hint="choose another name or remove it")
    if "://" not in settings.store and not settings.store_path.exists():
        raise NotFoundError(f"there is no store {settings.store_path}", hint="check --data-dir")
    from ai_memory.wiring import backup

    backup(settings, target)
    size = target.stat().st_size
    screen.value(
        {"file": str(target), "bytes": size},
        [f"copied {shown_address(settings.store_place)} to {target} ({size:,} bytes)"],
    )
    return exits.OK
