"""The commands by name: a summary, and the module with `add(parser)` and `run(arguments, screen)`."""

from __future__ import annotations

from ai_memory.operations.base import Operation
from ai_memory.operations.table import OPERATIONS

OPERATION_COMMANDS: dict[str, Operation] = {
    operation.command.name: operation for operation in OPERATIONS if operation.command is not None
}
"""The operations by the name of their command."""

_HERE = "ai_memory.cli.commands"
_SPECIAL = {
    **{name: name for name in ("remember", "recall", "export", "graph", "review")},
    "import": "import_",
    "jobs": "store.jobs",
    "events": "store.events",
}
"""Commands of operations with a module of their own, most because they read or write files; all others are run by `operation`."""

COMMANDS: dict[str, tuple[str, str]] = {
    **{
        name: (operation.summary, f"{_HERE}.{_SPECIAL.get(name, 'operation')}")
        for name, operation in OPERATION_COMMANDS.items()
    },
    "explain": ("Ask, and show how each hit was ranked, stage by stage", f"{_HERE}.explain"),
    "serve": ("Start the service: REST, MCP over HTTP, metrics", f"{_HERE}.serve"),
    "open": ("Open the console in the browser, with a service of its own where none runs", f"{_HERE}.setup.open"),
    "mcp": ("Serve MCP on standard input and output, for an agent that starts this command", f"{_HERE}.mcp"),
    "setup": (
        "Enter the service in the settings of Claude Code, Cursor, Codex and other programs",
        f"{_HERE}.setup.programs",
    ),
    "hook": ("Recall and remember at the moments of a session of Claude Code or Codex", f"{_HERE}.setup.hook"),
    "service": ("Let the system start the service with your session", f"{_HERE}.setup.service"),
    "model": ("List, fetch, choose, verify and measure embedding models", f"{_HERE}.model"),
    "embed": ("Embed the texts in a file, resumable, on this machine or a Ray cluster", f"{_HERE}.embed"),
    "reembed": (
        "Embed everything again with another model or dimension, then switch to the new vectors",
        f"{_HERE}.store.reembed",
    ),
    "evaluate": ("Measure recall on question sets", f"{_HERE}.evaluate"),
    "tune": ("Fit the weights of recall to judged questions, measured on held-out questions", f"{_HERE}.tune"),
    "doctor": ("Check derived data against the canonical rows, and rebuild it", f"{_HERE}.store.doctor"),
    "backup": ("Copy the store to a file while it is in use", f"{_HERE}.store.backup"),
    "help": ("Show a page of the documentation, or list the pages", f"{_HERE}.help"),
    "migrate": ("Copy a whole store between a file and a Neo4j database", f"{_HERE}.store.migrate"),
    "settings": ("Print the settings in effect", f"{_HERE}.settings"),
    "completion": ("Print a shell's completion script", f"{_HERE}.completion"),
}
"""Every command: its summary and its module, which is imported only when the command is used."""

LOCAL = frozenset({"serve", "service", "model", "embed", "evaluate", "tune", "doctor", "backup", "migrate"})
"""Commands that work on this machine alone; they need more than the client distribution."""
