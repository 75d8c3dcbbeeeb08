"""The nine tools of MCP's reference memory server over this memory: a settings file of an agent changes in one line.

    pip install mcp ; python examples/mcp_reference.py [FOLDER]

What an agent writes through them is then recalled like any other memory.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

from ai_memory import Memory

ADA = {"name": "Ada_Lovelace", "entityType": "person", "observations": ["Is allergic to hazelnuts"]}
ATLAS = {"name": "Atlas", "entityType": "project", "observations": ["Starts in May"]}
WORKS = {"from": "Ada_Lovelace", "to": "Atlas", "relationType": "works_on"}


async def write(folder: str) -> None:
    """What an agent does through the tools."""
    server = StdioServerParameters(
        command=sys.executable,  # in a settings file: "command": "ai-memory", "args": ["mcp", "--profile", "reference"]
        args=["-m", "ai_memory", "mcp", "--profile", "reference", "--data-dir", folder],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    async with stdio_client(server) as (incoming, outgoing), ClientSession(incoming, outgoing) as session:
        await session.initialize()
        await session.call_tool("create_entities", {"entities": [ADA, ATLAS]})
        await session.call_tool("create_relations", {"relations": [WORKS]})
        found = await session.call_tool("open_nodes", {"names": ["Ada_Lovelace"]})
        for entity in found.structured_content["entities"]:
            print("\n".join(f"{entity['name']}: {text}" for text in entity["observations"]))


def main(folder: str) -> None:
    """Write as an agent does, then look at the same store."""
    asyncio.run(write(folder))
    with Memory(data_dir=folder) as memory:
        print("recalled:", memory.recall("hazelnuts allergic", limit=1).hits[0].memory.text)
        print("in the graph:", [each.entity.name for each in memory.entities().entities])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as temporary:
        main(sys.argv[1] if len(sys.argv) > 1 else temporary)
