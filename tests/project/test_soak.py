"""The soak of the embedder's routes, for a few seconds: every request is answered or given up by its own client."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.tiny_gemma import tiny_gemma

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.http_load import Tally  # noqa: E402 - after the path
from benchmarks.soak import Soaked, figures_of, soak  # noqa: E402 - after the path


@pytest.fixture(scope="module")
def soaked(tmp_path_factory: pytest.TempPathFactory) -> Soaked:
    return soak(tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m"), seconds=5, clients=24)


def test_no_request_is_lost(soaked: Soaked) -> None:
    assert soaked.lost == 0
    assert soaked.tally.broken == 0
    assert soaked.tally.answered > 24
    assert soaked.tally.refused > 0, "wrong requests are among them"
    assert soaked.abandoned > 0, "and clients that hang up"
    assert soaked.tally.sent == soaked.tally.answered + soaked.tally.refused + soaked.abandoned


def test_memory_was_sampled(soaked: Soaked) -> None:
    assert len(soaked.samples_mb) >= 2
    assert all(sample > 10 for sample in soaked.samples_mb)


def test_the_rows_say_what_was_lost_and_how_memory_grew() -> None:
    samples = tuple(50.0 if second < 60 else 100.0 + second / 20 for second in range(121))
    found = Soaked(600.0, Tally(sent=10, answered=6, refused=1, broken=1), 2, samples)
    rows = {figure.name: figure for figure in figures_of(found, 4)}
    assert (rows["embed.http.soak.lost"].value, rows["embed.http.soak.lost"].met) == (1, False)
    assert rows["embed.http.soak.memory"].value == pytest.approx(3.0, abs=0.1)
    assert rows["embed.http.soak.memory"].met is False
    assert rows["embed.http.soak.answered"].value == pytest.approx(6 / 600)
    assert rows["embed.http.soak.lost"].settings["clients"] == 4
    short = figures_of(replace(found, seconds=60.0), 4)
    assert [figure.met for figure in short] == [None, False, None], "one that still warms up has no target of memory"
