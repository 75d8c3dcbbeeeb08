"""All of a person is one command, on every store: what is current, what has ended, what was superseded and what was retired."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import BrakeError
from ai_memory.operations.reading import LIST, ListRequest
from ai_memory.operations.writing import (
    FORGET,
    FORGET_MANY,
    REMEMBER,
    RETIRE,
    REVISE,
    ForgetManyRequest,
    ForgetRequest,
    Forgotten,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.service.service import Service
from ai_memory.types import MemoryType
from tests.support.disk import files_with, stored_in
from tests.support.store_samples import START, Reopen

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


def remember(service: Service, text: str, **fields: Any) -> str:
    return str(service.carry_out(REMEMBER, RememberRequest(text=text, **fields)).memory_id)


def retire(service: Service, memory: str) -> str:
    service.carry_out(RETIRE, RetireRequest(id=memory, reason=f"no {SECRET}"))
    return memory


def forget_many(service: Service, **how: Any) -> Forgotten:
    return service.carry_out(FORGET_MANY, ForgetManyRequest(**how))


def person(service: Service, user: str = "ada") -> dict[str, str]:
    """One memory of each state, by what it is."""
    superseded = remember(service, f"{user} the {SECRET} lived in Rome.", user=user)
    return {
        "superseded": superseded,
        "current": remember(service, f"{user} lives in Oslo, a {SECRET}.", user=user, supersedes=(superseded,)),
        "ended": remember(service, f"{user} was a {SECRET} once.", user=user, valid_to=START - dt.timedelta(days=9)),
        "retired": retire(service, remember(service, f"{user} plays: {SECRET}.", user=user, tags=("music",))),
    }


def test_all_of_a_person_is_one_command(service: Service, tmp_path: Path) -> None:
    ada, bob = person(service), remember(service, "bob plays the lute", user="bob")
    shown = forget_many(service, user=("ada",))
    assert (shown.dry_run, shown.forgotten, set(shown.ids)) == (True, 4, set(ada.values()))
    assert shown.states == {"current": 1, "ended": 2, "retired": 1}
    done = forget_many(service, user=("ada",), dry_run=False)
    assert (done.forgotten, done.states) == (4, shown.states)
    assert files_with(tmp_path, [SECRET, "ada"]) == []
    assert SECRET not in stored_in(service._parts.store)
    assert [memory.id for memory in service.carry_out(LIST, ListRequest(retired=True)).memories] == [bob]


def test_the_retired_are_left_out_only_when_asked(service: Service) -> None:
    ada = person(service)
    assert forget_many(service, user=("ada",), retired=False).states == {"current": 1, "ended": 2}
    assert forget_many(service, everything=True, retired=False).forgotten == 3
    assert forget_many(service, user=("ada",), include_ended=False).states == {"current": 1, "retired": 1}
    assert forget_many(service, tags=("music",)).ids == (ada["retired"],)
    assert forget_many(service, ids=(ada["retired"],), dry_run=False).forgotten == 1
    assert forget_many(service, everything=True).states == {"current": 1, "ended": 2}
    assert forget_many(service, user=("nobody",)) == Forgotten(forgotten=0, dry_run=True, ids=(), states={})


def test_a_filter_looks_at_the_latest_revision(service: Service) -> None:
    """What a memory was before it was corrected is not what somebody means to erase by a filter; erased is its whole history."""
    memory = remember(service, "draft of the plan", tags=("draft",), type=MemoryType.EPISODIC)
    service.carry_out(REVISE, ReviseRequest(id=memory, tags=("final",)))
    assert forget_many(service, tags=("draft",)).forgotten == 0
    assert forget_many(service, tags=("final",)).forgotten == 1
    retire(service, memory)
    assert forget_many(service, tags=("final",)).states == {"retired": 1}
    assert forget_many(service, tags=("draft",)).forgotten == 0
    assert forget_many(service, types=(MemoryType.EPISODIC,), context="").forgotten == 1


def test_pages_of_retired_memories_follow_each_other(service: Service) -> None:
    memories = [remember(service, f"note {number}", context=f"Work/{number % 3}") for number in range(9)]
    for memory in memories[::2]:
        retire(service, memory)
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = service.carry_out(
            LIST, ListRequest(retired=True, limit=2, cursor=cursor, order="oldest", context="work")
        )
        found += [memory.id for memory in page.memories]
        cursor = page.cursor
        if cursor is None:
            break
    assert found == memories
    shown = service.carry_out(LIST, ListRequest(context="work", order="oldest")).memories
    assert [memory.id for memory in shown] == memories[1::2]
    assert all(memory.retired_at is None for memory in shown)


def test_the_brake_counts_the_retired(service: Service) -> None:
    for number in range(40):
        made = remember(service, f"note {number}", user="ada" if number < 24 else "bob")
        if number < 24:
            retire(service, made)
    with pytest.raises(BrakeError) as caught:
        forget_many(service, user=("ada",), dry_run=False)
    assert (caught.value.details["matching"], caught.value.details["total"]) == (24, 40)
    assert forget_many(service, user=("ada",), dry_run=False, allow_share=0.6).forgotten == 24


def test_a_memory_that_is_forgotten_by_its_id_says_what_it_was(service: Service) -> None:
    ada = person(service)
    states = {
        name: service.carry_out(FORGET, ForgetRequest(id=memory, idempotency_key=name)).states
        for name, memory in ada.items()
    }
    assert states == {
        "superseded": {"ended": 1},
        "current": {"current": 1},
        "ended": {"ended": 1},
        "retired": {"retired": 1},
    }
    assert service.carry_out(FORGET, ForgetRequest(id=ada["retired"], idempotency_key="retired")).states == {
        "retired": 1
    }
