"""EmbeddingGemma 2 against sentence-transformers' own vectors (tests/golden), on every runtime and dtype that this machine has."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.embed.base import Prompted, TooLong
from ai_memory.embed.load import load_embedder
from ai_memory.embed.matryoshka import cut
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.processor import has_bfloat16
from ai_memory.embed.transformer import TransformerEmbedder
from tests.embed.test_gemma_golden import GOLDEN, LEAST
from tests.support.tiny_gemma2 import tiny_gemma2

TOGETHER = 2049
"""The longest input of those that are embedded in one call: 8,192 tokens twice would be most of the test's time."""


@cache
def facts() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((GOLDEN / "gemma2.json").read_text())
    return found


@cache
def arrays() -> dict[str, NDArray[Any]]:
    with np.load(GOLDEN / "gemma2.npz") as found:
        return dict(found)


def written() -> list[int]:
    """Indices of the cases that have a text."""
    return [at for at, case in enumerate(facts()["cases"]) if case["text"] is not None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_gemma2(tmp_path_factory.mktemp("models") / "embeddinggemma-2")
    for name, digest in facts()["folder"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, f"{name} is not the reference's"
    return folder


@pytest.fixture(
    scope="module",
    params=[
        ("openvino", "float32"),
        ("openvino", "bfloat16"),
        ("openvino", "int8"),
        ("torch", "float32"),
        ("torch", "bfloat16"),
    ],
    ids="-".join,
)
def engine(request: pytest.FixtureRequest, folder: Path) -> Iterator[tuple[TransformerEmbedder, float]]:
    """An embedder, and the smallest cosine allowed for its dtype."""
    runtime, dtype = request.param
    if runtime == "torch" and importlib.util.find_spec("torch") is None:
        pytest.skip("torch is not installed (extra gpu)")
    if runtime == "openvino" and dtype == "bfloat16" and not has_bfloat16():
        pytest.skip("this processor has no bfloat16 arithmetic")
    embedder = load_embedder(read_model_folder(folder), runtime=runtime, dtype=dtype, device="cpu")
    yield embedder, LEAST[dtype]
    embedder.close()


def test_the_lengths_are_on_both_sides_of_the_window_and_to_the_longest() -> None:
    lengths = {case["tokens"] for case in facts()["cases"] if case["group"] == "length"}
    assert len(lengths) >= 16
    assert {511, 512, 513, 514, 515, 4097, 8192} <= lengths


def test_every_case_alone_equals_the_reference(engine: tuple[TransformerEmbedder, float]) -> None:
    """Lengths to 8,192 tokens, prompts, titles, odd whitespace, twenty scripts."""
    embedder, least = engine
    for at in written():
        case = facts()["cases"][at]
        found = embedder.encode([Prompted(case["text"], case["prompt"])], too_long=TooLong.TRUNCATE)
        assert found.tokens == (case["tokens"],), case["name"]
        assert float(found.vectors[0] @ arrays()["float32"][at]) >= least, (case["group"], case["name"])


def test_all_shorter_cases_in_one_call_equal_the_reference(engine: tuple[TransformerEmbedder, float]) -> None:
    embedder, least = engine
    places = [at for at in written() if facts()["cases"][at]["tokens"] <= TOGETHER]
    cases = [facts()["cases"][at] for at in places]
    found = embedder.encode([Prompted(case["text"], case["prompt"]) for case in cases], too_long=TooLong.TRUNCATE)
    assert (found.vectors * arrays()["float32"][places]).sum(axis=1).min() >= least


@pytest.mark.parametrize("dimension", [512, 256, 128])
def test_cut_vectors_equal_the_reference(engine: tuple[TransformerEmbedder, float], dimension: int) -> None:
    embedder, least = engine
    at = next(
        at for at in written() if (facts()["cases"][at]["group"], facts()["cases"][at]["name"]) == ("prompt", "query")
    )
    case = facts()["cases"][at]
    vector = cut(embedder.encode([Prompted(case["text"], case["prompt"])]).vectors, dimension)
    assert float((vector * arrays()[f"cut_{dimension}"]).sum()) >= least


def test_token_ids_equal_the_reference(folder: Path) -> None:
    embedder = load_embedder(read_model_folder(folder), dtype="float32")
    ends = np.cumsum([case["tokens"] for case in facts()["cases"]])
    for at in written():
        case = facts()["cases"][at]
        (window,) = embedder.tokenizer().windows([case["text"]], [case["prompt"]], TooLong.TRUNCATE)
        assert list(window.ids) == arrays()["ids"][ends[at] - case["tokens"] : ends[at]].tolist(), case["name"]
