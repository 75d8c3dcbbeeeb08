"""A measured figure, its target, and its row in the results file."""

from __future__ import annotations

import datetime as dt
import json
import os
import platform
import sqlite3
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np

from ai_memory.embed.runtimes.processor import units

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"


@dataclass(frozen=True)
class Target:
    """A limit for a figure's value or for its ratio to the peer's."""

    sense: Literal["<=", ">="]
    limit: float
    of: Literal["value", "ratio"] = "value"

    def met(self, value: float, ratio: float | None) -> bool:
        """Return whether the target is met; a ratio that could not be measured does not meet it."""
        measured = value if self.of == "value" else ratio
        if measured is None:
            return False
        return measured <= self.limit if self.sense == "<=" else measured >= self.limit

    def __str__(self) -> str:
        return f"{'ratio ' if self.of == 'ratio' else ''}{self.sense} {self.limit:g}"


@dataclass(frozen=True)
class Peer:
    """The compared product, and its value in the same run and unit."""

    name: str
    value: float


@dataclass(frozen=True)
class Figure:
    """One number. `name` begins with its area: `write.`, `recall.`, `graph.`, `neo4j.`, `store.`, `index.`, `embed.`, `cli.` …"""

    name: str
    value: float
    unit: str
    peer: Peer | None = None
    target: Target | None = None
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def area(self) -> str:
        """The part of the name before the first dot."""
        return self.name.partition(".")[0]

    @property
    def ratio(self) -> float | None:
        """This value divided by the peer's; None without a peer or if the peer's is zero."""
        return self.value / self.peer.value if self.peer is not None and self.peer.value else None

    @property
    def met(self) -> bool | None:
        """Whether the target is met; None without a target."""
        return None if self.target is None else self.target.met(self.value, self.ratio)

    def row(self, commit: str, machine: Mapping[str, Any]) -> dict[str, Any]:
        """The row for the results file."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "peer": None if self.peer is None else {"name": self.peer.name, "value": _rounded(self.peer.value)},
            "ratio": None if self.ratio is None else _rounded(self.ratio),
            "target": None if self.target is None else str(self.target),
            "met": self.met,
            "commit": commit,
            "machine": dict(machine),
            "settings": dict(self.settings),
        }


def percentile(values: Sequence[float], share: float) -> float:
    """The `share` (0 to 1) quantile of the values, interpolated linearly. Raises ValueError for no values."""
    if not values:
        raise ValueError("no values have no percentile")
    return float(np.quantile(np.asarray(values, np.float64), share))


def median(values: Sequence[float]) -> float:
    """The median."""
    return percentile(values, 0.5)


def machine() -> dict[str, Any]:
    """What the figures depend on besides the code; nothing that identifies an individual machine."""
    return {
        "cpu": _cpu_model(),
        "units": list(units()),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
    }


def load_average() -> float:
    """The load average of the last minute: above the number of cores, other processes disturbed the measurement."""
    return round(os.getloadavg()[0], 1)


def commit() -> str:
    """The short hash of the checked-out commit, with a `+` if the program's files differ from it."""
    try:
        shown = _git("rev-parse", "--short=10", "HEAD")
        return shown + ("+" if _git("status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def table(figures: Sequence[Figure]) -> str:
    """The figures as a readable table, one per line."""
    head = ("figure", "value", "unit", "target", "met", "ratio", "peer")
    lines = [head, *(_shown(figure) for figure in figures)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    shown = []
    for line in lines:
        cells = [
            cell.rjust(width) if at in (1, 5) else cell.ljust(width)
            for at, (cell, width) in enumerate(zip(line, widths, strict=True))
        ]
        shown.append("  ".join(cells).rstrip())
    return "\n".join([shown[0], "-" * max(map(len, shown)), *shown[1:]])


def results_file(commit_name: str) -> Path:
    """The results file of a run that starts now; file names sort by time."""
    return RESULTS / f"{dt.datetime.now(dt.UTC):%Y-%m-%d-%H%M}-{commit_name.rstrip('+')}.jsonl"


def write(figures: Sequence[Figure], path: Path, commit_name: str) -> None:
    """Append the rows to a JSONL file, created if it is missing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    here = machine()
    with path.open("a", encoding="utf-8") as file:
        for figure in figures:
            file.write(json.dumps(figure.row(commit_name, here), ensure_ascii=False) + "\n")


def number(value: float) -> str:
    """A number for readers: three significant digits, thousands separated."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.3g}"


def _shown(figure: Figure) -> tuple[str, ...]:
    peer = "" if figure.peer is None else f"{figure.peer.name}: {number(figure.peer.value)}"
    met = {True: "yes", False: "NO", None: ""}[figure.met]
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return figure.name, number(figure.value), figure.unit, str(figure.target or ""), met, ratio, peer


def _rounded(value: float) -> float:
    return float(f"{value:.5g}")


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
