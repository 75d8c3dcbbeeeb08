"""Starts an MCP server as a program would, and asks it for its tools."""

from __future__ import annotations

import json
import subprocess
import threading
from typing import Any

from ai_memory.environment import variables
from ai_memory.errors import ServiceUnavailableError
from ai_memory.programs.known import Server

SECONDS = 60.0
VERSION = "2025-06-18"
MOST_SHOWN = 400


def tools_of(server: Server, seconds: float = SECONDS) -> list[str]:
    """The names of the tools that a server offers. Raises ServiceUnavailableError that says what it did instead."""
    asked: list[dict[str, Any]] = [
        {
            "id": 1,
            "method": "initialize",
            "params": {
                "protocolVersion": VERSION,
                "capabilities": {},
                "clientInfo": {"name": "ai-memory setup", "version": "1"},
            },
        },
        {"method": "notifications/initialized"},
        {"id": 2, "method": "tools/list"},
    ]
    sent = "".join(json.dumps({"jsonrpc": "2.0", **each}) + "\n" for each in asked)
    try:
        process = subprocess.Popen(  # noqa: S603 - what the user's own settings file names, as its program starts it
            [server.command, *server.arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**variables(), **server.variables},
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise ServiceUnavailableError(
            f"{server.command} cannot be started: {error.strerror or error}", hint="run ai-memory setup again"
        ) from None
    ended = threading.Timer(seconds, process.kill)
    ended.start()
    try:
        said, complained = process.communicate(sent)
    finally:
        ended.cancel()
    for line in said.splitlines():
        answer = _object(line)
        if answer.get("id") == 2 and isinstance(answer.get("result"), dict):
            return [str(tool.get("name")) for tool in answer["result"].get("tools", [])]
    why = " ".join((complained or said).split())[-MOST_SHOWN:] or f"it said nothing within {seconds:.0f} seconds"
    raise ServiceUnavailableError(f"{server.command} listed no tools: {why}", hint="try: ai-memory mcp < /dev/null")


def _object(line: str) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
