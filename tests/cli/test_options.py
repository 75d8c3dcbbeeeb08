"""From a request's fields to options and back."""

from __future__ import annotations

import argparse
import datetime as dt
import re
from pathlib import Path
from typing import Any

import pytest

from ai_memory.cli.exits import BY_CODE, EXITS, exit_code, unmapped
from ai_memory.cli.options import add_globals, fields_for, object_from, split, values_from
from ai_memory.cli.output.show import RENDERERS
from ai_memory.cli.parser import Parser, UsageError, build_parser, command_in, parse_line
from ai_memory.cli.table import COMMANDS, OPERATION_COMMANDS
from ai_memory.errors import InvalidInputError, StaleRevisionError, error_classes
from ai_memory.operations.base import parse
from ai_memory.operations.graph import RELATE
from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.table import OPERATIONS
from ai_memory.operations.zones import in_users_zone


def given(name: str, *words: str) -> dict[str, Any]:
    operation = OPERATION_COMMANDS[name]
    assert operation.command is not None
    arguments = build_parser(name).parse_args([name, *words])
    return values_from(arguments, operation.request, operation.command)


def test_every_field_has_an_option_a_place_or_is_hidden() -> None:
    for name, operation in OPERATION_COMMANDS.items():
        assert operation.command is not None
        text = build_parser(name)._subparsers._group_actions[0].choices[name].format_help()  # type: ignore[union-attr,index]
        for field in fields_for(operation.request):
            if field.name in operation.command.hidden:
                assert field.option not in text
            elif field.name in operation.command.positional:
                assert field.name in text.lower()
            else:
                assert field.option in text
                assert field.help, f"{name} {field.name} has no description"


def test_every_command_builds_alone_and_together() -> None:
    whole = build_parser()
    for name in COMMANDS:
        assert name in whole.format_help()
        alone = build_parser(name)
        with pytest.raises(SystemExit) as left:
            alone.parse_args([name, "--help"])
        assert left.value.code == 0


def test_values_come_back_typed() -> None:
    values = given(
        "recall", "what", "is", "it", "--limit", "3", "--tags", "a,b", "--tag", "c", "--min-importance", "0.5",
        "--as-of", "2026-03-14", "--explain", "--no-include-ended", "--types", "semantic",
    )  # fmt: skip
    assert values["query"] == "what is it"
    assert values["tags"] == ["a", "b", "c"]
    assert values["include_ended"] is False
    request = parse(RecallRequest, values)
    assert request.as_of is not None
    assert in_users_zone(request, dt.timezone(dt.timedelta(hours=13))).as_of == dt.datetime.fromisoformat(
        "2026-03-14T00:00:00+13:00"
    )
    assert request.limit == 3
    assert request.explain


def test_what_is_not_given_is_absent() -> None:
    assert given("recall", "x") == {"query": "x"}
    assert given("list") == {}
    assert given("revise", "mem_1", "--title", "T") == {"id": "mem_1", "title": "T"}


def test_clear_gives_null() -> None:
    assert given("revise", "mem_1", "--clear", "title", "--clear", "valid_to") == {
        "id": "mem_1",
        "title": None,
        "valid_to": None,
    }
    with pytest.raises(UsageError):
        given("revise", "mem_1", "--clear", "text")


def test_positional_order_of_relate() -> None:
    assert given("relate", "mem_1", "CAUSES", "entity:Ada") == {
        "source": "mem_1",
        "type": "CAUSES",
        "target": "entity:Ada",
    }
    assert RELATE.command is not None


def test_objects_and_lists() -> None:
    assert object_from(['{"a": 1}', "b=2", "c=text", "d=true", "e=a=b"]) == {
        "a": 1,
        "b": 2,
        "c": "text",
        "d": True,
        "e": "a=b",
    }
    assert split("a, b,,") == ["a", "b"]
    assert split('["a, b", "c"]') == ["a, b", "c"]
    for wrong in (["nothing"], ["=x"], ["{broken"]):
        with pytest.raises(InvalidInputError):
            object_from(wrong)
    with pytest.raises(InvalidInputError):
        split('["a", 1]')


@pytest.mark.parametrize(
    "words",
    [
        ("recall",),
        ("recall", "x", "--limit", "three"),
        ("recall", "x", "--unknown"),
        ("remember", "x", "--type", "nonsense"),
        ("list", "--order", "sideways"),
        ("nonsense",),
        ("recall", "x", "--lim", "3"),
        ("relate", "a", "B"),
    ],
)
def test_wrong_command_lines(words: tuple[str, ...]) -> None:
    with pytest.raises(UsageError) as caught:
        parse_line(list(words), command_in(words))
    assert caught.value.usage.startswith(("usage:", "choose one of ")) or caught.value.usage.endswith(
        "--help lists them"
    )


def test_the_command_is_found_behind_global_options() -> None:
    assert command_in(["--json", "--namespace", "list", "recall", "x"]) == "recall"
    assert command_in(["--url=http://x", "stats"]) == "stats"
    assert command_in(["--version"]) is None


def test_global_options_stand_before_or_after() -> None:
    before = build_parser("stats").parse_args(["--json", "--namespace", "a", "stats"])
    after = build_parser("stats").parse_args(["stats", "--namespace", "a", "--json"])
    assert (before.json, before.namespace) == (after.json, after.namespace) == (True, "a")
    assert not hasattr(build_parser("stats").parse_args(["stats"]), "json")


def test_every_error_code_has_an_exit_code() -> None:
    assert unmapped() == []
    assert set(BY_CODE) == set(error_classes())
    assert set(BY_CODE.values()) < set(EXITS)
    assert exit_code(StaleRevisionError("x")) == 5


def test_every_response_can_be_shown() -> None:
    for operation in OPERATIONS:
        if operation.command is not None and operation.response is not bytes:
            assert operation.response in RENDERERS


def test_no_field_clashes_with_a_global_option() -> None:
    taken = {action.dest for action in _global_actions()}
    for operation in OPERATIONS:
        assert not taken & {field.name for field in fields_for(operation.request)} if operation.command else True


def _global_actions() -> list[argparse.Action]:
    parser = Parser(add_help=False)
    add_globals(parser)
    return parser._actions


def test_every_command_that_a_hint_names_exists() -> None:
    package = Path(__file__).resolve().parents[2] / "src" / "ai_memory"
    named = {
        word
        for path in package.rglob("*.py")
        for word in re.findall(r"ai-memory ([a-z][a-z-]*)", path.read_text(encoding="utf-8"))
    }
    products = {"store", "service", "embedder"}  # "an ai-memory store": the product's name, no command
    assert named - products <= set(COMMANDS)
    assert {"serve", "reembed", "doctor"} <= named
