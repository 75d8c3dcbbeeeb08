"""Bring the console's libraries from npm into the package, at the versions of `libraries.json`, and check what is there.

Without arguments: check that every vendored file has the digest that the manifest names. With `fetch`: download the packages with
npm, check each against the manifest's integrity, and write the files again. Needs npm; nothing else of the build does.
"""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

STATIC = Path(__file__).resolve().parent.parent / "src" / "ai_memory" / "console" / "static"
FOLDER = STATIC / "vendor"
MANIFEST = FOLDER / "libraries.json"


def libraries() -> list[dict[str, Any]]:
    """The manifest's entries: name, version, licence, integrity of the npm package, and the files taken from it."""
    found: list[dict[str, Any]] = json.loads(MANIFEST.read_text(encoding="utf-8"))["libraries"]
    return found


def sha256(data: bytes) -> str:
    """The digest that the manifest keeps of a file."""
    return hashlib.sha256(data).hexdigest()


def differing() -> list[str]:
    """Files whose digest is not the manifest's, that are missing, or that no entry names."""
    named = {file["file"]: file["sha256"] for library in libraries() for file in library["files"]}
    present = {path.name: sha256(path.read_bytes()) for path in FOLDER.iterdir() if path != MANIFEST}
    return sorted(name for name in {*named, *present} if named.get(name) != present.get(name))


def fetch() -> None:
    """Write all files again from npm, with their digests in the manifest."""
    found = libraries()
    for library in found:
        with tempfile.TemporaryDirectory() as folder:
            spec = f"{library['name']}@{library['version']}"
            packed = subprocess.run(
                ["npm", "pack", "--silent", spec], cwd=folder, check=True, capture_output=True, text=True
            )
            archive = Path(folder) / packed.stdout.strip().splitlines()[-1]
            integrity = "sha512-" + base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if library.setdefault("integrity", integrity) != integrity:
                raise SystemExit(f"{spec} is not what the manifest names: {integrity}")
            with tarfile.open(archive) as files:
                for file in library["files"]:
                    member = files.extractfile(f"package/{file['from']}")
                    if member is None:
                        raise SystemExit(f"{spec} has no file {file['from']}")
                    file["sha256"] = sha256(_kept(file, member.read()))
    text = json.dumps({"libraries": found}, indent=2) + "\n"
    MANIFEST.write_text(text, encoding="utf-8")


def _kept(file: dict[str, Any], data: bytes) -> bytes:
    """The file as it is kept: without its source map's address, and with imports by file where a browser needs that."""
    for written, meant in file.get("imports", {}).items():
        data = data.replace(f'"{written}"'.encode(), f'"{meant}"'.encode())
    data = b"".join(line for line in data.splitlines(keepends=True) if not line.startswith(b"//# sourceMappingURL"))
    (FOLDER / file["file"]).write_bytes(data)
    return data


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        fetch()
    if wrong := differing():
        raise SystemExit(f"not as {MANIFEST.name} names them: {', '.join(wrong)}")
