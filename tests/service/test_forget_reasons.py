"""The reason for forgetting is kept, so it must not keep what is forgotten: on every store, and before anything is erased."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.clock import SystemClock
from ai_memory.errors import IdempotencyConflictError, InvalidInputError, NotFoundError, StaleRevisionError
from ai_memory.settings import Settings
from ai_memory.wiring import open_store
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.disk import files_with

TEXT = "Ada's savings are at the bank of Zurich"
TITLE = "Savings abroad"
LATER = "Bo keeps the keys of the boathouse"


@pytest.fixture(params=["sqlite", *LINES])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    store: dict[str, Any] = {}
    if request.param != "sqlite":
        server = neo4j_backend.server(request.param)
        neo4j_backend.clean(server)
        store = {"store": server.uri.replace("://", f"://{server.user}:{server.password}@")}
    return Settings(data_dir=tmp_path / "data", model="none", snapshot_rows=0, **store)


@pytest.fixture
def memory(settings: Settings) -> Iterator[Memory]:
    with Memory(settings=settings) as opened:
        yield opened


def _remember(memory: Memory, text: str = TEXT, **more: Any) -> str:
    memory_id = memory.remember(text, **more).memory_id
    assert memory_id is not None
    return memory_id


def _log_of(settings: Settings) -> str:
    with closing(open_store(settings, SystemClock())) as store:
        return " ".join(str(entry.reason) for entry in store.log())


REPEATING = {
    "text": f"outdated: {TEXT.upper()}!",
    "part of the text": "are at the bank of Zurich no more",
    "title": "no savings abroad",
    "old text": "she said that she sold the old boat in Lisbon",
    "source": "taken from ada@example.org",
    "attributes": "the code Zx81b2c3 was changed",
}


@pytest.mark.parametrize("part", REPEATING)
def test_a_reason_that_repeats_the_memory_is_refused(memory: Memory, settings: Settings, part: str) -> None:
    reason = REPEATING[part]
    memory_id = _remember(memory, "Ada sold the old boat in Lisbon", source="mail from ada@example.org")
    attributes = {"safe": [{"code": "Zx81b2c3"}]}
    memory.revise(memory_id, text=TEXT, title=TITLE, attributes=attributes)
    with pytest.raises(InvalidInputError) as refused:
        memory.forget(memory_id, reason=reason)
    assert refused.value.details == {"field": "reason", "memory_id": memory_id}
    said = json.dumps(refused.value.body()).casefold()
    assert [word for word in ("zurich", "savings", "lisbon", "ada@", "zx81") if word in said] == []
    assert memory.get(memory_id).text == TEXT, "nothing was erased"
    assert memory.forget(memory_id, reason="Ada asked for it; a note about her bank").forgotten == 1
    assert "about her bank" in _log_of(settings)


def test_every_memory_that_would_be_erased_is_compared(memory: Memory) -> None:
    first, second = _remember(memory, tags=["gone"]), _remember(memory, LATER, tags=["gone"])
    _remember(memory, "an unrelated memory of the harbour")
    for dry_run in (True, False):
        with pytest.raises(InvalidInputError, match=second):
            memory.forget_many(tags=["gone"], reason="who keeps the keys of the boathouse", dry_run=dry_run)
    assert memory.get(first).text == TEXT, "nothing was erased, not even what comes before"
    reason = "an unrelated memory of the harbour"
    assert memory.forget_many(tags=["gone"], reason=reason, dry_run=False, allow_share=1.0).forgotten == 2, (
        "a memory that stays may be named"
    )


def test_retired_memories_are_compared_when_everything_goes(memory: Memory) -> None:
    memory.retire(_remember(memory))
    with pytest.raises(InvalidInputError, match="repeats the text"):
        memory.forget_many(everything=True, dry_run=False, reason=TEXT)
    assert memory.forget_many(everything=True, dry_run=False, reason="the account was closed").forgotten == 1


def test_keys_and_revisions_work_as_before(memory: Memory, settings: Settings) -> None:
    memory_id = _remember(memory)
    with pytest.raises(InvalidInputError):
        memory.forget(memory_id, reason=TEXT, idempotency_key="once")
    with pytest.raises(StaleRevisionError):
        memory.forget(memory_id, reason="asked to", if_revision=7)
    first = memory.forget(memory_id, reason="asked to", if_revision=1, idempotency_key="once")
    assert memory.forget(memory_id, reason="asked to", if_revision=1, idempotency_key="once") == first
    with pytest.raises(IdempotencyConflictError):
        memory.forget(memory_id, reason="another", if_revision=1, idempotency_key="once")
    with pytest.raises(NotFoundError):
        memory.forget(memory_id, reason=TEXT)
    assert "Zurich" not in _log_of(settings)


def test_a_refused_reason_is_in_no_file(tmp_path: Path) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none", snapshot_rows=0)) as memory:
        memory_id = _remember(memory, "the code is Zx81b2c3")
        with pytest.raises(InvalidInputError):
            memory.forget(memory_id, reason="it had the code Zx81b2c3", idempotency_key="k")
        memory.forget(memory_id, reason="it had a code")
        assert files_with(tmp_path, ["Zx81b2c3"]) == []
