"""The service over Neo4j: equal answers to SQLite's, what settings lead to which store, and the errors of a wrong place."""

from __future__ import annotations

import datetime as dt
import random
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory.clock import ManualClock
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.errors import InvalidInputError, NotFoundError, OfflineError, StoreUnavailableError
from ai_memory.installation import install_hint
from ai_memory.operations.graph import RELATE, RelateRequest
from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.writing import (
    FORGET,
    REMEMBER_MANY,
    REVISE,
    Draft,
    ForgetRequest,
    RememberManyRequest,
    ReviseRequest,
)
from ai_memory.recall.answer import Answer
from ai_memory.recall.recipe import RECIPES
from ai_memory.service.service import Service
from ai_memory.settings import SecretStr, Settings
from ai_memory.store.base import Store
from ai_memory.store.neo4j.database.address import parse_address
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.wiring import migrate, open_store
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.store_samples import START

WORDS = [
    "river",
    "mountain",
    "coffee",
    "gateway",
    "Berlin",
    "лодка",
    "ремонт",
    "index",
    "quarterly",
    "invoice",
    "порт",
    "server",
]
QUESTIONS = ("the gateway in Berlin", "порт для лодки", "invoice of the river", "coffee index", "nothing of the kind")


def _store(kind: str, folder: Path, clock: ManualClock) -> Store:
    if kind == "sqlite":
        return open_sqlite_store(folder / "memory.db", clock=clock)
    server = neo4j_backend.server(kind)
    neo4j_backend.clean(server)
    return neo4j_backend.open_on(server, clock)


def _answers(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[Answer]:
    """The whole answers to all questions, by every recipe, after the same writes, with the same ids and instants."""
    chance = random.Random(7)
    monkeypatch.setattr("ai_memory.store.ids.secrets.randbits", chance.getrandbits)
    clock = ManualClock(START)
    service = Service(_store(kind, folder, clock), lambda _: HashingEmbedder(), clock=clock)
    try:
        drafts = [
            Draft(text=" ".join(chance.choices(WORDS, k=9)), tags=(chance.choice("ab"),), session=f"s{number % 5}")
            for number in range(120)
        ]
        receipts = service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts)).receipts
        ids = [receipt.memory_id for receipt in receipts if receipt.memory_id is not None]
        service.carry_out(REVISE, ReviseRequest(id=ids[3], text="the gateway moved to another port"))
        service.carry_out(RELATE, RelateRequest(source=ids[4], target=ids[5], type="CAUSES"))
        service.carry_out(FORGET, ForgetRequest(id=ids[6]))
        assert service._parts.backlog.settle(60)  # all vectors are there
        clock.advance(dt.timedelta(days=1))
        requests = [RecallRequest(query=question, limit=20, explain=True) for question in QUESTIONS]
        requests += [RecallRequest(query=QUESTIONS[0], tags=("a",)), RecallRequest(query=QUESTIONS[0], known_at=START)]
        answers = [service.recall_with(recipe, request) for request in requests for recipe in RECIPES.values()]
        return [msgspec.structs.replace(answer, took_ms=0.0) for answer in answers]
    finally:
        service.close()


def _steady(value: Any) -> Any:
    """Answers as data without `recorded_at`, which background work that asks the clock meanwhile moves by a microsecond."""
    if isinstance(value, dict):
        return {name: _steady(part) for name, part in value.items() if name != "recorded_at"}
    return [_steady(part) for part in value] if isinstance(value, list | tuple) else value


@pytest.mark.parametrize("line", LINES)
def test_answers_are_equal_on_both_stores(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = _answers("sqlite", tmp_path, monkeypatch)
    assert len({answer.answer_hash for answer in expected}) > 4 * len(RECIPES)
    assert all(hit.trace is not None for answer in expected if answer.asked for hit in answer.hits)
    assert _steady(msgspec.to_builtins(_answers(line, tmp_path, monkeypatch))) == _steady(msgspec.to_builtins(expected))


def test_settings_lead_to_the_database_and_never_show_the_password(tmp_path: Path) -> None:
    server = neo4j_backend.server("newest")
    neo4j_backend.clean(server)
    address = server.uri.replace("://", f"://{server.user}:{server.password}@")
    settings = Settings(data_dir=tmp_path / "data", store=address)
    assert server.password not in f"{settings!r} {settings.masked()} {settings.store_place}"
    store = open_store(settings, ManualClock(START))
    try:
        assert store.location == f"{server.uri.replace('://', '://neo4j@')}/neo4j"
        assert store.sequence() == 0
    finally:
        store.close()


@pytest.mark.parametrize("line", ["lts"])
def test_a_wrong_password_is_said_and_not_shown(line: str, tmp_path: Path) -> None:
    server = neo4j_backend.server(line)
    settings = Settings(data_dir=tmp_path, store=server.uri, store_password=SecretStr("not-the-one"))
    with pytest.raises(StoreUnavailableError) as refused:
        open_store(settings, ManualClock(START))
    assert "AI_MEMORY_STORE_PASSWORD" in str(refused.value.hint)
    assert "not-the-one" not in str(refused.value.body())


@pytest.mark.parametrize(
    ("place", "error"),
    [
        ("postgres://host/base", InvalidInputError),
        ("neo4j://", InvalidInputError),
        ("neo4j://host:port", InvalidInputError),
        ("neo4j://host/a/b", InvalidInputError),
        ("neo4j://host/a?password=x", InvalidInputError),
        ("neo4j+s://db.example.org/neo4j", OfflineError),
    ],
)
def test_a_wrong_place_is_refused_before_anything_is_reached(
    place: str, error: type[Exception], tmp_path: Path
) -> None:
    with pytest.raises(error):
        open_store(Settings(data_dir=tmp_path, store=place, offline=True), ManualClock(START))


def test_without_the_driver_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name == "neo4j" or name.startswith("ai_memory.store.neo4j.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "neo4j", None)
    with pytest.raises(InvalidInputError) as refused:
        open_store(Settings(data_dir=tmp_path, store="neo4j://127.0.0.1"), ManualClock(START))
    assert refused.value.hint == install_hint("neo4j")


def test_an_address_has_its_parts_and_defaults() -> None:
    address = parse_address("neo4j+s://ann:p%40ss@db.example.org/memories")
    assert (address.uri, address.user, address.database, address.password) == (
        "neo4j+s://db.example.org:7687", "ann", "memories", "p@ss"
    )  # fmt: skip
    assert "p@ss" not in f"{address!r} {address.shown}"
    assert parse_address("bolt://[::1]:7").uri == "bolt://[::1]:7"


def test_a_migration_needs_a_source_and_another_target(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    with pytest.raises(NotFoundError):
        migrate(settings, str(tmp_path / "none.db"), str(tmp_path / "to.db"))
    open_sqlite_store(tmp_path / "a.db", clock=ManualClock(START)).close()
    with pytest.raises(InvalidInputError):
        migrate(settings, str(tmp_path / "a.db"), str(tmp_path / "a.db"))
