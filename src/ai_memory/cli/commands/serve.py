"""`serve`: runs the service until it is stopped."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for

FLAGS = ("host", "port", "store", "model", "threads", "preload", "log_level", "log_format")


def add(parser: argparse.ArgumentParser) -> None:
    """Settings that are often given on the command line; all others come from the environment and the settings file."""
    parser.add_argument("--host", help="address to listen on (default: 127.0.0.1)")
    parser.add_argument("--port", type=int, help="port to listen on; 0 picks a free one (default: 7677)")
    parser.add_argument(
        "--store", metavar="PLACE", help="a file, or neo4j://USER@HOST/DATABASE (default: memory.db in the data folder)"
    )
    parser.add_argument("--model", help="auto, none, a known model's name, or a model folder")
    parser.add_argument(
        "--threads", type=int, metavar="N", help="threads of the model and of search; 0 means all cores"
    )
    parser.add_argument(
        "--preload", action=argparse.BooleanOptionalAction, default=None, help="load the model at startup"
    )
    parser.add_argument(
        "--log-level", choices=("debug", "info", "warning", "error"), help="least severe log line shown"
    )
    parser.add_argument("--log-format", choices=("auto", "json", "text"), help="log lines as JSON or as text")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Serve until stopped by SIGTERM or Ctrl-C, then finish the requests in progress."""
    del screen
    flags = {name: getattr(arguments, name) for name in FLAGS}
    settings = settings_for(Choices.of(arguments), **flags)
    from ai_memory.api.server import serve

    serve(settings)
    return exits.OK
