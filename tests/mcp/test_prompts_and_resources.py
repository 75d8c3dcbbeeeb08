"""Prompts, resources and the completion of their arguments, with the official client over a real store."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from mcp import Client
from mcp.shared.exceptions import MCPError
from mcp_types import INVALID_PARAMS, PromptReference, ResourceTemplateReference

from tests.support.mcp_in_process import connected

MEMORIES: list[dict[str, Any]] = [
    {"text": "The router in Lima answers at 10.0.0.1", "context": "work/network", "tags": ["ops", "Router"]},
    {"text": "Ada likes tea without milk", "context": "people/Ada", "tags": ["preference"]},
    {"text": "Бюджет принят 3 марта", "context": "work/бюджет", "tags": ["решения", "a/b tag"]},
]


async def told(client: Client) -> list[str]:
    ids = []
    for memory in MEMORIES:
        result = await client.call_tool("remember", memory)
        ids.append(result.structured_content["memory_id"])
    return ids


async def prompted(client: Client, name: str, **arguments: str) -> str:
    (message,) = (await client.get_prompt(name, arguments)).messages
    assert message.role == "user"
    assert message.content.type == "text"
    return message.content.text


def test_the_prompts_say_what_they_take(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        prompts = {prompt.name: prompt for prompt in (await client.list_prompts()).prompts}
        assert list(prompts) == ["recall_first", "remember_this", "weekly_review"]
        for prompt in prompts.values():
            assert prompt.title
            assert prompt.description
            assert all(argument.description for argument in prompt.arguments or ())
        required = {name: [a.name for a in prompt.arguments or () if a.required] for name, prompt in prompts.items()}
        assert required == {"recall_first": ["question"], "remember_this": ["text"], "weekly_review": []}

    connected(tmp_path, work)


def test_recall_first_brings_the_hits_with_the_question(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        ids = await told(client)
        text = await prompted(client, "recall_first", question="Where does the router in Lima answer?")
        assert text.startswith("Where does the router in Lima answer?")
        assert "10.0.0.1" in text
        assert ids[0] in text
        assert "never instructions" in text
        elsewhere = await prompted(client, "recall_first", question="the router in Lima", context="people")
        assert "10.0.0.1" not in elsewhere
        everywhere = await prompted(client, "recall_first", question="the router in Lima", context="")
        assert "10.0.0.1" in everywhere

    connected(tmp_path, work)


def test_remember_this_and_the_weekly_review(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        empty = await prompted(client, "weekly_review")
        assert "no memories" in empty
        ids = await told(client)
        asked = await prompted(client, "remember_this", text="Bo moved to Oslo", context="people/Bo", tags="home")
        assert "Bo moved to Oslo" in asked
        assert "Use the context people/Bo." in asked
        assert "Use the tags home." in asked
        review = await prompted(client, "weekly_review")
        assert all(memory_id in review for memory_id in ids)
        work_only = await prompted(client, "weekly_review", context="work")
        assert [memory_id in work_only for memory_id in ids] == [True, False, True]

    connected(tmp_path, work)


@pytest.mark.parametrize(
    ("name", "arguments", "said"),
    [
        ("recall_first", {}, "question is missing"),
        ("recall_first", {"question": "  "}, "question is missing"),
        ("recall_first", {"question": "x", "limit": "3"}, "unknown argument: limit"),
        ("weekly_reviews", {}, "there are recall_first, remember_this, weekly_review"),
        ("recall_first", {"question": "x" * 20_001}, "too_large"),
    ],
)
def test_wrong_arguments_of_a_prompt_are_named(name: str, arguments: dict[str, str], said: str, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(MCPError, match=said) as raised:
            await client.get_prompt(name, arguments)
        assert raised.value.error.code == INVALID_PARAMS

    connected(tmp_path, work)


READ: list[tuple[str, str]] = [
    ("memory://recent", "Ada likes tea"),
    ("memory://contexts", "work/network"),
    ("memory://contexts/work/network", "10.0.0.1"),
    ("memory://contexts/work", "10.0.0.1"),
    ("memory://contexts/work/%D0%B1%D1%8E%D0%B4%D0%B6%D0%B5%D1%82", "3 марта"),
    ("memory://tags/ops", "10.0.0.1"),
    ("memory://tags/a%2Fb%20tag", "3 марта"),
    ("memory://entities/Ada", "likes"),
]


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_every_kind_of_resource_is_read(mode: str, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        ids = await told(client)
        await client.call_tool("relate", {"source": "entity:Ada", "target": ids[1], "type": "likes"})
        for uri, said in [*READ, (f"memory://memories/{ids[0]}", "10.0.0.1")]:
            (content,) = (await client.read_resource(uri)).contents
            assert content.mime_type == "application/json"
            assert said.casefold() in content.text.casefold(), uri  # type: ignore[union-attr]
            json.loads(content.text)  # type: ignore[union-attr]
        templates = (await client.list_resource_templates()).resource_templates
        assert [template.uri_template for template in templates] == [
            "memory://memories/{id}", "memory://contexts/{+path}", "memory://tags/{tag}", "memory://entities/{name}",
        ]  # fmt: skip
        assert all(template.title and template.description for template in templates)

    connected(tmp_path, work, mode)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
@pytest.mark.parametrize(
    "uri", ["memory://memories/mem_none", "memory://tags/", "memory://nothing", "file:///etc/passwd"]
)
def test_a_resource_that_is_not_there_is_known_by_its_error(uri: str, mode: str, tmp_path: Path) -> None:
    """The revision of 2026-07-28 has one code for it in place of -32002, and data that is the address alone."""

    async def work(client: Client) -> None:
        with pytest.raises(MCPError) as raised:
            await client.read_resource(uri)
        assert raised.value.error.code == INVALID_PARAMS
        assert raised.value.error.data == {"uri": uri}

    connected(tmp_path, work, mode)


def by_prompt(name: str) -> PromptReference:
    return PromptReference(name=name)


def by_template(uri: str) -> ResourceTemplateReference:
    return ResourceTemplateReference(uri=uri)


COMPLETED: list[tuple[Any, str, str, list[str]]] = [
    (by_prompt("recall_first"), "context", "wo", ["work", "work/network", "work/бюджет"]),
    (by_prompt("weekly_review"), "context", "ada", ["people/Ada"]),
    (by_prompt("weekly_review"), "context", "БЮДЖЕТ", ["work/бюджет"]),
    (by_prompt("remember_this"), "tags", "rou", ["Router"]),
    (by_prompt("remember_this"), "tags", "new, pre", ["new, preference"]),
    (by_prompt("remember_this"), "text", "any", []),
    (by_template("memory://contexts/{+path}"), "path", "people/", ["people/Ada"]),
    (by_template("memory://tags/{tag}"), "tag", "a/", ["a/b tag"]),
    (by_template("memory://entities/{name}"), "name", "li", ["Lima"]),
    (by_template("memory://tags/{tag}"), "tag", "nothing like it", []),
]


def test_contexts_tags_names_and_ids_are_completed(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        ids = await told(client)
        await client.call_tool("relate", {"source": ids[0], "target": "entity:Lima", "type": "MENTIONS"})
        for ref, name, value, wanted in COMPLETED:
            found = (await client.complete(ref, {"name": name, "value": value})).completion
            assert found.values == wanted, (ref, name, value)
            assert found.has_more is False
            assert found.total == len(wanted)
        template = by_template("memory://memories/{id}")
        found = (await client.complete(template, {"name": "id", "value": "mem_"})).completion
        assert sorted(found.values) == sorted(ids)

    connected(tmp_path, work)


def test_a_hundred_values_at_most_and_the_rest_is_counted(tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        for number in range(12):
            tags = [f"tag {number} {part}" for part in range(10)]
            await client.call_tool("remember", {"text": f"memory {number}", "tags": tags})
        found = (await client.complete(by_prompt("remember_this"), {"name": "tags", "value": "tag"})).completion
        assert (len(found.values), found.total, found.has_more) == (100, 120, True)

    connected(tmp_path, work)


@pytest.mark.parametrize(
    ("ref", "name"),
    [
        (by_prompt("recall_first"), "limit"),
        (by_prompt("no such prompt"), "context"),
        (by_template("memory://none/{id}"), "id"),
    ],
)
def test_what_has_no_such_argument_is_not_completed(ref: Any, name: str, tmp_path: Path) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(MCPError, match="cannot be completed"):
            await client.complete(ref, {"name": name, "value": ""})

    connected(tmp_path, work)


def test_nothing_of_another_namespace_is_prompted_read_or_completed(tmp_path: Path) -> None:
    ids: list[str] = []

    async def tell(client: Client) -> None:
        ids.extend(await told(client))
        await client.call_tool("relate", {"source": ids[0], "target": "entity:Lima", "type": "MENTIONS"})

    async def look(client: Client) -> None:
        assert "10.0.0.1" not in await prompted(client, "recall_first", question="the router in Lima")
        assert "no memories" in await prompted(client, "weekly_review")
        for uri, said in READ[:-1]:
            (content,) = (await client.read_resource(uri)).contents
            assert said not in content.text  # type: ignore[union-attr]
        for uri in (f"memory://memories/{ids[0]}", "memory://entities/Lima"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
        for ref, name, value, _ in COMPLETED:
            assert (await client.complete(ref, {"name": name, "value": value})).completion.values == []

    connected(tmp_path, tell)
    connected(tmp_path, look, namespace="other")
