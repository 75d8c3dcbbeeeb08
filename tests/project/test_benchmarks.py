"""The benchmarks' arithmetic, row format and made-up texts. Nothing here is timed."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks import figures  # noqa: E402 - after the path
from benchmarks.corpus import Corpus  # noqa: E402
from benchmarks.figures import RESULTS, Figure, Peer, Target, machine, median, percentile, results_file, table  # noqa: E402

AREAS = {"write", "recall", "cli", "mcp", "store", "index", "embed", "graph", "neo4j", "rust", "manners"}
FIELDS = ["name", "value", "unit", "peer", "ratio", "target", "met", "commit", "machine", "settings"]
MACHINE_FIELDS = {"cpu", "cores", "memory_gb", "system", "python", "sqlite"}


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8").splitlines()


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return Corpus()


def test_percentiles_lie_on_straight_lines_between_values() -> None:
    assert median([3.0]) == 3.0
    assert median([4.0, 1.0, 3.0, 2.0]) == 2.5
    assert percentile([float(n) for n in range(101)], 0.95) == pytest.approx(95.0)
    with pytest.raises(ValueError, match="no percentile"):
        median([])


@given(st.lists(st.floats(0.001, 1e6), min_size=1), st.floats(0.0, 1.0))
def test_a_percentile_lies_among_the_values(values: list[float], share: float) -> None:
    assert min(values) <= percentile(values, share) * (1 + 1e-12)
    assert percentile(values, share) <= max(values) * (1 + 1e-12)


@pytest.mark.parametrize(
    ("target", "value", "peer", "met", "shown"),
    [
        (Target("<=", 8.0), 8.0, None, True, "<= 8"),
        (Target("<=", 8.0), 8.01, None, False, "<= 8"),
        (Target(">=", 5_000.0), 5_000.0, None, True, ">= 5000"),
        (Target(">=", 5_000.0), 4_999.0, None, False, ">= 5000"),
        (Target("<=", 5.0, of="ratio"), 10.0, Peer("bare", 2.0), True, "ratio <= 5"),
        (Target("<=", 5.0, of="ratio"), 10.1, Peer("bare", 2.0), False, "ratio <= 5"),
        (Target("<=", 5.0, of="ratio"), 0.1, None, False, "ratio <= 5"),  # what could not be compared is not met
        (Target("<=", 5.0, of="ratio"), 0.1, Peer("bare", 0.0), False, "ratio <= 5"),
    ],
)
def test_targets(target: Target, value: float, peer: Peer | None, met: bool, shown: str) -> None:
    figure = Figure("write.x", value, "ms", peer, target)
    assert figure.met is met
    assert str(target) == shown


def test_a_row_has_all_fields_and_is_json() -> None:
    figure = Figure("recall.p50.10k", 6.123456, "ms", Peer("other", 2.0), Target("<=", 8.0), {"memories": 10_000})
    row = json.loads(json.dumps(figure.row("abc", machine())))
    assert list(row) == FIELDS
    assert (row["value"], row["ratio"], row["met"], row["target"]) == (6.1235, 3.0617, True, "<= 8")
    assert row["peer"] == {"name": "other", "value": 2.0}
    assert row["settings"] == {"memories": 10_000}
    assert figure.area == "recall"
    bare = Figure("store.x", 1.0, "B").row("abc", {})
    assert (bare["peer"], bare["ratio"], bare["target"], bare["met"]) == (None, None, None, None)


def test_the_machine_is_told_without_its_name() -> None:
    here = machine()
    assert set(here) == {*MACHINE_FIELDS, "units"}
    assert here["cores"] >= 1
    assert here["memory_gb"] >= 1
    assert re.fullmatch(r"3\.\d+\.\d+", here["python"])


def test_rows_are_appended(tmp_path: Path) -> None:
    path = tmp_path / "results" / "rows.jsonl"
    figures.write([Figure("write.a", 1.0, "ms")], path, "c1")
    figures.write([Figure("write.b", 2.0, "ms"), Figure("write.c", 3.0, "ms")], path, "c2")
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert [(row["name"], row["commit"]) for row in rows] == [("write.a", "c1"), ("write.b", "c2"), ("write.c", "c2")]


def test_names_of_results_are_in_the_order_of_runs() -> None:
    path = results_file("0123456789+")
    assert path.parent == RESULTS
    assert re.fullmatch(r"\d{4}-\d{2}-\d{2}-\d{4}-0123456789\.jsonl", path.name)


def test_the_table_shows_what_is_missed() -> None:
    shown = table([Figure("a.x", 12_345.6, "n"), Figure("a.y", 9.0, "ms", Peer("p", 3.0), Target("<=", 8.0))])
    head, rule, first, second = shown.splitlines()
    assert head.split() == ["figure", "value", "unit", "target", "met", "ratio", "peer"]
    assert set(rule) == {"-"}
    assert first.split() == ["a.x", "12,346", "n"]
    assert second.split() == ["a.y", "9", "ms", "<=", "8", "NO", "3.00", "p:", "3"]


def test_kept_results_have_the_row_format() -> None:
    rows = [json.loads(line) for path in RESULTS.glob("*.jsonl") for line in _lines(path)]
    assert rows
    for row in rows:
        assert list(row) == FIELDS
        assert row["name"].partition(".")[0] in AREAS
        assert set(row["machine"]) - {"units"} == MACHINE_FIELDS, "rows of before the units were recorded have none"
        if row["peer"] and row["peer"]["value"]:
            assert row["ratio"] == pytest.approx(row["value"] / row["peer"]["value"], rel=1e-3)


def test_texts_do_not_depend_on_what_else_is_asked_for(corpus: Corpus) -> None:
    whole = list(corpus.memories(0, 2_500))
    assert list(corpus.memories(990, 30)) == whole[990:1_020]
    assert list(Corpus().memories(2_499, 1)) == whole[-1:]
    assert all(10 <= len(made.text.split()) <= 60 for made in whole)
    assert len({made.text for made in whole}) == len(whole)


def test_questions_differ(corpus: Corpus) -> None:
    questions = [corpus.question(number) for number in range(2_000)]
    assert len(set(questions)) == len(questions)
    assert corpus.question(7) == questions[7]


def test_vectors_are_unit_vectors_around_topics(corpus: Corpus) -> None:
    vectors = corpus.vectors(0, 4_000, 64)
    assert vectors.shape == (4_000, 64)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(4_000), abs=1e-5)
    nearest = np.sort(vectors[:50] @ vectors.T, axis=1)[:, -2]
    assert np.median(nearest) > 0.4  # another one of the same topic
    assert not np.array_equal(vectors[:10], corpus.vectors(1, 10, 64))


def test_the_command_names_its_areas() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "run.py"), "--help"], capture_output=True, text=True, check=True
    )
    for area in ("write", "embed", "recall", "cli", "peers", "--quick"):
        assert area in done.stdout
