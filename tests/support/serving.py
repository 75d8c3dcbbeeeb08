"""A real service in a process of its own, for tests of what talks to it."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ai_memory.discovery import find_service

COMMAND = str(Path(sys.executable).with_name("ai-memory"))
START_SECONDS = 60.0


def environment(data_dir: Path, **more: str) -> dict[str, str]:
    """The environment of a child: nothing of the user's own settings, the given data folder, no model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AI_MEMORY_", "XDG_"))}
    home = {"HOME": str(data_dir.parent), "AI_MEMORY_DATA_DIR": str(data_dir), "AI_MEMORY_MODEL": "none"}
    return {**kept, **home, **more}


@contextmanager
def running_service(data_dir: Path, **more: str) -> Iterator[str]:
    """The address of a service on `data_dir`; `more` are settings as environment variables."""
    process = subprocess.Popen(
        [COMMAND, "serve", "--port", "0"],
        env=environment(data_dir, **more),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield _address(data_dir, process)
    finally:
        process.terminate()
        assert process.wait(30) == 0


def _address(data_dir: Path, process: subprocess.Popen[bytes]) -> str:
    begun = time.monotonic()
    while time.monotonic() - begun < START_SECONDS:
        found = find_service(data_dir)
        if found is not None and found.pid == process.pid:
            return found.url
        assert process.poll() is None, f"the service ended with {process.returncode}"
        time.sleep(0.05)
    raise AssertionError("the service did not start")
