"""The TypeScript client: compiled under --strict where a compiler is there, packed, and run by Node against a real service."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.serving import running_service

CLIENT = Path(__file__).resolve().parents[2] / "clients" / "typescript"
LARGEST = 8_192
"""Bytes of the JavaScript without comments and blanks at the ends of lines, compressed: what the README says, rounded up."""


def compiler() -> str:
    """A TypeScript compiler: the one of the client's own packages, else one on the path."""
    own = CLIENT / "node_modules" / ".bin" / "tsc"
    found = os.environ.get("TSC") or (str(own) if own.exists() else shutil.which("tsc"))
    if found is None:
        pytest.skip("no TypeScript compiler is installed: run npm install in clients/typescript, or set TSC")
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The client compiled in a folder of its own."""
    if shutil.which("node") is None:
        pytest.skip("Node is not installed")
    place = tmp_path_factory.mktemp("typescript") / "client"
    shutil.copytree(CLIENT, place, ignore=shutil.ignore_patterns("node_modules", "dist"))
    done = subprocess.run([compiler(), "-p", "tsconfig.json"], cwd=place, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout
    return place


def test_it_works_against_a_service(built: Path, tmp_path: Path) -> None:
    with running_service(tmp_path / "data") as url:
        done = subprocess.run(
            ["node", "--test", "test/"],
            cwd=built,
            env={**os.environ, "AI_MEMORY_URL": url},
            capture_output=True,
            text=True,
            timeout=100,
        )
    assert done.returncode == 0, done.stdout[-4_000:]
    assert "# pass 5" in done.stdout


def test_it_depends_on_nothing_and_packs_what_it_needs(built: Path) -> None:
    package = json.loads((built / "package.json").read_text())
    assert "dependencies" not in package
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    done = subprocess.run(
        [npm, "pack", "--dry-run", "--json", "--ignore-scripts", "--offline"],
        cwd=built,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    names = {file["path"] for file in json.loads(done.stdout)[0]["files"]}
    compiled = {f"dist/{name}.{ending}" for name in ("client", "index", "operations") for ending in ("js", "d.ts")}
    assert names == compiled | {"LICENSE", "README.md", "package.json"}


def test_its_size_is_what_the_readme_says(built: Path) -> None:
    import gzip
    import re

    code = "".join((built / "dist" / f"{name}.js").read_text() for name in ("client", "operations"))
    lines = (line.strip() for line in re.sub(r"/\*.*?\*/", "", code, flags=re.DOTALL).splitlines())
    packed = len(gzip.compress("\n".join(line for line in lines if line and not line.startswith("//")).encode()))
    written = re.search(r"([\d.]+) kB compressed", (CLIENT / "README.md").read_text())
    assert written is not None
    assert abs(packed / 1000 - float(written[1])) < 0.3
    assert packed < LARGEST
