"""The commands by name: what each does and the module that has its `add(parser)` and `run(arguments, screen)`."""

from __future__ import annotations

from ai_memory.operations.base import Operation
from ai_memory.operations.table import OPERATIONS

OPERATION_COMMANDS: dict[str, Operation] = {
    operation.command.name: operation for operation in OPERATIONS if operation.command is not None
}
"""The operations by the name of their command."""

_HERE = __name__
_SPECIAL = {"remember", "import", "export", "graph"}
"""Operations that take files or streams; all others are run by `operation`."""

COMMANDS: dict[str, tuple[str, str]] = {
    **{
        name: (operation.summary, f"{_HERE}.{name.replace('import', 'import_') if name in _SPECIAL else 'operation'}")
        for name, operation in OPERATION_COMMANDS.items()
    },
    "explain": ("Ask, and see why each hit is where it is, stage by stage", f"{_HERE}.explain"),
    "serve": ("Start the service: REST, MCP over HTTP, metrics", f"{_HERE}.serve"),
    "mcp": ("Speak MCP on standard input and output, for an agent that starts this command", f"{_HERE}.mcp"),
    "model": ("List, fetch, choose, verify and measure embedding models", f"{_HERE}.model"),
    "embed": ("Make vectors of the texts in a file, resumable, on this machine or a Ray cluster", f"{_HERE}.embed"),
    "reembed": ("Make all vectors anew with another model or dimension, then switch to them", f"{_HERE}.reembed"),
    "evaluate": ("Measure recall on question sets", f"{_HERE}.evaluate"),
    "tune": ("Fit the weights of recall to judged questions, measured on questions held out", f"{_HERE}.tune"),
    "doctor": ("Compare what is derived with what is canonical, and mend it", f"{_HERE}.doctor"),
    "backup": ("Copy the store to a file while it is in use", f"{_HERE}.backup"),
    "migrate": ("Copy a whole store from a file to a Neo4j database, or back", f"{_HERE}.migrate"),
    "settings": ("Print the settings in effect", f"{_HERE}.settings"),
    "completion": ("Print a shell's completion script", f"{_HERE}.completion"),
}
"""Every command: its summary and its module, which is imported only when the command is used."""

LOCAL = frozenset({"serve", "model", "embed", "evaluate", "tune", "doctor", "backup", "migrate"})
"""Commands that work on this machine alone, so that they need more than the client distribution."""
