"""The same operation through each surface: in process, REST, MCP and the command line, each on a real store of its own.

A result comes back as plain JSON values, an error as `{"error": {"code": …}}`, so that surfaces can be compared.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote, urlencode

import msgspec
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal

from ai_memory import Client, Memory
from ai_memory.cli import exits
from ai_memory.cli.options import fields_for
from ai_memory.cli.program import main
from ai_memory.errors import MemoryServiceError
from ai_memory.mcp.structured import structure_of
from ai_memory.operations.base import Operation, to_json
from ai_memory.operations.table import BY_NAME
from ai_memory.python.methods import Methods
from ai_memory.settings import Settings
from tests.support.rest_server import Served, ask, serving
from tests.support.serving import running_service

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from mcp import Client as McpClient

Values = Mapping[str, Any]
ID = re.compile(r"\b(mem|ent|rel|dec|pro|fbk)_[0-9a-z]{26}\b")
STORE = re.compile(r"\S*/memory\.db")
VOLATILE = {
    "created_at", "recorded_at", "retired_at", "took_ms", "answer_hash", "store", "index_bytes", "request_id", "sequence",
    "unread", "decided_at", "undone_at", "mend",
    "made_at", "at", "updated_at", "ran_at", "folder",
    "actor", "made_by", "decided_by", "paused_by", "steered_by",  # who writes is known from the surface itself
}  # fmt: skip


class Surface(Protocol):
    """One way to reach the service."""

    name: str

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        """The result or error of one operation; None where this surface does not have it."""
        ...


def settings(folder: Path) -> Settings:
    return Settings(data_dir=folder, model="none", snapshot_rows=0)


def plain(value: Any) -> Any:
    return json.loads(to_json(value))


class Python:
    """`Memory` or `Client`: the same methods."""

    def __init__(self, name: str, methods: Methods) -> None:
        self.name = name
        self.methods = methods

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        try:
            method = getattr(self.methods, operation)
            if operation == "import_lines":
                return plain(method(lines, **values))
            result = method(**values)
            return list(result) if operation == "export" else plain(result)
        except MemoryServiceError as error:
            return plain({"error": error.body()})


def has_tool(operation: str, values: Values) -> bool:
    """Whether MCP has a tool for an operation with these values."""
    tool = BY_NAME[operation].tool
    return tool is not None and set(values) <= set(tool.fields)


class AsTools(Python):
    """In process; what has a tool comes back as that tool's structured content, without what a model does not need."""

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        result = super().call(operation, values, lines)
        if not has_tool(operation, values) or "error" in result or result.get("outcome") == "rejected":
            return result
        return plain(structure_of(msgspec.convert(result, BY_NAME[operation].response), dt.UTC))


class Rest:
    """Plain HTTP, with the values as they are: nothing is checked or made right on the way."""

    name = "rest"

    def __init__(self, served: Served) -> None:
        self.served = served

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        route = BY_NAME[operation].route
        rest = dict(values)
        target = "/v1" + route.path
        for name in list(rest):
            if f"{{{name}}}" in target:
                target = target.replace(f"{{{name}}}", quote(str(rest.pop(name)).encode("utf-8", "replace"), safe=""))
        body: Any = rest
        headers = {}
        if route.method in ("GET", "DELETE") or BY_NAME[operation].stream == "in":
            target += "?" + urlencode(list(query_pairs(rest)), errors="surrogatepass") if rest else ""
            body = None
        if lines:
            body, headers = b"\n".join(lines), {"Content-Type": "application/x-ndjson"}
        got = ask(self.served, route.method, target, body, headers)
        if operation == "export" and got.status == 200:
            return [json.loads(line) for line in got.body.splitlines()]
        return got.json


class Mcp:
    """The official client over HTTP; what has no tool goes over REST to the same service."""

    name = "mcp"

    def __init__(self, portal: BlockingPortal, client: McpClient, rest: Python) -> None:
        self._portal = portal
        self._client = client
        self._rest = rest

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        if not has_tool(operation, values):
            return self._rest.call(operation, values, lines)
        return self.call_tool(operation, values)

    def call_tool(self, operation: str, values: Values) -> Any:
        tool = BY_NAME[operation].tool
        assert tool is not None
        result = self._portal.call(self._client.call_tool, tool.name, dict(values))
        structured = result.structured_content
        assert structured is not None
        assert result.is_error == ("error" in structured)
        receipt = structured.get("error", {}).get("details", {}).get("receipt")
        return receipt or structured


class CommandLine:
    """`main` with its real standard streams replaced, on a store that no service runs on."""

    name = "cli"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def call(self, operation: str, values: Values, lines: Sequence[bytes] = ()) -> Any:
        command = BY_NAME[operation].command
        if command is None or set(command.hidden) & set(values):
            return None
        words = argv(BY_NAME[operation], values)
        if operation == "import_lines":
            return self.run([command.name, "-", *words], b"\n".join(lines))
        objects = [field.name for field in fields_for(BY_NAME[operation].request) if field.kind == "objects"]
        given = json.dumps([values[name] for name in objects if name in values][:1])[1:-1]
        return self.run([command.name, *words], given.encode())

    def run(self, words: Sequence[str], stdin: bytes = b"") -> Any:
        """What a command line printed as JSON; an error's exit code is that of its code."""
        kept, setting = (sys.stdin, sys.stdout, sys.stderr), "AI_MEMORY_MODEL"
        before = os.environ.get(setting)
        os.environ[setting] = "none"
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True) for _ in range(2))
        sys.stdin, sys.stdout, sys.stderr = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"), out, err
        try:
            code = main([words[0], "--json", "--data-dir", str(self._folder), *words[1:]])
        finally:
            sys.stdin, sys.stdout, sys.stderr = kept
            if before is None:
                del os.environ[setting]
            else:
                os.environ[setting] = before
        printed = out.buffer.getvalue()
        if printed:
            return [json.loads(line) for line in printed.splitlines()] if words[0] == "export" else json.loads(printed)
        printed_error = err.buffer.getvalue().decode()
        error = json.loads(printed_error)
        assert code == (exits.BY_CODE[error["error"]["code"]]) or code == exits.USAGE, (code, printed_error)
        return error


def argv(operation: Operation, values: Values) -> list[str]:
    """The words of a command line for these values."""
    assert operation.command is not None
    fields = {field.name: field for field in fields_for(operation.request)}
    words: list[str] = []
    for name, value in values.items():
        if name == "namespace":
            words += ["--namespace", str(value)]
        elif name in operation.command.positional:
            continue
        elif isinstance(value, bool):
            words.append(f"--{'' if value else 'no-'}{name.replace('_', '-')}")
        elif value is None and name in fields:
            words += ["--clear", name]
        else:
            text = json.dumps(value) if isinstance(value, dict | list | tuple) else str(value)
            words.append(f"--{name.replace('_', '-')}={text}")
    placed: list[str] = []
    for name in operation.command.positional:
        if name in values:
            value = "-" if fields[name].kind == "objects" else values[name]
            placed += map(str, value) if isinstance(value, list | tuple) else [str(value)]
    return [*words, "--", *placed] if placed else words


def query_pairs(values: Values) -> Iterator[tuple[str, str]]:
    """Values as they are written in a query string: text as it is, anything else, lists too, as JSON."""
    for name, value in values.items():
        yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@contextmanager
def all_surfaces(folder: Path) -> Iterator[dict[str, Surface]]:
    """Every surface on an empty store of its own."""
    with ExitStack() as stack:
        memory = stack.enter_context(Memory(settings=settings(folder / "python")))
        as_tools = stack.enter_context(Memory(settings=settings(folder / "as-tools")))
        client_served = stack.enter_context(serving(folder / "client", model="none"))
        client = stack.enter_context(Client(client_served.url))
        rest = stack.enter_context(serving(folder / "rest", model="none"))
        url = stack.enter_context(running_service(folder / "mcp", AI_MEMORY_SNAPSHOT_ROWS="0"))
        portal = stack.enter_context(start_blocking_portal())
        connection = stack.enter_context(portal.wrap_async_context_manager(McpClient(f"{url}/mcp", mode="auto")))
        without_tool = Python("rest for mcp", stack.enter_context(Client(url)))
        surfaces: list[Surface] = [
            Python("python", memory),
            AsTools("as tools", as_tools),
            Python("client", client),
            Rest(rest),
            Mcp(portal, connection, without_tool),
            CommandLine(folder / "cli"),
        ]
        yield {surface.name: surface for surface in surfaces}


class Names:
    """Ids differ from store to store: each is named by the order in which it was first seen."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}

    def normal(self, value: Any) -> Any:
        """A result without what may differ between stores: ids by name, no times of the clock, numbers to six digits."""
        if isinstance(value, dict):
            kept = {key: self.normal(inner) for key, inner in value.items() if key not in VOLATILE}
            if isinstance(kept.get("cursor"), str):
                kept["cursor"] = "a cursor"
            return kept
        if isinstance(value, list):
            return [self.normal(item) for item in value]
        if isinstance(value, str):
            return ID.sub(lambda found: self._named(found.group()), STORE.sub("the store", value))
        return round(value, 6) if isinstance(value, float) else value

    def _named(self, identity: str) -> str:
        return self._names.setdefault(identity, f"{identity[:3]}-{len(self._names)}")
