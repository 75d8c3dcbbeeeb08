"""Memories in the formats of other programs, made from the lines of an archive: the current revisions."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import yaml

from ai_memory.cli.files.written import written
from ai_memory.errors import InvalidInputError

MAX_NAME = 80
"""Characters of a file's name that come from a title."""
_FRONT: tuple[tuple[str, Any], ...] = (
    ("type", "semantic"),
    ("title", None),
    ("key", None),
    ("author", None),
    ("user", None),
    ("agent", None),
    ("session", None),
    ("context", ""),
    ("tags", []),
    ("importance", 0.5),
    ("confidence", 1.0),
    ("source", None),
    ("valid_from", None),
    ("valid_to", None),
    ("expires_at", None),
    ("pinned", False),
)
"""The fields of a memory besides its text and attributes, with what they are without being given."""
_SCOPES = {"user": "user_id", "agent": "agent_id", "session": "run_id", "author": "actor_id"}


def memories(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The current memories of an archive; of a memory with several revisions the last."""
    latest: dict[str, Any] | None = None
    for line in lines:
        values = msgspec.json.decode(line)
        if values.get("record") != "memory":
            continue
        if latest is not None and latest["id"] != values["id"] and latest["retired_at"] is None:
            yield latest
        latest = values
    if latest is not None and latest["retired_at"] is None:
        yield latest


def as_csv(lines: Iterable[bytes]) -> Iterator[bytes]:
    """A table: one row per memory, below the names of its fields. Tags are joined by commas, attributes are JSON."""
    names = ("id", "text", *(name for name, _ in _FRONT), "attributes", "recorded_at")
    yield _row(names)
    for memory in memories(lines):
        values = {**memory, "tags": ", ".join(memory["tags"])}
        values["attributes"] = json.dumps(memory["attributes"], ensure_ascii=False) if memory["attributes"] else ""
        yield _row("" if values.get(name) is None else values[name] for name in names)


def as_mem0(lines: Iterable[bytes]) -> Iterator[bytes]:
    """What mem0's `get_all` returns: an object with `results`."""
    before = b'{"results": ['
    for memory in memories(lines):
        item = {
            "id": memory["id"],
            "memory": memory["text"],
            "hash": memory["content_hash"],
            "metadata": {
                **_given(memory, *(name for name, _ in _FRONT if name not in (*_SCOPES, "tags"))),
                **memory["attributes"],
            },
            "categories": memory["tags"],
            "created_at": memory["valid_from"] or memory["created_at"],
            "updated_at": memory["recorded_at"],
            **{theirs: memory[own] for own, theirs in _SCOPES.items() if memory[own] is not None},
        }
        yield before + b"\n  " + msgspec.json.encode(item)
        before = b","
    yield (before if before != b"," else b"") + b"\n]}\n"


def as_memory_jsonl(lines: Iterable[bytes]) -> Iterator[bytes]:
    """The knowledge graph of MCP's reference memory server: each memory is an observation of the entities that it mentions.

    One that mentions none is an observation of its context, or of `memories`.
    """
    records = [msgspec.json.decode(line) for line in lines]
    by_kind: dict[str, list[dict[str, Any]]] = {}
    for each in records:
        by_kind.setdefault(each.get("record"), []).append(each)
    entities = {each["id"]: each for each in by_kind.get("entity", ())}
    current = [each for each in by_kind.get("relation", ()) if each["retired_at"] is None]
    mentioned: dict[str, list[str]] = {}
    for each in current:
        if each["target"] in entities and each["source"] not in entities:
            mentioned.setdefault(each["source"], []).append(each["target"])
    found: dict[str, tuple[str, str, list[str]]] = {
        key: (each["name"], each["kind"], []) for key, each in entities.items()
    }
    others: dict[str, list[str]] = {}
    for memory in memories(map(msgspec.json.encode, records)):
        for key in dict.fromkeys(mentioned.get(memory["id"], ())):
            found[key][2].append(memory["text"])
        if memory["id"] not in mentioned:
            others.setdefault(memory["context"] or "memories", []).append(memory["text"])
    for name, kind, said in [*found.values(), *((name, "context", said) for name, said in others.items())]:
        yield _line({"type": "entity", "name": name, "entityType": kind, "observations": said})
    for each in current:
        if each["source"] in entities and each["target"] in entities:
            ends = {"from": entities[each["source"]]["name"], "to": entities[each["target"]]["name"]}
            yield _line({"type": "relation", **ends, "relationType": each["type"].lower()})


def write_markdown(lines: Iterable[bytes], folder: Path) -> int:
    """One file per memory, with front matter that `import` reads; its context is the folder. Returns how many.

    Raises InvalidInputError for a folder that has files already: notes of somebody must not be written over.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InvalidInputError(
            f"{folder} is there already and not an empty folder", hint="choose another with -o FOLDER"
        )
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for memory in memories(lines):
        place = folder.joinpath(*(_name(step) for step in memory["context"].split("/") if step))
        place.mkdir(parents=True, exist_ok=True)
        name = _name(memory["title"] or " ".join(memory["text"].split())[:MAX_NAME])
        file = place / f"{name}.md"
        if file.exists():
            file = place / f"{name} {memory['id'][-8:]}.md"
        front = {
            name: memory[name] for name, usual in _FRONT if memory[name] not in (usual, None) and name != "context"
        }
        front |= {"attributes": memory["attributes"]} if memory["attributes"] else {}
        shown = yaml.safe_dump(front, allow_unicode=True, sort_keys=False) if front else ""
        with written(file, "choose another with -o FOLDER") as stream:
            stream.write((f"---\n{shown}---\n" if front else "").encode() + memory["text"].encode() + b"\n")
        count += 1
    return count


FORMATS: dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]] = {
    "csv": as_csv,
    "mem0": as_mem0,
    "memory-jsonl": as_memory_jsonl,
}
"""Those that are one file; `markdown` is a folder."""


def _given(memory: dict[str, Any], *names: str) -> dict[str, Any]:
    usual = dict(_FRONT)
    return {name: memory[name] for name in names if memory[name] != usual[name] and memory[name] is not None}


def _name(text: str) -> str:
    """A name that every file system takes."""
    safe = re.sub(r'[\x00-\x1f<>:"/\\|?*#^\[\]]+', " ", text)
    return " ".join(safe.split())[:MAX_NAME].strip(". ") or "memory"


def _row(cells: Iterable[Any]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()


def _line(values: dict[str, Any]) -> bytes:
    return msgspec.json.encode(values) + b"\n"
