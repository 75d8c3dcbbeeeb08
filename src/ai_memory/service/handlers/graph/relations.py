"""Handlers of the operations on relations."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.operations.base import parse
from ai_memory.operations.graph import RelateRequest, UnrelateRequest
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.drafts import MAX_ID, check_json
from ai_memory.service.handlers.graph.nodes import Names
from ai_memory.service.handlers.once import Write, write, write_once
from ai_memory.service.parts import Parts
from ai_memory.store.base import Rejected, Relate, Result, Stored, Unchanged, Unrelate
from ai_memory.store.ids import ENTITY, MEMORY, RELATION, new_id
from ai_memory.text.normal import clean_text
from ai_memory.types import DECISIONS, Entity, Relation, RelationType
from ai_memory.wording.ways import MERGE_OR_SPLIT, NEIGHBOURS


class _Related(Struct, frozen=True):
    """What is kept of an answer: the relation may be erased with a memory, and is read again."""

    id: str


MAX_NAME = 300
"""Characters of an entity's name: as many as `relate` takes."""

_GIVEN = ("source", "target", "type", "weight", "attributes", "valid_from", "valid_to")


def to_relate(parts: Parts, request: RelateRequest) -> Relate:
    """The command for a request: its nodes looked up by id or name, with the entities that are new."""
    if request.type in DECISIONS:
        raise InvalidInputError(f"{request.type} is reserved for decisions", hint=MERGE_OR_SPLIT, field="type")
    if request.type == RelationType.DIGEST_OF:
        raise InvalidInputError(
            f"{request.type} is reserved for digests: what is one is erased with its source",
            hint="choose another name, such as SUMMARIZES",
            field="type",
        )
    dated = in_users_zone(request, parts.zone)
    now = parts.clock.now()
    made: list[Entity] = []
    known = Names(parts, request.namespace)
    source = known.endpoint(request.source, now, made, "source")
    target = known.endpoint(request.target, now, made, "target")
    relation = Relation(
        id=new_id(RELATION, now),
        namespace=request.namespace,
        source=source,
        target=target,
        type=request.type,
        weight=request.weight,
        attributes=request.attributes,
        evidence=request.evidence,
        valid_from=dated.valid_from,
        valid_to=dated.valid_to,
        recorded_at=now,
    )
    check_relation(relation)
    return Relate(relation=relation, new_entities=tuple(made))


def relate(parts: Parts, request: RelateRequest) -> Relation:
    """Add a relation, or return the equal one that exists."""
    command = to_relate(parts, request)
    if request.idempotency_key is None:
        return relation_of(write(parts, [command])[0])

    def answer(results: list[Result]) -> _Related:
        return _Related(relation_of(results[0]).id)

    asked = Write("relate", request, request.namespace, request.idempotency_key)
    kept, _ = write_once(parts, asked, [command], answer, _Related)
    found = parts.store.relation(request.namespace, kept.id)
    if found is None:
        raise NotFoundError(
            f"relation {kept.id}, which this request made before, went with a memory that was forgotten since",
            hint="send it with a new idempotency key if it still holds",
        )
    return found


def unrelate(parts: Parts, request: UnrelateRequest) -> Relation:
    """End a relation; it stays in the history."""
    return relation_of(write(parts, [Unrelate(id=request.id, namespace=request.namespace, at=parts.clock.now())])[0])


def checked_relation(relation: Relation) -> Relation:
    """An archive's relation, its type as `relate` keeps it; raises InvalidInputError unless this service could have made it."""
    given = parse(RelateRequest, {name: getattr(relation, name) for name in _GIVEN})
    made = replace(relation, type=given.type)
    _check_id(made.id, "a relation", RELATION, "id")
    check_relation(made)
    if made.retired_at is not None and made.retired_at < made.recorded_at:
        raise InvalidInputError("retired_at is before recorded_at", field="retired_at")
    if made.type in DECISIONS:
        for field, end in (("source", made.source), ("target", made.target)):
            _check_id(end, "an entity", ENTITY, field)
        if made.type == RelationType.SPLIT_INTO and made.evidence is None:
            raise InvalidInputError("a split has a memory as evidence, and this one has none", field="evidence")
    return made


def checked_entity(entity: Entity) -> Entity:
    """An archive's entity; raises InvalidInputError unless this service could have made it."""
    _check_id(entity.id, "an entity", ENTITY, "id")
    for field, text in (("name", entity.name), ("kind", entity.kind), *(("aliases", each) for each in entity.aliases)):
        if not clean_text(text, field).strip() or len(text) > MAX_NAME:
            raise InvalidInputError(f"{field} has 1 to {MAX_NAME} characters", field=field, limit=MAX_NAME)
    return entity


def check_relation(relation: Relation) -> None:
    """What is asked of every relation, whichever way it comes in; whether its ends are there is looked up by the store."""
    if relation.source == relation.target:
        raise InvalidInputError("source and target are the same", hint="relate two different nodes", field="target")
    for field, end in (("source", relation.source), ("target", relation.target)):
        if not end.startswith((MEMORY, ENTITY)):
            raise InvalidInputError(f"{end[:80]!r} is neither the id of a memory nor of an entity", field=field)
    if relation.evidence is not None and relation.evidence.startswith(ENTITY):
        raise InvalidInputError(
            f"{relation.evidence[:80]} is an entity", hint="evidence is the id of a memory", field="evidence"
        )
    if relation.valid_from and relation.valid_to and relation.valid_to <= relation.valid_from:
        raise InvalidInputError("valid_to is not after valid_from", field="valid_to")
    check_json(relation.attributes, "attributes")


def _check_id(given: str, what: str, prefix: str, field: str) -> None:
    if not given.startswith(prefix) or len(clean_text(given, field)) > MAX_ID:
        raise InvalidInputError(
            f"{given[:80]!r} is not the id of {what}", hint=f"such ids look like {prefix}…", field=field
        )


def relation_of(result: Result) -> Relation:
    """The relation that a command left or found. Raises NotFoundError or ConflictError where it was refused."""
    if isinstance(result, Stored | Unchanged) and result.relation is not None:
        return result.relation
    if isinstance(result, Rejected):
        kind = NotFoundError if result.code == "not_found" else ConflictError
        error = kind(result.reason, hint=NEIGHBOURS)
        error.details.update(result.details)
        raise error
    raise AssertionError(f"a relation command cannot give {result!r}")
