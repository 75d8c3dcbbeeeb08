"""Writes the types and methods of the TypeScript client (clients/typescript/src/operations.ts) from the operations."""

from __future__ import annotations

import json
import re
from typing import Any

from ai_memory.operations.base import Operation
from ai_memory.operations.schema import schemas
from ai_memory.operations.table import OPERATIONS

HEAD = """// The types and methods of the operations. Written by scripts/generate.py from the operations; do not edit.

import { Caller, type CallOptions, type Route } from "./client.js";
"""
NAME = re.compile(r"[A-Za-z_$][\w$]*")


def typescript_module() -> str:
    """The text of operations.ts."""
    components = schemas(OPERATIONS)
    requests = _reached({operation.request.__name__ for operation in OPERATIONS}, components)
    types = [_declared(name, components[name], given=name in requests) for name in sorted(components)]
    methods = [_method(operation, components) for operation in OPERATIONS if operation.stream is None]
    body = "\n\n".join(methods)
    title = "/** A client of a running service: one method for each operation, with the fields of REST. */"
    return "\n".join(
        [HEAD, "\n\n".join(types), "", f"{title}\nexport class MemoryClient extends Caller {{\n{body}\n}}\n"]
    )


def _reached(names: set[str], components: dict[str, Any]) -> set[str]:
    """These types and all that are in them."""
    found: set[str] = set()
    while names:
        found |= names
        inside = (re.findall(r"#/components/schemas/(\w+)", json.dumps(components[name])) for name in names)
        names = {each for every in inside for each in every} - found
    return found


def _declared(name: str, schema: dict[str, Any], *, given: bool) -> str:
    """A type by its name; `given`: of a request, where what has a default may be left out."""
    comment = _comment(schema.get("description"), "")
    if schema.get("type") != "object" or "properties" not in schema:
        return f"{comment}export type {name} = {_type(schema)};"
    required = set(schema.get("required", ()))
    lines = []
    for field, each in schema["properties"].items():
        mark = "?" if given and field not in required else ""  # an answer has all its fields
        shown = field if NAME.fullmatch(field) else json.dumps(field)
        lines.append(f"{_comment(each.get('description'), '  ')}  {shown}{mark}: {_type(each)};")
    return f"{comment}export interface {name} {{\n" + "\n".join(lines) + "\n}"


def _comment(text: str | None, indent: str) -> str:
    safe = " ".join((text or "").replace("*/", "* /").split())
    return f"{indent}/** {safe} */\n" if safe else ""


def _type(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[-1]
    if "const" in schema:
        return json.dumps(schema["const"])
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return " | ".join(dict.fromkeys(_type(each) for each in schema[key]))
    kind = schema.get("type")
    if kind == "array":
        inner = _type(schema.get("items", {}))
        return f"({inner})[]" if " " in inner else f"{inner}[]"
    if kind == "object":
        if schema.get("properties"):
            required = set(schema.get("required", ()))
            fields = (
                f"{name}{'' if name in required else '?'}: {_type(each)}" for name, each in schema["properties"].items()
            )
            return f"{{ {'; '.join(fields)} }}"
        of = schema.get("additionalProperties")
        return f"Record<string, {_type(of) if isinstance(of, dict) and of else 'unknown'}>"
    return {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}.get(
        str(kind), "unknown"
    )


def _method(operation: Operation, components: dict[str, Any]) -> str:
    name = re.sub(r"_([a-z])", lambda found: found[1].upper(), operation.name)
    request = operation.request.__name__
    needed = bool(components[request].get("required"))
    given = f"request: {request}{'' if needed else ' = {}'}"
    route = {
        "method": operation.route.method,
        "path": operation.route.path,
        "reads": operation.effect == "read",
        "refusal": operation.refusal is not None,
        "scoped": "namespace" in operation.request.__struct_fields__,
    }
    shown = ", ".join(f"{key}: {json.dumps(value)}" for key, value in route.items())
    response = operation.response.__name__
    return (
        f"{_comment(operation.summary + '.', '  ')}"
        f"  {name}({given}, options: CallOptions = {{}}): Promise<{response}> {{\n"
        f"    const route: Route = {{ {shown} }};\n"
        f"    return this.call(route, request, options);\n  }}"
    )
