"""Examples of requests, for the API page, the reference page and the OpenAPI document."""

from __future__ import annotations

from typing import Any

from ai_memory.operations.base import Operation
from ai_memory.operations.schema import Schema

VALUES: dict[str, Any] = {
    "text": "We ship on Fridays.",
    "query": "When do we ship?",
    "about": "Anna Schmidt",
    "id": "mem_…",
    "source": "mem_…",
    "target": "entity:person/Ada",
    "thing": "entity:person/Ada",
    "things": ["entity:A. Lovelace"],
    "into": "entity:person/Ada Lovelace",
    "ids": ["mem_…"],
    "kind": "update",
    "decision": "accept",
    "verdict": "outdated",
    "action": "pause",
    "backup": "memory-20261201-093000.db",
    "model": "all-MiniLM-L6-v2",
    "memories": [{"text": "Ada leads the search team."}, {"text": "The office closes at six.", "type": "procedural"}],
    "messages": [
        {"role": "user", "content": "I moved to Riga in May.", "name": "Ada"},
        {"role": "assistant", "content": "Noted."},
    ],
}
"""Example values of the required fields."""

LINES = '{"text": "Ada leads the search team."}\n{"text": "The office closes at six.", "type": "procedural"}\n'
"""An example of what `import` takes."""


MORE: dict[str, dict[str, Any]] = {
    "revise": {"text": "We ship on Thursdays."},
    "retire": {"reason": "The team was dissolved."},
    "consolidate": {"session": "monday"},
    "propose": {"other": "mem_…"},
    "forget_many": {"tags": ["release"], "dry_run": True},
}
"""By operation, the fields without which a request with only the required ones would do nothing."""


def example_values(operation: Operation, request: Schema) -> dict[str, Any]:
    """A small sensible request of an operation as plain values; `request` is its schema, or a part of it."""
    required = {name: VALUES[name] for name in request.get("required", ())}
    return {**required, **MORE.get(operation.name, {})}
