"""The OpenAI Agents SDK, without a model: `openai_agents.py TRANSPORT ADDRESS TEXT`, whose report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from agents import Agent, RunContextWrapper
from agents.mcp import MCPServerStdio, MCPServerStreamableHttp, MCPUtil


async def main(transport: str, address: str, text: str) -> None:
    server: Any = (
        MCPServerStreamableHttp({"url": address})
        if transport == "http"
        else MCPServerStdio({"command": address, "args": ["mcp"], "env": dict(os.environ)})
    )
    async with server:
        context = RunContextWrapper(None)
        agent = Agent("a test", mcp_servers=[server])
        functions = await MCPUtil.get_all_function_tools([server], True, context, agent)
        tools = {tool.name: tool for tool in await server.list_tools(context, agent)}

        async def call(name: str, **arguments: Any) -> str:
            output = await MCPUtil.invoke_mcp_tool(server, tools[name], context, json.dumps(arguments))
            return output if isinstance(output, str) else json.dumps(output, ensure_ascii=False)

        remembered = await call("remember", text=text, tags=["client"])
        recalled = await call("recall", query=text)
        server.use_structured_content = True
        found = {
            "tools": [function.name for function in functions],
            "remembered": remembered,
            "recalled": recalled,
            "structured": json.loads(await call("recall", query=text)),
            "prompts": [one.name for one in (await server.list_prompts()).prompts],
            "prompt": (await server.get_prompt("recall_first", {"question": text})).messages[0].content.text,
        }
    print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
