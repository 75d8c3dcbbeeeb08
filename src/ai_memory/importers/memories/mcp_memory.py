"""The knowledge graph of MCP's reference memory server: JSON lines of entities and relations, usually `memory.jsonl`.

Observations become memories about their entity. A relation becomes a sentence, and an edge between the two entities with that
sentence as its evidence.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.importers.base import Importer, Reading, Record, draft, entity, link, without
from ai_memory.importers.json_files import beginning, lines


def finds(path: Path) -> bool:
    """Whether the first line of a file is an entity or a relation of the server."""
    first = beginning(path).split("\n", 1)[0]
    return '"entityType"' in first or ('"relationType"' in first and '"from"' in first)


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """Observations and relations in their order, each entity before what is said of it."""
    kinds: dict[str, str] = {}
    for number, values in enumerate(lines(path, reading), start=1):
        name, kind = values.get("name"), values.get("entityType")
        if isinstance(values.get("observations"), list) and isinstance(name, str) and name.strip():
            kinds[name] = str(kind or "")
            for place, one in enumerate(observations(values, name)):
                ref = f"{number}.{place}"
                yield draft(**one, ref=ref, source=f"memory-jsonl:{name}"[:2000])
                yield link(f"ref:{ref}", entity(spaced(name), kinds[name]), "MENTIONS")
        elif (said := sentence(values)) is not None:
            yield draft(**said, ref=f"{number}", source="memory-jsonl:relation")
            ends = [entity(spaced(str(values[end])), kinds.get(str(values[end]))) for end in ("from", "to")]
            yield link(ends[0], ends[1], str(values["relationType"]), evidence=f"ref:{number}")
        else:
            reading.refuse("neither an entity with observations nor a relation")


def observations(values: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """One draft per observation about an entity; without any, one that says what the entity is."""
    kind = values.get("entityType")
    said = [str(text) for text in values["observations"] if str(text).strip()] or [str(kind or "an entity")]
    attributes = without(values, "type", "observations")
    return [{"text": f"{spaced(name)}: {text}", "attributes": attributes} for text in said]


def sentence(values: dict[str, Any]) -> dict[str, Any] | None:
    """The draft of a relation; None where the values are none."""
    ends = [values.get(end) for end in ("from", "relationType", "to")]
    if not all(isinstance(end, str) and end for end in ends):
        return None
    return {"text": " ".join(spaced(str(end)) for end in ends) + ".", "attributes": without(values, "type")}


def spaced(name: str) -> str:
    """A name with blanks for the underscores that the program asks for in names."""
    return " ".join(name.replace("_", " ").split())


IMPORTER = Importer(
    "memory-jsonl", "the knowledge graph of MCP's reference memory server (memory.jsonl)", 1, finds, read
)
