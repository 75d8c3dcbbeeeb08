"""Several programs that embed the same texts, timed in turn.

A shared machine has phases of minutes in which everything is a quarter slower, and a program measured in one of them looks slower
than the next. So every program is loaded first, in a separate process that waits, and each row of texts is given to all programs
one after another, in several rounds: compared figures are measured within the same minute. A program's figure is the median of all
its passes.
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


class ProgramError(Exception):
    """A program ended; the message is the last line that it wrote."""


class Program:
    """A program with its model loaded, which waits between rows. Close it, or use it in a `with` block."""

    def __init__(self, python: Sequence[str], program: str, arguments: Sequence[str]) -> None:
        """Start it and wait until it is ready. Raises ProgramError if it ends instead."""
        self._errors = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115 - closed with the program
        self._process = subprocess.Popen(
            [*python, str(PROGRAMS / program), *arguments],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
        )
        self._alarm = threading.Timer(_SECONDS, self._process.kill)
        self._alarm.daemon = True
        self._alarm.start()
        self._taken: dict[str, list[float]] = {}
        try:
            self._about: dict[str, Any] = self._answer()
        except ProgramError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def take(self, row: str) -> None:
        """Embed a row of texts several more times; does nothing if the row has proved too slow to repeat."""
        taken = self._taken.setdefault(row, [])
        if not taken or min(taken) <= SLOW_SECONDS:
            taken += self._ask(row)["seconds"]

    def finish(self) -> dict[str, Any]:
        """The measurements: `seconds` (medians) and `tokens` by row, `load_s`, `peak_gb`, `versions` and `vector`."""
        seconds = {row: statistics.median(taken) for row, taken in self._taken.items()}
        return {**self._about, **self._ask(""), "seconds": seconds}

    def close(self) -> None:
        """End the program."""
        self._alarm.cancel()
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
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

    def _error(self) -> ProgramError:
        self._process.wait()
        self._errors.seek(0)
        lines = self._errors.read().strip().splitlines()
        return ProgramError(lines[-1] if lines else f"exit status {self._process.returncode}")


def run_program(python: Sequence[str], program: str, arguments: Sequence[str]) -> str:
    """The output of a program that runs to its end. Raises subprocess.SubprocessError with the last line that it wrote."""
    words = [*python, str(PROGRAMS / program), *arguments]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False, timeout=_SECONDS)
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise subprocess.SubprocessError(lines[-1] if lines else f"exit status {done.returncode}")
    return done.stdout


def run_in_turn(
    programs: Mapping[str, Program],
    rows: Sequence[str],
    *,
    rounds: int = ROUNDS,
    before: Callable[[str], None] | None = None,
) -> dict[str, dict[str, Any]]:
    """The measurements of each program, by its name; a program that ends early is skipped with a message.

    `before` is called with the row's name before each round of a row.
    """
    left = dict(programs)
    for turn in range(rounds):
        for row in rows:
            print(f"  round {turn + 1} of {rounds}: {row}", file=sys.stderr, flush=True)
            if before is not None:
                before(row)
            for name in list(left):
                try:
                    left[name].take(row)
                except ProgramError as error:
                    print(f"{name} is skipped: {error}", file=sys.stderr)
                    del left[name]
    return {name: program.finish() for name, program in left.items()}
