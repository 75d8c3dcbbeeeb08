"""The embedder over HTTP: OpenAI's official client and raw requests of text-embeddings-inference get the model's own vectors."""

from __future__ import annotations

import base64
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import numpy as np
import openai
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ai_memory.api.embeddings.prompts import ALIASES, SUFFIXES
from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.embed.base import Task
from ai_memory.embed.matryoshka import cut
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.prompts import prompt_names
from ai_memory.embed.transformer import TransformerEmbedder
from tests.support.faulty_runtime import plain_embedder
from tests.support.rest_server import Got, Served, ask, serving
from tests.support.tiny_gemma import PROMPTS, tiny_gemma

MODEL = "embeddinggemma-300m"
TEXTS = ["the gate opens at noon", "", "кошка спит", "a\x00b", "👩‍👩‍👧 family", " \n "]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / MODEL)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, model: Path) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("served"), model=str(model), dtype="float32") as running:
        yield running


@pytest.fixture(scope="module")
def embedder(model: Path) -> Iterator[TransformerEmbedder]:
    embedder = plain_embedder(read_model_folder(model))
    yield embedder
    embedder.close()


@pytest.fixture
def client(served: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{served.url}/v1", api_key="any", max_retries=0) as client:
        yield client


def vectors(answer: openai.types.CreateEmbeddingResponse) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    assert [each.index for each in answer.data] == list(range(len(answer.data)))
    return np.array([each.embedding for each in answer.data])


def post(served: Served, path: str, **fields: object) -> Got:
    got = ask(served, "POST", path, fields)
    assert got.status == 200, got.body
    return got


# OpenAI's client


def test_openai_texts_are_documents_unless_said_otherwise(client: openai.OpenAI, embedder: TransformerEmbedder) -> None:
    answer = client.embeddings.create(model=MODEL, input=TEXTS)
    np.testing.assert_allclose(vectors(answer), embedder.embed_documents(TEXTS), atol=1e-5)
    tokens = sum(embedder.count_tokens(TEXTS))
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (tokens, tokens)
    assert answer.model == MODEL
    one = client.embeddings.create(model=MODEL, input=TEXTS[0])
    np.testing.assert_allclose(vectors(one), embedder.embed_documents(TEXTS[:1]), atol=1e-5)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_openai_a_suffix_of_the_models_name_chooses_the_prompt(
    client: openai.OpenAI, embedder: TransformerEmbedder, suffix: str
) -> None:
    answer = client.embeddings.create(model=f"{MODEL}:{suffix}", input=TEXTS[:2])
    task = prompt_names()[suffix]
    expected = embedder.embed_documents(TEXTS[:2]) if task is None else embedder.embed_queries(TEXTS[:2], task)
    np.testing.assert_allclose(vectors(answer), expected, atol=1e-5)
    assert answer.model == f"{MODEL}:{suffix}"


@pytest.mark.parametrize(
    ("fields", "task"),
    [
        ({"input_type": "query"}, Task.RETRIEVAL),
        ({"input_type": "search_query"}, Task.RETRIEVAL),
        ({"input_type": "clustering"}, Task.CLUSTERING),
        ({"task": "fact_checking"}, Task.FACT_CHECKING),
        ({"task": "none"}, Task.NONE),
        ({"prompt_name": "STS"}, Task.SIMILARITY),
        ({"prompt_name": "InstructionRetrieval", "task": "code_retrieval"}, Task.CODE_RETRIEVAL),
        ({"input_type": "passage"}, None),
        ({"task": "document", "input_type": "document", "prompt_name": "Retrieval-document"}, None),
    ],
)
def test_openai_a_field_chooses_the_prompt(
    client: openai.OpenAI, embedder: TransformerEmbedder, fields: dict[str, str], task: Task | None
) -> None:
    answer = client.embeddings.create(model=MODEL, input=TEXTS[:1], extra_body=fields)
    expected = embedder.embed_documents(TEXTS[:1]) if task is None else embedder.embed_queries(TEXTS[:1], task)
    np.testing.assert_allclose(vectors(answer), expected, atol=1e-5)


def test_openai_titles_of_documents(client: openai.OpenAI, embedder: TransformerEmbedder) -> None:
    titles = ["Gates", None]
    answer = client.embeddings.create(model=MODEL, input=TEXTS[:2], extra_body={"titles": titles})
    np.testing.assert_allclose(vectors(answer), embedder.embed_documents(TEXTS[:2], titles), atol=1e-5)


@pytest.mark.parametrize("dimension", [768, 512, 256, 128])
def test_openai_dimensions_are_cut_and_of_length_1(
    client: openai.OpenAI, embedder: TransformerEmbedder, dimension: int
) -> None:
    answer = client.embeddings.create(model=MODEL, input=TEXTS, dimensions=dimension)
    np.testing.assert_allclose(vectors(answer), cut(embedder.embed_documents(TEXTS), dimension), atol=1e-5)
    np.testing.assert_allclose(np.linalg.norm(vectors(answer), axis=1), 1, atol=1e-5)


def test_openai_base64_and_floats_are_the_same_numbers(served: Served) -> None:
    plain = post(served, "/v1/embeddings", input=TEXTS, encoding_format="float").json
    packed = post(served, "/v1/embeddings", input=TEXTS, encoding_format="base64").json
    for one, other in zip(plain["data"], packed["data"], strict=True):
        read = np.frombuffer(base64.b64decode(other["embedding"]), "<f4")
        np.testing.assert_array_equal(np.float32(one["embedding"]), read)


def test_openai_token_ids_are_those_of_the_named_tokenizer(
    client: openai.OpenAI, served: Served, embedder: TransformerEmbedder
) -> None:
    pieces = post(served, "/tokenize", inputs=["the gate opens", "кошка"]).json
    ids = [[token["id"] for token in one] for one in pieces]
    expected = embedder.embed_documents(["the gate opens", "кошка"])
    for name in (MODEL, "google/embeddinggemma-300m"):
        answer = client.embeddings.create(model=MODEL, input=ids, extra_body={"tokenizer": name})
        np.testing.assert_allclose(vectors(answer), expected, atol=1e-5)
    alone = client.embeddings.create(model=MODEL, input=ids[0], extra_body={"tokenizer": MODEL})
    np.testing.assert_allclose(vectors(alone), expected[:1], atol=1e-5)


@pytest.mark.parametrize("ids", [[5, 6], [[5, 6], [7]]])
def test_openai_token_ids_that_may_be_of_another_tokenizer_are_refused(client: openai.OpenAI, ids: Any) -> None:
    with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False") as refused:
        client.embeddings.create(model=MODEL, input=ids)
    assert refused.value.param == "input"
    assert MODEL in refused.value.message
    with pytest.raises(openai.BadRequestError, match="cl100k_base") as refused:
        client.embeddings.create(model=MODEL, input=ids, extra_body={"tokenizer": "cl100k_base"})
    assert refused.value.param == "tokenizer"


@pytest.mark.parametrize("name", sorted(ALIASES))
def test_openai_names_mean_the_loaded_model(client: openai.OpenAI, name: str) -> None:
    answer = client.embeddings.create(model=name, input=TEXTS)
    np.testing.assert_array_equal(vectors(answer), vectors(client.embeddings.create(model=MODEL, input=TEXTS)))
    assert answer.model == MODEL
    asked = client.embeddings.create(model=f"{name}:query", input=TEXTS[:1])
    np.testing.assert_array_equal(
        vectors(asked), vectors(client.embeddings.create(model=f"{MODEL}:query", input=TEXTS[:1]))
    )
    assert client.models.retrieve(name).id == MODEL


def test_openai_models(client: openai.OpenAI) -> None:
    names = [each.id for each in client.models.list()]
    assert names[0] == MODEL
    assert {f"{MODEL}:query", f"{MODEL}:document", f"{MODEL}:clustering"} <= set(names)
    assert client.models.retrieve(f"{MODEL}:query").id == f"{MODEL}:query"
    assert client.models.retrieve("google/embeddinggemma-300m").id == MODEL
    with pytest.raises(openai.NotFoundError) as missing:
        client.models.retrieve("gpt-5")
    assert missing.value.code == "model_not_found"


def test_openai_a_name_of_the_hub_means_the_same_model(client: openai.OpenAI, embedder: TransformerEmbedder) -> None:
    answer = client.embeddings.create(model="google/embeddinggemma-300m:query", input=TEXTS[:1])
    np.testing.assert_allclose(vectors(answer), embedder.embed_queries(TEXTS[:1]), atol=1e-5)


def test_openai_too_long_is_an_error_unless_said_otherwise(
    client: openai.OpenAI, served: Served, embedder: TransformerEmbedder
) -> None:
    long = "the gate opens at noon " * 600 + "кошка спит, 龘龘龘 " * 400
    with pytest.raises(openai.BadRequestError, match="maximum context length is 2048 tokens") as refused:
        client.embeddings.create(model=MODEL, input=["short", long])
    assert (refused.value.code, refused.value.param) == ("context_length_exceeded", "input")
    assert str(embedder.count_tokens([long])[0]) in refused.value.message
    assert "text 1" in refused.value.message
    short = client.embeddings.create(model=MODEL, input=[long], extra_body={"truncate": True})
    assert short.usage.prompt_tokens == 2048
    windows = client.embeddings.create(model=MODEL, input=[long], extra_body={"too_long": "windows"})
    np.testing.assert_allclose(vectors(windows), embedder.embed_documents([long]), atol=1e-5)
    assert not np.allclose(vectors(short), vectors(windows), atol=1e-4)
    cut_off = post(served, "/v1/embeddings", input=long, truncate=True).headers["x-truncated-tokens"]
    assert int(cut_off) == embedder.count_tokens([long])[0] - 2048


def test_openai_a_long_answer_comes_in_pieces_and_whole(
    client: openai.OpenAI, served: Served, embedder: TransformerEmbedder
) -> None:
    texts = [f"gate {number}" for number in range(300)]
    answer = client.embeddings.create(model=MODEL, input=texts)
    np.testing.assert_allclose(vectors(answer), embedder.embed_documents(texts), atol=1e-5)
    for fields in ({"encoding_format": "float"}, {"encoding_format": "base64"}):
        raw = post(served, "/v1/embeddings", input=texts, **fields)
        assert raw.headers.get("transfer-encoding") == "chunked"
        assert len(raw.json["data"]) == 300
    rows = post(served, "/embed", inputs=texts, prompt_name="document").json
    np.testing.assert_allclose(rows, vectors(answer), atol=1e-6)


def test_openai_async_client(served: Served, embedder: TransformerEmbedder) -> None:
    import asyncio

    async def many() -> list[openai.types.CreateEmbeddingResponse]:
        async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="any", max_retries=0) as client:
            calls = [client.embeddings.create(model=f"{MODEL}:query", input=text) for text in TEXTS]
            return list(await asyncio.gather(*calls))

    for text, answer in zip(TEXTS, asyncio.run(many()), strict=True):
        np.testing.assert_allclose(vectors(answer), embedder.embed_queries([text]), atol=1e-5)


# Clients of text-embeddings-inference


def test_tei_embed_puts_no_prompt_unless_one_is_named(served: Served, embedder: TransformerEmbedder) -> None:
    got = post(served, "/embed", inputs=TEXTS)
    np.testing.assert_allclose(got.json, embedder.embed_queries(TEXTS, Task.NONE), atol=1e-5)
    assert np.array(post(served, "/embed", inputs="one").json).shape == (1, 768)
    tokens = [len(one) for one in post(served, "/tokenize", inputs=TEXTS).json]
    assert got.headers["x-compute-tokens"] == str(sum(tokens))
    assert got.headers["x-compute-characters"] == str(sum(map(len, TEXTS)))
    for name in ("total", "queue", "tokenization", "inference", "compute"):
        assert int(got.headers["x-compute-time" if name == "compute" else f"x-{name}-time"]) >= 0


@pytest.mark.parametrize("name", sorted(PROMPTS))
def test_tei_every_prompt_of_the_folder_can_be_named(served: Served, embedder: TransformerEmbedder, name: str) -> None:
    got = post(served, "/embed", inputs=["noon"], prompt_name=name)
    expected = embedder.embed_queries([PROMPTS[name] + "noon"], Task.NONE)
    np.testing.assert_allclose(got.json, expected, atol=1e-5)


def test_tei_truncates_unless_told_not_to(served: Served) -> None:
    long = "the gate opens at noon " * 1000
    assert post(served, "/embed", inputs=long).headers["x-compute-tokens"] == "2048"
    got = ask(served, "POST", "/embed", {"inputs": long, "truncate": False})
    assert got.status == 422
    assert got.json["error_type"] == "Validation"


def test_tei_dimensions(served: Served) -> None:
    whole = np.array(post(served, "/embed", inputs=TEXTS).json, np.float32)
    part = post(served, "/embed", inputs=TEXTS, dimensions=256).json
    np.testing.assert_allclose(part, cut(whole, 256), atol=1e-5)


def test_tei_tokenize_and_decode_are_each_others_inverse(served: Served) -> None:
    text = "the gate opens, кошка спит 👩‍👧"
    (tokens,) = post(served, "/tokenize", inputs=text).json
    assert [(token["special"], token["start"], token["stop"]) for token in (tokens[0], tokens[-1])] == [
        (True, None, None)
    ] * 2
    assert tokens[1]["start"] == 0
    assert tokens[-2]["stop"] == len(text)
    for token in tokens[1:-1]:
        assert text[token["start"] : token["stop"]] == token["text"]
    ids = [token["id"] for token in tokens]
    assert post(served, "/decode", ids=ids).json == [text]
    assert post(served, "/decode", ids=[ids, ids[:2]]).json[0] == text
    assert post(served, "/decode", ids=[ids], skip_special_tokens=False).json[0].startswith("<bos>")
    (bare,) = post(served, "/tokenize", inputs=[text], add_special_tokens=False).json
    assert bare == tokens[1:-1]
    (prompted,) = post(served, "/tokenize", inputs=[text], prompt_name="query").json
    assert len(prompted) > len(tokens)


def test_tei_similarity_is_the_cosine(served: Served, embedder: TransformerEmbedder) -> None:
    inputs = {"source_sentence": TEXTS[0], "sentences": TEXTS[:3]}
    made = embedder.embed_queries(TEXTS[:3], Task.NONE)
    np.testing.assert_allclose(post(served, "/similarity", inputs=inputs).json, made @ made[0], atol=1e-5)
    alike = embedder.embed_queries(TEXTS[:3], Task.SIMILARITY)
    got = post(served, "/similarity", inputs=inputs, parameters={"prompt_name": "STS"}).json
    np.testing.assert_allclose(got, alike @ alike[0], atol=1e-5)


def test_tei_info(served: Served, embedder: TransformerEmbedder) -> None:
    post(served, "/embed", inputs="load")
    info = ask(served, "GET", "/info").json
    assert (info["model_id"], info["model_dtype"], info["model_sha"]) == (
        MODEL,
        "float32",
        embedder.identity.revision,
    )
    assert (info["max_input_length"], info["max_client_batch_size"], info["auto_truncate"]) == (2048, 2048, True)
    assert info["max_batch_tokens"] == embedder.token_budget or embedder.token_budget is None
    assert info["max_concurrent_requests"] == served.settings.max_concurrent_requests * 5
    assert info["dimensions"] == [768, 512, 256, 128]
    assert info["identity"]["prompts"] == embedder.identity.prompts


def test_tei_health_is_true(served: Served, tmp_path: Path) -> None:
    assert ask(served, "GET", "/health").json == {"healthy": True, "model": MODEL}
    with serving(tmp_path / "none", model="none") as without:
        got = ask(without, "GET", "/health")
        assert (got.status, got.json["error_type"]) == (503, "Unhealthy")
        assert "model" in got.json["error"]
        assert ask(without, "GET", "/health/ready").status == 200


def test_without_a_model_the_error_says_what_mends_it(tmp_path: Path) -> None:
    with serving(tmp_path, model=str(tmp_path / "not-there")) as without:
        got = ask(without, "POST", "/v1/embeddings", {"input": "a"})
        assert got.status == 503
        assert got.json["error"]["type"] == "server_error"
        assert ask(without, "POST", "/embed", {"inputs": "a"}).status == 503


def test_the_stores_dimension_is_not_the_engines(tmp_path: Path, model: Path) -> None:
    """The dial of the store cuts what is kept; other programs get what they ask for."""
    with serving(tmp_path, model=str(model), dtype="float32", dimension=256) as cut_store:
        assert len(post(cut_store, "/embed", inputs="one").json[0]) == 768
        assert len(post(cut_store, "/embed", inputs="one", dimensions=128).json[0]) == 128


def test_keys_open_the_engine_whatever_their_namespace(tmp_path: Path, model: Path) -> None:
    keys = {"notes": ["the-key-of-notes"]}
    with serving(tmp_path, model=str(model), dtype="float32", api_keys=keys) as locked:
        for path, shape in (
            ("/v1/embeddings", "openai"),
            ("/embed", "tei"),
            ("/info", "tei"),
            ("/v1/models", "openai"),
        ):
            got = ask(locked, "GET" if path in ("/info", "/v1/models") else "POST", path, None)
            assert got.status == 401, path
            assert got.json["error"]["code"] == "invalid_api_key" if shape == "openai" else got.json["error_type"]
        assert ask(locked, "GET", "/health").status == 200
        with openai.OpenAI(base_url=f"{locked.url}/v1", api_key="the-key-of-notes", max_retries=0) as client:
            assert len(client.embeddings.create(model=MODEL, input="a").data) == 1
        with (
            openai.OpenAI(base_url=f"{locked.url}/v1", api_key="wrong", max_retries=0) as client,
            pytest.raises(openai.AuthenticationError),
        ):
            client.embeddings.create(model=MODEL, input="a")


def test_answers_fit_their_schemas(served: Served) -> None:
    document = ask(served, "GET", "/v1/openapi.json").json
    for route in (each for each in ROUTES if not each.needs_tokens):
        path = route.path.format(**route.example) if route.method == "GET" else route.path
        got = ask(served, route.method, path, route.example if route.method == "POST" else None)
        assert got.status == 200, (route.name, got.body)
        described = document["paths"][route.path][route.method.lower()]["responses"]["200"]
        schema = {**described["content"]["application/json"]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(got.json)


def test_metrics_have_the_names_that_dashboards_read(served: Served) -> None:
    def samples() -> dict[tuple[str, ...], float]:
        text = ask(served, "GET", "/metrics").body.decode()
        return {
            (sample.name, *sample.labels.values()): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    post(served, "/embed", inputs=["a", "b"])
    ask(served, "POST", "/embed", {"inputs": []})
    before = samples()
    post(served, "/embed", inputs=["a", "b"])
    post(served, "/v1/embeddings", input="a")
    ask(served, "POST", "/embed", {"inputs": []})
    after = samples()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["te_request_count", "batch"] == 1
    assert grown["te_request_success", "single"] == 1
    assert grown["te_request_failure", "empty"] == 1
    assert grown["te_embed_count", "embed"] == 2
    assert grown["te_request_duration_count",] == 2
    assert grown["te_request_input_length_count",] == 3
    assert math.isfinite(after["te_queue_size",])
    assert grown["ai_memory_requests_total", "embed", "200"] == 1


# what their clients send although the services' own documents do not have it


def test_null_and_empty_fields_are_not_given(served: Served) -> None:
    plain = post(served, "/v1/embeddings", input="hi").json
    fields = (
        "encoding_format",
        "tokenizer",
        "dimensions",
        "user",
        "input_type",
        "task",
        "prompt_name",
        "truncate",
        "too_long",
        "titles",
    )
    for blank in (None, ""):
        assert post(served, "/v1/embeddings", input="hi", model=MODEL, **dict.fromkeys(fields, blank)).json == plain
    bare = post(served, "/embed", inputs="hi").json
    for blank in (None, ""):
        others = ("truncate", "truncation_direction", "prompt_name", "normalize", "dimensions")
        assert post(served, "/embed", inputs="hi", **dict.fromkeys(others, blank)).json == bare
    inputs = {"source_sentence": "hi", "sentences": ["ho"]}
    parameters = {"truncate": None, "truncation_direction": None, "prompt_name": None}
    same = post(served, "/similarity", inputs=inputs, parameters=parameters).json
    assert same == post(served, "/similarity", inputs=inputs).json


def test_half_a_surrogate_pair_fails_no_batch(served: Served) -> None:
    headers = {"Content-Type": "application/json"}
    cut = ask(served, "POST", "/embed", b'{"inputs": ["one", "cut \\ud83d", "two"]}', headers)
    assert cut.json == post(served, "/embed", inputs=["one", "cut \ufffd", "two"]).json
    assert ask(served, "POST", "/v1/embeddings", b'{"input": "\\ude00"}', headers).status == 200


def test_the_plain_address_is_that_of_inference_clients(served: Served) -> None:
    assert post(served, "/", inputs=TEXTS).json == post(served, "/embed", inputs=TEXTS).json
    compared = {"source_sentence": TEXTS[0], "sentences": TEXTS[1:]}
    assert post(served, "/", inputs=compared).json == post(served, "/similarity", inputs=compared).json
    as_queries = {"inputs": compared, "parameters": {"prompt_name": "query"}}
    assert post(served, "/", **as_queries).json == post(served, "/similarity", **as_queries).json
    mixed = ask(served, "POST", "/", {"inputs": TEXTS, "parameters": {}})
    assert (mixed.status, mixed.json["error_type"]) == (422, "Validation")
    hub = pytest.importorskip("huggingface_hub")
    client = hub.InferenceClient(served.url)
    found = client.feature_extraction(TEXTS[0], prompt_name="query", truncate=True)
    np.testing.assert_allclose(found, post(served, "/embed", inputs=TEXTS[0], prompt_name="query").json, atol=1e-6)
