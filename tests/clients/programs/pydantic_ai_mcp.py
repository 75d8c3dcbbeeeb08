"""Pydantic AI, with a model of plain functions: `pydantic_ai_mcp.py TRANSPORT ADDRESS TEXT`, whose report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from fastmcp.client.transports import StdioTransport
from pydantic_ai import Agent
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel


async def main(transport: str, address: str, text: str) -> None:
    toolset = MCPToolset(address if transport == "http" else StdioTransport(address, ["mcp"], env=dict(os.environ)))
    calls = [ToolCallPart("remember", {"text": text, "tags": ["client"]}), ToolCallPart("recall", {"query": text})]
    offered: list[str] = []
    returned: dict[str, Any] = {}

    def model(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
        """Call both tools in turn, then end; what the tools gave is what a model is shown."""
        offered[:] = [tool.name for tool in info.function_tools]
        for part in messages[-1].parts:
            if isinstance(part, ToolReturnPart):
                returned[part.tool_name] = part.content
        return ModelResponse(parts=[calls[len(returned)] if len(returned) < len(calls) else TextPart("done")])

    async with Agent(FunctionModel(model), toolsets=[toolset]) as agent:
        await agent.run("go")
        prompt = await toolset.get_prompt("recall_first", {"question": text})
        found = {
            "tools": offered,
            "remembered": json.dumps(returned["remember"], ensure_ascii=False),
            "recalled": json.dumps(returned["recall"], ensure_ascii=False),
            "structured": returned["recall"],
            "prompt": str(prompt.messages[0].content),
            "resources": [str(one.uri) for one in await toolset.list_resources()],
            "read": await toolset.read_resource("memory://recent"),
        }
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
