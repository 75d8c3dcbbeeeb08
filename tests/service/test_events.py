"""Events: each change once, behind a cursor, of one namespace or all, of every process on the store; on both stores."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterator

import pytest

from ai_memory import InvalidInputError
from ai_memory.clock import ManualClock
from ai_memory.operations.upkeep.events import Event, EventKind
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.handlers.upkeep import events as handler
from ai_memory.service.service import Service
from ai_memory.types import Actor, Job, JobStatus
from tests.support.store_samples import START, Reopen

pytest_plugins = ["tests.support.store_backends"]

SECOND = dt.timedelta(seconds=1)


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock) -> Iterator[Service]:
    with_runner = Service(reopen(), None, clock=clock)
    with_runner._runner.close()
    yield with_runner
    with_runner.close()


@pytest.fixture
def memory(service: Service) -> Methods:
    return Methods(Acting(service, Actor.PERSON))


def said(events: tuple[Event, ...]) -> list[tuple[str, str]]:
    return [(event.kind.value, event.state or event.action) for event in events]


def put(service: Service, name: str, state: JobStatus, at: dt.datetime, namespace: str | None = "default") -> None:
    service._parts.store.put_job(
        Job(id=name, kind="import", state=state, namespace=namespace, created_at=START, updated_at=at)
    )


def test_each_change_comes_once_behind_the_cursor(memory: Methods) -> None:
    memory.remember("before anybody followed")
    begun = memory.events()
    assert begun.events == ()
    first = memory.remember("Ada leads the search team", tags=["a"])
    memory.revise(str(first.memory_id), text="Bo leads the search team")
    other = memory.remember("lunch is at noon")
    memory.relate(str(first.memory_id), str(other.memory_id), type="CAUSES")
    proposed = memory.propose(str(first.memory_id), kind="update", other=str(other.memory_id))
    assert proposed.proposal is not None
    memory.decide(proposed.proposal.id, "reject")
    memory.feedback(str(other.memory_id), "useful")
    memory.retire(str(other.memory_id))
    memory.forget(str(first.memory_id))
    page = memory.events(cursor=begun.cursor)
    assert said(page.events) == [
        ("memory", "remembered"),
        ("memory", "revised"),
        ("memory", "remembered"),
        ("relation", "related"),
        ("proposal", "proposed"),
        ("proposal", "rejected"),
        ("feedback", "judged"),
        ("memory", "retired"),
        ("memory", "forgotten"),
    ]
    assert page.events[0].actor == Actor.PERSON
    assert page.events[0].id == first.memory_id
    assert page.events[5].id == proposed.proposal.id
    assert memory.events(cursor=page.cursor).events == ()
    walked, cursor = list[Event](), begun.cursor
    while found := memory.events(cursor=cursor, limit=2):
        walked += found.events
        cursor = found.cursor
        if not found.events:
            break
    assert tuple(walked) == page.events
    assert memory.events(cursor=page.events[3].cursor).events == page.events[4:]
    assert said(memory.events(last=2).events) == [("memory", "retired"), ("memory", "forgotten")]
    assert said(memory.events(cursor="start", limit=1).events) == [("memory", "remembered")]


def test_a_namespace_and_kinds_narrow_it_and_the_cursor_moves_on(memory: Methods) -> None:
    begun = memory.events(namespace="mine")
    for number in range(5):
        memory.remember(f"theirs {number}", namespace="theirs")
    assert memory.events(namespace="mine", cursor=begun.cursor).events == ()
    mine = memory.remember("mine", namespace="mine")
    page = memory.events(namespace="mine", cursor=begun.cursor)
    assert [event.id for event in page.events] == [mine.memory_id]
    assert [event.id for event in memory.events(namespace="mine", last=3).events] == [mine.memory_id]
    assert memory.events(cursor=begun.cursor, kinds=["relation"]).events == ()
    assert len(memory.events(cursor=begun.cursor, kinds=["relation", "memory"]).events) == 6


def test_a_job_has_an_event_whenever_it_changed(memory: Methods, service: Service, clock: ManualClock) -> None:
    put(service, "job_before", JobStatus.DONE, clock.now())
    cursor = memory.events().cursor
    put(service, "job_1", JobStatus.RUNNING, clock.now())
    put(service, "job_2", JobStatus.RUNNING, clock.now(), None)
    page = memory.events(cursor=cursor)
    assert [(event.id, event.action) for event in page.events] == [("job_1", "running"), ("job_2", "running")]
    assert page.events[0].job is not None
    assert memory.events(cursor=page.cursor).events == ()
    assert [event.id for event in memory.events(cursor=page.events[0].cursor).events] == ["job_2"]
    # Another process dates by its own clock, and is later with its commit than with its date.
    put(service, "job_1", JobStatus.DONE, clock.now() - 30 * SECOND)
    clock.advance(5 * SECOND)
    memory.remember("meanwhile")
    after = memory.events(cursor=page.cursor)
    assert said(after.events) == [("memory", "remembered"), ("job", "done")]
    assert memory.events(cursor=after.cursor).events == ()
    assert [event.id for event in memory.events(cursor=cursor, namespace="default", kinds=["job"]).events] == ["job_1"]


def test_one_who_waits_gets_what_another_process_writes(memory: Methods, reopen: Reopen, clock: ManualClock) -> None:
    other = Service(reopen(), None, clock=clock)
    cursor = memory.events().cursor
    written = threading.Timer(0.3, lambda: Methods(Acting(other, Actor.AGENT)).remember("from another process"))
    written.start()
    page = memory.events(cursor=cursor, wait=30)
    written.join()
    other.close()
    assert said(page.events) == [("memory", "remembered")]
    assert page.events[0].actor == Actor.AGENT


def test_nothing_comes_where_nothing_happens(memory: Methods) -> None:
    begun = memory.events()
    assert memory.events(cursor=begun.cursor, wait=0.3).events == ()


def test_a_wait_ends_with_the_service(memory: Methods, service: Service) -> None:
    ended = threading.Timer(0.3, service._closed.set)
    ended.start()
    assert memory.events(wait=30).events == ()
    service._closed.clear()


def test_following_goes_on_from_page_to_page(memory: Methods) -> None:
    cursor = memory.events().cursor
    memory.remember("one")
    following = memory.follow(cursor=cursor, kinds=[EventKind.MEMORY])
    assert next(following).action == "remembered"
    memory.remember("two")
    assert next(following).action == "remembered"


def test_what_changed_has_another_mark(memory: Methods, service: Service, clock: ManualClock) -> None:
    marks = [service.mark(), service.mark()]
    memory.remember("one")
    marks.append(service.mark())
    put(service, "job_1", JobStatus.RUNNING, clock.now())
    marks.append(service.mark())
    assert marks[0] == marks[1]
    assert len(set(marks)) == 3


@pytest.mark.parametrize(
    "cursor",
    ["x", "1", "1.x", "-1.0", "1.2.zzzzzzzz", "1.2.abc", "99999999999999999999.1", "1.9999999999999999999", "١.1"],
)
def test_a_damaged_cursor_is_refused(memory: Methods, cursor: str) -> None:
    with pytest.raises(InvalidInputError, match="cursor"):
        memory.events(cursor=cursor)


def test_a_cursor_stays_short(memory: Methods, service: Service, clock: ManualClock) -> None:
    cursor = memory.events().cursor
    for number in range(handler.MOST_SEEN + 20):
        put(service, f"job_{number}", JobStatus.RUNNING, clock.now())
    page = memory.events(cursor=cursor)
    assert len(page.events) == handler.MOST_SEEN + 20
    assert len(page.cursor) < 1_000
    assert len(memory.events(cursor=page.cursor).events) == 20, "more than a cursor remembers come twice"
