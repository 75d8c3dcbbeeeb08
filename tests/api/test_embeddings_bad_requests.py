"""Bad requests to the embedder's routes: each gets the documented status in the shape that the route's clients read."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.rest_server import Served, ask, serving
from tests.support.tiny_gemma import tiny_gemma

LIMIT = 1_000_000
JSON = {"Content_Type": "application/json"}
OPENAI = "/v1/embeddings"
LONG = "the gate opens at noon " * 1000

Request = tuple[str, str, Any, dict[str, str]]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    place = tmp_path_factory.mktemp("bad")
    model = tiny_gemma(place / "embeddinggemma-300m")
    with serving(place / "data", model=str(model), dtype="float32", max_body_bytes=LIMIT) as running:
        yield running


def openai(body: Any, **headers: str) -> Request:
    return "POST", OPENAI, body, {name.replace("_", "-"): value for name, value in headers.items()}


OPENAI_BAD: dict[str, tuple[Request, int, str, str | None]] = {
    "no body": (openai(None), 400, "invalid_input", None),
    "not JSON": (openai(b"input=a", **JSON), 400, "invalid_input", None),
    "half JSON": (openai(b'{"input": "a"', **JSON), 400, "invalid_input", None),
    "a list": (openai(["a"]), 400, "invalid_input", None),
    "not UTF-8": (openai(b'{"input": "\xff"}', **JSON), 400, "invalid_input", None),
    "nested too deep": (
        openai(b'{"input": ' + b"[" * 20_000 + b"]" * 20_000 + b"}", **JSON),
        400,
        "invalid_input",
        None,
    ),
    "a form": (
        openai(b"input=a", Content_Type="application/x-www-form-urlencoded"),
        415,
        "unsupported_media_type",
        None,
    ),
    "unknown encoding": (openai(b"{}", Content_Encoding="br", **JSON), 415, "unsupported_media_type", None),
    "no input": (openai({"model": "embeddinggemma-300m"}), 400, "invalid_input", None),
    "input is null": (openai({"input": None}), 400, "invalid_input", "input"),
    "input is a number": (openai({"input": 5}), 400, "invalid_input", "input"),
    "input is an object": (openai({"input": {"text": "a"}}), 400, "invalid_input", "input"),
    "no texts": (openai({"input": []}), 400, "invalid_input", "input"),
    "null among the texts": (openai({"input": ["a", None]}), 400, "invalid_input", "input[1]"),
    "texts and ids": (openai({"input": ["a", 5], "tokenizer": "gemma"}), 400, "invalid_input", "input"),
    "texts and lists of ids": (openai({"input": ["a", [5]], "tokenizer": "gemma"}), 400, "invalid_input", "input"),
    "an empty list of ids": (openai({"input": [[5], []], "tokenizer": "gemma"}), 400, "invalid_input", "input"),
    "an id that is not there": (openai({"input": [100_257], "tokenizer": "gemma"}), 400, "invalid_input", "input"),
    "a negative id": (openai({"input": [-1]}), 400, "invalid_input", "input[0]"),
    "an id with a fraction": (openai({"input": [1.5]}), 400, "invalid_input", "input[0]"),
    "a true id": (openai({"input": [True]}), 400, "invalid_input", "input[0]"),
    "2,049 texts": (openai({"input": ["a"] * 2049}), 400, "too_large", "input"),
    "more than 300,000 tokens": (openai({"input": ["龘" * 600] * 180}), 400, "too_large", "input"),
    "a long text": (openai({"input": ["a", LONG]}), 400, "context_length_exceeded", "input"),
    "a long text, not to be cut": (openai({"input": LONG, "truncate": False}), 400, "context_length_exceeded", "input"),
    "another model": (openai({"input": "a", "model": "text-embedding-4"}), 404, "model_not_found", "model"),
    "a suffix that is none": (
        openai({"input": "a", "model": "embeddinggemma-300m:quary"}),
        404,
        "model_not_found",
        "model",
    ),
    "a model that is a number": (openai({"input": "a", "model": 3}), 400, "invalid_input", "model"),
    "a long model": (openai({"input": "a", "model": "m" * 300}), 400, "too_large", "model"),
    "dimensions 0": (openai({"input": "a", "dimensions": 0}), 400, "invalid_input", "dimensions"),
    "dimensions 300": (openai({"input": "a", "dimensions": 300}), 400, "invalid_input", "dimensions"),
    "dimensions 1536": (openai({"input": "a", "dimensions": 1536}), 400, "invalid_input", "dimensions"),
    "negative dimensions": (openai({"input": "a", "dimensions": -256}), 400, "invalid_input", "dimensions"),
    "dimensions as text": (openai({"input": "a", "dimensions": "256"}), 400, "invalid_input", "dimensions"),
    "unknown format": (openai({"input": "a", "encoding_format": "hex"}), 400, "invalid_input", "encoding_format"),
    "unknown input type": (openai({"input": "a", "input_type": "question"}), 400, "invalid_input", "input_type"),
    "unknown task": (openai({"input": "a", "task": "poetry"}), 400, "invalid_input", "task"),
    "unknown prompt": (openai({"input": "a", "prompt_name": "STX"}), 400, "invalid_input", "prompt_name"),
    "two prompts": (
        openai({"input": "a", "task": "clustering", "input_type": "query"}),
        400,
        "invalid_input",
        "input_type",
    ),
    "suffix against field": (
        openai({"input": "a", "model": "embeddinggemma-300m:query", "input_type": "document"}),
        400,
        "invalid_input",
        "model",
    ),
    "truncate against too_long": (
        openai({"input": "a", "truncate": True, "too_long": "error"}),
        400,
        "invalid_input",
        "too_long",
    ),
    "titles of queries": (
        openai({"input": ["a"], "titles": ["t"], "input_type": "query"}),
        400,
        "invalid_input",
        "titles",
    ),
    "too few titles": (openai({"input": ["a", "b"], "titles": ["t"]}), 400, "invalid_input", None),
    "an unknown field": (openai({"input": "a", "imput": "b"}), 400, "invalid_input", None),
    "a body that is too large": (openai({"input": "a" * LIMIT}), 413, "too_large", None),
    "a gzip bomb": (openai(gzip.compress(b" " * 50_000_000), Content_Encoding="gzip", **JSON), 413, "too_large", None),
    "another method": (("PUT", OPENAI, {"input": "a"}, {}), 405, "method_not_allowed", None),
    "a query string": (("POST", f"{OPENAI}?model=x", {"input": "a"}, {}), 400, "invalid_input", None),
    "a body on GET": (("GET", "/v1/models", {"a": 1}, {}), 400, "invalid_input", None),
    "no such model": (("GET", "/v1/models/nope", None, {}), 404, "model_not_found", "model"),
    "no such model, whose name has a line end": (
        ("GET", "/v1/models/a%0Ab%0A", None, {}),
        404,
        "model_not_found",
        "model",
    ),
}


@pytest.mark.parametrize("name", OPENAI_BAD)
def test_openai_routes(served: Served, name: str) -> None:
    (method, path, body, headers), status, code, param = OPENAI_BAD[name]
    got = ask(served, method, path, body, headers)
    assert got.status == status, got.body
    assert set(got.json) == {"error"}
    error = got.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", code, param)
    assert len(error["message"]) > 15
    assert got.headers["x-request-id"]


def tei(path: str, body: Any, **headers: str) -> Request:
    return "POST", path, body, {name.replace("_", "-"): value for name, value in headers.items()}


TEI_BAD: dict[str, tuple[Request, int, str]] = {
    "no body": (tei("/embed", None), 422, "Validation"),
    "not JSON": (tei("/embed", b"{", **JSON), 422, "Validation"),
    "a form": (tei("/embed", b"inputs=a", Content_Type="text/plain"), 415, "Validation"),
    "no texts": (tei("/embed", {"inputs": []}), 400, "Empty"),
    "no sentences": (tei("/similarity", {"inputs": {"source_sentence": "a", "sentences": []}}), 400, "Empty"),
    "no ids": (tei("/decode", {"ids": []}), 400, "Empty"),
    "no inputs": (tei("/embed", {"truncate": True}), 422, "Validation"),
    "OpenAI's field": (tei("/embed", {"input": "a"}), 422, "Validation"),
    "2,049 texts": (tei("/embed", {"inputs": ["a"] * 2049}), 422, "Validation"),
    "2,049 sentences": (
        tei("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["a"] * 2049}}),
        422,
        "Validation",
    ),
    "2,049 texts to tokenize": (tei("/tokenize", {"inputs": ["a"] * 2049}), 422, "Validation"),
    "2,049 lists of ids": (tei("/decode", {"ids": [[5]] * 2049}), 422, "Validation"),
    "a long text, not to be cut": (tei("/embed", {"inputs": LONG, "truncate": False}), 422, "Validation"),
    "cut at the left": (tei("/embed", {"inputs": "a", "truncation_direction": "Left"}), 422, "Validation"),
    "cut in the middle": (tei("/embed", {"inputs": "a", "truncation_direction": "Middle"}), 422, "Validation"),
    "not of length 1": (tei("/embed", {"inputs": "a", "normalize": False}), 422, "Validation"),
    "dimensions 0": (tei("/embed", {"inputs": "a", "dimensions": 0}), 422, "Validation"),
    "dimensions 769": (tei("/embed", {"inputs": "a", "dimensions": 769}), 422, "Validation"),
    "unknown prompt": (tei("/embed", {"inputs": "a", "prompt_name": "nope"}), 422, "Validation"),
    "unknown prompt to tokenize": (tei("/tokenize", {"inputs": "a", "prompt_name": "nope"}), 422, "Validation"),
    "truncate is a word": (tei("/embed", {"inputs": "a", "truncate": "yes"}), 422, "Validation"),
    "ids to tokenize": (tei("/tokenize", {"inputs": [5]}), 422, "Validation"),
    "texts to decode": (tei("/decode", {"ids": ["a"]}), 422, "Validation"),
    "ids and lists of ids": (tei("/decode", {"ids": [5, [5]]}), 422, "Validation"),
    "an id that is not there": (tei("/decode", {"ids": [10_000_000]}), 422, "Validation"),
    "an id beyond 64 bits": (tei("/decode", {"ids": [10**30]}), 422, "Validation"),
    "an unknown parameter": (
        tei("/similarity", {"inputs": {"source_sentence": "a", "sentences": ["b"]}, "parameters": {"x": 1}}),
        422,
        "Validation",
    ),
    "no source sentence": (tei("/similarity", {"inputs": {"sentences": ["b"]}}), 422, "Validation"),
    "a body that is too large": (tei("/embed", {"inputs": "a" * LIMIT}), 413, "Validation"),
    "another method": (("GET", "/embed", None, {}), 405, "Validation"),
    "another method at the root": (("PUT", "/", None, {}), 405, "Validation"),
    "null for the texts": (tei("/embed", {"inputs": None}), 422, "Validation"),
    "a body on GET": (("GET", "/info", {"a": 1}, {}), 422, "Validation"),
    "a query string": (("GET", "/info?a=1", None, {}), 422, "Validation"),
}


@pytest.mark.parametrize("name", TEI_BAD)
def test_tei_routes(served: Served, name: str) -> None:
    (method, path, body, headers), status, kind = TEI_BAD[name]
    got = ask(served, method, path, body, headers)
    assert got.status == status, got.body
    assert set(got.json) == {"error", "error_type"}
    assert got.json["error_type"] == kind
    assert len(got.json["error"]) > 15


def test_after_all_of_them_the_server_embeds(served: Served) -> None:
    assert ask(served, "POST", "/embed", {"inputs": "noon"}).status == 200
    assert ask(served, "GET", "/health").status == 200
