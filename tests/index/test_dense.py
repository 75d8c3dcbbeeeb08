import numpy as np
import pytest
from numpy.typing import NDArray

from ai_memory.errors import EmbedderMismatchError, InvalidInputError
from ai_memory.index import dense
from ai_memory.index.dense import ExactDenseIndex, quantise, rescore

Vectors = NDArray[np.float32]


def unit(rng: np.random.Generator, n: int, dimension: int) -> Vectors:
    vectors = rng.standard_normal((n, dimension), dtype=np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors


@pytest.mark.parametrize("dimension", [1, 3, 64, 384, 768, 1000])
def test_the_integer_product_is_exact(dimension: int) -> None:
    rng = np.random.default_rng(dimension)
    codes = rng.integers(-127, 128, (5_000, dimension), dtype=np.int8)
    codes[0], codes[1] = 127, -127
    query = np.full((1, dimension), 127, np.int8)
    for asked in (query, codes[7:8]):
        expected = codes.astype(np.int64) @ asked[0].astype(np.int64)
        np.testing.assert_array_equal(dense._dot(asked, codes), expected)
        np.testing.assert_array_equal(dense._dot_numpy(asked, codes), expected)


def test_it_works_without_simsimd_and_gives_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(3)
    index = ExactDenseIndex(48)
    index.add(range(30_000), unit(rng, 30_000, 48))
    query = unit(rng, 1, 48)[0]
    with_simsimd = index.scores(query, 30_000)
    monkeypatch.setattr(dense, "simsimd", None)
    np.testing.assert_array_equal(index.scores(query, 30_000), with_simsimd)


@pytest.mark.parametrize("seed", range(8))
def test_the_best_are_among_twice_as_many_candidates(seed: int) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng, 4_000, 384)
    index = ExactDenseIndex(384)
    index.add(range(len(vectors)), vectors)
    query = unit(rng, 1, 384)[0]
    approximate = index.scores(query, len(vectors))
    exact = rescore(query, vectors)
    assert np.abs(approximate - exact).max() < 0.01
    for k in (10, 50):
        candidates = np.argsort(-approximate)[: 2 * k]
        assert set(np.argsort(-exact)[:k].tolist()) <= set(candidates.tolist())


def test_rows_without_a_vector_score_nan() -> None:
    rng = np.random.default_rng(0)
    vectors = unit(rng, 2, 8)
    index = ExactDenseIndex(8)
    assert np.isnan(index.scores(vectors[0], 3)).all()
    index.add([4, 1], vectors)
    scores = index.scores(vectors[0], 7)
    assert scores.dtype == np.float32
    assert np.flatnonzero(~np.isnan(scores)).tolist() == [1, 4]
    assert scores[4] == pytest.approx(1.0, abs=0.02)
    assert index.present(7).tolist() == [False, True, False, False, True, False, False]
    assert index.scores(vectors[0], 0).shape == (0,)


def test_rows_far_apart_fill_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dense, "BLOCK_ROWS", 64)
    monkeypatch.setattr(dense, "_FIRST_ROWS", 4)
    rng = np.random.default_rng(1)
    vectors = unit(rng, 200, 16)
    index, ordered = ExactDenseIndex(16), ExactDenseIndex(16)
    order = rng.permutation(200)
    for at in range(0, 200, 9):
        index.add(order[at : at + 9].tolist(), vectors[order[at : at + 9]])
    ordered.add(range(200), vectors)
    np.testing.assert_array_equal(index.scores(vectors[3], 200), ordered.scores(vectors[3], 200))
    assert [len(block.codes) for block in index.blocks()] == [64, 64, 64, 8]


def test_a_view_outlives_growth() -> None:
    rng = np.random.default_rng(1)
    vectors = unit(rng, 3_000, 8)
    index = ExactDenseIndex(8)
    index.add([0], vectors[:1])
    view = index.view()
    index.add(range(3_000), vectors)
    assert np.isfinite(view.scores(vectors[0], 1)).all()
    assert np.isfinite(index.scores(vectors[0], 3_000)).all()


def test_erased_vectors_are_gone() -> None:
    rng = np.random.default_rng(2)
    index = ExactDenseIndex(8)
    index.add(range(3), unit(rng, 3, 8))
    index.remove([1, 99_999])
    assert index.present(3).tolist() == [True, False, True]
    assert not index.blocks()[0].codes[1].any()


def test_a_later_vector_replaces_the_earlier() -> None:
    rng = np.random.default_rng(2)
    vectors = unit(rng, 2, 8)
    index = ExactDenseIndex(8)
    index.add([0], vectors[:1])
    index.add([0], vectors[1:])
    assert index.scores(vectors[1], 1)[0] == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize(
    ("vectors", "error", "message"),
    [
        (np.ones((1, 9)), EmbedderMismatchError, "dimension 8"),
        (np.ones(8), EmbedderMismatchError, "dimension 8"),
        (np.array([[1.0] * 7 + [np.nan]]), InvalidInputError, "vector 0 holds NaN"),
        (np.array([[1.0] * 8, [np.inf] * 8]), InvalidInputError, "vector 1 holds NaN or infinity"),
        (np.zeros((1, 8)), InvalidInputError, "vector 0 is zero"),
        (np.full((1, 8), 1e-42), InvalidInputError, "vector 0 is zero"),
        (np.ones((2, 8)), InvalidInputError, "2 vectors were given for 1 rows"),
    ],
)
def test_what_cannot_be_compared_is_refused(vectors: Vectors, error: type[Exception], message: str) -> None:
    index = ExactDenseIndex(8)
    with pytest.raises(error, match=message):
        index.add([0], vectors.astype(np.float32))
    assert index.blocks() == ()


@pytest.mark.parametrize("query", [np.ones(9), np.zeros(8), np.full(8, np.nan)])
def test_a_query_that_cannot_be_compared_is_refused(query: Vectors) -> None:
    index = ExactDenseIndex(8)
    with pytest.raises((EmbedderMismatchError, InvalidInputError)):
        index.scores(query.astype(np.float32), 1)


def test_rescoring_does_not_depend_on_company() -> None:
    rng = np.random.default_rng(5)
    vectors = rng.standard_normal((257, 384), dtype=np.float32)
    query = rng.standard_normal(384, dtype=np.float32)
    together = rescore(query, vectors)
    alone = np.concatenate([rescore(query, vectors[at : at + 1]) for at in range(len(vectors))])
    np.testing.assert_array_equal(together, alone)
    expected = vectors @ query / (np.linalg.norm(vectors, axis=1) * np.linalg.norm(query))
    np.testing.assert_allclose(together, expected, atol=1e-6)
    assert rescore(query, vectors[:0]).shape == (0,)


def test_quantising_keeps_the_direction() -> None:
    vectors = unit(np.random.default_rng(6), 100, 384)
    codes, scales = quantise(vectors)
    assert np.abs(codes).max(axis=1).tolist() == [127] * 100
    restored = codes * scales[:, None]
    assert (restored * vectors).sum(axis=1).min() > 0.999
