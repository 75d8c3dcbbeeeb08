"""The overhead of Rust over Python: `scripts/rust bench` runs criterion and adds the rows to the results.

The benchmark (rust/bench) measures both in the same samples, one call after the other; here the pairs become figures. A figure is
the median of the samples, so that a disturbed one does not count.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.figures import (  # noqa: E402 - after the path
    Figure,
    Peer,
    Target,
    commit,
    load_average,
    median,
    results_file,
    table,
    write,
)

PAIRS = ROOT / ".cache" / "rust" / "pairs.json"


def figures(measured: dict[str, Any], load: float) -> Iterator[Figure]:
    """The figures of one run, from its pairs of [calls, nanoseconds of the peer, nanoseconds of Rust]."""
    samples: dict[str, list[list[int]]] = {pair["name"]: pair["samples"] for pair in measured["pairs"]}
    settings = {"model": measured["model"], "dtype": measured["dtype"], "threads": 1, "load": load}

    def peer(name: str, unit: float) -> float:
        return median([theirs / calls / unit for calls, theirs, _ in samples[name]])

    def rust(name: str, unit: float) -> float:
        return median([ours / calls / unit for calls, _, ours in samples[name]])

    def added(name: str, unit: float) -> float:
        return median([(ours - theirs) / calls / unit for calls, theirs, ours in samples[name]])

    kept = {**settings, "vectors": "from the cache: Python's own time without the model"}
    yield Figure("rust.call_added.cached", added("crossing", 1e3), "µs", target=Target("<=", 50), settings=kept)
    yield Figure("rust.call.cached", rust("crossing", 1e3), "µs", Peer("Python", peer("crossing", 1e3)), settings=kept)
    # In a call that runs the model the overhead is far below the variation between passes, so only the ratio is shown.
    yield Figure("rust.call.model", rust("single", 1e3), "µs", Peer("Python", peer("single", 1e3)), settings=settings)
    batch = {**settings, "texts": measured["batch"]}
    yield Figure(
        "rust.batch",
        rust("batch", 1e6),
        "ms",
        Peer("Python", peer("batch", 1e6)),
        Target("<=", 1.02, of="ratio"),
        batch,
    )
    calls = {**settings, "texts": measured["texts"], "callers": measured["threads"]}
    texts = measured["texts"] * 1e9
    yield Figure(
        "rust.threads_calling_singly",
        texts / rust("threads", 1.0),
        "texts/s",
        Peer(f"batches of {measured['batch']}", texts / peer("threads", 1.0)),
        Target(">=", 0.8, of="ratio"),
        calls,
    )


def main() -> int:
    """Measure, show and save; exit status 1 if a target is missed."""
    load = load_average()
    subprocess.run(
        ["cargo", "bench", "--quiet", "--package", "ai-memory-bench"],
        cwd=ROOT / "rust",
        env={**os.environ, "AI_MEMORY_PAIRS": str(PAIRS)},
        check=True,
    )
    found = list(figures(json.loads(PAIRS.read_text(encoding="utf-8")), load))
    measured = commit()
    path = results_file(measured)
    write(found, path, measured)
    print(table(found))
    print(f"rows added to {path.relative_to(ROOT)}")
    return 1 if any(figure.met is False for figure in found) else 0


if __name__ == "__main__":
    sys.exit(main())
