"""What programs send although it is not quite right, and that has one meaning: it is served, or refused with what and where."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest

from ai_memory.operations.base import fields_of
from ai_memory.operations.reading import RECALL
from tests.support.rest_server import Got, Served, ask, remember, serving

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("lenient"), model="none") as running:
        yield running


def post(served: Served, path: str, body: bytes) -> Got:
    return ask(served, "POST", path, body, JSON)


def text_of(served: Served, namespace: str) -> list[str]:
    listed = ask(served, "GET", f"/v1/memories?namespace={namespace}&order=oldest").json
    return [memory["text"] for memory in listed["memories"]]


# half a surrogate pair, as programs send that cut a text in the middle of an emoji
CUT: list[tuple[bytes, str]] = [
    (rb"caf\ud83d", "caf\ufffd"),
    (rb"\uDE00caf", "\ufffdcaf"),
    (rb"a\ud83d\u0041\ude00b", "a\ufffdA\ufffdb"),
    (rb"whole \ud83d\ude00 pair", "whole 😀 pair"),
    (rb"three \ud83d\ud83d\ude00", "three \ufffd😀"),
    (rb"a folder \\ud83d", r"a folder \ud83d"),
    (rb"a folder \\\ud83d", "a folder \\\ufffd"),
]


@pytest.mark.parametrize(("sent", "kept"), CUT)
def test_half_a_pair_is_the_replacement_character(served: Served, sent: bytes, kept: str) -> None:
    namespace = f"cut{abs(hash(sent))}"
    got = post(served, "/v1/memories", b'{"text": "%s", "namespace": "%s"}' % (sent, namespace.encode()))
    assert got.status == 201, got.body
    assert text_of(served, namespace) == [kept]


def test_half_a_pair_fails_no_batch_and_no_question(served: Served) -> None:
    texts = b'[{"text": "whole"}, {"text": "cut \\ud83d", "tags": ["\\ude00"]}, {"text": "whole too"}]'
    got = post(served, "/v1/memories/batch", b'{"namespace": "batch", "memories": %s}' % texts)
    assert got.json["counts"] == {"stored": 3}
    assert text_of(served, "batch") == ["whole", "cut \ufffd", "whole too"]
    asked = post(served, "/v1/recall", b'{"namespace": "batch", "query": "whole \\ud83d", "session": ["\\ud83d"]}')
    assert asked.status == 200, asked.body
    lines = b'{"text": "first \\ud83d"}\n{"text": "second"}\n'
    imported = ask(served, "POST", "/v1/import?namespace=lines", lines, {"Content-Type": "application/x-ndjson"})
    assert imported.json["counts"] == {"stored": 2}


WRONG: dict[str, tuple[Any, str, str]] = {
    "too long": ({"text": "x" * 200_001}, "too_large", "at most 200,000 characters"),
    "a number": ({"text": 5}, "invalid_input", "text: expected text"),
    "blank": ({"text": " "}, "invalid_input", "text is empty"),
    "no text": ({"title": "a"}, "invalid_input", "text"),
    "out of range": ({"text": "a", "importance": 7}, "invalid_input", "importance: expected a number of at most 1"),
    "no date": ({"text": "a", "valid_from": "yesterday"}, "invalid_input", "valid_from"),
    "null": (None, "invalid_input", "expected an object"),
    "a text": ("a", "invalid_input", "expected an object"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_memory_fails_no_batch(served: Served, name: str) -> None:
    wrong, code, reason = WRONG[name]
    namespace = f"wrong {name}"
    drafts = [{"text": "before"}, wrong, {"text": "after", "valid_from": "2026-03-14"}]
    got = ask(served, "POST", "/v1/memories/batch", {"namespace": namespace, "memories": drafts})
    assert (got.status, got.json["counts"]) == (200, {"stored": 2, "rejected": 1}), got.body
    refused = got.json["receipts"][1]
    assert (refused["outcome"], refused["code"], refused["memory_id"]) == ("rejected", code, None)
    assert reason in refused["reason"]
    assert sorted(text_of(served, quote(namespace))) == ["after", "before"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ({"memories": [{"txt": "a"}, {"txt": "b"}]}, 400, "memories[0]: unknown field: txt"),
        (
            {"memories": [{"text": "a"}, {"text": "x" * 200_001}, {"text": "b", "tag": "c"}]},
            400,
            "memories[2]: unknown",
        ),
        ({"memories": [{"text": 1}]}, 400, "memories[0].text: expected text"),
        ({"memories": [{"text": "a"}, None], "namespace": ""}, 400, "namespace"),
        ({"memories": [{"text": "a"}] * 2_000 + [None]}, 413, "2,000"),
        ({"memories": []}, 400, "memories"),
        ({"memories": 5}, 400, "memories"),
    ],
)
def test_a_batch_that_is_not_meant_as_it_is_written_is_an_error(
    served: Served, body: dict[str, Any], status: int, said: str
) -> None:
    before = ask(served, "GET", "/v1/stats").json["memories"]
    got = ask(served, "POST", "/v1/memories/batch", body)
    assert ask(served, "GET", "/v1/stats").json["memories"] == before
    assert got.status == status, got.body
    assert said in got.error["message"]


def test_a_mark_of_the_byte_order_is_no_part_of_the_body(served: Served) -> None:
    assert post(served, "/v1/recall", b'\xef\xbb\xbf{"query": "a"}').status == 200


@pytest.mark.parametrize(
    ("body", "byte"),
    [
        ('{"text": "a"}'.encode("utf-16"), "it is in UTF-16"),
        ('{"text": "a"}'.encode("utf-16-le"), "it is in UTF-16-LE"),
        ('{"text": "a"}'.encode("utf-16-be"), "it is in UTF-16-BE"),
        ('{"text": "a"}'.encode("utf-32"), "it is in UTF-32"),
        (b'{"text": "caf\xe9"}', "byte 13 (0xe9)"),
        (b'{"text": "cut \xed\xa0\xbd"}', "byte 14 (0xed)"),
    ],
)
def test_what_is_not_utf8_is_named_with_its_place(served: Served, body: bytes, byte: str) -> None:
    got = post(served, "/v1/memories", body)
    assert got.status == 400
    assert byte in got.error["message"]


def test_null_and_empty_fields_are_not_given(served: Served) -> None:
    remember(
        served, "Blank fields change nothing.", namespace="blank", session=None, tags=None, title="", valid_from=""
    )
    optional = [name for name, field in fields_of(RECALL.request).items() if not field.required]
    for blank in (None, ""):
        given: dict[str, Any] = {**dict.fromkeys(optional, blank), "namespace": "blank", "query": "blank fields"}
        got = ask(served, "POST", "/v1/recall", given)
        assert got.status == 200, got.body
        (hit,) = got.json["hits"]
        assert (hit["memory"]["title"], hit["memory"]["session"], hit["memory"]["tags"]) == (None, None, [])
    listed = ask(served, "GET", "/v1/memories?namespace=blank&session=&cursor=&limit=&occurred_after=&tags=")
    assert len(listed.json["memories"]) == 1, listed.body


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/v1/recall/", {"query": "a"}),
        ("POST", "/v1/memories/", {"text": "stored with a slash"}),
        ("GET", "/v1/memories/", None),
        ("GET", "/v1/memories//", None),
        ("GET", "/v1/stats/", None),
        ("GET", "/v1/neighbours/entity:Slash/", None),
        ("GET", "/health/live/", None),
        ("GET", "/docs/", None),
        ("GET", "/metrics/", None),
        ("GET", "/v1/openapi.json/", None),
        ("GET", "/v1/export/", None),
    ],
)
def test_a_slash_at_the_end_changes_nothing(served: Served, method: str, path: str, body: Any) -> None:
    ask(served, "POST", "/v1/relations", {"source": "entity:Slash", "target": "entity:Path", "type": "HAS"})
    got = ask(served, method, path, body)
    assert got.status in (200, 201), got.body


def test_a_slash_that_belongs_to_a_name_stays(served: Served) -> None:
    name = "person/Ada/"
    edge = {"source": f"entity:{name}", "target": "entity:Math", "type": "KNOWS"}
    assert ask(served, "POST", "/v1/relations", edge).status == 200
    for end in ("", "/"):
        found = ask(served, "GET", f"/v1/neighbours/{quote('entity:' + name, safe='')}{end}")
        assert [each["label"] for each in found.json["neighbours"]] == ["Math"]
    assert ask(served, "GET", "/v1/neighbours/entity:person/Ada/").status == 404


def test_relation_types_are_kept_in_one_form(served: Served) -> None:
    made = [
        ask(served, "POST", "/v1/relations", {"source": "entity:Anna", "target": "entity:Globex", "type": name}).json
        for name in ("works_at", "works at", "worksAt", "Works-At", "WORKS_AT")
    ]
    assert {(relation["type"], relation["id"]) for relation in made} == {("WORKS_AT", made[0]["id"])}
    for name in ("works_at", "works%20at", "WORKS_AT"):
        found = ask(served, "GET", f"/v1/neighbours/entity:Anna?types={name}").json["neighbours"]
        assert [each["label"] for each in found] == ["Globex"]
    assert ask(served, "GET", "/v1/path?source=entity:Anna&target=entity:Globex&types=works_at").json["paths"]


def test_a_relation_of_an_archive_gets_the_same_form(served: Served) -> None:
    ask(served, "POST", "/v1/relations", {"source": "entity:Bo", "target": "entity:Hooli", "type": "WORKS_AT"})
    archive = ask(served, "GET", "/v1/export?namespace=default").body
    assert b'"WORKS_AT"' in archive
    target = "/v1/import?namespace=copy"
    lines = archive.replace(b'"WORKS_AT"', b'"works at"')
    imported = ask(served, "POST", target, lines, {"Content-Type": "application/x-ndjson"})
    assert imported.json["rejected"] == [], imported.body
    found = ask(served, "GET", "/v1/neighbours/entity:Bo?namespace=copy").json["neighbours"]
    assert [each["relation"]["type"] for each in found] == ["WORKS_AT"]
