"""Pages about the server: OpenAPI, the API page, health, metrics, and what the log says."""

from __future__ import annotations

import io
import json
import logging
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ai_memory.api.documents.page import type_of
from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.api.logs import configure_logging
from ai_memory.errors import MemoryServiceError, error_classes
from ai_memory.operations.table import OPERATIONS
from tests.support.rest_server import Served, ask, remember, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("pages")) as running:
        yield running


@pytest.fixture(scope="module")
def document(served: Served) -> dict[str, Any]:
    got = ask(served, "GET", "/v1/openapi.json")
    assert (got.status, got.headers["content-type"]) == (200, "application/json")
    return dict(got.json)


def test_openapi_has_every_operation_once(document: dict[str, Any]) -> None:
    assert document["openapi"] == "3.1.0"
    found = {
        inner["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, inner in methods.items()
    }
    operations = {o.name: (o.route.method, f"/v1{o.route.path}") for o in OPERATIONS}
    routes = {route.name: (route.method, route.path) for route in ROUTES}
    assert found == operations | routes
    assert len(found) == len(OPERATIONS) + len(ROUTES)


def test_openapi_references_lead_somewhere(document: dict[str, Any]) -> None:
    def references(value: Any) -> Iterator[str]:
        if isinstance(value, dict):
            if isinstance(value.get("$ref"), str):
                yield value["$ref"]
            for inner in value.values():
                yield from references(inner)
        elif isinstance(value, list):
            for inner in value:
                yield from references(inner)

    for reference in set(references(document)):
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_openapi_schemas_are_schemas(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def described(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Every operation of the document."""
    for methods in document["paths"].values():
        yield from methods.values()


def body_of(document: dict[str, Any], operation: dict[str, Any]) -> tuple[dict[str, Any], Any]:
    """The schema and the example of an operation's JSON body; both empty where it takes none."""
    content = operation.get("requestBody", {"content": {}})["content"].get("application/json")
    if content is None:
        return {"properties": {}}, {}
    return document["components"]["schemas"][content["schema"]["$ref"].rpartition("/")[2]], content["example"]


def test_openapi_describes_every_field_and_error(document: dict[str, Any]) -> None:
    shown = {each["operationId"]: each for each in described(document)}
    requests = {each.name: each.request for each in OPERATIONS} | {each.name: each.request for each in ROUTES}
    for operation_id, request in requests.items():
        fields = {field["name"]: field for field in shown[operation_id]["parameters"] if field["in"] != "header"}
        fields |= body_of(document, shown[operation_id])[0]["properties"]
        assert set(fields) == set(request.__struct_fields__), operation_id
        for name, field in fields.items():
            assert field.get("description") or "$ref" in field or "$ref" in field["schema"], f"{operation_id}.{name}"
    codes = document["components"]["schemas"]["ServiceErrorDetail"]["properties"]["code"]["enum"]
    assert set(codes) == set(error_classes())
    statuses = {str(cls.status) for cls in error_classes().values() if cls is not MemoryServiceError}
    for operation in OPERATIONS:
        assert statuses <= set(shown[operation.name]["responses"])
    for route in ROUTES:
        assert {str(status) for status in route.statuses} | {"200"} == set(shown[route.name]["responses"])


def test_openapi_is_at_the_address_where_programs_look_too(served: Served, document: dict[str, Any]) -> None:
    assert ask(served, "GET", "/openapi.json").json == document
    assert document["servers"][0]["url"] == "/"


def test_openapi_groups_every_operation(document: dict[str, Any]) -> None:
    groups = {tag["name"] for tag in document["tags"]}
    used = [operation["tags"] for operation in described(document)]
    assert all(len(tags) == 1 for tags in used)
    assert {tag for tags in used for tag in tags} == groups
    assert all(tag["description"] for tag in document["tags"])


def _used(schema: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    """The definitions that a schema refers to, directly or not."""
    found: dict[str, Any] = {}
    waiting = [schema]
    while waiting:
        for name in re.findall(r"#/\$defs/(\w+)", json.dumps(waiting.pop())):
            if name not in found:
                found[name] = definitions[name]
                waiting.append(definitions[name])
    return found


def test_openapi_examples_are_valid(document: dict[str, Any]) -> None:
    moved = json.loads(json.dumps(document["components"]["schemas"]).replace("#/components/schemas/", "#/$defs/"))

    def check(schema: dict[str, Any], example: Any) -> None:
        own = json.loads(json.dumps(schema).replace("#/components/schemas/", "#/$defs/"))
        # Only what is used: the validator looks at all definitions each time.
        jsonschema.Draft202012Validator({"$defs": _used(own, moved), **own}).validate(example)

    for operation in described(document):
        check(*body_of(document, operation))
        for parameter in operation["parameters"]:
            assert not parameter.get("required") or "example" in parameter, operation["operationId"]
            if "example" in parameter:
                check(parameter["schema"], parameter["example"])


def inline(schema: Any, name: str) -> Iterator[tuple[str, list[str]]]:
    """The enumerations without a name of their own in a schema, each with the name that generators give it from its place."""
    if isinstance(schema, dict):
        if "enum" in schema:
            yield name, schema["enum"]
        for key in ("anyOf", "items", "additionalProperties"):
            yield from inline(schema.get(key), name)
        for field, each in schema.get("properties", {}).items():
            yield from inline(each, name + "".join(part.capitalize() for part in field.split("_")))
    elif isinstance(schema, list):
        for each in schema:
            yield from inline(each, name)


def test_openapi_gives_generators_no_name_twice(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert len({name.lower() for name in schemas}) == len(schemas)
    for name, schema in schemas.items():
        assert schema.get("title", name) == name
        for given, values in inline(schema, name):
            assert len({value.lower() for value in values}) == len(values), given
            if given != name:
                assert given.lower() not in {each.lower() for each in schemas}, given


def test_openapi_names_every_schema_that_is_used_and_no_other(document: dict[str, Any]) -> None:
    written = json.dumps(document)
    for name in document["components"]["schemas"]:
        assert f'"#/components/schemas/{name}"' in written, name


def test_openapi_answers_leave_no_field_out(document: dict[str, Any]) -> None:
    for name in ("Answer", "Hit", "MemoryRecord", "Receipt", "VectorGeneration", "EngineInfo"):
        schema = document["components"]["schemas"][name]
        assert set(schema["required"]) == set(schema["properties"])
    assert document["components"]["schemas"]["Draft"]["required"] == ["text"]


def test_answers_fit_their_schemas(served: Served, document: dict[str, Any]) -> None:
    memory = remember(served, "Checked against its schema.", tags=["a"], valid_from="2026-01-01")["memory_id"]
    for path, name in (
        (f"/v1/memories/{memory}", "MemoryRecord"),
        ("/v1/memories", "Page"),
        ("/v1/timeline", "Timeline"),
        ("/v1/stats", "Stats"),
        ("/v1/health", "Health"),
    ):
        schema = {"$ref": f"#/components/schemas/{name}", "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(ask(served, "GET", path).json)
    error = {"$ref": "#/components/schemas/ServiceError", "components": document["components"]}
    jsonschema.Draft202012Validator(error).validate(ask(served, "GET", "/nope").json)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.ids: list[str] = []
        self.inline = 0
        self.forms: list[dict[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.loads += [value for name in ("src", "href", "action", "data") if (value := given.get(name)) is not None]
        self.inline += sum(name == "style" or name.startswith("on") for name in given)
        self.inline += tag == "style" or (tag == "script" and "src" not in given)
        if tag == "section":
            self.ids.append(given["id"] or "")
        if tag == "form":
            self.forms.append(given)


def test_the_api_page_loads_nothing_from_elsewhere(served: Served) -> None:
    got = ask(served, "GET", "/docs")
    assert (got.status, got.headers["content-type"]) == (200, "text/html; charset=utf-8")
    page = _Page()
    page.feed(got.body.decode())
    own = {"/docs/docs.css", "/docs/docs.js", "/v1/openapi.json", "data:,"}
    assert {load for load in page.loads if not load.startswith("#")} == own
    assert page.inline == 0
    assert "default-src 'none'" in got.headers["content-security-policy"]
    assert page.ids == [operation.name for operation in OPERATIONS] + [route.name for route in ROUTES]
    paths = [f"/v1{operation.route.path}" for operation in OPERATIONS] + [route.path for route in ROUTES]
    assert [form["data-path"] for form in page.forms] == paths
    for load, media in (("/docs/docs.css", "text/css"), ("/docs/docs.js", "text/javascript")):
        file = ask(served, "GET", load)
        assert file.status == 200
        assert file.headers["content-type"].startswith(media)
        assert b"//" not in file.body.replace(b"// The try-it forms", b"")


def test_types_in_words() -> None:
    assert type_of({"type": "array", "items": {"type": "string", "maxLength": 5}, "maxItems": 2}) == (
        "list of string, at most 5 long, at most 2"
    )
    assert type_of({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]}) == "integer, ≥ 1 or null"
    assert type_of({"enum": ["a", "b"]}) == '"a", "b"'
    assert type_of({}) == "any"


def test_health(served: Served) -> None:
    assert ask(served, "GET", "/health/live").json == {"live": True}
    ready = ask(served, "GET", "/health/ready")
    assert (ready.status, ready.json["ready"]) == (200, True)
    assert set(ready.json["parts"]) >= {"store", "embedder"}


def test_a_part_that_works_with_less_is_named(tmp_path: Path) -> None:
    with serving(tmp_path, model="none") as served:
        ready = ask(served, "GET", "/health/ready")
        assert (ready.status, ready.json["degraded"]) == (200, ["embedder"])


def test_metrics_count_what_happened(served: Served) -> None:
    remember(served, "Counted once.", namespace="metrics")
    ask(served, "GET", "/v1/memories?limit=0")
    ask(served, "GET", "/nowhere")
    got = ask(served, "GET", "/metrics")
    assert got.headers["content-type"].startswith("text/plain")
    samples = {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(got.body.decode())
        for sample in family.samples
    }
    assert samples["ai_memory_requests_total", "201", "remember"] >= 1
    assert samples["ai_memory_requests_total", "400", "list"] == 1
    assert samples["ai_memory_requests_total", "404", "other"] >= 1
    assert samples["ai_memory_request_seconds_count", "remember"] >= 1
    assert samples["ai_memory_memories",] == ask(served, "GET", "/v1/stats").json["memories"]
    assert {"ai_memory_pending_vectors", "ai_memory_index_bytes", "ai_memory_queue_length"} <= {
        name for name, *_ in samples
    }


def test_the_log_has_every_request_and_no_text(served: Served) -> None:
    stream = io.StringIO()
    logger = logging.getLogger("ai_memory")
    before = (logger.handlers, logger.level, logger.propagate)
    uvicorn_level = logging.getLogger("uvicorn").level
    configure_logging("info", "json", stream)
    try:
        secret = "xylophone"
        remember(served, f"The {secret} stands in the attic.", title=f"{secret} title", namespace=f"{secret}-space")
        ask(served, "POST", "/v1/recall", {"query": f"Where is the {secret}?"})
        ask(served, "GET", f"/v1/memories/{secret}?namespace={secret}")
        ask(served, "GET", f"/{secret}")
        ask(served, "POST", "/v1/memories", f'{{"text": "{secret}'.encode(), {"Content-Type": "application/json"})
        ask(served, "GET", "/v1/health", headers={"X-Request-Id": "mine"})
    finally:
        logger.handlers, logger.level, logger.propagate = before
        logging.getLogger("uvicorn").setLevel(uvicorn_level)
    assert secret not in stream.getvalue()
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    requests = [line for line in lines if line["message"] == "request"]
    assert len(requests) == 6
    assert set(requests[0]) == {
        "time",
        "level",
        "logger",
        "message",
        "request_id",
        "client",
        "method",
        "route",
        "status",
        "ms",
    }
    assert requests[2]["route"] == "/v1/memories/{id}"
    assert requests[3]["route"] == "unknown"
    assert requests[5]["request_id"] == "mine"


def test_readable_log_lines() -> None:
    stream = io.StringIO()
    logger = logging.getLogger("ai_memory")
    before = (logger.handlers, logger.level, logger.propagate)
    configure_logging("warning", "text", stream)
    private = "private words"
    try:
        logger.info("unseen")
        try:
            int(private)
        except ValueError:
            logger.exception("it failed", extra={"fields": {"request_id": "r1"}})
    finally:
        logger.handlers, logger.level, logger.propagate = before
    text = stream.getvalue()
    assert "error   it failed request_id=r1\n" in text
    assert "ValueError" in text
    assert private not in text
    assert "unseen" not in text
