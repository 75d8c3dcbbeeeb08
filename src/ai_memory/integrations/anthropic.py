"""Claude's memory tool (`memory_20250818`) over this service, for the tool runner of the package anthropic, which it needs."""

from __future__ import annotations

import asyncio
from typing import Any

from ai_memory.integrations.files import FileError, MemoryFiles, carried_out
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE

try:
    from anthropic.lib.tools import BetaAbstractMemoryTool, BetaAsyncAbstractMemoryTool, ToolError
except ImportError as missing:
    raise ImportError("ai_memory.integrations.anthropic needs: pip install anthropic") from missing


class MemoryTool(BetaAbstractMemoryTool):
    """The tool for a client that waits: `client.beta.messages.run_tools(tools=[MemoryTool(memory)], …)`."""

    def __init__(
        self, memory: Methods, *, namespace: str = DEFAULT_NAMESPACE, user: str | None = None, **options: Any
    ) -> None:
        """`memory` is a `Memory` or a `Client`, which stays the caller's to close; `options` are those of the base class."""
        super().__init__(**options)
        self.files = MemoryFiles(memory, namespace=namespace, user=user)

    def view(self, command: Any) -> str:
        """What is in a folder, or the lines of a file."""
        return _answer(self.files, command, "path", "view_range")

    def create(self, command: Any) -> str:
        """Make a file."""
        return _answer(self.files, command, "path", "file_text")

    def str_replace(self, command: Any) -> str:
        """Replace what occurs once in a file."""
        return _answer(self.files, command, "path", "old_str", "new_str")

    def insert(self, command: Any) -> str:
        """Insert lines into a file."""
        return _answer(self.files, command, "path", "insert_line", "insert_text")

    def delete(self, command: Any) -> str:
        """Erase a file or a folder for good."""
        return _answer(self.files, command, "path")

    def rename(self, command: Any) -> str:
        """Move a file or a folder."""
        return _answer(self.files, command, "old_path", "new_path")

    def clear_all_memory(self) -> str:
        """Erase every file."""
        return self.files.clear_all_memory()


class AsyncMemoryTool(BetaAsyncAbstractMemoryTool):
    """The tool for an asynchronous client; each command in a thread."""

    def __init__(
        self, memory: Methods, *, namespace: str = DEFAULT_NAMESPACE, user: str | None = None, **options: Any
    ) -> None:
        """As `MemoryTool`."""
        super().__init__(**options)
        self.tool = MemoryTool(memory, namespace=namespace, user=user)

    async def view(self, command: Any) -> str:
        """As `MemoryTool.view`."""
        return await asyncio.to_thread(self.tool.view, command)

    async def create(self, command: Any) -> str:
        """As `MemoryTool.create`."""
        return await asyncio.to_thread(self.tool.create, command)

    async def str_replace(self, command: Any) -> str:
        """As `MemoryTool.str_replace`."""
        return await asyncio.to_thread(self.tool.str_replace, command)

    async def insert(self, command: Any) -> str:
        """As `MemoryTool.insert`."""
        return await asyncio.to_thread(self.tool.insert, command)

    async def delete(self, command: Any) -> str:
        """As `MemoryTool.delete`."""
        return await asyncio.to_thread(self.tool.delete, command)

    async def rename(self, command: Any) -> str:
        """As `MemoryTool.rename`."""
        return await asyncio.to_thread(self.tool.rename, command)

    async def clear_all_memory(self) -> str:
        """As `MemoryTool.clear_all_memory`."""
        return await asyncio.to_thread(self.tool.clear_all_memory)


def _answer(files: MemoryFiles, command: Any, *fields: str) -> str:
    try:
        return carried_out(files, command.command, {name: getattr(command, name, None) for name in fields})
    except FileError as error:
        raise ToolError(str(error)) from error
