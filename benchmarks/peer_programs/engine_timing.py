"""What every side's program does with its `encode`: run each row several times and print the medians as JSON."""

from __future__ import annotations

import json
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

BUDGET_SECONDS = 4.0
"""A row is repeated until this has passed, 3 to 15 times."""


def measure(
    texts: Path, encode: Callable[[list[str]], Any], count: Callable[[list[str]], int], load_s: float, versions: str
) -> None:
    """Time `encode`, which gives a row's vectors, on each row of the texts' file; `count` gives a row's tokens."""
    rows: dict[str, list[str]] = json.loads(texts.read_text(encoding="utf-8"))
    seconds, tokens = {}, {}
    for name, row in rows.items():
        started = time.perf_counter()
        encode(row)
        warm = time.perf_counter() - started
        taken = [warm] if warm > 2 * BUDGET_SECONDS else []  # so slow that a first run tells as much as three
        while warm <= 2 * BUDGET_SECONDS and (len(taken) < 3 or (sum(taken) < BUDGET_SECONDS and len(taken) < 15)):
            started = time.perf_counter()
            encode(row)
            taken.append(time.perf_counter() - started)
        seconds[name], tokens[name] = statistics.median(taken), count(row)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    vector = [float(value) for value in encode(rows["1x32"])[0]]
    found = {
        "vector": vector,
        "seconds": seconds,
        "tokens": tokens,
        "load_s": load_s,
        "peak_gb": peak,
        "versions": versions,
    }
    print(json.dumps(found))
