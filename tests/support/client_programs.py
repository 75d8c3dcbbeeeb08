"""Running the programs of `tests/clients/programs` with the packages that `scripts/clients` installs."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping
from typing import Any

import pytest

from client_packages import CLIENTS, UnavailableError

SECONDS = 110


def names(surface: str) -> list[str]:
    """The clients of a surface."""
    return [name for name, client in CLIENTS.items() if client.surface == surface]


name_id = "{}:".format
"""The id of a client's name in a test's name; `scripts/clients` finds a client's tests by the colon."""


def command(name: str) -> list[str]:
    """A client's program as a command. Skips the test, with the reason, where its packages are not installed."""
    try:
        return CLIENTS[name].command()
    except UnavailableError as error:
        pytest.skip(str(error))


def report(name: str, environment: Mapping[str, str], *arguments: str, seconds: float = SECONDS) -> dict[str, Any]:
    """What a client's program reports within so many seconds: the JSON on the last line that it prints."""
    done = subprocess.run(
        [*command(name), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=seconds
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return dict(json.loads(done.stdout.splitlines()[-1]))
