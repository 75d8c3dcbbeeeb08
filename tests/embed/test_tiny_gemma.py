"""The checkpoint of the golden vectors: the same bytes on every machine, and the same model in the other layout."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.gemma import read_config, read_weights
from ai_memory.embed.models.known import EMBEDDING_GEMMA
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from tests.support.tiny_gemma import FULL, PROMPTS, SMALL, Draws, config, random_gemma, tiny_gemma

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def test_the_bytes_are_those_of_the_golden_vectors(tmp_path: Path) -> None:
    golden = json.loads((GOLDEN / "gemma.json").read_text(encoding="ascii"))
    folder = tiny_gemma(tmp_path / "tiny")
    assert len(golden["folder"]) == 3
    for name, digest in golden["folder"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    first, second = (tiny_gemma(tmp_path / str(seed), seed=seed) / "model.safetensors" for seed in (1, 2))
    assert first.stat().st_size == second.stat().st_size
    assert first.read_bytes() != second.read_bytes()


def test_draws_have_the_mean_and_deviation_asked_for() -> None:
    values = Draws(3).bell((400, 500), 0.25, mean=2.0)
    assert values.dtype == np.float32
    assert abs(float(values.mean()) - 2.0) < 0.003
    assert abs(float(values.std()) - 0.25) < 0.003


def test_the_full_size_is_the_published_one() -> None:
    published = config(FULL)
    assert [index for index, kind in enumerate(published["layer_types"]) if kind == "full_attention"] == [5, 11, 17, 23]
    assert (published["vocab_size"], published["head_dim"], published["sliding_window"]) == (262_144, 256, 512)
    assert FULL.dense == (3072, EMBEDDING_GEMMA.dimensions[0])
    assert set(PROMPTS.values()) <= {*EMBEDDING_GEMMA.prompts.queries.values(), EMBEDDING_GEMMA.prompts.document}


def test_outliers_are_in_channels_and_nowhere_else(tmp_path: Path) -> None:
    folders = [read_model_folder(random_gemma(tmp_path / str(count), outliers=count)) for count in (0, 3)]
    plain, large = (read_weights(folder, read_config(folder))[0] for folder in folders)
    ratio = np.median(np.abs(large["embed_tokens.weight"]), axis=0) / np.median(
        np.abs(plain["embed_tokens.weight"]), axis=0
    )
    assert np.sort(ratio)[-3:] == pytest.approx([20, 60, 100], rel=1e-4)
    assert np.sort(ratio)[:-3] == pytest.approx(1)
    changed = sorted(name for name in plain if not np.array_equal(plain[name], large[name]))
    kinds = {name.partition("layers.")[2].partition(".")[2] or name for name in changed}
    norms = {f"post_{part}_layernorm.weight" for part in ("attention", "feedforward")}
    assert kinds == {"embed_tokens.weight", "mlp.down_proj.weight", *norms}


def test_the_onnx_layout_holds_the_same_model(tmp_path: Path) -> None:
    folder = random_gemma(tmp_path / "small", SMALL)
    assert json.loads((GOLDEN / "gemma_onnx" / "config.json").read_text()) == json.loads(
        (folder / "config.json").read_text()
    )
    ov, _ = import_openvino()
    compiled = ov.Core().compile_model(
        GOLDEN / "gemma_onnx" / "onnx" / "model.onnx", "CPU", {"INFERENCE_PRECISION_HINT": "f32"}
    )
    inputs = [[2, *range(300, 300 + length - 2), 1] for length in (2, 31, 258, 600)]
    ids, mask = np.zeros((2, len(inputs), 600), np.int64)
    for row, tokens in enumerate(inputs):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
    found = compiled({"input_ids": ids, "attention_mask": mask})["sentence_embedding"]
    expected = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32).forward(inputs)
    assert (found.astype(np.float64) * expected).sum(axis=1).min() >= 0.999999
