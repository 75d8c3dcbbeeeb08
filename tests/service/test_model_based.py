"""Random sequences of operations on the real service, compared with the oracle after every step."""

from __future__ import annotations

import datetime as dt
import shutil
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from ai_memory.errors import MemoryServiceError
from ai_memory.operations.base import parse
from ai_memory.operations.moving import ExportRequest, ImportRequest
from ai_memory.operations.table import BY_NAME
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.types import MemoryRecord, Receipt
from ai_memory.wiring import open_service
from tests.support.oracle import Oracle, Revision

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
NAMESPACES = ("default", "other")
WORDS = ("zuvaxo", "qembrok", "wintarp", "fyldrun")
"""Words of no language, so that no stem joins two of them."""
DAYS = (None, 3, 9, 9000)
"""Validity bounds in days after START: never, before or after what the clock reaches, or far ahead."""


class StoppedClock:
    """A clock that shows what the test set, at every reading."""

    def __init__(self) -> None:
        self.at = START

    def now(self) -> dt.datetime:
        return self.at


def _day(number: int | None) -> dt.datetime | None:
    return None if number is None else START + dt.timedelta(days=number)


TEXTS = st.sampled_from(
    [f"{first} {second}{end}" for first, second in product(WORDS, WORDS) for end in ("", " ", "\u200b")]
)
SCOPES = st.fixed_dictionaries(
    {"user": st.sampled_from([None, "ann"]), "agent": st.just(None), "session": st.sampled_from([None, None, "s1"])}
)
INTERVALS = st.sampled_from([(a, b) for a in DAYS for b in DAYS if a is None or b is None or a < b])
CONTENT = st.fixed_dictionaries(
    {
        "text": TEXTS,
        "title": st.sampled_from([None, None, "Heading"]),
        "author": st.sampled_from([None, "bo"]),
        "context": st.sampled_from(["", "work", "work/atlas"]),
        "tags": st.sampled_from([(), ("red",), ("red", "blue")]),
        "type": st.sampled_from(["semantic", "episodic"]),
        "importance": st.sampled_from([0.5, 0.9]),
    }
)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "text": TEXTS,
        "title": st.sampled_from([None, "Heading"]),
        "tags": st.sampled_from([(), ("blue",)]),
        "context": st.sampled_from(["", "work/atlas"]),
        "valid_to": st.sampled_from([_day(day) for day in DAYS]),
    },
)
FILTERS: list[dict[str, Any]] = [
    {},
    {"tags": ("red",)},
    {"without_tags": ("blue",)},
    {"context": "work"},
    {"user": ("ann",)},
    {"types": ("episodic",)},
    {"author": ("bo",)},
]
PICK = st.integers(0, 40)
NAMESPACE = st.sampled_from(NAMESPACES)
INSTANTS = st.one_of(st.none(), st.integers(-1, 12).map(_day))


class ServiceAgainstOracle(RuleBasedStateMachine):
    """One store on disk for each run of the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="model-based-"))
        self.clock = StoppedClock()
        self.oracle = Oracle()
        self.ids: list[str] = ["mem_00000000000000000000000000"]
        self.relation_ids: list[str] = ["rel_00000000000000000000000000"]
        self.service = self._opened(self.folder)

    def _opened(self, folder: Path) -> Service:
        return open_service(Settings(data_dir=folder, model="none"), clock=self.clock)

    def teardown(self) -> None:
        self.service.close()
        shutil.rmtree(self.folder)

    def ask(self, name: str, **values: Any) -> Any:
        operation = BY_NAME[name]
        return self.service.carry_out(operation, parse(operation.request, values))

    def tell(self, name: str, **values: Any) -> Any:
        """A write, an hour after the one before."""
        self.clock.at += dt.timedelta(hours=7)
        return self.ask(name, **values)

    def _code(self, call: Callable[[], Any]) -> tuple[str | None, Any]:
        try:
            return None, call()
        except MemoryServiceError as error:
            return error.code, error

    def _expected(
        self, receipt: Receipt, namespace: str, draft: dict[str, Any], supersedes: tuple[str, ...], *, reinstate: bool
    ) -> None:
        scope = (namespace, draft["user"], draft["agent"], draft["session"])
        content = {name: value for name, value in draft.items() if name not in ("user", "agent", "session")}
        new_id = receipt.memory_id or "none"
        fresh = "fresh" if new_id in self.oracle.memories else new_id
        new = Revision(fresh, scope, 1, content, self.clock.at)
        outcome, standing = self.oracle.remember(new, supersedes, reinstate=reinstate)
        assert (str(receipt.outcome), receipt.memory_id) == (outcome, standing), receipt
        if outcome in ("stored", "superseded"):
            self.ids.append(new_id)
        if outcome != "rejected":
            for other in supersedes:
                if other != standing:
                    self._note_superseding(namespace, str(standing), other)

    def _note_superseding(self, namespace: str, new_id: str, other: str) -> None:
        self.oracle.relations[f"{new_id} {other}"] = {
            "namespace": namespace,
            "source": new_id,
            "target": other,
            "type": "SUPERSEDES",
            "current": True,
        }

    @initialize(content=CONTENT, scope=SCOPES)
    def first(self, content: dict[str, Any], scope: dict[str, Any]) -> None:
        self.remember("default", content, scope, (None, None), None, False)

    @rule(
        namespace=NAMESPACE,
        content=CONTENT,
        scope=SCOPES,
        interval=INTERVALS,
        superseded=st.one_of(st.none(), PICK),
        reinstate=st.booleans(),
    )
    def remember(
        self,
        namespace: str,
        content: dict[str, Any],
        scope: dict[str, Any],
        interval: tuple[int | None, int | None],
        superseded: int | None,
        reinstate: bool,
    ) -> None:
        draft = {**content, **scope, "valid_from": _day(interval[0]), "valid_to": _day(interval[1])}
        supersedes = () if superseded is None else (self.ids[superseded % len(self.ids)],)
        receipt = self.tell("remember", namespace=namespace, supersedes=supersedes, reinstate=reinstate, **draft)
        self._expected(receipt, namespace, draft, supersedes, reinstate=reinstate)

    @rule(namespace=NAMESPACE, contents=st.lists(CONTENT, min_size=1, max_size=6), scope=SCOPES, blank=st.booleans())
    def remember_many(self, namespace: str, contents: list[dict[str, Any]], scope: dict[str, Any], blank: bool) -> None:
        drafts = [{**content, **scope, "valid_from": None, "valid_to": None} for content in contents]
        given = [*drafts, {"text": " \n"}] if blank else drafts
        receipts = self.tell("remember_many", namespace=namespace, memories=given).receipts
        for draft, receipt in zip(drafts, receipts, strict=False):
            self._expected(receipt, namespace, draft, (), reinstate=False)
        assert len(receipts) == len(given)
        assert not blank or receipts[-1].outcome == "rejected"

    @rule(namespace=NAMESPACE, pick=PICK, change=CHANGES, stale=st.sampled_from([None, 0, 0, 1]))
    def revise(self, namespace: str, pick: int, change: dict[str, Any], stale: int | None) -> None:
        memory_id = self.ids[pick % len(self.ids)]
        standing = self.oracle.current(namespace, memory_id)
        if_revision = None if stale is None else (standing.number if standing else 1) - stale
        code, answer = self._code(
            lambda: self.tell("revise", namespace=namespace, id=memory_id, if_revision=if_revision, **change)
        )
        expected = self.oracle.revise(namespace, memory_id, if_revision, change, self.clock.at)
        if expected in ("stored", "unchanged"):
            now = self.oracle.current(namespace, memory_id)
            assert now is not None
            assert (code, answer.revision) == (None, now.number)
        else:
            assert code == expected

    @rule(namespace=NAMESPACE, pick=PICK)
    def retire(self, namespace: str, pick: int) -> None:
        memory_id = self.ids[pick % len(self.ids)]
        code, _ = self._code(lambda: self.tell("retire", namespace=namespace, id=memory_id, reason="over"))
        assert (code or "stored") == self.oracle.retire(namespace, memory_id, self.clock.at)

    @rule(namespace=NAMESPACE, pick=PICK)
    def forget(self, namespace: str, pick: int) -> None:
        memory_id = self.ids[pick % len(self.ids)]
        code, _ = self._code(lambda: self.tell("forget", namespace=namespace, id=memory_id))
        assert (code or "forgotten") == self.oracle.forget(namespace, memory_id)

    @rule(
        namespace=NAMESPACE,
        source=PICK,
        other=PICK,
        named=st.sampled_from([None, "Ada", "ada"]),
        kind=st.sampled_from(["CAUSES", "NEEDS"]),
    )
    def relate(self, namespace: str, source: int, other: int, named: str | None, kind: str) -> None:
        ends = [self.ids[source % len(self.ids)], self.ids[other % len(self.ids)]]
        known = [self.oracle.current(namespace, end) is not None for end in ends]
        far = f"entity:{named}" if named else ends[1]
        code, answer = self._code(
            lambda: self.tell("relate", namespace=namespace, source=ends[0], target=far, type=kind)
        )
        if not known[0] or not (named or known[1]):
            assert code == "not_found"
        elif far == ends[0]:
            assert code == "invalid_input"
        else:
            assert code is None
            edge = {
                "namespace": namespace,
                "source": answer.source,
                "target": answer.target,
                "type": kind,
                "current": True,
            }
            standing = [key for key, other in self.oracle.relations.items() if other == edge]
            assert not standing or standing == [answer.id]
            if named:
                assert not standing or (namespace, answer.target) in self.oracle.entities
                self.oracle.entities.add((namespace, answer.target))
            if not standing:
                self.oracle.relations[answer.id] = edge
                self.relation_ids.append(answer.id)

    @rule(namespace=NAMESPACE, pick=PICK)
    def unrelate(self, namespace: str, pick: int) -> None:
        relation_id = self.relation_ids[pick % len(self.relation_ids)]
        edge = self.oracle.relations.get(relation_id)
        code, _ = self._code(lambda: self.tell("unrelate", namespace=namespace, id=relation_id))
        if edge is None or edge["namespace"] != namespace:
            assert code == "not_found"
        else:
            assert code is None
            edge["current"] = False

    @rule(namespace=NAMESPACE, pick=PICK)
    def neighbours(self, namespace: str, pick: int) -> None:
        node = self.ids[pick % len(self.ids)]
        code, answer = self._code(lambda: self.ask("neighbours", namespace=namespace, id=node))
        if self.oracle.current(namespace, node) is None:
            assert code == "not_found"
            return
        edges = [edge for edge in self.oracle.relations.values() if edge["current"]]
        far = {edge["target"] for edge in edges if edge["source"] == node}
        far |= {edge["source"] for edge in edges if edge["target"] == node}
        shown = set(self.oracle.visible(namespace)) | {entity for _, entity in self.oracle.entities}
        assert {neighbour.id for neighbour in answer.neighbours} == far & shown

    @rule()
    def reopen(self) -> None:
        self.service.close()
        self.service = self._opened(self.folder)

    @rule()
    def doctor(self) -> None:
        assert self.service.doctor() == ()

    @rule(namespace=NAMESPACE, pick=PICK, as_of=INSTANTS, known_at=INSTANTS)
    def get(self, namespace: str, pick: int, as_of: dt.datetime | None, known_at: dt.datetime | None) -> None:
        memory_id = self.ids[pick % len(self.ids)]
        code, answer = self._code(
            lambda: self.ask("get", namespace=namespace, id=memory_id, as_of=as_of, known_at=known_at)
        )
        if known_at is None:  # get also shows what is retired: its last revision
            last = self.oracle.current(namespace, memory_id)
            expected = last if last is not None and (as_of is None or last.true_at(as_of)) else None
        else:
            expected = self.oracle.visible(namespace, as_of=as_of, known_at=known_at).get(memory_id)
        assert code == (None if expected else "not_found")
        assert expected is None or _same(answer, expected)

    @rule(namespace=NAMESPACE, pick=PICK)
    def history(self, namespace: str, pick: int) -> None:
        memory_id = self.ids[pick % len(self.ids)]
        code, answer = self._code(lambda: self.ask("history", namespace=namespace, id=memory_id))
        if self.oracle.current(namespace, memory_id) is None:
            assert code == "not_found"
        else:
            expected = self.oracle.memories[memory_id]
            assert len(answer.revisions) == len(expected)
            assert all(_same(record, revision) for record, revision in zip(answer.revisions, expected, strict=True))

    @rule(
        namespace=NAMESPACE,
        word=st.sampled_from(WORDS),
        as_of=INSTANTS,
        known_at=INSTANTS,
        filters=st.sampled_from(FILTERS),
    )
    def recall(
        self,
        namespace: str,
        word: str,
        as_of: dt.datetime | None,
        known_at: dt.datetime | None,
        filters: dict[str, Any],
    ) -> None:
        answer = self.ask(
            "recall", namespace=namespace, query=word, limit=1000, as_of=as_of, known_at=known_at, **filters
        )
        expected = {
            memory_id
            for memory_id, revision in self.oracle.visible(namespace, as_of=as_of, known_at=known_at).items()
            if word in revision.content["text"]
            and (as_of or not revision.ended(self.clock.at))
            and _passes(revision, filters)
        }
        assert {hit.memory.id for hit in answer.hits if hit.matched} == expected
        session_only = [hit for hit in answer.hits if not hit.matched]
        assert all(hit.memory.session for hit in session_only), "only a session can bring up what does not match"
        assert bool(answer.hits) or answer.reason

    @rule()
    @precondition(lambda self: len(self.ids) > 3)
    def export_and_import(self) -> None:
        archive = list(self.service.export(ExportRequest()))
        with tempfile.TemporaryDirectory() as name:
            other = self._opened(Path(name))
            try:
                report = other.import_lines(ImportRequest(), archive)
                assert not report.rejected
                assert list(other.export(ExportRequest())) == archive
                assert other.doctor() == ()
            finally:
                other.close()

    @rule()
    def import_again(self) -> None:
        """What is there already stays as it is."""
        archive = list(self.service.export(ExportRequest()))
        report = self.service.import_lines(ImportRequest(), archive)
        assert (report.counts.get("stored", 0), report.rejected) == (0, ())
        assert list(self.service.export(ExportRequest())) == archive

    @invariant()
    def lists_agree(self) -> None:
        for namespace in NAMESPACES:
            expected = self.oracle.visible(namespace)
            found: dict[str, MemoryRecord] = {}
            cursor, order = None, []
            while True:
                page = self.ask("list", namespace=namespace, limit=7, cursor=cursor)
                order += [(record.valid_from or record.created_at, record.id) for record in page.memories]
                found.update({record.id: record for record in page.memories})
                cursor = page.cursor
                if cursor is None:
                    break
            assert order == sorted(order, reverse=True)
            assert len(order) == len(found)
            assert found.keys() == expected.keys()
            assert all(_same(found[memory_id], revision) for memory_id, revision in expected.items())

    @invariant()
    def stats_agree(self) -> None:
        oracle = self.oracle
        for namespace in NAMESPACES:
            counts = self.ask("stats", namespace=namespace)
            mine = [revisions for revisions in oracle.memories.values() if revisions[0].scope[0] == namespace]
            unretired = len(oracle.visible(namespace))
            assert (counts.memories, counts.retired) == (unretired, len(mine) - unretired)
            assert counts.revisions == sum(map(len, mine))
            edges = [edge for edge in oracle.relations.values() if edge["namespace"] == namespace]
            assert counts.relations == sum(edge["current"] for edge in edges)
            assert counts.entities == sum(where == namespace for where, _ in oracle.entities)
            assert counts.tombstones == sum(said[0] == namespace for said in oracle.tombstones)

    @rule(namespace=NAMESPACE, as_of=INSTANTS, known_at=INSTANTS)
    def list_at(self, namespace: str, as_of: dt.datetime | None, known_at: dt.datetime | None) -> None:
        page = self.ask("list", namespace=namespace, limit=1000, as_of=as_of, known_at=known_at)
        expected = self.oracle.visible(namespace, as_of=as_of, known_at=known_at)
        assert [record.id for record in page.memories if not _same(record, expected[record.id])] == []
        assert len(page.memories) == len(expected)


def _same(record: MemoryRecord, revision: Revision) -> bool:
    content = {name: getattr(record, name) for name in revision.content}
    times = (record.revision, record.recorded_at, record.retired_at)
    scope = (record.namespace, record.user, record.agent, record.session)
    return (
        content == dict(revision.content)
        and times == (revision.number, revision.recorded, revision.retired)
        and (scope == revision.scope)
    )


def _passes(revision: Revision, filters: dict[str, Any]) -> bool:
    content = revision.content
    below = content["context"] == "work" or content["context"].startswith("work/")
    return (
        set(filters.get("tags", ())) <= set(content["tags"])
        and not set(filters.get("without_tags", ())) & set(content["tags"])
        and ("context" not in filters or below)
        and ("user" not in filters or revision.scope[1] in filters["user"])
        and ("types" not in filters or content["type"] in filters["types"])
        and ("author" not in filters or content["author"] in filters["author"])
    )


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_random_operations_do_what_the_oracle_says() -> None:
    run_state_machine_as_test(
        ServiceAgainstOracle,
        settings=settings(
            max_examples=25,
            stateful_step_count=30,
            deadline=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
            database=None,
            phases=(Phase.generate,),  # shrinking takes minutes on a real store
        ),
    )
