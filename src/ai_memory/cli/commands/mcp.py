"""`mcp`: the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.opening import opened
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, api_key, running_service, running_url, settings_for
from ai_memory.installation import is_installed, require
from ai_memory.types import DEFAULT_NAMESPACE, Actor

PROFILES = ("memory", "reference")


def add(parser: argparse.ArgumentParser) -> None:
    """Which tools it has."""
    parser.add_argument(
        "--profile",
        choices=PROFILES,
        default=PROFILES[0],
        help="memory: the tools of this service (default); reference: those of MCP's reference memory server, over this memory",
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve one client until it closes standard input. Raises NotInstalledError where that needs the extra `mcp`."""
    choices = Choices.of(arguments)
    if arguments.profile == "reference":
        return _reference(choices, screen)
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


def _reference(choices: Choices, screen: Screen) -> int:
    """Serve as MCP's reference memory server does, over the running service or, where there is none, over the store."""
    require("mcp", "ai-memory mcp --profile reference")
    from ai_memory.integrations.knowledge_graph import KnowledgeGraph
    from ai_memory.integrations.reference_server import serve
    from ai_memory.python.methods import Methods

    with opened(choices, screen, writes=False, actor=Actor.AGENT) as caller:
        serve(KnowledgeGraph(Methods(caller), namespace=choices.namespace or DEFAULT_NAMESPACE))
    return exits.OK
