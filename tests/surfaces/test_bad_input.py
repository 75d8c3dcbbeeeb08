"""Bad input through every surface: the documented error code, nothing changed, nothing for doctor to find."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ai_memory import Memory
from ai_memory.errors import MemoryServiceError, error_classes
from ai_memory.operations.base import fields_of, parse
from ai_memory.operations.table import BY_NAME
from ai_memory.operations.writing import MAX_BATCH, MAX_TAGS, MAX_TEXT
from ai_memory.wiring import doctor
from tests.support.rest_server import Served, ask
from tests.support.surfaces import CommandLine, Mcp, Rest, Surface, Values, all_surfaces, plain, settings

DEEP = json.loads("[" * 200 + "]" * 200)
EVERYWHERE = frozenset({"python", "rest", "mcp", "cli"})
NOT_IN_JSON = frozenset({"python"})
"""For values that JSON cannot write, or that a client library refuses to."""


class Bad(NamedTuple):
    """One kind of bad input. `on` names the surfaces where it can be expressed at all."""

    kind: str
    operation: str
    values: dict[str, Any]
    code: str = "invalid_input"
    on: frozenset[str] = EVERYWHERE


def _bad(kind: str, operation: str, code: str = "invalid_input", *, without: str = "", **values: Any) -> Bad:
    return Bad(kind, operation, values, code, EVERYWHERE - set(without.split()))


TABLE = (
    _bad("empty text", "remember", text=""),
    _bad("blank text", "remember", text=" \t\r\n\u3000\u00a0"),
    _bad("huge text", "remember", "too_large", text="x" * (MAX_TEXT + 1)),
    _bad("NUL in a text", "remember", text="a\0b"),
    _bad("NUL in a title", "remember", text="good", title="a\0b", without="mcp"),
    _bad("NUL in a tag", "remember", text="good", tags=["a\0"], without="mcp"),
    _bad("NUL in a context", "remember", text="good", context="a/\0", without="mcp"),
    _bad("NUL in a question", "recall", query="a\0b"),
    _bad("lone surrogate in a text", "remember", text="a\ud800b", without="mcp rest"),
    _bad("lone surrogate in a question", "recall", query="\udfff", without="mcp rest"),
    _bad("lone surrogate deep in attributes", "remember", text="good", attributes={"a": [{"b": "\ud800"}]},
         without="mcp rest"),
    _bad("number for a text", "remember", text=5, without="cli"),
    _bad("list for a text", "remember", text=["a"], without="cli"),
    _bad("null for a text", "remember", text=None, without="cli mcp"),
    _bad("null for a question", "recall", query=None, without="cli mcp"),
    _bad("no text at all", "remember", title="only a title"),
    _bad("unknown field", "remember", text="good", colour="red"),
    _bad("unknown type", "remember", text="good", type="feeling"),
    _bad("type in capitals", "remember", text="good", type="SEMANTIC", without="mcp"),
    _bad("date that is none", "remember", text="good", valid_from="yesterday-ish"),
    _bad("31 February", "remember", text="good", valid_from="2026-02-31"),
    _bad("year 0", "remember", text="good", valid_from="0000-01-01"),
    _bad("year 10000", "remember", text="good", valid_to="10000-01-01"),
    _bad("validity that ends before it begins", "remember", text="good", valid_from="2026-02-01", valid_to="2026-01-01"),
    _bad("validity of no length", "remember", text="good", valid_from="2026-02-01", valid_to="2026-02-01"),
    _bad("importance above 1", "remember", text="good", importance=1.01),
    _bad("importance below 0", "remember", text="good", importance=-0.01),
    _bad("importance NaN", "remember", text="good", importance=float("nan"), without="mcp"),
    _bad("importance infinite", "remember", text="good", importance=float("inf"), without="mcp"),
    _bad("importance as words", "remember", text="good", importance="very"),
    _bad("confidence above 1", "remember", text="good", confidence=1e300, without="mcp"),
    _bad("too many tags", "remember", "too_large", text="good", tags=[f"t{n}" for n in range(MAX_TAGS + 1)]),
    _bad("too long a tag", "remember", "too_large", text="good", tags=["t" * 129]),
    _bad("empty tag", "remember", text="good", tags=[""], without="mcp"),
    _bad("tags that are numbers", "remember", text="good", tags=[1, 2], without="cli"),
    _bad("too long a title", "remember", "too_large", text="good", title="t" * 1001),
    _bad("too long an author", "remember", "too_large", text="good", author="a" * 257),
    _bad("too long a context", "remember", "too_large", text="good", context="c/" * 300),
    _bad("empty namespace", "remember", text="good", namespace="", without="mcp"),
    _bad("too long a namespace", "remember", "too_large", text="good", namespace="n" * 129, without="mcp"),
    _bad("NUL in a namespace", "remember", text="good", namespace="n\0", without="mcp"),
    _bad("wrong attributes for a type", "remember", text="good", type="procedural", attributes={"steps": 5}, without="mcp"),
    _bad("attributes that are a list", "remember", text="good", attributes=[1], without="cli mcp"),
    _bad("attributes deep beyond reason", "remember", text="good", attributes={"a": DEEP}, without="cli mcp"),
    _bad("supersedes what is not there", "remember", "conflict", text="good", supersedes=["mem_nothing"]),
    _bad("empty idempotency key", "remember", text="good", idempotency_key="", without="mcp"),
    _bad("huge idempotency key", "remember", text="good", idempotency_key="k" * 257, without="mcp"),
    _bad("used idempotency key", "remember", "idempotency_conflict", text="other", idempotency_key="used", without="mcp"),
    _bad("empty batch", "remember_many", memories=[]),
    _bad("huge batch", "remember_many", "too_large", memories=[{"text": "x"}] * (MAX_BATCH + 1)),
    _bad("batch that is a number", "remember_many", memories=5),
    _bad("batch with an unknown field", "remember_many", memories=[{"text": "good"}, {"text": "good", "x": 1}]),
    _bad("conversation without messages", "remember_messages", messages=[]),
    _bad("huge conversation", "remember_messages", "too_large", messages=[{"role": "user", "content": "x"}] * (MAX_BATCH + 1)),
    _bad("message without a role", "remember_messages", messages=[{"content": "x"}]),
    _bad("message whose content is a number", "remember_messages", messages=[{"role": "user", "content": 5}]),
    _bad("message at no time", "remember_messages", messages=[{"role": "user", "content": "x", "time": "then"}]),
    _bad("unknown memory", "get", "not_found", id="mem_nothing"),
    _bad("memory of another namespace", "get", "not_found", id="$id", namespace="other"),
    _bad("path for an id", "get", "not_found", id="../../etc/passwd"),
    _bad("SQL for an id", "get", "not_found", id="x' OR 1=1 --"),
    _bad("huge id", "get", "too_large", id="m" * 261),
    _bad("empty question filter", "recall", query="x", types=["feeling"]),
    _bad("condition on what is no filter", "list", where={"price": 4}),
    _bad("condition with an unknown operator", "recall", query="x", where={"attributes.a": {"$near": 1}}),
    _bad("condition that says nothing", "list", where={"$and": []}),
    _bad("condition that is a list", "list", where=[1], without="cli"),
    _bad("condition deep beyond reason", "list", where={"$and": DEEP}),
    _bad("relevance above 1", "recall", query="x", min_relevance=1.5),
    _bad("score that is no number", "recall", query="x", min_score="high"),
    _bad("huge question", "recall", "too_large", query="q" * 20_001),
    _bad("limit 0", "recall", query="x", limit=0),
    _bad("limit below 0", "list", limit=-5),
    _bad("limit above the most", "list", limit=1001),
    _bad("giant limit", "list", limit=10**30),
    _bad("limit with a fraction", "list", limit=1.5),
    _bad("limit as words", "list", limit="many"),
    _bad("unknown layer", "recall", query="x", layers=["deep"], without="mcp"),
    _bad("unknown recipe", "recall", query="x", recipe="tasty", without="mcp"),
    _bad("no budget", "recall", query="x", max_tokens=-1),
    _bad("cursor that is noise", "list", cursor="%%%not-a-cursor%%%"),
    _bad("cursor with a bit changed", "list", limit=1, cursor="$tampered"),
    _bad("cursor of other filters", "list", limit=1, cursor="$cursor", tags=["red"]),
    _bad("unknown order", "list", order="random", without="mcp"),
    _bad("stale revision", "revise", "stale_revision", id="$id", text="newer", if_revision=7),
    _bad("revision below 0", "revise", "stale_revision", id="$id", text="newer", if_revision=-1),
    _bad("giant revision", "revise", "stale_revision", id="$id", text="newer", if_revision=10**18),
    _bad("revision to blank", "revise", id="$id", text="   "),
    _bad("revision to another's text", "revise", "conflict", id="$id", text="second memory"),
    _bad("revision of a retired memory", "revise", "conflict", id="$retired", text="newer"),
    _bad("revision with validity turned round", "revise", id="$id", valid_from="2026-05-01", valid_to="2026-04-01"),
    _bad("too long a title in a revision", "revise", "too_large", id="$id", title="t" * 1001),
    _bad("too many tags in a revision", "revise", "too_large", id="$id", tags=[f"t{n}" for n in range(MAX_TAGS + 1)]),
    _bad("NUL in a reason", "revise", id="$id", text="newer", reason="a\0b"),
    _bad("lone surrogate in a reason", "retire", id="$id", reason="\ud800", without="mcp rest"),
    _bad("retire what is not there", "retire", "not_found", id="mem_nothing"),
    _bad("forget what is not there", "forget", "not_found", id="mem_nothing"),
    _bad("forget with a stale revision", "forget", "stale_revision", id="$id", if_revision=9, without="mcp"),
    _bad("reason that repeats what it forgets", "forget", id="$id", reason="it said: FIRST  memory"),
    _bad("NUL in a reason for forgetting", "forget", id="$id", reason="a\0b"),
    _bad("reason that repeats one of many", "forget_many", context="a", reason="the second memory", dry_run=False,
         allow_share=1.0),
    _bad("forget many without a filter", "forget_many", dry_run=False),
    _bad("forget many by an empty user", "forget_many", user="", everything=True, dry_run=False),
    _bad("forget many by an empty context", "forget_many", context="", everything=True, dry_run=False),
    _bad("forget many by an empty date", "forget_many", occurred_after="", everything=True, dry_run=False),
    _bad("forget about nothing", "forget_about", about=""),
    _bad("feedback of no kind", "feedback", id="mem_1", verdict="excellent"),
    _bad("a proposal of no memory", "propose", id=""),
    _bad("a proposal that is surer than sure", "propose", id="mem_1", confidence=1.5),
    _bad("a decision that there is not", "decide", id="pro_1", decision="perhaps"),
    _bad("a decision put off into the past", "decide", id="pro_1", decision="later", until="2001-01-01"),
    _bad("nothing to sum up", "consolidate"),
    _bad("too much to sum up at once", "consolidate", session="a", topic="b"),
    _bad("a digest without sentences", "consolidate", session="a", sentences=0),
    _bad("an action on a job that there is not", "steer_job", id="job_1", action="stop"),
    _bad("a job that there is not", "steer_job", "not_found", id="job_1", action="pause"),
    _bad("all jobs allowed at once", "steer_job", id="all", action="allow"),
    _bad("events behind what is no cursor", "events", cursor="12.x"),
    _bad("events of a kind that there is not", "events", kinds=["rumour"]),
    _bad("a longer wait for events than there is", "events", wait=31),
    _bad("a place for a backup", "make_backup", folder="/tmp/elsewhere", without="mcp"),
    _bad("a check that repairs a little", "check", repair="a little"),
    _bad("a backup that is a path", "verify_backup", "not_found", backup="../memory.db"),
    _bad("a backup that there is not", "delete_backup", "not_found", backup="memory-20260101-000000.db"),
    _bad("a model to fetch from anywhere", "fetch_model", "not_found", model="https://example.com/model"),
    _bad("jobs in a state that there is not", "jobs", states=["asleep"]),
    _bad("forget about an empty user", "forget_about", about="Ada", user=""),
    _bad("forget about with a reason that has the name", "forget_about", about="Ada", reason="as Ada said"),
    _bad("forget a share above 1", "forget_many", allow_share=2.0, tags=["red"]),
    _bad("relation that begins with a digit", "relate", source="$id", target="$second", type="2nd"),
    _bad("relation of other letters", "relate", source="$id", target="$second", type="знает"),
    _bad("relation with a stop", "relate", source="$id", target="$second", type="IS.A"),
    _bad("too long a relation", "relate", source="$id", target="$second", type="A" * 65),
    _bad("decision in lower case", "relate", source="entity:A", target="entity:B", type="merged into"),
    _bad("relation to itself", "relate", source="$id", target="$id", type="CAUSES"),
    _bad("relation to nothing", "relate", "not_found", source="$id", target="mem_nothing", type="CAUSES"),
    _bad("relation to a word", "relate", source="$id", target="Ada", type="NEEDS"),
    _bad("relation to an empty name", "relate", source="$id", target="entity:", type="NEEDS"),
    _bad("relation with NUL in a name", "relate", source="$id", target="entity:a\0", type="NEEDS"),
    _bad("relation with NUL in attributes", "relate", source="$id", target="$second", type="NEEDS",
         attributes={"a": "\0"}, without="mcp"),
    _bad("relation with a surrogate in attributes", "relate", source="$id", target="$second", type="NEEDS",
         attributes={"a": "\ud800"}, without="mcp rest"),
    _bad("relation of weight 2", "relate", source="$id", target="$second", type="NEEDS", weight=2.0, without="mcp"),
    _bad("relation with evidence that is not there", "relate", "not_found", source="$id", target="$second", type="NEEDS",
         evidence="mem_nothing", without="mcp"),
    _bad("relation with dates turned round", "relate", source="$id", target="$second", type="NEEDS",
         valid_from="2026-02-01", valid_to="2026-01-01", without="mcp"),
    _bad("unrelate what is not there", "unrelate", "not_found", id="rel_nothing"),
    _bad("relation that says what a decision says", "relate", source="entity:A", target="entity:B", type="MERGED_INTO"),
    _bad("merge of nothing", "merge", into="entity:A", things=[]),
    _bad("merge of what is not there", "merge", "not_found", into="entity:A", things=["entity:nobody"]),
    _bad("merge of a memory", "merge", into="entity:A", things=["$id"]),
    _bad("merge into a memory", "merge", "not_found", into="$id", things=["entity:nobody"]),
    _bad("merge of too many", "merge", "too_large", into="entity:A", things=["entity:B"] * 101),
    _bad("merge of an empty name", "merge", into="entity:B", things=["entity:"]),
    _bad("merge into a NUL", "merge", "not_found", into="entity:A\0", things=["entity:B"]),
    _bad("split of what is not there", "split", "not_found", thing="entity:nobody", into="entity:A", ids=["$id"]),
    _bad("split of no memory", "split", thing="entity:A", into="entity:B", ids=[]),
    _bad("undo of what was not decided", "undo", "not_found", id="dec_nothing"),
    _bad("decisions about nobody", "decisions", "not_found", about="entity:nobody"),
    _bad("neighbours too deep", "neighbours", id="$id", depth=5),
    _bad("neighbours of nothing", "neighbours", "not_found", id="mem_nothing"),
    _bad("unknown bucket", "timeline", bucket="century"),
    _bad("history of nothing", "history", "not_found", id="mem_nothing"),
    _bad("instant in the far past", "get", id="$id", known_at="0000-00-00"),
    _bad("filter by a date that is none", "list", occurred_after="soon"),
    _bad("importance filter out of range", "list", min_importance=3, without="mcp"),
    _bad("rate of nothing", "reembed", model="hashing", rate=0),
    _bad("rate below 0", "reembed", model="hashing", rate=-1),
    _bad("rate NaN", "reembed", model="hashing", rate=float("nan")),
    _bad("rate infinite", "reembed", model="hashing", rate=float("inf")),
    _bad("rate as words", "reembed", model="hashing", rate="fast"),
    _bad("dimension too small", "reembed", model="hashing", dimension=7),
    _bad("dimension too large", "reembed", model="hashing", dimension=8193),
    _bad("dimension of a fraction", "reembed", model="hashing", dimension=64.5),
    _bad("unknown model", "reembed", model="no such model"),
    _bad("model that is a folder that is not there", "reembed", "model_files", model="/no/such/folder"),
    _bad("no model to be found", "reembed", "embedder_unavailable", model="minilm"),
    _bad("cancelling nothing", "cancel_reembed", "not_found"),
    _bad("switching to nothing", "activate_generation", "not_found", incomplete=True),
    _bad("taking back nothing", "take_back", "not_found"),
    _bad("taking back to generation 0", "take_back", generation=0),
    _bad("pruning what is not there", "prune_generations", "not_found", generation=5),
)  # fmt: skip


class Requests:
    """In process, from plain values, as every adapter does it."""

    name = "python"

    def __init__(self, memory: Memory) -> None:
        self.memory = memory

    def call(self, operation: str, values: Values, lines: Any = ()) -> Any:
        try:
            request = parse(BY_NAME[operation].request, values)
            return plain(self.memory.caller.carry_out(BY_NAME[operation], request))
        except MemoryServiceError as error:
            return plain({"error": error.body()})


class Place:
    """A surface, and what its store holds."""

    def __init__(self, surface: Surface, reader: Surface) -> None:
        self.surface = surface
        self.reader = reader
        self.names: dict[str, str] = {}
        self._fill()
        self.digest = self.state()

    def state(self) -> str:
        """A digest over everything exported."""
        lines = self.reader.call("export", {})
        assert isinstance(lines, list)
        assert len(lines) > 3
        return hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()

    def is_unchanged(self) -> bool:
        """Whether the store holds what it held at the last look."""
        before, self.digest = self.digest, self.state()
        return before == self.digest

    def _fill(self) -> None:
        for name, text in (("id", "first memory"), ("second", "second memory"), ("retired", "third memory")):
            given = {"text": text, "context": "a/b", "valid_from": "2026-01-01"}
            receipt = self.reader.call("remember", {**given, **({"idempotency_key": "used"} if name == "id" else {})})
            self.names[name] = receipt["memory_id"]
        self.reader.call("retire", {"id": self.names["retired"]})
        self.names["cursor"] = cursor = self.reader.call("list", {"limit": 1})["cursor"]
        self.names["tampered"] = cursor[:-3] + ("A" if cursor[-3] != "A" else "B") + cursor[-2:]

    def named(self, value: Any) -> Any:
        """`$id` and the like replaced by their values in this store."""
        return self.names[value[1:]] if isinstance(value, str) and value.startswith("$") else value


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Place]]:
    folder = tmp_path_factory.mktemp("bad")
    with all_surfaces(folder) as surfaces:
        in_process = surfaces["python"]
        memory: Memory = in_process.methods  # type: ignore[attr-defined]
        mcp = surfaces["mcp"]
        yield {
            "python": Place(Requests(memory), in_process),
            "rest": Place(surfaces["rest"], surfaces["rest"]),
            "mcp": Place(mcp, mcp),
            "cli": Place(surfaces["cli"], surfaces["cli"]),
        }
    for name in ("python", "rest", "mcp", "cli"):
        assert doctor(settings(folder / name)) == (), name


def _expressible(bad: Bad, place: Place) -> bool:
    name = place.surface.name
    if name not in bad.on:
        return False
    known = set(fields_of(BY_NAME[bad.operation].request))
    if isinstance(place.surface, Mcp):
        tool = BY_NAME[bad.operation].tool
        return tool is not None and set(bad.values) & known <= set(tool.fields)
    if isinstance(place.surface, CommandLine):
        return BY_NAME[bad.operation].command is not None
    return True


@pytest.mark.parametrize("surface", sorted(EVERYWHERE))
@pytest.mark.parametrize("bad", TABLE, ids=lambda bad: bad.kind)
def test_bad_input_gets_its_code_and_changes_nothing(places: dict[str, Place], bad: Bad, surface: str) -> None:
    place = places[surface]
    if not _expressible(bad, place):
        return
    values = {name: place.named(value) for name, value in bad.values.items()}
    call = place.surface.call_tool if isinstance(place.surface, Mcp) else place.surface.call
    answer = call(bad.operation, values)
    assert place.is_unchanged(), answer
    rejected = isinstance(answer, dict) and answer.get("outcome") == "rejected"
    if rejected:  # `remember` promises a receipt that says so; REST answers with a conflict
        assert bad.operation == "remember"
        assert answer["memory_id"] is None
        assert answer["reason"]
    else:
        assert "error" in answer, answer
        assert answer["error"]["code"] == bad.code, answer["error"]
        assert answer["error"]["message"]


def test_the_table_is_long_and_reaches_every_surface(places: dict[str, Place]) -> None:
    assert len({bad.kind for bad in TABLE}) == len(TABLE) >= 100
    for name, place in places.items():
        assert sum(_expressible(bad, place) for bad in TABLE) >= 40, name
    assert {bad.code for bad in TABLE} <= set(error_classes())
    changing = {name for name, operation in BY_NAME.items() if operation.effect != "read"} - {"import_lines"}
    assert changing <= {bad.operation for bad in TABLE}


BODIES: tuple[tuple[str, bytes, dict[str, str], str], ...] = (
    ("no JSON", b"{not json", {}, "invalid_input"),
    ("half of JSON", b'{"text": "a', {}, "invalid_input"),
    ("two values", b'{"text": "a"} {"text": "b"}', {}, "invalid_input"),
    ("a list", b'["text"]', {}, "invalid_input"),
    ("a number", b"5", {}, "invalid_input"),
    ("null", b"null", {}, "invalid_input"),
    ("invalid UTF-8", b'{"text": "\xff\xfe"}', {}, "invalid_input"),
    ("UTF-16", '{"text": "a"}'.encode("utf-16"), {}, "invalid_input"),
    ("deep nesting", b'{"text": "a", "attributes": ' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}", {}, "invalid_input"),
    ("a giant number", b'{"text": "a", "importance": 1' + b"0" * 5000 + b"}", {}, "invalid_input"),
    ("another media type", b"text=a", {"Content-Type": "application/x-www-form-urlencoded"}, "unsupported_media_type"),
    ("an unknown encoding", b"{}", {"Content-Encoding": "zip"}, "unsupported_media_type"),
    ("gzip that is none", b"{}", {"Content-Encoding": "gzip"}, "invalid_input"),
    ("half of gzip", gzip.compress(b'{"text": "a"}')[:-4], {"Content-Encoding": "gzip"}, "invalid_input"),
    ("a gzip bomb", gzip.compress(b" " * 200_000_000), {"Content-Encoding": "gzip"}, "too_large"),
    ("too large a body", b'{"text": "' + b"x" * 17_000_000 + b'"}', {}, "too_large"),
    ("an If-Match that is none", b"{}", {"If-Match": "soon"}, "invalid_input"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "headers", "code"), BODIES, ids=[body[0] for body in BODIES])
def test_bodies_that_cannot_be_read(
    places: dict[str, Place], kind: str, body: bytes, headers: dict[str, str], code: str
) -> None:
    rest = places["rest"].surface
    assert isinstance(rest, Rest)
    served: Served = rest.served
    target = f"/v1/memories/{places['rest'].names['id']}" if "If-Match" in headers else "/v1/memories"
    got = ask(
        served,
        "PATCH" if "If-Match" in headers else "POST",
        target,
        body,
        {"Content-Type": "application/json", **headers},
    )
    assert 400 <= got.status < 500
    assert got.json["error"]["code"] == code
    assert places["rest"].is_unchanged()


LINES: tuple[tuple[str, bytes, str], ...] = (
    ("no JSON", b"{not json", "invalid_input"),
    ("invalid UTF-8", b'{"text": "\xff"}', "invalid_input"),
    ("a list", b"[1]", "invalid_input"),
    ("an empty text", b'{"text": ""}', "invalid_input"),
    ("fields without a text", b'{"txt": "a", "x": 1}', "invalid_input"),
    ("a text that is a number", b'{"text": 5}', "invalid_input"),
    ("an unknown record", b'{"record": "wish"}', "invalid_input"),
    ("an archive of a later format", b'{"record": "archive", "format": 99}', "invalid_input"),
    ("a memory without a text", b'{"record": "memory", "id": "mem_x"}', "invalid_input"),
    ("a memory with a wrong time", b'{"record": "memory", "id": "mem_x", "namespace": "n", "text": "t", "created_at": "x"}',
     "invalid_input"),
    ("a memory with a surrogate in its title", json.dumps({
        "record": "memory", "id": "mem_x", "namespace": "n", "text": "t", "title": "\ud800", "content_hash": "0" * 32,
        "created_at": "2026-01-01T00:00:00Z", "recorded_at": "2026-01-01T00:00:00Z"}).encode(), "invalid_input"),
    ("a memory with an empty text", json.dumps({
        "record": "memory", "id": "mem_x", "namespace": "n", "text": " ", "content_hash": "0" * 32,
        "created_at": "2026-01-01T00:00:00Z", "recorded_at": "2026-01-01T00:00:00Z"}).encode(), "invalid_input"),
    ("a memory whose digest is another text's", json.dumps({
        "record": "memory", "id": "mem_x", "namespace": "n", "text": "t", "content_hash": "no digest",
        "created_at": "2026-01-01T00:00:00Z", "recorded_at": "2026-01-01T00:00:00Z"}).encode(), "invalid_input"),
    ("a memory with validity turned round", json.dumps({
        "record": "memory", "id": "mem_x", "namespace": "n", "text": "t", "content_hash": "0" * 32,
        "valid_from": "2026-02-01T00:00:00Z", "valid_to": "2026-01-01T00:00:00Z",
        "created_at": "2026-01-01T00:00:00Z", "recorded_at": "2026-01-01T00:00:00Z"}).encode(), "invalid_input"),
    ("a relation to nothing", json.dumps({
        "record": "relation", "id": "rel_x", "namespace": "default", "source": "mem_a", "target": "mem_b", "type": "CAUSES",
        "recorded_at": "2026-01-01T00:00:00Z"}).encode(), "not_found"),
    ("a line over its limit", b'{"text": "' + b"x" * 5_000_000 + b'"}', "invalid_input"),
    ("a namespace of a wrong type", b'{"text": "a", "namespace": ""}', "invalid_input"),
)  # fmt: skip


@pytest.mark.parametrize("surface", ["python", "rest", "cli"])
@pytest.mark.parametrize(("kind", "line", "code"), LINES, ids=[line[0] for line in LINES])
def test_bad_lines_of_an_import_are_named_and_the_rest_is_taken(
    places: dict[str, Place], kind: str, line: bytes, code: str, surface: str
) -> None:
    """The good line next to it is known already, so that the state stays as it was."""
    place = places[surface]
    reader = place.reader
    good = b'{"text": "first memory", "valid_from": "2026-01-01", "context": "a/b"}'
    report = reader.call("import_lines", {}, [good, line, good])
    assert report["counts"] == {"duplicate_of": 2, "rejected": 1}, report
    assert [(entry["line"], entry["code"]) for entry in report["rejected"]] == [(2, code)], report
    assert place.is_unchanged()


PATHS = ("../../etc/passwd", "/etc/passwd", "a/../../b", "C:\\Windows", "....//", "%2e%2e/", "\u202e/evil", "a" * 200)


@pytest.mark.parametrize("path", PATHS)
def test_a_context_is_never_a_path_on_disk(tmp_path: Path, path: str) -> None:
    """Odd contexts are only labels: stored as they are, found again, and no file appears outside the store's folder."""
    with Memory(settings=settings(tmp_path / "data")) as memory:
        receipt = memory.remember(f"in {path}", context=path)
        assert receipt.outcome == "stored"
        assert [record.id for record in memory.list(context=path).memories] == [receipt.memory_id]
    assert {found.name for found in tmp_path.iterdir()} == {"data"}
    made = {"memory.db", "memory.db.key", "memory.db.reserve", "memory.db.index.lock"}
    assert {found.name for found in (tmp_path / "data").iterdir()} <= made
