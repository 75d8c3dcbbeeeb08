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
from ai_memory.errors import EmbedderError, InvalidInputError, ModelFilesError
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
    # In the published model the vectors are as wide as the layers; in this one they are not.
    (path / "config.json").write_text(json.dumps(config | {"hidden_size": SMALL.dense[-1]}))
    return path


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


def message(*fields: tuple[int, bytes | int]) -> bytes:
    """A protocol buffer of fields below 16: integers below 128, and strings or messages."""
    written = b""
    for number, value in fields:
        if isinstance(value, int):
            written += bytes([number << 3, value])
        else:
            size = bytes([len(value) & 127 | 128, len(value) >> 7])
            written += bytes([number << 3 | 2]) + size + value
    return written


def onnx_graph(
    *, output: str = "sentence_embedding", mask: str = "attention_mask", inside: int = 1, outside: int = 1
) -> bytes:
    """An ONNX file of two casts from ids to `output`; `inside` and `outside` are TensorProto.DataType: 1 float32, 10 float16.

    Written by hand, since the onnx package would be a dependency of this test alone.
    """

    def value(name: str, kind: int) -> bytes:
        axes = message((1, message((2, b"batch"))), (1, message((2, b"length"))))
        return message((1, name.encode()), (2, message((1, message((1, kind), (2, axes))))))

    def cast(source: str, target: str, kind: int) -> bytes:
        to = message((1, b"to"), (3, kind)) + b"\xa0\x01\x02"  # field 20, the attribute's type: INT
        return message((1, source.encode()), (2, target.encode()), (4, b"Cast"), (5, to))

    graph = message(
        (1, cast("input_ids", "inner", inside)),
        (1, cast("inner", output, outside)),
        (2, b"tiny"),
        (11, value("input_ids", 7)),
        (11, value(mask, 7)),
        (12, value(output, outside)),
    )
    return message((1, 8), (7, graph), (8, message((1, b""), (2, 17))))


@pytest.mark.parametrize(
    ("graph", "reason"),
    [
        (onnx_graph(inside=10, outside=10), "computes in float16, in which this model overflows"),
        (onnx_graph(inside=10), "computes in float16, in which this model overflows"),
        (onnx_graph(outside=11), "it is not in float32"),
        (onnx_graph(output="pooled"), "no output sentence_embedding, only pooled"),
        (onnx_graph(mask="attention_tusk"), "its inputs are attention_tusk, input_ids"),
    ],
)
def test_a_graph_of_another_kind_is_refused(folder: Path, graph: bytes, reason: str) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(graph)
    with EmbeddingModel(folder) as model, pytest.raises(ModelFilesError, match=reason):
        model.embed(["a"])


def test_the_checks_accept_a_graph_of_the_right_kind(folder: Path) -> None:
    """Each file above is refused for its one fault: without any, the graph runs, and only its result is not a vector."""
    (folder / "onnx" / "model.onnx").write_bytes(onnx_graph())
    with EmbeddingModel(folder) as model, pytest.raises(EmbedderError, match="the forward pass gave"):
        model.embed(["a"])


def test_vectors_of_another_width_are_refused(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | {"hidden_size": 64}))
    with (
        EmbeddingModel(folder) as model,
        pytest.raises(ModelFilesError, match=r"the shape \[\?,128\] instead of \[\?,64\]"),
    ):
        model.embed(["a"])


@pytest.mark.parametrize("damage", [b"", b"\xff" * 100, b"\x3a\xff\xff\xff\x7f", b"not a model at all"])
def test_a_damaged_graph_is_named(folder: Path, damage: bytes) -> None:
    (folder / "onnx" / "model.onnx").write_bytes(damage)
    with EmbeddingModel(folder) as model, pytest.raises(ModelFilesError, match=r"model\.onnx cannot be read"):
        model.embed(["a"])


def test_a_graph_that_ends_early_is_named(folder: Path) -> None:
    graph = folder / "onnx" / "model.onnx"
    graph.write_bytes(graph.read_bytes()[:-1000])
    with EmbeddingModel(folder) as model, pytest.raises(ModelFilesError, match=r"model\.onnx cannot be read"):
        model.embed(["a"])


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(ModelFilesError, match=f"{name} is missing"):
        read_model_folder(folder)


def test_missing_weights_are_named(folder: Path) -> None:
    (folder / "onnx" / "model.onnx_data").unlink()
    with EmbeddingModel(folder) as model, pytest.raises(ModelFilesError, match=r"model\.onnx_data is missing"):
        model.embed(["a"])
