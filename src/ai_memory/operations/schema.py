"""JSON Schemas of the operations' requests and responses, for the adapters and pages that show them.

msgspec makes them from the types; what it leaves out is added here: the format of instants, and the descriptions that are
written as docstrings below a response's fields.
"""

from __future__ import annotations

import ast
import datetime as dt
import inspect
import itertools
import textwrap
from collections.abc import Iterable
from functools import cache
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from ai_memory.operations.base import hints_of, without_none

Schema = dict[str, Any]


@cache
def field_docs(struct: type[Struct]) -> dict[str, str]:
    """The docstrings below a struct's fields by field name; inherited ones included."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if cls is Struct or not issubclass(cls, Struct) or cls.__module__.startswith("msgspec"):
            continue
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for line, following in itertools.pairwise(body):
            text = _text_of(following)
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and text:
                docs[line.target.id] = " ".join(text.split())
    return docs


def _text_of(node: ast.stmt) -> str | None:
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
        return node.value.value
    return None


class HasTypes(Protocol):
    """An operation, or anything else that takes one type and gives another."""

    @property
    def request(self) -> type[Struct]:
        """What it takes."""
        ...

    @property
    def response(self) -> Any:
        """What it gives; `bytes` for a stream of JSON lines."""
        ...


def schemas(operations: Iterable[HasTypes], ref_template: str = "#/$defs/{name}") -> dict[str, Schema]:
    """Every schema that the operations' requests and responses need, by type name; references follow `ref_template`."""
    todo: list[Any] = []
    for operation in operations:
        todo.append(operation.request)
        if operation.response is not bytes:
            todo.append(operation.response)
    _, components = msgspec.json.schema_components(dict.fromkeys(todo), ref_template=ref_template)
    structs = _structs_within(todo)
    for name, schema in components.items():
        if name in structs:
            _complete(structs[name], schema)
    return components


def _structs_within(roots: Iterable[type[Struct]]) -> dict[str, type[Struct]]:
    """All struct types that the fields of `roots` reach, by name."""
    found: dict[str, type[Struct]] = {}
    todo: list[Any] = list(roots)
    while todo:
        kind = todo.pop()
        if isinstance(kind, type) and issubclass(kind, Struct):
            if kind.__name__ not in found:
                found[kind.__name__] = kind
                todo.extend(hints_of(kind).values())
        else:
            todo.extend(getattr(kind, "__args__", ()))
    return found


def _complete(struct: type[Struct], schema: Schema) -> None:
    docs = field_docs(struct)
    if "description" in schema:
        schema["description"] = inspect.cleandoc(schema["description"])
    for name, hint in hints_of(struct).items():
        field = schema["properties"][name]
        if without_none(hint) is dt.datetime:
            for part in field.get("anyOf", [field]):
                if part.get("type") == "string":
                    part["format"] = "date-time"
        if name in docs and "description" not in field:
            field["description"] = docs[name]


def without_null(schema: Schema) -> Schema:
    """A field's schema without `null`, for places where it cannot be written, such as a query string."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    rest = {key: value for key, value in schema.items() if key != "anyOf" and (key, value) != ("default", None)}
    if len(options) == 1:
        return {**options[0], **rest}
    return {**rest, "anyOf": options} if options else rest
