"""mem0: what its `get_all` returns, its `history.db`, and the points of Qdrant on disk.

The history holds what a memory said before: its versions share a key, so that each ends the one before it. A deleted memory is left
out and counted. The points of Qdrant are pickled; they are read by an unpickler that makes plain values and calls nothing.
"""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from ai_memory.importers.base import Importer, Reading, Record, draft, entity, instant, link, objects, text_in, without
from ai_memory.importers.databases import has, opened, rows
from ai_memory.importers.json_files import beginning, document, items

_OWN = ("id", "memory", "data", "text", "hash", "metadata", "score", "created_at", "updated_at", "categories", "event")
_SCOPES = {"user_id": "user", "agent_id": "agent", "run_id": "session", "actor_id": "author"}
_HISTORY = ("memory_id", "old_memory", "new_memory", "event", "is_deleted")
STORAGE = "storage.sqlite"


def finds(path: Path) -> bool:
    """Whether a file is a dump of memories, a history or the storage of a collection, or a folder has one of the latter two."""
    if path.is_dir():
        return any(True for _ in _databases(path))
    if path.suffix.lower() == ".json":
        start = beginning(path)
        return '"memory"' in start and ('"hash"' in start or '"user_id"' in start or '"run_id"' in start)
    return has(path, "history", *_HISTORY) or _is_storage(path)


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The memories of a dump, or those of each database, the current ones before the history."""
    if path.is_dir():
        for file in _databases(path):
            yield from read(file, reading)
    elif has(path, "history", *_HISTORY):
        yield from _history(path, reading)
    elif _is_storage(path):
        yield from _points(path, reading)
    else:
        yield from _dump(path, reading)


def _databases(folder: Path) -> Iterator[Path]:
    found = sorted(folder.rglob(STORAGE)) + sorted(folder.rglob("history.db"))
    return (file for file in found if _is_storage(file) or has(file, "history", *_HISTORY))


def _is_storage(path: Path) -> bool:
    return path.name == STORAGE and has(path, "points", "id", "point")


def _dump(path: Path, reading: Reading) -> Iterator[Record]:
    relations: list[dict[str, Any]] = []
    if beginning(path).startswith("["):
        memories: Iterator[Any] = items(path, reading)
    else:
        found = document(path)
        named = next((found[name] for name in ("results", "memories") if isinstance(found.get(name), list)), [found])
        memories, relations = iter(named), objects(found.get("relations"))
    for number, item in enumerate(memories, start=1):
        reading.place = f"{path.name}, memory {number}"
        if isinstance(item, dict) and (text := text_in(item, "memory", "data", "text")):
            yield _memory(text, item, item.get("id"))
        else:
            reading.refuse("it has no `memory`")
    for item in relations:
        ends = [
            text_in(item, "source"),
            text_in(item, "relationship", "relation"),
            text_in(item, "target", "destination"),
        ]
        if all(ends):
            yield link(entity(ends[0]), entity(ends[2]), ends[1])
        else:
            reading.refuse(f"a relation without both ends: {str(item)[:80]}")


def _memory(text: str, item: dict[str, Any], identity: object) -> Record:
    metadata = item.get("metadata")
    extra = metadata if isinstance(metadata, dict) else {}
    rest = without(item, *_OWN, *_SCOPES)
    scope = {field: str(item[name]) for name, field in _SCOPES.items() if item.get(name)}
    categories = item.get("categories")
    return draft(
        text,
        **scope,
        tags=[str(each) for each in categories] if isinstance(categories, list) else None,
        valid_from=instant(item.get("created_at")),
        source=f"mem0:{identity}" if identity else "mem0",
        attributes={**rest, **extra, "updated_at": item.get("updated_at")},
    )


def _history(path: Path, reading: Reading) -> Iterator[Record]:
    with opened(path) as connection:
        named = {row["name"] for row in connection.execute("SELECT name FROM pragma_table_info('history')")}
        order = ", ".join(name for name in ("created_at", "updated_at") if name in named)
        found = rows(connection, f"SELECT * FROM history ORDER BY memory_id, {order or 'rowid'}, rowid")
        for identity, group in groupby(found, key=lambda row: row["memory_id"]):
            reading.place = f"{path.name}, memory {identity}"
            events = list(group)
            if events[-1].get("is_deleted") or events[-1].get("event") == "DELETE":
                reading.leave("deleted memories")
                continue
            versions = [event for event in events if text_in(event, "new_memory")]
            if not versions:
                reading.refuse("no event of it has a text")
            key = f"mem0:{identity}" if len(versions) > 1 else None
            for version in versions:
                since = version.get("updated_at") or version.get("created_at")
                record = _memory(version["new_memory"], {"actor_id": version.get("actor_id")}, identity)
                yield {**record, **draft(record["text"], key=key, valid_from=instant(since))}


def _points(path: Path, reading: Reading) -> Iterator[Record]:
    with opened(path) as connection:
        for row in rows(connection, "SELECT rowid, point FROM points ORDER BY rowid"):
            reading.place = f"{path.parent.name}/{path.name}, row {row['rowid']}"
            try:
                point = _Plain(io.BytesIO(row["point"])).load()
            except Exception as error:  # noqa: BLE001 - bytes that are no pickle raise whatever they happen to mean
                reading.refuse(f"not a point of Qdrant: {error}")
                continue
            state = getattr(point, "state", None)
            payload = state.get("payload") if isinstance(state, dict) else None
            text = text_in(payload, "data", "memory", "text") if isinstance(payload, dict) else ""
            if not isinstance(payload, dict) or not text:
                reading.refuse("the point has no text in its payload")
                continue
            yield _memory(text, payload, state.get("id") if isinstance(state, dict) else None)


class _Point:
    """A pickled point: what its state was, in plain values."""

    state: Any = None

    def __setstate__(self, state: Any) -> None:
        fields = state.get("__dict__", state) if isinstance(state, dict) else state
        self.state = fields


class _Plain(pickle.Unpickler):
    """Reads a pickle without running any of it: a point becomes a `_Point`, and any other class is refused."""

    def find_class(self, module: str, name: str) -> type | Callable[..., Any]:
        """The class that is made in place of what a pickle names."""
        if module.startswith("qdrant_client.") and name == "PointStruct":
            return _Point
        if (module, name) == ("builtins", "set"):
            return set
        raise pickle.UnpicklingError(f"it has a {module}.{name}, which no point has")


IMPORTER = Importer("mem0", "mem0 (get_all as JSON, history.db, Qdrant on disk)", 1, finds, read)
