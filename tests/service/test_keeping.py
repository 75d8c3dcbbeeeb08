"""Checks, backups and models as jobs: what they do, who sees them, how they are cancelled; no path is chosen from outside."""

from __future__ import annotations

import io
import sqlite3
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ai_memory import ConflictError, Memory, NotFoundError, ServiceUnavailableError
from ai_memory.clock import ManualClock, SystemClock
from ai_memory.operations.watching import JobView
from ai_memory.python.methods import Methods
from ai_memory.service.acting import Acting
from ai_memory.service.background.tasks import LEASE, Steps, Tasks
from ai_memory.service.service import Service
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.types import Actor, JobStatus
from tests.support.rest_server import ask, serving
from tests.support.store_samples import START


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path / "data", model="none") as opened:
        yield opened


def ended(memory: Methods, job: JobView) -> JobView:
    begun = time.monotonic()
    while (found := memory.jobs(ids=[job.id]).jobs[0]).state == JobStatus.RUNNING:
        assert time.monotonic() - begun < 60
        time.sleep(0.05)
    return found


def test_a_check_is_a_job_and_its_findings_stay(memory: Memory) -> None:
    assert memory.findings().state is None
    memory.remember("Ada leads the search team")
    job = memory.check().job
    assert (job.kind, job.state) == ("check", JobStatus.RUNNING)
    assert ended(memory, job).state == JobStatus.DONE
    found = memory.findings()
    assert (found.state, found.problems) == (JobStatus.DONE, ())
    assert found.at is not None


def test_a_check_finds_what_another_program_changed(memory: Memory, tmp_path: Path) -> None:
    memory.remember("Ada leads the search team")
    ended(memory, memory.check().job)
    with closing(sqlite3.connect(tmp_path / "data" / "memory.db")) as other:
        other.execute("UPDATE log SET action = 'revised'")
        other.commit()
    assert ended(memory, memory.check().job).state == JobStatus.DONE
    assert memory.findings().problems != ()


def test_a_backup_is_made_checked_and_deleted(memory: Memory, tmp_path: Path) -> None:
    memory.remember("Ada leads the search team")
    forgotten = memory.remember("a secret")
    memory.forget(str(forgotten.memory_id))
    assert ended(memory, memory.make_backup().job).state == JobStatus.DONE
    (made,) = memory.backups().backups
    assert made.bytes > 0
    assert made.verified is None
    assert ended(memory, memory.verify_backup(made.name).job).about == made.name
    (checked,) = memory.backups().backups
    assert (checked.verified, checked.problems) == (JobStatus.DONE, ())
    with open_sqlite_store(tmp_path / "data" / "backups" / made.name, clock=SystemClock(), read_only=True) as copy:
        assert copy.stats().memories == 1
        assert copy.tombstoned("default", ["a secret"]) == [True]
    ended(memory, memory.make_backup().job)
    assert len(memory.backups().backups) == 2
    assert [each.name for each in memory.delete_backup(made.name).backups] != [made.name]
    assert not list((tmp_path / "data" / "backups").glob(made.name + "*"))


def test_a_damaged_backup_is_found(memory: Memory, tmp_path: Path) -> None:
    memory.remember("Ada leads the search team")
    ended(memory, memory.make_backup().job)
    (made,) = memory.backups().backups
    with closing(sqlite3.connect(tmp_path / "data" / "backups" / made.name)) as other:
        other.execute("DELETE FROM revisions")
        other.commit()
    ended(memory, memory.verify_backup(made.name).job)
    assert memory.backups().backups[0].problems != ()


@pytest.mark.parametrize(
    "name", ["../memory.db", "memory.db", "/etc/passwd", "memory-20260101-000000.db/../x", "x" * 64]
)
def test_no_caller_says_where_on_the_disk(memory: Memory, name: str) -> None:
    with pytest.raises(NotFoundError):
        memory.verify_backup(name)
    with pytest.raises(NotFoundError):
        memory.delete_backup(name)


def test_models_are_listed_and_no_unknown_one_is_fetched(memory: Memory) -> None:
    found = memory.models().models
    assert len(found) > 1
    assert not any(model.active for model in found)
    with pytest.raises(NotFoundError, match="no model"):
        memory.fetch_model("https://example.com/x")


def test_offline_nothing_is_fetched(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none", offline=True) as memory:
        failed = ended(memory, memory.fetch_model("minilm").job)
    assert failed.state == JobStatus.FAILED
    assert "offline" in str(failed.message)


def test_a_service_over_a_store_alone_says_so(tmp_path: Path) -> None:
    service = Service(open_sqlite_store(tmp_path / "store.db", clock=SystemClock()), None)
    memory = Methods(Acting(service, Actor.PERSON))
    with pytest.raises(ServiceUnavailableError, match="data folder"):
        memory.backups()
    assert ended(memory, memory.check().job).state == JobStatus.DONE
    service.close()


@pytest.fixture
def tasks(tmp_path: Path) -> Iterator[Callable[[ManualClock], Tasks]]:
    made: list[Tasks] = []

    def another(clock: ManualClock) -> Tasks:
        made.append(Tasks(open_sqlite_store(tmp_path / "store.db", clock=clock), clock))
        return made[-1]

    yield another
    for each in made:
        each.close()
        each._store.close()


def test_it_is_done_once_for_all_who_ask_and_again_after_a_kill(tasks: Callable[[ManualClock], Tasks]) -> None:
    clock, free = ManualClock(START), threading.Event()
    one, other = tasks(clock), tasks(clock)
    job = one.begin("check", "", lambda _: free.wait(30))
    assert other.begin("check", "", lambda _: pytest.fail("it was done twice")).id == job.id
    with pytest.raises(ConflictError, match="under way"):
        one.begin("backup", "", lambda _: None)
    clock.advance(2 * LEASE)  # as if the process of the first one had been killed
    begun = threading.Event()
    other.begin("check", "", lambda _: begun.set())
    assert begun.wait(30)
    free.set()


def test_a_cancelled_task_ends_at_its_next_step(memory: Memory) -> None:
    ran = threading.Event()

    def work(steps: Steps) -> None:
        while True:
            steps.at("on and on")
            ran.set()
            time.sleep(0.01)

    tasks = memory._service._parts.tasks
    job = tasks.begin("check", "", work)
    assert ran.wait(30)
    assert memory.steer_job(job.id, "cancel").jobs[0].state == JobStatus.CANCELLED
    thread = tasks._thread
    assert thread is not None
    thread.join(30)
    assert not thread.is_alive()
    assert memory.findings().state == JobStatus.CANCELLED
    with pytest.raises(ConflictError, match="does not apply"):
        memory.steer_job(job.id, "pause")


def test_a_backup_is_downloaded_by_who_may_see_all(tmp_path: Path) -> None:
    keys = {"*": ["key-of-all"], "one": ["key-of-one"]}
    one, every = ({"Authorization": f"Bearer {key}"} for key in ("key-of-one", "key-of-all"))
    with serving(tmp_path, model="none", api_keys=keys) as served:
        ask(served, "POST", "/v1/memories", {"text": "Ada leads the search team"}, every)
        methods = Methods(Acting(served.service, Actor.PERSON))
        ended(methods, methods.make_backup().job)
        (made,) = ask(served, "GET", "/v1/backups", headers=every).json["backups"]
        target = f"/v1/backups/{made['name']}/file"
        for headers, status in (({}, 401), (one, 403)):
            assert ask(served, "GET", target, headers=headers).status == status
            assert ask(served, "POST", "/v1/check", {}, headers).status == status
        assert ask(served, "GET", "/v1/backups/..%2Fmemory.db/file", headers=every).status == 404
        got = ask(served, "GET", target, headers=every)
        assert (got.status, got.headers["content-type"]) == (200, "application/zip")
    with zipfile.ZipFile(io.BytesIO(got.body)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [made["name"], made["name"] + ".key"]
        archive.extractall(tmp_path / "restored")
    with open_sqlite_store(tmp_path / "restored" / made["name"], clock=SystemClock(), read_only=True) as copy:
        assert copy.stats().memories == 1
