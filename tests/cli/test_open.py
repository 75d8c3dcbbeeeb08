"""`open` starts a service where none runs, uses the one that does, and hands its secret to nobody else."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.cli.commands.setup.open import console_url

SECRET = "ab" * 16


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A data folder, whose service is stopped at the end."""
    yield tmp_path
    file = tmp_path / "service.json"
    if file.exists():
        process = json.loads(file.read_text())["pid"]
        os.kill(process, signal.SIGTERM)
        deadline = time.monotonic() + 30
        while file.exists() and time.monotonic() < deadline:
            time.sleep(0.05)


def run(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "AI_MEMORY_DATA_DIR": str(folder), "AI_MEMORY_MODEL": "hashing", "AI_MEMORY_PORT": "0"}
    return subprocess.run(
        [sys.executable, "-m", "ai_memory", *arguments],
        env={**environment, **variables},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_it_starts_a_service_once_and_opens_the_page(folder: Path) -> None:
    first = run(folder, "open", "--no-browser")
    assert first.returncode == 0, first.stderr
    url, _, proof = first.stdout.strip().partition("/#person=")
    assert len(proof) == 32
    with urllib.request.urlopen(url + "/", timeout=10) as page:
        assert b"/console/app.js" in page.read()
    again = run(folder, "open", "--no-browser")
    assert again.stdout == first.stdout
    opened = run(folder, "open", BROWSER="echo %s")
    assert opened.returncode == 0, opened.stderr
    assert proof not in opened.stdout
    file = folder / "console.html"
    assert proof in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_service_that_cannot_start_is_explained(tmp_path: Path) -> None:
    (tmp_path / "memory.db").write_bytes(b"no database at all, and longer than a header of one would have to be" * 40)
    done = run(tmp_path, "open", "--no-browser")
    assert done.returncode != 0
    assert "did not start" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("proof", "namespace", "expected"),
    [
        ("", None, "http://h/"),
        ("", "a b", "http://h/#/ask?ns=a%20b"),
        (SECRET, None, f"http://h/#person={SECRET}"),
        (SECRET, "team&x", f"http://h/#person={SECRET}&ns=team%26x"),
    ],
)
def test_the_address_carries_its_secret_behind_the_hash(proof: str, namespace: str | None, expected: str) -> None:
    assert console_url("http://h", proof, namespace) == expected
