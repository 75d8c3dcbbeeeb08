"""Tool arguments as models and bridges write them, and the schemas that those read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import Struct, structs

from ai_memory.errors import InvalidInputError
from ai_memory.mcp.lenient import read_arguments
from ai_memory.mcp.tools import TOOLS, check_arguments, input_schemas, request_in
from ai_memory.operations.base import fields_of
from ai_memory.types import MemoryType

READ: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("remember", {"tags": "ops, redis"}, {"tags": ("ops", "redis")}),
    ("remember", {"tags": '["ops", "a, b"]'}, {"tags": ("ops", "a, b")}),
    ("remember", {"tags": "ops"}, {"tags": ("ops",)}),
    ("remember", {"tags": ["ops", "", None]}, {"tags": ("ops",)}),
    ("remember", {"tags": "[draft"}, {"tags": ("[draft",)}),
    ("remember", {"tags": "[]"}, {"tags": ()}),
    ("remember", {"tags": ""}, {"tags": ()}),
    ("remember", {"supersedes": "mem_a,mem_b"}, {"supersedes": ("mem_a", "mem_b")}),
    ("remember", {"importance": "0.9"}, {"importance": 0.9}),
    ("remember", {"importance": 1}, {"importance": 1.0}),
    ("remember", {"importance": None}, {"importance": 0.5}),
    ("remember", {"type": "Semantic"}, {"type": MemoryType.SEMANTIC}),
    ("remember", {"type": "PROBLEM-SOLUTION"}, {"type": MemoryType.PROBLEM_SOLUTION}),
    ("remember", {"type": " problem solution "}, {"type": MemoryType.PROBLEM_SOLUTION}),
    ("remember", {"title": "", "author": "", "session": "", "valid_from": "", "valid_to": None}, {"session": None}),
    ("remember", {"text": "a, b"}, {"text": "a, b"}),
    ("recall", {"limit": "3"}, {"limit": 3}),
    ("recall", {"limit": 3.0}, {"limit": 3}),
    ("recall", {"limit": "3.0"}, {"limit": 3}),
    ("recall", {"limit": "", "max_tokens": None}, {"limit": 10, "max_tokens": None}),
    ("recall", {"types": '["Semantic"]'}, {"types": (MemoryType.SEMANTIC,)}),
    ("recall", {"types": "semantic, Insight"}, {"types": (MemoryType.SEMANTIC, MemoryType.INSIGHT)}),
    ("recall", {"session": "", "tags": [""], "types": []}, {"session": (), "tags": (), "types": ()}),
    ("recall", {"as_of": "", "known_at": " ", "occurred_after": "  "}, {"as_of": None, "known_at": None}),
    ("list_memories", {"cursor": ""}, {"cursor": None}),
    ("revise", {"id": "mem_a", "tags": [], "if_revision": "2", "valid_to": ""}, {"tags": (), "if_revision": 2}),
    ("relate", {"type": "works_at"}, {"type": "WORKS_AT"}),
    ("relate", {"type": "owned by"}, {"type": "OWNED_BY"}),
    ("relate", {"type": "worksAt"}, {"type": "WORKS_AT"}),
    ("relate", {"type": ""}, {"type": "REFERS_TO"}),
    ("neighbours", {"types": "works at, KNOWS", "depth": "2"}, {"types": ("WORKS_AT", "KNOWS"), "depth": 2}),
]


def filled(tool: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments, with something for each required field."""
    fields = fields_of(TOOLS[tool].request)
    return {**{name: "entity:a" for name, field in fields.items() if field.required}, **arguments}


@pytest.mark.parametrize(("tool", "arguments", "wanted"), READ)
def test_what_models_write_is_read(tool: str, arguments: dict[str, Any], wanted: dict[str, Any]) -> None:
    operation = TOOLS[tool]
    request = request_in(operation, check_arguments(operation, filled(tool, arguments)), "default")
    assert {name: getattr(request, name) for name in wanted} == wanted


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("recall", {"limit": "3.5"}),
        ("recall", {"limit": "three"}),
        ("recall", {"limit": True}),
        ("recall", {"limit": "1e999"}),
        ("recall", {"types": {"a": 1}}),
        ("recall", {"types": "[semantic]"}),
        ("recall", {"types": "fact"}),
        ("remember", {"importance": "nan"}),
        ("remember", {"importance": [0.5]}),
        ("remember", {"tags": [["a"]]}),
        ("remember", {"text": 5}),
        ("remember", {"text": None}),
        ("remember", {"namespace": "other"}),
    ],
)
def test_what_has_no_one_meaning_is_refused(tool: str, arguments: dict[str, Any]) -> None:
    operation = TOOLS[tool]
    with pytest.raises(InvalidInputError):
        request_in(operation, check_arguments(operation, filled(tool, arguments)), "default")


def test_every_field_of_every_tool_may_be_left_blank() -> None:
    for tool, operation in TOOLS.items():
        fields = operation.tool.fields if operation.tool else ()
        optional = [name for name in fields if not fields_of(operation.request)[name].required]
        plain = request_in(operation, check_arguments(operation, filled(tool, {})), "default")
        for blank in ("", None):
            given = filled(tool, dict.fromkeys(optional, blank))
            assert request_in(operation, check_arguments(operation, given), "default") == plain, (tool, blank)


class Other(Struct, kw_only=True):
    """Types of fields that no tool has yet."""

    sure: bool = False


def test_truth_values() -> None:
    assert read_arguments(Other, {"sure": "True"}) == {"sure": True}
    assert read_arguments(Other, {"sure": " false"}) == {"sure": False}
    assert read_arguments(Other, {"sure": "perhaps"}) == {"sure": "perhaps"}
    assert structs.asdict(Other()) == {"sure": False}


def untyped(schema: dict[str, Any], path: str) -> list[str]:
    """The parts of a schema that have no type."""
    found = [] if isinstance(schema.get("type"), str) else [path]
    for name, field in schema.get("properties", {}).items():
        found += untyped(field, f"{path}.{name}")
    return found + (untyped(schema["items"], path + "[]") if "items" in schema else [])


def test_every_part_of_every_schema_has_a_type_and_none_forbids_others() -> None:
    for name, schema in input_schemas().items():
        assert untyped(schema, name) == []
        assert "additionalProperties" not in json.dumps(schema)
