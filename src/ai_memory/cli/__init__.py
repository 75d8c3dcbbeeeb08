"""The command line: `ai-memory`, made from the operations."""

from ai_memory.cli.program import main

__all__ = ["main"]
