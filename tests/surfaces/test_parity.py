"""Every operation through every surface, step by step on equal stores: the results are the same."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from msgspec import NODEFAULT, UNSET

from ai_memory import AsyncClient, AsyncMemory, Client, Memory
from ai_memory.cli.options import fields_for
from ai_memory.mcp.tools import input_schemas
from ai_memory.operations.base import Operation, fields_of
from ai_memory.operations.table import BY_NAME, OPERATIONS
from ai_memory.python.methods import Filters
from tests.support.surfaces import Names, Surface, all_surfaces

Case = tuple[str, dict[str, Any]]

DRAFT = {
    "text": "Ada chose SQLite for the store",
    "title": "Decision on the store",
    "author": "Ada",
    "type": "semantic",
    "context": "work/atlas",
    "tags": ["red", "blue, with a comma"],
    "session": "s1",
    "importance": 0.75,
    "valid_from": "2026-01-02T03:04:05Z",
}
ARCHIVE_LINE = b'{"text": "brought by a line", "tags": ["imported"], "valid_from": "2026-01-20"}'

CASES: tuple[Case, ...] = (
    ("health", {}),
    ("remember", DRAFT),
    ("remember", DRAFT),
    ("remember", {**DRAFT, "importance": 0.1}),
    ("remember", {"text": "Bo moved the cache", "session": "s1", "valid_from": "2026-01-03"}),
    ("remember", {"text": "  \n"}),
    ("remember", {"text": "the old way", "valid_from": "2026-01-04", "idempotency_key": "k1"}),
    ("remember", {"text": "the old way", "valid_from": "2026-01-04", "idempotency_key": "k1"}),
    ("remember", {"text": "another text", "idempotency_key": "k1"}),
    ("remember", {"text": "the new way", "valid_from": "2026-02-01", "supersedes": ["$the old way"]}),
    (
        "remember",
        {"text": "Проверка кириллицы и 漢字", "valid_from": "2026-01-05", "attributes": {"steps": ["a"], "n": 1}},
    ),
    ("remember_many", {"memories": [{"text": "one of many", "valid_from": "2026-01-06"}, {"text": ""}]}),
    (
        "remember_messages",
        {
            "messages": [
                {"role": "user", "content": "one said this", "time": "2026-01-07", "extra": 1},
                {"role": "tool", "content": "noise"},
            ],
            "session": "said",
            "source": "a chat",
        },
    ),
    ("events", {"last": 4}),
    ("events", {"cursor": "start", "kinds": ["memory"], "limit": 3, "namespace": "default"}),
    ("events", {"cursor": "damaged"}),
    ("get", {"id": "$the old way"}),
    ("get", {"id": "$the old way", "as_of": "2026-03-01"}),
    ("get", {"id": "mem_nothing"}),
    ("list", {"limit": 3}),
    ("list", {"tags": ["blue, with a comma"], "context": "work"}),
    ("list", {"types": ["procedural"]}),
    ("list", {"limit": 0}),
    ("list", {"where": {"attributes.n": {"$gte": 1}}}),
    ("list", {"where": {"$or": [{"attributes.steps": "a"}, {"$not": {"occurred_after": "2026-01-03"}}]}}),
    ("list", {"where": {"attributes.n": {"$within": 1}}}),
    ("list", {"order": "oldest", "as_of": "2026-01-05", "without_tags": "red"}),
    # Waits until what was written is read, here and below: relations are listed in the order in which they were noted.
    ("entities", {"search": "bo"}),
    ("revise", {"id": "$Bo moved the cache", "text": "Bo moved the cache twice", "tags": ["moved"], "if_revision": 1}),
    ("revise", {"id": "$Bo moved the cache", "text": "stale", "if_revision": 1}),
    ("revise", {"id": "$Bo moved the cache", "title": None, "valid_to": "2027-01-01", "reason": "it ended"}),
    ("history", {"id": "$Bo moved the cache"}),
    ("history", {"id": "mem_nothing"}),
    ("recall", {"query": "who chose SQLite", "limit": 3}),
    ("recall", {"query": "cache", "as_of": "2026-01-04", "session": ["s1"]}),
    ("recall", {"query": "кириллица", "explain": True, "now": "2026-06-01"}),
    ("recall", {"query": "nothing knows this wordless word"}),
    ("recall", {"query": ""}),
    ("entities", {"kinds": ["person"]}),
    ("relate", {"source": "$Bo moved the cache", "target": "$the new way", "type": "CAUSES"}),
    ("relate", {"source": "$Bo moved the cache", "target": "$the new way", "type": "CAUSES"}),
    ("relate", {"source": "$the new way", "target": "entity:person/Ada", "type": "MENTIONS"}),
    ("relate", {"source": "$the new way", "target": "mem_nothing", "type": "CAUSES"}),
    ("relate", {"source": "$the new way", "target": "entity:Bo", "type": "no good"}),
    ("neighbours", {"id": "$the new way", "depth": 2}),
    ("neighbours", {"id": "entity:Ada"}),
    ("neighbours", {"id": "entity:Nobody"}),
    ("neighbours", {"id": "entity:Ada", "kinds": ["memory"], "known_at": "2026-01-01"}),
    ("entities", {}),
    ("entities", {"search": "sqlite", "kinds": ["product"], "limit": 1}),
    ("entities", {"limit": 0}),
    ("path", {"source": "$Bo moved the cache", "target": "entity:Ada"}),
    ("path", {"source": "entity:Ada", "target": "entity:Ada"}),
    ("path", {"source": "entity:Ada", "target": "entity:Nobody"}),
    ("graph", {"types": ["CAUSES"]}),
    ("graph", {"id": "entity:SQLite", "depth": 1, "kinds": ["product", "memory"], "limit": 2}),
    ("graph", {"id": "mem_nothing"}),
    ("merge", {"into": "entity:Ada Lovelace", "things": ["entity:Ada"]}),
    ("merge", {"into": "entity:Ada Lovelace", "things": ["entity:Ada"]}),
    ("merge", {"into": "entity:Ada", "things": ["entity:Ada"]}),
    ("merge", {"into": "entity:Ada", "things": ["entity:Nobody"]}),
    ("neighbours", {"id": "entity:Ada"}),
    ("entities", {"search": "ada"}),
    ("split", {"thing": "entity:SQLite", "into": "entity:Turso", "ids": ["$Ada chose SQLite for the store"]}),
    ("split", {"thing": "entity:SQLite", "into": "entity:Turso", "ids": ["$the old way"]}),
    ("neighbours", {"id": "entity:Turso"}),
    ("decisions", {}),
    ("decisions", {"about": "entity:Ada", "limit": 1}),
    ("undo", {"id": "$merge"}),
    ("undo", {"id": "$split"}),
    ("undo", {"id": "dec_nothing"}),
    ("decisions", {"undone": True}),
    ("entities", {"search": "ada"}),
    ("propose", {"id": "$the old way", "kind": "update", "other": "$the new way", "reason": "it changed"}),
    ("propose", {"id": "$the new way", "kind": "copy", "other": "$the old way"}),
    ("propose", {"id": "$the new way", "kind": "retirement", "reason": "the new way"}),
    ("propose", {"id": "$the new way", "kind": "update"}),
    ("proposals", {}),
    ("proposals", {"about": "$the new way", "kinds": ["update"], "limit": 1}),
    ("decide", {"id": "$proposal", "decision": "later", "until": "2030-01-01", "note": "not now"}),
    ("proposals", {}),
    ("decide", {"id": "$proposal", "decision": "accept"}),
    ("decide", {"id": "$proposal", "decision": "reject"}),
    ("decide", {"id": "$proposal", "decision": "undo"}),
    ("decide", {"id": "$proposal", "decision": "reject", "note": "both are in use"}),
    ("decide", {"id": "$proposal", "decision": "accept", "until": "2030-01-01"}),
    ("decide", {"id": "pro_nothing", "decision": "accept"}),
    ("proposals", {"states": ["rejected", "undone"]}),
    ("feedback", {"id": "$the new way", "verdict": "outdated", "note": "there is a newer one"}),
    ("feedback", {"id": "$the new way", "verdict": "withdrawn"}),
    ("feedback", {"id": "$the new way", "verdict": "splendid"}),
    ("feedback", {"id": "mem_nothing", "verdict": "useful"}),
    ("consolidate", {"session": "s1"}),
    ("consolidate", {"context": "work", "sentences": 2, "dry_run": True}),
    ("consolidate", {}),
    ("jobs", {}),
    ("jobs", {"namespace": "default", "kinds": ["erase_expired"], "states": ["held"], "limit": 1}),
    ("steer_job", {"id": "all", "action": "pause"}),
    ("steer_job", {"id": "all", "action": "pause"}),
    ("jobs", {}),
    ("steer_job", {"id": "all", "action": "resume"}),
    ("steer_job", {"id": "all", "action": "cancel"}),
    ("steer_job", {"id": "job_nothing", "action": "allow"}),
    ("unrelate", {"id": "$rel"}),
    ("unrelate", {"id": "rel_nothing"}),
    ("timeline", {"bucket": "month", "samples": 1}),
    ("contexts", {}),
    ("contexts", {"under": "work"}),
    ("remember", {"text": "kept for a while", "expires_at": "2999-01-01T00:00:00Z", "pinned": True}),
    ("remember", {"text": "kept for how long", "ttl": "7d", "expires_at": "2999-01-01"}),
    ("remember", {"text": "kept for how long", "ttl": "a while"}),
    ("revise", {"id": "$kept for a while", "ttl": "never", "pinned": False}),
    ("list", {"expires_before": "3000-01-01", "include_expired": True}),
    ("list", {"expiring": "1 week"}),
    ("list", {"stale": "1h"}),
    ("list", {"stale": "-1h"}),
    ("changes", {"since": "2020-01-01", "until": "2999-01-01", "limit": 3}),
    ("changes", {"since": "2020-01-01", "until": "2999-01-01", "types": ["semantic"], "tags": ["moved"]}),
    ("changes", {"since": "2026-01-01", "until": "2999-01-01", "axis": "valid"}),
    ("changes", {"since": "yesterday"}),
    ("changes", {"since": "2020-01-01", "cursor": "damaged"}),
    ("retire", {"id": "$one of many", "reason": "over"}),
    ("retire", {"id": "$one of many"}),
    ("list", {"retired": True, "limit": 2}),
    ("forget_many", {"types": ["semantic"], "dry_run": True}),
    ("forget_many", {"types": ["semantic"], "retired": False}),
    ("remember", {"text": "one of many", "idempotency_key": "k2"}),
    ("remember", {"text": "one of many", "idempotency_key": "k2"}),
    ("list", {"retired": True, "limit": 2}),
    ("retire", {"id": "mem_nothing"}),
    ("import_lines", {"namespace": "brought"}),
    ("namespaces", {}),
    ("stats", {}),
    ("stats", {"namespace": "brought"}),
    ("generations", {}),
    ("reembed", {}),
    ("reembed", {"model": "no such model"}),
    ("reembed", {"model": "hashing", "dimension": 3}),
    ("reembed", {"model": "hashing", "rate": 0}),
    ("cancel_reembed", {}),
    ("activate_generation", {"incomplete": True}),
    ("take_back", {}),
    ("take_back", {"generation": 7}),
    ("prune_generations", {}),
    ("export", {}),
    ("export", {"namespace": "brought", "current_only": True}),
    ("forget", {"id": "$Bo moved the cache", "reason": "it said: Bo moved the CACHE twice"}),
    ("forget_many", {"tags": ["red"], "reason": "on what Ada chose SQLite for"}),
    ("forget", {"id": "$Bo moved the cache", "reason": "asked to"}),
    ("forget", {"id": "$Bo moved the cache"}),
    ("remember", {"text": "Bo moved the cache twice"}),
    ("forget_many", {"tags": ["red"]}),
    ("forget_about", {"about": "Ada"}),
    ("forget_about", {"about": "Ada", "reason": "asked by Ada"}),
    ("forget_about", {"about": "...", "dry_run": False}),
    ("forget_about", {"about": "Nobody", "also": ["mem_nothing"]}),
    ("forget_many", {}),
    ("forget_many", {"tags": ["red"], "dry_run": False}),
    ("stats", {"namespace": "default"}),
    ("findings", {}),
    ("backups", {}),
    ("verify_backup", {"backup": "memory-20260101-000000.db"}),
    ("delete_backup", {"backup": "../memory.db"}),
    ("models", {}),
    ("fetch_model", {"model": "no such model"}),
    ("make_backup", {}),
    ("check", {"repair": False}),
    ("list", {}),
)
"""In order, each on what the ones before left. `$text` stands for the id of the memory that said so, `$rel` for a relation,
`$merge` and `$split` for a decision, `$proposal` for a proposal."""


class Player:
    """Plays the cases on one surface, keeping the ids that later cases name."""

    def __init__(self, surface: Surface) -> None:
        self.surface = surface
        self.names = Names()
        self.ids: dict[str, str] = {}

    def play(self, operation: str, values: dict[str, Any]) -> Any:
        lines = [ARCHIVE_LINE, b"not json"] if operation == "import_lines" else []
        result = self.surface.call(operation, {name: self._with_ids(value) for name, value in values.items()}, lines)
        self._note(operation, values, result)
        if isinstance(result, dict) and "error" in result:
            return {"error": result["error"]["code"]}
        return self.names.normal(result)

    def _with_ids(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._with_ids(item) for item in value]
        return self.ids[value[1:]] if isinstance(value, str) and value.startswith("$") else value

    def _note(self, operation: str, values: dict[str, Any], result: Any) -> None:
        if operation == "remember" and result.get("memory_id"):
            self.ids.setdefault(values["text"], result["memory_id"])
        elif operation == "remember_many" and result is not None:
            self.ids["one of many"] = result["receipts"][0]["memory_id"]
        elif operation == "relate" and "id" in result:
            self.ids.setdefault("rel", result["id"])
        elif operation == "propose" and "proposal" in result:
            self.ids.setdefault("proposal", result["proposal"]["id"])
        elif operation in ("merge", "split") and "id" in result:
            self.ids.setdefault(operation, result["id"])


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[Any]]]:
    """What each surface answered to each case."""
    results: dict[str, list[Any]] = {}
    with all_surfaces(tmp_path_factory.mktemp("parity")) as surfaces:
        for name, surface in surfaces.items():
            player = Player(surface)
            results[name] = [_played(player, operation, values) for operation, values in CASES]
    yield results


def _played(player: Player, operation: str, values: dict[str, Any]) -> Any:
    if operation == "remember_many" and BY_NAME[operation].command is None and player.surface.name == "cli":
        memories = values["memories"]  # the command line remembers many by importing lines: equal state, another report
        player.surface.call("import_lines", {}, [json.dumps(memory).encode() for memory in memories])
        listed = player.surface.call("list", {"limit": 1000})
        player.ids["one of many"] = next(m["id"] for m in listed["memories"] if m["text"] == "one of many")
        player.names.normal(player.ids["one of many"])
        return None
    return player.play(operation, values)


def _shown(number: int) -> str:
    operation, values = CASES[number]
    return f"{number}-{operation}-{'-'.join(values)}"


@pytest.mark.parametrize("number", range(len(CASES)), ids=_shown)
def test_all_surfaces_answer_alike(played: dict[str, list[Any]], number: int) -> None:
    for surface in ("client", "rest", "mcp", "cli"):
        expected = played["as tools" if surface == "mcp" else "python"][number]
        answered = played[surface][number]
        if answered is None:
            operation, values = CASES[number]
            command = BY_NAME[operation].command
            assert surface == "cli"
            assert command is None or set(command.hidden) & set(values), "the table says that this has no command"
            continue
        assert _comparable(answered) == _comparable(expected), surface


def _comparable(answer: Any) -> Any:
    """REST answers with an error for a rejected text, so that no client reads it as success; its code says the same."""
    if isinstance(answer, dict) and answer.get("outcome") == "rejected":
        return {"error": "conflict"}
    return answer


def test_every_operation_has_a_case() -> None:
    """An operation that is added needs a case here."""
    assert {operation for operation, _ in CASES} == {operation.name for operation in OPERATIONS}


def test_the_cases_reach_results_and_errors(played: dict[str, list[Any]]) -> None:
    """Else equal answers would mean little."""
    errors = [answer["error"] for answer in played["python"] if isinstance(answer, dict) and "error" in answer]
    assert set(errors) >= {"not_found", "invalid_input", "stale_revision", "idempotency_conflict"}
    assert len(CASES) - len(errors) > 40
    assert len({repr(answer) for answer in played["python"]}) > 30


def test_every_tool_was_driven() -> None:
    driven = {name for name, values in CASES if (tool := BY_NAME[name].tool) and set(values) <= set(tool.fields)}
    assert driven == {operation.name for operation in OPERATIONS if operation.tool is not None}


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_parameters_have_the_same_names_and_defaults(operation: Operation) -> None:
    """Python's methods take the request's fields; command line and tool take them or a documented part."""
    fields = fields_of(operation.request)
    for methods in (Memory, Client, AsyncMemory, AsyncClient):
        parameters = dict(inspect.signature(getattr(methods, operation.name)).parameters)
        del parameters["self"]
        for added in ("lines", "progress"):
            if operation.stream == "in":
                parameters.pop(added)
        filters = parameters.pop("filters", None)
        more = set(get_type_hints(Filters)) if filters is not None else set()
        assert set(parameters) | more == set(fields)
        for name in parameters:
            assert _default(parameters[name].default) == _declared(fields[name]), name
    if operation.command is not None:
        assert {field.name for field in fields_for(operation.request)} == set(fields) - {"namespace"}
        assert set(operation.command.positional) | set(operation.command.hidden) <= set(fields)
    if operation.tool is not None:
        assert set(operation.tool.fields) <= set(fields)
        schema = input_schemas()[operation.tool.name]
        assert set(schema["properties"]) == set(operation.tool.fields)
        required = {name for name, field in fields.items() if field.required}
        assert set(schema.get("required", ())) == required & set(operation.tool.fields)


def _default(value: Any) -> Any:
    return NODEFAULT if value is inspect.Parameter.empty else _plain(value)


def _declared(field: Any) -> Any:
    if field.default is not NODEFAULT:
        return _plain(field.default)
    return NODEFAULT if field.default_factory is NODEFAULT else UNSET


def _plain(value: Any) -> Any:
    """A default as its value: an enum's, a list for a tuple; UNSET for one that is created for each request."""
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return getattr(value, "value", value) if not isinstance(value, type(UNSET)) else UNSET
