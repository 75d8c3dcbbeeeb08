"""`hook`: what Claude Code and Codex call at the moments of a session, so that memory works without being asked.

A hook never disturbs its program: it ends within a time limit, prints nothing but what the program is to read, and ends in success
whatever happens. Only a running service is used; without one, nothing is done.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
from pathlib import Path
from typing import Any

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, api_key, running_service
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import parse
from ai_memory.places import default_config_file
from ai_memory.types import Actor
from ai_memory.wording.spelling import did_you_mean

EVENTS = ("session-start", "prompt", "pre-compact", "session-end")
SWITCHES = ("on", "off", "status")
FOLDER = "folder"
SECONDS = 3.0
"""How long a hook may take at most; the end of a session waits longer, as nobody waits for it."""
SECONDS_AT_THE_END = 20.0
MOST_READ = 8_000_000
SHORTEST_PROMPT = 12
TOKENS = {"session-start": 500, "prompt": 700}
_EVENT_NAMES = {"session-start": "SessionStart", "prompt": "UserPromptSubmit"}


def add(parser: argparse.ArgumentParser) -> None:
    """The event, or a switch."""
    parser.add_argument(
        "event",
        choices=(*EVENTS, *SWITCHES, FOLDER),
        help="the moment of the session, whose JSON is on standard input; or whether hooks do anything: on, off, status; or "
        "the folder of the plugin for the program",
    )
    parser.add_argument("--agent", default="claude-code", help="the program that calls (default: claude-code)")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Do what the moment asks for; say nothing where that fails."""
    if arguments.event == FOLDER:
        screen.line(str(plugin_folder(arguments.agent)))
        return exits.OK
    marker = default_config_file().with_name("hooks-off")
    if arguments.event in SWITCHES:
        return _switch(arguments.event, marker, screen)
    ending = arguments.event in ("pre-compact", "session-end")
    watch = threading.Timer(SECONDS_AT_THE_END if ending else SECONDS, os._exit, (exits.OK,))
    watch.daemon = True
    watch.start()
    try:
        if not marker.exists():
            text = _carried_out(arguments.event, arguments.agent, Choices.of(arguments))
            if text:
                said = {"hookEventName": _EVENT_NAMES[arguments.event], "additionalContext": text}
                screen.line(json.dumps({"hookSpecificOutput": said}))
    except Exception:  # noqa: BLE001 - a hook that fails says nothing: its program would show that, or stop
        return exits.OK
    finally:
        watch.cancel()
    return exits.OK


def plugin_folder(agent: str) -> Path:
    """The folder of the plugin for a program: in the installed package, or in the checkout. Raises InvalidInputError for others."""
    package = Path(__file__).resolve().parents[3]
    places = (package / "plugins", package.parents[1] / "plugins")
    plugins = next((place for place in places if place.is_dir()), places[0])
    names = sorted(each.name for each in plugins.iterdir()) if plugins.is_dir() else []
    if agent not in names:
        raise InvalidInputError(
            f"there is no plugin for {agent!r}{did_you_mean(agent, names)}", hint=f"one of {', '.join(names)}"
        )
    return plugins / agent


def _switch(event: str, marker: Path, screen: Screen) -> int:
    if event == "off":
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()
    elif event == "on":
        marker.unlink(missing_ok=True)
    screen.line(f"hooks are {'off' if marker.exists() else 'on'}")
    return exits.OK


def _carried_out(event: str, agent: str, choices: Choices) -> str:
    """What the program is to read; empty for nothing."""
    given = json.loads(sys.stdin.buffer.read(MOST_READ))
    address = running_service(choices)
    if address is None or not isinstance(given, dict):
        return ""
    from contextlib import closing

    from ai_memory.remote import RemoteService

    with closing(RemoteService(address, api_key=api_key(), timeout=SECONDS, actor=Actor.AGENT)) as service:
        if event in TOKENS:
            return _recalled(event, given, choices, service)
        _remember(given, agent, choices, service)
        return ""


def _recalled(event: str, given: dict[str, Any], choices: Choices, service: Any) -> str:
    """A block of what the prompt, or the project at the beginning, brings back; nothing where nothing is to be trusted."""
    from ai_memory.operations.reading import RECALL, RecallRequest

    question = str(given.get("prompt") or "") if event == "prompt" else _project(given)
    if len(question) < (SHORTEST_PROMPT if event == "prompt" else 1) or question.startswith("/"):
        return ""
    values = {"query": question[:2_000], "limit": 6, "max_tokens": TOKENS[event], "format": "context"}
    answer = service.carry_out(RECALL, parse(RecallRequest, {**values, **_namespace(choices)}))
    return "" if answer.abstained or not answer.hits else answer.context or ""


def _remember(given: dict[str, Any], agent: str, choices: Choices, service: Any) -> None:
    """Store what was said in the session; what was stored at an earlier moment is a copy, and not stored again."""
    from ai_memory.cli.setup.transcripts import said_in
    from ai_memory.operations.writing import REMEMBER_MESSAGES, RememberMessagesRequest

    said = said_in(Path(str(given["transcript_path"])).expanduser(), agent)
    session = str(given.get("session_id") or "")[:256]
    project = _project(given).replace("/", " ")
    values = {
        "messages": said,
        "agent": agent,
        "session": session or None,
        "context": f"projects/{project}" if project else "",
        "source": f"{agent}:{session}",
    }
    if said:
        service.carry_out(REMEMBER_MESSAGES, parse(RememberMessagesRequest, {**values, **_namespace(choices)}))


def _project(given: dict[str, Any]) -> str:
    """The name of the folder that the session works in."""
    return Path(str(given.get("cwd") or "")).name


def _namespace(choices: Choices) -> dict[str, str]:
    return {} if choices.namespace is None else {"namespace": choices.namespace}
