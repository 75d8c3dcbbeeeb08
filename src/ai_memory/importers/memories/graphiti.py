"""Graphiti and Zep: episodes, entities and facts as JSON, in whichever list the export has them.

A fact becomes a memory with its period and an edge between its entities, with the memory as evidence; an episode becomes a memory
of the conversation; the summary of an entity becomes a memory about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.importers.base import (
    MAX_TITLE,
    Importer,
    Reading,
    Record,
    draft,
    entity,
    instant,
    link,
    objects,
    path_of,
    period,
    text_in,
    without,
)
from ai_memory.importers.json_files import beginning, document

_EPISODES = ("episodes", "episodic_nodes", "EpisodicNode")
_ENTITIES = ("entities", "nodes", "entity_nodes", "EntityNode")
_FACTS = ("edges", "facts", "entity_edges", "EntityEdge")


def finds(path: Path) -> bool:
    """Whether a JSON file has facts between nodes, or episodes, as these programs name their fields."""
    start = beginning(path) if path.suffix.lower() == ".json" else ""
    if not start.startswith("{"):
        return False
    nodes = '"source_node_uuid"' in start or '"source_description"' in start or '"invalid_at"' in start
    return nodes and any(f'"{name}"' in start for name in (*_EPISODES, *_ENTITIES, *_FACTS))


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """Episodes, then entities, then facts."""
    whole = document(path)
    if not isinstance(whole, dict):
        reading.refuse("not a JSON object", path.name)
        return
    for number, episode in enumerate(_listed(whole, *_EPISODES), start=1):
        reading.place = f"{path.name}, episode {number}"
        if text := text_in(episode, "content", "episode_body"):
            yield _episode(text, episode)
        else:
            reading.refuse("it has no `content`")
    nodes: dict[str, str] = {}
    for number, node in enumerate(_listed(whole, *_ENTITIES), start=1):
        reading.place = f"{path.name}, entity {number}"
        name = text_in(node, "name")
        if not name:
            reading.refuse("it has no `name`")
            continue
        labels = node.get("labels")
        kind = next((str(each) for each in labels if each != "Entity"), None) if isinstance(labels, list) else None
        nodes[str(node.get("uuid"))] = entity(name, kind)
        yield from _about(node, name, entity(name, kind), f"n{number}")
    for number, edge in enumerate(_listed(whole, *_FACTS), start=1):
        reading.place = f"{path.name}, fact {number}"
        yield from _fact(edge, nodes, f"f{number}", reading)


def _listed(whole: dict[str, Any], *names: str) -> list[dict[str, Any]]:
    return next((found for name in names if (found := objects(whole.get(name)))), [])


def _scope(values: dict[str, Any]) -> dict[str, Any]:
    return {"context": path_of(values.get("group_id")) or None, "user": values.get("user_id")}


def _episode(text: str, values: dict[str, Any]) -> Record:
    return draft(
        text,
        type="conversation" if values.get("source") == "message" else "episodic",
        title=text_in(values, "name")[:MAX_TITLE],
        session=values.get("session_id"),
        valid_from=instant(values.get("valid_at")) or instant(values.get("created_at")),
        source=f"graphiti:{values.get('uuid')}",
        attributes=without(
            values, "content", "episode_body", "name", "uuid", "valid_at", "content_embedding", "group_id"
        ),
        **_scope(values),
    )


def _about(node: dict[str, Any], name: str, known: str, ref: str) -> Iterator[Record]:
    summary = text_in(node, "summary", "description")
    if not summary:
        return
    own = node.get("attributes")
    yield draft(
        f"{name}: {summary}",
        ref=ref,
        source=f"graphiti:{node.get('uuid')}",
        attributes={**(own if isinstance(own, dict) else {}), "labels": node.get("labels")},
        **_scope(node),
    )
    yield link(f"ref:{ref}", known, "MENTIONS")


def _fact(edge: dict[str, Any], nodes: dict[str, str], ref: str, reading: Reading) -> Iterator[Record]:
    text = text_in(edge, "fact", "name")
    if not text:
        reading.refuse("it has no `fact`")
        return
    held = period(edge.get("valid_at"), edge.get("invalid_at"))
    own = edge.get("attributes")
    yield draft(
        text,
        ref=ref,
        source=f"graphiti:{edge.get('uuid')}",
        attributes={
            **(own if isinstance(own, dict) else {}),
            "episodes": edge.get("episodes"),
            "created_at": edge.get("created_at"),
            "expired_at": edge.get("expired_at"),
        },
        **held,
        **_scope(edge),
    )
    ends = [nodes.get(str(edge.get(name))) for name in ("source_node_uuid", "target_node_uuid")]
    source, target = ends
    if source is None or target is None:
        reading.leave("edges to entities that are not in the file")
    elif source != target:
        yield link(source, target, text_in(edge, "name") or "RELATES_TO", evidence=f"ref:{ref}", **held)


IMPORTER = Importer("graphiti", "Graphiti or Zep (episodes, entities and facts as JSON)", 1, finds, read)
