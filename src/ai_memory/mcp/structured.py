"""Results as structured content: what the text says, as JSON that is little larger than it.

Some frameworks give a model this in place of the text, so it costs what the text costs: no field that the text does not show, and
none that is at its default. The whole of a memory is a resource.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from ai_memory.clock import day_in, in_zone
from ai_memory.mcp.text import short, touches
from ai_memory.operations.graph import Neighbours
from ai_memory.operations.reading import History
from ai_memory.operations.writing import Forgotten
from ai_memory.recall.answer import Answer, Hit
from ai_memory.types import Actor, MemoryRecord, Page, Receipt, Relation


class Near(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A memory next to a hit, and in what way."""

    how: str
    id: str
    text: str


class Shown(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A memory. `date` is the day on which it happened or became true, else on which it was stored; `actor` is who wrote it.

    What it says of its author is a claim unless the actor is a person.
    A listing shows the title alone where there is one, else the beginning of the text.
    """

    id: str
    date: str
    text: str = ""
    title: str = ""
    type: str = "semantic"
    actor: str = ""
    author: str = ""
    context: str = ""


class Found(Shown, frozen=True, kw_only=True, omit_defaults=True):
    """A hit: the passage that matched, and how likely it answers the question."""

    confidence: float
    validity: str = "current"
    near: tuple[Near, ...] = ()


class Recalled(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Hits, best first; `reason` says why there are none or why they should not be trusted."""

    hits: tuple[Found, ...]
    reason: str = ""
    notices: tuple[str, ...] = ()


class Listed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One page of memories; `cursor` leads to the next one."""

    memories: tuple[Shown, ...]
    cursor: str = ""


class Revision(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One revision: from and until which day the service held it to be true."""

    revision: int
    text: str
    since: str
    until: str = ""
    actor: str = ""
    reason: str = ""


class Revisions(Struct, frozen=True, kw_only=True):
    """All revisions of one memory, oldest first."""

    id: str
    revisions: tuple[Revision, ...]


class Edge(Struct, frozen=True, kw_only=True):
    """A relation."""

    id: str
    source: str
    type: str
    target: str


class Reached(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node that a walk reached, and the relation by which it did."""

    id: str
    label: str
    source: str
    type: str
    target: str
    depth: int = 1
    actor: str = ""


class Walked(Struct, frozen=True, kw_only=True):
    """The nodes that a walk reached, nearest first."""

    neighbours: tuple[Reached, ...]


class Written(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a write."""

    outcome: str
    memory_id: str = ""
    revision: int = 0
    actor: str = ""
    supersedes: tuple[str, ...] = ()
    expires_at: str = ""
    reason: str = ""
    differs: tuple[str, ...] = ()
    contains_forgotten: tuple[str, ...] = ()
    similar: tuple[str, ...] = ()
    """The stored memories that it touches, each as its line of the text says it."""


class Erased(Struct, frozen=True, kw_only=True):
    """How many memories were erased, and their ids."""

    forgotten: int
    ids: tuple[str, ...]
    wipe_pending: str = ""
    """What keeps their bytes on disk for now; empty where they are gone."""


def structure_of(value: Any, zone: dt.tzinfo) -> Struct:
    """The structured content of a response; days are those of `zone`."""
    _, make = STRUCTURES[type(value)]
    return make(value, zone)


def _known(actor: Actor) -> str:
    return "" if actor is Actor.UNKNOWN else actor.value


def _facts(memory: MemoryRecord, zone: dt.tzinfo) -> dict[str, Any]:
    return {
        "id": memory.id,
        "date": day_in(memory.valid_from or memory.created_at, zone),
        "title": memory.title or "",
        "type": memory.type.value,
        "actor": _known(memory.actor),
        "author": memory.author or "",
        "context": memory.context,
    }


def _found(hit: Hit, zone: dt.tzinfo) -> Found:
    return Found(
        **_facts(hit.memory, zone),
        text=hit.passage.text.strip(),
        confidence=round(hit.confidence, 2),
        validity=hit.validity,
        near=tuple(Near(how=near.how, id=near.memory.id, text=short(near.memory.text)) for near in hit.surroundings),
    )


def _recalled(answer: Answer, zone: dt.tzinfo) -> Recalled:
    notices = tuple(notice.message for notice in answer.notices)
    hits = tuple(_found(hit, zone) for hit in answer.hits)
    return Recalled(hits=hits, reason=answer.reason or "", notices=notices)


def _listed(page: Page, zone: dt.tzinfo) -> Listed:
    memories = tuple(
        Shown(**_facts(memory, zone), text="" if memory.title else short(memory.text)) for memory in page.memories
    )
    return Listed(memories=memories, cursor=page.cursor or "")


def _revisions(history: History, zone: dt.tzinfo) -> Revisions:
    return Revisions(
        id=history.id,
        revisions=tuple(
            Revision(
                revision=memory.revision,
                text=memory.text,
                since=day_in(memory.recorded_at, zone),
                until=day_in(memory.retired_at, zone) if memory.retired_at else "",
                actor=_known(memory.actor),
                reason=memory.retired_reason or "",
            )
            for memory in history.revisions
        ),
    )


def _edge(relation: Relation, zone: dt.tzinfo) -> Edge:
    del zone
    return Edge(id=relation.id, source=relation.source, type=relation.type, target=relation.target)


def _walked(found: Neighbours, zone: dt.tzinfo) -> Walked:
    del zone
    return Walked(
        neighbours=tuple(
            Reached(
                id=node.id,
                label=short(node.label),
                source=node.relation.source,
                type=node.relation.type,
                target=node.relation.target,
                depth=node.depth,
                actor=_known(node.relation.actor),
            )
            for node in found.neighbours
        )
    )


def _written(receipt: Receipt, zone: dt.tzinfo) -> Written:
    return Written(
        outcome=receipt.outcome.value,
        memory_id=receipt.memory_id or "",
        revision=receipt.revision or 0,
        actor="" if receipt.actor is None else _known(receipt.actor),
        supersedes=receipt.supersedes,
        expires_at="" if receipt.expires_at is None else in_zone(receipt.expires_at, zone).isoformat(" ", "minutes"),
        reason=receipt.reason or "",
        differs=receipt.differs,
        contains_forgotten=receipt.contains_forgotten,
        similar=tuple(f"{touches(each)} {short(each.text or '')}" for each in receipt.similar),
    )


def _erased(forgotten: Forgotten, zone: dt.tzinfo) -> Erased:
    del zone
    waits = "" if forgotten.wipe_pending is None else forgotten.wipe_pending.why
    return Erased(forgotten=forgotten.forgotten, ids=forgotten.ids, wipe_pending=waits)


STRUCTURES: dict[type, tuple[type[Struct], Callable[[Any, dt.tzinfo], Struct]]] = {
    Answer: (Recalled, _recalled),
    Page: (Listed, _listed),
    History: (Revisions, _revisions),
    Neighbours: (Walked, _walked),
    Receipt: (Written, _written),
    Relation: (Edge, _edge),
    Forgotten: (Erased, _erased),
}
"""By response type of a tool: the type of its structured content, and what makes it; a test checks that none is missing."""
