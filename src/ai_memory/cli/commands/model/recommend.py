"""`model recommend`: which model to take, and why."""

from __future__ import annotations

import argparse
import os

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for


def add(parser: argparse.ArgumentParser) -> None:
    """Languages, and what is not to be found out here."""
    parser.add_argument(
        "--language",
        action="append",
        metavar="CODE",
        help="a language of memories or questions, such as en or ru; again for each. Without it: any language",
    )
    parser.add_argument(
        "--memory-mb", type=int, metavar="N", help="memory that is available (default: what this machine has)"
    )
    parser.add_argument("--no-hub", action="store_true", help="the Hugging Face hub cannot be reached")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """The model, the reasons, and the command that fetches it. Nothing is downloaded or asked."""
    from ai_memory.embed.runtimes.processor import units
    from ai_memory.modelcheck.recommend import recommend

    settings = settings_for(Choices.of(arguments))
    memory = _available_mb() if arguments.memory_mb is None else arguments.memory_mb
    found = recommend(arguments.language or (), memory, hub=not (arguments.no_hub or settings.offline))
    command = f"ai-memory model fetch {found.model.aliases[0]}"
    value = {
        "model": found.model.name,
        "licence": found.model.licence,
        "reasons": list(found.reasons),
        "fetch": command,
        "otherwise": found.otherwise.name if found.otherwise else None,
        "memory_mb": memory,
        "processor": list(units()),
    }
    lines = [f"{found.model.name} ({found.model.licence})", *(f"- {reason}" for reason in found.reasons), "", command]
    if found.otherwise is not None:
        lines.append(f"or, smaller: ai-memory model fetch {found.otherwise.aliases[0]}")
    screen.value(value, lines)
    return exits.OK


def _available_mb() -> int:
    """The memory that the system says is free, in MB; all of it where that cannot be read."""
    for name in ("SC_AVPHYS_PAGES", "SC_PHYS_PAGES"):
        if name in os.sysconf_names:
            return max(1, os.sysconf(name) * os.sysconf("SC_PAGE_SIZE") >> 20)
    return 4_096
