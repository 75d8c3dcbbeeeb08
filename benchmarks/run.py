"""`make bench`: measure, show a table, add the rows to `benchmarks/results/<date>-<time>-<commit>.jsonl`.

    .venv/bin/python benchmarks/run.py [AREA…] [--quick] [--no-save]

Areas: write, embed, http (the embedder over HTTP), engine, gemma2, cuda, recall, filters, graph, neo4j, cli (with mcp), manners
(many, stalled and idle clients), peers; all by default.
`--quick` skips what takes more than a minute: the store of a million memories, repeats. docs/benchmarks.md explains each figure.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.figures import Figure, commit, load_average, machine, results_file, table, write  # noqa: E402 - after the path

AREAS = {
    "write": "benchmarks.writing",
    "embed": "benchmarks.embedding",
    "http": "benchmarks.embedding_http",
    "engine": "benchmarks.engine",
    "gemma2": "benchmarks.second_gemma",
    "cuda": "benchmarks.cuda",
    "recall": "benchmarks.recalling",
    "filters": "benchmarks.filtering",
    "graph": "benchmarks.relations",
    "neo4j": "benchmarks.databases",
    "cli": "benchmarks.processes",
    "manners": "benchmarks.manners",
    "peers": "benchmarks.peers",
}


def main() -> int:
    """Run the requested areas; exit status 1 if a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("areas", nargs="*", choices=[*AREAS, []], help="what to measure (default: everything)")
    parser.add_argument("--quick", action="store_true", help="smaller and fewer measurements")
    parser.add_argument("--no-save", action="store_true", help="show the table only")
    arguments = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("AI_MEMORY_")]:
        del os.environ[name]  # the figures are those of the defaults
    measured = commit()
    print(f"commit {measured}, {machine()}, load {load_average()}", file=sys.stderr)
    found: list[Figure] = []
    path = results_file(measured)
    for area in arguments.areas or AREAS:
        for figure in _measure(area, quick=arguments.quick):
            found.append(figure)
            print(table([figure]).splitlines()[-1], file=sys.stderr, flush=True)
            if not arguments.no_save:
                write([figure], path, measured)
    print(table(found))
    missed = [figure.name for figure in found if figure.met is False]
    print(f"\n{len(found)} figures, {len(missed)} targets missed{': ' if missed else ''}{', '.join(missed)}")
    if not arguments.no_save:
        print(f"rows added to {path.relative_to(ROOT)}; benchmarks/page.py shows them in docs/benchmarks.md")
    return 1 if missed else 0


def _measure(area: str, *, quick: bool) -> Iterator[Figure]:
    figures: Callable[..., Iterator[Figure]] = import_module(AREAS[area]).figures
    return figures(quick=quick)


if __name__ == "__main__":
    sys.exit(main())
