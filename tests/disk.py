"""Looking for words in the bytes of a folder, as someone who stole the disk would."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from pathlib import Path

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
