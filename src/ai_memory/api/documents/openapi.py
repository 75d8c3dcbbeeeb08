"""The OpenAPI 3.1 document, made from the operations and the embedder's routes."""

from __future__ import annotations

import inspect
from typing import Any

from ai_memory.api.documents.components import (
    REF,
    body_name,
    body_schema,
    complete,
    default_said,
    error_schemas,
    path_fields,
)
from ai_memory.api.documents.examples import LINES, VALUES, example_values
from ai_memory.api.embeddings.document import TAG, engine_paths, engine_schemas
from ai_memory.api.endpoints import WITHOUT_BODY
from ai_memory.errors import MemoryServiceError, error_classes
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.schema import Schema, schemas, without_null
from ai_memory.operations.table import OPERATIONS

JSON_LINES = "application/x-ndjson"

TAGS = {
    "memories": "Remember, find, change and forget texts.",
    "graph": "What memories mention and how it is connected; who is who.",
    "inbox": "What the service proposes about memories, and what people decide and say about them.",
    "transfer": "Whole namespaces in and out, as JSON lines.",
    "generations": "The vectors of all memories: building new ones, and switching between them.",
    "service": "What the service is doing.",
    TAG: "The model for other programs: texts in, vectors out, and nothing is stored.",
}
"""The groups of operations, for pages and for generators, which make a module or a class of each."""

_TAG_OF_MODULE = {
    "about": "memories",
    "writing": "memories",
    "reading": "memories",
    "changes": "memories",
    "graph": "graph",
    "deciding": "graph",
    "inbox": "inbox",
    "moving": "transfer",
    "generations": "generations",
    "watching": "service",
    "events": "service",
    "keeping": "service",
}
"""The group of the operations that are defined in a module of `ai_memory.operations`."""

_HEADER_FIELDS = {
    "idempotency_key": (
        "Idempotency-Key",
        "The same as the field `idempotency_key`.",
        {"type": "string", "maxLength": 256},
    ),
    "if_revision": ("If-Match", 'The same as the field `if_revision`, written `"3"`.', {"type": "string"}),
}


def openapi(version: str) -> dict[str, Any]:
    """The whole document as plain values."""
    components = schemas(OPERATIONS, REF)
    paths: dict[str, dict[str, Any]] = {}
    for operation in OPERATIONS:
        if _takes_json(operation):
            components[body_name(operation)] = body_schema(operation, components[operation.request.__name__])
        path = paths.setdefault(PREFIX + operation.route.path, {})
        path[operation.route.method.lower()] = _operation(operation, components)
    paths.update(engine_paths())
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "AI Memory Service",
            "version": version,
            "summary": "Long-term memory for AI agents, on the user's own machine.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The service that this document is from."}],
        "tags": [{"name": name, "description": meaning} for name, meaning in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": {**components, **engine_schemas(), **error_schemas()},
            "responses": {_response_name(status): _error_response(status) for status in _statuses()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}],
    }
    return complete(document)


def _takes_json(operation: Operation) -> bool:
    return operation.route.method not in WITHOUT_BODY and operation.stream != "in"


def _operation(operation: Operation, components: dict[str, Schema]) -> dict[str, Any]:
    request = components[operation.request.__name__]
    in_path = path_fields(operation)
    fields: dict[str, Schema] = request["properties"]
    made: dict[str, Any] = {
        "operationId": operation.name,
        "tags": [_TAG_OF_MODULE[operation.request.__module__.rpartition(".")[2]]],
        "summary": operation.summary,
        "description": request.get("description", operation.summary),
        "parameters": [_parameter(name, "path", fields[name]) for name in in_path],
        "responses": _responses(operation),
    }
    if not _takes_json(operation):
        required = request.get("required", ())
        made["parameters"] += [
            _parameter(name, "query", schema, required=name in required)
            for name, schema in fields.items()
            if name not in in_path
        ]
    else:
        body = components[body_name(operation)]
        content = {
            "schema": {"$ref": REF.format(name=body_name(operation))},
            "example": example_values(operation, body),
        }
        made["requestBody"] = {"required": bool(body["required"]), "content": {"application/json": content}}
    if operation.stream == "in":
        text = "One JSON object per line: drafts as for remember, or the lines of an archive."
        made["requestBody"] = {
            "required": True,
            "content": {
                JSON_LINES: {"schema": {"type": "string", "description": text}, "example": LINES},
                "application/octet-stream": {"schema": {"type": "string", "format": "binary", "description": text}},
            },
        }
    for field, (name, description, schema) in _HEADER_FIELDS.items():
        if field in fields:
            made["parameters"].append({"name": name, "in": "header", "description": description, "schema": schema})
    return made


def _parameter(name: str, place: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    schema = default_said(without_null(schema))
    parameter = {"name": name, "in": place, "required": required or place == "path", "schema": schema}
    if parameter["required"]:
        parameter["example"] = VALUES[name]
    if "description" in schema:
        parameter["description"] = schema["description"]
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    return parameter


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/{_response_name(status)}"} for status in _statuses()
    }
    if operation.response is bytes:
        schema: Schema = {"type": "string", "format": "binary", "description": "One JSON object per line."}
        found["200"] = {"description": operation.summary, "content": {JSON_LINES: {"schema": schema}}}
        return found
    answer: dict[str, Any] = {
        "description": operation.summary,
        "headers": _headers(operation),
        "content": {"application/json": {"schema": {"$ref": REF.format(name=operation.response.__name__)}}},
    }
    found["200"] = answer
    if operation.created is not None:
        found["200"] = {**answer, "description": "The same text was stored already"}
        found["201"] = {**answer, "description": "Stored; the memories that it supersedes are no longer current"}
    return dict(sorted(found.items()))


def _headers(operation: Operation) -> dict[str, Any]:
    text = {"type": "string"}
    headers: dict[str, Any] = {"X-Request-Id": {"description": "The request's id in the server's log.", "schema": text}}
    if "revision" in operation.response.__struct_fields__:
        headers["ETag"] = {"description": 'The memory\'s revision, such as `"3"`.', "schema": text}
    return headers


def _statuses() -> list[int]:
    return sorted({cls.status for cls in error_classes().values() if cls is not MemoryServiceError})


def _response_name(status: int) -> str:
    return f"Error{status}"


def _error_response(status: int) -> dict[str, Any]:
    causes = [
        f"`{code}`: {(inspect.getdoc(cls) or '').splitlines()[0]}"
        for code, cls in sorted(error_classes().items())
        if cls.status == status and cls is not MemoryServiceError
    ]
    response: dict[str, Any] = {
        "description": "\n\n".join(causes),
        "content": {"application/json": {"schema": {"$ref": REF.format(name="ServiceError")}}},
    }
    if status == 429:
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return response
