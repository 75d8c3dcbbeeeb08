"""The folder of the ONNX repackaging: read, checked, and the same vectors as from the weights."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from ai_memory import EmbeddingModel
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.known import EMBEDDING_GEMMA
from ai_memory.embed.models.onnx_file import FLOAT32, Tensor, inputs_and_outputs
from ai_memory.errors import InvalidInputError, ModelFilesError
from tests.support.gemma_tokenizer import write_tokenizer
from tests.support.tiny_gemma import SMALL, random_gemma

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "gemma_onnx"
TEXTS = ["the gateway restarts at noon", "кошка спит", "", "a longer text " * 60]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "embeddinggemma-300m-ONNX"
    shutil.copytree(GOLDEN, path)
    write_tokenizer(path, SMALL.vocabulary)
    config = json.loads((path / "config.json").read_text())
    # In the published model the vectors are as wide as the layers; in this one they are not, and its graph leaves it open.
    (path / "config.json").write_text(json.dumps(config | {"hidden_size": SMALL.dense[-1]}))
    return path


def test_the_graph_says_what_it_takes_and_gives() -> None:
    inputs, outputs = inputs_and_outputs(GOLDEN / "onnx" / "model.onnx")
    assert [each.name for each in inputs] == ["input_ids", "attention_mask"]
    assert outputs[1] == Tensor("sentence_embedding", FLOAT32, (0, 0))
    assert outputs[0].name == "last_hidden_state"


def test_the_vectors_are_those_of_the_weights(folder: Path, tmp_path: Path) -> None:
    weights = random_gemma(tmp_path / "weights", SMALL)
    with EmbeddingModel(folder) as graph, EmbeddingModel(weights, dtype="float32") as ours:
        assert graph.info.dtype == "float32"
        for found, expected in (
            (graph.embed_queries(TEXTS), ours.embed_queries(TEXTS)),
            (
                graph.embed_documents(TEXTS, titles=["t", None, None, ""]),
                ours.embed_documents(TEXTS, titles=["t", None, None, ""]),
            ),
        ):
            assert (found.astype(np.float64) * expected).sum(axis=1).min() >= 0.999999
        assert graph.info.prompts == ours.info.prompts
        assert graph.identity.revision != ours.identity.revision
        assert graph.max_tokens == 2048
        np.testing.assert_allclose(graph.embed(TEXTS)[0], graph.embed(TEXTS[:1])[0], atol=1e-5)


def test_the_folder_is_the_known_model(folder: Path) -> None:
    read = read_model_folder(folder, name="embeddinggemma-300m")
    assert (read.known, read.name, read.dimension, read.is_onnx) == (EMBEDDING_GEMMA, "embeddinggemma-300m", 128, True)
    assert read.files == ("config.json", "onnx/model.onnx", "onnx/model.onnx_data", "tokenizer.json")


@pytest.mark.parametrize("options", [{"dtype": "int8"}, {"runtime": "torch", "device": "cpu"}])
def test_what_needs_the_weights_is_refused(folder: Path, options: dict[str, str]) -> None:
    with pytest.raises(InvalidInputError, match="has an ONNX graph"):
        EmbeddingModel(folder, **options)  # type: ignore[arg-type]
    with pytest.raises(InvalidInputError, match="float16 is not offered"):
        EmbeddingModel(folder, dtype="float16")


def test_the_float16_and_quantised_variants_are_refused_with_the_reason(folder: Path) -> None:
    graph = folder / "onnx" / "model.onnx"
    graph.rename(folder / "onnx" / "model_fp16.onnx")
    shutil.copy(folder / "onnx" / "model_fp16.onnx", folder / "onnx" / "model_q4.onnx")
    with pytest.raises(ModelFilesError, match=r"of model_fp16\.onnx, model_q4\.onnx float16 overflows"):
        EmbeddingModel(folder)


def replaced(file: Path, old: bytes, new: bytes) -> None:
    data = file.read_bytes()
    assert old in data
    assert len(old) == len(new)
    file.write_bytes(data.replace(old, new))


def test_a_graph_of_another_kind_is_refused(folder: Path) -> None:
    graph = folder / "onnx" / "model.onnx"
    whole = graph.read_bytes()
    half = b"\x08\x0a"  # field 1, an enumeration: FLOAT16
    at = whole.rindex(b"\x12sentence_embedding\x12")
    assert whole[at:].count(b"\x08\x01\x12") == 1
    graph.write_bytes(whole[:at] + whole[at:].replace(b"\x08\x01\x12", half + b"\x12"))
    with pytest.raises(ModelFilesError, match="computes in float16, in which this model overflows"):
        read_model_folder(folder)
    graph.write_bytes(whole)
    replaced(graph, b"sentence_embedding", b"sentence_somethin1")
    with pytest.raises(ModelFilesError, match="no output sentence_embedding, only last_hidden_state"):
        read_model_folder(folder)
    graph.write_bytes(whole)
    replaced(graph, b"attention_mask", b"attention_tusk")
    with pytest.raises(ModelFilesError, match="its inputs are attention_tusk, input_ids"):
        read_model_folder(folder)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\x3a\xff\xff\xff\x7f", b"not a model at all"])
def test_a_damaged_graph_is_named(folder: Path, damage: bytes) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(damage)
    with pytest.raises(ModelFilesError, match=r"model\.onnx"):
        read_model_folder(folder)


def test_a_graph_that_ends_early_is_named(folder: Path) -> None:
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1000])
    with pytest.raises(ModelFilesError, match="ends in the middle of a field"):
        read_model_folder(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFilesError, match=f"{name} is missing"):
        read_model_folder(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "onnx" / "model.onnx_data").unlink()
    with EmbeddingModel(folder) as model, pytest.raises(ModelFilesError, match=r"model\.onnx_data is missing"):
        model.embed(["a"])
