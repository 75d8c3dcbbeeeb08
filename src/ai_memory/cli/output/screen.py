"""The output: its width, whether it has colour, and how results, errors and notices are written."""

from __future__ import annotations

import datetime as dt
import os
import re
import sys
from collections.abc import Callable, Iterable
from functools import cached_property
from typing import Any

from ai_memory.cli.output.layout import visible_line
from ai_memory.clock import MachineZone
from ai_memory.environment import variable
from ai_memory.errors import MemoryServiceError
from ai_memory.operations.base import to_json

NARROWEST = 40
USUAL = 100
"""Columns where the output is not a terminal."""


class Screen:
    """The process's standard output and error, with the choices made on the command line."""

    def __init__(self, *, json: bool = False, quiet: bool = False, zone: Callable[[], dt.tzinfo] = MachineZone) -> None:
        """`zone` gives the zone whose days are shown, when one is."""
        self.json = json
        self.quiet = quiet
        self._zone = zone
        terminal = sys.stdout.isatty()
        self.width = max(NARROWEST, _terminal_columns()) if terminal else USUAL
        self.colour = terminal and not json and not variable("NO_COLOR") and variable("TERM") != "dumb"

    @cached_property
    def zone(self) -> dt.tzinfo:
        """Whose days are shown."""
        return self._zone()

    @property
    def shows_progress(self) -> bool:
        """Whether progress bars are shown: on a terminal, unless quiet."""
        return sys.stderr.isatty() and not self.quiet

    def value(self, value: Any, lines: Iterable[str]) -> None:
        """A result: its JSON with `--json`, else `lines` for reading."""
        if self.json:
            self.bytes(to_json(value) + b"\n")
            return
        for line in lines:
            self.line(line)

    def line(self, text: str) -> None:
        """One line on standard output; characters outside its encoding are escaped."""
        encoding = sys.stdout.encoding or "utf-8"
        print(text.encode(encoding, "backslashreplace").decode(encoding))

    def bytes(self, data: bytes) -> None:
        """Bytes on standard output, as they are."""
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()

    def note(self, text: str) -> None:
        """A notice on standard error; nothing with `--quiet`."""
        if not self.quiet:
            print(_encodable(visible_line(text)), file=sys.stderr)

    def error(self, error: MemoryServiceError) -> None:
        """An error on standard error: its JSON body with `--json`, else its message and hint."""
        if self.json:
            print(to_json({"error": error.body()}).decode(), file=sys.stderr)
            return
        print(_encodable(f"error: {visible_line(error.message)}"), file=sys.stderr)
        if error.hint and error.hint not in error.message:  # a command may be part of the message
            print(_encodable(f"hint: {visible_line(error.hint)}"), file=sys.stderr)

    def dim(self, text: str) -> str:
        """`text` dimmed, if there is colour."""
        return f"\x1b[2m{text}\x1b[0m" if self.colour and text else text

    def good(self, text: str) -> str:
        """`text` in green, if there is colour."""
        return f"\x1b[32m{text}\x1b[0m" if self.colour and text.strip() else text

    def bad(self, text: str) -> str:
        """`text` in red, if there is colour."""
        return f"\x1b[31m{text}\x1b[0m" if self.colour and text.strip() else text

    def holds(self, text: str) -> bool:
        """Whether the output's encoding has all characters of `text`."""
        try:
            text.encode(sys.stdout.encoding or "utf-8")
        except UnicodeEncodeError:
            return False
        return True

    def bold(self, text: str) -> str:
        """`text` in bold, if there is colour."""
        return f"\x1b[1m{text}\x1b[0m" if self.colour and text else text

    def highlight(self, line: str, words: Iterable[str]) -> str:
        """`line` with the words that begin with one of `words` highlighted, if there is colour."""
        wanted = [re.escape(word) for word in words if word]
        if not self.colour or not wanted:
            return line
        pattern = rf"(?<!\w)(?:{'|'.join(wanted)})\w*"
        return re.sub(pattern, lambda match: f"\x1b[1;33m{match[0]}\x1b[0m", line, flags=re.IGNORECASE)


def _terminal_columns() -> int:
    given = variable("COLUMNS")
    if given.isdecimal() and int(given):
        return int(given)
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or USUAL
    except OSError:
        return USUAL


def _encodable(text: str) -> str:
    encoding = sys.stderr.encoding or "utf-8"
    return text.encode(encoding, "backslashreplace").decode(encoding)
