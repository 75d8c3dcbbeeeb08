"""The model of the GLiNER kind: a tiny real graph run by OpenVINO, and folders that do not hold one."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit

from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.errors import InvalidInputError, ModelFilesError
from ai_memory.extraction.extract import extract
from ai_memory.extraction.gliner import LABELS, NameModel

WIDTH = 3
SEPARATOR = "<<SEP>>"
VOCABULARY = ["[UNK]", "<<ENT>>", SEPARATOR, *LABELS, "Zork", "Vantaa", "met", "in"]
PERSON, PLACE = (list(LABELS).index(name) for name in ("person", "location"))


def span_graph() -> Any:
    """A span model of one idea: a span of one word is a person if the word is Zork, a place if it is Vantaa; of two, both less.

    It has every input of an exported GLiNER and finds the words by `words_mask`, so a wrong prompt or mask gives a wrong answer.
    """
    ov, ops = import_openvino()
    shapes = {
        "input_ids": [1, -1],
        "attention_mask": [1, -1],
        "words_mask": [1, -1],
        "text_lengths": [1, 1],
        "span_idx": [1, -1, 2],
        "span_mask": [1, -1],
    }
    kinds = dict.fromkeys(shapes, np.int64) | {"span_mask": bool}
    given = {name: ops.parameter(shape, kinds[name], name=name) for name, shape in shapes.items()}
    logits = np.full((len(VOCABULARY), len(LABELS)), -6.0, np.float32)
    logits[VOCABULARY.index("Zork"), PERSON] = logits[VOCABULARY.index("Vantaa"), PLACE] = 4.0
    by_token = ops.gather(ops.constant(logits), given["input_ids"], ops.constant(0))  # (1, tokens, labels)
    is_word = ops.convert(ops.greater(given["words_mask"], ops.constant(np.int64(0))), "f32")
    places = ops.squeeze(ops.non_zero(ops.squeeze(is_word, ops.constant([0]))), ops.constant([0]))
    by_word = ops.gather(by_token, places, ops.constant(1))  # (1, words, labels)
    first = ops.gather(given["span_idx"], ops.constant(np.int64(0)), ops.constant(2))
    start = ops.gather(ops.squeeze(by_word, ops.constant([0])), first, ops.constant(0))  # (1, spans, labels)
    last = ops.gather(given["span_idx"], ops.constant(np.int64(1)), ops.constant(2))
    longer = ops.convert(ops.subtract(last, first), "f32")
    scores = ops.subtract(start, ops.unsqueeze(ops.multiply(longer, ops.constant(np.float32(3.0))), ops.constant([2])))
    shape = ops.constant(np.array([1, -1, WIDTH, len(LABELS)], np.int64))
    used = ops.add(
        ops.reduce_sum(ops.convert(given["span_mask"], "f32"), ops.constant([0, 1])),
        ops.convert(
            ops.reduce_sum(ops.add(given["attention_mask"], given["text_lengths"]), ops.constant([0, 1])), "f32"
        ),
    )
    nothing = ops.multiply(used, ops.constant(np.float32(0.0)))  # all inputs belong to the graph, as in an exported one
    result = ops.add(ops.reshape(scores, shape, False), nothing)
    return ov.Model([result], list(given.values()), "tiny")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("gliner")
    ov, _ = import_openvino()
    ov.save_model(span_graph(), path / "model.xml", compress_to_fp16=False)
    tokenizer = Tokenizer(WordLevel({word: place for place, word in enumerate(VOCABULARY)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.save(str(path / "tokenizer.json"))
    (path / "gliner_config.json").write_text(json.dumps({"max_width": WIDTH}), encoding="utf-8")
    return path


def test_names_are_found_where_they_stand(folder: Path) -> None:
    found = NameModel(folder).find("So Zork, they say, met in Vantaa.")
    assert [(m.kind.value, m.name, m.start) for m in found] == [("person", "Zork", 3), ("place", "Vantaa", 26)]


def test_a_long_text_is_read_in_parts(folder: Path) -> None:
    text = "met " * 500 + "Zork"
    assert [(m.name, m.start) for m in NameModel(folder).find(text)] == [("Zork", 2000)]


def test_it_adds_to_extraction(folder: Path) -> None:
    text = "Maria thinks of Zork in Berlin."
    plain, helped = extract(text), extract(text, model=NameModel(folder).find)
    assert [m.name for m in helped.mentions] == ["Maria", "Zork", "Berlin"]
    assert {m.name for m in plain.mentions} == {"Maria", "Berlin"}


def test_the_threshold_decides(folder: Path) -> None:
    assert NameModel(folder, threshold=0.99).find("Zork met Vantaa") == []
    for wrong in (0.0, 1.0, float("nan")):
        with pytest.raises(InvalidInputError, match="between 0 and 1"):
            NameModel(folder, threshold=wrong)


def test_no_words_give_no_names(folder: Path) -> None:
    assert NameModel(folder).find("") == NameModel(folder).find(" \n ") == []


@pytest.mark.parametrize(
    ("missing", "message"),
    [("model.xml", "no model.onnx"), ("tokenizer.json", "no tokenizer.json"), ("gliner_config.json", "is missing")],
)
def test_a_folder_without_its_parts_is_named(folder: Path, tmp_path: Path, missing: str, message: str) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    (copy / missing).unlink()
    with pytest.raises(ModelFilesError, match=message) as failure:
        NameModel(copy)
    assert failure.value.hint and "gliner_config.json" in failure.value.hint


@pytest.mark.parametrize(
    ("name", "content"),
    [("model.onnx", b"no graph"), ("tokenizer.json", b"{}"), ("gliner_config.json", b'{"max_width": "wide"}')],
)
def test_a_damaged_folder_is_refused(folder: Path, tmp_path: Path, name: str, content: bytes) -> None:
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    (copy / name).write_bytes(content)
    with pytest.raises(ModelFilesError):
        NameModel(copy)


def test_a_model_of_another_kind_is_refused(folder: Path, tmp_path: Path) -> None:
    ov, ops = import_openvino()
    copy = tmp_path / "model"
    shutil.copytree(folder, copy)
    other = ops.parameter([1, -1], np.int64, name="input_ids")
    ov.save_model(ov.Model([ops.add(other, other)], [other], "other"), copy / "model.xml")
    with pytest.raises(ModelFilesError, match="no input attention_mask"):
        NameModel(copy)
