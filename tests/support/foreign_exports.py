"""Small exports of other programs in their documented shapes, made by hand; databases are written with their own tables."""

from __future__ import annotations

import json
import pickle
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any


def _json(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
    return path


def _lines(path: Path, *values: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(value, ensure_ascii=False) + "\n" for value in values), encoding="utf-8")
    return path


def _database(path: Path, script: str, *rows: tuple[str, list[tuple[Any, ...]]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
        for statement, values in rows:
            connection.executemany(statement, values)
    connection.close()
    return path


def _node(key: str, parent: str | None, role: str | None, text: Any, at: float | None, **more: Any) -> dict[str, Any]:
    content = text if isinstance(text, dict) else {"content_type": "text", "parts": [text]}
    message = {"id": f"m-{key}", "author": {"role": role}, "create_time": at, "content": content, **more}
    return {"id": key, "parent": parent, "children": [], "message": None if role is None else message}


def chatgpt(folder: Path) -> Path:
    hidden = {"metadata": {"is_visually_hidden_from_conversation": True}}
    instructions = {
        "content_type": "user_editable_context",
        "user_profile": "I bake on Sundays.",
        "user_instructions": "Answer in short sentences.",
    }
    nodes = [
        _node("r", None, None, "", None),
        _node("c", "r", "user", instructions, 1739500000.0, **hidden),
        _node("a", "c", "user", "How long should sourdough proof at 18 degrees?", 1739500001.0),
        _node("b1", "a", "assistant", "Three hours.", 1739500002.0),
        _node("b2", "a", "assistant", "About twelve hours.", 1739500003.0, metadata={"model_slug": "gpt-5"}),
        _node("n", "b2", "assistant", "Bakes sourdough.", 1739500004.0, recipient="bio"),
        _node("t", "n", "tool", "Model set context updated.", 1739500005.0),
        _node(
            "u",
            "t",
            "user",
            {
                "content_type": "multimodal_text",
                "parts": [{"content_type": "image_asset_pointer"}, "Is this crumb right? 🍞"],
            },
            1739500006.0,
        ),
    ]
    conversation = {
        "title": "Bread",
        "create_time": 1739500000.5,
        "conversation_id": "conv-1",
        "current_node": "u",
        "mapping": {node["id"]: node for node in nodes},
    }
    return _json(folder / "conversations.json", [conversation]).parent


def claude(folder: Path) -> Path:
    messages = [
        {
            "uuid": "m1",
            "sender": "human",
            "text": "",
            "content": [{"type": "text", "text": "Which visa does Lena need for Ghana?"}],
            "created_at": "2026-02-01T10:00:00.000000Z",
            "attachments": [{"file_name": "letter.txt", "extracted_content": "Dear Lena, your interview is in May."}],
            "files": [{"file_name": "scan.png"}],
        },
        {
            "uuid": "m2",
            "sender": "assistant",
            "text": "A business visa.",
            "content": [{"type": "thinking", "thinking": "…"}, {"type": "text", "text": "A business visa."}],
            "created_at": "2026-02-01T10:00:05.000000Z",
        },
    ]
    _json(
        folder / "conversations.json",
        [{"uuid": "c1", "name": "Visa", "created_at": "2026-02-01T09:59:00Z", "chat_messages": messages}],
    )
    _json(
        folder / "projects.json",
        [
            {
                "uuid": "p1",
                "name": "Move/2026",
                "description": "Moving to Accra",
                "prompt_template": "Be brief.",
                "created_at": "2026-01-01T00:00:00Z",
                "docs": [
                    {
                        "uuid": "d1",
                        "filename": "list.md",
                        "content": "Boxes, tape",
                        "created_at": "2026-01-02T00:00:00Z",
                    }
                ],
            }
        ],
    )
    _json(
        folder / "memories.json",
        [
            {
                "conversations_memory": "Lena lives in Graz.\n\nShe has a cat.",
                "project_memories": {"p1": "The move is in June."},
            }
        ],
    )
    return folder


def memory_jsonl(folder: Path) -> Path:
    return _lines(
        folder / "memory.jsonl",
        {
            "type": "entity",
            "name": "Ines_Amaro",
            "entityType": "person",
            "observations": ["Likes buns", "Born in Porto"],
        },
        {"type": "entity", "name": "Heronry", "entityType": "organization", "observations": []},
        {"type": "relation", "from": "Ines_Amaro", "to": "Heronry", "relationType": "works_at"},
    )


def mem0(folder: Path) -> Path:
    return _json(
        folder / "mem0.json",
        {
            "results": [
                {
                    "id": "6f0e",
                    "memory": "Prefers window seats",
                    "hash": "aa",
                    "metadata": {"seat": "12A"},
                    "categories": ["travel"],
                    "created_at": "2025-07-01T10:00:00-07:00",
                    "updated_at": None,
                    "user_id": "u7",
                },
                {
                    "id": "6f0f",
                    "memory": "Is learning Catalan",
                    "hash": "ab",
                    "created_at": "2025-08-01T10:00:00-07:00",
                },
            ],
            "relations": [{"source": "ada", "relationship": "lives_in", "target": "graz"}],
        },
    )


def mem0_history(folder: Path) -> Path:
    insert = "INSERT INTO history VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL)"
    return _database(
        folder / "history.db",
        "CREATE TABLE history (id TEXT PRIMARY KEY, memory_id TEXT, old_memory TEXT, new_memory TEXT, event TEXT, "
        "created_at DATETIME, updated_at DATETIME, is_deleted INTEGER, actor_id TEXT, role TEXT)",
        (
            insert,
            [
                ("1", "a", None, "Lives in Graz", "ADD", "2025-01-01T00:00:00Z", None, 0),
                (
                    "2",
                    "a",
                    "Lives in Graz",
                    "Lives in Linz",
                    "UPDATE",
                    "2025-01-01T00:00:00Z",
                    "2025-06-01T00:00:00Z",
                    0,
                ),
                ("3", "b", None, "Has a dog", "ADD", "2025-01-01T00:00:00Z", None, 0),
                ("4", "b", "Has a dog", None, "DELETE", "2025-01-01T00:00:00Z", "2025-02-01T00:00:00Z", 1),
            ],
        ),
    )


class PointStruct:
    """Pickled as qdrant-client's own class is: by its module and name, with its fields as the state."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


PointStruct.__module__ = "qdrant_client.http.models.models"


def pickled_point(point_id: str, payload: dict[str, Any]) -> bytes:
    """As qdrant-client writes it, whose class is not installed here: pickle looks for it and must find this one."""
    import sys
    import types

    name = PointStruct.__module__
    there = {
        each: sys.modules.get(each)
        for each in ("qdrant_client", "qdrant_client.http", "qdrant_client.http.models", name)
    }
    try:
        for each in there:
            sys.modules[each] = types.ModuleType(each)
        sys.modules[name].PointStruct = PointStruct  # type: ignore[attr-defined]
        return pickle.dumps(PointStruct(id=point_id, vector=[0.5, 0.5], payload=payload))
    finally:
        for each, module in there.items():
            if module is None:
                del sys.modules[each]
            else:
                sys.modules[each] = module


def mem0_qdrant(folder: Path) -> Path:
    payload = {"data": "Drinks oat milk", "hash": "x", "user_id": "u7", "created_at": "2025-03-01T00:00:00Z"}
    _database(
        folder / "qdrant" / "collection" / "mem0" / "storage.sqlite",
        "CREATE TABLE points (id TEXT PRIMARY KEY, point BLOB)",
        ("INSERT INTO points VALUES (?, ?)", [("k1", pickled_point("p1", payload))]),
    )
    return folder / "qdrant"


def graphiti(folder: Path) -> Path:
    return _json(
        folder / "graph.json",
        {
            "episodes": [
                {
                    "uuid": "e1",
                    "name": "Call",
                    "content": "Ada told Bob that she moved.",
                    "source": "message",
                    "source_description": "phone",
                    "valid_at": "2025-05-01T00:00:00Z",
                    "group_id": "team",
                }
            ],
            "nodes": [
                {
                    "uuid": "n1",
                    "name": "Ada",
                    "labels": ["Entity", "Person"],
                    "summary": "An engineer.",
                    "group_id": "team",
                },
                {"uuid": "n2", "name": "Graz", "labels": ["Entity", "Place"], "summary": ""},
            ],
            "edges": [
                {
                    "uuid": "f1",
                    "source_node_uuid": "n1",
                    "target_node_uuid": "n2",
                    "name": "LIVES_IN",
                    "fact": "Ada lives in Graz",
                    "valid_at": "2024-01-01T00:00:00Z",
                    "invalid_at": "2025-04-01T00:00:00Z",
                    "expired_at": "2025-05-01T00:00:00Z",
                    "created_at": "2024-01-02T00:00:00Z",
                    "episodes": ["e1"],
                    "group_id": "team",
                }
            ],
        },
    )


def letta(folder: Path) -> Path:
    spoken = {"function": {"name": "send_message", "arguments": json.dumps({"message": "Hello Ada."})}}
    return _json(
        folder / "helper.af",
        {
            "agents": [
                {
                    "id": "agent-0",
                    "name": "helper",
                    "block_ids": ["block-0"],
                    "messages": [
                        {"id": "m0", "role": "system", "content": [{"type": "text", "text": "You are…"}]},
                        {
                            "id": "m1",
                            "role": "user",
                            "content": [
                                {
                                    "type": "text",
                                    "text": json.dumps({"type": "user_message", "message": "Hi, I am Ada"}),
                                }
                            ],
                            "created_at": "2026-01-01T08:00:00+00:00",
                        },
                        {
                            "id": "m2",
                            "role": "assistant",
                            "content": [],
                            "tool_calls": [spoken],
                            "created_at": "2026-01-01T08:00:01Z",
                        },
                        {"id": "m3", "role": "user", "content": json.dumps({"type": "heartbeat", "time": "now"})},
                    ],
                }
            ],
            "blocks": [
                {"id": "block-0", "label": "human", "value": "Name: Ada", "limit": 5000},
                {"id": "block-1", "label": "shared", "value": "The office closes at six", "limit": 5000},
            ],
            "tools": [{"name": "send_message"}],
        },
    )


def langgraph(folder: Path) -> Path:
    return _database(
        folder / "store.db",
        "CREATE TABLE store (prefix TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, created_at TIMESTAMP, "
        "updated_at TIMESTAMP, expires_at TIMESTAMP, ttl_minutes REAL, PRIMARY KEY (prefix, key));"
        "CREATE TABLE store_vectors (prefix TEXT, key TEXT, field_name TEXT, embedding BLOB)",
        (
            "INSERT INTO store VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    "users.ada",
                    "k1",
                    '{"text": "Likes tea", "kind": "taste"}',
                    "2026-01-01 10:00:00",
                    "2026-01-02 10:00:00",
                    None,
                    None,
                ),
                ("users.ada", "k2", '{"colour": "green"}', "2026-01-01 10:00:00", None, "2036-01-01 10:00:00", 60.0),
            ],
        ),
        ("INSERT INTO store_vectors VALUES (?, ?, ?, ?)", [("users.ada", "k1", "text", b"\0" * 8)]),
    )


def mcp_memory_service(folder: Path) -> Path:
    insert = "INSERT INTO memories VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
    return _database(
        folder / "sqlite_vec.db",
        "CREATE TABLE memories (id INTEGER PRIMARY KEY, content_hash TEXT UNIQUE, content TEXT, tags TEXT, memory_type TEXT, "
        "metadata TEXT, created_at REAL, updated_at REAL, deleted_at REAL);"
        "CREATE TABLE memory_graph (source_hash TEXT, target_hash TEXT, similarity REAL, connection_types TEXT, "
        "relationship_type TEXT)",
        (
            insert,
            [
                (
                    1,
                    "h1",
                    "Deploys are on Fridays",
                    "ops, team",
                    "procedural",
                    '{"by": "ada"}',
                    1739500000.0,
                    1739500000.0,
                    None,
                ),
                (2, "h2", "The pipeline runs at six", "ops", "note", None, 1739500001.0, 1739500001.0, None),
                (3, "h3", "Old password rule", "", "note", None, 1739500002.0, 1739500002.0, 1739600000.0),
            ],
        ),
        (
            "INSERT INTO memory_graph VALUES (?, ?, ?, ?, ?)",
            [("h1", "h2", 0.8, '["semantic"]', "related"), ("h1", "h3", 0.5, None, "related")],
        ),
    )


def mempalace(folder: Path) -> Path:
    about = {
        "wing": "work",
        "room": "search",
        "filed_at": "2026-03-01T09:00:00",
        "added_by": "claude",
        "source_file": "notes.md",
    }
    _database(
        folder / "palace" / "palace.sqlite3",
        "CREATE TABLE collections (id INTEGER PRIMARY KEY, name TEXT, dimension INTEGER, created_at TEXT);"
        "CREATE TABLE documents (collection_id INTEGER, id TEXT, document TEXT, metadata_json TEXT, embedding BLOB, dim INTEGER, "
        "created_at TEXT, updated_at TEXT)",
        ("INSERT INTO collections VALUES (1, 'drawers', 4, '2026-01-01')", [()]),
        (
            "INSERT INTO documents VALUES (1, ?, ?, ?, x'00', 4, '2026-03-01', '2026-03-01')",
            [("d1", "The index is rebuilt at night.", json.dumps(about))],
        ),
    )
    _database(
        folder / "palace" / "knowledge_graph.sqlite3",
        "CREATE TABLE entities (id TEXT PRIMARY KEY, name TEXT, type TEXT, properties TEXT, created_at TEXT);"
        "CREATE TABLE triples (id TEXT PRIMARY KEY, subject TEXT, predicate TEXT, object TEXT, valid_from TEXT, valid_to TEXT, "
        "confidence REAL, source_file TEXT)",
        (
            "INSERT INTO entities VALUES (?, ?, ?, '{}', '2026-01-01')",
            [("ada", "Ada", "person"), ("graz", "Graz", "unknown")],
        ),
        (
            "INSERT INTO triples VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [("t1", "ada", "lives_in", "graz", "2024-01-01", "2025-01-01", 0.9, "notes.md")],
        ),
    )
    return folder / "palace"


def chroma(folder: Path) -> Path:
    insert = "INSERT INTO embedding_metadata VALUES (?, ?, ?, ?, ?, ?)"
    _database(
        folder / "chroma" / "chroma.sqlite3",
        "CREATE TABLE collections (id TEXT PRIMARY KEY, name TEXT); CREATE TABLE segments (id TEXT, collection TEXT);"
        "CREATE TABLE embeddings (id INTEGER PRIMARY KEY, segment_id TEXT, embedding_id TEXT, seq_id BLOB, created_at TIMESTAMP);"
        "CREATE TABLE embedding_metadata (id INTEGER, key TEXT, string_value TEXT, int_value INTEGER, float_value REAL, "
        "bool_value INTEGER)",
        ("INSERT INTO collections VALUES ('c', 'notes')", [()]),
        ("INSERT INTO segments VALUES ('s', 'c')", [()]),
        (
            "INSERT INTO embeddings VALUES (1, 's', 'e1', x'01', '2026-01-01'), (2, 's', 'e2', x'02', '2026-01-01')",
            [()],
        ),
        (
            insert,
            [
                (1, "chroma:document", "The gate code changed.", None, None, None),
                (1, "timestamp", None, None, 1739500000.0, None),
                (1, "checked", None, None, None, 1),
                (2, "kind", "empty", None, None, None),
            ],
        ),
    )
    return folder / "chroma"


def hindsight(folder: Path) -> Path:
    place = folder / "bank"
    _json(place / "manifest.json", {"schema_version": 1, "source_bank_id": "ada", "archive_type": "documents"})
    facts = [
        {
            "text": "Ada broke her arm",
            "fact_type": "experience",
            "occurred_start": "2025-03-01T00:00:00Z",
            "occurred_end": "2025-03-02T00:00:00Z",
            "entities": ["Ada"],
            "tags": ["health"],
            "metadata": {"mood": "low"},
        },
        {
            "text": "Ada missed the race",
            "fact_type": "world",
            "mentioned_at": "2025-03-05T00:00:00Z",
            "causal_relations": [{"relation_type": "caused_by", "target_fact_index": 0}],
        },
    ]
    _json(
        place / "documents" / "000000.json",
        {"id": "doc-1", "original_text": "Ada fell and missed the race.", "tags": ["log"], "facts": facts},
    )
    _json(place / "observations.json", [{"text": "Ada is unlucky in March", "proof_count": 2, "tags": []}])
    _json(place / "webhooks.json", [{"url": "http://127.0.0.1"}])
    return place


def cognee(folder: Path) -> Path:
    place = folder / "cogx"
    _json(place / "manifest.json", {"cogx_version": "0.1", "source_system": "mem0"})
    base = {"external_system": "mem0", "scope": {"user_id": "u1"}, "created_at": "2026-01-01T00:00:00Z"}
    _lines(
        place / "memories.jsonl",
        {**base, "kind": "memory", "external_id": "1", "content": "Likes jazz", "categories": ["music"]},
    )
    turns = [{"role": "user", "content": "Play something calm", "occurred_at": "2026-01-03T00:00:00Z"}]
    _lines(
        place / "episodes.jsonl", {**base, "kind": "episode", "external_id": "s1", "title": "Evening", "turns": turns}
    )
    entities = [
        {
            **base,
            "kind": "entity",
            "external_id": "n1",
            "name": "Ada",
            "entity_type": "person",
            "description": "A pianist.",
        },
        {**base, "kind": "entity", "external_id": "n2", "name": "Blue Note"},
    ]
    _lines(place / "entities.jsonl", *entities)
    fact = {
        "subject_ref": "n1",
        "predicate": "plays_at",
        "object_ref": "n2",
        "valid_at": "2026-01-01T00:00:00Z",
        "confidence": 0.7,
    }
    _lines(place / "facts.jsonl", {**base, "kind": "fact", "external_id": "f1", **fact})
    return place


def mbox(folder: Path) -> Path:
    path = folder / "mail.mbox"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        b"From ada@example.org Thu Feb 05 10:00:00 2026\n"
        b"From: Ada Lovelace <ada@example.org>\nTo: Bob <bob@example.org>\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n"
        b"Date: Thu, 05 Feb 2026 10:00:00 +0100\nMessage-ID: <1@example.org>\n"
        b"\nThe key is under the mat.\n>From here on it is dark.\n\n"
        b"From bob@example.org Thu Feb 05 11:00:00 2026\n"
        b"From: bob@example.org\nSubject: Re\nDate: Thu, 05 Feb 2026 11:00:00 +0100\nMessage-ID: <2@example.org>\n"
        b"References: <1@example.org>\nContent-Type: text/html; charset=utf-8\n\n<p>Found it.<br>Thanks</p><style>x</style>\n"
    )
    return path


def ics(folder: Path) -> Path:
    path = folder / "team.ics"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1@x\r\nSUMMARY:Planning\\, spring\r\n"
        "DTSTART;TZID=Europe/Vienna:20260302T090000\r\nDTEND;TZID=Europe/Vienna:20260302T100000\r\nLOCATION:Room 4\r\n"
        'ATTENDEE;CN="Ada: Lovelace":mailto:ada@exam\r\n ple.org\r\nDESCRIPTION:Bring the list.\\nAll of it.\r\n'
        "BEGIN:VALARM\r\nSUMMARY:Alarm\r\nEND:VALARM\r\nEND:VEVENT\r\n"
        "BEGIN:VEVENT\r\nUID:2@x\r\nSUMMARY:Gone\r\nSTATUS:CANCELLED\r\nDTSTART;VALUE=DATE:20260303\r\nEND:VEVENT\r\n"
        "END:VCALENDAR\r\n",
        encoding="utf-8",
    )
    return path


EXPORTS: dict[str, tuple[str, Callable[[Path], Path], int, int]] = {
    "chatgpt": ("chatgpt", chatgpt, 6, 0),
    "claude": ("claude", claude, 9, 0),
    "memory-jsonl": ("memory-jsonl", memory_jsonl, 4, 4),
    "mem0": ("mem0", mem0, 2, 1),
    "mem0 history": ("mem0", mem0_history, 2, 0),
    "mem0 qdrant": ("mem0", mem0_qdrant, 1, 0),
    "graphiti": ("graphiti", graphiti, 3, 2),
    "letta": ("letta", letta, 4, 0),
    "langgraph": ("langgraph", langgraph, 2, 0),
    "mcp-memory-service": ("mcp-memory-service", mcp_memory_service, 2, 1),
    "mempalace": ("mempalace", mempalace, 2, 1),
    "chroma": ("chroma", chroma, 1, 0),
    "hindsight": ("hindsight", hindsight, 4, 2),
    "cognee": ("cognee", cognee, 4, 2),
    "mbox": ("mbox", mbox, 2, 0),
    "ics": ("ics", ics, 1, 0),
}
"""By name: the importer that recognises it, what writes it into a folder, and how many memories and relations are in it."""
