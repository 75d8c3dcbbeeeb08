"""Rewrite docs/benchmarks.md and its charts from the newest result of each row: `.venv/bin/python benchmarks/page.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.charts import draw  # noqa: E402 - after the path
from benchmarks.drawing import charts  # noqa: E402
from benchmarks.figures import number  # noqa: E402

RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"
PICTURES = ROOT / "docs" / "charts"
HEADING = "## The last results\n"
END = "<!-- end -->\n"
AREAS = ("write", "recall", "index", "store", "graph", "neo4j", "embed", "cli", "mcp", "manners", "rust")
"""In the order of the page."""

Row = Mapping[str, Any]


def read(folder: Path) -> list[list[Row]]:
    """The rows of each run, oldest first: file names begin with the time."""
    return [
        [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        for path in sorted(folder.glob("*.jsonl"))
    ]


def newest(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """The last row of each name on the machine that has the most of them, of equal ones on the most recent, by area.

    A few rows of another processor are kept with the results, and do not empty the page.
    """
    machines: dict[tuple[Any, ...], dict[str, Row]] = {}
    for row in (row for run in runs for row in run):
        rows = machines.pop(_computer(row), {})  # the most recent one comes last
        machines[_computer(row)] = {**rows, row["name"]: row}
    rows = max(reversed(machines.values()), key=len)
    return sorted(rows.values(), key=lambda row: AREAS.index(row["name"].partition(".")[0]))


def engine_run(runs: Sequence[Sequence[Row]]) -> list[Row]:
    """The newest run with the engine and its peers, preferably a complete one, else the newest with the engine.

    Empty if there is none. A quick run has no long texts.
    """
    for wanted in (("embed.peer.", "embed.gemma.float32.1x2048"), ("embed.peer.", "embed.gemma."), ("embed.gemma.",)):
        for run in reversed(runs):
            rows = {row["name"]: row for row in run if row["name"].startswith(("embed.peer.", "embed.gemma."))}
            if all(any(name.startswith(part) for name in rows) for part in wanted):
                return list(rows.values())
    return []


def pictures(runs: Sequence[Sequence[Row]]) -> dict[str, tuple[str, str]]:
    """(title, SVG) of each chart by its file's name."""
    drawn = charts(newest(runs), engine_run(runs))
    return {f"{name}.svg": (chart.title, draw(chart)) for name, chart in drawn.items()}


def section(runs: Sequence[Sequence[Row]]) -> str:
    """The text below the heading: the machine, the charts, and every row as a Markdown table."""
    rows = newest(runs)
    machine = rows[-1]["machine"]
    units = f" ({', '.join(machine['units'])})" if machine.get("units") else ""
    loads = [row["settings"]["load"] for row in rows if "load" in row["settings"]]
    lines = [
        f"{machine['cpu']}{units}, {machine['cores']} cores, {machine['memory_gb']} GB; {machine['system']}, "
        f"Python {machine['python']}, SQLite {machine['sqlite']}; load {min(loads):g} to {max(loads):g}. Of each row the newest "
        "result, and the commit that it was measured at.",
        "",
        *(f"![{title}](charts/{name})\n" for name, (title, _) in pictures(runs).items()),
        "| figure | value | unit | target | met | ratio | peer | commit |",
        "|---|--:|---|---|---|--:|---|---|",
        *(_line(row) for row in rows),
    ]
    return "\n".join(lines) + "\n"


def _computer(row: Row) -> tuple[Any, ...]:
    """What rows must share to be on one page. Rows of before the units were recorded have none."""
    machine = row["machine"]
    return (*(machine[part] for part in ("cpu", "cores", "memory_gb", "system")), tuple(machine.get("units", ())))


def _line(row: Row) -> str:
    peer = f"{row['peer']['name']} {number(row['peer']['value'])}" if row["peer"] else ""
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row["met"]]
    cells = (
        f"`{row['name']}`",
        number(row["value"]),
        row["unit"],
        row["target"] or "",
        met,
        ratio,
        peer,
        row["commit"],
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Rewrite the text between the heading and the next line `<!-- end -->`, and the charts."""
    runs = read(RESULTS)
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    _, _, after = rest.partition(END)
    PAGE.write_text(f"{before}{HEADING}\n{section(runs)}{END}{after}", encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    drawn = pictures(runs)
    for old in PICTURES.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, (_, picture) in drawn.items():
        (PICTURES / name).write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    main()
