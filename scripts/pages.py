"""Writes the reference page from the operations, and the settings page from the settings."""

from __future__ import annotations

import inspect
import json
from collections.abc import Sequence
from typing import Any

from ai_memory.api.documents.examples import example_values
from ai_memory.api.documents.page import curl, type_of
from ai_memory.api.embeddings.document import engine_schemas
from ai_memory.api.embeddings.routes import ROUTES, EngineRoute
from ai_memory.errors import MemoryServiceError, error_classes
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.schema import Schema, schemas
from ai_memory.operations.table import OPERATIONS
from ai_memory.settings import SecretStr, Setting, settings_table

GENERATED = "<!-- Written by scripts/generate.py; do not edit. -->"
TOML_EXAMPLE = """```toml
port = 7677
log_level = "warning"
allowed_hosts = ["memory.example"]

[api_keys]
"*" = ["a long random key"]
```"""


def reference_page() -> str:
    """docs/reference.md: every operation, every type, every error."""
    components = schemas(OPERATIONS)
    requests = {operation.request.__name__ for operation in OPERATIONS}
    parts = [
        GENERATED,
        "# Reference",
        "Each operation is defined once and is the same on every surface. Instants are RFC 3339 (`2026-03-14T09:30:00Z`) or a "
        "plain date; without a zone they are days and times of yours: of the setting "
        "`timezone`, else of this machine. Where a list is expected, a single value may be given.",
        "## Operations",
        _table(
            ("Operation", "REST", "Command", "MCP tool", "Effect"),
            [_overview(operation) for operation in OPERATIONS],
        ),
        *(_operation(operation, components) for operation in OPERATIONS),
        "## Routes of the embedder",
        "Other programs can use the model over HTTP in the formats of OpenAI and of text-embeddings-inference; "
        "[the page about these routes](embeddings-api.md) says which prompt is put before each text and what errors look like.",
        _table(
            ("Route", "For clients of", "What"),
            [
                (f"[`{route.method} {route.path}`](#{route.name})", route.error_format.name, route.summary)
                for route in ROUTES
            ],
        ),
        *(_route(route, engine_schemas("#/$defs/{name}")) for route in ROUTES),
        "## Types",
        *(_type(name, schema) for name, schema in sorted(components.items()) if name not in requests),
        "## Errors",
        'Every error is `{"error": {"code", "message", "hint", "details"}}` over HTTP, and an exception with the same four '
        "attributes in Python. `code` is stable.",
        _table(("Code", "HTTP", "Exception", "When"), _errors()),
    ]
    return "\n\n".join(parts) + "\n"


def settings_page() -> str:
    """docs/settings.md: every setting with its environment variable, type, default and meaning."""
    rows = [
        (f"`{each.name}`", f"`{each.variable}`", _kind(each.kind), _default(each), each.meaning)
        for each in settings_table()
    ]
    parts = [
        GENERATED,
        "# Settings",
        "A setting is read from the command line's flags, else from the environment, else from `config.toml` in the user's "
        "configuration folder (`~/.config/ai-memory/` on Linux), else it has its default. In the environment, lists and tables "
        "are written as JSON. `ai-memory settings` shows the values in effect and where each came from. A name that does not exist "
        "is refused; of environment variables, one that is nearly a setting's.",
        _table(("Setting", "Environment variable", "Type", "Default", "Meaning"), rows),
        "An example of `config.toml`:",
        TOML_EXAMPLE,
    ]
    return "\n\n".join(parts) + "\n"


def _overview(operation: Operation) -> tuple[str, ...]:
    return (
        f"[{operation.name}](#{operation.name})",
        f"`{operation.route.method} {PREFIX}{operation.route.path}`",
        f"`ai-memory {operation.command.name}`" if operation.command else "",
        f"`{operation.tool.name}`" if operation.tool else "",
        operation.effect,
    )


def _operation(operation: Operation, components: dict[str, Schema]) -> str:
    request = components[operation.request.__name__]
    required = request.get("required", ())
    rows = [
        (f"`{name}`", type_of(schema), _field_default(name, schema, required), str(schema.get("description", "")))
        for name, schema in request["properties"].items()
    ]
    name = "" if operation.response is bytes else operation.response.__name__
    answer = f"[{name}](#{name.lower()})" if name else "JSON lines"
    parts = [
        f"### {operation.name}",
        f"{operation.summary}. {_one_line(str(request.get('description', '')))}",
        _table(("Field", "Type", "Default", "Meaning"), rows) if rows else "",
        f"Answer: {answer}.",
        f"```sh\n{curl(operation, example_values(operation, request))}\n```",
    ]
    return "\n\n".join(part for part in parts if part)


def _route(route: EngineRoute, components: dict[str, Schema]) -> str:
    request = components[route.request.__name__]
    required = request.get("required", ())
    rows = [
        (f"`{name}`", type_of(schema), _field_default(name, schema, required), str(schema.get("description", "")))
        for name, schema in request["properties"].items()
    ]
    parts = [
        f"### {route.name}",
        f"`{route.method} {route.path}`. {_one_line(str(request['description'])) if rows else f'{route.summary}.'}",
        _table(("Field", "Type", "Default", "Meaning"), rows) if rows else "",
        f"```json\n{json.dumps(route.example, ensure_ascii=False)}\n```" if route.method == "POST" else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _type(name: str, schema: Schema) -> str:
    parts = [f"### {name}", _one_line(str(schema.get("description", "")))]
    if "enum" in schema:
        parts.append(", ".join(f"`{value}`" for value in schema["enum"]))
    else:
        rows = [
            (f"`{field}`", type_of(inner), str(inner.get("description", "")))
            for field, inner in schema.get("properties", {}).items()
        ]
        parts.append(_table(("Field", "Type", "Meaning"), rows))
    return "\n\n".join(part for part in parts if part)


def _errors() -> list[tuple[str, ...]]:
    classes = [cls for cls in error_classes().values() if cls is not MemoryServiceError]
    return [
        (f"`{cls.code}`", str(cls.status), f"`{cls.__name__}`", _one_line(inspect.getdoc(cls) or ""))
        for cls in sorted(classes, key=lambda cls: (cls.status, cls.code))
    ]


def _field_default(name: str, schema: Schema, required: Any) -> str:
    if name in required:
        return "required"
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`" if "default" in schema else "unchanged"


def _kind(kind: Any) -> str:
    text = kind.__name__ if isinstance(kind, type) and "[" not in str(kind) else str(kind)
    return f"`{text.replace('typing.', '').replace(SecretStr.__module__ + '.', '')}`"


def _default(setting: Setting) -> str:
    if setting.name == "data_dir":
        return "the platform's data folder (`~/.local/share/ai-memory` on Linux)"
    return f"`{json.dumps('' if isinstance(setting.default, SecretStr) else setting.default)}`"


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_one_line(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _one_line(text: str) -> str:
    return " ".join(text.split())
