"""A floor under the quality of recall: the demonstration's questions and the standard library's functions, with the real model.

Small enough for every change; `ai-memory evaluate` measures on more. The floors are a little below what is reached, so that
noise in rounding, or another Python's functions, do not trip them and a stage that broke does.
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory.embed.models.folder import ModelFolder
from ai_memory.evaluate.datasets import Document, Group, Query, load_jsonl
from ai_memory.evaluate.main import Options, main
from ai_memory.evaluate.run import open_harness
from ai_memory.recall.recipe import RECIPES, WORDS
from ai_memory.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "demo"
CODE_MODULES = ["statistics", "textwrap", "shutil", "calendar", "random", "heapq", "fractions", "zipfile", "difflib"]
"""About 220 functions: few enough to be embedded in half a minute."""
MOST_BELOW = 0.01
FLOORS: dict[str, dict[str, dict[str, float]]] = {
    "demonstration": {
        "balanced": {"R@10": 0.97, "nDCG@10": 0.89},
        "words": {"R@10": 0.88, "nDCG@10": 0.80},
        "meaning": {"R@10": 0.86, "nDCG@10": 0.77},
    },
    "code": {
        "balanced": {"R@10": 0.87, "nDCG@10": 0.65},
        "words": {"R@10": 0.71, "nDCG@10": 0.48},
        "meaning": {"R@10": 0.85, "nDCG@10": 0.65},
    },
}
"""The least means, by data set and recipe."""


def lines(name: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (DEMO / name).read_text(encoding="utf-8").splitlines()]


def demonstration() -> Group:
    docs = {
        entry["key"]: Document(
            text="\n".join(filter(None, (entry.get("title"), entry["text"]))),
            timestamp=entry.get("valid_from"),
            session=entry.get("session"),
            author=entry.get("author"),
        )
        for entry in lines("team.jsonl")
    }
    judged = [
        entry
        for entry in lines("questions.jsonl")
        if entry.get("expect") and not entry.get("as_of") and entry["kind"] != "cross_language"  # MiniLM knows English
    ]
    return Group(
        "demonstration",
        docs,
        {entry["id"]: Query(entry["question"], entry["kind"]) for entry in judged},
        {entry["id"]: dict.fromkeys(entry["expect"], 1.0) for entry in judged},
    )


def code_file(folder: Path) -> Path:
    """A file of questions about functions of the standard library, asked for by the first line of their docstrings."""
    file = folder / "code.jsonl"
    command = [sys.executable, str(ROOT / "scripts" / "code_questions.py"), *CODE_MODULES]
    file.write_bytes(subprocess.run(command, check=True, capture_output=True, timeout=60).stdout)
    return file


@pytest.fixture(scope="module")
def runs(
    tmp_path_factory: pytest.TempPathFactory, minilm_folder: ModelFolder
) -> Callable[[str], dict[str, dict[str, float]]]:
    """The means of each recipe of `FLOORS` on a data set, measured once: the demonstration, and code."""
    folder = tmp_path_factory.mktemp("quality")

    @cache
    def measured(name: str) -> dict[str, dict[str, float]]:
        groups = [demonstration()] if name == "demonstration" else load_jsonl(code_file(folder))
        settings = Settings(data_dir=folder, model=str(minilm_folder.path), extract=False)
        with open_harness(settings) as harness:
            return {one: harness.evaluate(one, groups, recipe=RECIPES[one]).metrics for one in FLOORS[name]}

    return measured


@pytest.mark.model
@pytest.mark.timeout(600)
@pytest.mark.parametrize("data_set", FLOORS)
def test_recall_and_each_side_alone_stay_as_good_as_they_are(
    runs: Callable[[str], dict[str, dict[str, float]]], data_set: str
) -> None:
    measured = runs(data_set)
    below = {
        (recipe, measure): measured[recipe][measure]
        for recipe, least in FLOORS[data_set].items()
        for measure, value in least.items()
        if measured[recipe][measure] < value
    }
    assert not below


@pytest.mark.model
@pytest.mark.timeout(600)
@pytest.mark.parametrize("data_set", FLOORS)
def test_the_default_is_never_far_below_the_better_side(
    runs: Callable[[str], dict[str, dict[str, float]]], data_set: str
) -> None:
    """No fixed share of words and meaning serves all questions: on code meaning alone is better, elsewhere words are."""
    measured = runs(data_set)
    for measure in ("R@10", "nDCG@10"):
        better = max(measured["words"][measure], measured["meaning"][measure])
        assert measured["balanced"][measure] >= better - MOST_BELOW, measure


def test_the_gate_lets_through_what_is_good_and_nothing_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command's own gate, without a model: what words alone reach passes, and what the default does not."""
    file = tmp_path / "demonstration.jsonl"
    file.write_bytes(msgspec.json.encode(demonstration()))
    settings = Settings(data_dir=tmp_path, model="none", extract=False)
    for recipe, status in (("words", 0), ("balanced", 1)):
        least = tuple(f"{measure}={value}" for measure, value in FLOORS["demonstration"][recipe].items())
        out = io.StringIO()
        assert main(None, jsonl=file, wanted=Options(recipe=WORDS, least=least), settings=settings, out=out) == status
    assert "demonstration: R@10 is 0.9" in capsys.readouterr().err
