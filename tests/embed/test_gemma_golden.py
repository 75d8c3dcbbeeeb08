"""EmbeddingGemma against sentence-transformers' own vectors (tests/golden), on every runtime and dtype that this machine has."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.embed.base import Prompted, TooLong, Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.matryoshka import cut
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from ai_memory.embed.runtimes.processor import has_bfloat16
from ai_memory.embed.transformer import TransformerEmbedder
from tests.support.tiny_gemma import tiny_gemma

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LEAST = {"float32": 0.999999, "bfloat16": 0.9995, "int8": 0.995}
"""Smallest cosine with the reference's float32 vectors."""


class Golden(NamedTuple):
    """The reference's results."""

    facts: dict[str, Any]
    arrays: dict[str, NDArray[Any]]

    @property
    def cases(self) -> list[dict[str, Any]]:
        cases: list[dict[str, Any]] = self.facts["cases"]
        return cases

    def written(self) -> list[int]:
        """Indices of the cases that have a text."""
        return [at for at, case in enumerate(self.cases) if case["text"] is not None]


@cache
def golden() -> Golden:
    with np.load(GOLDEN / "gemma.npz") as arrays:
        return Golden(json.loads((GOLDEN / "gemma.json").read_text()), dict(arrays))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")
    for name, digest in golden().facts["folder"].items():
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


def encode(embedder: TransformerEmbedder, places: list[int]) -> tuple[Vectors, tuple[int, ...]]:
    cases = [golden().cases[at] for at in places]
    found = embedder.encode([Prompted(case["text"], case["prompt"]) for case in cases], too_long=TooLong.TRUNCATE)
    return found.vectors, found.tokens


def test_every_case_alone_equals_the_reference(engine: tuple[TransformerEmbedder, float]) -> None:
    """Lengths to 2,048 tokens on either side of the window's edge, prompts, titles, odd whitespace, twenty scripts."""
    embedder, least = engine
    places = golden().written()
    vectors = np.concatenate([encode(embedder, [at])[0] for at in places])
    cosines = (vectors * golden().arrays["float32"][places]).sum(axis=1)
    worst = int(cosines.argmin())
    assert cosines[worst] >= least, golden().cases[places[worst]]
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_all_cases_in_one_call_equal_the_reference(engine: tuple[TransformerEmbedder, float]) -> None:
    embedder, least = engine
    places = golden().written()
    vectors, tokens = encode(embedder, places)
    assert (vectors * golden().arrays["float32"][places]).sum(axis=1).min() >= least
    assert list(tokens) == [golden().cases[at]["tokens"] for at in places]


def test_the_bare_opening_token_equals_the_reference(folder: Path) -> None:
    """One token, which no text produces: directly through the runtime."""
    (at,) = (at for at, case in enumerate(golden().cases) if case["text"] is None)
    for dtype in (Dtype.FLOAT32, Dtype.INT8):
        vector = OpenVinoRuntime(read_model_folder(folder), dtype=dtype).forward([[2]])
        assert float((vector[0] * golden().arrays["float32"][at]).sum()) >= LEAST[dtype]


@pytest.mark.parametrize("dimension", [512, 256, 128])
def test_cut_vectors_equal_the_reference(engine: tuple[TransformerEmbedder, float], dimension: int) -> None:
    embedder, least = engine
    at = next(at for at, case in enumerate(golden().cases) if (case["group"], case["name"]) == ("prompt", "query"))
    vector = cut(encode(embedder, [at])[0], dimension)
    assert float((vector * golden().arrays[f"cut_{dimension}"]).sum()) >= least


def test_token_ids_equal_the_reference(folder: Path) -> None:
    embedder = load_embedder(read_model_folder(folder), dtype="float32")
    ends = np.cumsum([case["tokens"] for case in golden().cases])
    for at in golden().written():
        case = golden().cases[at]
        (window,) = embedder.tokenizer().windows([case["text"]], [case["prompt"]], TooLong.TRUNCATE)
        assert list(window.ids) == golden().arrays["ids"][ends[at] - case["tokens"] : ends[at]].tolist(), case["name"]


@pytest.mark.parametrize(("version", "halved"), [("transformers-5.23.0", False), ("transformers-4.57.1", True)])
def test_a_resaved_folder_is_read_as_transformers_reads_it(
    folder: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture, version: str, halved: bool
) -> None:
    """The files that two versions of transformers wrote of this checkpoint, over its weights. The older one halved the window."""
    copy = shutil.copytree(folder, tmp_path / "copy", ignore=shutil.ignore_patterns(".digests.json"))
    shutil.copytree(GOLDEN / "gemma_resaved" / version, copy, dirs_exist_ok=True)
    places = [at for at, case in enumerate(golden().cases) if case["group"] == "length" and case["text"] is not None]
    embedder = load_embedder(read_model_folder(copy), dtype="float32")
    with caplog.at_level(logging.WARNING):
        cosines = (encode(embedder, places)[0] * golden().arrays["float32"][places]).sum(axis=1)
    short = np.array([golden().cases[at]["tokens"] <= 129 for at in places])
    assert cosines[short].min() >= LEAST["float32"]
    assert bool(cosines[~short].min() < LEAST["float32"]) is halved
    assert ("odd sliding_window" in caplog.text) is halved
