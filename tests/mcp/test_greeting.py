"""The answers made by hand equal the SDK's own; the definitions of the tools are small and complete."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, get_type_hints
from xml.etree import ElementTree

import anyio
import pytest

from ai_memory.errors import InvalidInputError
from ai_memory.mcp.greeting import (
    CAPABILITIES_KEY,
    ENVELOPE_VERSIONS,
    HANDSHAKE_VERSIONS,
    INSTRUCTIONS,
    SERVER_INFO_KEY,
    VERSION_KEY,
    greeting,
    server_info,
)
from ai_memory.mcp.text import _RENDERERS
from ai_memory.mcp.tools import TOOLS, check_arguments, input_schemas, request_in, tool_of
from ai_memory.operations.base import Operation, hints_of, without_none

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

import mcp_types
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]
from mcp.server.models import InitializationOptions
from mcp.shared.message import SessionMessage
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS, MODERN_PROTOCOL_VERSIONS
from msgspec import Meta

from ai_memory.mcp.server import make_server, tool_definitions

CLIENT = {"name": "a test", "version": "1"}


def initialize(version: str) -> dict[str, Any]:
    params = {"protocolVersion": version, "capabilities": {}, "clientInfo": CLIENT}
    return {"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params}


def discover(version: str) -> dict[str, Any]:
    params = {"_meta": {VERSION_KEY: version, CAPABILITIES_KEY: {}}}
    return {"jsonrpc": "2.0", "id": "seven", "method": "server/discover", "params": params}


async def _no_operation(request: Any, operation: Operation, values: Mapping[str, Any]) -> Any:
    raise AssertionError(f"{operation.name} was called with {values} for {request}")


def answer_of_sdk(message: dict[str, Any]) -> dict[str, Any]:
    """What the SDK's server itself answers to a client's first message."""

    async def exchange() -> dict[str, Any]:
        server = make_server(_no_operation, lambda: dt.UTC)
        options: InitializationOptions = server.create_initialization_options()
        to_server, incoming = anyio.create_memory_object_stream[SessionMessage | Exception](1)
        outgoing, from_server = anyio.create_memory_object_stream[SessionMessage](1)
        async with anyio.create_task_group() as tasks, to_server, from_server:
            tasks.start_soon(server.run, incoming, outgoing, options)
            parsed = mcp_types.jsonrpc_message_adapter.validate_python(message, by_name=False)
            await to_server.send(SessionMessage(parsed))
            answer = await from_server.receive()
            tasks.cancel_scope.cancel()
        dumped: dict[str, Any] = answer.message.model_dump(mode="json", by_alias=True, exclude_unset=True)
        return dumped

    return anyio.run(exchange)


@pytest.mark.parametrize("version", [*HANDSHAKE_VERSIONS, "1999-01-01", "2026-07-28", "nonsense"])
def test_initialize_is_answered_as_the_sdk_would(version: str) -> None:
    assert greeting(initialize(version)) == answer_of_sdk(initialize(version))


@pytest.mark.parametrize("version", ENVELOPE_VERSIONS)
def test_discover_is_answered_as_the_sdk_would(version: str) -> None:
    assert greeting(discover(version)) == answer_of_sdk(discover(version))


def test_the_versions_are_the_sdk_s() -> None:
    assert HANDSHAKE_VERSIONS == HANDSHAKE_PROTOCOL_VERSIONS
    assert ENVELOPE_VERSIONS == MODERN_PROTOCOL_VERSIONS
    assert VERSION_KEY == mcp_types.PROTOCOL_VERSION_META_KEY
    assert CAPABILITIES_KEY == mcp_types.CLIENT_CAPABILITIES_META_KEY
    assert SERVER_INFO_KEY == mcp_types.SERVER_INFO_META_KEY


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"method": "ping", "id": 1},
        {"method": "initialize", "id": 1},
        {"method": "initialize", "id": 1, "params": []},
        {**initialize("2025-11-25"), "params": {"protocolVersion": "2025-11-25"}},
        {**initialize("2025-11-25"), "params": {"protocolVersion": 5, "capabilities": {}, "clientInfo": CLIENT}},
        {"jsonrpc": "2.0", "method": "initialize", "params": initialize("2025-11-25")["params"]},
        discover("2031-01-01"),
        {"method": "server/discover", "id": 1, "params": {"_meta": {VERSION_KEY: "2026-07-28"}}},
    ],
)
def test_anything_unusual_is_left_to_the_sdk(message: dict[str, Any]) -> None:
    assert greeting(message) is None


def listing(*left_out: str) -> str:
    tools = [tool.model_dump(mode="json", by_alias=True, exclude_none=True) for tool in tool_definitions()]
    shown = [{key: value for key, value in tool.items() if key not in left_out} for tool in tools]
    return json.dumps(shown, ensure_ascii=False, separators=(",", ":"))


def test_eight_tools_in_under_two_thousand_tokens() -> None:
    """What clients give to a model is counted, four characters as a token; icons, hints and schemas of results are for them."""
    assert len(TOOLS) <= 8
    assert (len(listing("icons", "annotations", "outputSchema")) + len(INSTRUCTIONS)) / 4 < 2_000
    assert len(listing()) / 4 < 3_400


def test_every_tool_has_a_title_an_icon_and_a_schema_of_its_results() -> None:
    titles = set()
    for tool in tool_definitions():
        assert tool.title
        assert tool.icons
        assert tool.icons[0].src.startswith("data:image/svg+xml;base64,")
        picture = ElementTree.fromstring(base64.b64decode(tool.icons[0].src.partition(",")[2]))
        assert picture.find("{http://www.w3.org/2000/svg}path") is not None
        assert tool.output_schema
        assert tool.output_schema["type"] == "object"
        Draft202012Validator.check_schema(tool.output_schema)
        titles.add(tool.title)
    assert len(titles) == len(TOOLS)
    assert server_info()["icons"]


def test_every_tool_has_its_fields_described_and_a_renderer() -> None:
    for name, operation in TOOLS.items():
        schema = input_schemas()[name]
        assert list(schema["properties"]) == list(tool_of(operation).fields)
        assert all(field["description"] for field in schema["properties"].values())
        assert "namespace" not in schema["properties"]
        assert operation.response in _RENDERERS


def test_each_property_is_described_by_the_operation_s_own_field() -> None:
    """There is no table of words by field name, which would put one operation's words on another's field."""
    for name, operation in TOOLS.items():
        for field, schema in input_schemas()[name]["properties"].items():
            (*_, own) = [
                meta
                for meta in get_type_hints(operation.request, include_extras=True)[field].__metadata__
                if isinstance(meta, Meta) and meta.description
            ]
            words = (own.extra or {}).get("short", own.description)
            instant = without_none(hints_of(operation.request)[field]) is dt.datetime
            assert schema["description"] == (f"{words} ISO date." if instant else words), f"{name}.{field}"


def test_words_that_differ_by_operation_say_so() -> None:
    tools = {name: schema["properties"] for name, schema in input_schemas().items()}
    assert "logged forever" in tools["forget"]["reason"]["description"]
    assert "history" in tools["revise"]["reason"]["description"]
    assert "replace the old ones" in tools["revise"]["tags"]["description"]
    assert "Only" in tools["recall"]["tags"]["description"]
    assert "entity:NAME" in tools["neighbours"]["id"]["description"]
    assert "relations" in tools["neighbours"]["types"]["description"]


def test_annotations_follow_from_the_operations() -> None:
    hints = {tool.name: tool.annotations for tool in tool_definitions()}
    for name, operation in TOOLS.items():
        annotations = hints[name]
        assert annotations is not None
        assert annotations.read_only_hint is (operation.effect == "read")
        assert annotations.destructive_hint is (operation.effect == "erase")
        assert annotations.idempotent_hint is operation.idempotent
        assert annotations.open_world_hint is False
    assert hints["forget"] is not None
    assert hints["forget"].destructive_hint


def test_a_tool_cannot_choose_a_namespace() -> None:
    recall = TOOLS["recall"]
    with pytest.raises(InvalidInputError, match="namespace"):
        check_arguments(recall, {"query": "x", "namespace": "other"})
    assert check_arguments(recall, {"query": "x", "as_of": None}) == {"query": "x"}
    assert getattr(request_in(recall, {"query": "x"}, "mine"), "namespace") == "mine"  # noqa: B009
