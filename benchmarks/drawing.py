"""The charts of docs/benchmarks.md, from the rows of the results."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from benchmarks.charts import Bar, Chart
from benchmarks.figures import number

Row = Mapping[str, Any]

_ENGINE = re.compile(r"embed\.(?:gemma|peer)\.(?P<side>[^.]+)\.(?P<what>[^.]+)")
_RECALL = re.compile(r"recall\.(?P<what>p50|p95|without_embedding_p50)\.(?P<size>\d+[km])")
_SIZES = {"10k": "10,000 memories", "100k": "100,000 memories", "1m": "1,000,000 memories"}
_FARTHEST = 16.0
"""The end of the scale of ratios; a larger one is drawn to there, with its value next to it."""
_TARGET = re.compile(r"(?P<ratio>ratio )?(?P<sense><=|>=) (?P<limit>\S+)")


def charts(rows: Sequence[Row], engine: Sequence[Row]) -> dict[str, Chart]:
    """Every chart that has rows, by its file's name without the suffix.

    `rows` are the newest of each name, `engine` those of one run that has both the engine and its peers: rates of two runs on a
    shared machine do not compare.
    """
    source = _source(rows)
    drawn = {
        "engine-throughput": Chart(
            "EmbeddingGemma-300M on the CPU: tokens per second",
            "More is better; blue: this service; grey: others with the same texts in the same run",
            _throughput(engine),
            _source(engine),
        ),
        "engine-memory": Chart(
            "EmbeddingGemma-300M on the CPU: peak memory of the process",
            "GB, less is better. The mark is the target",
            [("", _memory(engine))],
            _source(engine),
        ),
        "recall-latency": Chart(
            "How long a recall takes",
            "Milliseconds in process, less is better. The mark is the target; orange misses it",
            _latency(rows),
            source,
        ),
        "store-memory": Chart(
            "Memory of a process that answers from a store",
            "GB resident after its questions, the model included; less is better. The mark is the target",
            [("", _resident(rows))],
            source,
        ),
        "beside-others": Chart(
            "Compared with others in the same run",
            "How many times as fast; right of 1 this service is ahead. The mark is the target, orange misses it",
            [("", [_beside(row) for row in rows if row["ratio"]])],
            source,
            logarithmic=True,
            most=_FARTHEST,
        ),
        "targets": Chart(
            "Every target",
            "How many times better than it asks for; right of 1 it is met, orange is missed",
            [("", [_reached(row) for row in rows if row["target"]])],
            source,
            logarithmic=True,
            most=_FARTHEST,
        ),
    }
    return {name: chart for name, chart in drawn.items() if any(bars for _, bars in chart.groups)}


def _throughput(rows: Iterable[Row]) -> list[tuple[str, list[Bar]]]:
    """One group per shape, the fastest first."""
    groups: dict[str, list[Bar]] = {}
    for row in rows:
        found = _ENGINE.fullmatch(row["name"])
        if found and row["unit"] == "tokens/s":
            groups.setdefault(found["what"], []).append(_bar(row, _side(row["name"], found["side"]), marked=False))
    return [(_shape(what), sorted(bars, key=lambda bar: -bar.value)) for what, bars in groups.items()]


def _memory(rows: Iterable[Row]) -> list[Bar]:
    found = [(row, _ENGINE.fullmatch(row["name"])) for row in rows]
    bars = [_bar(row, _side(row["name"], match["side"])) for row, match in found if match and match["what"] == "peak"]
    return sorted(bars, key=lambda bar: bar.value)


def _latency(rows: Iterable[Row]) -> list[tuple[str, list[Bar]]]:
    groups: dict[str, list[Bar]] = {}
    labels = {"p50": "half of them", "p95": "19 of 20", "without_embedding_p50": "half, embedding apart"}
    for row in rows:
        found = _RECALL.fullmatch(row["name"])
        if found:
            bars = groups.setdefault(_SIZES.get(found["size"], found["size"]), [])
            bars.append(_bar(row, labels[found["what"]]))
    return list(groups.items())


def _resident(rows: Iterable[Row]) -> list[Bar]:
    sizes = ((row, row["name"].removeprefix("index.resident.")) for row in rows)
    return [_bar(row, _SIZES.get(size, size)) for row, size in sizes if size != row["name"]]


def _bar(row: Row, label: str, *, marked: bool = True) -> Bar:
    peer = row["name"].startswith("embed.peer.")
    target = _target(row) if marked else None
    kind = "peer" if peer else "missed" if marked and row["met"] is False else "ours"
    limit = target[1] if target is not None and not target[2] else None
    return Bar(row["name"], label, row["value"], _shown(row) if marked else _value(row), kind, limit)


def _beside(row: Row) -> Bar:
    """How many times as fast as the peer: of rates the ratio, of times its inverse."""
    peer = row["peer"]
    rate = row["unit"].endswith("/s")
    limit = _target(row)
    faster = row["ratio"] if rate else 1 / row["ratio"]
    marked = limit[1] if limit is not None and limit[2] else None
    shown = f"{faster:.2f} × {peer['name']}"
    kind = "missed" if row["met"] is False and marked is not None else "ours"
    mark = None if marked is None else marked if rate else 1 / marked
    return Bar(row["name"], row["name"], faster, shown, kind, mark)


def _reached(row: Row) -> Bar:
    target = _target(row)
    assert target is not None
    sense, limit, of_ratio = target
    measured = (row["ratio"] if of_ratio else row["value"]) or 0.0
    margin = _margin(measured, limit, sense)
    kind = "ours" if row["met"] else "missed"
    return Bar(row["name"], row["name"], margin, _shown(row), kind)


def _margin(measured: float, limit: float, sense: str) -> float:
    """How many times better than the limit; nothing at all where nothing is allowed is exactly it."""
    if sense == ">=":
        return measured / limit
    if measured <= 0:
        return _FARTHEST if limit > 0 else 1.0
    return limit / measured


def _target(row: Row) -> tuple[str, float, bool] | None:
    """The sense, the limit and whether it is of the ratio."""
    if not row["target"]:
        return None
    found = _TARGET.fullmatch(row["target"])
    assert found is not None, row["target"]
    return found["sense"], float(found["limit"]), bool(found["ratio"])


def _shown(row: Row) -> str:
    """The value and the target, as in `12.3 ms; ≤ 8 missed`."""
    target = _target(row)
    if target is None:
        return _value(row)
    sense, limit, of_ratio = target
    measured = f"ratio {row['ratio']:.2f}" if of_ratio and row["ratio"] is not None else _value(row)
    return f"{measured}; {'≤' if sense == '<=' else '≥'} {limit:.4g}{'' if row['met'] else ' missed'}"


def _value(row: Row) -> str:
    return f"{number(row['value'])} {row['unit']}".rstrip()


def _side(name: str, side: str) -> str:
    """`onnxruntime_int8` as `onnxruntime int8`."""
    return side.replace("_", " ") if name.startswith("embed.peer.") else f"this service {side}"


def _shape(what: str) -> str:
    if what == "64_mixed":
        return "64 texts of 8 to 512 tokens"
    texts, _, tokens = what.partition("x")
    return f"{texts} {'text' if texts == '1' else 'texts'} of {tokens} tokens"


def _source(rows: Sequence[Row]) -> str:
    """The machine and the commits."""
    if not rows:
        return ""
    machine = rows[-1]["machine"]
    commits = list(dict.fromkeys(row["commit"].rstrip("+") for row in rows))
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']} GB; commit {', '.join(commits)}"
