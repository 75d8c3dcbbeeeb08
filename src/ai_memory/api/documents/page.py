"""The API page at `/docs`: every operation and route with its fields, an example and a form. It loads nothing from other sites."""

from __future__ import annotations

import json
from html import escape
from typing import Any

import msgspec

from ai_memory.api.documents.components import path_fields
from ai_memory.api.documents.examples import example_values
from ai_memory.api.embeddings.document import engine_schemas
from ai_memory.api.embeddings.routes import ROUTES, EngineRoute
from ai_memory.api.endpoints import WITHOUT_BODY
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.schema import Schema, schemas
from ai_memory.operations.table import OPERATIONS

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>AI Memory Service {version}: the REST API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/docs.css">
<script src="/docs/docs.js" defer></script>
</head>
<body>
<div class="layout">
<nav aria-label="Operations"><strong>AI Memory Service</strong><ul>{links}</ul></nav>
<main>
<header>
<h1>The REST API</h1>
<p>Version {version}. Every answer is JSON; every error is <code>{{"error": {{"code", "message", "hint", "details"}}}}</code>.
The same in machine-readable form: <a href="/v1/openapi.json">openapi.json</a>.</p>
<label>API key, if this server requires one (kept in this tab only)
<input id="api-key" type="password" autocomplete="off"></label>
</header>
{sections}
</main>
</div>
</body>
</html>
"""


def docs_page(version: str) -> bytes:
    """The page as UTF-8."""
    components = schemas(OPERATIONS)
    engine = engine_schemas()
    links = "".join(f'<li><a href="#{each}">{each}</a></li>' for each in _names())
    sections = "".join(_section(operation, components) for operation in OPERATIONS)
    sections += "".join(_engine_section(route, engine) for route in ROUTES)
    return _PAGE.format(version=escape(version), links=links, sections=sections).encode()


def _names() -> list[str]:
    return [operation.name for operation in OPERATIONS] + [route.name for route in ROUTES]


def type_of(schema: Schema) -> str:
    """A field's type and limits in a few words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rsplit("/", 1)[1]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_of(option) for option in schema["anyOf"]))
    if "enum" in schema:
        return ", ".join(json.dumps(value) for value in schema["enum"])
    kind = schema.get("type", "any")
    text = f"list of {type_of(schema['items'])}" if kind == "array" and "items" in schema else str(kind)
    return ", ".join([schema.get("format", text), *_limits(schema)])


def _limits(schema: Schema) -> list[str]:
    words = {
        "minimum": "≥ {:g}",
        "maximum": "≤ {:g}",
        "minLength": "at least {:,} long",
        "maxLength": "at most {:,} long",
        "minItems": "at least {:,}",
        "maxItems": "at most {:,}",
        "pattern": "{}",
    }
    return [form.format(schema[name]) for name, form in words.items() if name in schema]


def curl(operation: Operation, values: dict[str, Any]) -> str:
    """A command line that sends `values`."""
    path = PREFIX + operation.route.path
    values = dict(values)
    for name in path_fields(operation):
        path = path.replace(f"{{{name}}}", str(values.pop(name)))
    command = f"curl -X {operation.route.method} http://127.0.0.1:7677{path}"
    if operation.stream == "in":
        return f"{command} \\\n  -H 'Content-Type: application/x-ndjson' --data-binary @memories.jsonl"
    if operation.route.method in WITHOUT_BODY:
        return command
    return f"{command} \\\n  -H 'Content-Type: application/json' -d '{json.dumps(values, ensure_ascii=False)}'"


def _section(operation: Operation, components: dict[str, Schema]) -> str:
    request = components[operation.request.__name__]
    values = example_values(operation, request)
    return f"""<section id="{operation.name}">
<h2>{escape(operation.summary)}</h2>
<p><code class="route">{operation.route.method} {PREFIX}{escape(operation.route.path)}</code>
<span class="effect {operation.effect}">{operation.effect}</span> <span class="quiet">{operation.name}</span></p>
<p>{escape(str(request.get("description", "")))}</p>
{_fields(request)}
<h3>Answer</h3>
{_answer(operation, components)}
<h3>Example</h3>
<pre><code>{escape(curl(operation, values))}</code></pre>
<details><summary>Try it</summary>{_form(operation, values)}</details>
</section>
"""


def _engine_section(route: EngineRoute, components: dict[str, Schema]) -> str:
    request = components[route.request.__name__]
    form = _filled_form(route.method, route.path, route.example)
    sent = f" \\\n  -H 'Content-Type: application/json' -d '{json.dumps(route.example, ensure_ascii=False)}'"
    path = route.path.format(**route.example) if route.method == "GET" else route.path
    command = f"curl http://127.0.0.1:7677{path}{sent if route.method == 'POST' else ''}"
    return f"""<section id="{route.name}">
<h2>{escape(route.summary)}</h2>
<p><code class="route">{route.method} {escape(route.path)}</code>
<span class="effect read">read</span> <span class="quiet">{route.name}, errors in the format of {route.error_format.name}</span></p>
<p>{escape(str(request.get("description", "")))}</p>
{_fields(request)}
<h3>Answer</h3>
<p>{escape(_engine_answer(route))}</p>
<h3>Example</h3>
<pre><code>{escape(command)}</code></pre>
<details><summary>Try it</summary>{form}</details>
</section>
"""


def _engine_answer(route: EngineRoute) -> str:
    (answer,), components = msgspec.json.schema_components([route.response], ref_template="#/$defs/{name}")
    name = type_of(answer)
    described = components.get(getattr(route.response, "__name__", ""), {}).get("description", "")
    return f"{name}: {described}" if described else f"{name[:1].upper()}{name[1:]}."


def _fields(request: Schema) -> str:
    """A table of the request's fields; nothing where it has none."""
    required = request.get("required", ())
    rows = "".join(_row(name, schema, required=name in required) for name, schema in request["properties"].items())
    head = "<tr><th>Field</th><th>Type</th><th>Default</th><th>Meaning</th></tr>"
    return f'<div class="scroll"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>' if rows else ""


def _row(name: str, schema: Schema, *, required: bool) -> str:
    default = (
        "required" if required else f"<code>{escape(json.dumps(schema.get('default'), ensure_ascii=False))}</code>"
    )
    if not required and "default" not in schema:
        default = "unchanged"
    meaning = escape(str(schema.get("description", "")))
    return (
        f"<tr><td><code>{name}</code></td><td>{escape(type_of(schema))}</td><td>{default}</td><td>{meaning}</td></tr>"
    )


def _answer(operation: Operation, components: dict[str, Schema]) -> str:
    if operation.response is bytes:
        return "<p>One JSON object per line (<code>application/x-ndjson</code>).</p>"
    name = operation.response.__name__
    schema = components[name]
    shown = json.dumps(schema["properties"], indent=2, ensure_ascii=False).replace("#/$defs/", "")
    description = escape(str(schema.get("description", "")))
    fields = f"<details><summary>Fields</summary><pre><code>{escape(shown)}</code></pre></details>"
    return f"<p><code>{name}</code>: {description}</p>{fields}"


def _form(operation: Operation, values: dict[str, Any]) -> str:
    lines = ""
    if operation.stream == "in":
        lines = '<label>Lines<textarea name="lines">{"text": "We ship on Fridays."}</textarea></label>'
    return _filled_form(operation.route.method, PREFIX + operation.route.path, values, lines)


def _filled_form(method: str, path: str, values: dict[str, Any], lines: str = "") -> str:
    filled = escape(json.dumps(values, indent=2, ensure_ascii=False))
    return f"""<form data-method="{method}" data-path="{escape(path, quote=True)}"{' data-lines="1"' if lines else ""}>
<label>Fields as JSON<textarea name="fields" spellcheck="false">{filled}</textarea></label>{lines}
<button>Send</button><pre><output hidden></output></pre>
</form>"""
