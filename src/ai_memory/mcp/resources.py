"""Resources: addresses that clients attach to a conversation or open, and the values that complete them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from mcp_types import Completion, Resource, ResourceLink, ResourceTemplate

from ai_memory.mcp.text import short
from ai_memory.operations.base import Operation
from ai_memory.operations.graph import ENTITIES, NEIGHBOURS
from ai_memory.operations.inbox import PROPOSALS
from ai_memory.operations.reading import CONTEXTS, GET, LIST
from ai_memory.recall.answer import Answer
from ai_memory.types import MemoryRecord, Page

RECENT = "memory://recent"
CONTEXTS_URI = "memory://contexts"
PROPOSALS_URI = "memory://proposals"
RECENT_LIMIT = 20
JSON = "application/json"
COMPLETIONS = 100
"""The most values that the protocol lets one completion have."""
SEARCHED = 500
"""How many of the newest memories are looked through for tags and ids."""
LINKS = 5
"""How many memories of one answer are linked to at most."""

Carry = Callable[[Operation, Mapping[str, Any]], Awaitable[Any]]
"""Carries out an operation for the client that asks; raises MemoryServiceError."""


class _Template(NamedTuple):
    """Resources of one kind: where they are, what reads one of them, and what their variable may be."""

    prefix: str
    variable: str
    title: str
    description: str
    operation: Operation
    values: Callable[[str], dict[str, Any]]

    @property
    def uri(self) -> str:
        """The address with its variable; one that may have slashes is written with a plus (RFC 6570)."""
        return f"{self.prefix}{{{'+' if self.variable == 'path' else ''}{self.variable}}}"


_TEMPLATES = (
    _Template("memory://memories/", "id", "A memory", "One memory by its id.", GET, lambda value: {"id": value}),
    _Template(
        "memory://contexts/", "path", "A context", "The memories in a context path and below it, newest first.",
        LIST, lambda value: {"context": value},
    ),
    _Template(
        "memory://tags/", "tag", "A tag", "The memories with a tag, newest first.",
        LIST, lambda value: {"tags": [value]},
    ),
    _Template(
        "memory://entities/", "name", "An entity", "What is related to a person, place, product or other named entity.",
        NEIGHBOURS, lambda value: {"id": f"entity:{value}"},
    ),
)  # fmt: skip


def resources() -> list[Resource]:
    """The resources that are always there."""
    return [
        Resource(
            uri=RECENT, name="recent", title="Newest memories", description="The newest memories.", mime_type=JSON
        ),
        Resource(
            uri=CONTEXTS_URI,
            name="contexts",
            title="Contexts",
            description="The context paths in use, and how many memories each has.",
            mime_type=JSON,
        ),
        Resource(
            uri=PROPOSALS_URI,
            name="proposals",
            title="Proposals",
            description="What the service proposes about memories, for the user to decide.",
            mime_type=JSON,
        ),
    ]


def templates() -> list[ResourceTemplate]:
    """The kinds of resources that have a variable in their address."""
    return [
        ResourceTemplate(
            uri_template=template.uri,
            name=template.prefix.removeprefix("memory://").rstrip("/"),
            title=template.title,
            description=template.description,
            mime_type=JSON,
        )
        for template in _TEMPLATES
    ]


def operation_of(uri: str) -> tuple[Operation, dict[str, Any]] | None:
    """The operation that reads a resource, and its fields; None where there is no such resource."""
    if uri == RECENT:
        return LIST, {"limit": RECENT_LIMIT}
    if uri == CONTEXTS_URI:
        return CONTEXTS, {}
    if uri == PROPOSALS_URI:
        return PROPOSALS, {}
    for template in _TEMPLATES:
        value = unquote(uri.removeprefix(template.prefix))
        if uri.startswith(template.prefix) and value.strip("/") and ("/" not in value or template.variable != "id"):
            return template.operation, template.values(value)
    return None


def links(response: Any) -> list[ResourceLink]:
    """Links to the memories whose text a response shows only in part: at most LINKS, the first ones."""
    if isinstance(response, Answer):
        cut = [hit.memory for hit in response.hits if hit.passage.text.strip() != hit.memory.text.strip()]
    elif isinstance(response, Page):
        cut = [memory for memory in response.memories if memory.title or _is_cut(memory)]
    else:
        cut = []
    return [
        ResourceLink(uri=f"memory://memories/{quote(memory.id)}", name=memory.id, title=memory.title, mime_type=JSON)
        for memory in cut[:LINKS]
    ]


def _is_cut(memory: MemoryRecord) -> bool:
    return short(memory.text) != " ".join(memory.text.split())


def variables_of(uri_template: str) -> tuple[str, ...]:
    """The variable of a template; empty where there is no such template."""
    return tuple(template.variable for template in _TEMPLATES if template.uri == uri_template)


async def complete(carry: Carry, variable: str, written: str) -> Completion:
    """The values that a variable may have, given what is written of it; those that begin with it come first.

    `tags` is a list with commas, of which the last entry is completed. Raises what `carry` raises.
    """
    before, comma, rest = written.rpartition(",") if variable == "tags" else ("", "", written)
    begun = rest.strip().casefold()
    known = list(dict.fromkeys(await _known(carry, variable, begun)))
    first = [value for value in known if value.casefold().startswith(begun)]
    then = [value for value in known if begun in value.casefold() and not value.casefold().startswith(begun)]
    found = [f"{before}{comma} {value}" if comma else value for value in first + then]
    return Completion(values=found[:COMPLETIONS], total=len(found), has_more=len(found) > COMPLETIONS)


async def _known(carry: Carry, variable: str, begun: str) -> Iterable[str]:
    """What there is to choose from: every context, the entities that match, the tags or ids of the newest memories."""
    if variable in ("context", "path"):
        return [count.path for count in (await carry(CONTEXTS, {})).contexts]
    if variable == "name":
        return [named.entity.name for named in (await carry(ENTITIES, {"search": begun})).entities]
    if variable not in ("tags", "tag", "id"):
        return []
    memories = (await carry(LIST, {"limit": SEARCHED})).memories
    if variable == "id":
        return [memory.id for memory in memories]
    return [tag for memory in memories for tag in memory.tags]
