"""The MCP server over a real store in this process, and the official client of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

from mcp import Client

from ai_memory.mcp.server import make_server
from ai_memory.mcp.tools import request_in
from ai_memory.operations.base import Operation
from ai_memory.settings import Settings
from ai_memory.wiring import open_service


def connected(
    folder: Path, work: Callable[[Client], Awaitable[None]], mode: str = "auto", namespace: str = "default"
) -> None:
    """Run `work` with the official client of a server over a store in `folder`."""
    with closing(open_service(Settings(data_dir=folder, model="none", snapshot_rows=0))) as service:

        async def carry(http_request: Any, operation: Operation, values: Mapping[str, Any]) -> Any:
            assert http_request is None
            return await anyio.to_thread.run_sync(
                lambda: service.carry_out(operation, request_in(operation, values, namespace))
            )

        async def run() -> None:
            async with Client(make_server(carry, lambda: service.zone), mode=mode) as client:
                await work(client)

        anyio.run(run)
