"""LangChain's MCP adapters: `langchain_mcp.py TRANSPORT ADDRESS TEXT`, whose report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from langchain_core.utils.function_calling import convert_to_openai_tool
from langchain_mcp_adapters.client import MultiServerMCPClient


def shown(content: Any) -> str:
    """What a model is given: a text, or the texts of a list of blocks."""
    return content if isinstance(content, str) else "\n".join(block["text"] for block in content)


async def main(transport: str, address: str, text: str) -> None:
    server = (
        {"transport": "http", "url": address}
        if transport == "http"
        else {"transport": "stdio", "command": address, "args": ["mcp"], "env": dict(os.environ)}
    )
    client = MultiServerMCPClient({"memory": server})
    tools = {tool.name: tool for tool in await client.get_tools()}

    async def call(name: str, **arguments: Any) -> Any:
        return await tools[name].ainvoke({"name": name, "args": arguments, "id": "1", "type": "tool_call"})

    remembered = await call("remember", text=text, tags=["client"])
    recalled = await call("recall", query=text)
    long = await call("remember", text=f"{text}. " + "A text that no listing shows whole. " * 20)
    listed = await call("list_memories", limit=5)
    refused = await call("recall", query=text, limit=0)
    (prompt,) = await client.get_prompt("memory", "recall_first", arguments={"question": text})
    found = {
        "tools": list(tools),
        "models": [convert_to_openai_tool(tool)["function"]["name"] for tool in tools.values()],
        "remembered": shown(remembered.content),
        "recalled": shown(recalled.content),
        "structured": recalled.artifact["structured_content"],
        "blocks": sorted({block["type"] for block in [*listed.content, *long.content]}),
        "refused": "invalid_input" if refused.status == "error" and "invalid_input" in shown(refused.content) else None,
        "prompt": prompt.content,
    }
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
