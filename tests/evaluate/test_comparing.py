"""Runs kept, compared, ablated, drawn and held to a floor, through the harness itself."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate import comparing, page
from ai_memory.evaluate.main import Options, main
from ai_memory.evaluate.run import Measured, Run
from ai_memory.recall.recipe import BALANCED, NEWEST, RECIPES, STAGES, WORDS, without
from ai_memory.settings import Settings

FULL = {"R@1": 0.5, "R@5": 0.5, "R@10": 0.5, "R@50": 1.0, "MRR": 0.5, "nDCG@10": 0.25}


def run(name: str, *figures: float) -> Run:
    return Run(
        name=name,
        questions=tuple(
            Measured(f"g/q{at}", "odd" if at % 2 else "even", FULL | {"R@10": value, "nDCG@10": value / 2}, 0.001)
            for at, value in enumerate(figures)
        ),
    )


def jsonl(folder: Path) -> Path:
    file = folder / "boats.jsonl"
    texts = [
        "The red boat lies in the harbour.",
        "The ferry leaves at nine.",
        "Nobody answered the phone.",
        "Why nine?",
    ]
    docs = {f"d{at}": {"text": text, "session": "s", "author": "Ada"} for at, text in enumerate(texts)}
    queries = {"q0": {"text": "where is the red boat"}, "q1": {"text": "when does the ferry leave"}}
    qrels = {"q0": {"d0": 1}, "q1": {"d1": 1}}
    file.write_text(json.dumps({"group": "boats", "docs": docs, "queries": queries, "qrels": qrels}), encoding="utf-8")
    return file


def measured(folder: Path, wanted: Options) -> tuple[int, str]:
    out = io.StringIO()
    status = main(
        None, jsonl=jsonl(folder), wanted=wanted, settings=Settings(data_dir=folder, model="hashing"), out=out
    )
    return status, out.getvalue()


def test_runs_are_paired_by_question() -> None:
    shared, found = comparing.compare(run("a", 1.0, 1.0, 0.0), run("b", 1.0, 0.0), ["R@10", "nDCG@10"])
    assert shared == 2
    assert found["R@10"].mean == 0.5
    assert found["nDCG@10"].mean == 0.25


def test_kept_runs_come_back_as_they_were(tmp_path: Path) -> None:
    runs = [run("a", 1.0, 0.5), run("пустой")]
    comparing.save(runs, tmp_path / "runs.json")
    assert comparing.load(tmp_path / "runs.json") == runs


def test_files_that_hold_no_runs_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot read"):
        comparing.load(tmp_path / "absent.json")
    (tmp_path / "other.json").write_text('{"runs": 1}')
    with pytest.raises(InvalidInputError, match="has no saved runs"):
        comparing.load(tmp_path / "other.json")
    with pytest.raises(InvalidInputError, match="cannot write"):
        comparing.save([], tmp_path / "no" / "such" / "folder.json")
    with pytest.raises(InvalidInputError, match="cannot write"):
        page.write([run("a", 1.0)], tmp_path)


def test_floors_are_read_and_held() -> None:
    least = comparing.floors(["R@10=0.6", " nDCG@10 = .1"])
    assert least == {"R@10": 0.6, "nDCG@10": 0.1}
    assert comparing.below(run("a", 1.0, 0.0), least) == ["a: R@10 is 0.5000, below 0.6"]
    assert comparing.below(run("a", 1.0, 0.5), least) == []
    for wrong in ("R@10", "R@10=much", "=", ""):
        with pytest.raises(InvalidInputError, match="not a least value"):
            comparing.floors([wrong])
    with pytest.raises(InvalidInputError, match="no measure 'R@11'"):
        comparing.below(run("a", 1.0), {"R@11": 0.5})


def test_a_mean_below_its_floor_is_exit_status_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert measured(tmp_path, Options(least=("R@1=0.9",)))[0] == 0
    assert measured(tmp_path, Options(least=("R@1=1.1",)))[0] == 1
    assert "boats: R@1 is 1.0000, below 1.1" in capsys.readouterr().err


def test_a_kept_run_is_compared_with(tmp_path: Path) -> None:
    kept = tmp_path / "before.json"
    assert measured(tmp_path, Options(recipe=WORDS, save=kept))[0] == 0
    _, shown = measured(tmp_path, Options(compare=kept))
    assert "against the run before (2 shared questions" in shown
    assert "R@10     +0.0000 [+0.0000, +0.0000]    p 1.0000" in shown


def test_every_stage_is_switched_off_in_turn(tmp_path: Path) -> None:
    _, shown = measured(tmp_path, Options(ablate=True))
    lines = shown[shown.index("what each stage brings") :].splitlines()[1:]
    assert [line.split()[0] for line in lines if line.strip()] == [
        stage for stage in (*STAGES, NEWEST) if getattr(BALANCED, stage)
    ]


def test_a_stage_that_there_is_not_cannot_be_switched_off() -> None:
    assert without(BALANCED, "author").author == 0.0
    assert without(BALANCED, "author").lexical == BALANCED.lexical
    with pytest.raises(InvalidInputError, match="no stage 'speaker'"):
        without(BALANCED, "speaker")


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_recipe_can_be_measured(tmp_path: Path, recipe: object) -> None:
    assert measured(tmp_path, Options(recipe=recipe, json=True))[0] == 0  # type: ignore[arg-type]


def test_the_page_shows_what_each_stage_brings(tmp_path: Path) -> None:
    ours, worse, same = (
        run("own", 1.0, 1.0, 0.5),
        run("own, without a", 0.0, 0.5, 0.0),
        run("own, without b", 1.0, 1.0, 0.5),
    )
    text = page.render([ours], [(ours, [("stage_a", worse), ("stage_b", same)])])
    tree = ElementTree.fromstring(text.replace("<!DOCTYPE html>", "").replace('<meta charset="utf-8">', ""))
    charts = [chart for chart in tree.findall(".//svg") if "what each stage brings" in chart.get("aria-label", "")]
    assert [chart.get("aria-label", "").split(", ")[1] for chart in charts] == ["R@10", "nDCG@10"]
    assert [text.text for text in charts[0].findall("text")] == ["stage a", "+0.667*", "stage b", "+0.000"]
    assert [float(bar.get("width", "")) > 0 for bar in charts[0].findall("rect")] == [True, False]


def test_an_ablation_is_drawn(tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    assert measured(tmp_path, Options(ablate=True, html=file, save=tmp_path / "runs.json"))[0] == 0
    text = file.read_text(encoding="utf-8")
    assert "boats: what each stage brings, R@10" in text
    assert "without" not in text, "the runs without a stage are in their own chart alone"
    assert len(comparing.load(tmp_path / "runs.json")) == 1 + len(
        [stage for stage in (*STAGES, NEWEST) if getattr(BALANCED, stage)]
    )


def test_the_page_is_whole_and_escapes_names(tmp_path: Path) -> None:
    one = Run(name="a <b> & c", questions=(Measured("q", "x", FULL, 0.1), Measured("r", "y", FULL, 0.2)))
    page.write([one, Run(name="empty", questions=())], tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a &lt;b&gt; &amp; c" in text
    assert "<script" not in text
    assert "http" not in text
    tree = ElementTree.fromstring(text.replace("<!DOCTYPE html>", "").replace('<meta charset="utf-8">', ""))
    assert len(tree.findall(".//svg")) == 2
    assert [cell.text for cell in tree.findall(".//tbody/tr/td")][1:4] == ["2", "0.500", "0.500"]
