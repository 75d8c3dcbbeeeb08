"""Data sets in published formats: small files written by hand, found by their shape, and wrong ones refused."""

from __future__ import annotations

import datetime as dt
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ai_memory.cli.commands.evaluate import FORMAT_NAMES
from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets import FORMATS, Document, Query, data_sets_in, parse_time
from ai_memory.evaluate.main import Options, main
from ai_memory.settings import Settings


def put(file: Path, value: Any) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return file


def json_lines(*values: Any) -> str:
    return "".join(json.dumps(value) + "\n" for value in values)


def longmemeval(folder: Path) -> Path:
    answered = {
        "question_id": "kettle_1",
        "question_type": "single-session-user",
        "question": "What colour is my kettle?",
        "answer": "green",
        "question_date": "2024/05/30 (Thu) 23:40",
        "haystack_dates": ["2024/05/20 (Mon) 02:21", "2024/05/21 (Tue) 09:00"],
        "haystack_session_ids": ["s_tea", "s_bread"],
        "haystack_sessions": [
            [
                {"role": "user", "content": "I bought a green kettle.", "has_answer": True},
                {"role": "assistant", "content": "How nice, enjoy your tea."},
                {"role": "user", "content": " "},
            ],
            [{"role": "user", "content": "How long does rye bread rise?", "has_answer": False}],
        ],
        "answer_session_ids": ["s_tea"],
    }
    put(folder / "longmemeval_s.json", [answered, answered | {"question_id": "kettle_2_abs"}])
    return folder


def realtalk(folder: Path) -> Path:
    chat = {
        "name": {"speaker_1": "Ida", "speaker_2": "Max"},
        "session_1": [
            {
                "clean_text": "The kettle is green",
                "speaker": "Ida",
                "date_time": "29.12.2023, 15:51:23",
                "dia_id": "D1:1",
            },
            {"clean_text": "", "speaker": "Max", "date_time": "29.12.2023, 15:52:00", "dia_id": "D1:2"},
            {"clean_text": "", "speaker": "Max", "dia_id": "D1:3", "blip_caption": ["a photo of a kettle"]},
        ],
        "session_1_date_time": "29.12.2023, 15:51:00",
        "events_session_1": {},
        "session_2": [{"clean_text": "And the pot is red", "speaker": "Max", "dia_id": "D2:1"}],
        "session_2_date_time": "30.12.2023, 08:00:00",
        "qa": [{"question": "What is green?", "answer": "the kettle", "evidence": ["D1:1", "D2:1"], "category": 1}],
    }
    put(folder / "Chat_1_Ida_Max.json", chat)
    return folder


def beam(folder: Path) -> Path:
    chat = [
        {
            "batch_number": 1,
            "time_anchor": "March-15-2024",
            "turns": [
                [
                    {
                        "role": "user",
                        "id": 0,
                        "time_anchor": "March-15-2024",
                        "content": "My kettle is green.",
                        "index": "1,1",
                    },
                    {"role": "assistant", "id": 1, "content": "A fine kettle."},
                ]
            ],
        },
        {
            "batch_number": 2,
            "turns": [[{"role": "user", "id": 2, "content": "My pot is red.", "time_anchor": "April-2-2024"}]],
        },
    ]
    probes = {
        "abstention": [{"question": "What colour is my cup?", "source_chat_ids": []}],
        "knowledge_update": [
            {"question": "What is green, what red?", "source_chat_ids": {"first": [0], "then": [[2]]}}
        ],
    }
    put(folder / "100K" / "1" / "chat.json", chat)
    put(folder / "100K" / "1" / "probing_questions" / "probing_questions.json", probes)
    return folder


def beir(folder: Path) -> Path:
    corpus = json_lines(
        {"_id": "d1", "title": "Kettles", "text": "The kettle is green.", "metadata": {}},
        {"_id": "d2", "title": "", "text": "The pot is red."},
    )
    put(folder / "kitchen" / "corpus.jsonl", corpus)
    put(
        folder / "kitchen" / "queries.jsonl",
        json_lines({"_id": "q1", "text": "What is green?"}, {"_id": "q2", "text": "Not judged"}),
    )
    put(folder / "kitchen" / "qrels" / "test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\n")
    return folder


def locomo(folder: Path) -> Path:
    turns = [{"speaker": "Ida", "dia_id": "D1:1", "text": "The kettle is green."}]
    conversation = {"session_1": turns, "session_1_date_time": "9:05 am on 1 March, 2024"}
    asked = [{"question": "What is green?", "category": 4, "evidence": ["D1:1"]}]
    put(folder / "talk.json", [{"qa": asked, "sample_id": "c1", "conversation": conversation}])
    return folder


def xquad(folder: Path) -> Path:
    paragraph = {"context": "The kettle is green.", "qas": [{"id": "1", "question": "What is green?", "answers": []}]}
    put(folder / "xquad" / "xquad.en.json", {"data": [{"title": "t", "paragraphs": [paragraph]}]})
    return folder


def jsonl(folder: Path) -> Path:
    group = {
        "docs": {"d": {"text": "The kettle is green."}},
        "queries": {"q": {"text": "green?"}},
        "qrels": {"q": {"d": 1}},
    }
    return put(folder / "own.jsonl", json_lines(group))


MAKERS: dict[str, tuple[Callable[[Path], Path], list[str]]] = {
    "locomo": (
        locomo,
        [
            "LoCoMo turn, cat 1-4",
            "LoCoMo turn, cat 1-5",
            "LoCoMo turn, cat 1-4, pooled",
            "LoCoMo session, cat 1-5",
        ],
    ),
    "longmemeval": (longmemeval, ["LongMemEval turn (longmemeval_s)", "LongMemEval session (longmemeval_s)"]),
    "realtalk": (realtalk, ["REALTALK turn", "REALTALK session"]),
    "beam": (beam, ["BEAM 100K"]),
    "beir": (beir, ["BEIR kitchen, test"]),
    "xquad": (xquad, ["XQuAD en query, en text"]),
    "jsonl": (jsonl, ["own"]),
}


def test_every_format_has_a_fixture_here_and_a_name_on_the_command_line() -> None:
    assert list(MAKERS) == list(FORMATS) == list(FORMAT_NAMES)


@pytest.mark.parametrize("name", MAKERS)
def test_a_format_is_told_by_its_shape(tmp_path: Path, name: str) -> None:
    make, names = MAKERS[name]
    place = make(tmp_path)
    found = data_sets_in(place)
    assert [one.name for one in found] == names
    assert [one.name for one in data_sets_in(place, name)] == names
    for one in found:
        for group in one.load():
            assert group.docs
            assert group.queries
            assert all(set(judged) <= set(group.docs) for judged in group.qrels.values())
    for other in set(FORMATS) - {name}:
        with pytest.raises(InvalidInputError, match=f"no {other} in") as error:
            data_sets_in(place, other)
        assert FORMATS[other].expects in str(error.value.hint)


def test_many_formats_in_one_folder_are_all_found(tmp_path: Path) -> None:
    for make, _ in MAKERS.values():
        make(tmp_path)
    found = [one.name for one in data_sets_in(tmp_path)]
    assert found == [name for key, (_, names) in MAKERS.items() if key != "jsonl" for name in names]


@pytest.mark.parametrize("name", ["locomo", "longmemeval", "realtalk"])
def test_a_file_alone_is_enough(tmp_path: Path, name: str) -> None:
    make, names = MAKERS[name]
    (file,) = make(tmp_path).glob("*.json")
    assert [one.name for one in data_sets_in(file)] == names


def test_longmemeval(tmp_path: Path) -> None:
    turns, sessions = (one.load() for one in data_sets_in(longmemeval(tmp_path)))
    first, unanswered = turns
    assert first.group == "kettle_1"
    assert first.docs["s_tea:1"] == Document("I bought a green kettle.", "2024/05/20 (Mon) 02:21", "s_tea", "user")
    assert list(first.docs) == ["s_tea:1", "s_tea:2", "s_bread:1"], "turns without text are left out"
    assert first.queries == {"q": Query("What colour is my kettle?", "single-session-user", "2024/05/30 (Thu) 23:40")}
    assert first.relevant("q") == {"s_tea:1": 1.0}
    assert unanswered.queries["q"].category == "abstention"
    assert unanswered.relevant("q") == {}
    assert sessions[0].docs["s_tea"].text.splitlines()[:2] == [
        "2024/05/20 (Mon) 02:21",
        "user: I bought a green kettle.",
    ]
    assert sessions[0].relevant("q") == {"s_tea": 1.0}


def test_realtalk(tmp_path: Path) -> None:
    (turns,), (sessions,) = (one.load() for one in data_sets_in(realtalk(tmp_path)))
    assert list(turns.docs) == ["D1:1", "D1:3", "D2:1"]
    assert turns.docs["D1:1"].text == "(29.12.2023, 15:51:23) Ida: The kettle is green"
    assert turns.docs["D1:3"].text == "(29.12.2023, 15:51:00) Max: [shares a photo of a kettle]"
    assert parse_time(turns.docs["D1:1"].timestamp) == dt.datetime(2023, 12, 29, 15, 51, 23, tzinfo=dt.UTC)
    assert turns.queries["q0"] == Query("What is green?", "multi_hop")
    assert turns.relevant("q0") == {"D1:1": 1.0, "D2:1": 1.0}
    assert sessions.relevant("q0") == {"session_1": 1.0, "session_2": 1.0}


def test_beam(tmp_path: Path) -> None:
    ((chat,),) = (one.load() for one in data_sets_in(beam(tmp_path)))
    assert chat.docs["b1:2"] == Document("A fine kettle.", "March-15-2024", "batch 1", "assistant")
    assert parse_time(chat.docs["b2:1"].timestamp) == dt.datetime(2024, 4, 2, tzinfo=dt.UTC)
    assert chat.queries["abstention/0"].category == "abstention"
    assert chat.relevant("abstention/0") == {}
    assert chat.relevant("knowledge_update/0") == {"b1:1": 1.0, "b2:1": 1.0}


def test_beir(tmp_path: Path) -> None:
    ((kitchen,),) = (one.load() for one in data_sets_in(beir(tmp_path)))
    assert kitchen.docs == {"d1": Document("Kettles\nThe kettle is green."), "d2": Document("The pot is red.")}
    assert list(kitchen.queries) == ["q1"], "questions that the split does not judge are not asked"
    assert kitchen.relevant("q1") == {"d1": 2.0}


WRONG: dict[str, tuple[str, str, str]] = {
    "longmemeval: no sessions": (
        "longmemeval_s.json",
        '[{"question_id": "a", "haystack_dates": []}]',
        "missing required field `question_type`.*\\[0\\]",
    ),
    "longmemeval: lists of different lengths": (
        "longmemeval_s.json",
        '[{"question_id": "a", "question_type": "t", "question": "q", "haystack_session_ids": ["s"], "haystack_dates": [],'
        ' "haystack_sessions": [[]]}]',
        "question a has 1 sessions, 1 ids and 0 dates",
    ),
    "longmemeval: a turn without words": (
        "longmemeval_s.json",
        '[{"question_id": "a", "question_type": "t", "question": "q", "haystack_session_ids": ["s"], "haystack_dates": ["d"],'
        ' "haystack_sessions": [[{"role": "user"}]]}]',
        "content",
    ),
    "longmemeval: cut off": (
        "longmemeval_s.json",
        '[\n{"haystack_dates": [],\n"question":',
        "line 3 of longmemeval_s.json is not JSON",
    ),
    "realtalk: no questions": ("chat.json", '{"session_1": [{"clean_text": "a"}], "name": {}}', "dia_id"),
    "realtalk: a question without a category": (
        "chat_1.json",
        '{"session_1": [{"clean_text": "a", "dia_id": "D1:1", "speaker": "A"}], "qa": [{"question": "q"}]}',
        "category",
    ),
    "locomo: no date": (
        "locomo.json",
        '[{"sample_id": "a", "conversation": {"session_1": []}, "qa": []}]',
        "dated by session_1_date_time",
    ),
    "locomo: a question that is a number": (
        "locomo.json",
        '[{"sample_id": "a", "conversation": {}, "qa": [{"question": 1, "category": 1}]}]',
        "question",
    ),
    "xquad: no paragraphs": ("xquad/xquad.en.json", '{"data": [{}]}', "paragraphs"),
    "beam: a message without a number": (
        "1/chat.json",
        '[{"turns": [[{"role": "user", "content": "a"}]]}]',
        "missing required field `id`",
    ),
    "beam: questions as a list": ("1/probing_questions/probing_questions.json", "[]", "a list for each ability"),
    "beam: a source that is a word": (
        "1/probing_questions/probing_questions.json",
        '{"abstention": [{"question": "q", "source_chat_ids": ["first"]}]}',
        "'first' is not a message id",
    ),
    "beir: a document without text": (
        "corpus.jsonl",
        '{"_id": "d1", "text": "a"}\n{"_id": "d2"}',
        "line 2 of corpus.jsonl.*text",
    ),
    "beir: a line that is cut off": ("queries.jsonl", '\n{"_id": "q1", "te', "line 2 of queries.jsonl is not JSON"),
    "beir: two columns": ("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\n", "line 2 of test.tsv is"),
    "beir: a grade that is none": ("qrels/test.tsv", "q1\td1\tgood\n", "line 1 of test.tsv is"),
    "beir: a question that there is not": (
        "qrels/test.tsv",
        "q7\td1\t1\n",
        "line 1 of test.tsv judges the question 'q7'",
    ),
    "beir: a document that there is not": (
        "qrels/test.tsv",
        "q1\td7\t1\n",
        "line 1 of test.tsv judges the document 'd7'",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_file_is_refused_with_the_place_and_what_was_expected(tmp_path: Path, case: str) -> None:
    name, text, message = WRONG[case]
    if case.startswith("beir"):
        place = beir(tmp_path) / "kitchen"
    else:
        place = beam(tmp_path) / "100K" if case.startswith("beam") else tmp_path
    put(place / name, text)
    with pytest.raises(InvalidInputError, match=message) as error:
        for one in data_sets_in(place, case.split(":")[0]):
            one.load()
    assert error.value.hint


def test_what_is_no_data_set_is_refused_with_all_that_could_be(tmp_path: Path) -> None:
    put(tmp_path / "notes.json", "[1, 2]")
    put(tmp_path / "empty.json", "")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\x00")
    for place in (tmp_path, tmp_path / "notes.json", tmp_path / "absent"):
        with pytest.raises(InvalidInputError, match="no known data set") as error:
            data_sets_in(place)
        assert all(f"{name}: " in str(error.value.hint) for name in FORMATS)
    with pytest.raises(InvalidInputError, match="no format 'csv'"):
        data_sets_in(tmp_path, "csv")


@pytest.mark.parametrize("name", MAKERS)
def test_every_format_goes_through_the_service(tmp_path: Path, name: str) -> None:
    place = MAKERS[name][0](tmp_path / "sets" if name != "jsonl" else tmp_path)
    out = io.StringIO()
    settings = Settings(data_dir=tmp_path / "data", model="none")
    assert main(place, wanted=Options(json=True, format=name), settings=settings, out=out) == 0
    for run in json.loads(out.getvalue())["runs"]:
        assert run["n"] == 1
        assert run["metrics"]["R@1"] > 0.0
