"""A database of Chroma (`chroma.sqlite3`), where several memory programs keep their texts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from ai_memory.importers.base import Importer, Reading, Record, draft, instant, path_of
from ai_memory.importers.databases import has, opened, rows

_DOCUMENT = "chroma:document"
_TIMES = ("created_at", "timestamp", "filed_at", "date")
_STATEMENT = """
    SELECT e.id, e.embedding_id, c.name AS collection, m.key, m.string_value, m.int_value, m.float_value, m.bool_value
    FROM embeddings e JOIN segments s ON s.id = e.segment_id JOIN collections c ON c.id = s.collection
    JOIN embedding_metadata m ON m.id = e.id ORDER BY e.id"""


def finds(path: Path) -> bool:
    """Whether a file is such a database, or a folder has one."""
    file = _file(path)
    return has(file, "embedding_metadata", "key", "string_value") and has(
        file, "embeddings", "embedding_id", "segment_id"
    )


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The documents with what is said about them; those without a text are counted."""
    file = _file(path)
    with opened(file) as connection:
        for _, group in groupby(rows(connection, _STATEMENT), key=lambda row: row["id"]):
            values: dict[str, Any] = {}
            for row in group:
                values[row["key"]] = _value(row)
            reading.place = f"{file.name}, document {row['embedding_id']}"
            text = values.pop(_DOCUMENT, None)
            if not isinstance(text, str) or not text.strip():
                reading.leave("vectors without a text")
                continue
            since = next((found for name in _TIMES if (found := instant(values.get(name)))), None)
            yield draft(
                text,
                context=path_of(values.pop("wing", None), values.pop("room", None)) or path_of(row["collection"]),
                valid_from=since,
                source=f"chroma:{row['collection']}/{row['embedding_id']}"[:2000],
                attributes=values,
            )


def _file(path: Path) -> Path:
    return path / "chroma.sqlite3" if path.is_dir() else path


def _value(row: dict[str, Any]) -> Any:
    if row["bool_value"] is not None:
        return bool(row["bool_value"])
    return next((row[name] for name in ("string_value", "int_value", "float_value") if row[name] is not None), None)


IMPORTER = Importer("chroma", "a database of Chroma (chroma.sqlite3)", 1, finds, read)
