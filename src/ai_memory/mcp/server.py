"""The MCP server on the official SDK: tools and resources over any function that carries out operations.

Imports the SDK, which takes seconds: only the loaders in `stdio` and `http` import this module.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import unquote

import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    ReadResourceRequestParams,
    ReadResourceResult,
    Resource,
    ResourceTemplate,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ToolDefinition

from ai_memory import __version__
from ai_memory.errors import InternalError, MemoryServiceError, NotFoundError
from ai_memory.mcp.greeting import INSTRUCTIONS, NAME, TITLE
from ai_memory.mcp.text import error_text, text_of
from ai_memory.mcp.tools import TOOLS, check_arguments, input_schemas, tool_of
from ai_memory.operations.base import Operation, to_json
from ai_memory.operations.reading import CONTEXTS, GET, LIST
from ai_memory.text.shown import one_line

RECENT = "memory://recent"
CONTEXTS_URI = "memory://contexts"
MEMORY = "memory://memories/"
RECENT_LIMIT = 20
_JSON = "application/json"
_RESOURCE_NOT_FOUND = -32002

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any]
Carry = Callable[[Any, Operation, Mapping[str, Any]], Awaitable[Any]]
"""Takes the HTTP request (None on standard input), the operation and its fields except the namespace; gives the response."""


def make_server(carry: Carry, zone: Callable[[], dt.tzinfo]) -> Server[Any]:
    """A server whose tools and resources are carried out by `carry`; `carry` raises MemoryServiceError for any failure.

    `zone` gives the zone whose days texts show, once something was carried out.
    """

    async def list_tools(context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        del context, params
        return ListToolsResult(tools=tool_definitions())

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        operation = TOOLS.get(params.name)
        if operation is None:
            raise MCPError(INVALID_PARAMS, f"unknown tool: {one_line(params.name[:80])}", {"tools": list(TOOLS)})
        try:
            values = check_arguments(operation, params.arguments or {})
            return _result(operation, await carry(context.request, operation, values), zone())
        except MemoryServiceError as error:
            return _error_result(error)
        except Exception:  # the SDK's own answer would lack the code and hint
            logger.exception("the tool %s failed", params.name)
            return _error_result(InternalError(f"{params.name} failed unexpectedly", hint="see the service's log"))

    async def list_resources(context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        del context, params
        return ListResourcesResult(
            resources=[
                Resource(uri=RECENT, name="recent", description="The newest memories.", mime_type=_JSON),
                Resource(uri=CONTEXTS_URI, name="contexts", description="The context paths in use.", mime_type=_JSON),
            ]
        )

    async def list_templates(context: Context, params: PaginatedRequestParams | None) -> ListResourceTemplatesResult:
        del context, params
        template = ResourceTemplate(
            uri_template=MEMORY + "{id}", name="memory", description="One memory by its id.", mime_type=_JSON
        )
        return ListResourceTemplatesResult(resource_templates=[template])

    async def read_resource(context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        uri = str(params.uri)
        operation, values = _operation_of(uri)
        try:
            response = await carry(context.request, operation, values)
        except NotFoundError as error:
            raise MCPError(_RESOURCE_NOT_FOUND, one_line(error.message), {"uri": uri, **error.body()}) from None
        except MemoryServiceError as error:
            code = INVALID_PARAMS if error.status < 500 else INTERNAL_ERROR
            raise MCPError(code, one_line(error.message), error.body()) from None
        text = to_json(response).decode()
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=_JSON, text=text)])

    return Server(
        NAME,
        version=__version__,
        title=TITLE,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
    )


def tool_definitions() -> list[ToolDefinition]:
    """The tools as clients list them."""
    return [
        ToolDefinition(
            name=name,
            description=tool_of(operation).description,
            input_schema=input_schemas()[name],
            annotations=ToolAnnotations(
                read_only_hint=operation.effect == "read",
                destructive_hint=operation.effect == "erase",
                idempotent_hint=operation.idempotent,
                open_world_hint=False,
            ),
        )
        for name, operation in TOOLS.items()
    ]


def _result(operation: Operation, response: Any, zone: dt.tzinfo) -> CallToolResult:
    """The response as text and as JSON. A rejected write becomes an error, so that a model does not mistake it for success."""
    error = None if operation.refusal is None else operation.refusal(response)
    if error is not None:
        if error.details["reason"] == "forgotten":
            error.hint = "it was erased on purpose; only the user can bring it back: ai-memory remember --reinstate"
        return _error_result(error)
    content: list[Any] = [TextContent(text=text_of(response, zone))]
    return CallToolResult(content=content, structured_content=msgspec.to_builtins(response))


def _error_result(error: MemoryServiceError) -> CallToolResult:
    body = msgspec.to_builtins({"error": error.body()})
    return CallToolResult(content=[TextContent(text=error_text(error))], structured_content=body, is_error=True)


def _operation_of(uri: str) -> tuple[Operation, dict[str, Any]]:
    if uri == RECENT:
        return LIST, {"limit": RECENT_LIMIT}
    if uri == CONTEXTS_URI:
        return CONTEXTS, {}
    memory_id = unquote(uri.removeprefix(MEMORY))
    if not uri.startswith(MEMORY) or not memory_id or "/" in memory_id:
        raise MCPError(_RESOURCE_NOT_FOUND, f"no such resource: {one_line(uri[:200])}", {"uri": uri[:200]})
    return GET, {"id": memory_id}
