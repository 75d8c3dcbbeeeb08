"""The service as a service of the user's session: a unit for systemd, a property list for launchd."""

from __future__ import annotations

import plistlib
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from ai_memory.environment import variable

LABEL = "ai-memory"


class Unit(NamedTuple):
    """A file that a service manager reads, and the commands that make it act on it."""

    file: Path
    text: str
    start: tuple[tuple[str, ...], ...]
    stop: tuple[tuple[str, ...], ...]
    state: tuple[str, ...]


def unit_for(command: Sequence[str], variables: Mapping[str, str], platform: str = sys.platform) -> Unit:
    """The unit of this system, which starts `command` with these variables. Windows has none: the file is systemd's there too."""
    return _launchd(command, variables) if platform == "darwin" else _systemd(command, variables)


def _systemd(command: Sequence[str], variables: Mapping[str, str]) -> Unit:
    folder = Path(variable("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    environment = "".join(f"Environment={_quoted(f'{name}={value}')}\n" for name, value in variables.items())
    text = f"""[Unit]
Description=AI Memory Service
After=default.target

[Service]
Type=exec
ExecStart={" ".join(map(_quoted, command))}
{environment}Restart=on-failure
RestartSec=5
TimeoutStopSec=60
NoNewPrivileges=true
UMask=0077

[Install]
WantedBy=default.target
"""
    control = ("systemctl", "--user")
    name = f"{LABEL}.service"
    return Unit(
        folder / name,
        text,
        ((*control, "daemon-reload"), (*control, "enable", "--now", name)),
        ((*control, "disable", "--now", name), (*control, "daemon-reload")),
        (*control, "is-active", name),
    )


def _quoted(word: str) -> str:
    """One word of a unit: specifiers and variables are written twice, the rest is as in C."""
    safe = word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$").replace("\n", "\\n")
    return f'"{safe}"'


def _launchd(command: Sequence[str], variables: Mapping[str, str]) -> Unit:
    file = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
    log = str(Path.home() / "Library" / "Logs" / f"{LABEL}.log")
    values = {
        "Label": LABEL,
        "ProgramArguments": list(command),
        "EnvironmentVariables": dict(variables),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "StandardOutPath": log,
        "StandardErrorPath": log,
    }
    text = plistlib.dumps(values).decode()
    return Unit(
        file,
        text,
        (("launchctl", "load", "-w", str(file)),),
        (("launchctl", "unload", "-w", str(file)),),
        ("launchctl", "list", LABEL),
    )
