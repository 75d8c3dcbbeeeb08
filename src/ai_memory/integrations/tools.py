"""The memory as tools of an agent: the tools that MCP has, for frameworks that call functions in the agent's own process."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.mcp.text import error_text, text_of
from ai_memory.mcp.tools import TOOLS, check_arguments, input_schemas, request_in, tool_of
from ai_memory.operations.base import Operation
from ai_memory.python.methods import Methods
from ai_memory.settings import load_zone
from ai_memory.types import DEFAULT_NAMESPACE
from ai_memory.wording.ways import speaking

USUAL = ("recall", "remember", "revise", "forget")
"""The tools that an agent gets where none are named."""


class AgentTool(NamedTuple):
    """One tool: what a model reads of it, and what calls it."""

    memory: Methods
    namespace: str
    operation: Operation
    name: str
    description: str
    schema: dict[str, Any]
    """The JSON Schema of its arguments."""

    def answer(self, arguments: Mapping[str, Any] | str) -> str:
        """The answer, as text for a model; so is what is wrong with the arguments, as values or as JSON text."""
        with speaking("mcp"):
            try:
                values = check_arguments(self.operation, _values(arguments))
                request = request_in(self.operation, values, self.namespace)
                response = self.memory.caller.carry_out(self.operation, request)
                refused = None if self.operation.refusal is None else self.operation.refusal(response)
                return text_of(response, load_zone()) if refused is None else error_text(refused)
            except MemoryServiceError as error:
                return error_text(error)


def agent_tools(
    memory: Methods, names: Sequence[str] = USUAL, *, namespace: str = DEFAULT_NAMESPACE
) -> list[AgentTool]:
    """These tools over a `Memory` or a `Client`. Raises InvalidInputError for a name that is none."""
    unknown = [name for name in names if name not in TOOLS]
    if unknown:
        raise InvalidInputError(f"there is no tool {', '.join(unknown)}", hint=f"one of {', '.join(TOOLS)}")
    return [
        AgentTool(memory, namespace, TOOLS[name], name, tool_of(TOOLS[name]).description, input_schemas()[name])
        for name in names
    ]


def _values(arguments: Mapping[str, Any] | str) -> Mapping[str, Any]:
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments or "{}")
        except ValueError as error:
            raise InvalidInputError(f"the arguments are no JSON: {error}", hint="give a JSON object") from None
    if not isinstance(arguments, Mapping):
        raise InvalidInputError("the arguments are no JSON object", hint="give the fields by name")
    return arguments
