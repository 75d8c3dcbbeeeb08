"""The client over HTTP: the same answers and errors as in process, and what can go wrong on the way."""

from __future__ import annotations

import datetime as dt
import gc
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import pytest

from ai_memory import (
    AsyncClient,
    Client,
    Draft,
    ForbiddenError,
    IdempotencyConflictError,
    InvalidInputError,
    MemoryType,
    NotFoundError,
    Outcome,
    RelationType,
    ServiceUnavailableError,
    StaleRevisionError,
    TooLargeError,
    UnauthorizedError,
)
from ai_memory.operations.base import parse
from ai_memory.operations.reading import LIST
from ai_memory.remote import written
from tests.support.rest_server import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("client")) as running:
        yield running


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.url) as opened:
        yield opened


def test_a_memory_lives_through_the_client(client: Client) -> None:
    receipt = client.remember("We meet in room 4.", namespace="life", tags="place", valid_from=dt.date(2026, 3, 14))
    assert receipt.outcome is Outcome.STORED
    memory_id = receipt.memory_id or ""
    record = client.get(memory_id, namespace="life")
    assert (record.tags, record.valid_from) == (("place",), dt.datetime(2026, 3, 14, tzinfo=dt.UTC))
    changed = client.revise(memory_id, "We meet in room 5.", namespace="life", title=None, if_revision=1)
    assert changed.revision == 2
    assert [one.text for one in client.history(memory_id, namespace="life").revisions][-1] == "We meet in room 5."
    relation = client.relate(memory_id, "entity:person/Ada", type=RelationType.MENTIONS, namespace="life")
    assert client.neighbours("entity:person/Ada", namespace="life").neighbours[0].id == memory_id
    assert client.unrelate(relation.id, namespace="life").retired_at is not None
    assert client.list(namespace="life", types=[MemoryType.SEMANTIC], tags=["place"]).memories[0].id == memory_id
    assert client.timeline(namespace="life", bucket="day", samples=0).buckets[0].count == 1
    assert client.contexts(namespace="life").contexts == ()
    assert "life" in {one.namespace for one in client.namespaces().namespaces}
    assert client.stats(namespace="life").memories == 1
    assert client.health().ready
    assert client.retire(memory_id, namespace="life", reason="moved").memory_id == memory_id
    assert client.forget_many(namespace="life", ids=memory_id).dry_run
    assert client.forget(memory_id, namespace="life").forgotten == 1


def test_recall_through_the_client(client: Client) -> None:
    receipt = client.remember("The kiln fires at 1,240 degrees.", namespace="clay")
    answer = client.recall("How hot does the kiln get?", namespace="clay", limit=1, explain=True)
    assert answer.hits[0].memory.id == receipt.memory_id
    assert answer.hits[0].trace is not None


def test_many_in_each_of_their_forms(client: Client) -> None:
    receipts = client.remember_many(
        ["plain text", {"text": "a dict", "tags": ["x"]}, Draft(text="a draft", importance=0.9)], namespace="forms"
    )
    assert receipts.counts == {"stored": 3}
    assert client.remember_many("one text", namespace="forms").counts == {"stored": 1}
    assert client.remember_many(iter(["from an iterator"]), namespace="forms").counts == {"stored": 1}  # type: ignore[arg-type]


def test_a_rejection_is_a_receipt(client: Client) -> None:
    memory_id = client.remember("Never again.", namespace="rejected").memory_id or ""
    client.forget(memory_id, namespace="rejected")
    receipt = client.remember("Never again.", namespace="rejected")
    assert receipt.outcome is Outcome.REJECTED
    assert receipt.code == "forgotten"
    assert receipt.reason == "this text was forgotten on purpose and is not taken back"
    assert client.remember("Never again.", namespace="rejected", reinstate=True).outcome is Outcome.STORED


def test_errors_are_the_same_classes(client: Client) -> None:
    with pytest.raises(NotFoundError) as missing:
        client.get("mem_none")
    assert missing.value.hint
    assert missing.value.details["memory_id"] == "mem_none"
    with pytest.raises(TooLargeError):
        client.remember("x" * 200_001)
    with pytest.raises(InvalidInputError, match="importance"):
        client.remember("x", importance=2)
    with pytest.raises(InvalidInputError, match="half a surrogate"):
        client.remember("a \ud800 b")
    with pytest.raises(InvalidInputError, match="half a surrogate"):
        client.list(context="\udfff")
    with pytest.raises(InvalidInputError, match="unknown field"):
        client.list(colour="red")  # type: ignore[call-arg]
    receipt = client.remember("first", namespace="errors", idempotency_key="k")
    with pytest.raises(IdempotencyConflictError):
        client.remember("second", namespace="errors", idempotency_key="k")
    client.revise(receipt.memory_id or "", "changed", namespace="errors")
    with pytest.raises(StaleRevisionError) as stale:
        client.revise(receipt.memory_id or "", "again", namespace="errors", if_revision=1)
    assert stale.value.details["current"] == 2


def test_lines_go_out_and_in(client: Client) -> None:
    told: list[int] = []
    lines: list[Any] = [{"text": f"line {number}"} for number in range(700)]
    lines += ['{"text": "as text"}', b'{"text": "as bytes"}\n', "not json"]
    report = client.import_lines(lines, namespace="lines", progress=lambda done, _: told.append(done))
    assert report.counts == {"rejected": 1, "stored": 702}
    assert report.rejected[0].line == 703
    assert told == [500, 703]
    archive = list(client.export(namespace="lines"))
    assert len(archive) == 703
    assert sum("text" in line for line in archive) == 702
    with pytest.raises(InvalidInputError, match="line break"):
        client.import_lines(["a\nb"])
    with pytest.raises(InvalidInputError):
        client.import_lines([5])  # type: ignore[list-item]
    assert client.health().live


def test_lists_of_one_survive_the_query_string() -> None:
    for tags, query in (
        (("a",), "tags=a"),
        (("a", "b,c"), "tags=a&tags=b%2Cc"),
        (("a,b",), "tags=%5B%22a%2Cb%22%5D"),
        (("[x]",), "tags=%5B%22%5Bx%5D%22%5D"),
        (("",), "tags=%5B%22%22%5D"),
    ):
        assert written(LIST, parse(LIST.request, {"tags": list(tags)})) == (f"/memories?{query}", None)
    assert written(LIST, parse(LIST.request, {"include_ended": False, "as_of": "2026-01-01"}))[0] == (
        "/memories?as_of=2026-01-01T00%3A00%3A00&include_ended=false"  # the service gives it a zone
    )


def test_keys_are_sent(tmp_path: Path) -> None:
    with serving(tmp_path, api_keys={"mine": ["key-of-mine"]}) as locked:
        with Client(locked.url) as without, pytest.raises(UnauthorizedError):
            without.list()
        with Client(locked.url, api_key="key-of-mine") as opened:
            opened.remember("inside", namespace="mine")
            assert [one.namespace for one in opened.namespaces().namespaces] == ["mine"]
            with pytest.raises(ForbiddenError):
                opened.list(namespace="yours")
            with pytest.raises(ForbiddenError):
                list(opened.export())
            with pytest.raises(ForbiddenError):
                opened.import_lines([{"text": "x"}] * 10)
    with pytest.raises(InvalidInputError):
        Client(api_key="kéy")


def test_a_client_outlives_its_server(tmp_path: Path) -> None:
    with serving(tmp_path) as first:
        client = Client(first.url)
        client.remember("before")
    with pytest.raises(ServiceUnavailableError, match="no service answers") as gone:
        client.list()
    assert gone.value.hint == "start it: ai-memory serve"
    client.close()
    client.close()


def test_an_idle_connection_that_was_dropped_is_replaced(served: Served) -> None:
    with Client(served.url) as client:
        client.health()
        idle = client._service._wire._idle[0]
        assert idle.sock is not None
        idle.sock.shutdown(socket.SHUT_RDWR)
        assert client.remember("after the drop", namespace="drop").outcome is Outcome.STORED


def answering(answers: list[bytes | None]) -> tuple[int, list[bytes]]:
    """A port where each connection in turn gets one of `answers` (None: closed at once), and what was asked."""
    listener = socket.create_server(("127.0.0.1", 0))
    asked: list[bytes] = []

    def run() -> None:
        with listener:
            for answer in answers:
                connection, _ = listener.accept()
                with connection:
                    asked.append(connection.recv(65_536))
                    connection.sendall(answer or b"")

    threading.Thread(target=run, daemon=True).start()
    return listener.getsockname()[1], asked


HEALTH = b'{"live":true,"ready":true,"degraded":[],"parts":[],"version":"1"}'
OK = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(HEALTH) + HEALTH


def test_reads_are_tried_twice_and_writes_once() -> None:
    port, asked = answering([None, OK])
    with Client(f"http://127.0.0.1:{port}") as client:
        assert client.health().version == "1"
    assert len(asked) == 2
    port, asked = answering([None, OK])
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServiceUnavailableError):
        client.remember("only once")
    assert len(asked) == 1
    receipt = b'{"outcome":"stored","memory_id":"mem_1"}'
    port, asked = answering([None, b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(receipt) + receipt])
    with Client(f"http://127.0.0.1:{port}") as client:
        assert client.remember("safe to repeat", idempotency_key="k").memory_id == "mem_1"
    assert len(asked) == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nnope!",
        b'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 13\r\n\r\n{"error":"x"}',
        b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{",
        b"",
    ],
)
def test_what_is_not_the_service_is_told(answer: bytes) -> None:
    port, _ = answering([answer, answer])
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServiceUnavailableError):
        client.health()


def test_an_export_that_breaks_off_is_told() -> None:
    piece = b'{"a":1}\n'
    answer = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(piece) + piece + b"\r\n"
    port, _ = answering([answer])
    found: list[dict[str, Any]] = []
    with Client(f"http://127.0.0.1:{port}") as client, pytest.raises(ServiceUnavailableError):
        found.extend(client.export())
    port, _ = answering([answer + b"0\r\n\r\n"])
    with Client(f"http://127.0.0.1:{port}") as client:
        assert list(client.export()) == [{"a": 1}]


def test_a_silent_service_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with Client(url, timeout=0.2) as client, pytest.raises(ServiceUnavailableError, match=r"within 0\.2 s"):
            client.health()


@pytest.mark.parametrize("url", ["", "localhost:7677", "ftp://x", "http://", "http://x:port", "http://[::1"])
def test_addresses_that_are_none(url: str) -> None:
    with pytest.raises(InvalidInputError):
        Client(url)


def test_one_client_serves_many_threads(served: Served) -> None:
    with Client(served.url) as client, ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(lambda n: client.remember(f"thread {n}", namespace="threads"), range(40)))
        assert len({receipt.memory_id for receipt in receipts}) == 40
        assert client.stats(namespace="threads").memories == 40


def test_a_forgotten_client_leaves_no_open_socket(served: Served) -> None:
    Client(served.url).health()
    gc.collect()  # an unclosed socket would warn here, and warnings are errors


def test_the_async_client(served: Served) -> None:
    async def main() -> None:
        async with AsyncClient(served.url) as client:
            receipt = await client.remember("said async", namespace="async")
            assert (await client.get(receipt.memory_id or "", namespace="async")).text == "said async"

            async def lines() -> Any:
                for number in range(450):
                    yield {"text": f"async line {number}"}

            report = await client.import_lines(lines(), namespace="async")
            assert report.counts == {"stored": 450}
            assert len([line async for line in client.export(namespace="async")]) == 452
            with pytest.raises(NotFoundError):
                await client.get("mem_none")
            async with anyio.create_task_group() as tasks:
                for number in range(20):
                    tasks.start_soon(partial(client.remember, f"at once {number}", namespace="at-once"))
            assert (await client.stats(namespace="at-once")).memories == 20

    anyio.run(main)
