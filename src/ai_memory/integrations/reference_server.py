"""MCP's reference memory server over this service, on standard input and output: its nine tools and its resource. Needs the SDK."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import anyio
import anyio.to_thread
from mcp.server.lowlevel.server import Server
from mcp.server.stdio import stdio_server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    TextContent,
    TextResourceContents,
    Tool,
    ToolAnnotations,
)

from ai_memory import __version__
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.integrations.knowledge_graph import KnowledgeGraph
from ai_memory.wording.spelling import did_you_mean
from ai_memory.wording.ways import speaking

URI = "memory://knowledge-graph"
_JSON = "application/json"
_KINDS: dict[str, Any] = {"object": dict, "array": list, "string": str}

logger = logging.getLogger(__name__)

Schema = dict[str, Any]


def _texts(description: str) -> Schema:
    return {"type": "array", "items": {"type": "string"}, "description": description}


def _text(description: str = "") -> Schema:
    return {"type": "string", **({"description": description} if description else {})}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _list(item: Schema, description: str = "") -> Schema:
    return {"type": "array", "items": item, **({"description": description} if description else {})}


_ENTITY = _object(
    name=_text("The name of the entity"),
    entityType=_text("The type of the entity"),
    observations=_texts("An array of observation contents associated with the entity"),
)
_RELATION = _object(
    **{
        "from": _text("The name of the entity where the relation starts"),
        "to": _text("The name of the entity where the relation ends"),
    },
    relationType=_text("The type of the relation"),
)
_GRAPH = _object(entities=_list(_ENTITY), relations=_list(_RELATION))
_DONE = _object(success={"type": "boolean"}, message=_text())


class _Tool(NamedTuple):
    """One of the nine tools: what it says of itself, what it takes, and what its text shows."""

    name: str
    description: str
    takes: dict[str, Schema]
    gives: Schema
    effect: str
    shown: Callable[[dict[str, Any]], Any]

    def definition(self) -> Tool:
        """As `tools/list` has it."""
        schema = {"type": "object", "properties": self.takes}
        return Tool(
            name=self.name,
            title=self.name.replace("_", " ").title(),
            description=self.description,
            input_schema={**schema, "required": list(self.takes)} if self.takes else schema,
            output_schema=self.gives,
            annotations=ToolAnnotations(
                read_only_hint=self.effect == "read",
                destructive_hint=self.effect == "erase",
                idempotent_hint=self.effect != "write",
                open_world_hint=False,
            ),
        )


def _whole(result: dict[str, Any]) -> Any:
    return result


def _of(name: str) -> Callable[[dict[str, Any]], Any]:
    return lambda result: result[name]


_ADDED = _object(entityName=_text(), addedObservations={"type": "array", "items": {"type": "string"}})
_NEW_OBSERVATIONS = _list(
    _object(
        entityName=_text("The name of the entity to add the observations to"),
        contents=_texts("An array of observation contents to add"),
    )
)
_DELETIONS = _list(
    _object(
        entityName=_text("The name of the entity containing the observations"),
        observations=_texts("An array of observations to delete"),
    )
)
TOOLS = {
    tool.name: tool
    for tool in (
        _Tool(
            "create_entities",
            "Create multiple new entities in the knowledge graph",
            {"entities": _list(_ENTITY)},
            _object(entities=_list(_ENTITY)),
            "write",
            _of("entities"),
        ),
        _Tool(
            "create_relations",
            "Create multiple new relations between entities in the knowledge graph. Relations should be in active voice",
            {"relations": _list(_RELATION)},
            _object(relations=_list(_RELATION)),
            "write",
            _of("relations"),
        ),
        _Tool(
            "add_observations",
            "Add new observations to existing entities in the knowledge graph",
            {"observations": _NEW_OBSERVATIONS},
            _object(results=_list(_ADDED)),
            "write",
            _of("results"),
        ),
        _Tool(
            "delete_entities",
            "Delete multiple entities and their associated relations from the knowledge graph",
            {"entityNames": _texts("An array of entity names to delete")},
            _DONE,
            "erase",
            _of("message"),
        ),
        _Tool(
            "delete_observations",
            "Delete specific observations from entities in the knowledge graph",
            {"deletions": _DELETIONS},
            _DONE,
            "erase",
            _of("message"),
        ),
        _Tool(
            "delete_relations",
            "Delete multiple relations from the knowledge graph",
            {"relations": _list(_RELATION, "An array of relations to delete")},
            _DONE,
            "erase",
            _of("message"),
        ),
        _Tool("read_graph", "Read the entire knowledge graph", {}, _GRAPH, "read", _whole),
        _Tool(
            "search_nodes",
            "Search for nodes in the knowledge graph based on a query",
            {"query": _text("The search query to match against entity names, types, and observation content")},
            _GRAPH,
            "read",
            _whole,
        ),
        _Tool(
            "open_nodes",
            "Open specific nodes in the knowledge graph by their names",
            {"names": _texts("An array of entity names to retrieve")},
            _GRAPH,
            "read",
            _whole,
        ),
    )
}


def serve(graph: KnowledgeGraph) -> None:
    """Serve one client on standard input and output until it ends."""
    anyio.run(_serve, graph)


async def _serve(graph: KnowledgeGraph) -> None:
    handlers = _Handlers(graph)
    server: Server[Any] = Server(
        "memory-server",
        version=__version__,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_read_resource=handlers.read_resource,
    )
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


class _Handlers:
    """What answers the methods of the protocol."""

    def __init__(self, graph: KnowledgeGraph) -> None:
        self._graph = graph

    async def list_tools(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        """The nine tools."""
        del context, params
        return ListToolsResult(tools=[tool.definition() for tool in TOOLS.values()])

    async def call_tool(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        """What a tool gives; an error is a result too, since a model can act on it."""
        del context
        tool = TOOLS.get(params.name)
        if tool is None:
            raise MCPError(INVALID_PARAMS, f"Tool {params.name[:80]} not found{did_you_mean(params.name[:80], TOOLS)}")
        with speaking("mcp"):
            try:
                values = _checked(tool, params.arguments or {})
                result = await anyio.to_thread.run_sync(partial(getattr(self._graph, tool.name), *values))
            except MemoryServiceError as error:
                text = f"{error.message} ({error.way})" if error.way else error.message
                return CallToolResult(content=[TextContent(text=text)], is_error=True)
        shown = tool.shown(result)
        text = shown if isinstance(shown, str) else _written(shown)
        return CallToolResult(content=[TextContent(text=text)], structured_content=result)

    async def list_resources(self, context: Any, params: PaginatedRequestParams | None) -> ListResourcesResult:
        """The graph."""
        del context, params
        about = "The full knowledge graph with all entities and relations"
        graph = Resource(name="knowledge-graph", title="Knowledge Graph", uri=URI, description=about, mime_type=_JSON)
        return ListResourcesResult(resources=[graph])

    async def read_resource(self, context: Any, params: ReadResourceRequestParams) -> ReadResourceResult:
        """The graph as JSON."""
        del context
        if str(params.uri) != URI:
            raise MCPError(INVALID_PARAMS, f"Resource {str(params.uri)[:200]} not found", {"uri": str(params.uri)})
        text = _written(await anyio.to_thread.run_sync(self._graph.read_graph))
        return ReadResourceResult(contents=[TextResourceContents(uri=URI, mime_type=_JSON, text=text)])


def _written(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False)


def _checked(tool: _Tool, arguments: Mapping[str, Any]) -> list[Any]:
    """The arguments in the tool's order. Raises InvalidInputError that names what is missing or of another kind."""
    return [_value(schema, arguments.get(name), name) for name, schema in tool.takes.items()]


def _value(schema: Schema, value: Any, name: str) -> Any:
    if not isinstance(value, _KINDS[schema["type"]]):
        raise InvalidInputError(f"{name}: expected {schema['type']}", hint="see the tool's input schema", field=name)
    if schema["type"] == "array":
        return [_value(schema["items"], item, f"{name}[{place}]") for place, item in enumerate(value)]
    if schema["type"] == "object":
        return {part: _value(of, value.get(part), f"{name}.{part}") for part, of in schema["properties"].items()}
    return value
