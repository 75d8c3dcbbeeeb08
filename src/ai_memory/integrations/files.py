"""A folder of text files that is a view of memories: contexts are its folders, titles its files. Needs no other package.

The commands and the words of their answers are those of the memory tool of Claude (`memory_20250818`), as its package has them.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.integrations.items import below, by_key, key_of, listed, path_in, placed, revise, write
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord

ROOT = "memories"
MOST_LINES = 999_999
_WIDTH = len(str(MOST_LINES))
_OF = "memory_file"
"""The attribute of a file: the parts of its path, whose it is, and its content where that is blank, as no memory's text may be."""
_DEEP = 2
_UNITS = "BKMG"

Path = tuple[str, ...]
"""The parts of a path below /memories; () is /memories itself."""


class FileError(Exception):
    """A command cannot be carried out; the message says why, in words for a model."""


class File(NamedTuple):
    """One file: its place and what it says."""

    path: Path
    content: str
    record: MemoryRecord


class MemoryFiles:
    """The files below /memories. A change of one is a revision of its memory; what is deleted is erased for good.

    A folder is there as long as a file is in it. Paths are compared with their case; none leads out of /memories.
    """

    def __init__(self, memory: Methods, *, namespace: str = DEFAULT_NAMESPACE, user: str | None = None) -> None:
        """`memory` is a `Memory` or a `Client`, which stays the caller's to close; with `user`, the files of this user alone."""
        self.memory = memory
        self.namespace = namespace
        self.user = user

    def view(self, path: str, view_range: Sequence[int] | None = None) -> str:
        """What is in a folder, two levels deep, or the lines of a file with their numbers; `view_range` is first and last."""
        parts = _parts(path)
        found = self._file(parts)
        if found is None:
            return self._folder(path, parts)
        lines = found.content.split("\n")
        if len(lines) > MOST_LINES:
            raise FileError(f"File {path} exceeds maximum line limit of {MOST_LINES:,} lines.")
        first, last = 1, len(lines)
        if view_range is not None and len(view_range) == 2:
            first, last = max(1, view_range[0]), len(lines) if view_range[1] == -1 else view_range[1]
        return f"Here's the content of {path} with line numbers:\n" + _numbered(lines[first - 1 : last], first)

    def create(self, path: str, file_text: str) -> str:
        """Make a file; one that is there already is refused."""
        parts = _parts(path)
        if not parts or self._file(parts) is not None or self._is_folder(parts):
            raise FileError(f"File {path} already exists")
        self._refuse_file_above(parts)
        write(self.memory, self.namespace, [self._draft(parts, file_text)])
        return f"File created successfully at: {path}"

    def str_replace(self, path: str, old_str: str, new_str: str) -> str:
        """Replace what occurs exactly once in a file; answers with the lines around it."""
        found = self._existing_file(path)
        at = _occurrences(found.content, old_str)
        if not at:
            raise FileError(f"No replacement was performed, old_str `{old_str}` did not appear verbatim in {path}.")
        if found.content.count(old_str) > 1:
            lines = ", ".join(str(found.content.count("\n", 0, place) + 1) for place in at)
            raise FileError(
                f"No replacement was performed. Multiple occurrences of old_str `{old_str}` in lines: {lines}. "
                "Please ensure it is unique"
            )
        content = found.content.replace(old_str, new_str)
        self._write(found, content)
        after = content.split("\n")
        changed = found.content.count("\n", 0, at[0])
        first = max(0, changed - 2)
        snippet = _numbered(after[first : changed + 3], first + 1)
        return (
            f"The memory file has been edited. Here is the snippet showing the change (with line numbers):\n{snippet}"
        )

    def insert(self, path: str, insert_line: int, insert_text: str) -> str:
        """Insert lines after the line of that number; 0 means at the beginning."""
        found = self._existing_file(path)
        lines = found.content.split("\n")
        if not lines[-1]:
            lines.pop()
        if not 0 <= insert_line <= len(lines):
            raise FileError(
                f"Invalid `insert_line` parameter: {insert_line}. It should be within the range [0, {len(lines)}]."
            )
        lines.insert(insert_line, insert_text.rstrip("\n"))
        content = "\n".join(lines)
        self._write(found, content if content.endswith("\n") else content + "\n")
        return f"The file {path} has been edited."

    def delete(self, path: str) -> str:
        """Erase a file, or a folder with all that is in it."""
        parts = _parts(path)
        if not parts:
            raise FileError("Cannot delete the /memories directory itself")
        files = self._at_or_below(parts)
        if not files:
            raise FileError(f"The path {path} does not exist")
        for file in files:
            self.memory.forget(file.record.id, namespace=self.namespace)
        return f"Successfully deleted {path}"

    def rename(self, old_path: str, new_path: str) -> str:
        """Move a file, or a folder with all that is in it, to a path where nothing is."""
        old, new = _parts(old_path), _parts(new_path)
        if not old:
            raise FileError("Cannot rename the /memories directory itself")
        if not new or self._file(new) is not None or self._is_folder(new):
            raise FileError(f"The destination {new_path} already exists")
        files = self._at_or_below(old)
        if not files:
            raise FileError(f"The path {old_path} does not exist")
        if new[: len(old)] == old:
            raise FileError(f"The destination {new_path} is inside {old_path}")
        self._refuse_file_above(new)
        for file in files:
            self._write(file, file.content, (*new, *file.path[len(old) :]))
        return f"Successfully renamed {old_path} to {new_path}"

    def clear_all_memory(self) -> str:
        """Erase every file."""
        for file in self._below(()):
            self.memory.forget(file.record.id, namespace=self.namespace)
        return "All memory cleared"

    def _folder(self, path: str, parts: Path) -> str:
        files = list(self._below(parts))
        if parts and not files:
            raise FileError(f"The path {path} does not exist. Please provide a valid path.")
        sizes: dict[Path, int] = {}
        for file in files:
            inside = file.path[len(parts) :]
            if any(part.startswith(".") for part in inside[:_DEEP]):
                continue
            size = len(file.content.encode())
            for depth in range(1, min(len(inside), _DEEP) + 1):
                name = (*inside[:depth], "") if depth < len(inside) else inside
                sizes[name] = sizes.get(name, 0) + size
        whole = sum(len(file.content.encode()) for file in files)
        header = f"Here're the files and directories up to 2 levels deep in {path}, excluding hidden items:"
        listing = [f"{_size(size)}\t{path}/{'/'.join(name)}" for name, size in sorted(sizes.items())]
        return "\n".join([header, f"{_size(whole)}\t{path}", *listing])

    def _file(self, parts: Path) -> File | None:
        found = by_key(self.memory, self.namespace, [self._key(parts)]) if parts else {}
        return next(map(_file_of, found.values()), None)

    def _existing_file(self, path: str) -> File:
        parts = _parts(path)
        found = self._file(parts)
        if found is None and self._is_folder(parts):
            raise FileError(f"The path {path} is not a file.")
        if found is None:
            raise FileError(f"The path {path} does not exist. Please provide a valid path.")
        return found

    def _is_folder(self, parts: Path) -> bool:
        return not parts or next(self._below(parts, limit=1), None) is not None

    def _at_or_below(self, parts: Path) -> list[File]:
        found = self._file(parts)
        return list(self._below(parts)) if found is None else [found]

    def _below(self, parts: Path, limit: int | None = None) -> Iterator[File]:
        """The files in a folder and in the folders below it."""
        name = f"{_OF}.path"
        inside = {f"attributes.{name}.{len(parts)}": {"$exists": True}, f"attributes.{_OF}.user": self.user}
        where = {"$and": [*below(name, parts), inside]}
        return map(_file_of, listed(self.memory, self.namespace, limit=limit, where=where))

    def _refuse_file_above(self, parts: Path) -> None:
        above = [parts[:depth] for depth in range(1, len(parts))]
        for found in by_key(self.memory, self.namespace, list(map(self._key, above))).values():
            raise FileError(f"The path /{'/'.join((ROOT, *_file_of(found).path))} is not a directory.")

    def _write(self, file: File, content: str, parts: Path | None = None) -> None:
        draft = self._draft(file.path if parts is None else parts, content)
        fields = ("text", "attributes") if parts is None else ("key", "title", "context", "attributes")
        revise(self.memory, self.namespace, file.record, draft, fields)

    def _draft(self, parts: Path, content: str) -> dict[str, Any]:
        blank = {} if content.strip() else {"content": content}
        return {
            "text": parts[-1] if blank else content,
            "title": parts[-1],
            "context": "/".join((ROOT, *parts[:-1])),
            "key": self._key(parts),
            "user": self.user,
            "attributes": {_OF: {"path": placed(parts), "user": self.user, **blank}},
        }

    def _key(self, parts: Path) -> str:
        return key_of(_OF, self.user or "", *parts)


def carried_out(files: MemoryFiles, command: str, values: dict[str, Any]) -> str:
    """What a command answers. Raises FileError for one that cannot be carried out, whatever the reason."""
    try:
        answer: str = getattr(files, command)(**values)
    except MemoryServiceError as error:
        raise FileError(f"{error.message} ({error.way})" if error.way else error.message) from error
    return answer


def _parts(path: str) -> Path:
    if path != f"/{ROOT}" and not path.startswith(f"/{ROOT}/"):
        raise FileError(f"Path must start with /{ROOT}, got: {path}")
    parts = posixpath.normpath(path).lstrip("/").split("/")
    if parts[0] != ROOT:
        raise FileError(f"Path {path} would escape /{ROOT} directory")
    return tuple(parts[1:])


def _file_of(record: MemoryRecord) -> File:
    kept = record.attributes[_OF]
    return File(path_in(kept["path"]), kept.get("content", record.text), record)


def _occurrences(text: str, part: str) -> list[int]:
    """Where a part occurs, overlapping ones too."""
    if not part:
        raise InvalidInputError("old_str is empty", hint="give the text to replace")
    found = [text.find(part)]
    while found[-1] >= 0:
        found.append(text.find(part, found[-1] + 1))
    return found[:-1]


def _numbered(lines: Sequence[str], first: int) -> str:
    return "\n".join(f"{number:>{_WIDTH}}\t{line}" for number, line in enumerate(lines, first))


def _size(size: int) -> str:
    """A number of bytes as the tool writes it, such as 0B, 512B or 1.5K."""
    power = min(max(size.bit_length() - 1, 0) // 10, len(_UNITS) - 1)
    scaled = size / 1024**power
    return f"{scaled:.0f}{_UNITS[power]}" if scaled == int(scaled) else f"{scaled:.1f}{_UNITS[power]}"
