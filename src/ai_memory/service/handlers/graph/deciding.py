"""Handlers of the operations by which people say who is who.

A decision is kept as relations, so that it goes wherever relations go: MERGED_INTO from each entity to the one that represents
it, SPLIT_INTO from an entity to what is meant instead, with the memory as its evidence. Those of one decision have its id among
their attributes, and are retired together when it is undone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.extraction.resolve import ANY_KIND
from ai_memory.operations.deciding import (
    Decision,
    DecisionsRequest,
    MadeDecisions,
    MergeRequest,
    SplitRequest,
    UndoRequest,
)
from ai_memory.service.handlers.graph.nodes import Names
from ai_memory.service.handlers.graph.relations import relation_of
from ai_memory.service.handlers.graph.walking import read_new
from ai_memory.service.handlers.once import write
from ai_memory.service.parts import Parts
from ai_memory.store.base import Rejected, Relate, Unrelate
from ai_memory.store.ids import DECISION, ENTITY, RELATION, new_id
from ai_memory.types import Entity, Relation, RelationType
from ai_memory.wording.ways import DECISIONS, NEIGHBOURS, UNDO

_DECISION = "decision"
"""The attribute that holds the id of the decision which a relation is part of."""


def merge(parts: Parts, request: MergeRequest) -> Decision:
    """Record that several entities are one; a decision that is already in force is returned unchanged."""
    read_new(parts)
    names, now, made = Names(parts, request.namespace), parts.clock.now(), list[Entity]()
    things = [_thing(names.existing(node), node, "things") for node in request.things]
    kinds = {entity.kind for entity in names.entities(ids=things)}
    kind = kinds.pop() if len(kinds) == 1 else ANY_KIND
    into = _thing(names.endpoint(request.into, now, made, "into", kind_of_new=kind), request.into, "into")
    read = [names.as_read(node) for node in request.things]
    if names.as_read(request.into) in read:
        raise InvalidInputError(
            "an entity cannot be merged into itself", hint="name two different ones", field="things"
        )
    sources = list(dict.fromkeys(thing for thing in things if thing != into))
    if not sources:
        if names.as_read(request.into) != into:
            raise ConflictError(
                f"{request.into} is merged into what it is to stand for",
                hint=UNDO,
            )
        return _standing(parts, request.namespace, [each for each in read if each], ())
    for source in sources:
        names.endpoint(source, now, made, "things")
    ends = [(source, into, None) for source in sources]
    return _decide(parts, request.namespace, RelationType.MERGED_INTO, ends, made, now)


def split(parts: Parts, request: SplitRequest) -> Decision:
    """Record that memories mean another entity; a decision that is already in force is returned unchanged."""
    if parts.graph is None:
        raise ConflictError("nothing is read from memories here", hint="switch the setting extract on")
    read_new(parts)
    names, now, made = Names(parts, request.namespace), parts.clock.now(), list[Entity]()
    thing = _thing(names.endpoint(names.existing(request.thing), now, made, "thing"), request.thing, "thing")
    (kind,) = [entity.kind for entity in names.entities(ids=[thing])]
    into = _thing(names.endpoint(request.into, now, made, "into", kind_of_new=kind), request.into, "into")
    if into == thing:
        raise InvalidInputError("an entity cannot be split into itself", hint="name two different ones", field="into")
    memories = list(dict.fromkeys(request.ids))
    read = parts.graph.file().naming(request.namespace, names.identity.behind([thing]))
    naming = {memory for memory, entity in read if names.identity.meant(memory, entity) == thing}
    split_off = {
        each.evidence
        for each in parts.decided.relations(request.namespace)
        if each.retired_at is None and each.evidence and names.identity.root(each.target) == into
    }
    for memory in memories:
        if memory not in naming | split_off:
            names.existing(memory)
            raise NotFoundError(
                f"memory {memory} names no {request.thing}",
                hint=NEIGHBOURS,
                memory_id=memory,
            )
    ends = [(thing, into, memory) for memory in memories if memory in naming]
    if not ends:
        return _standing(parts, request.namespace, names.identity.members(thing), memories)
    return _decide(parts, request.namespace, RelationType.SPLIT_INTO, ends, made, now)


def decisions(parts: Parts, request: DecisionsRequest) -> MadeDecisions:
    """Decisions, the newest first."""
    found = [each for each in _all(parts, request.namespace) if request.undone or each.undone_at is None]
    if request.about is not None:
        names = Names(parts, request.namespace)
        about = names.existing(request.about)
        found = [
            each for each in found if about in {names.identity.root(entity.id) for entity in (each.into, *each.things)}
        ]
    return MadeDecisions(decisions=tuple(found[: request.limit]), total=len(found))


def undo(parts: Parts, request: UndoRequest) -> Decision:
    """Undo a decision; one that was already undone is returned as it is."""
    ours = [each for each in parts.decided.relations(request.namespace) if _decision_of(each) == request.id]
    if not ours:
        raise NotFoundError(
            f"there is no decision {request.id} in namespace {request.namespace}",
            hint=DECISIONS,
        )
    now = parts.clock.now()
    ending = [Unrelate(id=each.id, namespace=request.namespace, at=now) for each in ours if each.retired_at is None]
    if ending:
        write(parts, ending)
    return _told(parts, request.namespace, request.id)


def _thing(found: str, node: str, field: str) -> str:
    """The id of an entity. Raises InvalidInputError for a memory's."""
    if not found.startswith(ENTITY):
        raise InvalidInputError(
            f"{node!r} is a memory, not an entity", hint="write ent_…, entity:NAME or entity:KIND/NAME", field=field
        )
    return found


def _decide(
    parts: Parts,
    namespace: str,
    kind: RelationType,
    ends: Sequence[tuple[str, str, str | None]],
    made: Sequence[Entity],
    now: dt.datetime,
) -> Decision:
    """Store a decision; its ends are (source, target, memory). A memory that is forgotten meanwhile is left out."""
    decision = new_id(DECISION, now)
    results = write(
        parts,
        [
            Relate(
                relation=Relation(
                    id=new_id(RELATION, now),
                    namespace=namespace,
                    source=source,
                    target=target,
                    type=str(kind),
                    attributes={_DECISION: decision},
                    evidence=memory,
                    recorded_at=now,
                ),
                new_entities=tuple(made),
            )
            for source, target, memory in ends
        ],
    )
    kept = [result for result in results if not isinstance(result, Rejected)] or results
    return _told(parts, namespace, _decision_of(relation_of(kept[0])))


def _standing(parts: Parts, namespace: str, things: Sequence[str], memories: Sequence[str]) -> Decision:
    """The newest decision in force about one of these entities, and one of these memories if any are given."""
    for each in _all(parts, namespace):
        about = not {entity.id for entity in each.things}.isdisjoint(things)
        if each.undone_at is None and about and bool(memories) == (not set(memories).isdisjoint(each.memories)):
            return each
    raise ConflictError("another process undid this decision meanwhile", hint="send the same again")


def _told(parts: Parts, namespace: str, decision: str) -> Decision:
    return next(each for each in _all(parts, namespace) if each.id == decision)


def _all(parts: Parts, namespace: str) -> list[Decision]:
    """Every decision, the newest first."""
    found: dict[str, list[Relation]] = {}
    ids: set[str] = set()
    for each in parts.decided.relations(namespace):
        found.setdefault(_decision_of(each), []).append(each)
        ids.update((each.source, each.target))
    entities = {entity.id: entity for entity in parts.store.entities(namespace, ids=sorted(ids))} if ids else {}
    return [_shown(decision, relations, entities) for decision, relations in reversed(found.items())]


def _shown(decision: str, relations: Sequence[Relation], entities: dict[str, Entity]) -> Decision:
    first = relations[0]
    standing = [each for each in relations if each.retired_at is None]
    ended = [each.retired_at for each in relations if each.retired_at is not None]
    meant = standing or relations
    return Decision(
        id=decision,
        namespace=first.namespace,
        kind="merge" if first.type == RelationType.MERGED_INTO else "split",
        into=entities[first.target],
        things=tuple(entities[thing] for thing in dict.fromkeys(each.source for each in meant)),
        memories=tuple(each.evidence for each in meant if each.evidence is not None),
        decided_at=first.recorded_at,
        undone_at=None if standing else max(ended),
    )


def _decision_of(relation: Relation) -> str:
    decision = relation.attributes.get(_DECISION)
    return decision if isinstance(decision, str) else relation.id
