"""`service`: lets the system start the service with the user's session, and stop it."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence

from msgspec import Struct

from ai_memory.cli import exits
from ai_memory.cli.files.written import written
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.setup.unit import Unit, unit_for
from ai_memory.cli.target import Choices, running_url

SECONDS = 90


class State(Struct, frozen=True, kw_only=True):
    """Whether the service is installed and runs."""

    file: str
    installed: bool
    active: str
    """What the system's manager says; `unknown` where there is none."""
    url: str | None
    """Where the service answers."""
    left: tuple[str, ...] = ()
    """Commands that could not be run here; run them by hand."""


def add(parser: argparse.ArgumentParser) -> None:
    """What to do."""
    parser.add_argument("action", choices=("install", "status", "uninstall"), help="what to do")
    parser.add_argument(
        "--print", action="store_true", help="print the file that would be installed, and write nothing"
    )
    parser.add_argument("--port", type=int, help="port to listen on (default: as for serve)")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Write or remove the file, and let the manager act on it where there is one."""
    choices = Choices.of(arguments)
    unit = unit_for(_command(arguments.port), _variables(choices))
    if arguments.print:
        screen.bytes(unit.text.encode())
        return exits.OK
    left: list[str] = []
    if arguments.action == "install":
        unit.file.parent.mkdir(parents=True, exist_ok=True)
        with written(unit.file, "use --print, and put it where it belongs") as stream:
            stream.write(unit.text.encode())
        left = _run(unit.start)
    elif arguments.action == "uninstall":
        left = _run(unit.stop) if unit.file.exists() else []
        unit.file.unlink(missing_ok=True)
    state = _state(unit, choices, left)
    screen.value(state, _lines(state))
    return exits.OK


def _command(port: int | None) -> list[str]:
    found = shutil.which("ai-memory")
    start = [found] if found else [sys.executable, "-m", "ai_memory"]
    return [*start, "serve", *(["--port", str(port)] if port is not None else [])]


def _variables(choices: Choices) -> dict[str, str]:
    given = {"AI_MEMORY_DATA_DIR": choices.data_dir, "AI_MEMORY_CONFIG": choices.config}
    return {name: value for name, value in given.items() if value}


def _run(commands: Sequence[Sequence[str]]) -> list[str]:
    """Run the commands; returns those from the first that failed."""
    for number, command in enumerate(commands):
        if shutil.which(command[0]) is None or _said(command)[0] != 0:
            return [" ".join(each) for each in commands[number:]]
    return []


def _said(command: Sequence[str]) -> tuple[int, str]:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)  # noqa: S603 - the manager's own
    except (OSError, subprocess.TimeoutExpired) as error:
        return 1, str(error)
    return done.returncode, (done.stdout or done.stderr).strip()


def _state(unit: Unit, choices: Choices, left: list[str]) -> State:
    there = shutil.which(unit.state[0]) is not None
    words = _said(unit.state)[1].split("\n")[0] if there else ""
    active = words if words in ("active", "inactive", "activating", "deactivating", "failed") else "unknown"
    return State(
        file=str(unit.file),
        installed=unit.file.is_file(),
        active=active,
        url=running_url(choices),
        left=tuple(left),
    )


def _lines(state: State) -> list[str]:
    shown = [f"{'installed' if state.installed else 'not installed'}: {state.file} ({state.active})"]
    shown.append(f"answers at {state.url}" if state.url else "no service answers")
    return shown + ["run by hand: " + command for command in state.left]
