"""Exports of other programs: each memory in them becomes a draft, and no other JSON is changed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.importers.foreign import MARKS, drafts_in


def drafts(value: Any) -> list[Any]:
    return [json.loads(line) for line in drafts_in(json.dumps(value, separators=(",", ":")).encode())]


def test_entities_and_relations_of_the_reference_memory_server() -> None:
    entity = {"type": "entity", "name": "Ines_Amaro", "entityType": "person", "observations": ["Likes buns", "Is 40"]}
    kept = {"name": "Ines_Amaro", "entityType": "person"}
    assert drafts(entity) == [
        {"text": "Ines Amaro: Likes buns", "attributes": kept},
        {"text": "Ines Amaro: Is 40", "attributes": kept},
    ]
    assert [draft["text"] for draft in drafts({**entity, "observations": []})] == ["Ines Amaro: person"]
    assert drafts({"type": "relation", "from": "Ines_Amaro", "to": "Heronry", "relationType": "works_at"}) == [
        {
            "text": "Ines Amaro works at Heronry.",
            "attributes": {"from": "Ines_Amaro", "to": "Heronry", "relationType": "works_at"},
        }
    ]


def message(text: Any, role: str, seconds: float | None) -> dict[str, Any]:
    content = {"content_type": "text", "parts": [text]}
    return {"message": {"author": {"role": role}, "create_time": seconds, "content": content}}


def test_conversations_of_chatgpt() -> None:
    conversation = {
        "title": "Bread",
        "create_time": 1739500000.5,
        "id": "c1",
        "mapping": {
            "root": {"message": None},
            "b": message("About twelve hours.", "assistant", 1739500002.0),
            "a": message("How long?", "user", 1739500001.0),
            "empty": message("", "assistant", None),
            "picture": message({"asset_pointer": "file"}, "user", 1739500003.0),
            "late": message("Thanks.", "user", None),
        },
    }
    found = drafts(conversation)
    assert [(draft["author"], draft["text"], draft["valid_from"][:19]) for draft in found] == [
        ("user", "How long?", "2025-02-14T02:26:41"),
        ("assistant", "About twelve hours.", "2025-02-14T02:26:42"),
        ("user", "Thanks.", "2025-02-14T02:26:40"),
    ]
    assert {(draft["type"], draft["title"], draft["session"]) for draft in found} == {("conversation", "Bread", "c1")}


@pytest.mark.parametrize(
    "line",
    [
        b'{"text":"t","observations":["a"],"name":"n"}',
        b'{"text":"t","mapping":{}}',
        b'{"observations":"a","name":"n"}',
        b'{"relationType":"a"}',
        b'{"mapping":5}',
        b'{"mapping" broken',
        b'["mapping"]',
        b"",
    ],
)
def test_other_lines_stay_as_they_are(line: bytes) -> None:
    assert list(drafts_in(line)) == [line]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["mapping", "message", "content", "parts", "author", "create_time"]), inner, max_size=4
        )
    ),
)


@given(JSON, st.sampled_from([mark.decode().strip('"') for mark in MARKS]))
def test_odd_values_are_read_without_an_error(value: Any, mark: str) -> None:
    for draft in drafts({mark: value, "name": "n", "from": "a", "to": "b"}):
        assert isinstance(draft, dict)
