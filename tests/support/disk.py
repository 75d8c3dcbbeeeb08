"""Looking for words in the bytes of a folder, as someone who stole the disk would; and a disk that is soon full."""

from __future__ import annotations

import gzip
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ai_memory.store.neo4j.store import Neo4jStore

ENCODINGS = ("utf-8", "utf-16-le", "utf-32-le")
"""UTF-32 is how numpy keeps text."""


def files_with(folder: Path, words: Iterable[str]) -> list[str]:
    """`file: word` for every file below `folder` that holds a word, in any encoding, lower-cased too, packed or not."""
    wanted = {form for word in words for form in (word, word.lower())}
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        data = file.read_bytes()
        if data[:2] == b"\x1f\x8b":
            data += gzip.decompress(data)
        found += [f"{file.name}: {word}" for word in wanted if any(word.encode(code) in data for code in ENCODINGS)]
    return found


@contextmanager
def mounted(place: Path, size: str) -> Iterator[Path]:
    """A small file system of its own; skips where this user may not mount one."""
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"no small file system can be mounted here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


def stored_in(store: object) -> str:
    """Every property of every node and relationship, where the store is a database whose files are not the test's to read."""
    if not isinstance(store, Neo4jStore):
        return ""
    read = store._connection.read
    rows = [*read("MATCH (n) RETURN labels(n), properties(n)"), *read("MATCH ()-[x]->() RETURN type(x), properties(x)")]
    return "\n".join(map(str, rows))
