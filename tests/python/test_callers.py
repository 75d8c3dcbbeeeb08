"""The typed methods over any caller: a program can put its own between them and a service."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import anyio
import pytest

from ai_memory import NotFoundError, Outcome, Receipt, Settings
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Caller, Progress
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest
from ai_memory.operations.reading import GET, GetRequest
from ai_memory.operations.table import OPERATIONS
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.calls import build
from ai_memory.python.methods import Methods
from ai_memory.remote import RemoteService
from ai_memory.wiring import open_service
from tests.support.rest_server import serving


class Noting:
    """A caller in front of another one, which notes what passes through it."""

    def __init__(self, behind: Caller) -> None:
        self._behind = behind
        self.passed: list[str] = []

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        self.passed.append(operation.name)
        return self._behind.carry_out(operation, request)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        self.passed.append("export")
        return self._behind.export(request)

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
    ) -> ImportReport:
        self.passed.append("import_lines")
        return self._behind.import_lines(request, lines, progress)

    def close(self) -> None:
        self.passed.append("close")
        self._behind.close()


@pytest.fixture(params=["here", "elsewhere"])
def caller(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Caller]:
    """The service in this process, and the same over HTTP."""
    if request.param == "here":
        service = open_service(Settings(data_dir=tmp_path, model="none"))
        yield service
        service.close()
        return
    with serving(tmp_path, model="none") as served:
        remote = RemoteService(served.url)
        yield remote
        remote.close()


def test_a_caller_of_the_programs_own(caller: Caller) -> None:
    noting = Noting(caller)
    with Methods(noting) as memory:
        memory_id = memory.remember("The ferry leaves at nine.").memory_id or ""
        assert memory.get(memory_id).text == "The ferry leaves at nine."
        archive = list(memory.export())
        assert memory.import_lines(archive, namespace="copy").counts == {"stored": 1}
    assert noting.passed == ["remember", "get", "export", "import_lines", "close"]


def test_the_same_as_coroutines(caller: Caller) -> None:
    noting = Noting(caller)

    async def work() -> None:
        async with AsyncMethods(noting) as memory:
            memory_id = (await memory.remember("The tram is late.")).memory_id or ""
            assert (await memory.get(memory_id)).text == "The tram is late."

    anyio.run(work)
    assert noting.passed == ["remember", "get", "close"]


def test_both_callers_answer_and_raise_alike(caller: Caller) -> None:
    first = caller.carry_out(REMEMBER, RememberRequest(text="Said once."))
    second = caller.carry_out(REMEMBER, RememberRequest(text="Said once."))
    assert (first.outcome, second.outcome) == (Outcome.STORED, Outcome.DUPLICATE_OF)
    with pytest.raises(NotFoundError):
        caller.carry_out(GET, GetRequest(id="mem_none"))
    lines = list(caller.export(ExportRequest()))
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in lines)
    done: list[int] = []
    report = caller.import_lines(ImportRequest(namespace="copy"), lines, lambda count, _: done.append(count))
    assert (report.lines, report.counts) == (len(lines), {"stored": 1}), "a line's end is not a line"
    assert done[-1] == len(lines)


def test_a_rejected_write_is_a_receipt_from_every_caller(caller: Caller) -> None:
    memory = Methods(caller)
    memory.forget(memory.remember("Never again.").memory_id or "")
    receipt = caller.carry_out(REMEMBER, RememberRequest(text="Never again."))
    assert receipt.outcome is Outcome.REJECTED
    assert REMEMBER.refusal is not None
    refused = REMEMBER.refusal(receipt)
    assert refused is not None
    assert refused.details["reason"] == "forgotten"
    assert REMEMBER.refusal(Receipt(outcome=Outcome.STORED)) is None


def test_only_remember_creates_and_is_refused_by_a_receipt() -> None:
    """What was decided by an operation's name in each surface is data of the operation."""
    assert [operation.name for operation in OPERATIONS if operation.created is not None] == ["remember"]
    assert [operation.name for operation in OPERATIONS if operation.refusal is not None] == ["remember"]
    assert [operation.name for operation in OPERATIONS if operation.visible is not None] == ["namespaces"]
    assert REMEMBER.created is not None
    made = {outcome: REMEMBER.created(Receipt(outcome=outcome)) for outcome in Outcome}
    assert {outcome for outcome, new in made.items() if new} == {Outcome.STORED, Outcome.SUPERSEDED}


def test_a_plain_text_is_a_memory_only_where_one_field_is_required() -> None:
    (many,) = [operation for operation in OPERATIONS if operation.name == "remember_many"]
    built = build(many, {"memories": ["one", {"text": "two", "tags": "t"}]})
    assert [(draft.text, draft.tags) for draft in built.memories] == [("one", ()), ("two", ("t",))]
    assert [draft.text for draft in build(many, {"memories": "alone"}).memories] == ["alone"]
