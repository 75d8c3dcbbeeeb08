"""Several programs that embed the same texts, timed in turn.

A shared machine has phases of minutes in which everything is a quarter slower: whoever is measured in one of them looks worse than
the next. So every side is loaded first, in a process of its own that waits, and each row of texts is given to all sides one after
another, in several rounds: what is compared was measured within the same minute. A side's figure is the median of all its passes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from benchmarks.figures import ROOT
from benchmarks.peer_programs.engine_timing import MARK, SLOW_SECONDS

PROGRAMS = Path(__file__).with_name("peer_programs")
ROUNDS = 3
_SECONDS = 3_600


class SideError(Exception):
    """A side's program ended; the message is the last line that it wrote."""


class Side:
    """One program with its model loaded, which waits between the rows. To be closed, or used in a `with` block."""

    def __init__(self, python: Sequence[str], program: str, arguments: Sequence[str]) -> None:
        """Start it and wait until it is ready. Raises SideError where it ends instead."""
        self._said = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed with the side
        self._process = subprocess.Popen(
            [*python, str(PROGRAMS / program), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self._alarm = threading.Timer(_SECONDS, self._process.kill)
        self._alarm.daemon = True
        self._alarm.start()
        self._taken: dict[str, list[float]] = {}
        try:
            self._about: dict[str, Any] = self._answer()
        except SideError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, row: str) -> None:
        """Embed a row of texts some times more; nothing where it takes the side too long to do it again."""
        taken = self._taken.setdefault(row, [])
        if not taken or min(taken) <= SLOW_SECONDS:
            taken += self._ask(row)["seconds"]

    def finish(self) -> dict[str, Any]:
        """What it measured: `seconds`, the medians, and `tokens` by row, `load_s`, `peak_gb`, `versions` and `vector`."""
        seconds = {row: statistics.median(taken) for row, taken in self._taken.items()}
        return {**self._about, **self._ask(""), "seconds": seconds}

    def close(self) -> None:
        """End the program."""
        self._alarm.cancel()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None and not stream.closed:
                stream.close()

    def _ask(self, row: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(row + "\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise self._error() from None
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith(MARK):
                return dict(json.loads(line[len(MARK) :]))
        raise self._error()

    def _error(self) -> SideError:
        self._process.wait()
        self._said.seek(0)
        lines = self._said.read().strip().splitlines()
        return SideError(lines[-1] if lines else f"exit status {self._process.returncode}")


def run_program(python: Sequence[str], program: str, arguments: Sequence[str]) -> str:
    """What a program that is no side prints. Raises subprocess.SubprocessError with the last line that it wrote."""
    words = [*python, str(PROGRAMS / program), *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise subprocess.SubprocessError(lines[-1] if lines else f"exit status {done.returncode}")
    return done.stdout


def in_turn(
    sides: Mapping[str, Side], rows: Sequence[str], *, rounds: int = ROUNDS, before: Callable[[str], None] | None = None
) -> dict[str, dict[str, Any]]:
    """What each side measured of each row, by its name; a side that ends on the way is left out, and said to be.

    `before`, given the row's name, is called before each round of a row.
    """
    left = dict(sides)
    for turn in range(rounds):
        for row in rows:
            print(f"  round {turn + 1} of {rounds}: {row}", file=sys.stderr, flush=True)
            if before is not None:
                before(row)
            for name in list(left):
                try:
                    left[name].take(row)
                except SideError as error:
                    print(f"{name} is left out: {error}", file=sys.stderr)
                    del left[name]
    return {name: side.finish() for name, side in left.items()}
