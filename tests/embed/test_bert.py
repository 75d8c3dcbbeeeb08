"""The graph is exact: against float64 numpy, against recorded vectors of sentence-transformers, and against it live."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import RUNNABLE
from ai_memory.embed.models.weights import read_tensors
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.runtime import GRAPHS, OpenVinoRuntime
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderError, ModelFilesError
from tests.support import numpy_bert
from tests.support.tiny_models import CONFIG, random_tensors, tiny_bert, write_json, write_tensors

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def run(folder: Path, inputs: list[list[int]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    return OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32).forward(inputs)


def test_equals_numpy_at_every_length_alone_and_together(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    rng = np.random.default_rng(3)
    inputs = [rng.integers(0, 160, length).tolist() for length in (1, 2, 3, 7, 16, 31, 32, 64)]
    expected = np.stack([numpy_bert.embed(ids, random_tensors(), 2, 4) for ids in inputs])
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32)
    np.testing.assert_allclose(runtime.forward(inputs), expected, atol=1e-5)
    for ids, row in zip(inputs, expected, strict=True):
        np.testing.assert_allclose(runtime.forward([ids])[0], row, atol=1e-5)


def test_padding_is_masked(tmp_path: Path) -> None:
    runtime = OpenVinoRuntime(read_model_folder(tiny_bert(tmp_path / "tiny")), dtype=Dtype.FLOAT32)
    alone = runtime.forward([[2, 5, 3]])[0]
    padded = runtime.forward([[2, 5, 3], list(range(60))])[0]
    np.testing.assert_allclose(padded, alone, atol=1e-6)


def test_weights_that_are_not_numbers_are_noticed(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    tensors = random_tensors()
    tensors["encoder.layer.1.output.dense.bias"][3] = np.nan
    write_tensors(folder, tensors)
    with pytest.raises(EmbedderError, match="values that are not finite"):
        run(folder, [[2, 5, 3]])


def test_prefixed_and_unused_tensors_are_understood(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    expected = run(folder, [[2, 5, 3]])
    tensors = {f"bert.{name}": array for name, array in random_tensors().items()}
    tensors["bert.pooler.dense.weight"] = np.zeros((16, 16), np.float32)
    write_tensors(folder, tensors)
    np.testing.assert_array_equal(run(folder, [[2, 5, 3]]), expected)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"hidden_act": "relu"}, "hidden_act = 'relu'"),
        ({"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ({"num_attention_heads": 5}, "not a multiple of num_attention_heads"),
        ({"num_hidden_layers": "six"}, "num_hidden_layers = 'six'"),
        ({"layer_norm_eps": None}, "layer_norm_eps"),
    ],
)
def test_another_kind_of_bert_is_refused(tmp_path: Path, change: dict[str, object], named: str) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    write_json(folder / "config.json", {**CONFIG, **change})
    with pytest.raises(ModelFilesError, match=named):
        run(folder, [[2, 5, 3]])


def test_each_wrong_tensor_is_named(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    tensors = random_tensors()
    del tensors["embeddings.LayerNorm.bias"]
    tensors["encoder.layer.2.output.dense.bias"] = np.zeros(16, np.float32)
    tensors["encoder.layer.0.output.dense.bias"] = np.zeros(17, np.float32)
    tensors["encoder.layer.1.output.dense.bias"] = np.zeros(16, np.float16)
    write_tensors(folder, tensors)
    with pytest.raises(ModelFilesError) as caught:
        run(folder, [[2, 5, 3]])
    assert caught.value.details["missing"] == ["embeddings.LayerNorm.bias"]
    assert caught.value.details["unexpected"] == ["encoder.layer.2.output.dense.bias"]
    assert caught.value.details["wrong"] == [
        "encoder.layer.0.output.dense.bias: F32 [17] instead of F32 or BF16 [16]",
        "encoder.layer.1.output.dense.bias: F16 [16] instead of F32 or BF16 [16]",
    ]
    assert "missing embeddings.LayerNorm.bias" in caught.value.message


@pytest.mark.parametrize("content", [b"", b"\xff" * 64, b"\x10\x00\x00\x00\x00\x00\x00\x00{}"])
def test_a_damaged_weight_file_is_named(tmp_path: Path, content: bytes) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    (folder / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelFilesError, match=r"model\.safetensors cannot be read"):
        run(folder, [[2, 5, 3]])


def test_every_runnable_architecture_has_a_graph() -> None:
    assert set(GRAPHS) == RUNNABLE


@pytest.mark.model
def test_minilm_equals_the_recorded_vectors(minilm: TransformerEmbedder) -> None:
    golden = json.loads((GOLDEN / "minilm.json").read_text(encoding="ascii"))
    expected = np.load(GOLDEN / "minilm.npy")
    assert minilm.count_tokens(golden["texts"]) == golden["tokens"]
    together = minilm.embed_documents(golden["texts"])
    alone = np.concatenate([minilm.embed_queries([text]) for text in golden["texts"]])
    for vectors in (together, alone):
        cosines = (vectors.astype(np.float64) * expected).sum(axis=1)
        assert cosines.min() >= 0.99999
        np.testing.assert_allclose(vectors, expected, atol=2e-6)


@pytest.mark.model
def test_minilm_equals_numpy(minilm: TransformerEmbedder, minilm_folder: ModelFolder) -> None:
    from ai_memory.embed.models.bert import expected_tensors
    from ai_memory.embed.tokenizer import TextTokenizer

    text = "The ferry leaves at seven, the train an hour later; buy both tickets today."
    ids = TextTokenizer(minilm_folder.path / "tokenizer.json", 256).windows([text], [""])[0].ids
    ignored = frozenset({"embeddings.position_ids", "pooler.dense.weight", "pooler.dense.bias"})
    weights = read_tensors(minilm_folder.path / "model.safetensors", expected_tensors(minilm_folder.config), ignored)
    np.testing.assert_allclose(minilm.embed_documents([text])[0], numpy_bert.embed(ids, weights, 6, 12), atol=2e-6)


@pytest.mark.model
@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None,
    reason="sentence-transformers is not installed (dependency group reference)",
)
def test_minilm_equals_sentence_transformers(minilm: TransformerEmbedder, minilm_folder: ModelFolder) -> None:
    from sentence_transformers import SentenceTransformer

    golden = json.loads((GOLDEN / "minilm.json").read_text(encoding="ascii"))
    expected = SentenceTransformer(str(minilm_folder.path), device="cpu").encode(golden["texts"], convert_to_numpy=True)
    cosines = (minilm.embed_documents(golden["texts"]).astype(np.float64) * expected).sum(axis=1)
    assert cosines.min() >= 0.99999
