"""Known models of the hub: each is loaded from a folder of its published shape, with random weights, fewer layers and few pieces.

Widths, heads, positions, pooling, prompts and spelling of the configuration are those of the published files.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from ai_memory.embed.base import Task
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.bert import expected_tensors
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.known import ARCTIC_S, AUTO_MODELS, BGE_M3, BGE_SMALL, E5_SMALL_V2, KnownModel, known_model
from ai_memory.embed.models.locate import find_model
from ai_memory.errors import InvalidInputError, ModelFilesError
from tests.support.numpy_bert import states
from tests.support.tiny_models import CONFIG, MODULES, tiny_bert, write_json, write_tokenizer

SMALL = {"hidden_size": 384, "intermediate_size": 1536, "num_attention_heads": 12, "max_position_embeddings": 512}
SHAPES: list[tuple[KnownModel, str, dict[str, Any]]] = [
    (ARCTIC_S, "cls", SMALL),
    (E5_SMALL_V2, "mean", SMALL),
    (BGE_SMALL, "cls", SMALL),
    (
        BGE_M3,
        "cls",
        {
            "model_type": "xlm-roberta",
            "num_hidden_layers": 1,
            "hidden_size": 1024,
            "intermediate_size": 4096,
            "num_attention_heads": 16,
            "max_position_embeddings": 8194,
            "type_vocab_size": 1,
            "pad_token_id": 1,
        },
    ),
]


def random_folder(folder: Path, pooling: str, shape: dict[str, Any], prefix: str = "") -> Path:
    config = {**CONFIG, **shape}
    write_json(folder / "config.json", config)
    write_json(folder / "modules.json", MODULES)
    mode = {"cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens"}[pooling]
    write_json(folder / "1_Pooling" / "config.json", {mode: True})
    write_tokenizer(folder / "tokenizer.json")
    rng = np.random.default_rng(5)
    shapes = expected_tensors({key: value for key, value in config.items() if isinstance(value, int)})
    tensors = {
        prefix + name: (rng.standard_normal(shape) * (0.5 if len(shape) == 1 else shape[-1] ** -0.5)).astype(np.float32)
        for name, shape in shapes.items()
    }
    save_file(tensors, str(folder / "model.safetensors"))
    return folder


@pytest.mark.parametrize(("model", "pooling", "shape"), SHAPES, ids=lambda each: getattr(each, "name", ""))
def test_a_folder_of_the_published_shape_gives_the_vectors_of_its_weights(
    tmp_path: Path, model: KnownModel, pooling: str, shape: dict[str, Any]
) -> None:
    place = random_folder(tmp_path / "models" / model.name, pooling, shape)
    folder = find_model(model.aliases[0], tmp_path)
    assert folder is not None
    assert (folder.path, folder.known, folder.pooling) == (place, model, pooling)
    assert (folder.dimension, folder.max_tokens) == (model.dimensions[0], model.max_tokens)
    embedder = load_embedder(folder, dtype="float32")
    texts = ["the ferry", "a"]
    found = embedder.embed_documents(texts)
    for text, vector in zip(texts, found, strict=True):
        prompt = folder.prompts.for_document(None)
        (window,) = embedder.tokenizer().windows([text], [prompt])
        expected = independent(place, list(window.ids), pooling, shape)
        assert np.linalg.norm(vector - expected) < 1e-4
    embedder.close()


def independent(place: Path, ids: list[int], pooling: str, shape: dict[str, Any]) -> np.ndarray[Any, Any]:
    """The vector by a BERT in numpy; XLM-RoBERTa's positions begin two rows later."""
    from safetensors.numpy import load_file

    weights = dict(load_file(str(place / "model.safetensors")))
    if shape.get("model_type") == "xlm-roberta":
        weights["embeddings.position_embeddings.weight"] = weights["embeddings.position_embeddings.weight"][2:]
    every = states(ids, weights, shape.get("num_hidden_layers", 2), shape["num_attention_heads"])
    vector = every[0] if pooling == "cls" else every.mean(axis=0)
    unit: np.ndarray[Any, Any] = vector / np.linalg.norm(vector)
    return unit


def test_the_prefix_of_a_saved_encoder_is_known(tmp_path: Path) -> None:
    model, pooling, shape = SHAPES[3]
    small = {**shape, "hidden_size": 64, "intermediate_size": 128, "max_position_embeddings": 66}
    plain = random_folder(tmp_path / "plain", pooling, small)
    prefixed = random_folder(tmp_path / "prefixed", pooling, small, "roberta.")
    first, second = (
        load_embedder(read_model_folder(each), dtype="float32").embed_documents(["hi"]) for each in (plain, prefixed)
    )
    assert np.array_equal(first, second)
    assert read_model_folder(plain).max_tokens == 64
    assert model.architecture == "xlm-roberta"


def test_the_prompts_are_the_published_ones() -> None:
    search = "Represent this sentence for searching relevant passages: "
    assert [model.prompts.for_query(Task.RETRIEVAL) for model, _, _ in SHAPES] == [search, "query: ", search, ""]
    assert [model.prompts.for_document(None) for model, _, _ in SHAPES] == ["", "passage: ", "", ""]


def test_auto_takes_none_of_them_by_itself(tmp_path: Path) -> None:
    for model, _, _ in SHAPES:
        tiny_bert(tmp_path / "models" / model.name)
        assert model not in AUTO_MODELS
        assert model.files == {}, "no hash is known that was not published"
    assert find_model("auto", tmp_path) is None


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("ibm-granite/granite-embedding-97m-multilingual-r2", "ModernBERT"),
        ("granite-embedding-311m-multilingual-r2", "ModernBERT"),
        ("Snowflake/snowflake-arctic-embed-m-v2.0", "rotary positions and gated layers"),
        ("Alibaba-NLP/gte-multilingual-base", "rotary positions and gated layers"),
    ],
)
def test_what_is_not_run_says_why(tmp_path: Path, name: str, why: str) -> None:
    assert known_model(name) is None
    with pytest.raises(InvalidInputError, match=why):
        find_model(name, tmp_path)


@pytest.mark.parametrize(("kind", "why"), [("modernbert", "ModernBERT"), ("new", "GTE"), ("gte", "GTE")])
def test_a_folder_of_such_a_model_says_why(tmp_path: Path, kind: str, why: str) -> None:
    place = tiny_bert(tmp_path / "folder")
    write_json(place / "config.json", {**CONFIG, "model_type": kind})
    with pytest.raises(ModelFilesError, match=why):
        load_embedder(read_model_folder(place))
