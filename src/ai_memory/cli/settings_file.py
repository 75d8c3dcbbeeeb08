"""Changes one setting in the settings file and leaves the rest as the user wrote it."""

from __future__ import annotations

import json
import os
import re
import tempfile
import tomllib
from pathlib import Path

from ai_memory.errors import InvalidInputError, StoreFullError, StoreReadOnlyError


def write_setting(file: Path, name: str, value: str) -> None:
    """Set a top-level string of a TOML file, atomically; the file is created if it does not exist.

    Raises InvalidInputError where the file is not TOML, or sets the value in a way that replacing one line cannot change;
    StoreReadOnlyError and StoreFullError where it cannot be written.
    """
    try:
        before = file.read_text(encoding="utf-8") if file.exists() else ""
        settings = tomllib.loads(before)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise InvalidInputError(f"{file} cannot be read as TOML: {error}", hint="fix or remove the file") from None
    after = _with(before, name, value)
    try:
        written = tomllib.loads(after)
    except tomllib.TOMLDecodeError:
        written = {}
    if written != {**settings, name: value}:
        raise InvalidInputError(f"{file} sets {name} in a way that cannot be changed here", hint="change it by hand")
    try:
        _replace(file, after)
    except OSError as error:
        full = error.strerror == os.strerror(28)
        kind = StoreFullError if full else StoreReadOnlyError
        raise kind(f"{file} cannot be written: {error.strerror}", hint="choose another with --config") from error


def _with(text: str, name: str, value: str) -> str:
    """The text with `name = value`: in place of its top-level line, or before everything else."""
    line = f"{name} = {json.dumps(value, ensure_ascii=False)}"
    top, table, rest = _split_at_first_table(text)
    pattern = re.compile(rf"^[ \t]*{re.escape(name)}[ \t]*=.*$", re.MULTILINE)
    changed, count = pattern.subn(lambda _: line, top, count=1)
    return (changed if count else f"{line}\n{top}") + table + rest


def _split_at_first_table(text: str) -> tuple[str, str, str]:
    match = re.search(r"^[ \t]*\[", text, re.MULTILINE)
    return (text, "", "") if match is None else (text[: match.start()], match[0], text[match.end() :])


def _replace(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        if file.exists():
            os.chmod(draft, file.stat().st_mode & 0o7777)  # noqa: PTH101
        Path(draft).replace(file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise
