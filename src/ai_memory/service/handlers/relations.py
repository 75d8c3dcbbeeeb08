"""Handlers of the operations on relations."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.operations.base import parse
from ai_memory.operations.graph import RelateRequest, UnrelateRequest
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.drafts import check_json
from ai_memory.service.handlers.nodes import Names
from ai_memory.service.handlers.once import Write, write, write_once
from ai_memory.service.parts import Parts
from ai_memory.store.base import Rejected, Relate, Result, Stored, Unchanged, Unrelate
from ai_memory.store.ids import RELATION, new_id
from ai_memory.text.normal import clean_text
from ai_memory.types import DECISIONS, Entity, Relation
from ai_memory.wording.ways import MERGE_OR_SPLIT, NEIGHBOURS


class _Related(Struct, frozen=True):
    """What is kept of an answer: the relation may be erased with a memory, and is read again."""

    id: str


_GIVEN = ("source", "target", "type", "weight", "attributes", "valid_from", "valid_to")


def relate(parts: Parts, request: RelateRequest) -> Relation:
    """Add a relation, or return the equal one that exists."""
    if request.type in DECISIONS:
        raise InvalidInputError(f"{request.type} is reserved for decisions", hint=MERGE_OR_SPLIT, field="type")
    dated = in_users_zone(request, parts.zone)
    now = parts.clock.now()
    made: list[Entity] = []
    known = Names(parts, request.namespace)
    source = known.endpoint(request.source, now, made, "source")
    target = known.endpoint(request.target, now, made, "target")
    if source == target:
        raise InvalidInputError("source and target are the same", hint="relate two different nodes", field="target")
    if dated.valid_from and dated.valid_to and dated.valid_to <= dated.valid_from:
        raise InvalidInputError("valid_to is not after valid_from", field="valid_to")
    check_json(request.attributes, "attributes")
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
    command = Relate(relation=relation, new_entities=tuple(made))
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
    clean_text(relation.id, "id")
    check_json(relation.attributes, "attributes")
    return replace(relation, type=given.type)


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
