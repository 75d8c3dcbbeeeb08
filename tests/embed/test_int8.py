"""Products of 8 bits: what each form computes, and how close EmbeddingGemma stays to float32 in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes import processor
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.embed.runtimes.openvino import int8, operations, runtime
from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.embed.runtimes.openvino.int8 import Product, linear_int8, paired_product, restored_product, with_outliers
from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime
from tests.support.tiny_gemma import Sizes, random_gemma

ov, ops = import_openvino()
OUTLIERS = Sizes(width=128, inner=192)
LENGTHS = (1, 2, 3, 8, 32, 258, 600)
Floats = NDArray[np.float32]


def quantising_product(x: operations.Node, weight: Floats) -> operations.Node:
    """Quantises rows of inputs as a processor with VNNI does, but in the graph, so that any processor can run it."""
    step = ops.divide(ops.reduce_max(ops.abs(x), np.array([-1]), True), np.float32(127.0))
    rows = ops.multiply(ops.round(ops.divide(x, ops.add(step, np.float32(1e-20))), "half_to_even"), step)
    return restored_product(rows, weight)


def multiplied(product: Product, x: Floats, weight: Floats) -> Floats:
    tokens = ops.parameter([-1, x.shape[1]], np.float32, name="x")
    model = ov.Model([product(tokens, weight)], [tokens], "product")
    compiled = ov.Core().compile_model(model, "CPU", runtime.properties_of(Dtype.FLOAT32, 0))
    found: Floats = compiled.create_infer_request().infer({"x": x})[0]
    return found


def expected(x: Floats, weight: Floats) -> Floats:
    """`paired_product` in integer arithmetic."""
    pairs = np.add.reduceat(np.abs(weight), np.arange(0, weight.shape[1], 2), axis=1)
    scale = np.maximum(pairs.max(axis=1) / 128, np.abs(weight).max(axis=1) / 127).astype(np.float32)
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    whole = np.rint(x / step).astype(np.int64) @ np.rint(weight / scale[:, None]).astype(np.int64).T
    found: Floats = (whole * scale * step).astype(np.float32)
    return found


@pytest.mark.parametrize(("tokens", "values", "outputs"), [(1, 64, 32), (3, 768, 96), (33, 63, 40), (70, 1152, 768)])
def test_the_paired_product_is_exact_integer_arithmetic(tokens: int, values: int, outputs: int) -> None:
    rng = np.random.default_rng([tokens, values])
    x = rng.normal(size=(tokens, values)).astype(np.float32)
    weight = (rng.normal(size=(outputs, values)) * rng.uniform(0.01, 3, (outputs, 1))).astype(np.float32)
    exact, found = expected(x, weight), multiplied(paired_product, x, weight)
    # An input halfway between two integers may go either way; rounding itself costs 1e-2.
    assert np.linalg.norm(found - exact) <= 1e-3 * np.linalg.norm(exact)


@pytest.mark.parametrize("sign", [1.0, -1.0])
@pytest.mark.parametrize(
    "weights", [(1.0, 1.0), (-1.0, -1.0), (1.0, 0.0), (0.0, -1.0), (0.5077, 0.5077), (-0.4961, -0.5039)]
)
def test_no_two_neighbours_overflow(weights: tuple[float, float], sign: float) -> None:
    """Every input at its largest, every pair of weights at the bound: a larger sum would saturate at 16 bits."""
    x = np.full((5, 64), sign, np.float32)
    weight = np.tile(np.array(weights, np.float32), (32, 32))
    assert multiplied(paired_product, x, weight) == pytest.approx(expected(x, weight), rel=1e-5)


@pytest.mark.parametrize("product", [paired_product, restored_product])
def test_rows_of_zeros_give_zeros(product: Product) -> None:
    rng = np.random.default_rng(0)
    x, weight = np.zeros((3, 64), np.float32), rng.normal(size=(32, 64)).astype(np.float32)
    assert np.abs(multiplied(product, x, weight)).max() < 1e-30
    assert not multiplied(product, x + 1, weight * 0).any()


@pytest.mark.parametrize("product", [paired_product, restored_product])
def test_a_nan_weight_gives_nan(product: Product) -> None:
    """If it were rounded away, the vectors would look sound; NaN is refused by the runtime."""
    rng = np.random.default_rng(0)
    x, weight = np.ones((3, 64), np.float32), rng.normal(size=(32, 64)).astype(np.float32)
    weight[5, 7] = np.nan
    assert np.flatnonzero(~np.isfinite(multiplied(product, x, weight)).all(axis=0)).tolist() == [5]


@pytest.mark.parametrize(
    ("flags", "product"),
    [
        ({"avx2", "fma"}, paired_product),
        ({"avx2", "avx512_vnni"}, restored_product),
        ({"avx2", "avx_vnni"}, restored_product),
        ({"asimd"}, restored_product),
    ],
)
def test_the_form_is_the_processor_s(monkeypatch: pytest.MonkeyPatch, flags: set[str], product: Product) -> None:
    chosen: list[Product] = []
    monkeypatch.setattr(processor, "_flags", lambda: frozenset(flags))
    monkeypatch.setattr(int8, "with_outliers", chosen.append)
    linear_int8()
    assert chosen == [product]


@pytest.mark.parametrize(
    ("product", "outliers", "least"),
    [
        (restored_product, 0, 0.995),
        (restored_product, 4, 0.995),
        (paired_product, 0, 0.995),
        (paired_product, 4, 0.99),
        (quantising_product, 0, 0.995),
        (quantising_product, 4, 0.99),
    ],
)
def test_vectors_stay_close(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: Product, outliers: int, least: float
) -> None:
    """Weights with a few channels 20 to 100 times as large as the others are like real ones."""
    folder = random_gemma(tmp_path / "outliers", OUTLIERS, outliers=outliers)
    assert cosines(folder, product, monkeypatch).min() >= least


@pytest.mark.parametrize("product", [paired_product, restored_product])
def test_outliers_multiplied_with_the_rest_would_spoil_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, product: Product
) -> None:
    folder = random_gemma(tmp_path / "outliers", OUTLIERS, outliers=4)
    monkeypatch.setattr(int8, "outlier_columns", lambda weight, sizes: np.empty(0, np.int64))
    assert cosines(folder, product, monkeypatch).min() < 0.95


def cosines(folder: Path, product: Product, monkeypatch: pytest.MonkeyPatch) -> Floats:
    inputs = [tokens(length) for length in LENGTHS]
    read = read_model_folder(folder)
    monkeypatch.setattr(runtime, "linear_int8", lambda: with_outliers(product))
    if product is not restored_product:  # the others are for processors without VNNI, which have no bfloat16 either
        monkeypatch.setattr(runtime, "has_int8_products", lambda: False)
        monkeypatch.setitem(runtime.PRECISION, Dtype.BFLOAT16, "f32")
    eight, full = (OpenVinoRuntime(read, dtype=dtype).forward(inputs) for dtype in (Dtype.INT8, Dtype.FLOAT32))
    found: Floats = (eight * full).sum(axis=1)
    return found


def tokens(length: int) -> list[int]:
    inner = np.random.default_rng(length).integers(10, 1500, max(0, length - 2)).tolist()
    return [2, *inner, 1][:length]
