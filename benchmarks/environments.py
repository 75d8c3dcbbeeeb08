"""A separate Python environment per peer, created on demand and kept under `.cache/bench/peers`."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from benchmarks.places import KEPT

_SECONDS = 1_800


def environment_of(package: str, *more: str) -> Path:
    """The Python of the environment with these packages, created if it is missing; the first package names it.

    Raises subprocess.SubprocessError if they cannot be installed.
    """
    folder = KEPT / "peers" / package.partition(">")[0]
    python = folder / "bin" / "python"
    done = folder / "installed"
    if not done.exists():
        print(f"  {package} is being installed", file=sys.stderr, flush=True)
        shutil.rmtree(folder, ignore_errors=True)
        install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package, *more]
        for words in ([sys.executable, "-m", "venv", str(folder)], install):
            subprocess.run(words, capture_output=True, text=True, check=True, timeout=_SECONDS)
        done.touch()
    return python
