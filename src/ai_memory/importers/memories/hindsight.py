"""Hindsight's archive: `manifest.json`, a file per document with its facts, and observations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.importers.base import (
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
    texts,
)
from ai_memory.importers.json_files import beginning, document, items

_TYPES = {"experience": "episodic", "event": "episodic", "opinion": "insight", "bank": "episodic"}


def finds(path: Path) -> bool:
    """Whether a folder has the manifest of such an archive."""
    start = beginning(path / "manifest.json") if path.is_dir() else ""
    return '"schema_version"' in start and '"source_bank_id"' in start


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The text of each document, its facts with their periods and entities, and what was observed over them."""
    manifest = document(path / "manifest.json")
    bank = path_of(manifest.get("source_bank_id")) if isinstance(manifest, dict) else ""
    for file in sorted((path / "documents").glob("*.json")):
        reading.place = f"documents/{file.name}"
        try:
            values = document(file)
        except (InvalidInputError, TooLargeError) as error:
            reading.refuse(error.message)
            continue
        if isinstance(values, dict):
            yield from _document(values, bank, file.stem)
        else:
            reading.refuse("not a JSON object")
    yield from _observations(path / "observations.json", bank, reading)
    for what in ("mental_models", "directives", "webhooks", "knowledge_pages", "attachments"):
        if (path / f"{what}.json").is_file():
            reading.leave(what.replace("_", " "), sum(1 for _ in items(path / f"{what}.json", reading)))


def _document(values: dict[str, Any], bank: str, name: str) -> Iterator[Record]:
    identity = str(values.get("id") or name)
    tags = texts(values.get("tags") or ())
    source = f"hindsight:{identity}"[:2000]
    text = text_in(values, "original_text") or "\n\n".join(
        text_in(each, "chunk_text") for each in objects(values.get("chunks"))
    )
    if text.strip():
        made = instant(values.get("created_at"))
        yield draft(text, ref=f"d{name}", type="documentation", context=bank, tags=tags, valid_from=made, source=source)
    stored: set[int] = set()
    for index, fact in enumerate(objects(values.get("facts"))):
        said = text_in(fact, "text")
        if not said:
            continue
        stored.add(index)
        ref = f"{name}.{index}"
        kind = str(fact.get("fact_type") or "")
        own = fact.get("metadata")
        held = period(
            fact.get("occurred_start") or fact.get("mentioned_at") or fact.get("event_date"), fact.get("occurred_end")
        )
        yield draft(
            said,
            ref=ref,
            type=_TYPES.get(kind),
            context=bank,
            tags=[*tags, *texts(fact.get("tags") or ())],
            source=f"{source}#{index}",
            attributes={
                **(own if isinstance(own, dict) else {}),
                "fact_type": kind,
                "circumstances": fact.get("context"),
                "mentioned_at": fact.get("mentioned_at"),
            },
            **held,
        )
        for mentioned in texts(fact.get("entities") or ()):
            if mentioned.strip():
                yield link(f"ref:{ref}", entity(mentioned), "MENTIONS")
        for relation in objects(fact.get("causal_relations")):
            if relation.get("target_fact_index") in stored - {index}:
                target = f"ref:{name}.{relation['target_fact_index']}"
                yield link(f"ref:{ref}", target, str(relation.get("relation_type") or "CAUSES"))


def _observations(path: Path, bank: str, reading: Reading) -> Iterator[Record]:
    if not path.is_file():
        return
    for number, item in enumerate(items(path, reading), start=1):
        reading.place = f"{path.name}, observation {number}"
        if not isinstance(item, dict) or not text_in(item, "text"):
            reading.refuse("it has no `text`")
            continue
        yield draft(
            item["text"],
            type="insight",
            context=bank,
            tags=texts(item.get("tags") or ()),
            source="hindsight:observation",
            attributes={"proof_count": item.get("proof_count")},
            **period(item.get("occurred_start") or item.get("created_at"), item.get("occurred_end")),
        )


IMPORTER = Importer("hindsight", "Hindsight's archive (ZIP)", 1, finds, read)
