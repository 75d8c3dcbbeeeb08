"""A store of LangGraph in SQLite: table `store(prefix, key, value, created_at, updated_at, expires_at, ttl_minutes)`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from ai_memory.importers.base import Importer, Reading, Record, draft, instant, path_of, text_in, without
from ai_memory.importers.databases import has, json_in, opened, rows

_TEXTS = ("text", "content", "memory", "data", "value", "fact", "note", "message")
MAX_KEY = 256


def finds(path: Path) -> bool:
    """Whether a file is a database with the store's table."""
    return has(path, "store", "prefix", "key", "value")


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The items by namespace and key. The namespace becomes the context, the key with it the key of the memory."""
    with opened(path) as connection:
        for number, row in enumerate(rows(connection, "SELECT * FROM store ORDER BY prefix, key"), start=1):
            reading.place = f"{path.name}, row {number}"
            value = json_in(row["value"])
            if value is None:
                reading.refuse("its value is not JSON")
                continue
            values = (
                value if isinstance(value, dict) else {"text": value if isinstance(value, str) else json.dumps(value)}
            )
            name = next((each for each in _TEXTS if text_in(values, each)), None)
            text = values[name] if name else json.dumps(value, ensure_ascii=False)
            key = f"{row['prefix']}/{row['key']}"
            yield draft(
                text,
                context=path_of(*str(row["prefix"]).split(".")),
                key=key if len(key) <= MAX_KEY else None,
                valid_from=instant(row.get("created_at")),
                expires_at=instant(row.get("expires_at")),
                source=f"langgraph:{key}"[:2000],
                attributes={
                    **(without(values, name) if name else {}),
                    "key": row["key"],
                    "updated_at": row.get("updated_at"),
                },
            )
        reading.leave("vectors", _count(path))


def _count(path: Path) -> int:
    if not has(path, "store_vectors"):
        return 0
    with opened(path) as connection:
        return int(connection.execute("SELECT count(*) FROM store_vectors").fetchone()[0])


IMPORTER = Importer("langgraph", "LangGraph's store in SQLite", 1, finds, read)
