"""What every side's program does with its `encode`: embed the rows that it is told to, and say how long each pass took.

`benchmarks/sides.py` starts the programs and talks to them: a row's name a line in, an answer in JSON a line out, marked, since
libraries print lines of their own.
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
"""A row is repeated until this has passed, 1 to 5 times, after a pass that is not counted."""
SLOW_SECONDS = 8.0
"""So slow that the first pass counts, and is the only one of the whole run."""
MARK = "\x1e"
"""What the lines of an answer begin with (RFC 7464's record separator)."""


def measure(
    texts: Path, encode: Callable[[list[str]], Any], count: Callable[[list[str]], int], load_s: float, versions: str
) -> None:
    """Time `encode`, which gives a row's vectors, on each row that is asked for; `count` gives a row's tokens.

    An empty name asks for the most memory that was used.
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
