"""The OpenAPI document's named schemas, in the form that generators of clients read best.

Generators make a class or type of every schema. What has no name gets one from where it is, which may be another schema's; and
enumerations without a type, or schemas that nothing refers to, become types that nobody can use. So the parts that only this
document has (bodies without the fields of the path, errors) are named here, and what the paths do not reach is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ai_memory.errors import error_classes
from ai_memory.operations.base import Operation
from ai_memory.operations.schema import Schema

REF = "#/components/schemas/{name}"


def path_fields(operation: Operation) -> list[str]:
    """The fields in an operation's path."""
    return re.findall(r"{(\w+)}", operation.route.path)


def body_name(operation: Operation) -> str:
    """The name of the schema of an operation's body: the request's, unless some of its fields are in the path."""
    name = operation.request.__name__
    return name.removesuffix("Request") + "Body" if path_fields(operation) else name


def body_schema(operation: Operation, request: Schema) -> Schema:
    """The request's schema without the fields in the path."""
    in_path = path_fields(operation)
    left = {name: schema for name, schema in request["properties"].items() if name not in in_path}
    required = [name for name in request.get("required", ()) if name not in in_path]
    return {**request, "title": body_name(operation), "properties": left, "required": required}


def error_schemas() -> dict[str, Schema]:
    """The one shape of errors."""
    fields: dict[str, Schema] = {
        "code": {"type": "string", "enum": sorted(error_classes()), "description": "Stable; for programs to compare."},
        "message": {"type": "string", "description": "What was wrong, with the limit if there is one."},
        "hint": {"type": ["string", "null"], "description": "How to fix it."},
        "details": {"type": "object", "description": "The values behind the message, and `request_id`."},
    }
    detail = {"title": "ServiceErrorDetail", "type": "object", "properties": fields, "required": list(fields)}
    inner = {"error": {"$ref": REF.format(name="ServiceErrorDetail")}}
    error = {"title": "ServiceError", "type": "object", "properties": inner, "required": ["error"]}
    return {"ServiceError": error, "ServiceErrorDetail": detail}


def complete(document: dict[str, Any]) -> dict[str, Any]:
    """The document in the form that generators read best.

    It keeps the schemas that its paths and responses reach and no others, gives each enumeration its type, and requires every
    field of an answer, since answers leave none out. Defaults are said in words: generators that find them as values send every
    one of them with every request, or require the fields that have one.
    """
    components = document["components"]
    schemas: dict[str, Schema] = components["schemas"]
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    sent = _reached([(each["parameters"], each.get("requestBody")) for each in operations], schemas)
    answered = _reached([components["responses"], *(each["responses"] for each in operations)], schemas)
    used = {name: schema for name, schema in schemas.items() if name in sent | answered}
    for name, schema in used.items():
        fields: dict[str, Schema] | None = schema.get("properties")
        if fields is not None and name in sent:
            used[name] = {**schema, "properties": {key: default_said(field) for key, field in fields.items()}}
        elif fields is not None:
            left = {key: {part: value for part, value in fields[key].items() if part != "default"} for key in fields}
            used[name] = {**schema, "properties": left, "required": list(fields)}
    components["schemas"] = _typed(used)
    document["paths"] = _typed(document["paths"])
    return document


def default_said(field: Schema) -> Schema:
    """A field's schema with its default in the description; a default that means "not given" is left out."""
    rest = {key: value for key, value in field.items() if key != "default"}
    default = field.get("default")
    if default in (None, "", [], {}) or "Default:" in field.get("description", ""):
        return rest
    return {**rest, "description": f"{field.get('description', '')} Default: `{json.dumps(default)}`.".strip()}


def _reached(parts: Any, schemas: Mapping[str, Schema]) -> set[str]:
    """The names of the schemas that parts of the document refer to, directly or through others."""
    reached: set[str] = set()
    found = set(_references(parts))
    while found:
        reached |= found
        found = {name for each in found for name in _references(schemas[each])} - reached
    return reached


def _references(value: Any) -> Iterator[str]:
    """The names of the schemas that a part of the document refers to."""
    prefix = REF.format(name="")
    if isinstance(value, dict):
        reference = value.get("$ref")
        if isinstance(reference, str) and reference.startswith(prefix):
            yield reference.removeprefix(prefix)
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ():
        yield from _references(inner)


def _typed(value: Any) -> Any:
    """The same with `type: string` where an enumeration of strings has no type."""
    if isinstance(value, list):
        return [_typed(each) for each in value]
    if not isinstance(value, dict):
        return value
    typed = {name: _typed(inner) for name, inner in value.items()}
    values = value.get("enum")
    if isinstance(values, list) and "type" not in value and all(isinstance(each, str) for each in values):
        typed["type"] = "string"
    return typed
