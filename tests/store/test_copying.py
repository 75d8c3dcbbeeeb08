"""Copying a whole store from one backend to the other and back, and what a half-filled one does."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from itertools import count
from pathlib import Path

import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import ConflictError, StoreError
from ai_memory.inbox import ProposalKind, Propose, Verdict
from ai_memory.store.base import Once, Store, VectorRow
from ai_memory.store.copying import OnPage, Part, copy_store, export_digest
from ai_memory.store.neo4j.store import Neo4jStore
from ai_memory.store.sqlite.store import SqliteStore, open_sqlite_store
from ai_memory.types import Job
from neo4j_server import LINES, Server
from tests.support import neo4j_backend
from tests.support.inbox_samples import decide, judge, proposal
from tests.support.store_samples import (
    START,
    entity,
    forget,
    identity,
    kept,
    one,
    relate,
    related,
    remember,
    retire,
    revise,
    unit,
    unrelate,
)

CUTS = 10
KILLS = 10
ROWS = 5
"""Rows of a page where a migration is killed."""


class Cut(Exception):  # noqa: N818 - an event, not an error
    """The copying process ends here."""


def _cut_after(pages: int) -> OnPage:
    """Ends the copy after some pages; 0 never does."""
    seen = count(1)

    def told(*_: object) -> None:
        if next(seen) == pages:
            raise Cut

    return told


_ONCE = Once(namespace="default", key=b"key", request=b"request")


def _furnish(store: Store) -> None:
    """One of everything that a store holds."""
    generation = store.create_generation(identity(), activate=True)
    records = [kept(store, f"memory {number} — слово 🏃", tags=("a", "b"), session="s") for number in range(40)]
    one(store, revise(records[0], "revised", title="T", reason="better"))
    one(store, retire(records[1], reason="wrong"))
    one(store, remember("newer", namespace="default", supersedes=(records[2].id,)))
    thing = entity("Atlas", aliases=("The Atlas", "A"))
    related(store, relate(records[3].id, thing.id, "MENTIONS", new_entities=[thing], attributes={"n": [1, None]}))
    one(store, unrelate(related(store, relate(records[3].id, records[4].id, evidence=records[5].id, weight=0.25))))
    one(store, forget(records[6], reason="asked"))
    kept(store, "elsewhere", namespace="other")
    for kind, (old, new), decision in (
        (ProposalKind.UPDATE, records[7:9], "accepted"),
        (ProposalKind.COPY, records[9:11], "rejected"),
        (ProposalKind.UPDATE, records[11:13], "undone"),
    ):
        one(store, Propose(proposal=proposal(old, new, kind)))
        about = store.proposals("default")[0]
        for each in ("accepted", "undone") if decision == "undone" else (decision,):
            decide(store, about, each)
    judge(store, records[13], Verdict.WRONG, "no")
    for revision in store.pending(generation.id, limit=10):
        rows = [VectorRow(key=revision.key, passage=p, vector=unit(1, p, revision.key, 0)) for p in (0, 1)]
        store.put_vectors(generation.id, rows, [revision.key])
    store.put_job(Job(id="job_1", kind="import", created_at=START, updated_at=START, progress={"lines": 3}))
    store.write_idempotent(_ONCE, [remember("by key")], lambda results: b"answer")


@pytest.fixture(params=LINES)
def server(request: pytest.FixtureRequest) -> Server:
    found = neo4j_backend.server(request.param)
    neo4j_backend.clean(found)
    return found


def _sqlite(path: Path, clock: ManualClock) -> SqliteStore:
    return open_sqlite_store(path, clock=clock, half_filled=True)


def _same(one_store: Store, other: Store) -> None:
    assert export_digest(one_store) == export_digest(other)
    assert [entry.digest for entry in one_store.log()] == [entry.digest for entry in other.log()]
    assert one_store.store_id == other.store_id
    assert one_store.stats() == other.stats()
    assert one_store.jobs() == other.jobs()
    assert one_store.proposals("default") == other.proposals("default") != []
    assert one_store.feedback("default") == other.feedback("default") != []
    assert one_store.live_revisions() == other.live_revisions()
    for mine, its in zip(one_store.generations(), other.generations(), strict=True):
        assert mine == its
        assert one_store.pending(mine.id, limit=1000) == other.pending(its.id, limit=1000)
        vectors, others = one_store.vector_rows(mine.id)[0], other.vector_rows(its.id)[0]
        assert [(v.key, v.passage, v.vector.tobytes()) for v in vectors] == [
            (v.key, v.passage, v.vector.tobytes()) for v in others
        ]
    texts = ["memory 6 — слово 🏃", "unknown"]
    assert one_store.tombstoned("default", texts) == other.tombstoned("default", texts) == [True, False]
    assert one_store.tombstones() == other.tombstones() != []


def test_there_and_back_gives_the_same_store(server: Server, tmp_path: Path) -> None:
    clock = ManualClock(START)
    with _sqlite(tmp_path / "first.db", clock) as first:
        _furnish(first)
        with neo4j_backend.open_on(server, clock, half_filled=True) as middle:
            counts = copy_store(first, middle)
            assert counts[Part.REVISIONS] == first.stats().revisions
        with neo4j_backend.open_on(server, clock) as middle:
            _same(first, middle)
            assert middle.check() == []
            with _sqlite(tmp_path / "last.db", clock) as last:
                copy_store(middle, last)
        with open_sqlite_store(tmp_path / "last.db", clock=clock) as last:
            _same(first, last)
            assert last.check() == []
            for store in (first, last):
                assert store.write_idempotent(_ONCE, [], lambda _: b"other") == b"answer"


def test_a_copy_goes_on_writing_where_the_source_ended(server: Server, tmp_path: Path) -> None:
    clock = ManualClock(START)
    with _sqlite(tmp_path / "first.db", clock) as first:
        _furnish(first)
        with neo4j_backend.open_on(server, clock, half_filled=True) as middle:
            copy_store(first, middle)
        with neo4j_backend.open_on(server, clock) as middle:
            commands = [remember("after"), remember("and after", supersedes=())]
            for store in (first, middle):
                store.write(commands)
            assert export_digest(first) == export_digest(middle)
            logs = [[(each.sequence, each.action, each.memory_id) for each in store.log()] for store in (first, middle)]
            assert logs[0] == logs[1]
            # The digests go different ways from here: each store commits to a content with a salt of its own.
            assert [each.digest for each in first.log()[:-2]] == [each.digest for each in middle.log()[:-2]]
            thing = relate("ent_new", kept(middle, "x").id, new_entities=[entity("New")])
            assert one(middle, thing) is not None
            assert middle.check() == []


@pytest.mark.parametrize("towards", ["neo4j", "sqlite"])
def test_a_copy_that_is_cut_off_anywhere_goes_on(
    server: Server, tmp_path: Path, towards: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai_memory.store.copying.ROWS_AT_ONCE", 7)
    clock, chance = ManualClock(START), random.Random(20260101)
    with _sqlite(tmp_path / "first.db", clock) as furnished:
        _furnish(furnished)
        first: SqliteStore | Neo4jStore = furnished
        if towards == "sqlite":
            with neo4j_backend.open_on(server, clock, half_filled=True) as filled:
                copy_store(furnished, filled)
            first = neo4j_backend.open_on(server, clock)

        def open_target(*, half_filled: bool) -> SqliteStore | Neo4jStore:
            if towards == "neo4j":
                return neo4j_backend.open_on(server, clock, half_filled=half_filled)
            return open_sqlite_store(tmp_path / "last.db", clock=clock, half_filled=half_filled)

        for _ in range(CUTS):
            with open_target(half_filled=True) as target, pytest.raises(Cut):
                copy_store(first, target, _cut_after(chance.randrange(1, 3)))
            with pytest.raises(StoreError, match="migration"):
                open_target(half_filled=False)
        with open_target(half_filled=True) as target:
            copy_store(first, target)
        with open_target(half_filled=False) as target:
            _same(first, target)
            assert target.check() == []
        if first is not furnished:
            first.close()


def test_a_store_with_something_in_it_is_no_target(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with _sqlite(tmp_path / "first.db", clock) as first, _sqlite(tmp_path / "second.db", clock) as second:
        kept(first, "a")
        kept(second, "b")
        with pytest.raises(ConflictError, match="not empty"):
            copy_store(first, second)


def test_a_source_that_went_on_is_not_mixed_in(tmp_path: Path) -> None:
    clock = ManualClock(START)
    with _sqlite(tmp_path / "first.db", clock) as first, _sqlite(tmp_path / "second.db", clock) as second:
        kept(first, "a")
        with pytest.raises(Cut):
            copy_store(first, second, _cut_after(1))
        kept(first, "b")
        with pytest.raises(ConflictError, match="earlier state"):
            copy_store(first, second)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("line", ["newest"])
def test_a_migration_that_is_killed_anywhere_resumes_to_the_same_bytes(
    line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL at ten random moments on the way there and back; the archive of the last store is that of the first."""
    server = neo4j_backend.server(line)
    neo4j_backend.clean(server)
    monkeypatch.setenv("AI_MEMORY_STORE_PASSWORD", server.password)
    first, last = tmp_path / "first.db", tmp_path / "last.db"
    with _sqlite(first, ManualClock(START)) as store:
        _furnish(store)
        expected = list(store.export())
    chance = random.Random(20261124)
    kills = _migrated_under_fire(str(first), server.uri, KILLS // 2, chance)
    kills += _migrated_under_fire(server.uri, str(last), KILLS - KILLS // 2, chance)
    assert kills == KILLS
    with open_sqlite_store(last, clock=ManualClock(START)) as store:
        assert list(store.export()) == expected
        assert store.check() == []
        with open_sqlite_store(first, clock=ManualClock(START)) as source:
            _same(source, store)
            assert export_digest(source) == export_digest(store)


def _migrated_under_fire(source: str, target: str, kills: int, chance: random.Random) -> int:
    """Migrate, killing the process `kills` times before it is let through; how many processes were killed at work."""
    done = 0
    for _ in range(kills):
        with _migrating(source, target) as child:
            assert child.stdout is not None
            for _ in range(chance.randrange(1, 3)):
                line = child.stdout.readline()
                assert line, "it has not come to its end yet"
                assert not line.startswith("done")
            time.sleep(chance.random() * 0.02)  # anywhere within a page
            child.kill()
            child.wait()
            done += child.returncode == -signal.SIGKILL
    with _migrating(source, target) as child:
        assert child.stdout is not None
        lines = child.stdout.read().splitlines()
        assert child.wait() == 0
    assert lines[-1].startswith("done")
    return done


def _migrating(source: str, target: str) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        str(Path(__file__).resolve().parents[1] / "support" / "copying_child.py"),
        source,
        target,
        str(ROWS),
    ]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
