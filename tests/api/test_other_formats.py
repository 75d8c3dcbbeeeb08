"""The embedder in the formats of Ollama, Cohere and Jina: raw requests as their clients send them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import pytest

from ai_memory.api.embeddings.rerank import TEXTS_AT_ONCE
from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.recall.evidence.token_rerank import max_similarity
from tests.support.rest_server import Served, ask, serving
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

GEMMA, BERT = "embeddinggemma-300m", "all-MiniLM-L6-v2"
TEXTS = ["the gate opens at noon", "кошка спит", "", "a cat"]


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a model that has prompts and gives no vectors of tokens."""
    place = tmp_path_factory.mktemp("gemma")
    with serving(place / "data", model=str(tiny_gemma(place / GEMMA)), dtype="float32") as running:
        yield running


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bert(tmp_path_factory.mktemp("models") / BERT)


@pytest.fixture(scope="module")
def bert(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    """A server with a model that gives a vector of each token."""
    with serving(tmp_path_factory.mktemp("bert"), model=str(model)) as running:
        yield running


def post(served: Served, path: str, **fields: Any) -> Any:
    got = ask(served, "POST", path, fields)
    assert got.status == 200, got.body
    return got.json


# Ollama


@pytest.mark.parametrize("name", ["embeddinggemma", "embeddinggemma:latest", "embeddinggemma:300m", GEMMA, ""])
def test_ollama_vectors_are_those_without_a_prompt(gemma: Served, name: str) -> None:
    plain = post(gemma, "/embed", inputs=TEXTS)
    found = post(gemma, "/api/embed", model=name, input=TEXTS, keep_alive="5m", options={"num_ctx": 2048})
    np.testing.assert_array_equal(found["embeddings"], plain)
    assert found["model"] == (name or GEMMA)
    assert found["prompt_eval_count"] > 0
    assert found["total_duration"] > 0
    one = post(gemma, "/api/embed", model=name, input=TEXTS[0], keep_alive=-1)
    np.testing.assert_allclose(one["embeddings"], plain[:1], atol=1e-6)
    older = post(gemma, "/api/embeddings", model=name, prompt=TEXTS[0])
    np.testing.assert_allclose(older["embedding"], plain[0], atol=1e-6)


def test_ollama_a_suffix_chooses_the_prompt(gemma: Served) -> None:
    found = post(gemma, "/api/embed", model="embeddinggemma:query", input=TEXTS)
    np.testing.assert_array_equal(found["embeddings"], post(gemma, "/embed", inputs=TEXTS, prompt_name="query"))


def test_ollama_dimensions_and_long_texts(gemma: Served) -> None:
    assert len(post(gemma, "/api/embed", input="a", dimensions=128)["embeddings"][0]) == 128
    long = "龘" * 5000
    cut = post(gemma, "/api/embed", input=["a", long])
    assert len(cut["embeddings"]) == 2
    assert len(post(gemma, "/api/embeddings", prompt=long)["embedding"]) == 768
    refused = ask(gemma, "POST", "/api/embed", {"input": long, "truncate": False})
    assert (refused.status, set(refused.json)) == (400, {"error"})
    assert "2048" in refused.json["error"]


def test_ollama_no_texts_give_no_vectors(gemma: Served) -> None:
    assert post(gemma, "/api/embed", model="embeddinggemma", input=[])["embeddings"] == []


def test_ollama_lists_the_model(gemma: Served) -> None:
    (shown,) = ask(gemma, "GET", "/api/tags").json["models"]
    assert (shown["name"], shown["model"]) == (GEMMA, GEMMA)
    assert shown["details"]["quantization_level"] == "float32"


@pytest.mark.parametrize("path", ["/api/embed", "/api/embeddings"])
def test_ollama_another_model_is_not_there(gemma: Served, path: str) -> None:
    field = "input" if path == "/api/embed" else "prompt"
    for name in ("nomic-embed-text", "all-minilm", "embeddinggemma:quary"):
        got = ask(gemma, "POST", path, {"model": name, field: "a"})
        assert (got.status, set(got.json)) == (404, {"error"}), name
        assert name in got.json["error"]


# Cohere, Jina and text-embeddings-inference: rerank


def similarities(model: Path, query: str, texts: list[str]) -> list[float]:
    embedder = load_embedder(read_model_folder(model))
    try:
        read = embedder.read_tokens([query, *texts])
        assert read is not None
        return [max_similarity(read[0].vectors, each.vectors) for each in read[1:]]
    finally:
        embedder.close()


DOCUMENTS = [f"text {number} {chr(97 + number % 26) * (1 + number % 7)}" for number in range(2 * TEXTS_AT_ONCE + 3)]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank"])
@pytest.mark.parametrize("name", ["", BERT, "rerank-v3.5", "jina-reranker-v2-base-multilingual"])
def test_rerank_compares_token_by_token(bert: Served, model: Path, path: str, name: str) -> None:
    expected = similarities(model, "ddd text", DOCUMENTS)
    found = post(bert, path, model=name, query="ddd text", documents=DOCUMENTS)
    assert found["model"] == BERT
    order = [each["index"] for each in found["results"]]
    scores = [each["relevance_score"] for each in found["results"]]
    assert sorted(order) == list(range(len(DOCUMENTS)))
    assert scores == sorted(scores, reverse=True)
    np.testing.assert_allclose(scores, np.clip([expected[index] for index in order], 0, 1), atol=1e-5)
    assert all(each["document"] is None for each in found["results"])
    assert found["usage"]["total_tokens"] > len(DOCUMENTS)


def test_rerank_the_best_with_their_texts(bert: Served) -> None:
    documents = [{"text": "a dog", "title": "ignored"}, "a cat", "the sea"]
    found = post(bert, "/v1/rerank", query="a cat", documents=documents, top_n=1, return_documents=True)
    (best,) = found["results"]
    assert (best["index"], best["document"]) == (1, {"text": "a cat"})
    assert best["relevance_score"] == pytest.approx(1, abs=1e-4)


def test_rerank_of_text_embeddings_inference(bert: Served) -> None:
    texts = ["a dog", "a cat", "the sea", ""]
    found = post(bert, "/rerank", query="a cat", texts=texts, return_text=True)
    assert [found[0]["index"], found[0]["text"]] == [1, "a cat"]
    assert len(found) == len(texts)
    raw = post(bert, "/rerank", query="a cat", texts=texts, raw_scores=True)
    assert [each["index"] for each in raw] == [each["index"] for each in found] or min(r["score"] for r in raw) < 0
    assert all(each["text"] is None for each in raw)


@pytest.mark.parametrize(
    ("path", "field", "shape"), [("/v1/rerank", "documents", "message"), ("/v2/rerank", "documents", "message")]
)
def test_rerank_errors_are_in_the_format_of_cohere(bert: Served, path: str, field: str, shape: str) -> None:
    for wrong, status in (
        ({field: []}, 400),
        ({field: ["a"] * 1001}, 400),
        ({field: ["a"], "top_n": 0}, 400),
        ({field: ["a"], "model": "nope"}, 404),
        ({field: [{"title": "a"}]}, 400),
    ):
        got = ask(bert, "POST", path, {"query": "a", **wrong})
        assert (got.status, set(got.json)) == (status, {shape}), got.body
        assert len(got.json[shape]) > 15


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
def test_rerank_says_which_model_cannot(gemma: Served, path: str) -> None:
    field = "texts" if path == "/rerank" else "documents"
    got = ask(gemma, "POST", path, {"query": "a", field: ["a", "b"]})
    assert got.status == 501
    said = got.json.get("message") or got.json["error"]
    assert f"{GEMMA} on this server cannot rerank" in said
    assert BERT in said
    assert "/similarity" in said


def test_answers_fit_their_schemas(bert: Served) -> None:
    document = ask(bert, "GET", "/openapi.json").json
    for route in ROUTES:
        if route.needs_tokens or route.path.startswith("/api/"):
            got = ask(bert, route.method, route.path, route.example or None)
            assert got.status == 200, (route.name, got.body)
            described = document["paths"][route.path][route.method.lower()]["responses"]["200"]
            schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
            jsonschema.Draft202012Validator(schema).validate(got.json)
