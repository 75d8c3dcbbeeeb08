"""Wiki links between the notes of a folder: `[[Note]]`, `[[folder/Note#heading|shown]]`, `![[Note]]`."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

_LINK = re.compile(r"\[\[([^\[\]|#^\n]+)[^\[\]\n]*\]\]")
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)


class _Note(NamedTuple):
    place: PurePosixPath
    targets: tuple[str, ...]


class Links:
    """The notes that were read so far, the names that mean them, and which memories they became."""

    def __init__(self) -> None:
        self._notes: list[_Note] = []
        self._named: defaultdict[str, list[PurePosixPath]] = defaultdict(list)
        self._ids: dict[PurePosixPath, str] = {}

    def add(self, place: str, values: Mapping[str, Any], text: str) -> None:
        """Note what one file links to and by which names others may link to it: its path, name, title and aliases."""
        path = PurePosixPath(place)
        aliases = (values.get("attributes") or {}).get("aliases") or ()
        ends = ["/".join(path.parts[start:]) for start in range(len(path.parts))]
        names = [*ends, values.get("title"), *([aliases] if isinstance(aliases, str) else aliases)]
        for name in dict.fromkeys(_key(str(name)) for name in names if name):
            self._named[name].append(path)
        targets = tuple(dict.fromkeys(map(_key, _LINK.findall(_CODE.sub("", text)))))
        if targets:
            self._notes.append(_Note(path, targets))

    def stored(self, place: str, memory_id: str) -> None:
        """Note which memory a file became; of several the first."""
        self._ids.setdefault(PurePosixPath(place), memory_id)

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The ids of each two memories of which the first links to the second; links that name no stored note are left out.

        Of several notes with the same name, one in the same folder is meant, else the one nearest to the top.
        """
        seen: set[tuple[str, str]] = set()
        for note in self._notes:
            source = self._ids.get(note.place)
            for target in note.targets:
                named = [path for path in self._named.get(target, ()) if path in self._ids]
                if source is None or not named:
                    continue
                found = self._ids[min(named, key=lambda path: _distance(path, note.place))]
                if found != source and (source, found) not in seen:
                    seen.add((source, found))
                    yield source, found


def _distance(path: PurePosixPath, origin: PurePosixPath) -> tuple[bool, int, str]:
    return path.parent != origin.parent, len(path.parts), str(path)


def _key(name: str) -> str:
    """A name for comparison: without the ending of Markdown files, blanks around it and differences of case."""
    return re.sub(r"\.(?:md|markdown|mdx)$", "", name.strip().strip("/").casefold())
