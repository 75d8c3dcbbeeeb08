"""Handlers of the operations on relations."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

from msgspec.structs import replace

from ai_memory.errors import ConflictError, InvalidInputError, NotFoundError
from ai_memory.graph.gazetteer import key
from ai_memory.graph.resolve import ANY_KIND
from ai_memory.operations.base import parse
from ai_memory.operations.graph import RelateRequest, UnrelateRequest
from ai_memory.service.drafts import check_json
from ai_memory.service.parts import Parts
from ai_memory.service.writing import no_such_memory, write, write_once
from ai_memory.store.base import Rejected, Relate, Result, Stored, Unchanged, Unrelate
from ai_memory.store.ids import ENTITY, MEMORY, RELATION, entity_id, new_id
from ai_memory.text.normal import clean_text
from ai_memory.types import Entity, Relation

_GIVEN = ("source", "target", "type", "weight", "attributes", "valid_from", "valid_to")
ENTITY_PREFIX = "entity:"


def relate(parts: Parts, request: RelateRequest) -> Relation:
    """Add a relation, or give back the equal one that stands."""
    now = parts.now()
    made: list[Entity] = []
    source = _endpoint(parts, request.namespace, request.source, now, made, "source")
    target = _endpoint(parts, request.namespace, request.target, now, made, "target")
    if source == target:
        raise InvalidInputError("source and target are the same", hint="relate two different things", field="target")
    if request.valid_from and request.valid_to and request.valid_to <= request.valid_from:
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
        valid_from=request.valid_from,
        valid_to=request.valid_to,
        recorded_at=now,
    )
    command = Relate(relation=relation, new_entities=tuple(made))
    if request.idempotency_key is None:
        return _relation(write(parts, [command])[0])

    def answer(results: list[Result]) -> Relation:
        return replace(_relation(results[0]), attributes={})  # a kept answer outlives a forget and must hold no text

    kept = write_once(parts, "relate", request, request.idempotency_key, [command], answer, Relation)
    standing = parts.store.relations(request.namespace, [kept.source])
    return next((whole for whole in standing if whole.id == kept.id), kept)


def unrelate(parts: Parts, request: UnrelateRequest) -> Relation:
    """End a relation; it stays in what was known before."""
    return _relation(write(parts, [Unrelate(id=request.id, namespace=request.namespace, at=parts.now())])[0])


def check_relation(relation: Relation) -> None:
    """Raise InvalidInputError unless an archive's relation is one that this service could have made."""
    parse(RelateRequest, {name: getattr(relation, name) for name in _GIVEN})
    clean_text(relation.id, "id")
    check_json(relation.attributes, "attributes")


def _endpoint(parts: Parts, namespace: str, node: str, now: dt.datetime, made: list[Entity], field: str) -> str:
    """The id of an endpoint; a named thing that only memories name so far, or nobody, is added to `made`."""
    clean_text(node, field)
    if not node.startswith(ENTITY_PREFIX):
        if node.startswith(ENTITY) and not parts.store.entities(namespace, ids=[node]):
            made += known_entities(parts, namespace, ids=[node])
        return existing(parts, namespace, node)
    kind, name = _kind_and_name(node)
    entity = _named(parts, namespace, kind, name)
    if entity is not None and parts.store.entities(namespace, ids=[entity.id]):
        return entity.id
    if entity is None:
        kind = kind or ANY_KIND
        entity = Entity(
            id=entity_id(namespace, kind, key(name)), namespace=namespace, name=name, kind=kind, created_at=now
        )
    made.append(entity)
    return entity.id


def existing(parts: Parts, namespace: str, node: str) -> str:
    """The id of a node that is there. Raises NotFoundError, and InvalidInputError for what is no node at all."""
    if node.startswith(ENTITY_PREFIX):
        kind, name = _kind_and_name(node)
        entity = _named(parts, namespace, kind, name)
        if entity is None:
            raise NotFoundError(f"there is no entity named {name!r} in namespace {namespace}", entity=name)
        return entity.id
    if node.startswith(MEMORY):
        if parts.store.get(namespace, [node])[0] is None:
            raise no_such_memory(node, namespace)
        return node
    if node.startswith(ENTITY):
        if not known_entities(parts, namespace, ids=[node]):
            raise NotFoundError(f"there is no entity {node} in namespace {namespace}", entity=node)
        return node
    raise InvalidInputError(
        f"{node!r} is neither a memory nor an entity",
        hint="write mem_…, ent_…, entity:NAME or entity:KIND/NAME",
        field="id",
    )


def _kind_and_name(node: str) -> tuple[str | None, str]:
    rest = node.removeprefix(ENTITY_PREFIX).strip()
    before, slash, after = rest.partition("/")
    kind, name = (before.strip().casefold(), after.strip()) if slash else ("", rest)
    if not name:
        raise InvalidInputError(f"{node!r} names no entity", hint="write entity:NAME or entity:KIND/NAME", field="id")
    return kind or None, name


def _named(parts: Parts, namespace: str, kind: str | None, name: str) -> Entity | None:
    found = known_entities(parts, namespace, names=[name])
    return next((entity for entity in found if kind is None or entity.kind == kind), None)


def known_entities(parts: Parts, namespace: str, *, ids: Sequence[str] = (), names: Sequence[str] = ()) -> list[Entity]:
    """Entities by id or name: those that people made first, then those that were read from memories."""
    made = parts.store.entities(namespace, ids=ids, names=names)
    if parts.graph is None:
        return made
    known = {entity.id for entity in made}
    read = parts.graph.file().entities(namespace, ids=ids, names=names)
    return made + [entity for entity, _ in read if entity.id not in known]


def _relation(result: Result) -> Relation:
    if isinstance(result, Stored | Unchanged) and result.relation is not None:
        return result.relation
    if isinstance(result, Rejected):
        hint = "ai-memory neighbours NODE shows the relations of a memory or thing"
        kind = NotFoundError if result.code == "not_found" else ConflictError
        error = kind(result.reason, hint=hint)
        error.details.update(result.details)
        raise error
    raise AssertionError(f"a relation command cannot give {result!r}")
