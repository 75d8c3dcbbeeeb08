"""Vectors of single tokens: equal to numpy's, and available for BERT models only."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ai_memory.embed.base import TokenReader
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.openvino.tokens import OpenVinoTokens
from ai_memory.errors import EmbedderError, EmbedderUnavailableError
from tests.support import numpy_bert
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import random_tensors, tiny_bert, write_tensors


def test_every_token_equals_numpy_alone_and_in_a_batch(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    inputs = [rng.integers(0, 160, length).tolist() for length in (64, 1, 7, 31, 2, 64)]
    tokens = OpenVinoTokens(read_model_folder(tiny_bert(tmp_path / "tiny")), threads=1)
    for ids, found in zip(inputs, tokens.read(inputs), strict=True):
        expected = numpy_bert.states(ids, random_tensors(), 2, 4)
        np.testing.assert_allclose(
            found, expected / np.linalg.norm(expected, axis=1, keepdims=True), atol=1e-5, err_msg=str(len(ids))
        )
        np.testing.assert_allclose(tokens.read([ids])[0], found, atol=1e-5)


def test_no_texts_give_no_token_vectors(tmp_path: Path) -> None:
    assert OpenVinoTokens(read_model_folder(tiny_bert(tmp_path / "tiny"))).read([]) == []


def test_weights_that_are_not_numbers_are_noticed(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    tensors = random_tensors()
    tensors["encoder.layer.1.output.dense.bias"][3] = np.nan
    write_tensors(folder, tensors)
    with pytest.raises(EmbedderError, match="not finite"):
        OpenVinoTokens(read_model_folder(folder)).read([[2, 5, 3]])


def test_tokens_have_unit_vectors_and_positions(tmp_path: Path) -> None:
    embedder = load_embedder(read_model_folder(tiny_bert(tmp_path / "tiny")))
    before = embedder.embed_queries(["the harbour lamp"])
    text = "the harbour lamp"
    read = embedder.read_tokens([text, "", "\x00", "\ud800 lamp", "lamp " * 1_000])
    assert read is not None
    for each in read:
        assert len(each.vectors) == len(each.spans)
        np.testing.assert_allclose(np.linalg.norm(each.vectors, axis=1), 1.0, atol=1e-5)
    assert "".join(text[start:stop] for start, stop in read[0].spans) == text.replace(" ", "")
    assert len(read[1].vectors) == 0
    assert len(read[4].vectors) <= embedder.max_tokens
    assert np.array_equal(embedder.embed_queries([text]), before), "reading tokens changes no vector"
    embedder.close()
    with pytest.raises(EmbedderUnavailableError):
        embedder.read_tokens([text])


def test_other_models_give_no_token_vectors(tmp_path: Path) -> None:
    gemma = load_embedder(read_model_folder(tiny_gemma(tmp_path / "gemma")))
    assert gemma.read_tokens(["lamp"]) is None
    gemma.close()
    assert not isinstance(HashingEmbedder(), TokenReader)
