"""FastMCP's client: `fastmcp_client.py TRANSPORT ADDRESS TEXT`, whose report is a line of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys

from fastmcp import Client
from fastmcp.client.transports import StdioTransport


async def main(transport: str, address: str, text: str) -> None:
    server = address if transport == "http" else StdioTransport(address, ["mcp"], env=dict(os.environ))
    async with Client(server) as client:
        remembered = await client.call_tool("remember", {"text": text, "context": "clients/sdk", "tags": ["client"]})
        recalled = await client.call_tool("recall", {"query": text})
        prompt = await client.get_prompt("recall_first", {"question": text})
        read = await client.read_resource(f"memory://memories/{remembered.structured_content['memory_id']}")
        refused = await client.call_tool("recall", {"query": text, "limit": 0}, raise_on_error=False)
        found = {
            "tools": [tool.name for tool in await client.list_tools()],
            "remembered": remembered.content[0].text,
            "recalled": recalled.content[0].text,
            "structured": recalled.structured_content,
            "typed": [hit.id for hit in recalled.data.hits],
            "prompts": [one.name for one in await client.list_prompts()],
            "prompt": prompt.messages[0].content.text,
            "resources": [str(one.uri) for one in await client.list_resources()],
            "templates": [one.uri_template for one in await client.list_resource_templates()],
            "read": read[0].text,
            "refused": refused.structured_content["error"]["code"] if refused.is_error else None,
        }
        print(json.dumps(found))


asyncio.run(main(*sys.argv[1:]))
