"""`mcp`: the Model Context Protocol on standard input and output."""

from __future__ import annotations

import argparse

from ai_memory.cli.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.types import DEFAULT_NAMESPACE


def add(parser: argparse.ArgumentParser) -> None:
    """Nothing but the global options."""
    del parser


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve one client until it closes standard input."""
    del screen
    choices = Choices.of(arguments)
    from ai_memory.mcp.stdio import serve_stdio

    return serve_stdio(choices, choices.namespace or DEFAULT_NAMESPACE)
