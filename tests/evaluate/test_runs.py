"""The measuring harness: measures by hand, loaders on small files of each format, and whole runs through a real service."""

from __future__ import annotations

import datetime as dt
import io
import json
import math
import os
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate import metrics
from ai_memory.evaluate.datasets import (
    Document,
    Group,
    Query,
    data_sets_in,
    load_jsonl,
    parse_time,
    pooled,
    without_category,
)
from ai_memory.evaluate.datasets.locomo import ADVERSARIAL, load_locomo
from ai_memory.evaluate.datasets.xquad import load_xquad
from ai_memory.evaluate.floor import TextbookBM25
from ai_memory.evaluate.main import Options, main
from ai_memory.evaluate.run import floor, open_harness
from ai_memory.evaluate.trust import Asked, Trust, calibration_error, separation, trust
from ai_memory.recall.recipe import WORDS
from ai_memory.settings import Settings

RANKED = ["a", "b", "c", "d"]


def group(**fields: Any) -> Group:
    plain = {
        "group": "g",
        "docs": {"d1": {"text": "The cat sleeps."}, "d2": {"text": "The dog barks."}, "d3": {"text": "Fish swim."}},
        "queries": {"q1": {"text": "Who barks?", "category": "easy"}, "q2": {"text": "Who flies?"}},
        "qrels": {"q1": {"d2": 1}},
    }
    return msgspec.convert(plain | fields, Group)


# measures


def test_recall_counts_the_relevant_documents_found() -> None:
    relevant = {"b": 1.0, "d": 1.0, "x": 1.0}
    assert metrics.recall_at(RANKED, relevant, 1) == 0.0
    assert metrics.recall_at(RANKED, relevant, 2) == pytest.approx(1 / 3)
    assert metrics.recall_at(RANKED, relevant, 50) == pytest.approx(2 / 3)
    assert (metrics.any_at(RANKED, relevant, 1), metrics.any_at(RANKED, relevant, 2)) == (0.0, 1.0)
    assert (metrics.all_at(RANKED, relevant, 4), metrics.all_at(RANKED, {"b": 1.0}, 2)) == (0.0, 1.0)


def test_the_reciprocal_rank_is_that_of_the_first_relevant_document() -> None:
    assert metrics.reciprocal_rank(RANKED, {"c": 1.0, "d": 1.0}) == pytest.approx(1 / 3)
    assert metrics.reciprocal_rank(RANKED, {"x": 1.0}) == 0.0
    assert metrics.reciprocal_rank([], {"x": 1.0}) == 0.0


def test_ndcg_discounts_by_rank_and_weighs_grades() -> None:
    found = metrics.ndcg_at(RANKED, {"b": 3.0, "d": 1.0}, 10)
    assert found == pytest.approx((3 / math.log2(3) + 1 / math.log2(5)) / (3 + 1 / math.log2(3)))
    assert metrics.ndcg_at(["a"], {"a": 2.0}, 10) == 1.0
    assert metrics.ndcg_at(RANKED, {"d": 1.0}, 3) == 0.0


def test_calibration_is_the_distance_of_confidence_from_being_right_bin_by_bin() -> None:
    assert calibration_error([0.95, 0.95, 0.05, 0.15], [True, False, False, False]) == pytest.approx(
        (abs(1.9 - 1.0) + 0.05 + 0.15) / 4
    )
    assert calibration_error([1.0, 0.0], [True, False]) == 0.0
    assert calibration_error([1.0], [False]) == 1.0


def test_separation_counts_pairs_and_ties_by_half() -> None:
    assert separation([0.9, 0.5], [0.5, 0.1]) == pytest.approx((1 + 1 + 0.5 + 1) / 4)
    assert separation([0.2], [0.9]) == 0.0
    assert separation([], [0.5]) is separation([0.5], []) is None


def test_trust_is_nothing_without_an_answerable_question() -> None:
    assert trust([], [Asked(0.4, abstained=True)]) is None
    found = trust([Asked(0.8, abstained=False, right=True), Asked(0.6, abstained=True)], [])
    assert found is not None
    assert (found.right, found.abstained, found.auc, found.recognised) == (0.5, 0.5, None, None)


def test_means_and_percentiles() -> None:
    assert metrics.mean([{"R@1": 1.0}, {"R@1": 0.0}]) == {"R@1": 0.5}
    assert metrics.mean([]) == {}
    assert metrics.percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert metrics.percentile([4.0, 1.0, 3.0, 2.0], 0.95) == 4.0
    assert metrics.percentile([], 0.5) == 0.0


def test_the_floor_is_textbook_bm25() -> None:
    index = TextbookBM25({"x": "red red apple", "y": "red pear", "z": "green plum"})
    idf = math.log(1 + (3 - 2 + 0.5) / (2 + 0.5))
    mean = 7 / 3
    x = idf * 2 * 2.5 / (2 + 1.5 * (0.25 + 0.75 * 3 / mean))
    y = idf * 2.5 / (1 + 1.5 * (0.25 + 0.75 * 2 / mean))
    assert index.search("the RED") == (["x", "y"] if x > y else ["y", "x"])
    assert index.search("the of") == []
    assert TextbookBM25({}).search("red") == []
    assert len(TextbookBM25({str(n): "same" for n in range(60)}).search("same", 50)) == 50


# loaders


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-05-08T13:56:00+02:00", dt.datetime(2023, 5, 8, 11, 56, tzinfo=dt.UTC)),
        ("2023-05-08", dt.datetime(2023, 5, 8, tzinfo=dt.UTC)),
        ("1:56 pm on 8 May, 2023", dt.datetime(2023, 5, 8, 13, 56, tzinfo=dt.UTC)),
        ("8 May 2023", dt.datetime(2023, 5, 8, tzinfo=dt.UTC)),
        ("2023/05/08 (Mon) 13:56", dt.datetime(2023, 5, 8, 13, 56, tzinfo=dt.UTC)),
        ("some day in spring", None),
        ("", None),
        (None, None),
    ],
)
def test_times_are_understood_where_they_can_be(text: str | None, expected: dt.datetime | None) -> None:
    assert parse_time(text) == expected


def test_json_lines_need_only_texts(tmp_path: Path) -> None:
    file = tmp_path / "own.jsonl"
    lines = [
        {"group": "one", "docs": {"d": {"text": "t", "author": "Ada", "extra": 1}}, "queries": {"q": {"text": "?"}}},
        {"docs": {}, "queries": {}, "qrels": {}},
    ]
    file.write_text("\n\n".join(map(json.dumps, lines)), encoding="utf-8")
    first, second = load_jsonl(file)
    assert first.docs == {"d": Document("t", author="Ada")}
    assert first.relevant("q") == {}
    assert second.group == "line 3"


def test_relevant_documents_have_a_grade_and_are_in_the_group() -> None:
    judged = group(qrels={"q1": {"d1": 0, "d2": 2, "gone": 1}})
    assert judged.relevant("q1") == {"d2": 2.0}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "has no group"),
        ("{", "line 1"),
        ("[]", "line 1"),
        ('{"docs": {}, "queries": {}}\n{"docs": {"d": {}}, "queries": {}}', "line 2"),
        ('{"docs": {"d": {"text": "t"}}}', "line 1"),
        ('{"docs": {}, "queries": {}, "qrels": {"q": {"d": "much"}}}', "line 1"),
        ("\udcff", "line 1"),
    ],
)
def test_wrong_json_lines_name_the_line(tmp_path: Path, content: str, message: str) -> None:
    file = tmp_path / "own.jsonl"
    file.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(InvalidInputError, match=message):
        load_jsonl(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="absent"):
        load_jsonl(tmp_path / "absent.jsonl")


def test_pooling_keeps_groups_apart_by_name() -> None:
    judged = group(docs={"d2": {"text": "t", "session": "s"}})
    (one,) = pooled([judged, msgspec.structs.replace(judged, group="h")])
    assert set(one.docs) == {"g|d2", "h|d2"}
    assert one.docs["h|d2"].session == "h|s"
    assert one.relevant("h|q1") == {"h|d2": 1.0}


def conversation() -> list[dict[str, Any]]:
    """Two sessions in LoCoMo's format, invented here."""
    return [
        {
            "sample_id": "conv-1",
            "conversation": {
                "speaker_a": "Ann",
                "speaker_b": "Ben",
                "session_1_date_time": "9:05 am on 1 March, 2024",
                "session_1": [
                    {"speaker": "Ann", "dia_id": "D1:1", "text": "I planted leeks."},
                    {"speaker": "Ben", "dia_id": "D1:2", "text": "Look!", "blip_caption": "a photo of a kite"},
                ],
                "session_10_date_time": "9:05 am on 1 June, 2024",
                "session_10": [{"speaker": "Ben", "dia_id": "D10:1", "text": "The leeks are ripe."}],
            },
            "qa": [
                {"question": "What did Ann plant?", "evidence": ["D1:1; D10:01"], "category": 1},
                {"question": "What flew?", "evidence": ["D1:1-D1:2"], "category": 4},
                {"question": "What did Ben burn?", "evidence": [], "category": 5},
            ],
        }
    ]


def locomo_folder(folder: Path) -> Path:
    (folder / "locomo_tiny.json").write_text(json.dumps(conversation()), encoding="utf-8")
    audit = [{"question_id": "locomo_0_qa1", "correct_evidence": ["D1:2"]}]
    (folder / "locomo_tiny_audit.json").write_text(json.dumps(audit), encoding="utf-8")
    return folder


def test_locomo_turns_carry_date_speaker_and_caption(tmp_path: Path) -> None:
    file = locomo_folder(tmp_path) / "locomo_tiny.json"
    (loaded,) = load_locomo(file)
    assert loaded.docs["D1:2"].text == "(9:05 am on 1 March, 2024) Ben: Look! [shares a photo of a kite]"
    assert loaded.docs["D10:1"].session == "session_10"
    assert loaded.docs["D10:1"].author == "Ben"
    assert loaded.relevant("conv-1/q0") == {"D1:1": 1.0, "D10:1": 1.0}
    assert loaded.relevant("conv-1/q1") == {"D1:1": 1.0, "D1:2": 1.0}
    assert loaded.relevant("conv-1/q2") == {}
    (audited,) = load_locomo(file, audit=tmp_path / "locomo_tiny_audit.json")
    assert audited.relevant("conv-1/q1") == {"D1:2": 1.0}
    assert len(without_category([loaded], ADVERSARIAL)[0].queries) == 2


def test_locomo_sessions_are_one_document_each(tmp_path: Path) -> None:
    (loaded,) = load_locomo(locomo_folder(tmp_path) / "locomo_tiny.json", sessions=True)
    assert loaded.docs["session_1"].text.splitlines()[:2] == ["9:05 am on 1 March, 2024", "Ann: I planted leeks."]
    assert loaded.relevant("conv-1/q0") == {"session_1": 1.0, "session_10": 1.0}


def squad(question: str, context: str) -> dict[str, Any]:
    return {"data": [{"paragraphs": [{"context": context, "qas": [{"id": "i1", "question": question}]}]}]}


def test_xquad_asks_one_language_of_another(tmp_path: Path) -> None:
    for language, texts in {
        "en": ("What is red?", "Apples are red."),
        "ru": ("Что красное?", "Яблоки красные."),
    }.items():
        (tmp_path / f"xquad.{language}.json").write_text(json.dumps(squad(*texts)), encoding="utf-8")
    (loaded,) = load_xquad(tmp_path / "xquad.ru.json", tmp_path / "xquad.en.json")
    assert loaded.queries == {"i1": Query("Что красное?", category="qa")}
    assert loaded.docs == {"p0": Document("Apples are red.")}
    assert loaded.relevant("i1") == {"p0": 1.0}


def test_a_folder_lists_its_data_sets(tmp_path: Path) -> None:
    locomo_folder(tmp_path)
    (tmp_path / "xquad").mkdir()
    for language in ("en", "ru"):
        (tmp_path / "xquad" / f"xquad.{language}.json").write_text(json.dumps(squad("q", "c")), encoding="utf-8")
    assert [data_set.name for data_set in data_sets_in(tmp_path)] == [
        "LoCoMo turn, cat 1-4",
        "LoCoMo turn, cat 1-5",
        "LoCoMo turn, cat 1-4, audited",
        "LoCoMo turn, cat 1-4, pooled",
        "LoCoMo session, cat 1-5",
        "XQuAD ru query, ru text",
        "XQuAD en query, en text",
        "XQuAD ru query, en text",
    ]
    with pytest.raises(InvalidInputError, match="no known data set"):
        data_sets_in(tmp_path / "xquad")


# runs


def test_questions_go_through_the_service(tmp_path: Path) -> None:
    judged = group()
    with open_harness(Settings(data_dir=tmp_path, model="hashing")) as harness:
        run = harness.evaluate("own", [judged])
        words = harness.evaluate("own, words", [judged], recipe=WORDS)
    assert len(run.questions) == len(run.unanswerable) == 1, "a question without a relevant document is not measured"
    (measured,), found = run.questions, run.trust
    assert measured.best is not None
    assert found is not None
    assert measured.best.right
    assert (found.right, found.confidence) == (1.0, measured.best.confidence)
    assert found.ece == pytest.approx(1.0 - found.confidence)
    assert found.unanswerable == 1
    assert found.auc == float(measured.best.confidence > run.unanswerable[0].confidence)
    assert run.metrics["R@1"] == words.metrics["R@1"] == 1.0
    assert run.categories["easy"][0] == 1
    assert run.latency_ms(0.5) > 0.0
    assert list(tmp_path.glob("*.db")) == [], "the user's own store is not touched"


def test_equal_documents_are_one_memory_that_counts_for_all(tmp_path: Path) -> None:
    judged = group(
        docs={"d1": {"text": "The dog barks."}, "d2": {"text": "The dog barks."}, "d3": {"text": ""}},
        qrels={"q1": {"d1": 1, "d2": 1}},
    )
    with open_harness(Settings(data_dir=tmp_path, model="none")) as harness:
        run = harness.evaluate("own", [judged])
    assert run.metrics["R@5"] == 1.0


def test_groups_are_walls_unless_pooled(tmp_path: Path) -> None:
    one = group(docs={"d2": {"text": "The dog barks loudly at cars."}})
    other = group(group="other", docs={"d9": {"text": "Who barks at cars, and who barks at us."}}, queries={})
    with open_harness(Settings(data_dir=tmp_path, model="none")) as harness:
        assert harness.evaluate("apart", [one, other]).metrics["R@1"] == 1.0
        assert harness.evaluate("pooled", [one, other], pool=True).metrics["R@1"] == 0.0
    assert floor("pooled", [one, other], pool=True).metrics["R@1"] == 0.0


def jsonl(folder: Path) -> Path:
    file = folder / "own.jsonl"
    file.write_bytes(msgspec.json.encode(group()))
    return file


def test_the_table_shows_the_floor_beside_ours(tmp_path: Path) -> None:
    out = io.StringIO()
    settings = Settings(data_dir=tmp_path, model="hashing")
    assert main(None, jsonl=jsonl(tmp_path), wanted=Options(sides=True), settings=settings, out=out) == 0
    lines = [line.split("  ")[1].strip() for line in out.getvalue().splitlines()[2:6]]
    assert lines == ["BM25 floor", "words only", "meaning only", "recall"]
    assert "own (n=1)" in out.getvalue()
    assert "best hit: 100.0% right" in out.getvalue()
    assert "unanswerable questions (1): " in out.getvalue()


@pytest.mark.parametrize(("model", "said"), [("none", 1), ("hashing", 0)])
def test_measuring_by_words_alone_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], model: str, said: int
) -> None:
    settings = Settings(data_dir=tmp_path, model=model)
    main(None, jsonl=jsonl(tmp_path), wanted=Options(json=True), settings=settings, out=io.StringIO())
    assert capsys.readouterr().err.count("only lexical search is measured. Run ai-memory model fetch") == said


def test_json_has_exactly_the_documented_shape(tmp_path: Path) -> None:
    out = io.StringIO()
    settings = Settings(data_dir=tmp_path, model="none")
    assert main(None, jsonl=jsonl(tmp_path), wanted=Options(pooled=True, json=True), settings=settings, out=out) == 0
    (run,) = json.loads(out.getvalue())["runs"]
    assert list(run) == ["name", "n", "metrics", "categories", "latency_ms", "trust"]
    assert list(run["trust"]) == list(Trust.__struct_fields__)
    assert (run["name"], run["n"]) == ("own, pooled", 1)
    assert list(run["metrics"]) == ["R@1", "R@5", "R@10", "R@50", "MRR", "nDCG@10"]
    assert run["categories"]["easy"]["n"] == 1
    assert set(run["latency_ms"]) == {"p50", "p95"}


def test_a_folder_is_measured_set_by_set(tmp_path: Path) -> None:
    out = io.StringIO()
    settings = Settings(data_dir=tmp_path, model="none")
    assert main(locomo_folder(tmp_path), wanted=Options(only="TURN", json=True), settings=settings, out=out) == 0
    assert [run["n"] for run in json.loads(out.getvalue())["runs"]] == [2, 2, 2, 2]


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, model="none")
    for arguments in (
        {"folder": None},
        {"folder": tmp_path, "jsonl": jsonl(tmp_path)},
        {"folder": tmp_path / "absent"},
    ):
        with pytest.raises(InvalidInputError):
            main(**arguments, settings=settings)
    with pytest.raises(InvalidInputError, match="no data set is called"):
        main(locomo_folder(tmp_path), wanted=Options(only="nothing"), settings=settings)
    unjudged = tmp_path / "unjudged.jsonl"
    unjudged.write_bytes(msgspec.json.encode(group(qrels={})))
    with pytest.raises(InvalidInputError, match="no question has a relevant document"):
        main(None, jsonl=unjudged, settings=settings, out=io.StringIO())


def test_the_floor_agrees_with_the_published_one() -> None:
    folder = os.environ.get("AI_MEMORY_EVALUATION")
    if not folder:
        pytest.skip("AI_MEMORY_EVALUATION does not name the folder of evaluation data")
    names = {data_set.name: data_set for data_set in data_sets_in(Path(folder))}
    sys.path.insert(0, folder)
    try:
        import bm25_floor  # type: ignore[import-not-found]
    finally:
        sys.path.remove(folder)
    for name in ("LoCoMo turn, cat 1-4", "LoCoMo turn, cat 1-4, audited", "XQuAD ru query, ru text"):
        groups, keep = bm25_floor.RUNS[name]()
        n, published, categories = bm25_floor.score(groups, keep=keep)
        run = floor(name, names[name].load())
        assert len(run.questions) == n
        for measure, value in published.items():
            assert run.metrics[measure] == pytest.approx(value, abs=1e-4), (name, measure)
        assert {key: n for key, (n, _) in run.categories.items()} == {key: n for key, (n, _) in categories.items()}
