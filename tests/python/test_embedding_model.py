"""`EmbeddingModel`: the engine without a store."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ai_memory import EmbeddingModel, Encoded, Task, VectorCache
from ai_memory.errors import (
    EmbedderUnavailableError,
    InvalidInputError,
    ModelFilesError,
    TooLargeError,
)
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

TEXTS = ["the gateway restarts at noon", "кошка спит", "a", ""]


@pytest.fixture(scope="module")
def gemma_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")


@pytest.fixture(scope="module")
def gemma(gemma_folder: Path) -> Iterator[EmbeddingModel]:
    with EmbeddingModel(gemma_folder, dtype="float32") as model:
        yield model


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No model of this machine is found by chance."""
    for name in ("EMBEDDINGGEMMA_MODEL_PATH", "HF_HUB_CACHE", "AI_MEMORY_MODEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)


def test_queries_documents_and_plain_texts_have_their_own_prompts(gemma: EmbeddingModel) -> None:
    query, document, plain = gemma.embed_queries(TEXTS), gemma.embed_documents(TEXTS), gemma.embed(TEXTS)
    for vectors in (query, document, plain):
        assert vectors.shape == (4, 768)
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    written = gemma.embed([f"task: search result | query: {text}" for text in TEXTS])
    np.testing.assert_allclose(query, written, atol=1e-5)
    np.testing.assert_allclose(document, gemma.embed([f"title: none | text: {text}" for text in TEXTS]), atol=1e-5)
    assert not np.allclose(query, document, atol=1e-2)
    assert not np.allclose(query, plain, atol=1e-2)
    np.testing.assert_allclose(gemma.embed_query(TEXTS[0]), query[0], atol=1e-5)


@pytest.mark.parametrize(("task", "prompt"), [(Task.CLUSTERING, "clustering"), ("similarity", "sentence similarity")])
def test_a_task_chooses_the_prompt(gemma: EmbeddingModel, task: Task | str, prompt: str) -> None:
    expected = gemma.embed([f"task: {prompt} | query: {TEXTS[0]}"])[0]
    np.testing.assert_allclose(gemma.embed_query(TEXTS[0], task=task), expected, atol=1e-5)


def test_the_default_task_is_the_callers(gemma_folder: Path, gemma: EmbeddingModel) -> None:
    with EmbeddingModel(gemma_folder, dtype="float32", default_task="clustering") as model:
        np.testing.assert_allclose(model.embed_query("a"), gemma.embed_query("a", task="clustering"), atol=1e-6)
        np.testing.assert_allclose(model.embed_query("a", task="none"), gemma.embed(["a"])[0], atol=1e-5)
    with pytest.raises(InvalidInputError, match="there is no task 'searching'; there are retrieval"):
        EmbeddingModel(gemma_folder, default_task="searching")


def test_a_title_goes_into_the_prompt(gemma: EmbeddingModel) -> None:
    titled = gemma.embed_documents(["it stops at noon", "b"], titles=["Ferry", None])
    expected = gemma.embed(["title: Ferry | text: it stops at noon", "title: none | text: b"])
    np.testing.assert_allclose(titled, expected, atol=1e-5)


@pytest.mark.parametrize("dimension", [512, 256, 128])
def test_smaller_dimensions_are_cut_and_of_length_one(
    gemma_folder: Path, gemma: EmbeddingModel, dimension: int
) -> None:
    with EmbeddingModel(gemma_folder, dtype="float32", dimension=dimension) as model:
        vectors = model.embed_documents(TEXTS)
        assert vectors.shape == (4, dimension)
        assert model.dimension == model.identity.dimension == model.info.dimension == dimension
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    part = gemma.embed_documents(TEXTS)[:, :dimension]
    np.testing.assert_allclose(vectors, part / np.linalg.norm(part, axis=1, keepdims=True), atol=1e-5)


@pytest.mark.parametrize("dimension", [0, -1, 1, 384, 767, 769, True])
def test_other_dimensions_are_refused_with_those_that_work(gemma_folder: Path, dimension: int) -> None:
    with pytest.raises(InvalidInputError, match="its dimensions are 768, 512, 256, 128"):
        EmbeddingModel(gemma_folder, dimension=dimension)


def test_dimensions_can_be_asked_for(gemma: EmbeddingModel) -> None:
    assert gemma.supported_dimensions() == (768, 512, 256, 128)
    assert [each for each in (0, 1, 128, 256, 384, 512, 768, 1024) if gemma.is_dimension_supported(each)] == [
        128,
        256,
        512,
        768,
    ]
    assert not gemma.is_dimension_supported(True)


def test_a_text_that_is_too_long_is_an_error_unless_asked_otherwise(gemma: EmbeddingModel) -> None:
    long = "word " * 2000 + "кошка 7 noon! " * 500
    count = gemma.count_tokens([long], input_type="query")[0]
    assert count > gemma.max_tokens == 2048
    for embed in (gemma.embed_queries, gemma.embed_documents, gemma.embed):
        with pytest.raises(
            TooLargeError, match=r"text 1 has \d+ tokens with its prompt; the model reads 2048"
        ) as caught:
            embed(["short", long])
        assert caught.value.details["index"] == 1
    cut = gemma.encode_queries(["short", long], too_long="truncate")
    assert cut.tokens[1] == 2048
    assert cut.cut == (0, count - 2048)
    whole = gemma.encode_queries(["short", long], too_long="windows")
    assert whole.cut == (0, 0)
    assert whole.tokens[1] >= count
    assert not np.allclose(cut.vectors[1], whole.vectors[1], atol=1e-3)
    np.testing.assert_allclose(cut.vectors[0], whole.vectors[0], atol=1e-5)
    with pytest.raises(InvalidInputError, match="there are error, truncate, windows"):
        gemma.embed(["a"], too_long="cut")


def test_the_limit_counts_the_prompt(gemma: EmbeddingModel) -> None:
    bare = gemma.count_tokens([""])[0]
    fits = "x" * (2048 - bare)
    fits = next(fits[:size] for size in range(len(fits), 0, -1) if gemma.count_tokens([fits[:size]])[0] == 2048)
    assert gemma.encode([fits]).tokens == (2048,)
    with pytest.raises(TooLargeError):
        gemma.embed_queries([fits])


def test_similarity_is_a_matrix_of_cosines(gemma: EmbeddingModel) -> None:
    a, b = gemma.embed_queries(TEXTS[:3]), gemma.embed_documents(TEXTS[:2])
    matrix = gemma.similarity(a, b)
    assert matrix.shape == (3, 2)
    assert matrix.dtype == np.float32
    np.testing.assert_allclose(matrix, a @ b.T, atol=1e-6)
    assert gemma.similarity(a[0], b[0]).shape == (1, 1)
    assert gemma.similarity(a[0] * 7, a).max() <= 1.0
    np.testing.assert_allclose(gemma.similarity([[3.0, 4.0]], [[4.0, 3.0], [-3.0, -4.0]]), [[0.96, -1.0]], atol=1e-6)
    assert gemma.similarity(np.empty((0, 8)), np.ones((2, 8))).shape == (0, 2)


@pytest.mark.parametrize(
    ("a", "b", "said"),
    [
        ([[1.0, 2.0]], [[1.0, 2.0, 3.0]], "of 2 and of 3 values"),
        ([[0.0, 0.0]], [[1.0, 2.0]], "a row of zeros"),
        ([[float("nan"), 0.0]], [[1.0, 2.0]], "not finite"),
        (np.ones((2, 2, 2)), [[1.0, 2.0]], "3 axes"),
        (["a"], [[1.0, 2.0]], "not an array of numbers"),
    ],
)
def test_what_cannot_be_compared_is_refused(gemma: EmbeddingModel, a: object, b: object, said: str) -> None:
    with pytest.raises(InvalidInputError, match=said):
        gemma.similarity(a, b)  # type: ignore[arg-type]


def test_tokens_can_be_seen_and_counted(gemma: EmbeddingModel) -> None:
    pieces = gemma.tokenize("noon at nine")
    assert [piece.special for piece in pieces][0 :: len(pieces) - 1] == [True, True]
    assert gemma.count_tokens(["noon at nine"]) == [len(pieces)]
    text, query, document = (
        gemma.count_tokens(["noon"], input_type="text")[0],
        gemma.count_tokens(["noon"], input_type="query", task="fact_checking")[0],
        gemma.count_tokens(["noon"], input_type="document")[0],
    )
    assert gemma.encode_queries(["noon"], task="fact_checking").tokens == (query,)
    assert gemma.encode_documents(["noon"]).tokens == (document,)
    assert text < document < query
    with pytest.raises(InvalidInputError, match="no input type 'left'"):
        gemma.count_tokens(["a"], input_type="left")  # type: ignore[arg-type]


def test_the_info_says_what_is_run(gemma: EmbeddingModel, gemma_folder: Path) -> None:
    info = gemma.info
    assert (info.name, info.folder, info.max_tokens, info.licence) == (
        "embeddinggemma-300m",
        gemma_folder,
        2048,
        "Gemma Terms of Use",
    )
    assert (info.runtime, info.device, info.dtype) == ("openvino", "cpu", "float32")
    assert info.dimensions == (768, 512, 256, 128)
    assert info.revision == gemma.identity.revision
    assert info.prompts["question_answering"] == "task: question answering | query: "
    assert info.prompts["document"] == "title: none | text: "
    assert info.prompts["none"] == ""


def test_nothing_gives_no_rows(gemma: EmbeddingModel) -> None:
    assert gemma.embed_queries([]).shape == gemma.embed_documents([]).shape == gemma.embed([]).shape == (0, 768)
    assert gemma.encode([]).tokens == ()
    assert gemma.count_tokens([]) == []


def test_hostile_texts_and_titles_are_embedded(gemma: EmbeddingModel) -> None:
    hostile = ["\x00", "\ud800", "\ud83d\ude00", "\u202eשלום", "👩‍👩‍👧‍👦", " \t\r\n ", "<bos><eos>"]
    assert np.isfinite(gemma.embed_documents(hostile, titles=hostile)).all()
    with pytest.raises(InvalidInputError, match="must be a string, not int"):
        gemma.embed_documents(["a"], titles=[3])  # type: ignore[list-item]
    with pytest.raises(InvalidInputError, match="1 texts and 2 titles"):
        gemma.embed_documents(["a"], titles=["b", "c"])


@pytest.mark.parametrize("texts", ["one string", [3], [None], [b"bytes"], [["nested"]]])
def test_anything_but_a_list_of_texts_is_refused(gemma: EmbeddingModel, texts: list[str]) -> None:
    for embed in (gemma.embed_queries, gemma.embed_documents, gemma.embed):
        with pytest.raises(InvalidInputError, match="text"):
            embed(texts)
    with pytest.raises(InvalidInputError, match="the text must be a string"):
        gemma.embed_query(["a list"])  # type: ignore[arg-type]


def test_the_weights_are_not_loaded_before_they_are_needed(gemma_folder: Path) -> None:
    code = f"""
import sys
from ai_memory import EmbeddingModel
model = EmbeddingModel({str(gemma_folder)!r}, dimension=256)
model.info, model.identity, model.supported_dimensions(), model.similarity([1, 2], [2, 1])
print([name for name in ("openvino", "tokenizers", "safetensors", "torch", "huggingface_hub") if name in sys.modules])
model.count_tokens(["a"])
print([name for name in ("openvino", "tokenizers", "safetensors") if name in sys.modules])
print(model.embed(["a"]).shape)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.splitlines() == ["[]", "['tokenizers']", "(1, 256)"]


def test_a_missing_model_is_reported_with_the_searched_folders(tmp_path: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match="no model 'auto'") as caught:
        EmbeddingModel()
    looked_at = caught.value.details["looked_at"]
    assert str(tmp_path / "data" / "models" / "embeddinggemma-300m") in looked_at
    assert str(tmp_path / "models" / "all-MiniLM-L6-v2") in looked_at
    assert str(tmp_path / "hf" / "hub" / "models--google--embeddinggemma-300m") in looked_at
    assert "model fetch" in str(caught.value.hint)
    with pytest.raises(ModelFilesError, match="no model folder"):
        EmbeddingModel(tmp_path / "gone")
    with pytest.raises(InvalidInputError, match="'none', which is not an embedding model"):
        EmbeddingModel("none")
    with pytest.raises(InvalidInputError, match="threads"):
        EmbeddingModel(threads=-1)


def test_the_settings_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_bert(tmp_path / "data" / "models" / "all-MiniLM-L6-v2")
    own = tiny_bert(tmp_path / "own")
    assert EmbeddingModel().info.name == "all-MiniLM-L6-v2"
    assert EmbeddingModel("minilm").info.dimensions == (16,)
    monkeypatch.setenv("AI_MEMORY_MODEL", str(own))
    assert EmbeddingModel().info.name == "own"
    assert EmbeddingModel().info.licence == ""


def test_a_closed_model_says_so(gemma_folder: Path) -> None:
    with EmbeddingModel(gemma_folder) as model:
        pass
    model.close()
    with pytest.raises(EmbedderUnavailableError, match="closed"):
        model.embed(["a"])
    assert model.info.dimension == 768


def test_threads_get_their_own_answers(gemma: EmbeddingModel) -> None:
    expected = gemma.embed_documents(TEXTS)
    answers: dict[int, Encoded] = {}

    def ask(number: int) -> None:
        answers[number] = gemma.encode_documents(TEXTS[number % 3 :])

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 9
    for number, answer in answers.items():
        np.testing.assert_allclose(answer.vectors, expected[number % 3 :], atol=1e-5)


def test_a_cache_may_be_a_file_or_the_callers(gemma_folder: Path, gemma: EmbeddingModel, tmp_path: Path) -> None:
    shared = VectorCache()
    for dimension in (768, 256):
        with EmbeddingModel(gemma_folder, dtype="float32", dimension=dimension, cache=shared) as model:
            np.testing.assert_allclose(model.embed_queries(TEXTS)[:, 0] > 0, gemma.embed_queries(TEXTS)[:, 0] > 0)
            assert model.embed_queries(TEXTS).shape == (4, dimension)
    assert len(shared) == 4, "one entry serves every dimension, and the caller's cache is still open"
    with EmbeddingModel(gemma_folder, dtype="float32", cache=tmp_path / "mine.db") as model:
        model.embed_documents(TEXTS)
    assert (tmp_path / "mine.db").is_file()


def test_a_cache_in_the_data_folder_serves_the_next_process(gemma_folder: Path, tmp_path: Path) -> None:
    with EmbeddingModel(gemma_folder, dtype="float32", cache=True) as model:
        first = model.embed_documents(TEXTS)
    assert (tmp_path / "data" / "cache" / "vectors.db").is_file()
    code = f"""
import sys
from ai_memory import EmbeddingModel
with EmbeddingModel({str(gemma_folder)!r}, dtype="float32", cache=True) as model:
    sys.stdout.buffer.write(model.embed_documents({TEXTS!r}).tobytes())
    print("openvino" in sys.modules, file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, timeout=60, check=True, env=os.environ.copy()
    )
    assert done.stdout == first.tobytes()
    assert done.stderr == b"False\n"
