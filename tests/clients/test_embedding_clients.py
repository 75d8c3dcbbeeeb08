"""The real packages that fetch vectors over HTTP against a running service; `scripts/clients` installs them, and says what ran.

Each program of `programs/` embeds the same texts with its client; what it reports is compared with raw requests.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.client_programs import name_id, names, report
from tests.support.rest_server import Served, ask, serving
from tests.support.serving import environment
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

MODEL = "embeddinggemma-300m"
TEXTS = ["the gate opens at noon", "кошка спит 🙂", "a cat sleeps"]
"""Without line breaks, which LlamaIndex replaces."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with a small model that has EmbeddingGemma's prompts."""
    place = tmp_path_factory.mktemp("embedding-clients")
    with serving(place / "data", model=str(tiny_gemma(place / MODEL)), dtype="float32") as running:
        yield running


def post(served: Served, path: str, **fields: Any) -> Any:
    got = ask(served, "POST", path, fields)
    assert got.status == 200, got.body
    return got.json


def ran(name: str, served: Served, given: str, texts: list[str], place: Path) -> dict[str, Any]:
    return report(name, environment(place / "data"), served.url, given, json.dumps(texts))


@pytest.mark.parametrize("name", names("embeddings"), ids=name_id)
def test_vectors_are_those_of_raw_requests(name: str, served: Served, tmp_path: Path) -> None:
    found = ran(name, served, MODEL, TEXTS, tmp_path)
    raw = post(served, "/v1/embeddings", input=TEXTS)
    documents = [each["embedding"] for each in raw["data"]]
    bare = post(served, "/embed", inputs=TEXTS)
    expected = {
        "documents": documents,
        "alias": documents,
        "bare": bare,
        "ollama": bare,
        "query": post(served, "/embed", inputs=TEXTS[0], prompt_name="query")[0],
        "similarity": post(served, "/similarity", inputs={"source_sentence": TEXTS[0], "sentences": TEXTS}),
    }
    assert {"query"} < found.keys() & expected.keys()
    for what in found.keys() & expected.keys():
        np.testing.assert_allclose(found[what], expected[what], atol=1e-5, err_msg=what)
    if "short" in found:
        assert found["short"] == [256] * len(TEXTS)
    if "tokens" in found and "documents" in found:
        assert found["tokens"] == raw["usage"]["total_tokens"]
    if "models" in found:
        assert found["models"][0] == MODEL
    assert found.get("refused") == REFUSED.get(name, found.get("refused"))


REFUSED: dict[str, Any] = {
    "openai-python": [
        ["NotFoundError", 404, "model_not_found", "model"],
        ["BadRequestError", 400, "invalid_input", "input"],
    ],
    "openai-node": [
        ["NotFoundError", 404, "model_not_found", "model"],
        ["BadRequestError", 400, "invalid_input", "input"],
    ],
    "litellm": [["NotFoundError", 404], ["BadRequestError", 400]],
    "huggingface-hub": 422,
}
"""How a client reports what the service refuses; those that are not here say it in words."""


@pytest.mark.parametrize("name", ["langchain-openai"], ids=name_id)
def test_ids_of_another_tokenizer_are_refused_with_the_way_out(name: str, served: Served, tmp_path: Path) -> None:
    found = ran(name, served, MODEL, TEXTS, tmp_path)
    assert "check_embedding_ctx_length=False" in found["refused"]


@pytest.mark.parametrize("name", names("rerank"), ids=name_id)
def test_texts_are_ordered_by_a_query(name: str, tmp_path: Path) -> None:
    texts = ["a dog", "a cat", "the sea"]
    model = tiny_bert(tmp_path / "all-MiniLM-L6-v2")
    with serving(tmp_path / "served", model=str(model)) as running:
        found = ran(name, running, "a cat", texts, tmp_path)
        ranks = post(running, "/rerank", query="a cat", texts=texts)
    assert found["best"] == [each["index"] for each in ranks[:2]]
    assert found["texts"] == [texts[each["index"]] for each in ranks]
    np.testing.assert_allclose(found["scores"], [each["score"] for each in ranks], atol=1e-6)
    assert found["refused"][0] == 404
    assert "nope" in found["refused"][1]
