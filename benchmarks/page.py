"""Put the rows of one results file into docs/benchmarks.md: `.venv/bin/python benchmarks/page.py benchmarks/results/FILE`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.figures import number  # noqa: E402 - after the path

PAGE = ROOT / "docs" / "benchmarks.md"
HEADING = "## The last results\n"


def section(rows: Sequence[dict[str, Any]], name: str) -> str:
    """The rows as a Markdown table under the commit and machine they were measured on; of equal names the last one counts."""
    latest = {row["name"]: row for row in rows}
    last = rows[-1]
    machine = last["machine"]
    loads = [row["settings"]["load"] for row in latest.values() if "load" in row["settings"]]
    lines = [
        f"`benchmarks/results/{name}`: commit {last['commit']}; {machine['cpu']}, {machine['cores']} cores, "
        f"{machine['memory_gb']} GB; {machine['system']}, Python {machine['python']}, SQLite {machine['sqlite']}; "
        f"load {min(loads):g} to {max(loads):g}.",
        "",
        "| figure | value | unit | target | met | ratio | peer |",
        "|---|--:|---|---|---|--:|---|",
        *(_line(row) for row in latest.values()),
    ]
    return "\n".join(lines) + "\n"


def _line(row: dict[str, Any]) -> str:
    peer = f"{row['peer']['name']} {number(row['peer']['value'])}" if row["peer"] else ""
    ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
    met = {True: "yes", False: "**no**", None: ""}[row["met"]]
    cells = (f"`{row['name']}`", number(row["value"]), row["unit"], row["target"] or "", met, ratio, peer)
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Rewrite what follows the heading up to the next line `<!-- end -->`."""
    source = Path(sys.argv[1])
    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    before, _, rest = PAGE.read_text(encoding="utf-8").partition(HEADING)
    _, _, after = rest.partition("<!-- end -->\n")
    PAGE.write_text(f"{before}{HEADING}\n{section(rows, source.name)}<!-- end -->\n{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
