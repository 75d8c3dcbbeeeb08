"""What counts as this machine is decided once, and every part that asks gives the same answer."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ai_memory.api.http.trusted_host import TrustedHost
from ai_memory.api.server import check_exposure
from ai_memory.cli.target import Choices, running_url
from ai_memory.clock import SystemClock
from ai_memory.errors import ForbiddenError, InvalidInputError, MemoryServiceError, OfflineError
from ai_memory.places import is_loopback
from ai_memory.settings import SecretStr, Settings
from ai_memory.wire import Wire, is_on_this_machine
from ai_memory.wiring.stores import open_store_at

LOCAL = [
    "127.0.0.1",
    "127.0.0.2",
    "127.8.8.8",
    "127.255.255.254",
    "::1",
    "::ffff:127.0.0.1",
    "::ffff:127.9.9.9",
    "localhost",
    "LocalHost",
    "localhost.",
    "memory.localhost",
    "a.b.localhost",
    "ip6-localhost",
]
ELSEWHERE = [
    "0.0.0.0",
    "::",
    "126.255.255.255",
    "128.0.0.1",
    "192.168.1.1",
    "::2",
    "::ffff:192.168.1.1",
    "fe80::1",
    "example.org",
    "localhost.example.org",
    "notlocalhost",
    "127.0.0.1.example.org",
]
HOSTS = [(host, True) for host in LOCAL] + [(host, False) for host in ELSEWHERE]


def netloc(host: str) -> str:
    """The host as a URL has it."""
    return f"[{host}]" if ":" in host else host


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_the_one_definition(host: str, local: bool) -> None:
    assert is_loopback(host) is local
    assert is_loopback(netloc(host)) is local


def test_no_host_is_not_this_machine() -> None:
    assert not is_loopback(None)
    assert not is_loopback("")
    assert not is_loopback("127.0.0.1:7677")  # a host and a port are not a host


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_a_server_needs_keys_where_other_machines_reach_it(host: str, local: bool, tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, host=host)
    if local:
        check_exposure(settings)
    else:
        with pytest.raises(InvalidInputError, match="there are no API keys"):
            check_exposure(settings)
        check_exposure(Settings(data_dir=tmp_path, host=host, api_keys={"*": [SecretStr("k" * 20)]}))


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_a_server_answers_to_the_names_of_this_machine(host: str, local: bool) -> None:
    headers = [(b"host", f"{netloc(host)}:7677".encode())]
    numeric = not host[-1].isalpha() and not host.endswith(".")  # an address in digits cannot be rebound
    if local or numeric:
        TrustedHost("192.0.2.1", []).check(headers)
    else:
        with pytest.raises(ForbiddenError):
            TrustedHost("192.0.2.1", []).check(headers)


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_a_client_compresses_only_for_other_machines(host: str, local: bool) -> None:
    url = f"http://{netloc(host)}:7677"
    assert is_on_this_machine(url) is local
    assert (Wire(url, None, 1.0)._headers["Accept-Encoding"] == "identity") is local


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_offline_allows_the_command_line_this_machine_alone(
    host: str, local: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AI_MEMORY_")]:
        monkeypatch.delenv(name)
    url = f"http://{netloc(host)}:7677"
    choices = Choices(url=url, data_dir=str(tmp_path), offline=True)
    if local:
        assert running_url(choices) == url
    else:
        with pytest.raises(OfflineError):
            running_url(choices)


@pytest.mark.parametrize(("host", "local"), HOSTS)
def test_offline_allows_a_store_on_this_machine_alone(host: str, local: bool) -> None:
    with pytest.raises(MemoryServiceError) as caught:  # no server listens on that port
        open_store_at(f"neo4j://neo4j@{netloc(host)}:1/neo4j", "x", clock=SystemClock(), busy_seconds=0, offline=True)
    assert isinstance(caught.value, OfflineError) is not local
