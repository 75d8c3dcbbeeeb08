"""The embedder's routes in the OpenAPI document."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from ai_memory.api.embeddings.routes import COHERE, OLLAMA, OPENAI, ROUTES, TEI, EngineRoute
from ai_memory.operations.schema import Schema, schemas, without_null

REF = "#/components/schemas/{name}"
TAG = "embeddings"

_CAUSES = {
    400: "The request is invalid, or has no text.",
    401: "The API key is missing or unknown.",
    403: "The request was addressed to another server, or sent by a page of another site.",
    404: "There is no such model.",
    405: "The method is not allowed.",
    413: "The body is too large.",
    415: "The body is not JSON, or has an unsupported content encoding.",
    422: "The request is invalid.",
    424: "The model failed.",
    429: "Too many requests are waiting.",
    500: "Internal error; the log has the trace.",
    501: "The model cannot do this.",
    503: "There is no model, it could not be loaded, or the service is closing.",
}


def engine_schemas(ref_template: str = REF) -> dict[str, Schema]:
    """The types of requests, answers and errors by name."""
    _, errors = msgspec.json.schema_components(
        [each.error for each in (OPENAI, TEI, OLLAMA, COHERE)], ref_template=ref_template
    )
    return {**schemas(ROUTES, ref_template), **errors}


def engine_paths() -> dict[str, dict[str, Any]]:
    """The document's paths."""
    components = engine_schemas()
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, components)
    return paths


def _operation(route: EngineRoute, components: dict[str, Schema]) -> dict[str, Any]:
    request = components[route.request.__name__]
    in_path = re.findall(r"{(\w+)}", route.path)
    made: dict[str, Any] = {
        "operationId": route.name,
        "tags": [TAG],
        "summary": route.summary,
        "description": request.get("description", route.summary),
        "parameters": [_parameter(name, request["properties"][name], route.example[name]) for name in in_path],
        "responses": _responses(route),
    }
    if route.method == "POST":
        content = {"schema": {"$ref": REF.format(name=route.request.__name__)}, "example": route.example}
        made["requestBody"] = {"required": True, "content": {"application/json": content}}
    if route.open:
        made["security"] = []
    return made


def _parameter(name: str, schema: Schema, example: Any) -> dict[str, Any]:
    described = {"description": schema["description"], "schema": without_null(schema), "example": example}
    return {"name": name, "in": "path", "required": True, **described}


def _responses(route: EngineRoute) -> dict[str, Any]:
    (answer,), _ = msgspec.json.schema_components([route.response], ref_template=REF)
    found: dict[str, Any] = {"200": {"description": route.summary, "content": {"application/json": {"schema": answer}}}}
    error = {"$ref": REF.format(name=route.error_format.error.__name__)}
    for status in route.statuses:
        found[str(status)] = {"description": _CAUSES[status], "content": {"application/json": {"schema": error}}}
    found["429"]["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return found
