"""The contract of ai_memory/store/base.py, sentence by sentence, on every backend: writing.

No test here knows which backend it runs on; the other files of this suite are `test_store_conformance_*.py`.
"""

from __future__ import annotations

import datetime as dt
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory.clock import ManualClock
from ai_memory.errors import IdempotencyConflictError, InvalidInputError, MemoryServiceError
from ai_memory.store.base import (
    Action,
    Duplicate,
    Once,
    Rejected,
    Restore,
    Result,
    Store,
    Stored,
    Unchanged,
    VectorRow,
)
from ai_memory.types import Job, JobStatus, MemoryRecord, MemoryType, RelationType, Selection
from tests.support.store_samples import (
    CLOCK,
    DAY,
    START,
    Reopen,
    digest,
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
    texts,
    unit,
)

pytest_plugins = ["tests.support.store_backends"]


# ── remember ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_empty_store_answers_everything_with_nothing(store: Store) -> None:
    assert store.write([]) == []
    assert store.get("default", ["mem_x"]) == [None]
    assert store.get("default", []) == []
    assert store.revisions("default", "mem_x") == []
    assert store.select(Selection(), limit=10).memories == ()
    assert store.load([1, 2]) == {}
    assert store.relations("default", ["mem_x"]) == []
    assert store.entities("default") == []
    assert store.contexts("default") == []
    assert store.namespaces() == []
    assert store.sequence() == 0
    assert store.log() == []
    assert store.live_revisions() == []
    assert store.generations() == []
    assert list(store.export()) == []
    assert store.jobs() == []
    assert store.tombstoned("default", ["text"]) == [False]
    assert store.tombstones() == []
    assert store.stats().memories == 0
    assert store.stats("default").by_type == {}


def test_every_field_comes_back_as_it_was_given(store: Store) -> None:
    command = remember(
        "Der Zähler läuft 🏃 — שלום 世界 \0 end",
        namespace="work",
        user="ann",
        agent="helper-1",
        session="s1",
        type=MemoryType.PROCEDURAL,
        context="work/projects/atlas",
        title="How to",
        author="Ann",
        tags=("b", "a"),
        importance=0.75,
        confidence=0.5,
        attributes={"steps": ["one", {"n": 2}], "none": None, "π": 3.25},
        source="notes.md",
        valid_from=START - DAY,
        valid_to=START + 1000 * DAY,
    )
    result = one(store, command)
    assert isinstance(result, Stored)
    expected = MemoryRecord(
        id=command.id,
        namespace="work",
        user="ann",
        agent="helper-1",
        session="s1",
        type=MemoryType.PROCEDURAL,
        context="work/projects/atlas",
        title="How to",
        author="Ann",
        text="Der Zähler läuft 🏃 — שלום 世界 \0 end",
        tags=("b", "a"),
        importance=0.75,
        confidence=0.5,
        attributes={"steps": ["one", {"n": 2}], "none": None, "π": 3.25},
        source="notes.md",
        valid_from=START - DAY,
        valid_to=START + 1000 * DAY,
        created_at=command.at,
        recorded_at=command.at,
        content_hash=command.content_hash,
    )
    assert result.record == expected
    assert store.get("work", [command.id]) == [expected]
    assert store.select(Selection(namespace="work"), limit=1).memories == (expected,)
    assert list(store.export("work")) == [expected]


def test_a_megabyte_of_text_and_an_empty_one_are_kept(store: Store) -> None:
    long = "слово " * 200_000
    records = [kept(store, long), kept(store, "")]
    assert [memory.text for memory in store.get("default", [r.id for r in records]) if memory] == [long, ""]


def test_the_same_dedup_key_is_a_duplicate_of_the_first(store: Store) -> None:
    first = kept(store, "the sky is blue")
    again, other_user = store.write([remember("the sky is blue"), remember("the sky is blue", user="ann")])
    assert again == Duplicate(record=first)
    assert isinstance(other_user, Stored)


def test_duplicates_are_seen_inside_one_batch(store: Store) -> None:
    first, second, third = store.write([remember("twice"), remember("twice"), remember("once")])
    assert isinstance(first, Stored)
    assert second == Duplicate(record=first.record) if first.record else False
    assert isinstance(third, Stored)


def test_a_retired_memory_is_no_duplicate(store: Store) -> None:
    first = kept(store, "it rains")
    one(store, retire(first))
    assert isinstance(one(store, remember("it rains")), Stored)


def test_what_has_ended_does_not_stand_in_the_way_of_what_holds(store: Store) -> None:
    berlin = kept(store, "Ann lives in Berlin")
    paris = kept(store, "Ann lives in Paris", supersedes=(berlin.id,))
    back = one(store, remember("Ann lives in Berlin", supersedes=(paris.id,)))
    assert isinstance(back, Stored)
    assert isinstance(one(store, remember("Ann lives in Berlin")), Duplicate)


def test_an_ended_memory_told_again_is_a_duplicate(store: Store) -> None:
    ended: dict[str, Any] = {"valid_from": START - 20 * DAY, "valid_to": START - 10 * DAY}
    kept(store, "Ann was ill", **ended)
    assert isinstance(one(store, remember("Ann was ill", **ended)), Duplicate)


def test_an_id_is_given_once_in_a_namespace(store: Store) -> None:
    first = kept(store, "one")
    in_batch = store.write(
        [remember("two", id=first.id), remember("three", id="mem_same"), remember("four", id="mem_same")]
    )
    assert [type(result) for result in in_batch] == [Rejected, Stored, Rejected]
    assert [result.code for result in in_batch if isinstance(result, Rejected)] == ["conflict", "conflict"]
    assert isinstance(one(store, remember("one", id=first.id, namespace="elsewhere")), Stored)


def test_a_rejected_command_does_not_stop_the_others(store: Store) -> None:
    gone = retire(kept(store, "a"))
    results = store.write([remember("b"), replace(gone, id="mem_unknown"), remember("c")])
    assert [type(result) for result in results] == [Stored, Rejected, Stored]
    assert store.stats().memories == 3


def test_later_commands_see_what_earlier_ones_did(store: Store) -> None:
    first = remember("draft")
    record = MemoryRecord(
        id=first.id, namespace="default", text="draft", created_at=first.at, recorded_at=first.at, content_hash=""
    )
    results = store.write([first, revise(record, "final"), remember("final"), retire(record), remember("final")])
    assert [type(result) for result in results] == [Stored, Stored, Duplicate, Stored, Stored]


@pytest.mark.parametrize(
    "command",
    [
        remember("half a \ud800 pair"),
        remember("x", title="\udfff"),
        remember("x", importance=float("nan")),
        remember("x", confidence=float("inf")),
        remember("x", attributes={"a": object()}),
        remember("x", namespace="\ud800"),
    ],
    ids=["text", "title", "nan", "infinity", "attributes", "namespace"],
)
def test_what_cannot_be_kept_is_refused_and_nothing_is_written(store: Store, command: object) -> None:
    with pytest.raises(InvalidInputError):
        store.write([remember("good"), command])  # type: ignore[list-item]
    assert store.sequence() == 0
    kept(store, "good")


# ── supersede ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_superseding_ends_the_old_memory_and_relates_the_new_one(store: Store) -> None:
    old = kept(store, "the port is 80", tags=("net",))
    command = remember("the port is 443", supersedes=(old.id, old.id), valid_from=CLOCK.now() + DAY)
    result = one(store, command)
    assert isinstance(result, Stored)
    assert result.superseded == (old.id,)
    (ended,) = store.get("default", [old.id])
    assert ended is not None
    assert (ended.valid_to, ended.retired_at, ended.revision, ended.tags) == (
        command.content.valid_from,
        None,
        2,
        ("net",),
    )
    assert [r.revision for r in store.revisions("default", old.id)] == [1, 2]
    (edge,) = store.relations("default", [old.id])
    assert (edge.source, edge.target, edge.type) == (command.id, old.id, RelationType.SUPERSEDES)
    assert store.sequence() == result.sequence


def test_superseding_ends_at_the_instant_of_the_command_where_no_beginning_is_given(store: Store) -> None:
    old = kept(store, "old")
    command = remember("new", supersedes=(old.id,))
    one(store, command)
    (ended,) = store.get("default", [old.id])
    assert ended is not None
    assert ended.valid_to == command.at


def test_superseding_what_begins_later_leaves_an_empty_interval(store: Store) -> None:
    old = kept(store, "planned", valid_from=START + 500 * DAY)
    one(store, remember("cancelled", supersedes=(old.id,)))
    (ended,) = store.get("default", [old.id])
    assert ended is not None
    assert ended.valid_from == ended.valid_to


def test_superseding_the_unknown_writes_nothing(store: Store) -> None:
    result = one(store, remember("new", supersedes=("mem_unknown",)))
    assert isinstance(result, Rejected)
    assert result.code == "not_found"
    assert store.sequence() == 0


def test_superseding_a_retired_memory_leaves_it_as_it_is(store: Store) -> None:
    old = kept(store, "old")
    one(store, retire(old))
    assert isinstance(one(store, remember("new", supersedes=(old.id,))), Stored)
    assert len(store.revisions("default", old.id)) == 1


# ── revise, retire ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_revision_retires_the_one_before_and_keeps_the_creation(store: Store) -> None:
    first = kept(store, "draft")
    result = one(store, revise(first, "final", title="T", if_revision=1, reason="typo"))
    assert isinstance(result, Stored)
    assert result.record is not None
    before, after = store.revisions("default", first.id)
    assert after == result.record
    assert (after.revision, after.text, after.title, after.created_at) == (2, "final", "T", first.created_at)
    assert (before.retired_at, before.retired_reason, before.text) == (after.recorded_at, "typo", "draft")
    assert texts(store, Selection()) == ["final"]


def test_revising_refuses_the_stale_the_unknown_and_the_retired(store: Store) -> None:
    first = kept(store, "a")
    one(store, revise(first, "b"))
    stale = one(store, revise(first, "c", if_revision=1))
    assert isinstance(stale, Rejected)
    assert (stale.code, stale.details) == ("stale_revision", {"expected": 1, "current": 2})
    unknown = one(store, replace(revise(first, "c"), id="mem_unknown"))
    assert isinstance(unknown, Rejected)
    assert unknown.code == "not_found"
    one(store, retire(first))
    retired = one(store, revise(first, "c"))
    assert isinstance(retired, Rejected)
    assert retired.code == "conflict"


def test_revising_into_another_memorys_text_is_a_duplicate(store: Store) -> None:
    first, second = kept(store, "a"), kept(store, "b")
    result = one(store, revise(second, "a"))
    assert isinstance(result, Rejected)
    assert (result.code, result.details) == ("duplicate", {"memory_id": first.id})
    assert isinstance(one(store, revise(second, "b", title="now with a title")), Stored)


def test_a_revision_that_changes_nothing_writes_nothing(store: Store) -> None:
    record = kept(store, "a", tags=("x",), attributes={"k": [1]}, valid_from=START)
    sequence = store.sequence()
    same = one(store, revise(record, "a", tags=("x",), attributes={"k": [1]}, valid_from=START))
    assert same == Unchanged(record=record)
    assert store.sequence() == sequence


def test_a_revision_from_a_clock_that_is_behind_does_not_run_backwards(store: Store) -> None:
    first = kept(store, "a")
    one(store, revise(first, "b", at=first.recorded_at - DAY))
    before, after = store.revisions("default", first.id)
    assert before.recorded_at <= (before.retired_at or START) <= after.recorded_at


def test_retiring_keeps_the_revisions_and_does_it_once(store: Store) -> None:
    record = kept(store, "a")
    stale = one(store, retire(record, if_revision=7))
    assert isinstance(stale, Rejected)
    result = one(store, retire(record, reason="wrong", if_revision=1))
    assert isinstance(result, Stored)
    (now,) = store.get("default", [record.id])
    assert now == result.record
    assert now is not None
    assert now.retired_at is not None
    assert now.retired_reason == "wrong"
    assert isinstance(one(store, retire(record)), Unchanged)
    assert texts(store, Selection()) == []
    unknown = one(store, replace(retire(record), id="mem_unknown"))
    assert isinstance(unknown, Rejected)
    assert unknown.code == "not_found"


# ── forget ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_forgetting_erases_everything_and_leaves_a_tombstone(store: Store) -> None:
    generation = store.create_generation(identity(), activate=True)
    record = kept(store, "secret", tags=("t",), session="s")
    other = kept(store, "other")
    one(store, revise(record, "secret two", tags=("t", "u")))
    keys = [revision.key for revision in store.live_revisions() if revision.record.id == record.id]
    store.put_vectors(generation.id, [VectorRow(key=keys[0], passage=0, vector=unit(1, 0, 0, 0))], keys[:1])
    thing = entity("Atlas")
    related(store, relate(record.id, thing.id, "MENTIONS", new_entities=[thing]))
    related(store, relate(other.id, record.id))
    related(store, relate(other.id, other.id, "ABOUT", evidence=record.id))

    result = one(store, forget(record, reason="asked"))

    assert isinstance(result, Stored)
    assert result.record is None
    assert store.get("default", [record.id]) == [None]
    assert store.revisions("default", record.id) == []
    assert store.load(keys) == {}
    assert store.vectors(generation.id, [(keys[0], 0)]) == {}
    assert [revision.record.id for revision in store.pending(generation.id, limit=10)] == [other.id]
    assert store.relations("default", [other.id, record.id, thing.id]) == []
    assert store.entities("default") == []
    assert texts(store, Selection(any_tags=("t", "u"))) == []
    assert list(store.export()) == [other]
    assert store.tombstoned("default", ["secret", "secret two", "other"]) == [
        True,
        True,
        False,
    ]
    entry = store.log()[-1]
    assert (entry.action, entry.memory_id, entry.keys, entry.reason) == (
        Action.FORGOTTEN,
        record.id,
        tuple(keys),
        "asked",
    )


def test_what_was_forgotten_does_not_come_back(store: Store) -> None:
    record = kept(store, "secret")
    other = kept(store, "other")
    one(store, forget(record))
    restored = Restore(
        revisions=(record,),
        dedup_key=digest("default", "secret"),
        at=CLOCK.now(),
    )
    refused = store.write([remember("secret"), remember("secret", user="ann"), revise(other, "secret"), restored])
    assert [result.code if isinstance(result, Rejected) else result for result in refused] == ["forgotten"] * 4
    assert isinstance(one(store, remember("secret", namespace="elsewhere")), Stored)
    assert isinstance(one(store, remember("secret", reinstate=True)), Stored)
    assert store.tombstoned("default", ["secret"]) == [False]


def test_forgetting_one_users_memory_leaves_anothers_usable(store: Store) -> None:
    mine, yours = kept(store, "shared", user="a"), kept(store, "shared", user="b")
    one(store, forget(mine))
    assert isinstance(one(store, revise(yours, "shared", tags=("still",))), Stored)


def test_an_entity_that_something_else_supports_outlives_a_forgotten_memory(store: Store) -> None:
    first, second, thing = kept(store, "a"), kept(store, "b"), entity("Atlas")
    related(store, relate(first.id, thing.id, "MENTIONS", new_entities=[thing]))
    related(store, relate(second.id, thing.id, "MENTIONS"))
    one(store, forget(first))
    assert [found.name for found in store.entities("default")] == ["Atlas"]


def test_forgetting_checks_the_revision_and_the_id(store: Store) -> None:
    record = kept(store, "a")
    stale, unknown = store.write([forget(record, if_revision=2), replace(forget(record), id="mem_unknown")])
    assert isinstance(stale, Rejected)
    assert isinstance(unknown, Rejected)
    assert (stale.code, unknown.code) == ("stale_revision", "not_found")
    one(store, retire(record))
    assert isinstance(one(store, forget(record)), Stored)


# ── idempotency, jobs ────────────────────────────────────────────────────────────────────────────────────────────────────


def _encoded(results: list[Result]) -> bytes:
    return " ".join(type(result).__name__ for result in results).encode()


def _once(key: str, request: bytes = b"request", namespace: str = "default") -> Once:
    return Once(namespace=namespace, key=digest(namespace, key), request=request)


def test_a_repeated_key_gets_the_first_answer_and_writes_nothing(store: Store, clock: ManualClock) -> None:
    first = store.write_idempotent(_once("k"), [remember("a")], _encoded)
    sequence = store.sequence()
    assert store.write_idempotent(_once("k"), [remember("b")], _encoded) == first == b"Stored"
    assert store.sequence() == sequence
    with pytest.raises(IdempotencyConflictError):
        store.write_idempotent(_once("k", b"other"), [remember("b")], _encoded)
    assert store.write_idempotent(_once("k2"), [remember("a")], _encoded) == b"Duplicate"
    clock.advance(dt.timedelta(hours=24))
    assert store.write_idempotent(_once("k", b"other"), [remember("c")], _encoded) == b"Stored"


def test_a_key_whose_memory_is_forgotten_gets_its_answer_whatever_the_request(store: Store) -> None:
    """What told one request from another was a digest of the forgotten text, and is erased with it."""
    mine, yours = kept(store, "mine"), kept(store, "yours", namespace="other", id="mem_same")
    for name, namespace, command in (
        ("duplicate", "default", remember("mine")),
        ("retired", "default", retire(mine)),
        ("elsewhere", "other", retire(yours)),
    ):
        store.write_idempotent(_once(name, namespace=namespace), [command], _encoded)
    one(store, forget(mine))
    for name, answer in (("duplicate", b"Duplicate"), ("retired", b"Stored")):
        assert store.write_idempotent(_once(name, b"other"), [remember("new")], _encoded) == answer
    with pytest.raises(IdempotencyConflictError):
        store.write_idempotent(_once("elsewhere", b"other", "other"), [], _encoded)
    assert isinstance(one(store, remember("new")), Stored), "nothing was written by a repeated key"


def test_a_request_that_is_refused_whole_is_carried_out_when_it_comes_again(store: Store) -> None:
    one(store, forget(kept(store, "gone")))
    assert store.write_idempotent(_once("k"), [remember("gone")], _encoded) == b"Rejected"
    assert store.write_idempotent(_once("k"), [remember("gone", reinstate=True)], _encoded) == b"Stored"
    assert store.write_idempotent(_once("k"), [remember("gone")], _encoded) == b"Stored"


def test_an_answer_that_cannot_be_encoded_writes_nothing(store: Store) -> None:
    def fail(_: list[Result]) -> bytes:
        raise InvalidInputError("no")

    with pytest.raises(InvalidInputError):
        store.write_idempotent(_once("k"), [remember("a")], fail)
    assert store.sequence() == 0


# ── a text that comes back ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_that_was_retired_says_so_when_it_is_stored_again(store: Store) -> None:
    record = kept(store, "a", session="s", author=None)
    one(store, revise(record, "a", tags=("t",)))
    one(store, retire(record, reason="wrong"))
    assert _before(one(store, remember("a"))) is None, "another session never had it"
    again = one(store, remember("a", session="s"))
    assert _before(again) == store.get("default", [record.id])[0]
    assert isinstance(one(store, remember("a", session="s")), Duplicate)
    assert isinstance(again, Stored)
    assert again.record is not None
    one(store, retire(again.record))
    assert getattr(_before(one(store, remember("a", session="s"))), "id", None) == again.memory_id, "the newest of them"


def test_a_text_that_was_revised_away_was_not_retired(store: Store) -> None:
    record = kept(store, "a")
    one(store, revise(record, "b"))
    assert _before(one(store, remember("a"))) is None
    one(store, retire(record))
    assert _before(one(store, remember("c"))) is None
    other = kept(store, "d")
    result = one(store, revise(other, "b"))
    assert getattr(_before(result), "id", None) == record.id, "a revision brings a text back too"
    one(store, forget(record))
    one(store, retire(kept(store, "e")))
    first, second = store.write([remember("e"), remember("e", user="u")])
    assert _before(first) is not None
    assert _before(second) is None


def _before(result: Result) -> MemoryRecord | None:
    assert isinstance(result, Stored), result
    return result.retired


def test_jobs_are_kept_and_replaced_by_id(store: Store, reopen: Reopen) -> None:
    old = Job(id="job_1", kind="import", created_at=START, updated_at=START, payload={"path": "x"}, namespace="n")
    new = Job(id="job_2", kind="embed", state=JobStatus.RUNNING, created_at=START + DAY, updated_at=START + DAY)
    store.put_job(old)
    store.put_job(new)
    assert reopen().jobs() == [new, old]
    done = replace(old, state="failed", progress={"lines": 7}, error="no", updated_at=START + DAY)
    store.put_job(done)
    assert store.jobs(kind="import") == [done]
    assert store.jobs(states=["running", "done"]) == [new]
    assert store.jobs(kind="import", states=["running"]) == []
    assert store.jobs(since=START + DAY) == [new, done]
    assert store.jobs(since=START + DAY, kind="import") == [done]
    assert store.jobs(since=START + 2 * DAY) == []


def test_a_job_is_swapped_only_while_it_is_as_expected(store: Store, reopen: Reopen) -> None:
    made = Job(id="job_1", kind="erase", created_at=START, updated_at=START, namespace="ä\u200f")
    assert store.swap_job(made, None)
    assert not store.swap_job(made, None), "it is there already"
    mine = replace(made, state="running", progress={"owner": "one", "due": 3})
    others = replace(made, state="running", progress={"owner": "two", "due": 3})
    assert store.swap_job(mine, made)
    assert not reopen().swap_job(others, made), "another one was first"
    assert store.jobs() == [mine]
    assert reopen().swap_job(others, mine)
    assert not store.swap_job(replace(made, id="job_2"), made), "there is none to replace"
    assert store.jobs() == [others]


def test_of_many_that_want_a_job_one_has_it(store: Store, reopen: Reopen) -> None:
    free = Job(id="job_1", kind="erase", created_at=START, updated_at=START)
    store.put_job(free)
    wanting = [replace(free, state="running", progress={"owner": str(number)}) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        got = list(pool.map(lambda one, where: where.swap_job(one, free), wanting, [store, reopen()] * 4))
    assert sum(got) == 1
    assert store.jobs() == [wanting[got.index(True)]]


# ── everyday life ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_backup_is_a_whole_store(store: Store, tmp_path: Path) -> None:
    kept(store, "a")
    target = tmp_path / "copy.db"
    store.backup(target)
    assert target.exists()
    with pytest.raises(InvalidInputError):
        store.backup(target)


def test_many_threads_write_and_read_at_once(store: Store) -> None:
    failures: list[BaseException] = []

    def work(name: int) -> None:
        try:
            for number in range(15):
                record = kept(store, f"{name} {number}", session=str(name))
                assert store.get("default", [record.id]) == [record]
                one(store, remember("the same for all"))
        except BaseException as error:  # noqa: BLE001 - shown by the assertion below
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert store.stats().memories == 8 * 15 + 1
    assert len(store.log()) == 8 * 15 + 1


def test_a_closed_store_says_so_and_closes_twice(store: Store, reopen: Reopen) -> None:
    other = reopen()
    kept(other, "a")
    other.close()
    other.close()
    for call in (lambda: other.write([remember("b")]), lambda: other.sequence(), lambda: list(other.export())):
        with pytest.raises(MemoryServiceError):
            call()
