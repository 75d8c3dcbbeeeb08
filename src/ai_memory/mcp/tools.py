"""The tools: one per operation, with only the fields that a model needs, in as few tokens as possible."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import msgspec
from msgspec import Meta

from ai_memory.mcp.lenient import read_arguments
from ai_memory.mcp.structured import STRUCTURES
from ai_memory.operations.base import (
    Operation,
    Request,
    Response,
    Tool,
    fields_of,
    meanings_of,
    parse,
    short_of,
    unknown_names,
)
from ai_memory.operations.schema import schemas, without_null
from ai_memory.operations.table import OPERATIONS

Schema = dict[str, Any]

TOOLS: dict[str, Operation] = {operation.tool.name: operation for operation in OPERATIONS if operation.tool is not None}
"""The operations by the name of their tool."""

_KEPT = ("type", "enum", "items", "minimum", "maximum", "properties", "required")
"""The parts of a schema that help a model to make a valid call. Lengths are left out: they are checked, and an error names them.
So is `additionalProperties`, at which some bridges to other model APIs fail: an unknown argument is refused by name as well."""


def tool_of(operation: Operation) -> Tool:
    """The operation's tool, which every operation in TOOLS has."""
    assert operation.tool is not None
    return operation.tool


@cache
def input_schemas() -> dict[str, Schema]:
    """The input schema of each tool by its name."""
    components = schemas(TOOLS.values())
    return {name: _input_schema(operation, components) for name, operation in TOOLS.items()}


def _input_schema(operation: Operation, components: Mapping[str, Schema]) -> Schema:
    whole = components[operation.request.__name__]
    fields = tool_of(operation).fields
    required = [name for name in whole.get("required", ()) if name in fields]
    meanings = meanings_of(operation.request)
    properties = {name: _compact(whole["properties"][name], meanings.get(name), components) for name in fields}
    schema: Schema = {"type": "object", "properties": properties}
    return {**schema, "required": required} if required else schema


@cache
def output_schemas() -> dict[str, Schema]:
    """The schema of each tool's structured content by the tool's name.

    At the top no field is required: the structured content of an error has `error` alone, and clients validate it as well.
    """
    kinds = {name: STRUCTURES[operation.response][0] for name, operation in TOOLS.items()}
    _, components = msgspec.json.schema_components(dict.fromkeys(kinds.values()))
    schemas = {}
    for name, kind in kinds.items():
        schema = _without_lengths(components[kind.__name__], components)
        schema.pop("required", None)
        schemas[name] = {**schema, "properties": {**schema["properties"], "error": {"type": "object"}}}
    return schemas


def _compact(field: Schema, meaning: Meta | None, components: Mapping[str, Schema]) -> Schema:
    """A property of a tool: the field's schema without lengths, described in the field's own short words."""
    field = without_null(field)
    description = short_of(meaning) if meaning is not None else ""
    compact = {**_without_lengths(field, components), **_default(field)}
    if description:
        compact["description"] = description
    if field.get("format") == "date-time":
        compact["description"] = f"{description} ISO date."
    return compact


def _without_lengths(field: Schema, components: Mapping[str, Schema]) -> Schema:
    if "$ref" in field:
        field = components[field["$ref"].rsplit("/", 1)[1]]
    compact = {key: field[key] for key in _KEPT if key in field}
    if "enum" in compact:  # msgspec gives an enumeration no type, without which some clients refuse the whole tool
        compact = {"type": "string", **compact}
    if isinstance(compact.get("items"), dict):
        compact["items"] = _without_lengths(compact["items"], components)
    if "properties" in compact:
        compact["properties"] = {
            name: {**_without_lengths(part, components), **_default(part)}
            for name, part in compact["properties"].items()
        }
    return compact


def _default(field: Schema) -> Schema:
    """A field's default, where it says more than that there is nothing."""
    default = field.get("default")
    return (
        {"default": default}
        if isinstance(default, bool | int | float) or (isinstance(default, str) and default)
        else {}
    )


def check_arguments(operation: Operation, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """A tool call's arguments as `read_arguments` reads them. Raises InvalidInputError for one that the tool does not take."""
    fields = tool_of(operation).fields
    unknown = sorted(set(arguments) - set(fields))
    if unknown:
        raise unknown_names("argument", unknown, fields)
    return read_arguments(operation.request, arguments)


def request_in(operation: Operation[Request, Response], values: Mapping[str, Any], namespace: str) -> Request:
    """The operation's request in `namespace`; raises what `parse` raises."""
    inside = {"namespace": namespace} if "namespace" in fields_of(operation.request) else {}
    return parse(operation.request, {**values, **inside})
