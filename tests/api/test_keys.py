"""API keys over HTTP: what each opens, and what stays shut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ai_memory.api.http.keys import Keys
from ai_memory.errors import InvalidInputError
from tests.support.rest_server import Served, ask, serving

ONE, BOTH, ALL = "key-of-one", "key-of-both", "key-of-all"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    keys = {"one": [ONE, BOTH], "two": [BOTH], "*": [ALL]}
    with serving(tmp_path_factory.mktemp("keys"), api_keys=keys) as running:
        for namespace in ("one", "two", "three"):
            body = {"text": f"kept in {namespace}", "namespace": namespace}
            assert ask(running, "POST", "/v1/memories", body, bearer(ALL)).status == 201
        yield running


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


REQUESTS: dict[str, tuple[str, str, Any]] = {
    "remember": ("POST", "/v1/memories", {"text": "more", "namespace": "{}"}),
    "remember_many": ("POST", "/v1/memories/batch", {"memories": [{"text": "more"}], "namespace": "{}"}),
    "list": ("GET", "/v1/memories?namespace={}", None),
    "contexts": ("GET", "/v1/contexts?namespace={}", None),
    "timeline": ("GET", "/v1/timeline?namespace={}", None),
    "changes": ("GET", "/v1/changes?namespace={}", None),
    "stats": ("GET", "/v1/stats?namespace={}", None),
    "export": ("GET", "/v1/export?namespace={}", None),
    "forget_about": ("POST", "/v1/memories/forget-about", {"about": "Nobody", "namespace": "{}"}),
    "forget_many": ("POST", "/v1/memories/forget", {"tags": ["none"], "namespace": "{}"}),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize(("key", "opens"), [(ONE, {"one"}), (BOTH, {"one", "two"}), (ALL, {"one", "two", "three"})])
def test_a_key_opens_its_namespaces_and_no_other(served: Served, name: str, key: str, opens: set[str]) -> None:
    method, target, body = REQUESTS[name]
    for namespace in ("one", "two", "three"):
        filled = body and {**body, "namespace": namespace}
        got = ask(served, method, target.format(namespace), filled, bearer(key))
        if namespace in opens:
            assert got.status in (200, 201), got.body
        else:
            assert (got.status, got.error["code"]) == (403, "forbidden")
            assert namespace in got.error["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer wrong"},
        {"Authorization": f"Basic {ONE}"},
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {ONE}x"},
        {"X-API-Key": "wrong"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer kéy"},
    ],
)
def test_without_a_known_key_nothing_opens(served: Served, headers: dict[str, str]) -> None:
    for method, target in (("GET", "/v1/memories?namespace=one"), ("GET", "/v1/export"), ("GET", "/metrics")):
        got = ask(served, method, target, None, headers)
        assert (got.status, got.error["code"]) == (401, "unauthorized")
        assert got.headers["www-authenticate"].startswith("Bearer")


def test_both_headers_are_read(served: Served) -> None:
    assert ask(served, "GET", "/v1/memories?namespace=one", None, {"X-API-Key": ONE}).status == 200
    assert ask(served, "GET", "/v1/memories?namespace=one", None, {"Authorization": f"bearer {ONE}"}).status == 200


def test_what_spans_namespaces_wants_the_key_of_all(served: Served) -> None:
    for target in ("/v1/stats", "/v1/export", "/metrics"):
        assert ask(served, "GET", target, None, bearer(BOTH)).status == 403
        assert ask(served, "GET", target, None, bearer(ALL)).status == 200
    lines = {"Content-Type": "application/x-ndjson"}
    assert ask(served, "POST", "/v1/import", b"{}", {**bearer(BOTH), **lines}).status == 403
    assert ask(served, "POST", "/v1/import?namespace=two", b"", {**bearer(BOTH), **lines}).status == 200


def test_the_list_of_namespaces_is_cut_to_the_key(served: Served) -> None:
    def names(key: str) -> list[str]:
        found = ask(served, "GET", "/v1/namespaces", None, bearer(key)).json["namespaces"]
        return [one["namespace"] for one in found]

    assert (names(ONE), names(BOTH), names(ALL)) == (["one"], ["one", "two"], ["one", "three", "two"])


def test_an_import_cannot_leave_its_namespace(served: Served) -> None:
    archive = ask(served, "GET", "/v1/export?namespace=three", None, bearer(ALL)).body
    headers = {**bearer(ONE), "Content-Type": "application/x-ndjson"}
    ask(served, "POST", "/v1/import?namespace=one", archive + b'{"text": "sneaky", "namespace": "two"}\n', headers)
    found = ask(served, "GET", "/v1/memories?namespace=two", None, bearer(ALL)).json["memories"]
    assert "sneaky" not in {one["text"] for one in found}


def test_pages_about_the_server_need_no_key(served: Served) -> None:
    for target in ("/health/live", "/health/ready", "/docs", "/v1/openapi.json", "/openapi.json"):
        assert ask(served, "GET", target).status == 200


def test_blank_keys_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="blank"):
        Keys({"*": ["  "]})
    assert not Keys({}).required
    assert not Keys({"*": []}).required
