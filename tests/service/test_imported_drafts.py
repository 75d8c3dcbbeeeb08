"""Drafts that other programs wrote are stored alike in both stores, and importing them again adds nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.operations.moving import ImportRequest
from ai_memory.operations.reading import LIST, ListRequest
from ai_memory.operations.writing import MAX_TEXT
from ai_memory.service.service import Service
from tests.support.store_samples import Reopen

pytest_plugins = ["tests.support.store_backends"]

LINES = [
    b'\xef\xbb\xbf{"text": "a draft", "tags": "#a #b", "context": null, "created": "14.02.2026"}',
    b'{"content": "from elsewhere", "type": "note", "user_id": 7, "rating": 4.5}',
    json.dumps({"text": "word " * (MAX_TEXT // 4), "title": "Long"}).encode(),
]


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen) -> Iterator[Service]:
    made = Service(reopen(), lambda _: HashingEmbedder())
    yield made
    made.close()


def test_drafts_of_other_programs(service: Service) -> None:
    report = service.import_lines(ImportRequest(), LINES)
    assert (report.counts, report.rejected) == ({"stored": 4}, ())
    assert [warning.line for warning in report.warnings] == [2, 2, 3]
    stored = {memory.title or memory.text: memory for memory in service.carry_out(LIST, ListRequest()).memories}
    draft, foreign = stored["a draft"], stored["from elsewhere"]
    assert (draft.tags, draft.context, str(draft.valid_from)) == (("a", "b"), "", "2026-02-14 00:00:00+00:00")
    assert (foreign.user, foreign.attributes) == ("7", {"type": "note", "rating": 4.5})
    parts = [stored[f"Long (part {number} of 2)"] for number in (1, 2)]
    assert [part.attributes for part in parts] == [{"part": 1, "parts": 2}, {"part": 2, "parts": 2}]
    assert sum(part.text.count("word") for part in parts) == MAX_TEXT // 4
    assert service.import_lines(ImportRequest(), LINES).counts == {"duplicate_of": 4}
