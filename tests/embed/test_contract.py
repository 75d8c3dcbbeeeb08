"""Every sentence of the embedder's contract, on every embedder."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import numpy as np
import pytest

from ai_memory.embed.base import Embedder, Task, Vectors
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.remote import RemoteEmbedder
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError
from tests.support.rest_server import Served, serving
from tests.support.tiny_models import tiny_bert

Make = Callable[[], Embedder]

TEXTS = [
    "the gateway restarts at noon",
    "a",
    "",
    "short and plain",
    "we moved the meeting to friday because the room was taken by the other team again " * 2,
    "кошка спит на подоконнике",
]
HOSTILE = [
    "\x00",
    "a\x00b",
    "\ud800",
    "pair \ud83d\ude00 held as surrogates",
    "\udcff\udcfe bytes",
    " \t\r\n ",
    "שלום עולם ‮backwards‬",
    "👩‍👩‍👧‍👦🏽",
    "\ufeff\u200b\u200d",
    "x" * 5000,
    "é" * 300,
    "[CLS] [SEP] [PAD]",
]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service in another thread, whose embedder is asked over HTTP."""
    place = tmp_path_factory.mktemp("elsewhere")
    with serving(place / "data", model=str(tiny_bert(place / "tiny"))) as running:
        yield running


@pytest.fixture(params=["hashing", "tiny", "remote", pytest.param("minilm", marks=pytest.mark.model)])
def make(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Make:
    if request.param == "hashing":
        return HashingEmbedder
    if request.param == "remote":
        served: Served = request.getfixturevalue("elsewhere")
        return lambda: RemoteEmbedder(served.url)
    folder: ModelFolder = (
        request.getfixturevalue("minilm_folder")
        if request.param == "minilm"
        else read_model_folder(tiny_bert(tmp_path_factory.mktemp("models") / "tiny"))
    )
    return lambda: load_embedder(folder)


@pytest.fixture
def embedder(make: Make) -> Embedder:
    return make()


def assert_unit(vectors: Vectors, count: int, embedder: Embedder) -> None:
    assert vectors.shape == (count, embedder.identity.dimension)
    assert vectors.dtype == np.float32
    assert vectors.flags.c_contiguous
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)


def test_queries_and_documents_give_unit_vectors_in_order(embedder: Embedder) -> None:
    together = embedder.embed_documents(TEXTS)
    assert_unit(together, len(TEXTS), embedder)
    backwards = embedder.embed_documents(TEXTS[::-1])
    np.testing.assert_allclose(backwards[::-1], together, atol=1e-5)
    for task in Task:
        assert_unit(embedder.embed_queries(TEXTS[:2], task), 2, embedder)


def test_no_texts_give_no_rows(embedder: Embedder) -> None:
    assert_unit(embedder.embed_queries([]), 0, embedder)
    assert_unit(embedder.embed_documents([], []), 0, embedder)
    assert embedder.count_tokens([]) == []


def test_the_rest_of_the_batch_makes_no_difference(embedder: Embedder) -> None:
    alone = np.concatenate([embedder.embed_documents([text]) for text in TEXTS])
    np.testing.assert_allclose(embedder.embed_documents(TEXTS), alone, atol=1e-5)
    np.testing.assert_allclose(embedder.embed_documents([*TEXTS, *HOSTILE])[: len(TEXTS)], alone, atol=1e-5)


def test_equal_calls_give_equal_bytes(make: Make) -> None:
    first, second = make(), make()
    assert first.identity == second.identity
    assert first.embed_queries(TEXTS).tobytes() == second.embed_queries(TEXTS).tobytes()


def test_hostile_texts_are_embedded(embedder: Embedder) -> None:
    assert_unit(embedder.embed_documents(HOSTILE), len(HOSTILE), embedder)
    assert all(count >= 2 for count in embedder.count_tokens(HOSTILE))


def test_surrogate_pairs_are_the_character_they_encode(embedder: Embedder) -> None:
    pair, whole = embedder.embed_documents(["ship it \ud83d\ude00", "ship it 😀"])
    np.testing.assert_array_equal(pair, whole)


def test_the_end_of_a_long_text_counts(embedder: Embedder) -> None:
    body = "the old mill stands by the river and turns all day long . " * 60
    plain, marked = embedder.embed_documents([body, body + "green dragons buy seven silver violins ! " * 12])
    assert embedder.count_tokens([body])[0] > embedder.max_tokens
    assert not np.allclose(plain, marked, atol=1e-4)
    assert_unit(np.stack([plain, marked]), 2, embedder)


def test_a_title_counts_and_an_absent_one_does_not(embedder: Embedder) -> None:
    plain = embedder.embed_documents(["it stops at noon"])
    np.testing.assert_allclose(embedder.embed_documents(["it stops at noon"], [None]), plain, atol=1e-6)
    np.testing.assert_allclose(embedder.embed_documents(["it stops at noon"], [""]), plain, atol=1e-6)
    titled = embedder.embed_documents(["it stops at noon"], ["the ferry"])
    assert not np.allclose(titled, plain, atol=1e-4)


def test_wrong_input_is_refused(embedder: Embedder) -> None:
    with pytest.raises(InvalidInputError, match="not one string"):
        embedder.embed_queries("one string")
    with pytest.raises(InvalidInputError, match="must be a string, not int"):
        embedder.embed_documents(["fine", 3])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="2 texts and 1 titles"):
        embedder.embed_documents(["a", "b"], ["only one"])


def test_counts_grow_with_the_text(embedder: Embedder) -> None:
    short, long = embedder.count_tokens(["one two", "one two three four"])
    assert 2 < short < long
    assert embedder.max_tokens > 2


def test_threads_get_their_own_answers(embedder: Embedder) -> None:
    expected = embedder.embed_documents(TEXTS)
    answers: dict[int, Vectors] = {}

    def ask(number: int) -> None:
        texts = TEXTS[number % 3 :]
        answers[number] = embedder.embed_queries(texts) if number % 2 else embedder.embed_documents(texts)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 8
    for number, vectors in answers.items():
        np.testing.assert_allclose(vectors, expected[number % 3 :], atol=1e-5)


@pytest.mark.parametrize("used", [False, True])
def test_a_closed_embedder_says_so(make: Make, used: bool) -> None:
    embedder = make()
    if used:
        embedder.embed_queries(["a"])
    embedder.close()
    embedder.close()
    with pytest.raises(EmbedderUnavailableError, match="closed"):
        embedder.embed_queries(["a"])
    with pytest.raises(EmbedderUnavailableError, match="closed"):
        embedder.count_tokens(["a"])
    assert embedder.identity.dimension > 0


def test_the_hashing_embedder_is_the_same_everywhere() -> None:
    vector = HashingEmbedder().embed_documents(["The gateway restarts at noon"])[0]
    assert vector.argmax() == 32
    assert float(vector.max()) == pytest.approx(0.39056674, abs=1e-6)
    near, far = HashingEmbedder(256).embed_documents(["the gateway restarted", "quiet purple music box"])
    query = HashingEmbedder(256).embed_queries(["gateway restarts"])[0]
    assert float(query @ near) > 0.3 > float(query @ far)
    with pytest.raises(InvalidInputError, match="at least 8"):
        HashingEmbedder(4)
