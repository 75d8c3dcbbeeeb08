"""The benchmarks' page and its charts: made from the kept results, every row in them, the same bytes each time."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.charts import Bar, Chart, draw  # noqa: E402 - after the path
from benchmarks.drawing import charts  # noqa: E402
from benchmarks.figures import Figure, Peer, Target  # noqa: E402
from benchmarks.page import END, HEADING, PAGE, PICTURES, RESULTS, engine_run, newest, pictures, read, section  # noqa: E402

SVG = "{http://www.w3.org/2000/svg}"
HERE = {"cpu": "One", "cores": 2, "memory_gb": 8, "system": "Linux", "python": "3.11.1", "sqlite": "3.40.1"}
ELSEWHERE = {**HERE, "cpu": "Other"}


def rows(*figures: Figure, commit: str = "c1", machine: dict[str, Any] = HERE) -> list[dict[str, Any]]:
    return [figure.row(commit, machine) for figure in figures]


def drawn(picture: str) -> set[str]:
    """The names of the rows that the chart's bars stand for."""
    groups = ElementTree.fromstring(picture).findall(f"{SVG}g")
    return {str(group.findtext(f"{SVG}title")).partition(": ")[0] for group in groups}


ENGINE = rows(
    Figure("embed.peer.onnxruntime_int8.1x32", 900.0, "tokens/s"),
    Figure("embed.peer.onnxruntime_int8.peak", 2.0, "GB"),
    Figure("embed.gemma.int8.1x32", 450.0, "tokens/s", Peer("onnxruntime int8", 900.0)),
    Figure("embed.gemma.int8.64_mixed", 500.0, "tokens/s", Peer("st <&>", 100.0), Target(">=", 4.0, "ratio")),
    Figure("embed.gemma.int8.peak", 1.2, "GB", target=Target("<=", 1.1)),
)
OTHERS = rows(
    Figure("recall.p50.10k", 9.0, "ms", target=Target("<=", 8.0)),
    Figure("recall.p95.10k", 12.0, "ms"),
    Figure("index.resident.10k", 0.3, "GB"),
    Figure("embed.http.soak.lost", 0.0, "requests", target=Target("<=", 0.0)),
    Figure("embed.http.soak.memory", -0.2, "MB/min", target=Target("<=", 1.0)),
    Figure("write.x", 2.0, "ms", Peer("bare", 1.0), Target("<=", 5.0, "ratio")),
    Figure("write.alone", 2.0, "ms", None, Target("<=", 5.0, "ratio")),
)


def test_the_page_and_the_charts_are_those_of_the_kept_results() -> None:
    runs = read(RESULTS)
    shown = PAGE.read_text(encoding="utf-8").partition(HEADING)[2].partition(END)[0]
    assert shown.strip() == section(runs).strip()
    files = {path.name: path.read_text(encoding="utf-8") for path in PICTURES.glob("*")}
    assert files == {name: picture for name, (_, picture) in pictures(runs).items()}
    for row in newest(runs):
        assert f"| `{row['name']}` |" in shown


def test_every_row_of_the_kept_results_is_drawn_in_its_chart() -> None:
    runs = read(RESULTS)
    found = {name: drawn(picture) for name, (_, picture) in pictures(runs).items()}
    latest, engine = newest(runs), engine_run(runs)
    assert found["engine-throughput.svg"] == {row["name"] for row in engine if row["unit"] == "tokens/s"}
    assert found["engine-memory.svg"] == {row["name"] for row in engine if row["name"].endswith(".peak")}
    assert found["targets.svg"] == {row["name"] for row in latest if row["target"]}
    assert found["beside-others.svg"] == {row["name"] for row in latest if row["ratio"]}
    assert found["store-memory.svg"] == {row["name"] for row in latest if row["name"].startswith("index.resident.")}
    measured = ("recall.p50.", "recall.p95.", "recall.without_embedding_p50.")
    assert found["recall-latency.svg"] == {row["name"] for row in latest if row["name"].startswith(measured)}


def test_the_newest_result_of_a_name_counts_and_a_few_rows_of_another_machine_do_not() -> None:
    runs = [
        rows(Figure("write.a", 1.0, "ms"), Figure("recall.b", 2.0, "ms"), commit="old"),
        rows(Figure("recall.b", 4.0, "ms"), Figure("write.d", 5.0, "ms"), commit="new"),
        rows(Figure("write.c", 3.0, "ms"), commit="elsewhere", machine=ELSEWHERE),
    ]
    assert [(row["name"], row["commit"]) for row in newest(runs)] == [
        ("write.a", "old"),
        ("write.d", "new"),
        ("recall.b", "new"),
    ]


def test_the_engine_is_drawn_from_one_run_and_with_its_peers_if_it_can_be() -> None:
    alone = rows(Figure("embed.gemma.int8.1x32", 999.0, "tokens/s"))
    assert engine_run([ENGINE, alone, OTHERS]) == ENGINE
    assert engine_run([alone, OTHERS]) == alone
    assert engine_run([OTHERS]) == []
    whole = [*ENGINE, *rows(Figure("embed.gemma.float32.1x2048", 700.0, "tokens/s"))]
    assert engine_run([whole, ENGINE]) == whole


def test_charts_without_rows_are_left_out() -> None:
    assert set(charts(OTHERS, [])) == {"recall-latency", "store-memory", "beside-others", "targets"}
    assert set(charts(ENGINE[:1], ENGINE[:1])) == {"engine-throughput"}


def test_what_misses_its_target_is_marked_and_said() -> None:
    made = charts([*OTHERS, *ENGINE], ENGINE)
    bars = {bar.name: bar for name in ("targets",) for _, group in made[name].groups for bar in group}
    assert (bars["recall.p50.10k"].kind, bars["recall.p50.10k"].shown) == ("missed", "9 ms; ≤ 8 missed")
    assert bars["recall.p50.10k"].value == pytest.approx(8 / 9)
    assert (bars["embed.http.soak.lost"].kind, bars["embed.http.soak.lost"].value) == ("ours", 1.0)
    assert bars["embed.http.soak.memory"].kind == "ours"
    assert (bars["write.x"].value, bars["write.x"].shown) == (2.5, "ratio 2.00; ≤ 5")
    assert (bars["write.alone"].kind, bars["write.alone"].shown) == ("missed", "2 ms; ≤ 5 missed")
    peers = {bar.name: bar for _, group in made["beside-others"].groups for bar in group}
    assert (peers["write.x"].value, peers["write.x"].target) == (0.5, 0.2)  # half as fast; a fifth was asked for
    assert (peers["embed.gemma.int8.64_mixed"].value, peers["embed.gemma.int8.64_mixed"].target) == (5.0, 4.0)


def test_a_chart_is_well_formed_titled_and_the_same_each_time() -> None:
    for name, chart in charts([*OTHERS, *ENGINE], ENGINE).items():
        picture = draw(chart)
        assert picture == draw(chart), name
        root = ElementTree.fromstring(picture)
        assert root.get("role") == "img"
        labels = {each.get("id"): each.text for each in root.iter() if each.get("id")}
        assert labels["title"] == chart.title
        for _, bars in chart.groups:
            for bar in bars:
                assert bar.shown in str(labels["about"])
        style = str(root.findtext(f"{SVG}style"))
        assert "prefers-color-scheme: dark" in style
        used = {str(each.get("class")) for each in root.iter() if each.get("class")}
        assert all(f".{kind} {{" in style for kind in used)


def test_bars_are_as_long_as_their_values_and_stay_on_the_paper() -> None:
    bars = [Bar("a", "a", 10.0, "10"), Bar("b", "b", 5.0, "5", target=7.5), Bar("c", "c", 0.0, "0")]
    root = ElementTree.fromstring(draw(Chart("t", "a", [("", bars)], "s")))
    widths = [float(str(rect.get("width"))) for rect in root.findall(f"{SVG}g/{SVG}rect")]
    assert widths[1] == pytest.approx(widths[0] / 2, abs=0.2)
    assert widths[2] == 1.0
    middle = [Bar("up", "u", 4.0, "4"), Bar("down", "d", 0.25, "1/4"), Bar("far", "f", 1e9, "far")]
    root = ElementTree.fromstring(draw(Chart("t", "a", [("", middle)], "s", logarithmic=True, most=16.0)))
    rects = root.findall(f"{SVG}g/{SVG}rect")
    starts = [float(str(rect.get("x"))) for rect in rects]
    widths = [float(str(rect.get("width"))) for rect in rects]
    assert starts[0] == pytest.approx(starts[1] + widths[1], abs=0.2)
    assert widths[0] == pytest.approx(widths[1], abs=0.2)
    assert widths[2] == pytest.approx(2 * widths[0], abs=0.2)
    with pytest.raises(ValueError, match="no bars"):
        draw(Chart("t", "a", [("", [])], "s"))
