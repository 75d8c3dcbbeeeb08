"""EmbeddingGemma on OpenVINO: the mistakes of peers with this model, one test each (docs/model-checks.md has the table)."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory.embed.base import Prompted, Task, TooLong, Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.matryoshka import CutEmbedder, at_dimension, cut
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import operations
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import InvalidInputError, ModelFilesError, TooLargeError
from tests.support.tiny_gemma import Sizes, random_gemma, tiny_gemma
from tests.support.tiny_models import changed, write_bfloat16

TOLERANCE = 1e-5
"""Largest difference of one value between a text alone and the same text in any batch."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")


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


def tokens(length: int, seed: int = 0) -> list[int]:
    inner = np.random.default_rng([length, seed]).integers(10, 1500, max(0, length - 2)).tolist()
    return [2, *inner, 1][-length:]


def vectors_of(folder: Path, inputs: list[list[int]]) -> Vectors:
    runtime = OpenVinoRuntime(read_model_folder(folder), dtype=Dtype.FLOAT32)
    try:
        return runtime.forward(inputs)
    finally:
        runtime.close()


def test_the_first_token_sees_the_last(folder: Path, tmp_path: Path) -> None:
    """Not causal: transformers before 4.57, Ollama's first release, SGLang. In a causal model of one layer the mean over all
    but the last token would not change with the last token."""
    one_layer = random_gemma(tmp_path / "one", Sizes(layers=1, pattern=1))
    for target in (folder, one_layer):
        ids = tokens(40)
        there, other = vectors_of(target, [ids]), vectors_of(target, [[*ids[:-1], 7]])
        assert float((there * other).sum()) < 0.9999


@pytest.mark.parametrize(("distance", "sees"), [(255, True), (256, True), (257, False)])
def test_a_sliding_layer_sees_256_tokens_on_either_side(tmp_path: Path, distance: int, sees: bool) -> None:
    """The window's edge, off by one in two directions: with one sliding layer, two tokens that far apart and everything between
    them alike, the far token's own state changes the mean by itself; whether the near one's does too tells if it sees it."""
    folder = random_gemma(tmp_path / "one", Sizes(layers=1, pattern=2, dense=(768,)))
    length = 700
    probes = []
    for far in (11, 12):
        ids = [3] * length
        ids[100 + distance] = far
        probes.append(ids)
    states = [token_states(folder, ids)[100] for ids in probes]
    assert bool(np.abs(states[0] - states[1]).max() > 1e-6) is sees


def token_states(folder: Path, ids: list[int]) -> Vectors:
    """The state of each token after the last layer, read from the graph itself: its mean input made an identity."""
    from ai_memory.embed.runtimes.openvino.gemma import build_gemma
    from ai_memory.embed.runtimes.openvino.importing import import_openvino

    ov, _ = import_openvino()
    built = build_gemma(read_model_folder(folder), operations.linear)
    feed = dict(built.feed([ids]))
    feed["mean"] = np.eye(len(ids), feed["mean"].shape[1], dtype=np.float32)
    compiled = ov.Core().compile_model(built.model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    states: Vectors = np.array(compiled(feed)[0])
    return states


def test_a_full_layer_sees_the_whole_input(tmp_path: Path) -> None:
    folder = random_gemma(tmp_path / "one", Sizes(layers=1, pattern=1, dense=(768,)))
    probes = [[3] * 1500, [3] * 1499 + [12]]
    first, second = (token_states(folder, ids)[0] for ids in probes)
    assert np.abs(first - second).max() > 1e-6


def test_a_resaved_window_is_run_as_transformers_runs_it_and_reported(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """transformers before 5.23 wrote the halved window back: 257 in the file means 128 on either side."""
    resaved = changed(folder, tmp_path / "resaved", sliding_window=257)
    with caplog.at_level(logging.WARNING):
        got = vectors_of(resaved, [tokens(600)])
    assert "odd sliding_window 257" in caplog.text
    assert np.array_equal(got, vectors_of(changed(folder, tmp_path / "half", sliding_window=256), [tokens(600)]))
    assert not np.allclose(got, vectors_of(folder, [tokens(600)]))


@pytest.mark.parametrize("lengths", [(142, 728), (3, 2048), (1, 2, 31, 257, 258, 513)])
def test_short_inputs_with_long_ones_are_finite_and_the_same(
    runtime: OpenVinoRuntime, lengths: tuple[int, ...]
) -> None:
    """NaN from padding: a fully masked row times 0 in the pooling (transformers #45491)."""
    inputs = [tokens(length) for length in lengths]
    together = runtime.forward(inputs)
    assert np.isfinite(together).all()
    alone = np.concatenate([runtime.forward([each]) for each in inputs])
    assert np.abs(together - alone).max() <= TOLERANCE


def test_a_batch_of_equal_lengths_keeps_the_window(runtime: OpenVinoRuntime) -> None:
    """text-embeddings-inference #882: equal lengths skip the sliding mask."""
    inputs = [tokens(600, seed) for seed in range(4)]
    alone = np.concatenate([runtime.forward([each]) for each in inputs])
    assert np.abs(runtime.forward(inputs) - alone).max() <= TOLERANCE


def test_the_order_of_a_batch_changes_nothing(runtime: OpenVinoRuntime) -> None:
    inputs = [tokens(length) for length in (5, 300, 12, 64)]
    assert np.abs(runtime.forward(inputs) - runtime.forward(inputs[::-1])[::-1]).max() <= TOLERANCE


def test_both_dense_layers_are_needed(folder: Path, tmp_path: Path) -> None:
    """llama.cpp #16367, vLLM #26945: vectors without the two linear layers look plausible and are wrong."""
    (tmp_path / "gone").mkdir()
    bare = changed(folder, tmp_path / "bare")
    (bare / "3_Dense" / "model.safetensors").unlink()
    with pytest.raises(ModelFilesError, match=r"3_Dense/model\.safetensors is missing"):
        read_model_folder(bare)


def test_an_activation_in_a_dense_layer_is_refused(folder: Path, tmp_path: Path) -> None:
    other = changed(folder, tmp_path / "other")
    file = other / "2_Dense" / "config.json"
    file.write_text(
        json.dumps({**json.loads(file.read_text()), "activation_function": "torch.nn.modules.activation.Tanh"})
    )
    with pytest.raises(ModelFilesError, match=r"2_Dense: activation_function = 'torch.nn.modules.activation.Tanh'"):
        OpenVinoRuntime(read_model_folder(other), dtype=Dtype.FLOAT32)


@pytest.mark.parametrize(
    ("config", "named"),
    [
        ({"use_bidirectional_attention": False}, "use_bidirectional_attention = False"),
        ({"use_bidirectional_attention": None}, "causal Gemma"),
        ({"attn_logit_softcapping": 50.0}, "attn_logit_softcapping = 50.0"),
        ({"num_key_value_heads": 3}, "num_key_value_heads = 3"),
        ({"rope_scaling": {"rope_type": "linear", "factor": 8.0}}, "rope_scaling"),
        ({"layer_types": ["full_attention"]}, "layer_types"),
        ({"hidden_activation": "gelu"}, "hidden_activation = 'gelu'"),
        ({"head_dim": "32"}, "head_dim = '32'"),
    ],
)
def test_other_architectures_are_refused_by_name(
    folder: Path, tmp_path: Path, config: dict[str, Any], named: str
) -> None:
    with pytest.raises(ModelFilesError, match="this version does not run the Gemma") as caught:
        OpenVinoRuntime(read_model_folder(changed(folder, tmp_path / "other", **config)), dtype=Dtype.FLOAT32)
    assert named in str(caught.value)


def test_the_newer_spelling_of_the_configuration_gives_the_same(folder: Path, tmp_path: Path) -> None:
    newer = changed(
        folder,
        tmp_path / "newer",
        rope_theta=None,
        rope_local_base_freq=None,
        rope_scaling=None,
        _sliding_window_pattern=None,
        rope_parameters={
            "full_attention": {"rope_type": "default", "rope_theta": 1e6},
            "sliding_attention": {"rope_type": "default", "rope_theta": 1e4},
        },
    )
    assert np.array_equal(vectors_of(newer, [tokens(300)]), vectors_of(folder, [tokens(300)]))


def test_a_bfloat16_checkpoint_is_widened_exactly(folder: Path, tmp_path: Path) -> None:
    """The same weights, rounded, as float32 and as bfloat16 files."""
    import safetensors.numpy

    both = [changed(folder, tmp_path / name) for name in ("wide", "narrow")]
    for file in ("model.safetensors", "2_Dense/model.safetensors", "3_Dense/model.safetensors"):
        tensors = safetensors.numpy.load_file(str(folder / file))
        halves = {name: (array.view(np.uint32) >> 16).astype(np.uint16) for name, array in tensors.items()}
        wide = {name: (array.astype(np.uint32) << 16).view(np.float32) for name, array in halves.items()}
        safetensors.numpy.save_file(wide, str(both[0] / file))
        write_bfloat16(both[1] / file, halves)
    assert np.array_equal(vectors_of(both[0], [tokens(100)]), vectors_of(both[1], [tokens(100)]))


@pytest.mark.parametrize("dimension", [768, 512, 256, 128])
def test_a_cut_vector_has_length_one(embedder: TransformerEmbedder, dimension: int) -> None:
    """Infinity #538: sliced, not renormalised."""
    small = at_dimension(embedder, dimension)
    vectors = small.embed_documents(["the gateway restarts at noon", "кошка спит"])
    assert vectors.shape == (2, dimension)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-6)
    whole = embedder.embed_documents(["the gateway restarts at noon", "кошка спит"])
    assert np.allclose(vectors, cut(whole, dimension))
    assert small.identity.dimension == dimension
    assert small.dimensions == tuple(each for each in (768, 512, 256, 128) if each <= dimension)


@pytest.mark.parametrize("dimension", [0, -1, 1, 127, 300, 769, 1024, True])
def test_another_dimension_is_refused_with_those_that_work(embedder: TransformerEmbedder, dimension: int) -> None:
    with pytest.raises(InvalidInputError, match="768, 512, 256, 128"):
        CutEmbedder(embedder, dimension)


def test_float16_is_refused_with_the_reason(folder: Path) -> None:
    """vLLM #24318, ONNX Runtime #32600: NaN without an error."""
    with pytest.raises(InvalidInputError, match="activations overflow"):
        load_embedder(read_model_folder(folder), dtype="float16")


def test_the_prompts_are_the_published_ones(embedder: TransformerEmbedder) -> None:
    written = {task: embedder.prompted_queries(["x"], task)[0].prompt for task in Task}
    assert written == {
        Task.RETRIEVAL: "task: search result | query: ",
        Task.QUESTION_ANSWERING: "task: question answering | query: ",
        Task.FACT_CHECKING: "task: fact checking | query: ",
        Task.CLASSIFICATION: "task: classification | query: ",
        Task.CLUSTERING: "task: clustering | query: ",
        Task.SIMILARITY: "task: sentence similarity | query: ",
        Task.CODE_RETRIEVAL: "task: code retrieval | query: ",
        Task.SUMMARIZATION: "task: summarization | query: ",
        Task.NONE: "",
    }
    documents = embedder.prompted_documents(["x", "y"], [None, "A title"])
    assert [each.prompt for each in documents] == ["title: none | text: ", "title: A title | text: "]


def test_a_query_and_a_document_of_the_same_words_differ(embedder: TransformerEmbedder) -> None:
    """fastembed #592: query_embed was embed."""
    query, document = embedder.embed_queries(["hello world"]), embedder.embed_documents(["hello world"])
    assert float((query * document).sum()) < 0.999


def test_a_fine_tuned_copy_of_another_name_has_the_prompts_too(folder: Path, tmp_path: Path) -> None:
    copy = changed(folder, tmp_path / "my-tuned-model")
    (copy / "config_sentence_transformers.json").unlink()
    assert read_model_folder(copy).prompts == read_model_folder(folder).prompts
    (copy / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "ask: ", "document": "read: "}})
    )
    prompts = read_model_folder(copy).prompts
    assert (prompts.for_query(Task.RETRIEVAL), prompts.for_document(None)) == ("ask: ", "read: ")
    assert prompts.for_query(Task.CLUSTERING) == "task: clustering | query: "


def test_whitespace_is_part_of_the_text(embedder: TransformerEmbedder) -> None:
    """sentence-transformers before 5.4 stripped every text; it no longer does, nor does this package."""
    plain, spaced = embedder.tokenizer().pieces("a text"), embedder.tokenizer().pieces("  a text\n")
    assert len(spaced) > len(plain)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_limit_counts_prompt_and_special_tokens(embedder: TransformerEmbedder, over: int) -> None:
    text = text_of(embedder, embedder.max_tokens + over)
    if over <= 0:
        found = embedder.encode(embedder.prompted_queries([text]), too_long=TooLong.ERROR)
        assert found.tokens == (embedder.max_tokens + over,)
        return
    with pytest.raises(TooLargeError, match="2049 tokens with its prompt; the model reads 2048"):
        embedder.encode(embedder.prompted_queries([text]), too_long=TooLong.ERROR)


def test_truncation_keeps_the_closing_token_and_says_what_it_cut(embedder: TransformerEmbedder) -> None:
    """Ollama #14186 ignored the option; others drop EOS with the end of the text."""
    text = text_of(embedder, 2100)
    (window,) = embedder.tokenizer().windows([text], ["task: search result | query: "], TooLong.TRUNCATE)
    assert (len(window.ids), window.ids[0], window.ids[-1], window.cut) == (2048, 2, 1, 52)
    found = embedder.encode(embedder.prompted_queries([text]), too_long=TooLong.TRUNCATE)
    assert (found.tokens, found.cut) == ((2048,), (52,))


def test_a_text_of_2048_tokens_needs_no_larger_batch(embedder: TransformerEmbedder) -> None:
    """llama.cpp #12836: longer than the batch was an error."""
    vector = embedder.encode([Prompted(text_of(embedder, 2048, prompt=""))], too_long=TooLong.ERROR).vectors
    assert np.linalg.norm(vector) == pytest.approx(1.0, abs=1e-5)


def test_an_empty_text_has_a_vector(embedder: TransformerEmbedder) -> None:
    assert np.isfinite(embedder.embed_queries([""])).all()
    assert np.isfinite(embedder.encode([Prompted("")]).vectors).all()


def text_of(embedder: TransformerEmbedder, count: int, prompt: str = "task: search result | query: ") -> str:
    """A text that has `count` tokens with its prompt and the special tokens."""
    text = ""
    while (have := embedder.tokenizer().count([text], [prompt])[0]) < count:
        text += "0 " * max(1, (count - have) // 3) if count - have > 8 else "0"
    assert have == count, (have, count)
    return text
