"""The OpenAPI 3.1 document, made from the operations and the embedder's routes."""

from __future__ import annotations

import inspect
import re
from typing import Any

from ai_memory.api.embeddings.document import engine_paths, engine_schemas
from ai_memory.api.endpoints import WITHOUT_BODY
from ai_memory.errors import MemoryServiceError, error_classes
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.schema import Schema, schemas, without_null
from ai_memory.operations.table import OPERATIONS

REF = "#/components/schemas/{name}"
LINES = "application/x-ndjson"

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
        path = paths.setdefault(PREFIX + operation.route.path, {})
        path[operation.route.method.lower()] = _operation(operation, components)
    paths.update(engine_paths())
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AI Memory Service",
            "version": version,
            "summary": "Long-term memory for AI agents, on the user's own machine.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {
            "schemas": {**components, **engine_schemas(), "Error": _error_schema()},
            "responses": {_response_name(status): _error_response(status) for status in _statuses()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
            },
        },
        "security": [{}, {"bearer": []}, {"header": []}],
    }


def path_fields(operation: Operation) -> list[str]:
    """The fields in an operation's path."""
    return re.findall(r"{(\w+)}", operation.route.path)


def _operation(operation: Operation, components: dict[str, Schema]) -> dict[str, Any]:
    request = components[operation.request.__name__]
    in_path = path_fields(operation)
    fields: dict[str, Schema] = request["properties"]
    made: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": request.get("description", operation.summary),
        "parameters": [_parameter(name, "path", fields[name]) for name in in_path],
        "responses": _responses(operation),
    }
    if operation.route.method in WITHOUT_BODY or operation.stream == "in":
        required = request.get("required", ())
        made["parameters"] += [
            _parameter(name, "query", schema, required=name in required)
            for name, schema in fields.items()
            if name not in in_path
        ]
    else:
        made["requestBody"] = {
            "required": bool(set(request.get("required", ())) - set(in_path)),
            "content": {"application/json": {"schema": _body_schema(operation, request, in_path)}},
        }
    if operation.stream == "in":
        text = "One JSON object per line: drafts as for remember, or the lines of an archive."
        made["requestBody"] = {
            "required": True,
            "content": {LINES: {"schema": {"type": "string", "description": text}}},
        }
    for field, (name, description, schema) in _HEADER_FIELDS.items():
        if field in fields:
            made["parameters"].append({"name": name, "in": "header", "description": description, "schema": schema})
    return made


def _parameter(name: str, place: str, schema: Schema, *, required: bool = False) -> dict[str, Any]:
    schema = without_null(schema)
    parameter = {"name": name, "in": place, "required": required or place == "path", "schema": schema}
    if "description" in schema:
        parameter["description"] = schema["description"]
    if schema.get("type") == "array":
        parameter |= {"style": "form", "explode": True}
    return parameter


def _body_schema(operation: Operation, request: Schema, in_path: list[str]) -> Schema:
    """The request's schema, without the fields in the path."""
    if not in_path:
        return {"$ref": REF.format(name=operation.request.__name__)}
    left = {name: schema for name, schema in request["properties"].items() if name not in in_path}
    required = [name for name in request.get("required", ()) if name not in in_path]
    return {**request, "properties": left, "required": required}


def _responses(operation: Operation) -> dict[str, Any]:
    found: dict[str, Any] = {
        str(status): {"$ref": f"#/components/responses/{_response_name(status)}"} for status in _statuses()
    }
    if operation.response is bytes:
        schema: Schema = {"type": "string", "description": "One JSON object per line."}
        found["200"] = {"description": operation.summary, "content": {LINES: {"schema": schema}}}
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
        "content": {"application/json": {"schema": {"$ref": REF.format(name="Error")}}},
    }
    if status == 429:
        response["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return response


def _error_schema() -> Schema:
    fields: dict[str, Schema] = {
        "code": {"type": "string", "enum": sorted(error_classes()), "description": "Stable; for programs to compare."},
        "message": {"type": "string", "description": "What was wrong, with the limit if there is one."},
        "hint": {"type": ["string", "null"], "description": "How to fix it."},
        "details": {"type": "object", "description": "The values behind the message, and `request_id`."},
    }
    inner = {"type": "object", "properties": fields, "required": list(fields)}
    return {"title": "Error", "type": "object", "properties": {"error": inner}, "required": ["error"]}
