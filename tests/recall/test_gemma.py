"""Recall, its account, evaluation and tuning over EmbeddingGemma: the architecture with random weights, real code throughout."""

from __future__ import annotations

import io
import json
from pathlib import Path

import msgspec
import pytest

from ai_memory import Memory
from ai_memory.evaluate import tuning
from ai_memory.evaluate.datasets import Document, Group, Query
from ai_memory.evaluate.main import Options, main
from ai_memory.evaluate.run import open_harness
from ai_memory.recall.recipe import BALANCED, NEWEST, RECIPES, STAGES
from ai_memory.recall.tuned import decode
from ai_memory.settings import Settings
from tests.support.tiny_gemma import tiny_gemma

NOW = "2026-06-01T00:00:00Z"
QUESTIONS = ("Who greases the rudder?", "Что смазывают перед зимой?", "mast", "")
PARTS = ["anchor", "bell", "chart", "davit", "engine", "fender", "galley", "hatch", "jib", "keel"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("gemma") / "tiny")


def group(number: int) -> Group:
    docs = {
        part: Document(f"The {part} of boat {number} is greased by Ada.", session=f"b{number}", author="Ada")
        for part in PARTS
    }
    docs["ru"] = Document(f"На лодке {number} перед зимой смазывают руль.", author="Борис")
    queries = {part: Query(f"who greases the {part}") for part in PARTS} | {"ru": Query("что смазывают перед зимой")}
    return Group(f"boat {number}", docs, queries, {name: {name: 1.0} for name in queries})


@pytest.mark.timeout(300)
def test_recall_works_unchanged_and_gives_the_same_answer_after_a_restart(tmp_path: Path, folder: Path) -> None:
    settings = Settings(data_dir=tmp_path, model=str(folder), extract=False)
    drafts = [{"text": one.text, "session": one.session, "author": one.author} for one in group(1).docs.values()]
    with Memory(settings=settings) as memory:
        memory.remember_many(drafts)
        assert memory.settle(100)
        first = [memory.recall(question, explain=True, now=NOW) for question in QUESTIONS]
        by_recipe = {name: memory.recall("who greases the keel", recipe=name) for name in RECIPES}  # type: ignore[arg-type]
    for answer in first[:2]:
        assert answer.searched.by_meaning == len(drafts)
        assert not answer.notices
        for hit in answer.hits:
            assert hit.trace is not None
            assert hit.trace.cosine is not None
            assert sum(stage.contribution for stage in hit.trace.stages) == pytest.approx(hit.score)
            assert {stage.name for stage in hit.trace.stages} <= set(STAGES)
            assert 0.0 <= hit.confidence <= 1.0
    for name in ("balanced", "fast", "thorough", "words"):
        assert "keel" in by_recipe[name].hits[0].memory.text, name
    with Memory(settings=settings) as memory:
        again = [memory.recall(question, explain=True, now=NOW) for question in QUESTIONS]
    strip = [[msgspec.structs.replace(answer, took_ms=0.0) for answer in answers] for answers in (first, again)]
    assert strip[0] == strip[1]


@pytest.mark.timeout(300)
def test_it_is_evaluated_ablated_and_tuned_like_any_other(tmp_path: Path, folder: Path) -> None:
    settings = Settings(data_dir=tmp_path, model=str(folder), extract=False)
    file = tmp_path / "boats.jsonl"
    file.write_bytes(b"\n".join(msgspec.json.encode(group(number)) for number in range(2)))
    out = io.StringIO()
    wanted = Options(json=True, sides=True, ablate=True)
    assert main(None, jsonl=file, wanted=wanted, settings=settings, out=out) == 0
    runs = {run["name"]: run["metrics"] for run in json.loads(out.getvalue())["runs"]}
    assert len(runs) == 3 + len([stage for stage in (*STAGES, NEWEST) if getattr(BALANCED, stage)])
    assert runs["boats"]["R@1"] >= runs["boats, meaning only"]["R@1"], "random weights mean nothing; words carry it"
    with open_harness(settings) as harness:
        found = tuning.tune(harness, [group(number) for number in range(2)], BALANCED, folds=2)
    tuning.write(found, tmp_path / "recipe.json")
    assert decode((tmp_path / "recipe.json").read_bytes(), "").embedder == found.embedder
    with Memory(settings=settings) as memory:
        memory.remember("The keel is greased by Ada.")
        assert memory.settle(60)
        assert memory.recall("keel").recipe == "balanced, tuned"
    with Memory(data_dir=tmp_path / "other", model="hashing", recipe_file=str(tmp_path / "recipe.json")) as memory:
        memory.remember("The keel is greased by Ada.")
        assert memory.settle(60)
        other = memory.recall("keel")
    assert (other.recipe, [notice.code for notice in other.notices]) == ("balanced", ["recipe_left_out"])
