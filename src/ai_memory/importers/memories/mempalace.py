"""MemPalace: its drawers in SQLite, and its knowledge graph (`knowledge_graph.sqlite3`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ai_memory.importers.base import Importer, Reading, Record, draft, entity, instant, link, path_of, period, without
from ai_memory.importers.databases import has, object_in, opened, rows


def finds(path: Path) -> bool:
    """Whether a file is one of its databases, or a folder has one."""
    return any(_is_palace(file) or _is_graph(file) for file in _files(path))


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The drawers of each database, then the facts of the graph."""
    files = _files(path)
    for file in files:
        if _is_palace(file):
            yield from _drawers(file, reading)
    for file in files:
        if _is_graph(file):
            yield from _facts(file, reading)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for ending in ("*.sqlite3", "*.sqlite", "*.db") for file in path.rglob(ending))


def _is_palace(path: Path) -> bool:
    return has(path, "collections", "name") and has(path, "documents", "document", "metadata_json")


def _is_graph(path: Path) -> bool:
    return has(path, "triples", "subject", "predicate", "object")


def _drawers(path: Path, reading: Reading) -> Iterator[Record]:
    with opened(path) as connection:
        found = rows(
            connection,
            "SELECT d.*, c.name AS collection FROM documents d LEFT JOIN collections c ON c.id = d.collection_id ORDER BY d.rowid",
        )
        for row in found:
            reading.place = f"{path.name}, document {row['id']}"
            if not isinstance(row["document"], str) or not row["document"].strip():
                reading.refuse("it has no text")
                continue
            about = object_in(row["metadata_json"])
            yield draft(
                row["document"],
                context=path_of(about.get("wing"), about.get("room")),
                agent=about.get("added_by"),
                valid_from=instant(about.get("filed_at")) or instant(row.get("created_at")),
                source=str(about.get("source_file") or f"mempalace:{row['id']}")[:2000],
                attributes={**without(about, "wing", "room"), "collection": row["collection"], "id": row["id"]},
            )


def _facts(path: Path, reading: Reading) -> Iterator[Record]:
    with opened(path) as connection:
        named = {}
        if has(path, "entities", "id", "name"):
            named = {
                row["id"]: (row["name"], None if row.get("type") == "unknown" else row.get("type"))
                for row in rows(connection, "SELECT * FROM entities")
            }
        for row in rows(connection, "SELECT * FROM triples ORDER BY rowid"):
            reading.place = f"{path.name}, fact {row['id']}"
            source, target = (named.get(row[end], (str(row[end]), None)) for end in ("subject", "object"))
            predicate = str(row["predicate"] or "").replace("_", " ").strip()
            if not (source[0].strip() and predicate and target[0].strip()):
                reading.refuse("a fact without subject, predicate or object")
                continue
            held = period(row.get("valid_from"), row.get("valid_to"))
            confidence = row.get("confidence")
            yield draft(
                f"{source[0]} {predicate} {target[0]}.",
                ref=str(row["id"]),
                confidence=min(max(float(confidence), 0.0), 1.0) if isinstance(confidence, int | float) else None,
                source=str(row.get("source_file") or f"mempalace:{row['id']}")[:2000],
                **held,
            )
            if source[0] != target[0]:
                yield link(entity(*source), entity(*target), predicate, evidence=f"ref:{row['id']}", **held)


IMPORTER = Importer("mempalace", "MemPalace (SQLite, knowledge graph)", 1, finds, read)
