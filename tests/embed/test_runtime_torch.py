"""The torch runtime against golden vectors, against plain arithmetic, and against sentence-transformers itself, on the CPU."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ai_memory.embed.base import Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import RUNNABLE
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.errors import EmbedderError, EmbedderUnavailableError, InvalidInputError
from tests.support import numpy_bert
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import random_tensors, tiny_bert, write_tensors

torch = pytest.importorskip("torch", reason="torch is not installed (the extra `gpu`)")

from ai_memory.embed.runtimes.torch.attention import plan_attention  # noqa: E402
from ai_memory.embed.runtimes.torch.runtime import MODELS, TorchRuntime  # noqa: E402 (imports torch)

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
DOCUMENT = json.loads((GOLDEN / "gemma.json").read_text(encoding="ascii"))
CASES = DOCUMENT["cases"]
NAMES = [f"{case['group']}: {case['name']}" for case in CASES]
EXACT, ROUGH = 0.999999, 0.9995


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> ModelFolder:
    return read_model_folder(tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m"))


@pytest.fixture(scope="module")
def runtimes(folder: ModelFolder) -> dict[Dtype, TorchRuntime]:
    return {dtype: TorchRuntime(folder, dtype=dtype) for dtype in (Dtype.FLOAT32, Dtype.BFLOAT16)}


@pytest.fixture(scope="module")
def golden() -> dict[str, Vectors]:
    with np.load(GOLDEN / "gemma.npz") as arrays:
        found = dict(arrays)
    found["bfloat16"] = (found["bfloat16"].astype(np.uint32) << 16).view(np.float32)
    return found


@pytest.fixture(scope="module")
def inputs(golden: dict[str, Vectors]) -> list[list[int]]:
    ends = np.cumsum([case["tokens"] for case in CASES])
    return [part.tolist() for part in np.split(golden["ids"], ends[:-1])]


def cosines(a: Vectors, b: Vectors) -> Vectors:
    a, b = a.astype(np.float64), b.astype(np.float64)
    found: Vectors = (a * b).sum(axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return found


def worst(a: Vectors, b: Vectors) -> tuple[float, str]:
    """The smallest cosine of two rows, and the case it is of."""
    found = cosines(a, b)
    return float(found.min()), NAMES[int(found.argmin())]


@pytest.mark.parametrize(("dtype", "least"), [(Dtype.FLOAT32, EXACT), (Dtype.BFLOAT16, ROUGH)])
def test_one_pass_of_all_lengths_equals_the_reference(
    runtimes: dict[Dtype, TorchRuntime],
    inputs: list[list[int]],
    golden: dict[str, Vectors],
    dtype: Dtype,
    least: float,
) -> None:
    """1 to 2,048 tokens packed into one pass, in addition to the cases of test_gemma_golden.py."""
    together = runtimes[dtype].forward(inputs)
    assert worst(together, golden["float32"]) >= (least, "")
    assert worst(together, golden[dtype]) >= (least, "")
    np.testing.assert_allclose(np.linalg.norm(together, axis=1), 1.0, atol=1e-6)


def test_the_rest_of_the_batch_makes_no_difference(
    runtimes: dict[Dtype, TorchRuntime], inputs: list[list[int]]
) -> None:
    chosen = [ids for ids in inputs if len(ids) <= 600]
    alone = np.concatenate([runtimes[Dtype.FLOAT32].forward([ids]) for ids in chosen])
    np.testing.assert_allclose(runtimes[Dtype.FLOAT32].forward(chosen), alone, atol=1e-5)


def test_folders_saved_again_are_run_as_transformers_runs_them(tmp_path: Path, golden: dict[str, Vectors]) -> None:
    rows = [row for row, case in enumerate(CASES) if case["name"] in DOCUMENT["resaved"]["cases"]]
    ends = np.cumsum([case["tokens"] for case in CASES])
    parts = np.split(golden["ids"], ends[:-1])
    for version in DOCUMENT["resaved"]["windows"]:
        path = tiny_gemma(tmp_path / version)
        for file in (GOLDEN / "gemma_resaved" / version).rglob("*.json"):
            (path / file.relative_to(GOLDEN / "gemma_resaved" / version)).write_bytes(file.read_bytes())
        found = TorchRuntime(read_model_folder(path), dtype=Dtype.FLOAT32).forward(
            [parts[row].tolist() for row in rows]
        )
        assert cosines(found, golden[version]).min() >= EXACT, version


@pytest.mark.parametrize("dtype", [Dtype.FLOAT32, Dtype.BFLOAT16])
def test_equals_live_sentence_transformers(
    folder: ModelFolder, runtimes: dict[Dtype, TorchRuntime], inputs: list[list[int]], dtype: Dtype
) -> None:
    reference = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed")
    model = reference.SentenceTransformer(
        str(folder.path), device="cpu", model_kwargs={"dtype": str(dtype)}, local_files_only=True
    )
    rows = [row for row, case in enumerate(CASES) if case["text"] is not None and case["tokens"] <= 600]
    expected = model.encode([CASES[row]["prompt"] + CASES[row]["text"] for row in rows], convert_to_tensor=True)
    found = runtimes[dtype].forward([inputs[row] for row in rows])
    assert cosines(found, expected.float().numpy()).min() >= (EXACT if dtype is Dtype.FLOAT32 else ROUGH)


def test_bert_equals_numpy_alone_and_together(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    inputs = [rng.integers(0, 160, length).tolist() for length in (1, 2, 3, 7, 16, 31, 32, 64)]
    expected = np.stack([numpy_bert.embed(ids, random_tensors(), 2, 4) for ids in inputs])
    runtime = TorchRuntime(read_model_folder(tiny_bert(tmp_path / "tiny")), dtype=Dtype.FLOAT32)
    np.testing.assert_allclose(runtime.forward(inputs), expected, atol=1e-5)
    np.testing.assert_allclose(np.concatenate([runtime.forward([ids]) for ids in inputs]), expected, atol=1e-5)


@pytest.mark.model
def test_minilm_equals_the_recorded_vectors(minilm_folder: ModelFolder) -> None:
    golden = json.loads((GOLDEN / "minilm.json").read_text(encoding="ascii"))
    embedder = load_embedder(minilm_folder, runtime="torch", device="cpu", dtype="float32")
    found = embedder.embed_documents(golden["texts"])
    assert cosines(found, np.load(GOLDEN / "minilm.npy")).min() >= EXACT
    embedder.close()


@pytest.mark.parametrize("reach", [None, 0, 1, 5, 128, 256])
@pytest.mark.parametrize("lengths", [[1], [300, 1, 2, 70], [5, 5, 5], [257, 513, 258, 31], [700]])
def test_attention_sees_what_it_should_and_nothing_else(lengths: list[int], reach: int | None) -> None:
    total, heads, width = sum(lengths), 3, 8
    rng = np.random.default_rng(total)
    query = rng.standard_normal((total, heads, width)).astype(np.float32)
    key, value = rng.standard_normal((2, total, 1, width)).astype(np.float32)
    plan = plan_attention(lengths, reach, "cpu")
    q, k, v = (torch.from_numpy(each) for each in (query, key, value))
    found = plan.attend(q, k, v, 0.7).numpy()
    owner, place = np.repeat(np.arange(len(lengths)), lengths), np.arange(total)
    seen = owner[:, None] == owner
    if reach is not None:
        seen &= np.abs(place[:, None] - place) <= reach
    scores = np.where(seen, np.einsum("qhd,kd->hqk", query, key[:, 0], dtype=np.float64) * 0.7, -np.inf)
    shares = np.exp(scores - scores.max(axis=2, keepdims=True))
    expected = np.einsum("hqk,kd->qhd", shares / shares.sum(axis=2, keepdims=True), value[:, 0])
    np.testing.assert_allclose(found, expected.reshape(total, -1), atol=1e-5)


def test_every_runnable_architecture_has_a_model() -> None:
    assert set(MODELS) == RUNNABLE


def test_int8_and_a_missing_device_are_refused(folder: ModelFolder) -> None:
    with pytest.raises(InvalidInputError, match="no int8"):
        TorchRuntime(folder, dtype=Dtype.INT8)
    if not torch.cuda.is_available():
        with pytest.raises(EmbedderUnavailableError, match="no CUDA device"):
            TorchRuntime(folder, dtype=Dtype.BFLOAT16, device="cuda")


def test_a_pass_that_fails_says_so_and_the_next_one_runs(folder: ModelFolder) -> None:
    runtime = TorchRuntime(folder, dtype=Dtype.FLOAT32)
    with pytest.raises(EmbedderError, match="forward pass failed"):
        runtime.forward([[2, 10**6, 1]])
    assert runtime.forward([[2, 300, 1]]).shape == (1, 768)
    runtime.close()


def test_weights_that_are_not_numbers_are_noticed(tmp_path: Path) -> None:
    path = tiny_bert(tmp_path / "tiny")
    tensors = random_tensors()
    tensors["encoder.layer.1.output.dense.bias"][3] = np.nan
    write_tensors(path, tensors)
    with pytest.raises(EmbedderError, match="values that are not finite"):
        TorchRuntime(read_model_folder(path), dtype=Dtype.FLOAT32).forward([[2, 5, 3]])


def test_the_threads_are_set(folder: ModelFolder) -> None:
    before = torch.get_num_threads()
    try:
        TorchRuntime(folder, dtype=Dtype.FLOAT32, threads=1)
        assert torch.get_num_threads() == 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.gpu
def test_cuda_equals_the_golden_vectors(
    folder: ModelFolder, inputs: list[list[int]], golden: dict[str, Vectors]
) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    for dtype, limit in ((Dtype.FLOAT32, EXACT), (Dtype.BFLOAT16, ROUGH)):
        runtime = TorchRuntime(folder, dtype=dtype, device="cuda")
        alone = np.concatenate([runtime.forward([ids]) for ids in inputs])
        assert worst(alone, golden["float32"]) >= (limit, "")
        assert worst(runtime.forward(inputs), golden["float32"]) >= (limit, "")
        runtime.close()
