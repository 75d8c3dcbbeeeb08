"""The knowledge graph of MCP's reference memory server as a view of memories: its nine tools, by their names.

Entities, observations and relations are memories, written as the importer of that server's files writes them, so that they
are recalled like any other; entities and relations are in the graph too. What is deleted is erased for good.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from ai_memory.errors import NotFoundError
from ai_memory.importers.base import entity, relation_type
from ai_memory.importers.memories.mcp_memory import sentence, spaced
from ai_memory.integrations.items import by_key, key_of, listed, write
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord

_OF = "knowledge_graph"
"""The attribute of a memory: its `part`, and the values of the entity, the observation or the relation as they were given."""
_ENDS = ("from", "to", "relationType")

Values = dict[str, Any]


class KnowledgeGraph:
    """The graph in one namespace. Names are compared with their case."""

    def __init__(self, memory: Methods, *, namespace: str = DEFAULT_NAMESPACE) -> None:
        """`memory` is a `Memory` or a `Client`, which stays the caller's to close."""
        self.memory = memory
        self.namespace = namespace

    def create_entities(self, entities: Sequence[Values]) -> Values:
        """Make the entities whose names are new; answers with them."""
        keys = [_key("entity", each["name"]) for each in entities]
        there = by_key(self.memory, self.namespace, keys)
        new = [each for key, each in zip(keys, entities, strict=True) if key not in there]
        drafts = [_entity(each["name"], each["entityType"]) for each in new]
        drafts += [_observation(each, text) for each in new for text in each["observations"]]
        self._write(drafts)
        return {"entities": new}

    def create_relations(self, relations: Sequence[Values]) -> Values:
        """Make the relations that are new; answers with them."""
        keys = [_key("relation", *(each[end] for end in _ENDS)) for each in relations]
        there = by_key(self.memory, self.namespace, keys)
        new = [each for key, each in zip(keys, relations, strict=True) if key not in there]
        self._write([_relation(each) for each in new])
        return {"relations": new}

    def add_observations(self, observations: Sequence[Values]) -> Values:
        """Add what is new about entities. Raises NotFoundError, and adds nothing, where one of the entities is not there."""
        kinds = self._kinds([each["entityName"] for each in observations])
        results = []
        for each in observations:
            name = each["entityName"]
            of = {"name": name, "entityType": kinds[name]}
            there = by_key(self.memory, self.namespace, [_key("observation", name, text) for text in each["contents"]])
            new = [text for text in each["contents"] if _key("observation", name, text) not in there]
            self._write([_observation(of, text) for text in new])
            results.append({"entityName": name, "addedObservations": new})
        return {"results": results}

    def delete_entities(self, names: Sequence[str]) -> Values:
        """Erase entities with what was observed of them and their relations."""
        wanted = set(names)
        self._forget(
            record
            for record in self._all()
            if not wanted.isdisjoint(map(record.attributes[_OF].get, ("name", "from", "to")))
        )
        return _done("Entities")

    def delete_observations(self, deletions: Sequence[Values]) -> Values:
        """Erase observations."""
        self._forget_keys(
            [_key("observation", each["entityName"], text) for each in deletions for text in each["observations"]]
        )
        return _done("Observations")

    def delete_relations(self, relations: Sequence[Values]) -> Values:
        """Erase relations."""
        self._forget_keys([_key("relation", *(each[end] for end in _ENDS)) for each in relations])
        return _done("Relations")

    def read_graph(self) -> Values:
        """All entities, with what was observed of them, and all relations, in the order in which they were made."""
        entities: dict[str, Values] = {}
        relations: list[Values] = []
        for record in self._all():
            kept = record.attributes[_OF]
            if kept["part"] == "relation":
                relations.append({end: kept[end] for end in _ENDS})
                continue
            name = kept["name"]
            found = entities.setdefault(name, {"name": name, "entityType": kept["entityType"], "observations": []})
            if kept["part"] == "observation":
                found["observations"].append(kept["observation"])
        return {"entities": list(entities.values()), "relations": relations}

    def search_nodes(self, query: str) -> Values:
        """The entities whose name, type or observations have the words of a query in them; without any, what recall finds."""
        graph, wanted = self.read_graph(), query.lower()
        found = {each["name"] for each in graph["entities"] if any(wanted in text.lower() for text in _texts(each))}
        if not found and query.strip():
            where = {f"attributes.{_OF}.name": {"$exists": True}}
            answer = self.memory.recall(query, namespace=self.namespace, where=where)
            hits = [] if answer.abstained else answer.hits
            found = {hit.memory.attributes[_OF]["name"] for hit in hits}
        return _part(graph, found)

    def open_nodes(self, names: Sequence[str]) -> Values:
        """The entities of these names, and the relations that begin or end at one of them."""
        return _part(self.read_graph(), set(names))

    def _kinds(self, names: Sequence[str]) -> dict[str, str]:
        there = by_key(self.memory, self.namespace, [_key("entity", name) for name in names])
        kinds = {record.attributes[_OF]["name"]: record.attributes[_OF]["entityType"] for record in there.values()}
        for name in names:
            if name not in kinds:
                raise NotFoundError(f"Entity with name {name} not found")
        return kinds

    def _write(self, drafts: Sequence[Values]) -> None:
        """Store the drafts, each once, and the edges of the graph that they state."""
        distinct = list({draft["key"]: draft for draft in reversed(drafts)}.values())[::-1]
        for draft, receipt in zip(distinct, write(self.memory, self.namespace, distinct), strict=True):
            kept = draft["attributes"][_OF]
            edge: Values
            if kept["part"] == "relation":
                ends: Values = {"source": entity(spaced(kept["from"])), "target": entity(spaced(kept["to"]))}
                edge = {**ends, "type": relation_type(kept["relationType"]), "evidence": receipt.memory_id}
            else:
                named = entity(spaced(kept["name"]), kept["entityType"])
                edge = {"source": receipt.memory_id, "target": named, "type": "MENTIONS"}
            if edge["source"] != edge["target"]:
                self.memory.relate(namespace=self.namespace, **edge)

    def _all(self) -> list[MemoryRecord]:
        return list(listed(self.memory, self.namespace, where={f"attributes.{_OF}": {"$exists": True}}))

    def _forget_keys(self, keys: Sequence[str]) -> None:
        self._forget(by_key(self.memory, self.namespace, keys).values())

    def _forget(self, records: Iterable[MemoryRecord]) -> None:
        for record in records:
            self.memory.forget(record.id, namespace=self.namespace)


def _key(part: str, *values: str) -> str:
    return key_of(_OF, part, *values)


def _entity(name: str, kind: str) -> Values:
    return _draft("entity", f"{spaced(name) or name}: {kind or 'an entity'}", (name,), name=name, entityType=kind)


def _observation(of: Values, text: str) -> Values:
    name = of["name"]
    values = {"name": name, "entityType": of["entityType"], "observation": text}
    return _draft("observation", f"{spaced(name) or name}: {text}", (name, text), **values)


def _relation(values: Values) -> Values:
    ends = {end: values[end] for end in _ENDS}
    said = sentence(ends)
    text = said["text"] if said is not None else " ".join(ends.values()) or "(a relation)"
    return _draft("relation", text, tuple(ends.values()), **ends)


def _draft(part: str, text: str, path: Sequence[str], **values: str) -> Values:
    return {"text": text, "key": _key(part, *path), "attributes": {_OF: {"part": part, **values}}}


def _texts(values: Values) -> list[str]:
    return [values["name"], values["entityType"], *values["observations"]]


def _part(graph: Values, names: set[str]) -> Values:
    return {
        "entities": [each for each in graph["entities"] if each["name"] in names],
        "relations": [each for each in graph["relations"] if each["from"] in names or each["to"] in names],
    }


def _done(what: str) -> Values:
    return {"success": True, "message": f"{what} deleted successfully"}
