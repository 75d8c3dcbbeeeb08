"""`mcp`: the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, api_key, running_service, running_url, settings_for
from ai_memory.installation import is_installed, require
from ai_memory.types import DEFAULT_NAMESPACE


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing but the global options."""
    del parser


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve one client until it closes standard input. Raises NotInstalledError where that needs the extra `mcp`."""
    del screen
    choices = Choices.of(arguments)
    if not is_installed("mcp") and running_url(choices) is None:  # a relay to a running service does without
        require("mcp", "ai-memory mcp")

    def open_service() -> Any:
        from ai_memory.wiring import open_service

        return open_service(settings_for(choices))

    from ai_memory.mcp.stdio import serve_stdio

    return serve_stdio(
        lambda: running_service(choices),
        open_service,
        namespace=choices.namespace or DEFAULT_NAMESPACE,
        api_key=api_key(),
    )
