"""The runner of background decisions: jobs that are seen and steered, the brake, limits, leases; on both stores."""

from __future__ import annotations

import dataclasses
import datetime as dt
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory import ConflictError, InvalidInputError, Memory, NotFoundError
from ai_memory.clock import ManualClock
from ai_memory.errors import StoreFullError
from ai_memory.inbox import ProposalState
from ai_memory.operations.watching import JobView
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.handlers.ageing import runner
from ai_memory.service.handlers.ageing.kinds import ERASING, LAPSING
from ai_memory.service.handlers.ageing.runner import LEASE, Runner, changed, job_of
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.base import Action
from ai_memory.truth.ageing import Background
from ai_memory.types import Actor, Job, JobStatus
from tests.support.store_samples import DAY, Reopen

pytest_plugins = ["tests.support.store_backends"]

LIMITS = Background(erase_after=DAY, lapse_after=30 * DAY, share=0.1, per_hour=60)
MINUTE = dt.timedelta(minutes=1)


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


def opened(reopen: Reopen, clock: ManualClock, **limits: Any) -> Service:
    made = Service(reopen(), None, clock=clock, background=msgspec.structs.replace(LIMITS, **limits))
    made._runner.close()  # the tests call one themselves
    return made


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock) -> Iterator[Service]:
    made = opened(reopen, clock)
    yield made
    made.close()


def methods(service: Service, actor: Actor = Actor.PERSON) -> Methods:
    return Methods(Acting(service, actor))


def run(service: Service) -> None:
    Runner().once(service._parts)


def only(memory: Methods, kind: str = "erase_expired") -> JobView:
    (found,) = memory.jobs(kinds=kind).jobs
    return found


def filled(memory: Methods, lapsing: int, lasting: int = 0) -> None:
    drafts = [{"text": f"note {number} lapses", "ttl": "1d"} for number in range(lapsing)]
    memory.remember_many([*drafts, *({"text": f"note {number} lasts"} for number in range(lasting))])


def erased(service: Service) -> int:
    return sum(each.action is Action.FORGOTTEN for each in service._parts.store.log())


def test_a_job_is_made_when_there_is_work_and_says_what_it_did(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 5, 5)
    run(service)
    assert memory.jobs().jobs == (), "nothing has been due yet"
    clock.advance(3 * DAY)
    run(service)
    job = only(memory)
    assert (job.state, job.namespace, job.due, job.done, job.total) == ("waiting", "default", 0, 5, 5)
    assert job.ran_at is not None
    assert clock.now() - job.ran_at < MINUTE
    assert service._parts.store.jobs() != []
    filled(memory, 2)
    clock.advance(3 * DAY)
    run(service)
    assert (only(memory).total, only(memory).done) == (7, 2)
    assert service.doctor() == ()


def test_what_the_brake_stops_a_person_allows_once(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 30, 40)
    clock.advance(3 * DAY)
    run(service)
    before = only(memory)
    assert (before.state, before.due, before.total) == ("held", 30, 0)
    assert "30 of 70 memories of default" in str(before.message)
    assert f'steer_job("{before.id}", "allow")' in str(before.mend)
    kept = service._parts.store.jobs()
    clock.advance(MINUTE)
    run(service)
    assert service._parts.store.jobs() == kept, "nothing is written while it waits"
    (steered,) = memory.steer_job(before.id, "allow").jobs
    assert (steered.state, steered.steered_by) == ("waiting", Actor.PERSON)
    run(service)
    assert (only(memory).state, only(memory).total, erased(service)) == ("waiting", 30, 30)
    filled(memory, 30)
    clock.advance(3 * DAY)
    run(service)
    assert only(memory).state == "held", "it was allowed once"
    assert erased(service) == 30


def test_allowing_is_for_what_was_seen_and_no_more(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 30, 40)
    clock.advance(3 * DAY)
    run(service)
    memory.steer_job(only(memory).id, "allow")
    memory.remember_many([{"text": f"later {number} lapses", "ttl": "1d"} for number in range(25)])
    clock.advance(3 * DAY)
    run(service)
    assert erased(service) == 30
    run(service)
    assert (only(memory).state, erased(service)) == ("held", 30)


def test_paused_cancelled_and_resumed(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 3, 3)
    clock.advance(3 * DAY)
    run(service)
    job = only(memory).id
    for action, state in (("pause", "paused"), ("cancel", "cancelled")):
        (steered,) = memory.steer_job(job, action).jobs  # type: ignore[arg-type]
        assert (steered.state, steered.steered_by) == (state, Actor.PERSON)
        assert memory.steer_job(job, action).jobs == (steered,), "the same again changes nothing"  # type: ignore[arg-type]
        filled(memory, 3)
        clock.advance(3 * DAY)
        run(service)
        assert erased(service) == 3 if action == "pause" else 6
        memory.steer_job(job, "resume")
        run(service)
    assert erased(service) == 9
    with pytest.raises(ConflictError, match="allow does not apply"):
        memory.steer_job(job, "allow")
    with pytest.raises(NotFoundError, match="job_nothing"):
        memory.steer_job("job_nothing", "pause")


def test_the_switch_stops_all_of_every_process(service: Service, reopen: Reopen, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 3, 3)
    clock.advance(3 * DAY)
    paused = methods(service, Actor.AGENT).steer_job("all", "pause")
    assert (paused.paused, paused.paused_by, paused.jobs) == (True, Actor.AGENT, ())
    other = opened(reopen, clock)
    run(service)
    run(other)
    assert erased(service) == 0
    assert [part.message for part in memory.health().parts if part.name == "jobs"] == [
        "all background decisions are paused"
    ]
    assert not methods(other).steer_job("all", "resume").paused
    run(other)
    assert erased(service) == 3
    other.close()
    with pytest.raises(InvalidInputError, match="single job"):
        memory.steer_job("all", "allow")


def test_switched_off_by_the_setting(service: Service, reopen: Reopen, clock: ManualClock) -> None:
    filled(methods(service), 3, 3)
    clock.advance(3 * DAY)
    off = opened(reopen, clock, is_on=False)
    run(off)
    assert erased(service) == 0
    assert methods(off).jobs().paused
    off.close()


def test_no_more_than_the_limit_in_an_hour(reopen: Reopen, clock: ManualClock, service: Service) -> None:
    slow = opened(reopen, clock, share=1.0, per_hour=4)
    memory = methods(slow)
    filled(memory, 10, 2)
    clock.advance(3 * DAY)
    for hour, done in enumerate((4, 4, 8, 8, 10)):
        run(slow)
        assert erased(slow) == done, hour
        if hour == 0:
            assert "4 in an hour is the limit" in str(only(memory).message)
            assert (only(memory).state, only(memory).due) == ("waiting", 6)
        clock.advance(dt.timedelta(minutes=31))
    slow.close()


def test_nobody_takes_a_job_that_another_process_has(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 3, 3)
    clock.advance(3 * DAY)
    store = service._parts.store
    run(service)
    filled(memory, 3)
    clock.advance(3 * DAY)
    free = job_of(store, ERASING.name, "default")
    assert free is not None
    theirs = changed(free, clock.now(), JobStatus.RUNNING, owner="another process", until=clock.now() + LEASE)
    assert store.swap_job(theirs, free)
    run(service)
    assert erased(service) == 3, "it has the job"
    clock.advance(LEASE)
    run(service)
    assert erased(service) == 6, "it was killed: its lease has ended"
    assert only(memory).state == "waiting"


def test_who_loses_a_job_stops_after_the_batch(
    service: Service, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = methods(service)
    filled(memory, 9, 2)
    clock.advance(3 * DAY)
    monkeypatch.setattr(runner, "BATCH", 2)

    def paused_meanwhile(parts: Any, namespace: str, due: Any) -> int:
        done = ERASING.carry_out(parts, namespace, due)
        if erased(service) == 4:
            memory.steer_job(runner.job_id(ERASING.name, namespace), "pause")
        return done

    job = Runner().run(service._parts, dataclasses.replace(ERASING, carry_out=paused_meanwhile), "default")
    assert job is not None
    assert (job.state, erased(service)) == ("paused", 4)


def test_a_run_that_fails_says_so_and_is_tried_again(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 3, 2)
    clock.advance(3 * DAY)

    def full(*_: Any) -> int:
        raise StoreFullError("the device is full")

    with pytest.raises(StoreFullError):
        Runner().run(service._parts, dataclasses.replace(ERASING, carry_out=full), "default")
    assert (only(memory).state, only(memory).message) == ("failed", "the device is full")
    run(service)
    assert (only(memory).state, only(memory).message, erased(service)) == ("waiting", None, 3)


def test_proposals_that_nobody_decides_are_laid_aside_and_opened_again(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    old, new = (str(memory.remember(text).memory_id) for text in ("The team meets on Mondays", "Lunch is at noon"))
    made = memory.propose(old, "update", new).proposal
    clock.advance(29 * DAY)
    run(service)
    assert memory.proposals().total == 1
    clock.advance(2 * DAY)
    before = memory.recall("When does the team meet?", now=clock.now()).answer_hash
    run(service)
    assert memory.proposals().total == 0
    (lapsed,) = memory.proposals(states="lapsed").proposals
    assert (lapsed.proposal.state, lapsed.proposal.decided_by) == (ProposalState.LAPSED, Actor.POLICY)
    assert memory.recall("When does the team meet?", now=clock.now()).answer_hash == before
    assert memory.propose(old, "update", new).proposal.id == made.id, "it is not made again by itself"
    assert memory.proposals().total == 0
    memory.decide(made.id, "undo")
    assert [each.proposal.id for each in memory.proposals().proposals] == [made.id]
    run(service)
    assert memory.proposals().total == 1, "it waits as long again"
    clock.advance(31 * DAY)
    run(service)
    assert memory.decide(made.id, "accept").proposal.state is ProposalState.ACCEPTED


def test_the_brake_is_for_proposals_too(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    ids = [
        str(each.memory_id)
        for each in memory.remember_many([{"text": f"fact {number} of {number * 7}"} for number in range(60)]).receipts
    ]
    for first, second in zip(ids[::2], ids[1::2], strict=True):
        memory.propose(first, "copy", second)
    clock.advance(31 * DAY)
    run(service)
    job = only(memory, LAPSING.name)
    assert (job.state, job.due) == ("held", 30)
    assert "proposals" in memory.health().degraded
    assert [each.check for each in memory.stats().problems if "waits" in each.check] == ["proposals_waits"]
    memory.steer_job(job.id, "allow")
    run(service)
    assert memory.proposals(states="lapsed", limit=1000).total == 30
    assert "proposals" not in memory.health().degraded


def test_two_runners_at_once_do_everything_once(service: Service, reopen: Reopen, clock: ManualClock) -> None:
    memory = methods(service)
    for number in range(40):
        memory.remember(f"note {number}", ttl="1d", namespace=f"n{number % 4}")
    clock.advance(3 * DAY)
    other = opened(reopen, clock)
    both = [threading.Thread(target=run, args=(each,)) for each in (service, other)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    run(service)
    entries = [each.memory_id for each in service._parts.store.log() if each.action is Action.FORGOTTEN]
    assert len(entries) == len(set(entries)) == 40
    assert sum(each.total or 0 for each in memory.jobs().jobs) == 40
    other.close()


def test_jobs_of_other_kinds_are_shown_and_not_steered(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    job = Job(
        id="job_of_an_import", kind="import", state=JobStatus.RUNNING, created_at=clock.now(), updated_at=clock.now()
    )
    service._parts.store.put_job(job)
    (shown,) = memory.jobs().jobs
    assert (shown.kind, shown.due, shown.state) == ("import", None, "running")
    with pytest.raises(ConflictError, match="not steered here"):
        memory.steer_job(job.id, "pause")


def test_listing_by_namespace_state_and_id(service: Service, clock: ManualClock) -> None:
    memory = methods(service)
    filled(memory, 30, 3)
    memory.remember("elsewhere", namespace="other", ttl="1d")
    clock.advance(3 * DAY)
    run(service)
    assert memory.jobs().total == 2
    assert [each.namespace for each in memory.jobs(states="held").jobs] == ["default"]
    assert [each.namespace for each in memory.jobs(namespace="other").jobs] == ["other"]
    assert memory.jobs(ids=["job_nothing"]).total == 0
    assert (len(memory.jobs(limit=1).jobs), memory.jobs(limit=1).total) == (1, 2)


def test_a_running_service_is_woken_by_what_a_person_allows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "FIRST_SECONDS", 0.05)
    settings = Settings(data_dir=tmp_path, model="none", erase_expired_after="0.01s", brake_share=0.0)
    with Memory(settings=settings, actor="person") as memory:
        memory.remember_many([{"text": f"note {number}", "ttl": 0.01} for number in range(30)])
        waited = threading.Event()
        for _ in range(600):
            memory._service._parts.woken.set()
            if memory.jobs(states="held").jobs:
                break
            waited.wait(0.02)
        memory.steer_job(only(memory).id, "allow")
        for _ in range(600):
            if memory.stats().memories == 0:
                break
            waited.wait(0.02)
        assert memory.stats().memories == 0
