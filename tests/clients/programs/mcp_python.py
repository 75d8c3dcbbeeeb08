"""The official MCP SDK for Python: `mcp_python.py TRANSPORT ADDRESS TEXT [auto|legacy|long]`, whose report is a line of JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import anyio
from mcp import Client, StdioServerParameters
from mcp.shared.exceptions import MCPError
from mcp_types import PromptReference, ResourceTemplateReference


def server(transport: str, address: str) -> Any:
    return (
        address if transport == "http" else StdioServerParameters(command=address, args=["mcp"], env=dict(os.environ))
    )


async def report(client: Client, text: str) -> dict[str, Any]:
    tools = (await client.list_tools()).tools
    remembered = await client.call_tool("remember", {"text": text, "context": "clients/sdk", "tags": ["client"]})
    recalled = await client.call_tool("recall", {"query": text})
    prompts = (await client.list_prompts()).prompts
    prompt = await client.get_prompt("recall_first", {"question": text})
    templates = (await client.list_resource_templates()).resource_templates
    read = await client.read_resource(f"memory://memories/{remembered.structured_content['memory_id']}")
    by_prompt = await client.complete(PromptReference(name="weekly_review"), {"name": "context", "value": "clients/"})
    by_template = await client.complete(
        ResourceTemplateReference(uri="memory://tags/{tag}"), {"name": "tag", "value": "cli"}
    )
    refused = await client.call_tool("recall", {"query": text, "limit": 0})
    try:
        await client.read_resource("memory://memories/mem_none")
        missing = None
    except MCPError as error:
        missing = error.error.code
    return {
        "protocol": client.protocol_version,
        "tools": [tool.name for tool in tools],
        "titles": [tool.title for tool in tools],
        "described": all(tool.output_schema and tool.icons for tool in tools),
        "remembered": remembered.content[0].text,
        "recalled": recalled.content[0].text,
        "structured": recalled.structured_content,
        "prompts": [prompt.name for prompt in prompts],
        "prompt": prompt.messages[0].content.text,
        "resources": [resource.uri for resource in (await client.list_resources()).resources],
        "templates": [template.uri_template for template in templates],
        "read": read.contents[0].text,
        "completed": [by_prompt.completion.values, by_template.completion.values],
        "refused": refused.structured_content["error"]["code"] if refused.is_error else None,
        "missing": missing,
    }


async def long_calls(client: Client, text: str) -> dict[str, Any]:
    """Give up one call that goes on, and wait for another: the store is locked until `waiting` is printed."""
    progress: list[float] = []
    with anyio.CancelScope() as scope:

        async def give_up(done: float, total: float | None, message: str | None) -> None:
            scope.cancel()

        await client.call_tool("remember", {"text": f"{text}, given up"}, progress_callback=give_up)

    async def wait(done: float, total: float | None, message: str | None) -> None:
        if not progress:
            print("waiting", flush=True)
        progress.append(done)

    result = await client.call_tool("remember", {"text": text}, progress_callback=wait)
    return {"cancelled": scope.cancelled_caught, "progress": progress, "remembered": result.content[0].text}


async def main(transport: str, address: str, text: str, mode: str = "auto") -> None:
    async with Client(server(transport, address), mode="auto" if mode == "long" else mode) as client:
        work = long_calls if mode == "long" else report
        print(json.dumps(await work(client, text)))


anyio.run(main, *sys.argv[1:])
