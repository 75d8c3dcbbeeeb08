"""What has expired is erased where the settings say so, by the ordinary way, behind a brake; on both stores."""

from __future__ import annotations

import dataclasses
import datetime as dt
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ai_memory import Memory, NotFoundError, Outcome
from ai_memory.clock import ManualClock
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.handlers.ageing import runner
from ai_memory.service.handlers.ageing.kinds import ERASING
from ai_memory.service.handlers.ageing.runner import Held, Runner, held_jobs
from ai_memory.service.parts import Parts
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.base import Action
from ai_memory.truth.ageing import Background, is_too_much
from ai_memory.types import Actor
from tests.support.disk import files_with
from tests.support.secret_words import secret
from tests.support.serving import environment
from tests.support.store_samples import DAY, Reopen

pytest_plugins = ["tests.support.store_backends"]

POLICY = Background(erase_after=10 * DAY, share=0.1)
TEXT = secret(9)


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    monkeypatch.setattr(runner, "FIRST_SECONDS", 3600.0)  # the tests call it themselves
    made = Service(reopen(), None, clock=clock, background=POLICY)
    yield made
    made.close()


def methods(service: Service) -> Methods:
    return Methods(Acting(service, Actor.PERSON))


def erase_due(parts: Parts, namespace: str) -> Held | None:
    """A run of the job that erases what has expired; what waits for a person then."""
    Runner().run(parts, ERASING, namespace)
    return next((each for each in held_jobs(parts) if each.namespace == namespace), None)


def filled(memory: Methods, lapsing: int, lasting: int = 0) -> list[str]:
    drafts = [{"text": f"{TEXT} lapses {number}", "ttl": "1d"} for number in range(lapsing)]
    lasts = [{"text": f"lasts {number}"} for number in range(lasting)]
    receipts = memory.remember_many([*drafts, *lasts]).receipts
    return [str(each.memory_id) for each in receipts[:lapsing]]


def test_it_is_erased_once_the_time_is_over_and_not_before(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    (gone,) = filled(memory, 1, 5)
    clock.advance(10 * DAY)
    assert erase_due(service._parts, "default") is None
    assert memory.get(gone).text
    clock.advance(2 * DAY)
    assert erase_due(service._parts, "default") is None
    with pytest.raises(NotFoundError):
        memory.get(gone)
    (entry,) = [each for each in service._parts.store.log() if each.action is Action.FORGOTTEN]
    assert (entry.memory_id, entry.actor) == (gone, Actor.POLICY)
    assert memory.changes(since="1h").counts == {"forgotten": 1}
    assert service.doctor() == ()


def test_what_was_erased_by_itself_may_be_said_again(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 1)
    clock.advance(20 * DAY)
    erase_due(service._parts, "default")
    assert memory.stats().tombstones == 0
    assert memory.remember(f"{TEXT} lapses 0").outcome is Outcome.STORED


def test_pinned_changed_and_retired_memories(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    pinned = str(memory.remember("pinned", pinned=True, ttl="1d").memory_id)
    extended = str(memory.remember("extended", ttl="1d").memory_id)
    retired = str(memory.remember("retired", ttl="1d").memory_id)
    memory.retire(retired)
    clock.advance(20 * DAY)
    memory.revise(extended, ttl="100d")
    erase_due(service._parts, "default")
    assert {each.id for each in memory.list(include_expired=True, retired=True).memories} == {pinned, extended}


def test_what_is_changed_in_between_stays(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    kept, gone = filled(memory, 2)
    clock.advance(20 * DAY)
    due = ERASING.due(service._parts, "default")
    memory.revise(kept, ttl="5d")
    seen_before = dataclasses.replace(ERASING, due=lambda *_: due)
    Runner().run(service._parts, seen_before, "default")
    assert memory.get(kept).expires_at is not None
    with pytest.raises(NotFoundError):
        memory.get(gone)


@pytest.mark.parametrize(
    ("due", "total", "share", "stops"),
    [(0, 0, 0.1, False), (20, 20, 0.1, False), (21, 209, 0.1, True), (21, 210, 0.1, False), (21, 21, 1.0, False),
     (21, 10_000, 0.0, True), (20, 10_000, 0.0, False)],
)  # fmt: skip
def test_the_brake(due: int, total: int, share: float, stops: bool) -> None:
    assert is_too_much(due, total, share) is stops


def test_more_than_a_share_waits_for_a_person_and_says_so(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    gone = filled(memory, 30, 100)
    clock.advance(20 * DAY)
    for _ in range(2):
        held = erase_due(service._parts, "default")
        assert held is not None
        assert held.due == 30
        assert "30 of 130 memories of default" in held.message
    health = memory.health()
    assert "erasure" in health.degraded
    assert health.ready
    for problems in (memory.stats().problems, service.doctor()):
        (found,) = [each for each in problems if each.check == "erasure_waits"]
        assert found.count == 30
        assert "forget-many --namespace default --expires-before" in str(found.mend)
    assert memory.get(gone[0]).text
    assert POLICY.erase_after is not None
    limit = clock.now() - POLICY.erase_after
    decided = memory.forget_many(expires_before=limit, pinned=False, dry_run=False, allow_share=1.0)
    assert (decided.forgotten, decided.states) == (30, {"expired": 30})
    assert erase_due(service._parts, "default") is None
    assert "erasure" not in memory.health().degraded


def test_many_small_runs_are_no_way_around_the_brake(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    for number in range(3):
        hours = 24 + 8 * number
        memory.remember_many([{"text": f"batch {number} note {each}", "ttl": f"{hours}h"} for each in range(9)])
    memory.remember_many([{"text": f"lasts {number}"} for number in range(80)])
    clock.advance(11 * DAY)
    ran = []
    for _ in range(3):
        clock.advance(dt.timedelta(minutes=1))
        held = erase_due(service._parts, "default")
        ran.append(None if held is None else held.message)
        clock.advance(dt.timedelta(hours=8))
    assert ran[:2] == [None, None]
    assert "after 18 in the last day" in str(ran[2])
    clock.advance(DAY)
    assert erase_due(service._parts, "default") is None, "nine in a day are few"
    assert len(memory.list(include_expired=True, limit=1000).memories) == 80


def test_a_namespace_is_judged_by_itself(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 30)
    memory.remember("other", namespace="other", ttl="1d")
    clock.advance(20 * DAY)
    Runner().once(service._parts)
    assert memory.list(namespace="other", include_expired=True).memories == ()
    assert len(memory.list(include_expired=True).memories) == 30


def test_two_services_at_once_erase_each_memory_once(service: Service, reopen: Reopen, clock: ManualClock) -> None:
    memory = methods(service)
    gone = filled(memory, 15, 5)
    clock.advance(20 * DAY)
    other = Service(reopen(), None, clock=clock, background=POLICY)
    both = [threading.Thread(target=erase_due, args=(each._parts, "default")) for each in (service, other)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    entries = [each.memory_id for each in service._parts.store.log() if each.action is Action.FORGOTTEN]
    assert sorted(map(str, entries)) == sorted(gone)
    assert methods(other).stats().memories == 5
    other.close()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


def test_the_upkeep_of_a_running_service_does_it_and_nothing_stays_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "FIRST_SECONDS", 0.05)
    monkeypatch.setattr(runner, "EVERY_SECONDS", 0.1)
    with Memory(settings=Settings(data_dir=tmp_path, model="none", erase_expired_after="0.2s")) as memory:
        memory.remember("lasts")
        gone = str(memory.remember(f"the {TEXT}", ttl=0.2).memory_id)
        assert files_with(tmp_path, [TEXT]) != []
        _until(lambda: memory.stats().memories == 1)
        with pytest.raises(NotFoundError):
            memory.get(gone)
        _until(lambda: files_with(tmp_path, [TEXT]) == [])


def test_a_read_only_store_and_one_without_a_policy_erase_nothing(tmp_path: Path) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as memory:
        memory.remember("a note", ttl=0.01)
        time.sleep(0.1)
        assert memory._service._parts.background.erase_after is None
        Runner().once(memory._service._parts)
        assert len(memory.list(include_expired=True).memories) == 1


CHILD = """
import sys, time
from ai_memory import Memory
from ai_memory.service.handlers.ageing import runner
from ai_memory.service.handlers.erasing import forgetting
from ai_memory.settings import Settings
runner.FIRST_SECONDS = runner.EVERY_SECONDS = 0.01
forgetting.PAGE = runner.BATCH = 1
with Memory(settings=Settings(data_dir=sys.argv[1], model="none", erase_expired_after="0.01s", brake_share=1.0)) as memory:
    print("ready", flush=True)
    time.sleep(60)
"""


@pytest.mark.parametrize("delay", [0.0, 0.05, 0.15, 0.4])
def test_killed_at_any_moment_no_memory_is_half_erased(tmp_path: Path, delay: float) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as memory:
        memory.remember_many([{"text": f"{TEXT} {number} lapses", "ttl": 0.01} for number in range(40)])
        memory.remember("lasts")
    time.sleep(0.1)
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, env=environment(tmp_path)
    )
    assert child.stdout is not None
    assert child.stdout.readline() == b"ready\n"
    time.sleep(delay)
    child.kill()
    child.wait()
    child.stdout.close()
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as memory:
        left = memory.list(include_expired=True, limit=100).memories
        assert memory.stats().revisions == len(left), "each is whole or gone"
        erased = [each.memory_id for each in memory._service._parts.store.log() if each.action is Action.FORGOTTEN]
        assert len(set(erased)) == len(erased) == 41 - len(left)
        assert {each.id for each in left}.isdisjoint(map(str, erased))
        assert [each for each in memory._service.doctor() if each.check != "wipe_pending"] == []
