"""Fitting weights to judged questions: the fit itself, what is held out, the file it leaves, and recall with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.cli import main
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.errors import InvalidInputError
from ai_memory.evaluate import own, tuning
from ai_memory.evaluate.datasets import Document, Group, Query
from ai_memory.evaluate.fitting import Example, fit
from ai_memory.evaluate.run import open_harness
from ai_memory.recall.recipe import BALANCED, RECIPES, STAGES
from ai_memory.recall.tuned import Tuned, decode, encode, scaled
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from tests.recall.test_quality import demonstration

SUBJECTS = "anchor bell chart davit engine fender galley hatch island jib keel lantern mast net oar paddle rudder sail tiller winch"


# ── the fit ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def drawn(truth: list[float], questions: int, seed: int = 1) -> list[Example]:
    """Questions with twenty candidates, of which one answers, drawn by the model that is fitted."""
    random = np.random.default_rng(seed)
    found = []
    for _ in range(questions):
        contributions = random.normal(0.0, 1.5, (20, len(truth)))
        scores = contributions @ np.array(truth)
        odds = np.exp(scores - scores.max())
        found.append(Example(contributions, np.arange(20) == random.choice(20, p=odds / odds.sum())))
    return found


def proportions(factors: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return factors / factors.sum()  # type: ignore[no-any-return]


def test_the_fit_finds_what_the_answers_were_drawn_by() -> None:
    truth = [0.3, 1.0, 2.0]
    found = fit(drawn(truth, 2_000), 3)
    assert proportions(found) == pytest.approx(proportions(np.array(truth)), abs=0.03)


def test_few_questions_change_little_and_many_change_more() -> None:
    truth = [0.2, 1.0, 2.0]
    far = [np.abs(proportions(fit(drawn(truth, n), 3)) - 1 / 3).max() for n in (0, 5, 40, 1_000)]
    assert far[0] == 0.0
    assert far[1] < 0.08
    assert far == sorted(far)


def test_equal_questions_give_equal_weights_to_the_last_bit() -> None:
    assert fit(drawn([0.5, 1.0], 50), 2).tolist() == fit(drawn([0.5, 1.0], 50), 2).tolist()


def test_no_stage_changes_its_sign_and_the_scale_of_scores_stays() -> None:
    examples = drawn([-1.0, 2.0], 400)
    found = fit(examples, 2)
    assert found[0] == 0.0, "what speaks against the answers is switched off, not turned round"
    before = np.mean([one.contributions[one.relevant].sum() for one in examples])
    after = np.mean([(one.contributions[one.relevant] @ found).sum() for one in examples])
    assert after == pytest.approx(before)


def test_questions_that_say_nothing_change_nothing() -> None:
    nothing = [
        Example(np.ones((3, 2)), np.zeros(3, np.bool_)),
        Example(np.ones((3, 2)), np.ones(3, np.bool_)),
        Example(np.zeros((0, 2)), np.zeros(0, np.bool_)),
    ]
    assert fit(nothing, 2).tolist() == [1.0, 1.0]
    assert fit([], 4).tolist() == [1.0] * 4


# ── the file ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_recipe_comes_back_as_it_was_written() -> None:
    factors = {"dense": 2.0, "author": 0.5}
    recipe = scaled(BALANCED, factors)
    assert recipe.dense_in_dialogue == BALANCED.dense_in_dialogue * 2, "what is added in a dialogue goes with its stage"
    assert recipe.name == "balanced, tuned"
    tuned = Tuned(base="balanced", embedder="m", weights={stage: getattr(recipe, stage) for stage in STAGES})
    assert decode(encode(tuned), "x") == tuned
    assert tuned.recipe() == recipe


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "truncated"),
        (b"\xff\xfe", "malformed|invalid"),
        (b"[]", "Expected `object`"),
        (b'{"base": "balanced"}', "missing required field `weights`"),
        (b'{"base": "balanced", "weights": {}, "version": 2}', "Invalid enum value 2"),
        (b'{"base": "balanced", "weights": {}, "colour": 1}', "unknown field `colour`"),
        (b'{"base": "best", "weights": {}}', "no recipe 'best'"),
        (b'{"base": "balanced", "weights": {"speaker": 1}}', "no stage 'speaker'"),
        (b'{"base": "balanced", "weights": {"dense": "1"}}', "Expected `float`"),
        (b'{"base": "balanced", "weights": {"dense": NaN}}', "malformed"),
        (b'{"base": "balanced", "weights": {"dense": 1e9}}', "not within"),
    ],
)
def test_a_broken_file_is_named_with_what_is_wrong(tmp_path: Path, data: bytes, why: str) -> None:
    with pytest.raises(InvalidInputError, match=why):
        decode(data, "recipe.json")
    (tmp_path / "recipe.json").write_bytes(data)
    with pytest.raises(InvalidInputError, match=r"recipe\.json is not a recipe file") as error:
        open_service(Settings(data_dir=tmp_path, model="none"))
    assert "delete it" in str(error.value.hint)
    assert not (tmp_path / "memory.db").exists(), "nothing is written"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="no recipe file"):
        open_service(Settings(data_dir=tmp_path, model="none", recipe_file=str(tmp_path / "absent.json")))
    with pytest.raises(InvalidInputError, match="cannot read"):
        open_service(Settings(data_dir=tmp_path, model="none", recipe_file=str(tmp_path)))


def test_answers_name_the_tuned_recipe_until_the_file_is_deleted(tmp_path: Path) -> None:
    weights = {"coverage": 0.0, "asks": 5.0}
    file = tmp_path / "recipe.json"
    settings = Settings(data_dir=tmp_path, model="none")
    with Memory(settings=settings) as memory:
        memory.remember("The lamp is lit at dusk.")
        before = memory.recall("lamp lit", explain=True)
    file.write_bytes(encode(Tuned(base="balanced", weights=weights)))
    with Memory(settings=settings) as memory:
        tuned = memory.recall("lamp lit", explain=True)
        fast = memory.recall("lamp lit", recipe="fast")
    file.unlink()
    with Memory(settings=settings) as memory:
        after = memory.recall("lamp lit", explain=True)
    assert (before.recipe, tuned.recipe, fast.recipe, after.recipe) == (
        "balanced",
        "balanced, tuned",
        "fast",
        "balanced",
    )
    assert tuned.hits[0].trace is not None
    assert "coverage" not in {stage.name for stage in tuned.hits[0].trace.stages}
    assert before.answer_hash == after.answer_hash != tuned.answer_hash


def test_weights_of_another_embedder_are_left_out_and_the_answer_says_so(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_bytes(encode(Tuned(base="balanced", embedder="other", weights={"asks": 0.0})))
    with Memory(settings=Settings(data_dir=tmp_path, model="hashing")) as memory:
        memory.remember("The lamp is lit at dusk.")
        assert memory.settle(30)
        answer = memory.recall("lamp")
    assert answer.recipe == "balanced"
    assert [notice.code for notice in answer.notices] == ["recipe_left_out"]
    assert "other" in answer.notices[0].message


# ── tuning ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def questions_that_answer(groups: int = 6) -> list[Group]:
    """Two people talk, and what answers ends in a question mark: there the shipped weight of `asks` is wrong."""
    found = []
    for number in range(groups):
        docs, queries, qrels = {}, {}, {}
        for subject in SUBJECTS.split():
            docs[f"{subject}-a"] = Document(
                f"How is the {subject} of boat {number} greased before winter, and with what paste?",
                session=subject,
                author="Ada",
            )
            docs[f"{subject}-b"] = Document(
                f"Boat {number}: the {subject} was greased before winter, as every year.", session=subject, author="Ben"
            )
            queries[subject] = Query(f"the {subject} greased before winter with what paste")
            qrels[subject] = {f"{subject}-a": 1.0}
        found.append(Group(f"boat {number}", docs, queries, qrels))
    return found


def test_a_gain_that_is_real_is_found_and_measured_on_what_was_held_out(tmp_path: Path) -> None:
    with open_harness(Settings(data_dir=tmp_path, model="hashing")) as harness:
        found = tuning.tune(harness, questions_that_answer(), BALANCED, folds=3)
        again = tuning.tune(harness, questions_that_answer(), BALANCED, folds=3)
    assert (found.questions, found.folds) == (120, 3)
    assert found.real
    assert found.gains["nDCG@10"].low > 0.0
    shipped, tuned = found.weights["asks"]
    assert abs(tuned) < 0.8 * abs(shipped)
    assert found.recipe == again.recipe
    assert sorted(one.key for one in found.after.questions) == sorted(one.key for one in found.before.questions)
    tuning.write(found, tmp_path / "new" / "recipe.json")
    assert decode((tmp_path / "new" / "recipe.json").read_bytes(), "").recipe() == found.recipe
    shown = "\n".join(tuning.as_lines(found))
    assert all(stage.replace("_", " ") in shown for stage in found.weights)
    with pytest.raises(InvalidInputError, match="cannot write"):
        tuning.write(found, tmp_path)


@pytest.mark.parametrize("folds", [2, 5, 50])
def test_folds_share_no_group_and_no_answer(tmp_path: Path, folds: int) -> None:
    with open_harness(Settings(data_dir=tmp_path, model="none")) as harness:
        many = harness.judged(questions_that_answer(4))
        one = harness.judged([demonstration()])
    for questions in (many, one):
        parts = tuning._folds(questions, folds)
        assert sorted(at for part in parts for at in part) == list(range(len(questions)))
        assert 2 <= len(parts) <= folds
        names = [{n for at in part for n in _tied(questions[at], grouped=questions is many)} for part in parts]
        assert sum(map(len, names)) == len(set().union(*names))


def _tied(one: Any, *, grouped: bool) -> Iterator[str]:
    yield from (one.group,) if grouped else one.relevant


def test_too_little_to_fit_to_is_refused(tmp_path: Path) -> None:
    with open_harness(Settings(data_dir=tmp_path, model="none")) as harness:
        few = Group("g", {"d": Document("text")}, {"q": Query("text")}, {"q": {"d": 1.0}})
        with pytest.raises(InvalidInputError, match="1 questions with an answer are too few"):
            tuning.tune(harness, [few], BALANCED)
        same = {str(n): Query(f"text {n}") for n in range(20)}
        tied = Group("g", few.docs, same, {name: {"d": 1.0} for name in same})
        with pytest.raises(InvalidInputError, match="answers in common"):
            tuning.tune(harness, [tied], BALANCED)
        for folds in (1, 0, -3):
            with pytest.raises(InvalidInputError, match="hold nothing out"):
                tuning.tune(harness, questions_that_answer(2), BALANCED, folds=folds)


@pytest.mark.model
@pytest.mark.timeout(300)
def test_what_is_no_real_gain_is_not_written(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    """Few questions that the shipped weights answer well already: the fit stays near them and harms nothing."""
    with open_harness(Settings(data_dir=tmp_path, model=str(minilm_folder.path), extract=False)) as harness:
        found = tuning.tune(harness, [demonstration()], BALANCED)
    assert not found.real
    assert found.embedder == "all-MiniLM-L6-v2"
    assert found.after.metrics["R@10"] >= found.before.metrics["R@10"] - 0.02
    for shipped, tuned in found.weights.values():
        assert 0.0 <= tuned / shipped < 3.0


# ── the user's store, and the command ──────────────────────────────────────────────────────────────────────────────────


def own_store(folder: Path) -> Path:
    """A user's store with a file of questions to it."""
    lines = []
    with Memory(data_dir=folder / "data", model="hashing") as memory:
        for group in questions_that_answer(1):
            drafts = [
                {"text": document.text, "session": document.session, "author": document.author}
                for document in group.docs.values()
            ]
            ids = [receipt.memory_id for receipt in memory.remember_many(drafts, namespace="boats").receipts]
            by_key = dict(zip(group.docs, ids, strict=True))
            for key, query in group.queries.items():
                expect = [by_key[document] for document in group.qrels[key]]
                lines.append(
                    {"question": query.text, "expect": expect, "namespace": "boats", "kind": "grease", "id": key}
                )
        assert memory.settle(60)
    file = folder / "questions.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return file


def test_a_store_of_ones_own_is_measured_and_tuned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = own_store(tmp_path)
    monkeypatch.setenv("AI_MEMORY_MODEL", "hashing")
    common = ["--questions", str(file), "--data-dir", str(tmp_path / "data"), "--json"]
    assert main(["evaluate", *common, "--sides"]) == 0
    runs = json.loads(capsys.readouterr().out)["runs"]
    assert [run["n"] for run in runs] == [20, 20, 20]
    assert runs[0]["categories"]["grease"]["n"] == 20
    assert main(["tune", *common]) == 0
    shown = json.loads(capsys.readouterr().out)
    recipe = tmp_path / "data" / "recipe.json"
    assert shown["real"] is True
    assert shown["written"] == str(recipe)
    assert shown["held_out"]["nDCG@10"]["after"] > shown["held_out"]["nDCG@10"]["before"]
    assert main(["evaluate", *common, "--recipe", str(recipe)]) == 0
    after = json.loads(capsys.readouterr().out)["runs"][0]
    assert after["metrics"]["R@1"] > runs[0]["metrics"]["R@1"]
    answered = ["recall", "the mast greased", "--namespace", "boats", "--data-dir", str(tmp_path / "data"), "--json"]
    assert main(answered) == 0
    assert json.loads(capsys.readouterr().out)["recipe"] == "balanced, tuned"
    with Memory(data_dir=tmp_path / "data", model="hashing", recipe_file=str(recipe)) as memory:
        assert memory.stats().memories == 40, "measuring and tuning remember nothing"


def test_what_is_not_clear_is_written_only_by_force(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    groups = questions_that_answer(2)
    file, recipe = tmp_path / "own.jsonl", tmp_path / "my.json"
    lines = [
        {
            "group": group.group,
            "docs": {key: {"text": one.text} for key, one in group.docs.items()},
            "queries": {key: {"text": query.text} for key, query in group.queries.items()},
            "qrels": {key: {key + "-b": 1} for key in group.queries},
        }
        for group in groups
    ]
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    command = ["tune", "--jsonl", str(file), "--data-dir", str(tmp_path / "data"), "--output", str(recipe)]
    assert main(command) == 0
    assert "not written" in capsys.readouterr().out
    assert not recipe.exists()
    assert main([*command, "--force"]) == 0
    assert f"written to {recipe}; delete it to undo" in capsys.readouterr().out
    assert decode(recipe.read_bytes(), "").base == "balanced"


def test_a_broken_recipe_is_made_anew_by_tuning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = own_store(tmp_path)
    recipe = tmp_path / "data" / "recipe.json"
    recipe.write_text("{")
    monkeypatch.setenv("AI_MEMORY_MODEL", "hashing")
    asked = ["recall", "mast", "--data-dir", str(tmp_path / "data")]
    assert main(asked) == 4
    assert "recipe.json is not a recipe file" in capsys.readouterr().err
    assert main(["tune", "--questions", str(file), "--data-dir", str(tmp_path / "data")]) == 0
    assert main(asked) == 0


def test_one_data_set_at_a_time_is_tuned_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A folder's data sets may be the same questions in several shapes, of which one would give the other away."""
    turn = {"speaker": "Ida", "dia_id": "D1:1", "text": "The kettle is green."}
    talk = {"session_1": [turn], "session_1_date_time": "9:05 am on 1 March, 2024"}
    asked = [{"question": "What is green?", "category": 4, "evidence": ["D1:1"]}]
    file = tmp_path / "locomo.json"
    file.write_text(json.dumps([{"qa": asked, "sample_id": "c1", "conversation": talk}]), encoding="utf-8")
    command = ["tune", str(tmp_path), "--data-dir", str(tmp_path / "data")]
    assert main(command) == 4
    assert "choose one with --only: 'LoCoMo turn, cat 1-4', 'LoCoMo turn, cat 1-5'" in capsys.readouterr().err
    assert main([*command, "--only", "locomo turn, cat 1-4"]) == 4
    assert "1 questions with an answer are too few" in capsys.readouterr().err


def test_wrong_questions_are_named_by_their_line(tmp_path: Path) -> None:
    file = tmp_path / "q.jsonl"
    for text, why in (
        ("", "has no question"),
        ('{"question": "a", "expect": ["m"]}\n{"expect": []}', "line 2 of q.jsonl is not a question"),
        ("\n[1]", "line 2"),
        ("{", "line 1"),
        ('{"question": "a", "expect": "m"}', "line 1"),
    ):
        file.write_text(text)
        with pytest.raises(InvalidInputError, match=why):
            own.load_questions(file)
    with pytest.raises(InvalidInputError, match="cannot read"):
        own.load_questions(tmp_path)


def test_memories_that_are_not_there_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    file = tmp_path / "q.jsonl"
    file.write_text('{"question": "a", "expect": ["mem_00000000000000000000000000"]}\n', encoding="utf-8")
    assert main(["evaluate", "--questions", str(file), "--data-dir", str(tmp_path / "data")]) == 4
    assert "mem_00000000000000000000000000" in capsys.readouterr().err
    for wrong in ([], ["--questions", str(file), "--jsonl", str(file)], ["--questions", str(tmp_path / "absent")]):
        assert main(["tune", *wrong, "--data-dir", str(tmp_path / "data")]) == 4


def test_every_recipe_can_be_tuned(tmp_path: Path) -> None:
    with open_harness(Settings(data_dir=tmp_path, model="hashing")) as harness:
        for base in RECIPES.values():
            found = tuning.tune(harness, questions_that_answer(2), base, folds=2)
            assert found.recipe.name == f"{base.name}, tuned"
            assert all(np.sign(old) in (np.sign(new), 0.0) or new == 0.0 for old, new in found.weights.values())
