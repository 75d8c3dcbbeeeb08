"""What is kept under idempotency keys, on every store: each is its namespace's own, and nothing of a forgotten request stays."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import ConflictError, IdempotencyConflictError, NotFoundError
from ai_memory.operations.graph import RELATE, UNRELATE, RelateRequest, UnrelateRequest
from ai_memory.operations.writing import (
    FORGET,
    REMEMBER,
    REMEMBER_MANY,
    RETIRE,
    REVISE,
    Draft,
    ForgetRequest,
    RememberManyRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.service.handlers.once import Write, _once
from ai_memory.service.service import Service
from ai_memory.store.rules import sealed
from ai_memory.types import Receipt
from tests.support.disk import files_with, stored_in
from tests.support.store_samples import Reopen

pytest_plugins = ["tests.support.store_backends"]

SECRET = "xylophonist"


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock) -> Iterator[Service]:
    made = Service(reopen(), None, clock=clock)
    yield made
    assert made.doctor() == ()
    made.close()


def remember(service: Service, text: str, key: str | None = None, **fields: Any) -> Receipt:
    return service.carry_out(REMEMBER, RememberRequest(text=text, idempotency_key=key, **fields))


def forget(service: Service, memory: str | None, **fields: Any) -> None:
    service.carry_out(FORGET, ForgetRequest(id=str(memory), **fields))


def current(service: Service, namespace: str = "default") -> int:
    return service._parts.store.stats(namespace).memories


def test_a_key_is_one_of_its_namespace(service: Service) -> None:
    """Else the answer 409 would say that another namespace used it, and a replay would show what for."""
    texts = {"default": "first", "other": "second"}
    made = {namespace: remember(service, text, "k", namespace=namespace) for namespace, text in texts.items()}
    assert {each.outcome for each in made.values()} == {"stored"}
    for namespace, text in texts.items():
        assert remember(service, text, "k", namespace=namespace) == made[namespace]
        with pytest.raises(IdempotencyConflictError):
            remember(service, "third", "k", namespace=namespace)
    for namespace, receipt in made.items():
        retired = service.carry_out(
            RETIRE, RetireRequest(id=str(receipt.memory_id), namespace=namespace, idempotency_key="k")
        )
        assert retired.outcome == "stored", "and one of its operation"
    forget(service, made["default"].memory_id)
    with pytest.raises(IdempotencyConflictError):
        remember(service, "third", "k", namespace="other")


def test_a_request_that_comes_again_says_that_its_memory_was_forgotten(service: Service) -> None:
    made = remember(service, SECRET, "k")
    assert remember(service, SECRET, "k") == made
    forget(service, made.memory_id)
    for again in (remember(service, SECRET, "k"), remember(service, SECRET, "k", reinstate=True)):
        assert (again.outcome, again.code, again.memory_id) == ("rejected", "forgotten", None)
        assert str(made.memory_id) in str(again.reason)
    assert current(service) == 0, "nothing was stored"
    new = remember(service, SECRET, "k2", reinstate=True)
    assert (new.outcome, current(service)) == ("stored", 1)


def test_of_many_each_receipt_is_as_true_as_it_is_by_now(service: Service) -> None:
    request = RememberManyRequest(
        memories=[Draft(text=SECRET), Draft(text="kept"), Draft(text=" ")], idempotency_key="k"
    )
    first = service.carry_out(REMEMBER_MANY, request)
    assert service.carry_out(REMEMBER_MANY, request) == first
    forget(service, first.receipts[0].memory_id)
    again = service.carry_out(REMEMBER_MANY, request)
    assert [each.outcome for each in again.receipts] == ["rejected", "stored", "rejected"]
    assert again.receipts[1] == first.receipts[1]
    assert again.counts == {"rejected": 2, "stored": 1}
    assert current(service) == 1


def test_a_change_of_a_forgotten_memory_that_comes_again_finds_none(service: Service) -> None:
    made = str(remember(service, "a").memory_id)
    other = str(remember(service, "b").memory_id)
    revise = ReviseRequest(id=made, text=SECRET, idempotency_key="k")
    retire = RetireRequest(id=made, reason="wrong", idempotency_key="k")
    relate = RelateRequest(source=other, target="entity:Rome", type="IN", evidence=made, idempotency_key="k")
    forgetting = ForgetRequest(id=made, idempotency_key="k")
    related = service.carry_out(RELATE, relate)
    revised, retired = service.carry_out(REVISE, revise), service.carry_out(RETIRE, retire)
    assert service.carry_out(RELATE, relate) == related
    assert service.carry_out(REVISE, revise) == revised
    assert service.carry_out(RETIRE, retire) == retired
    gone = service.carry_out(FORGET, forgetting)
    for again in (
        lambda: service.carry_out(REVISE, revise),
        lambda: service.carry_out(RETIRE, retire),
        lambda: service.carry_out(RELATE, relate),
    ):
        with pytest.raises(NotFoundError):
            again()
    assert service.carry_out(FORGET, forgetting) == gone, "what was done is said again"


def test_a_relation_that_was_ended_since_is_given_as_it_is(service: Service) -> None:
    relate = RelateRequest(
        source="entity:Ada", target="entity:Rome", type="IN", attributes={"a": 1}, idempotency_key="k"
    )
    made = service.carry_out(RELATE, relate)
    assert service.carry_out(RELATE, relate) == made
    ended = service.carry_out(UNRELATE, UnrelateRequest(id=made.id))
    assert service.carry_out(RELATE, relate) == ended


def test_nothing_of_a_forgotten_request_is_kept(service: Service, tmp_path: Path) -> None:
    """Neither its key, which may repeat the text, nor a digest by which a guess could be confirmed."""
    request = RememberRequest(text=f"the {SECRET} has a PIN 4711-0815-9000", idempotency_key=f"remember the {SECRET}")
    made = service.carry_out(REMEMBER, request)
    assert made.memory_id is not None
    asked = _once(
        service._parts, Write("remember", request, "default", request.idempotency_key), f"remember the {SECRET}"
    )
    assert not _digest_kept(service, tmp_path, asked.request), "it is never there without the store's secret"
    kept = sealed(asked, service._parts.store._graveyard.secret)  # type: ignore[attr-defined]
    assert _digest_kept(service, tmp_path, kept.request), "the digest is there before"
    service.carry_out(RETIRE, RetireRequest(id=made.memory_id, reason=f"not a {SECRET}", idempotency_key="k2"))
    again = remember(service, request.text, "k3")
    assert again.was_retired is not None
    assert again.was_retired.reason == f"not a {SECRET}"
    for receipt in (made, again):
        forget(service, receipt.memory_id)
    rejected = remember(service, request.text, f"another {SECRET}")
    assert rejected.code == "forgotten"
    assert not _digest_kept(service, tmp_path, kept.request)
    assert files_with(tmp_path, [SECRET, "4711-0815"]) == []
    assert SECRET not in stored_in(service._parts.store)
    service._parts.store.backup(tmp_path / "copy.db")
    assert not _digest_kept(service, tmp_path, kept.request)
    assert files_with(tmp_path, [SECRET, "4711-0815"]) == []


def _digest_kept(service: Service, folder: Path, digest: bytes) -> bool:
    on_disk = any(digest in file.read_bytes() for file in folder.rglob("*") if file.is_file())
    return on_disk or digest.hex() in stored_in(service._parts.store)


def test_a_text_that_comes_back_says_that_it_was_retired(service: Service) -> None:
    made = remember(service, "Anna works at Globex.")
    retired = service.carry_out(RETIRE, RetireRequest(id=str(made.memory_id), reason="she left"))
    assert retired.was_retired is None
    again = remember(service, "Anna works at Globex.", "k")
    before = service._parts.store.get("default", [str(made.memory_id)])[0]
    assert before is not None
    assert again.outcome == "stored"
    assert again.memory_id != made.memory_id
    assert again.was_retired is not None
    assert (again.was_retired.memory_id, again.was_retired.retired_at, again.was_retired.reason) == (
        made.memory_id,
        before.retired_at,
        "she left",
    )
    assert "is current again" in str(again.reason)
    assert remember(service, "Anna works at Globex.", "k") == again, "also when it is sent again"
    assert remember(service, "Anna works at Globex.", user="another").was_retired is None
    assert remember(service, "Anna works at Acme.").was_retired is None
    forget(service, made.memory_id)
    replayed = remember(service, "Anna works at Globex.", "k")
    assert replayed.was_retired is not None
    assert replayed.was_retired.reason is None, "the reason was erased with that memory"


def test_a_revision_that_brings_a_retired_text_back_says_so_too(service: Service) -> None:
    old = remember(service, "red")
    service.carry_out(RETIRE, RetireRequest(id=str(old.memory_id)))
    made = remember(service, "green")
    changed = service.carry_out(REVISE, ReviseRequest(id=str(made.memory_id), text="red"))
    assert changed.was_retired is not None
    assert changed.was_retired.memory_id == old.memory_id
    assert service.carry_out(REVISE, ReviseRequest(id=str(made.memory_id), tags=("t",))).was_retired is None


def test_a_tombstone_still_comes_before_what_was_retired(service: Service) -> None:
    made = remember(service, SECRET)
    service.carry_out(RETIRE, RetireRequest(id=str(made.memory_id)))
    forget(service, made.memory_id)
    assert remember(service, SECRET).code == "forgotten"
    with pytest.raises(ConflictError, match="forgotten"):
        service.carry_out(REVISE, ReviseRequest(id=str(remember(service, "x").memory_id), text=SECRET))
