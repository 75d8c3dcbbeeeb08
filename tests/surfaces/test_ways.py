"""The ways out that errors and notices name: each surface is given what its readers can do, and what is named exists."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import ai_memory
from ai_memory import Client
from ai_memory.cli.parser import build_parser
from ai_memory.cli.table import COMMANDS
from ai_memory.errors import InvalidInputError
from ai_memory.operations.base import PREFIX
from ai_memory.operations.table import OPERATIONS
from ai_memory.wording import ways
from ai_memory.wording.ways import SURFACES, Way, named, speaking, spoken

ALL = {name: way for name, way in vars(ways).items() if isinstance(way, Way)}
ALL |= {
    "fetch_model": ways.fetch_model("minilm"),
    "again_after": ways.again_after(3, ", or wait"),
    "by_field": ways.by_field("include_ended", ""),
    "installing": ways.installing("gpu", "pip install x"),
}
SHELL = re.compile(r"ai-memory [a-z]|\bpip |(^|\s)--[a-z]|AI_MEMORY_(?!API_KEY|MAX)")
ROOT = Path(ai_memory.__file__).parent
FOR_COMMANDS = ("cli", "evaluate", "bulk", "modelcheck")
"""Areas that only the command line uses."""
STARTS = {
    "discovery.py", "wiring/stores.py", "recall/tuned.py", "embed/models/hub.py", "embed/models/fetch.py", "store/copying.py",
    "python/embedding_model.py", "store/sqlite/whole/checking.py", "store/neo4j/checking.py", "wiring/__init__.py", "api/server.py",
    "installation.py", "settings.py",
}  # fmt: skip
"""Modules whose errors end a command or a program's own constructor, before any request: no caller elsewhere reads them."""


@pytest.mark.parametrize("name", ALL)
def test_no_surface_reads_the_words_of_another(name: str) -> None:
    way = ALL[name]
    assert not SHELL.search(way.rest), "a caller over HTTP has no shell on the service's machine"
    assert not SHELL.search(way.mcp.replace("set AI_MEMORY_API_KEY", "")), "nor has a model"
    assert not re.search(r"/v1/|Authorization|Retry-After|Header", way.mcp)
    assert not re.search(r"/v1/|Authorization|Retry-After|Client\(|\w\(\)", way.cli)
    assert all(way.words(surface) for surface in SURFACES)


def test_every_command_route_tool_and_method_that_is_named_exists() -> None:
    routes = {f"{operation.route.method} {PREFIX}{operation.route.path}" for operation in OPERATIONS}
    tools = {operation.tool.name for operation in OPERATIONS if operation.tool is not None}
    seen = set()
    for way in ALL.values():
        for command in re.findall(r"ai-memory ([a-z-]+)((?: --[a-z-]+)*)", way.cli):
            seen.add(command[0])
            assert command[0] in COMMANDS
            options = set(build_parser(command[0])._actions[-1].choices[command[0]].options())  # type: ignore[index]
            assert set(command[1].split()) <= options, command
        for route in re.findall(r"(?:GET|POST|DELETE|PATCH) [/\w{}]+", way.rest):
            assert route in routes
        for method in re.findall(r"(\w+)\(\)", way.python):
            assert hasattr(Client, method) or hasattr(ai_memory.Memory, method), method
    assert {"model", "reembed", "doctor", "embed", "list", "serve"} <= seen
    assert {ways.LIST.mcp.split()[0], ways.NEIGHBOURS.mcp.split()[0]} <= tools


def test_the_words_are_chosen_where_they_are_shown() -> None:
    error = InvalidInputError("x", hint=ways.FETCH_MODEL)
    said = []
    for surface in SURFACES:
        with speaking(surface):
            said.append(error.hint)
            assert error.body()["hint"] == error.hint
    assert said == [ways.FETCH_MODEL.words(surface) for surface in SURFACES]
    assert spoken() == "python"
    assert (named("mcp", "rest"), named("MCP", "rest"), named(None, "cli")) == ("mcp", "rest", "cli")


def _hints() -> Iterator[tuple[str, int, str]]:
    """Every literal that is passed as `hint` or `mend` where a caller of the service may read it."""
    for file in ROOT.rglob("*.py"):
        place = file.relative_to(ROOT)
        if place.parts[0] in FOR_COMMANDS or place.as_posix() in STARTS:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            for keyword in getattr(node, "keywords", ()):
                if keyword.arg in ("hint", "mend"):
                    for part in ast.walk(keyword.value):
                        if isinstance(part, ast.Constant) and isinstance(part.value, str):
                            yield place.as_posix(), part.lineno, part.value


def test_no_hint_that_a_caller_may_read_is_a_shell_command() -> None:
    hints = list(_hints())
    assert len(hints) > 60
    wrong = [hint for hint in hints if re.search(r"ai-memory [a-z]|\bpip |(^|\s)--[a-z]", hint[2])]
    called = ("fetch_model", "by_operator")
    assert [hint for hint in wrong if not any(name in _line(hint) for name in called)] == []


def _line(hint: tuple[str, int, str]) -> str:
    lines = (ROOT / hint[0]).read_text(encoding="utf-8").splitlines()
    return " ".join(lines[max(0, hint[1] - 2) : hint[1]])
