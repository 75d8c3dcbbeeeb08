"""What an address may hold that is secret, a password or a key, is in no error, notice, log, setting or report of health."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory import Client, Memory
from ai_memory.cli.program import main
from ai_memory.errors import MemoryServiceError
from ai_memory.places import shown_address
from ai_memory.settings import Settings
from ai_memory.wiring import migrate

SECRET = "hunter2"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (f"http://user:{SECRET}@host:1/a", "http://***@host:1/a"),
        (f"https://{SECRET}@host", "https://***@host"),
        (f"https://host/v1?api_key={SECRET}&model=x", "https://host/v1?api_key=***&model=***"),
        (f"https://host/v1?{SECRET}", "https://host/v1?***"),
        (f"HTTP://user:{SECRET}@host", "HTTP://***@host"),
        (f"http://user:p@ss{SECRET}@host", "http://***@host"),
        (f"http://user:a/{SECRET}@host/x", "http://***@host/x"),
        (f"http://user:a?{SECRET}@host/x", "http://***@host/x"),
        (f"http://user:a#{SECRET}@host/x", "http://***@host/x"),
        (f"http://user:{SECRET}@[::1]:7/x", "http://***@[::1]:7/x"),
        (f"neo4j://neo4j:{SECRET}@host:7687/db", "neo4j://neo4j:***@host:7687/db"),
        (f"bolt+s://ada:{SECRET}@host", "bolt+s://ada:***@host"),
        (f"neo4j://ada@host/db?password={SECRET}", "neo4j://ada@host/db?password=***"),
        ("neo4j://neo4j@host:7687/db", "neo4j://neo4j@host:7687/db"),
        ("http://127.0.0.1:7677", "http://127.0.0.1:7677"),
        ("https://host:1/a/b", "https://host:1/a/b"),
        ("/a/path?with=@signs", "/a/path?with=@signs"),
        ("", ""),
    ],
)
def test_an_address_is_shown_without_its_secrets(given: str, shown: str) -> None:
    assert shown_address(given) == shown


ADDRESSES = {
    "an embedder": {"embedder_url": f"http://user:{SECRET}@127.0.0.1:1/?key={SECRET}"},
    "an embedder elsewhere": {"embedder_url": f"http://user:{SECRET}@192.0.2.1:1/?key={SECRET}", "offline": True},
    "an embedder of no kind": {"embedder_url": f"ftp://user:{SECRET}@127.0.0.1:1"},
    "a database": {"store": f"neo4j://neo4j:{SECRET}@127.0.0.1:1/neo4j", "busy_timeout_seconds": 0.1},
    "a database elsewhere": {"store": f"bolt://neo4j:{SECRET}@192.0.2.1:1/neo4j", "offline": True},
    "a database of no kind": {"store": f"mysql://root:{SECRET}@127.0.0.1/x?password={SECRET}"},
    "a database with too much": {"store": f"neo4j://neo4j@127.0.0.1/x?password={SECRET}"},
}


@pytest.mark.parametrize("flags", ADDRESSES.values(), ids=ADDRESSES)
def test_nothing_that_the_service_says_shows_it(
    tmp_path: Path, flags: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    settings = Settings(data_dir=tmp_path, **flags)  # type: ignore[arg-type]
    said = [json.dumps(settings.masked()), repr(settings.masked())]
    try:
        with Memory(settings=settings) as memory:
            memory.remember("anything")
            answer = memory.recall("anything")
            assert answer.notices, "the embedder does not answer, and that is said"
            said += [repr(answer.notices), repr(memory.health()), repr(memory.stats()), repr(memory._service.doctor())]
    except MemoryServiceError as error:
        said += [error.message, str(error.hint), repr(error.details)]
    said.append(caplog.text)
    assert len("".join(said)) > 300
    assert [each for each in said if SECRET in each] == []


def _client(folder: Path) -> None:
    Client(f"http://user:{SECRET}@127.0.0.1:1/?key={SECRET}").stats()


def _no_client(folder: Path) -> None:
    Client(f"ftp://user:{SECRET}@127.0.0.1:1")


def _migration(folder: Path) -> None:
    with Memory(data_dir=folder, model="none") as memory:
        memory.remember("anything")
    to = f"bolt://neo4j:{SECRET}@127.0.0.1:1"
    migrate(Settings(data_dir=folder, busy_timeout_seconds=0.1), str(folder / "memory.db"), to)


@pytest.mark.parametrize("call", [_client, _no_client, _migration])
def test_no_error_shows_it(tmp_path: Path, call: Callable[[Path], None]) -> None:
    with pytest.raises(MemoryServiceError) as refused:
        call(tmp_path)
    said = f"{refused.value.message} {refused.value.hint} {refused.value.details!r}"
    assert SECRET not in said


@pytest.mark.parametrize(
    "words",
    [
        ["settings"],
        ["settings", "--json"],
        ["stats", "--url", f"http://user:{SECRET}@127.0.0.1:1/?key={SECRET}"],
        ["stats", "--url", f"ftp://user:{SECRET}@127.0.0.1:1"],
        ["stats", "--offline", "--url", f"http://user:{SECRET}@192.0.2.1:1"],
    ],
    ids=lambda words: " ".join(words).replace(SECRET, "…"),
)
def test_no_command_shows_it(
    tmp_path: Path, words: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AI_MEMORY_EMBEDDER_URL", f"http://user:{SECRET}@127.0.0.1:1/?key={SECRET}")
    monkeypatch.setenv("AI_MEMORY_STORE", f"neo4j://neo4j:{SECRET}@127.0.0.1:1")
    main([*words, "--data-dir", str(tmp_path)])
    out, err = capsys.readouterr()
    assert out or err
    assert SECRET not in out + err
