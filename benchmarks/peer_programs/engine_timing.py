"""The loop of every compared program: embed the requested rows with its `encode` and report the time of each pass.

`benchmarks/programs.py` starts the programs and talks to them: one line with a row's name in, one line of JSON out, with a mark,
since libraries print lines too.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BUDGET_SECONDS = 1.5
"""A row is repeated for this many seconds, 1 to 5 times, after an uncounted pass."""
SLOW_SECONDS = 8.0
"""Seconds of a pass above which the first pass counts and is the only one of the whole run."""
MARK = "\x1e"
"""The first character of an answer's line (RFC 7464's record separator)."""


def measure(
    texts: Path, encode: Callable[[list[str]], Any], count: Callable[[list[str]], int], load_s: float, versions: str
) -> None:
    """Time `encode`, which returns a row's vectors, on each requested row; `count` returns a row's tokens.

    An empty name requests the peak memory.
    """
    rows: dict[str, list[str]] = json.loads(texts.read_text(encoding="utf-8"))
    vector = [float(value) for value in encode(rows["1x32"])[0]]
    tokens = {name: count(row) for name, row in rows.items()}
    _say({"vector": vector, "tokens": tokens, "load_s": load_s, "versions": versions})
    for line in sys.stdin:
        name = line.strip()
        if name:
            _say({"seconds": _passes(encode, rows[name])})
        else:
            _say({"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20})


def _passes(encode: Callable[[list[str]], Any], row: list[str]) -> list[float]:
    first = _timed(encode, row)
    if first > SLOW_SECONDS:
        return [first]
    taken = [_timed(encode, row)]
    while sum(taken) < BUDGET_SECONDS and len(taken) < 5:
        taken.append(_timed(encode, row))
    return taken


def _timed(encode: Callable[[list[str]], Any], row: list[str]) -> float:
    started = time.perf_counter()
    encode(row)
    return time.perf_counter() - started


def _say(answer: dict[str, Any]) -> None:
    print(MARK + json.dumps(answer), flush=True)
