"""Weights of four bits: what the file means is what the engine computes with, and a file that means anything else is refused."""

from __future__ import annotations

import importlib.util
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory.embed.base import Task
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.bert import expected_tensors, read_bert
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import E5
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.runtimes.openvino.tokens import OpenVinoTokens
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderError, ModelFilesError
from tests.support import numpy_bert
from tests.support.tiny_four_bits import tiny_e5, write_four_bits
from tests.support.tiny_models import write_json

WEIGHTS = "e5-small-q4.bin"


def test_the_tensors_are_those_that_the_file_means(tmp_path: Path) -> None:
    expected = tiny_e5(tmp_path / "tiny")
    config, weights, words = read_bert(read_model_folder(tmp_path / "tiny"))
    assert (config.layers, config.heads) == (2, 4)
    table = expected.pop("embeddings.word_embeddings.weight")
    assert weights.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(weights[name], array, err_msg=name)
    np.testing.assert_array_equal(words.whole(), table)
    ids = np.array([[3, 159], [0, 3]])
    np.testing.assert_array_equal(words.rows(ids), table[ids])
    words.release()
    np.testing.assert_array_equal(words.rows(ids), table[ids])


def test_vectors_equal_those_of_numpy(tmp_path: Path) -> None:
    tensors = tiny_e5(tmp_path / "tiny")
    inputs = [np.random.default_rng(3).integers(0, 160, length).tolist() for length in (1, 2, 3, 7, 16, 31, 64)]
    expected = np.stack([numpy_bert.embed(ids, tensors, 2, 4) for ids in inputs])
    folder = read_model_folder(tmp_path / "tiny")
    np.testing.assert_allclose(OpenVinoRuntime(folder, dtype=Dtype.FLOAT32).forward(inputs), expected, atol=1e-5)
    states = OpenVinoTokens(folder).read(inputs)
    assert [each.shape for each in states] == [(len(ids), 64) for ids in inputs]


def test_an_id_beyond_the_table_is_an_error(tmp_path: Path) -> None:
    tiny_e5(tmp_path / "tiny")
    with pytest.raises(EmbedderError, match="forward pass failed"):
        OpenVinoRuntime(read_model_folder(tmp_path / "tiny"), dtype=Dtype.FLOAT32).forward([[160]])


@pytest.mark.parametrize("kept", [0, 3, 40, 90, 400, -1])
def test_a_file_that_was_cut_off_is_named_at_once(tmp_path: Path, kept: int) -> None:
    tiny_e5(tmp_path / "tiny")
    file = tmp_path / "tiny" / WEIGHTS
    file.write_bytes(file.read_bytes()[:kept])
    with pytest.raises(ModelFilesError, match=WEIGHTS):
        read_model_folder(tmp_path / "tiny")


def test_any_byte_of_the_header_may_be_wrong(tmp_path: Path) -> None:
    """Each is refused with the file's name, or moves a tensor to other bytes of the file: no other error, and no endless loop."""
    tiny_e5(tmp_path / "tiny")
    file = tmp_path / "tiny" / WEIGHTS
    good = file.read_bytes()
    refused = 0
    for at in range(0, 700, 3):
        file.write_bytes(good[:at] + bytes([good[at] ^ 0xFF]) + good[at + 1 :])
        try:
            read_bert(read_model_folder(tmp_path / "tiny"))
        except ModelFilesError as error:
            refused += 1
            assert WEIGHTS in error.message
    assert refused > 150


def test_each_wrong_tensor_is_named(tmp_path: Path) -> None:
    tiny_e5(tmp_path / "tiny")
    write_four_bits(
        tmp_path / "tiny" / WEIGHTS,
        {"emb.word": (0, bytes(4 * 160 * 64)), "emb.pos": (1, bytes(18)), "l0.zz.w": (0, bytes(4)), "l0.q.w": (7, b"")},
        {"emb.word": 160 * 64, "emb.pos": 32, "l0.zz.w": 1, "l0.q.w": 64 * 64},
    )
    with pytest.raises(ModelFilesError, match="does not have the tensors") as caught:
        read_bert(read_model_folder(tmp_path / "tiny"))
    wrong = caught.value.details["wrong"]
    assert "missing encoder.layer.1.output.dense.bias" in wrong
    assert "unexpected l0.zz.w" in wrong
    assert "embeddings.word_embeddings.weight has no blocks of four bits" in wrong
    assert any(each.startswith("embeddings.position_embeddings.weight: Entry(kind=1, values=32") for each in wrong)
    assert any(each.startswith("encoder.layer.0.attention.self.query.weight: Entry(kind=7") for each in wrong)


def test_the_configuration_decides(tmp_path: Path) -> None:
    tiny_e5(tmp_path / "tiny")
    config = dict(read_model_folder(tmp_path / "tiny").config)
    write_json(tmp_path / "tiny" / "config.json", {**config, "num_hidden_layers": 1})
    with pytest.raises(ModelFilesError, match=r"unexpected encoder\.layer\.1"):
        read_bert(read_model_folder(tmp_path / "tiny"))


def test_with_both_kinds_of_weights_the_original_ones_count(tmp_path: Path) -> None:
    tiny_e5(tmp_path / "tiny")
    (tmp_path / "tiny" / "model.safetensors").write_bytes(b"")
    with pytest.raises(ModelFilesError, match=r"model\.safetensors"):
        read_model_folder(tmp_path / "tiny")


@pytest.mark.model
def test_the_real_model_equals_numpy(e5_folder: ModelFolder) -> None:
    _, weights, words = read_bert(e5_folder)
    # In float32, whatever this processor would choose: with bfloat16 units it is bfloat16.
    with closing(load_embedder(e5_folder, dtype="float32")) as e5:
        for text in ("Der Zug fährt um sieben.", "备份每天凌晨两点运行。", "Где мы размещали тайлы карты?"):
            (window,) = e5.tokenizer().windows([text], ["passage: "])
            own = {**weights, "embeddings.word_embeddings.weight": words.rows(np.array(window.ids))}
            expected = numpy_bert.embed(range(len(window.ids)), own, 12, 12)
            np.testing.assert_allclose(e5.embed_documents([text])[0], expected, atol=2e-6)


@pytest.mark.model
def test_each_task_has_the_prompt_of_queries(e5: TransformerEmbedder) -> None:
    text = "Where is the key?"
    asked = {task: e5.embed_queries([text], task)[0] for task in Task}
    plain = e5.embed_queries([f"query: {text}"], Task.NONE)[0]
    for task, vector in asked.items():
        same = float(vector @ plain)
        assert (same < 0.9999) == (task is Task.NONE), task
    titled = e5.embed_documents([text], ["Keys"])[0]
    assert titled @ e5.embed_queries([f"passage: Keys\n{text}"], Task.NONE)[0] > 0.99999
    assert E5.prompts.digest() == e5.identity.prompts


@pytest.mark.model
def test_the_real_model_crosses_languages(e5: TransformerEmbedder) -> None:
    questions = e5.embed_queries(["Где ключ от сарая?", "Wann fährt die Fähre?", "谁对榛子过敏？"])
    memories = e5.embed_documents(
        ["The key to the shed hangs behind the door.", "The ferry leaves at seven.", "Mira is allergic to hazelnuts."]
    )
    assert (questions @ memories.T).argmax(axis=1).tolist() == [0, 1, 2]


@pytest.mark.model
@pytest.mark.parametrize("dtype", ["int8"])
def test_narrower_arithmetic_is_near(e5: TransformerEmbedder, e5_folder: ModelFolder, dtype: str) -> None:
    texts = ["Der Zug fährt um sieben.", "备份每天凌晨两点运行。", "The key to the shed hangs behind the door. " * 20]
    narrow = load_embedder(e5_folder, dtype=dtype)
    cosines = (narrow.embed_documents(texts) * e5.embed_documents(texts)).sum(axis=1)
    narrow.close()
    assert cosines.min() >= 0.995


@pytest.mark.model
@pytest.mark.skipif(
    importlib.util.find_spec("sentence_transformers") is None,
    reason="sentence-transformers is not installed (dependency group reference)",
)
def test_the_real_model_equals_sentence_transformers_on_the_same_weights(
    e5: TransformerEmbedder, e5_folder: ModelFolder, tmp_path: Path
) -> None:
    import shutil

    from safetensors.numpy import save_file
    from sentence_transformers import SentenceTransformer

    copy = tmp_path / "decoded"
    shutil.copytree(e5_folder.path, copy, ignore=shutil.ignore_patterns("*.bin", ".digests.json"))
    _, weights, words = read_bert(e5_folder)
    tensors: dict[str, np.ndarray[Any, Any]] = {**weights, "embeddings.word_embeddings.weight": words.whole()}
    assert tensors.keys() == expected_tensors(e5_folder.config).keys()
    save_file(tensors, str(copy / "model.safetensors"), metadata={"format": "pt"})
    # Without this file the library would take the tokenizer that a BERT usually has.
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    write_json(copy / "tokenizer_config.json", {"tokenizer_class": "PreTrainedTokenizerFast", **special})
    texts = ["Der Zug fährt um sieben.", "备份每天凌晨两点运行。", "Где ключ?", "a", "The ferry leaves. " * 70]
    reference = SentenceTransformer(str(copy), device="cpu")
    expected = reference.encode(texts, prompt="passage: ", convert_to_numpy=True)
    assert ((e5.embed_documents(texts).astype(np.float64) * expected).sum(axis=1)).min() >= 0.999999
