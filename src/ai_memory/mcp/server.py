"""The MCP server on the official SDK: tools, resources and prompts over any function that carries out operations.

Imports the SDK, which takes seconds: only the loaders in `stdio` and `http` import this module.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
import msgspec
from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.shared.exceptions import MCPError
from mcp_types import (
    INTERNAL_ERROR,
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    CompleteRequestParams,
    CompleteResult,
    GetPromptRequestParams,
    GetPromptResult,
    Icon,
    ListPromptsResult,
    ListResourcesResult,
    ListResourceTemplatesResult,
    ListToolsResult,
    PaginatedRequestParams,
    PromptReference,
    ReadResourceRequestParams,
    ReadResourceResult,
    TextContent,
    TextResourceContents,
    ToolAnnotations,
)
from mcp_types import Tool as ToolDefinition

from ai_memory import __version__
from ai_memory.errors import InternalError, MemoryServiceError, NotFoundError
from ai_memory.mcp.background import with_background
from ai_memory.mcp.greeting import CACHED_MS, ENVELOPE_VERSIONS, INSTRUCTIONS, NAME, TITLE
from ai_memory.mcp.icons import icon
from ai_memory.mcp.prompts import arguments_of, prompt, prompts
from ai_memory.mcp.resources import JSON, complete, links, operation_of, resources, templates, variables_of
from ai_memory.mcp.structured import structure_of
from ai_memory.mcp.text import error_text, text_of
from ai_memory.mcp.tools import TOOLS, check_arguments, input_schemas, output_schemas, tool_of
from ai_memory.operations.base import Operation, to_json
from ai_memory.text.shown import one_line
from ai_memory.wording.spelling import did_you_mean
from ai_memory.wording.ways import speaking

PROGRESS_SECONDS = 1.0
"""How often a call that goes on reports so, to a client that asked for it. Several clients give up after 5 seconds of silence."""

logger = logging.getLogger(__name__)

Context = ServerRequestContext[Any]
Carry = Callable[[Any, Operation, Mapping[str, Any]], Awaitable[Any]]
"""Takes the HTTP request (None on standard input), the operation and its fields except the namespace; gives the response."""


class _Handlers:
    """What answers the methods of the protocol that concern the memory."""

    def __init__(self, carry: Carry, zone: Callable[[], dt.tzinfo]) -> None:
        self._carry = carry
        self._zone = zone

    async def list_tools(self, context: Context, params: PaginatedRequestParams | None) -> ListToolsResult:
        """The tools."""
        del context, params
        return ListToolsResult(tools=tool_definitions())

    async def call_tool(self, context: Context, params: CallToolRequestParams) -> CallToolResult:
        """What a tool gives; an error of the operation is a result too, since a model can act on it."""
        operation = TOOLS.get(params.name)
        if operation is None:
            meant = did_you_mean(params.name[:80], TOOLS)
            name = one_line(params.name[:80])
            raise MCPError(INVALID_PARAMS, f"unknown tool: {name}{meant}", {"tools": list(TOOLS)})
        with speaking("mcp"):
            try:
                values = check_arguments(operation, params.arguments or {})
                response = await self._carry(context.request, operation, values)
                linked = context.protocol_version in ENVELOPE_VERSIONS
                return _result(operation, response, self._zone(), linked=linked)
            except MemoryServiceError as error:
                return _error_result(error)
            except Exception:  # the SDK's own answer would lack the code and hint
                logger.exception("the tool %s failed", params.name)
                return _error_result(InternalError(f"{params.name} failed unexpectedly", hint="see the service's log"))

    async def list_resources(self, context: Context, params: PaginatedRequestParams | None) -> ListResourcesResult:
        """The resources that are always there."""
        del context, params
        return ListResourcesResult(resources=resources())

    async def list_templates(
        self, context: Context, params: PaginatedRequestParams | None
    ) -> ListResourceTemplatesResult:
        """The kinds of resources with a variable in their address."""
        del context, params
        return ListResourceTemplatesResult(resource_templates=templates())

    async def read_resource(self, context: Context, params: ReadResourceRequestParams) -> ReadResourceResult:
        """One resource as JSON."""
        uri = str(params.uri)
        found = operation_of(uri)
        if found is None:
            raise MCPError(INVALID_PARAMS, f"no such resource: {one_line(uri[:200])}", {"uri": uri})
        try:
            response = await self._carry(context.request, *found)
        except NotFoundError as error:  # clients know this case by its data, which is the address alone
            raise MCPError(INVALID_PARAMS, one_line(error.message), {"uri": uri}) from None
        except Exception as error:  # noqa: BLE001 - `_protocol_error` logs it
            raise _protocol_error(error, uri) from None
        text = to_json(response).decode()
        return ReadResourceResult(contents=[TextResourceContents(uri=uri, mime_type=JSON, text=text)])

    async def list_prompts(self, context: Context, params: PaginatedRequestParams | None) -> ListPromptsResult:
        """The prompts."""
        del context, params
        return ListPromptsResult(prompts=prompts())

    async def get_prompt(self, context: Context, params: GetPromptRequestParams) -> GetPromptResult:
        """One prompt with its arguments."""
        try:
            carry = partial(self._carry, context.request)
            return await prompt(carry, self._zone, params.name, params.arguments or {})
        except Exception as error:  # noqa: BLE001 - `_protocol_error` logs it
            raise _protocol_error(error, params.name) from None

    async def completion(self, context: Context, params: CompleteRequestParams) -> CompleteResult:
        """What an argument of a prompt, or the variable of a template, may be."""
        ref, name = params.ref, params.argument.name
        known = arguments_of(ref.name) if isinstance(ref, PromptReference) else variables_of(ref.uri)
        if name not in known:
            has = f"it has {', '.join(known)}" if known else "there is no such prompt or template"
            raise MCPError(INVALID_PARAMS, f"{name[:80]!r} cannot be completed: {has}")
        try:
            found = await complete(partial(self._carry, context.request), name, params.argument.value)
        except Exception as error:  # noqa: BLE001 - `_protocol_error` logs it
            raise _protocol_error(error, name) from None
        return CompleteResult(completion=found)


def make_server(carry: Carry, zone: Callable[[], dt.tzinfo]) -> Server[Any]:
    """A server over what `carry` carries out; `carry` raises MemoryServiceError for any failure.

    `zone` gives the zone whose days texts show, once something was carried out.
    """
    handlers = _Handlers(carry, zone)
    cached = CacheHint(CACHED_MS, "public")
    server: Server[Any] = Server(
        NAME,
        version=__version__,
        title=TITLE,
        instructions=INSTRUCTIONS,
        icons=[Icon.model_validate(icon("server"))],
        get_tool_input_schema=input_schemas().get,
        cache_hints={
            "server/discover": cached,
            "tools/list": cached,
            "prompts/list": cached,
            "resources/list": cached,
            "resources/templates/list": cached,
        },
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
        on_list_prompts=handlers.list_prompts,
        on_get_prompt=handlers.get_prompt,
        on_completion=handlers.completion,
    )
    server.middleware.append(_reporting_progress)
    return server


async def _reporting_progress(ctx: Context, call_next: CallNext) -> HandlerResult:
    """Report, to a client that asked for it, that a call goes on: every PROGRESS_SECONDS, with the seconds that it has taken.

    A call waits where the store is still being opened, another process holds its lock, or other calls come first. There is no
    total: nobody knows how long that takes.
    """
    if ctx.meta is None or ctx.meta.get("progress_token") is None:
        return await call_next(ctx)
    name = (ctx.params or {}).get("name") or ctx.method

    async def report() -> None:
        seconds = 0.0
        while True:
            await anyio.sleep(PROGRESS_SECONDS)
            seconds += PROGRESS_SECONDS
            await ctx.session.report_progress(seconds, message=f"{name} goes on, {seconds:.0f} s so far")

    return await with_background(report, partial(call_next, ctx))


def _protocol_error(error: Exception, what: str) -> MCPError:
    """The protocol's error for one that came up in answering for `what`; the SDK's own would lack the code and hint."""
    if not isinstance(error, MemoryServiceError):
        logger.error("answering for %s failed", what[:200], exc_info=error)
        error = InternalError(f"{what[:80]} failed unexpectedly", hint="see the service's log")
    with speaking("mcp"):
        return MCPError(INVALID_PARAMS if error.status < 500 else INTERNAL_ERROR, error_text(error), error.body())


def tool_definitions() -> list[ToolDefinition]:
    """The tools as clients list them."""
    return [
        ToolDefinition(
            name=name,
            title=operation.summary,
            description=tool_of(operation).description,
            icons=[Icon.model_validate(icon(operation.effect))],
            input_schema=input_schemas()[name],
            output_schema=output_schemas()[name],
            annotations=ToolAnnotations(
                read_only_hint=operation.effect == "read",
                destructive_hint=operation.effect == "erase",
                idempotent_hint=operation.idempotent,
                open_world_hint=False,
            ),
        )
        for name, operation in TOOLS.items()
    ]


def _result(operation: Operation, response: Any, zone: dt.tzinfo, *, linked: bool) -> CallToolResult:
    """The response as text and as JSON. A rejected write becomes an error, so that a model does not mistake it for success.

    With `linked`, links to memories that the text shows in part follow it. Clients of the older protocol get none: adapters in
    the field pass a link on to a model's API as a file, which that refuses.
    """
    error = None if operation.refusal is None else operation.refusal(response)
    if error is not None:
        if error.details["reason"] == "forgotten":
            error.way = "it was erased on purpose; if the user asks for it to be stored again, pass reinstate: true"
        return _error_result(error)
    content: list[Any] = [TextContent(text=text_of(response, zone)), *(links(response) if linked else ())]
    return CallToolResult(content=content, structured_content=msgspec.to_builtins(structure_of(response, zone)))


def _error_result(error: MemoryServiceError) -> CallToolResult:
    body = msgspec.to_builtins({"error": error.body()})
    return CallToolResult(content=[TextContent(text=error_text(error))], structured_content=body, is_error=True)
