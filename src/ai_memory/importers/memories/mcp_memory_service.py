"""mcp-memory-service: its SQLite database, with tags, types, times and the associations between memories."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ai_memory.importers.base import Importer, Reading, Record, draft, instant, known_type, link
from ai_memory.importers.databases import has, json_in, object_in, opened, rows


def finds(path: Path) -> bool:
    """Whether a file is its database."""
    return has(path, "memories", "content_hash", "content", "memory_type")


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The memories, oldest first, without those that were deleted; then their associations."""
    hashes: set[str] = set()
    with opened(path) as connection:
        for row in rows(connection, "SELECT * FROM memories ORDER BY created_at, id"):
            reading.place = f"{path.name}, memory {row.get('id')}"
            if row.get("deleted_at") is not None:
                reading.leave("deleted memories")
                continue
            if not isinstance(row["content"], str) or not row["content"].strip():
                reading.refuse("it has no text")
                continue
            hashes.add(row["content_hash"])
            yield draft(
                row["content"],
                ref=row["content_hash"],
                type=known_type(row["memory_type"]),
                tags=[tag.strip() for tag in str(row.get("tags") or "").split(",") if tag.strip()],
                valid_from=instant(row.get("created_at")) or instant(row.get("created_at_iso")),
                source=f"mcp-memory-service:{row['content_hash']}",
                attributes={
                    **object_in(row.get("metadata")),
                    "memory_type": row["memory_type"],
                    "updated_at": instant(row.get("updated_at")),
                },
            )
        if has(path, "memory_graph", "source_hash", "target_hash"):
            for row in rows(connection, "SELECT * FROM memory_graph"):
                ends = (row["source_hash"], row["target_hash"])
                if not hashes.issuperset(ends) or ends[0] == ends[1]:
                    reading.leave("associations with deleted memories")
                    continue
                similarity = row.get("similarity")
                yield link(
                    f"ref:{ends[0]}",
                    f"ref:{ends[1]}",
                    str(row.get("relationship_type") or "RELATED"),
                    weight=min(max(float(similarity), 0.0), 1.0) if isinstance(similarity, int | float) else None,
                    attributes={"connection_types": json_in(row.get("connection_types"))}
                    if json_in(row.get("connection_types"))
                    else None,
                )


IMPORTER = Importer("mcp-memory-service", "mcp-memory-service's SQLite database", 1, finds, read)
