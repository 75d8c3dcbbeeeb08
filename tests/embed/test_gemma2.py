"""EmbeddingGemma 2 on OpenVINO: what differs from the first model, one test each, and what a checkpoint may bring with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from ai_memory.embed.base import Prompted, Task, TooLong
from ai_memory.embed.load import load_embedder
from ai_memory.embed.matryoshka import at_dimension
from ai_memory.embed.models.embedding_gemma2 import embedding_scale, expected_tensors, read_config
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.known import EMBEDDING_GEMMA, EMBEDDING_GEMMA_2
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.embedding_gemma2 import build_embedding_gemma2
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import InvalidInputError, ModelFilesError
from tests.support.numpy_gemma2 import MISTAKES, numpy_gemma2
from tests.support.tiny_gemma2 import FULL, TINY, Sizes, config, random_gemma2, tiny_gemma2
from tests.support.tiny_models import changed, write_bfloat16

CLOSE = 2e-5
"""Largest distance of a vector from that of another calculation with the same weights."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma2(tmp_path_factory.mktemp("models") / "embeddinggemma-2")


@pytest.fixture(scope="module")
def runtime(folder: Path) -> Iterator[OpenVinoRuntime]:
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32)
    yield runtime
    runtime.close()


@pytest.fixture(scope="module")
def embedder(folder: Path) -> Iterator[TransformerEmbedder]:
    embedder = load_embedder(read_model_folder(folder), dtype="float32")
    yield embedder
    embedder.close()


@pytest.fixture(scope="module")
def vector(runtime: OpenVinoRuntime) -> np.ndarray[Any, Any]:
    found: np.ndarray[Any, Any] = runtime.forward([tokens(514)])[0]
    return found


def tokens(length: int, seed: int = 0) -> list[int]:
    inner = np.random.default_rng([length, seed]).integers(10, 1500, max(0, length - 2)).tolist()
    return [2, *inner, 1][-length:]


def vectors_of(folder: Path, inputs: list[list[int]], dtype: Dtype = Dtype.FLOAT32) -> np.ndarray[Any, Any]:
    runtime = OpenVinoRuntime(read_model_folder(folder, name="embeddinggemma-2"), dtype=dtype)
    try:
        return runtime.forward(inputs)
    finally:
        runtime.close()


def token_states(folder: Path, ids: list[int]) -> np.ndarray[Any, Any]:
    """The state of each token after the last layer and the head, as unit vectors: the graph's mean input made an identity."""
    ov, _ = import_openvino()
    built = build_embedding_gemma2(read_model_folder(folder), operations.linear)
    feed = dict(built.feed([ids]))
    feed["mean"] = np.eye(len(ids), feed["mean"].shape[1], dtype=np.float32)
    compiled = ov.Core().compile_model(built.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return np.array(compiled(feed)[0])


def test_the_vector_is_that_of_an_independent_calculation(folder: Path, vector: np.ndarray[Any, Any]) -> None:
    assert np.linalg.norm(vector - numpy_gemma2(folder, tokens(514))) < CLOSE


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_known_mistake_would_be_seen(folder: Path, vector: np.ndarray[Any, Any], mistake: str) -> None:
    """The traps of this architecture: the vector is farther from each wrong calculation than from the right one, ten times over."""
    assert np.linalg.norm(vector - numpy_gemma2(folder, tokens(514), mistake=mistake)) > 10 * CLOSE


@pytest.mark.parametrize(("distance", "sees"), [(511, True), (512, True), (513, False)])
def test_sliding_window_is_a_radius(tmp_path: Path, distance: int, sees: bool) -> None:
    """With a sliding layer before the full one, whose values are nothing, a token's state changes with those that it sees."""
    folder = random_gemma2(tmp_path / "two", Sizes(layers=2, pattern=2))
    weights = load_file(str(folder / "model.safetensors"))
    weights["layers.1.self_attn.o_proj.weight"] = np.zeros_like(weights["layers.1.self_attn.o_proj.weight"])
    save_file(weights, str(folder / "model.safetensors"))
    states = []
    for far in (11, 12):
        ids = [3] * 1200
        ids[100 + distance] = far
        states.append(token_states(folder, ids)[100])
    assert bool(np.abs(states[0] - states[1]).max() > 1e-6) is sees


def test_a_full_layer_sees_the_whole_input(tmp_path: Path) -> None:
    folder = random_gemma2(tmp_path / "one", Sizes(layers=1, pattern=1))
    first, second = (token_states(folder, ids)[0] for ids in ([3] * 3000, [3] * 2999 + [12]))
    assert np.abs(first - second).max() > 1e-6


def test_the_last_layer_is_a_full_one_whatever_the_file_says(folder: Path, tmp_path: Path) -> None:
    kinds = config(TINY)["layer_types"]
    other = changed(folder, tmp_path / "other", layer_types=[*kinds[:-1], "sliding_attention"])
    assert read_config(read_model_folder(other)).full_layers == (False, False, True, False, True)


def test_heads_and_rotary_angles_are_those_of_the_layer_kind(folder: Path, tmp_path: Path) -> None:
    read = read_config(read_model_folder(folder))
    assert (read.sliding.head_width, read.sliding.key_heads, read.sliding.base) == (32, 2, 1e4)
    assert (read.full.head_width, read.full.key_heads, read.full.base) == (64, 1, 1e6)
    # The spelling of those who build a model: transformers derives per_layer_config from it.
    built = changed(folder, tmp_path / "built", per_layer_config=None, global_head_dim=64, num_global_key_value_heads=1)
    assert read_config(read_model_folder(built)) == read


def test_the_published_sizes_are_those_that_are_published(tmp_path: Path) -> None:
    """270M parameters of text: 140M of token embeddings and their per-layer projection, 130M of layers."""
    folder = tiny_gemma2(tmp_path / "model")
    (folder / "config.json").write_text(json.dumps(config(FULL)))
    shapes = expected_tensors(read_config(read_model_folder(folder)))
    sizes = {name: int(np.prod(shape)) for name, shape in shapes.items()}
    assert sum(sizes.values()) == pytest.approx(270e6, rel=0.02)


def test_the_factor_of_the_embeddings_is_rounded_in_bfloat16(folder: Path) -> None:
    assert embedding_scale(512, bfloat16=False) == np.float32(512**0.5)
    assert embedding_scale(512, bfloat16=True) == 22.625
    model = read_model_folder(folder)
    exact, rounded = (
        build_embedding_gemma2(model, operations.linear, bfloat16=half).feed([[2, 1]])["tokens"]
        for half in (False, True)
    )
    assert np.allclose(rounded / exact, embedding_scale(96, bfloat16=True) / 96**0.5, rtol=1e-6)
    assert not np.array_equal(rounded, exact)


@pytest.mark.parametrize("lengths", [(142, 728), (3, 2048), (1, 2, 31, 512, 513, 514), (600, 600)])
def test_padding_and_neighbours_change_nothing(runtime: OpenVinoRuntime, lengths: tuple[int, ...]) -> None:
    inputs = [tokens(length, seed) for seed, length in enumerate(lengths)]
    together = runtime.forward(inputs)
    alone = np.concatenate([runtime.forward([each]) for each in inputs])
    assert np.abs(together - alone).max() <= 1e-5


def test_float16_is_refused_with_the_reason(folder: Path) -> None:
    with pytest.raises(InvalidInputError, match="activations overflow"):
        load_embedder(read_model_folder(folder), dtype="float16")


def test_the_longest_input_is_8192_tokens(folder: Path, tmp_path: Path) -> None:
    """The configuration says 262,144, and a folder may say nothing."""
    bare = changed(folder, tmp_path / "bare")
    (bare / "sentence_bert_config.json").unlink()
    assert read_model_folder(bare).max_tokens == read_model_folder(folder).max_tokens == 8192


def test_a_text_beyond_the_longest_input_is_read_in_windows(folder: Path, tmp_path: Path) -> None:
    short = changed(folder, tmp_path / "short")
    (short / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 64}))
    embedder = load_embedder(read_model_folder(short), dtype="float32")
    found = embedder.encode([Prompted("0 " * 100)], too_long=TooLong.WINDOWS)
    assert found.tokens[0] > 200 > 0 == found.cut[0]
    assert np.linalg.norm(found.vectors[0]) == pytest.approx(1.0, abs=1e-5)
    embedder.close()


@pytest.mark.parametrize("dimension", [768, 512, 256, 128])
def test_a_cut_vector_has_length_one(embedder: TransformerEmbedder, dimension: int) -> None:
    vectors = at_dimension(embedder, dimension).embed_documents(["the gateway restarts at noon"])
    assert vectors.shape == (1, dimension)
    assert np.linalg.norm(vectors) == pytest.approx(1.0, abs=1e-6)


def test_the_prompts_are_those_of_the_first_model(embedder: TransformerEmbedder) -> None:
    assert EMBEDDING_GEMMA_2.prompts == EMBEDDING_GEMMA.prompts
    assert embedder.prompted_queries(["x"], Task.CODE_RETRIEVAL)[0].prompt == "task: code retrieval | query: "


def test_prompts_are_read_under_the_names_of_this_model(folder: Path, tmp_path: Path) -> None:
    renamed = changed(folder, tmp_path / "renamed")
    prompts = {
        "SearchQuery": "find: ",
        "QuestionAnswering": "answer: ",
        "FactChecking": "check: ",
        "Document": "read: ",
    }
    (renamed / "config_sentence_transformers.json").write_text(json.dumps({"prompts": prompts}))
    read = read_model_folder(renamed).prompts
    tasks = (Task.RETRIEVAL, Task.QUESTION_ANSWERING, Task.FACT_CHECKING)
    assert [read.for_query(task) for task in tasks] == ["find: ", "answer: ", "check: "]
    assert read.for_document(None) == "read: "


def whole_model(folder: Path, target: Path, prefix: str, **more: np.ndarray[Any, Any]) -> Path:
    """The same text part inside a checkpoint with the other towers, as transformers saves the whole model."""
    target = changed(folder, target)
    text = json.loads((folder / "config.json").read_text())
    outer = {"model_type": "embedding_gemma2", "text_config": text, "image_token_id": 9, "video_token_id": 8}
    (target / "config.json").write_text(json.dumps(outer | {"vision_config": {}, "audio_config": {}}))
    weights = {prefix + name: array for name, array in load_file(str(folder / "model.safetensors")).items()}
    towers = ("vision_tower.encoder.weight", "embed_vision.embedding_projection.weight", "audio_tower.layers.0.bias")
    outside = prefix.removesuffix("language_model.")
    weights |= {outside + name: np.full((3, 2), np.nan, np.float32) for name in towers}
    save_file(weights | more, str(target / "model.safetensors"))
    return target


@pytest.mark.parametrize("prefix", ["language_model.", "model.language_model."])
def test_only_the_text_tensors_of_a_whole_model_are_read(
    folder: Path, tmp_path: Path, vector: np.ndarray[Any, Any], prefix: str
) -> None:
    """Those of the towers for pictures and sound are NaN here: whoever used them would get none."""
    whole = whole_model(folder, tmp_path / "whole", prefix)
    read = read_model_folder(whole)
    assert (read.known, read.dimension, read.max_tokens) == (EMBEDDING_GEMMA_2, 768, 8192)
    assert np.array_equal(vectors_of(whole, [tokens(514)])[0], vector)


def test_what_belongs_to_no_tower_is_named(folder: Path, tmp_path: Path) -> None:
    stray = {"language_model.layers.0.router.weight": np.zeros((2, 2), np.float32)}
    whole = whole_model(folder, tmp_path / "whole", "language_model.", **stray)
    with pytest.raises(ModelFilesError, match=r"unexpected layers\.0\.router\.weight"):
        vectors_of(whole, [[2, 1]])


def test_a_missing_tensor_is_named(folder: Path, tmp_path: Path) -> None:
    bare = changed(folder, tmp_path / "bare")
    weights = load_file(str(folder / "model.safetensors"))
    del weights["layers.3.layer_scalar"]
    save_file(weights, str(bare / "model.safetensors"))
    with pytest.raises(ModelFilesError, match=r"missing layers\.3\.layer_scalar"):
        vectors_of(bare, [[2, 1]])


def test_tokens_of_pictures_written_in_a_text_are_text(
    folder: Path, tmp_path: Path, embedder: TransformerEmbedder
) -> None:
    """The whole model puts a picture's values, or padding, in place of token 9 (`<end_of_turn>` here); this reads a text."""
    whole = load_embedder(
        read_model_folder(whole_model(folder, tmp_path / "whole", "language_model.")), dtype="float32"
    )
    texts = ["look <end_of_turn> here", "look <pad> here"]
    found = whole.embed_documents(texts)
    assert 9 in [piece.id for piece in whole.tokenizer().pieces(texts[0])]
    assert np.array_equal(found, embedder.embed_documents(texts))
    assert float(found[0] @ found[1]) < 0.9999
    whole.close()


def test_a_bfloat16_checkpoint_is_widened_exactly(folder: Path, tmp_path: Path) -> None:
    wide, narrow = (changed(folder, tmp_path / name) for name in ("wide", "narrow"))
    tensors = load_file(str(folder / "model.safetensors"))
    halves = {name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in tensors.items()}
    save_file(
        {name: (array.astype(np.uint32) << 16).view(np.float32) for name, array in halves.items()},
        str(wide / "model.safetensors"),
    )
    write_bfloat16(narrow / "model.safetensors", halves)
    inputs = [tokens(100)]
    assert np.array_equal(vectors_of(wide, inputs), vectors_of(narrow, inputs))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"hidden_activation": "silu"}, "hidden_activation = 'silu'"),
        ({"attention_bias": True}, "attention_bias = True"),
        ({"hidden_size_per_layer_input": 0}, "hidden_size_per_layer_input = 0"),
        ({"layer_types": ["full_attention"]}, "layer_types"),
        ({"layer_types": "full_attention"}, "layer_types"),
        ({"num_key_value_heads": 3}, "3 of keys and values"),
        ({"per_layer_config": {"2": {"head_dim": 64}, "4": {"head_dim": 32}}}, "per_layer_config"),
        ({"rope_parameters": {"full_attention": {"rope_type": "yarn", "rope_theta": 1e6}}}, "yarn"),
        ({"rope_parameters": {}}, "rope_parameters"),
        ({"sliding_window": -1}, "sliding_window = -1"),
    ],
)
def test_other_configurations_are_refused_by_name(
    folder: Path, tmp_path: Path, values: dict[str, Any], named: str
) -> None:
    with pytest.raises(ModelFilesError, match="does not run the EmbeddingGemma 2") as caught:
        vectors_of(changed(folder, tmp_path / "other", **values), [[2, 1]])
    assert named in str(caught.value)
