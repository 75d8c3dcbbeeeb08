"""Requests of other sites' pages are refused: the Host and Origin headers."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_memory.api.http.trusted_host import TrustedHost
from ai_memory.errors import ForbiddenError
from tests.support.rest_server import ask, ask_raw, serving


def headers(host: str | None, origin: str | None = None) -> list[tuple[bytes, bytes]]:
    pairs = [(b"host", host), (b"origin", origin)]
    return [(name, value.encode()) for name, value in pairs if value is not None]


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        ("127.0.0.1:7677", None),
        ("localhost", None),
        ("LOCALHOST:1", None),
        ("localhost.:1", None),
        ("[::1]:7677", None),
        ("192.168.1.20:7677", None),
        ("[fe80::1]", None),
        ("memory.example", None),
        ("memory.example:443", "https://memory.example"),
        ("127.0.0.1:7677", "http://127.0.0.1:7677"),
        ("[::1]:7677", "http://[::1]:7677"),
        ("box:7677", "http://BOX:7677"),
    ],
)
def test_those_who_mean_this_server_pass(host: str, origin: str | None) -> None:
    TrustedHost("box", ["memory.example"]).check(headers(host, origin))


@pytest.mark.parametrize(
    ("host", "origin"),
    [
        (None, None),
        ("", None),
        ("evil.example", None),
        ("memory.example.evil.example", None),
        ("127.0.0.1.evil.example:7677", None),
        ("[::1", "null"),
        ("127.0.0.1:7677", "https://evil.example"),
        ("127.0.0.1:7677", "http://127.0.0.1:3000"),
        ("127.0.0.1:7677", "http://localhost:7677"),
        ("127.0.0.1:7677", "null"),
        ("127.0.0.1:7677", ""),
        ("127.0.0.1:7677", "http://[::1"),
    ],
)
def test_others_do_not(host: str | None, origin: str | None) -> None:
    with pytest.raises(ForbiddenError):
        TrustedHost("127.0.0.1", ["memory.example"]).check(headers(host, origin))


def test_foreign_requests_change_nothing(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        body = {"text": "planted by a page"}
        for extra in ({"Host": "evil.example"}, {"Origin": "https://evil.example"}, {"Origin": "null"}):
            got = ask(served, "POST", "/v1/memories", body, extra)
            assert (got.status, got.error["code"]) == (403, "forbidden")
        assert b" 403 " in ask_raw(served, b"GET /v1/memories HTTP/1.0\r\n\r\n").splitlines()[0]
        assert ask(served, "GET", "/v1/stats").json["memories"] == 0
