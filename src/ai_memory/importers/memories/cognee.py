"""Cognee's COGX archive: `manifest.json` and one file of JSON lines for each kind of record."""

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
    period,
    text_in,
    texts,
)
from ai_memory.importers.json_files import beginning, lines

_FILES = ("documents", "episodes", "entities", "memories", "memory_blocks", "facts")


def finds(path: Path) -> bool:
    """Whether a folder has the manifest of such an archive."""
    return path.is_dir() and '"cogx_version"' in beginning(path / "manifest.json")


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """Documents, conversations, entities, memories and facts, in this order."""
    names: dict[str, str] = {}
    for kind in _FILES:
        file = path / f"{kind}.jsonl"
        if not file.is_file():
            continue
        for number, item in enumerate(lines(file, reading), start=1):
            yield from _record(kind, item, number, names, reading)
    if (path / "nodes.jsonl").is_file():
        reading.leave("raw nodes of the graph", sum(1 for _ in lines(path / "nodes.jsonl", reading)))


def _record(kind: str, item: dict[str, Any], number: int, names: dict[str, str], reading: Reading) -> Iterator[Record]:
    if kind == "entities":
        yield from _entity(item, number, names, reading)
    elif kind == "facts":
        yield from _fact(item, number, names, reading)
    elif kind == "episodes":
        for turn in objects(item.get("turns")):
            if text := text_in(turn, "content"):
                said = instant(turn.get("occurred_at")) or instant(item.get("created_at"))
                session = {"session": str(item.get("external_id"))[:256]}
                common = {**session, **_common(item), "valid_from": said}
                yield draft(text, type="conversation", author=turn.get("role"), **common)
    elif text := text_in(item, "content", "value"):
        yield draft(
            text,
            type="documentation" if kind == "documents" else None,
            tags=texts(item.get("categories") or ()),
            **_common(item),
        )
    else:
        reading.refuse("it has no text")


def _common(item: dict[str, Any]) -> dict[str, Any]:
    scope = item.get("scope") if isinstance(item.get("scope"), dict) else {}
    assert isinstance(scope, dict)
    metadata = item.get("metadata")
    given = {
        "title": text_in(item, "title", "label")[:MAX_TITLE],
        "user": scope.get("user_id"),
        "agent": scope.get("agent_id"),
        "session": scope.get("session_id") or scope.get("run_id"),
        "valid_from": instant(item.get("created_at")),
        "source": f"cognee:{item.get('external_system')}/{item.get('external_id')}"[:2000],
        "attributes": metadata if isinstance(metadata, dict) else None,
    }
    return {name: value for name, value in given.items() if value}


def _entity(item: dict[str, Any], number: int, names: dict[str, str], reading: Reading) -> Iterator[Record]:
    name = text_in(item, "name")
    if not name:
        reading.refuse("it has no `name`")
        return
    known = entity(name, item.get("entity_type"))
    names[str(item.get("external_id"))] = known
    names.setdefault(name, known)
    if text := text_in(item, "description"):
        yield draft(f"{name}: {text}", ref=f"e{number}", **_common(item))
        yield link(f"ref:e{number}", known, "MENTIONS")


def _fact(item: dict[str, Any], number: int, names: dict[str, str], reading: Reading) -> Iterator[Record]:
    ends = [text_in(item, field) for field in ("subject_ref", "object_ref")]
    predicate = text_in(item, "predicate")
    if not (all(ends) and predicate):
        reading.refuse("a fact without subject, predicate or object")
        return
    source, target = (names.get(end) or entity(end) for end in ends)
    held = period(item.get("valid_at"), item.get("invalid_at"))
    shown = [node.removeprefix("entity:").rpartition("/")[2] for node in (source, target)]
    text = text_in(item, "fact_text") or f"{shown[0]} {predicate.replace('_', ' ')} {shown[1]}."
    confidence = item.get("confidence")
    common = {**_common(item), **held}
    yield draft(text, ref=f"f{number}", confidence=confidence if isinstance(confidence, float) else None, **common)
    if source != target:
        yield link(source, target, predicate, evidence=f"ref:f{number}", **held)


IMPORTER = Importer("cognee", "Cognee's COGX archive", 1, finds, read)
