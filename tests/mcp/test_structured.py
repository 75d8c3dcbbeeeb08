"""Structured content: as lean as the text, as its schema says, and without what only the whole record has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp import Client

from ai_memory.mcp.resources import LINKS
from ai_memory.mcp.structured import STRUCTURES
from ai_memory.mcp.tools import TOOLS, output_schemas
from tests.support.mcp_in_process import connected

NOTES = (
    "Grafana of the {place} cluster listens on port 33{number:02} and is restarted by systemd after a crash.",
    "Ada decided in March that the {place} office moves to the new building in week {number} of next year.",
    "The {place} team reviews pull requests on Tuesdays; number {number} on the list is always the database.",
    "Порт {number} на сервере {place} открыт только для внутренней сети, его проверяет Анна.",
)
PLACES = ("Berlin", "Madrid", "Kyoto", "Oslo", "Lima")


def size(result: Any) -> tuple[int, int]:
    """Characters of the text, and of the structure as JSON."""
    return len(result.content[0].text), len(
        json.dumps(result.structured_content, ensure_ascii=False, separators=(",", ":"))
    )


async def remember_notes(client: Client) -> list[str]:
    ids = []
    for number in range(20):
        place = PLACES[number % len(PLACES)]
        arguments = {"text": NOTES[number % len(NOTES)].format(place=place, number=number), "tags": ["office"]}
        more = {"context": f"work/{place}", "author": "Ada"} if number % 2 else {"title": f"Notes on {place}"}
        result = await client.call_tool("remember", {**arguments, **more})
        ids.append(result.structured_content["memory_id"])
    return ids


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("recall", {"query": "what does Ada know about Berlin and port numbers?", "limit": 10}),
        ("list_memories", {"limit": 10}),
    ],
)
def test_ten_memories_as_structure_cost_little_more_than_as_text(
    tool: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    async def work(client: Client) -> None:
        await remember_notes(client)
        result = await client.call_tool(tool, arguments)
        (shown,) = (value for key, value in result.structured_content.items() if key in ("hits", "memories"))
        assert len(shown) == 10
        text, structure = size(result)
        assert structure <= 1.3 * text, (structure, text)

    connected(tmp_path, work)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("recall", {"query": "Berlin"}),
    ("recall", {"query": "nothing of this kind is anywhere"}),
    ("list_memories", {"limit": 3}),
    ("list_memories", {"context": "nowhere"}),
    ("remember", {"text": "Bo wrote it", "valid_from": "2026-01-05"}),
    ("remember", {"text": "Bo wrote it", "valid_from": "2026-01-05", "importance": 0.9}),
    ("remember", {"text": "Bo wrote it again", "supersedes": ["$0"]}),
    ("remember", {"text": "x" * 200_001}),
    ("revise", {"id": "$1", "text": "Ada decided otherwise", "reason": "a vote"}),
    ("history", {"id": "$1"}),
    ("relate", {"source": "$1", "target": "entity:Ada", "type": "works_at"}),
    ("neighbours", {"id": "entity:Ada", "depth": 2}),
    ("neighbours", {"id": "mem_nothing"}),
    ("forget", {"id": "$2"}),
    ("forget", {"id": "$2"}),
]


def test_every_result_is_as_its_schema_says_errors_included(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        ids = await remember_notes(client)
        for tool, arguments in CALLS:
            given = json.loads(_with_ids(json.dumps(arguments), ids))
            result = await client.call_tool(tool, given)
            Draft202012Validator(_closed(output_schemas()[tool])).validate(result.structured_content)
            assert result.is_error == ("error" in result.structured_content), (tool, arguments)
            _check_ids(result, given)
        assert {tool for tool, _ in CALLS} == set(TOOLS)

    connected(tmp_path, work)


def _with_ids(text: str, ids: list[str]) -> str:
    for number in range(3):
        text = text.replace(f'"${number}"', f'"{ids[number]}"')
    return text


def _closed(schema: Any) -> Any:
    """The schema with every object closed: a field that it does not describe is an error here, though not for clients."""
    if isinstance(schema, dict):
        closed = {key: _closed(value) for key, value in schema.items()}
        described = isinstance(schema.get("properties"), dict)
        return {**closed, "additionalProperties": False} if schema.get("type") == "object" and described else closed
    return schema


def _check_ids(result: Any, given: Mapping[str, Any]) -> None:
    """The structure names no memory that the text does not; what a caller gave, it knows."""
    text = result.content[0].text
    for memory in result.structured_content.get("hits", result.structured_content.get("memories", ())):
        assert memory["id"] in text
        assert (memory.get("text") or memory["title"]).splitlines()[0] in text
    if "memory_id" in result.structured_content:
        assert result.structured_content["memory_id"] in text
    assert given


def test_every_response_of_a_tool_has_a_structure() -> None:
    assert {operation.response for operation in TOOLS.values()} == set(STRUCTURES)


@pytest.mark.parametrize(("mode", "count"), [("auto", LINKS), ("legacy", 0)])
def test_texts_that_were_cut_are_linked_to(mode: str, count: int, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        await remember_notes(client)
        for number in range(LINKS + 2):
            await client.call_tool("remember", {"text": f"Minutes {number}. " + "Anna spoke of the budget. " * 40})
        result = await client.call_tool("list_memories", {"limit": 10})
        links = [content for content in result.content if content.type == "resource_link"]
        assert len(links) == count
        for link in links:
            (read,) = (await client.read_resource(link.uri)).contents
            assert json.loads(read.text)["text"].count("Anna spoke of the budget.") == 40  # type: ignore[union-attr]
        short = await client.call_tool("list_memories", {"limit": 2, "context": "work/Madrid"})
        assert [content.type for content in short.content] == ["text"]

    connected(tmp_path, work, mode)
