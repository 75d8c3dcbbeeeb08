"""axe-core, the checker of accessibility: from npm once, checked by its integrity, kept in `.cache`. Not part of any package."""

from __future__ import annotations

import base64
import hashlib
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

VERSION = "4.14.1"
INTEGRITY = "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
KEPT = Path(__file__).resolve().parents[2] / ".cache" / "axe"


def axe_source() -> str:
    """The script's text. Skips the test where it is not kept and npm cannot bring it."""
    kept = KEPT / f"axe-{VERSION}.min.js"
    if not kept.exists():
        _fetch(kept)
    return kept.read_text(encoding="utf-8")


def _fetch(kept: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("axe-core is not kept in .cache, and there is no npm to bring it")
    KEPT.mkdir(parents=True, exist_ok=True)
    spec = f"axe-core@{VERSION}"
    done = subprocess.run(
        [npm, "pack", "--silent", spec], cwd=KEPT, capture_output=True, text=True, timeout=100, check=False
    )
    if done.returncode:
        pytest.skip(f"npm cannot bring axe-core: {done.stderr.strip()[-200:]}")
    archive = KEPT / done.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    assert f"sha512-{digest}" == INTEGRITY
    with tarfile.open(archive) as files:
        member = files.extractfile("package/axe.min.js")
        assert member is not None
        kept.write_bytes(member.read())
    archive.unlink()
