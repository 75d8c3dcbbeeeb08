"""`open`: the console in the browser; the service is started where none runs."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
import webbrowser
from html import escape
from pathlib import Path
from urllib.parse import quote

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, data_dir, proof_for, running_service
from ai_memory.errors import ServiceUnavailableError
from ai_memory.installation import require_service
from ai_memory.places import Address, open_private

START_SECONDS = 60.0
"""How long a service that was started may take until it answers."""
PAGE_FILE = "console.html"
"""A page of this user's alone that leads to the console: an address with a secret must not be a program's argument, which others on
this machine can read."""
LOG_FILE = "service.log"


def add(parser: argparse.ArgumentParser) -> None:
    """Whether a browser is opened."""
    parser.add_argument(
        "--no-browser",
        action="store_true",
        help="print the address instead; who has it may write as you until the service stops",
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Open the console of the service that runs, or start one."""
    choices = Choices.of(arguments)
    address = running_service(choices) or _started(choices, screen)
    url = console_url(address.url, proof_for(address, choices), choices.namespace)
    if arguments.no_browser:
        screen.line(url)
        return exits.OK
    page = _page(data_dir(choices), url)
    if not webbrowser.open(page.as_uri()):
        screen.note(f"no browser could be started; open {address.url} in one")
    else:
        screen.line(f"the console is at {address.url}")
    return exits.OK


def console_url(url: str, proof: str, namespace: str | None) -> str:
    """The console's address. What follows the # is sent nowhere: the page keeps the proof in its tab."""
    if proof:
        return f"{url}/#person={proof}" + (f"&ns={quote(namespace, safe='')}" if namespace else "")
    return f"{url}/" + (f"#/ask?ns={quote(namespace, safe='')}" if namespace else "")


def _page(folder: Path, url: str) -> Path:
    path = folder / PAGE_FILE
    with open_private(path) as file:
        file.write(
            f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0;url={escape(url)}">'
            f'<a href="{escape(url)}">AI Memory</a>\n'.encode()
        )
    return path


def _started(choices: Choices, screen: Screen) -> Address:
    """A service of this data folder in a process of its own, once it answers. Raises ServiceUnavailableError with its log's end."""
    require_service("a service of its own")
    folder = data_dir(choices)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = [
        *(["--data-dir", choices.data_dir] if choices.data_dir else []),
        *(["--config", choices.config] if choices.config else []),
        *(["--offline"] if choices.offline else []),
    ]
    log = folder / LOG_FILE
    with open_private(log) as file:
        process = subprocess.Popen(  # noqa: S603 (this program itself)
            [sys.executable, "-m", "ai_memory", *options, "serve"],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    screen.note(f"starting the service; its log is {log}")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        if (found := running_service(choices)) is not None:
            return found
        time.sleep(0.1)
    last = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-3:]
    raise ServiceUnavailableError(
        "the service did not start" + (f": {' '.join(last)}" if last else ""), hint="start it with: ai-memory serve"
    )
