"""A floor under the quality of recall: the demonstration's memories and questions with the real model.

Small enough for every change; `ai-memory evaluate` measures on more. The floors lie a little below what is reached, so that
noise in rounding does not trip them and a stage that broke does.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ai_memory.embed.folder import ModelFolder
from ai_memory.evaluate.datasets import Document, Group, Query
from ai_memory.evaluate.run import open_harness
from ai_memory.recall.recipe import BALANCED, MEANING, WORDS
from ai_memory.settings import Settings

DEMO = Path(__file__).resolve().parent.parent / "demo"


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
    judged = [entry for entry in lines("questions.jsonl") if entry.get("expect") and not entry.get("as_of")]
    return Group(
        "demonstration",
        docs,
        {entry["id"]: Query(entry["question"], entry["kind"]) for entry in judged},
        {entry["id"]: dict.fromkeys(entry["expect"], 1.0) for entry in judged},
    )


@pytest.mark.model
@pytest.mark.timeout(300)
def test_recall_stays_as_good_as_it_is(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    judged = [demonstration()]
    with open_harness(Settings(data_dir=tmp_path, model=str(minilm_folder.path))) as harness:
        ours, words, meaning = (harness.evaluate(r.name, judged, recipe=r).metrics for r in (BALANCED, WORDS, MEANING))
    assert ours["R@10"] >= 0.97
    assert ours["nDCG@10"] >= 0.89
    for measure in ("R@10", "nDCG@10"):
        assert ours[measure] >= max(words[measure], meaning[measure]) - 0.01
