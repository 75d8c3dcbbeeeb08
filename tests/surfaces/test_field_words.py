"""What a field means is said once, at the field, and every surface says it in those words."""

from __future__ import annotations

from typing import Annotated

import pytest
from msgspec import Meta, Struct

from ai_memory.cli.options import fields_for
from ai_memory.operations.base import Operation, fields_of, meanings_of, short_of
from ai_memory.operations.schema import schemas
from ai_memory.operations.table import OPERATIONS


def test_two_fields_share_words_only_where_they_share_a_definition() -> None:
    said: dict[str, tuple[str, type, Meta]] = {}
    for operation in OPERATIONS:
        for field, meaning in meanings_of(operation.request).items():
            owner = declaring(operation.request, field)
            for words in {str(meaning.description), short_of(meaning)}:
                where, first_owner, first = said.setdefault(words, (f"{operation.name}.{field}", owner, meaning))
                # An inherited annotation is evaluated once for each class that inherits it, so its `Meta` may be another object.
                shared = first is meaning or first_owner is owner
                assert shared, f"{operation.name}.{field} and {where} both say {words!r}"


def declaring(request: type[Struct], field: str) -> type:
    """The class in whose body the field stands: the request's own or one that it inherits from."""
    return next(owner for owner in request.__mro__ if field in vars(owner).get("__annotations__", {}))


@pytest.mark.parametrize("operation", OPERATIONS, ids=[operation.name for operation in OPERATIONS])
def test_json_schema_and_command_line_say_the_field_s_own_words(operation: Operation) -> None:
    meanings = meanings_of(operation.request)
    assert set(meanings) == set(fields_of(operation.request)), "every field is described"
    own = {field: meaning.description for field, meaning in meanings.items()}
    schema = schemas([operation])[operation.request.__name__]
    assert {field: part["description"] for field, part in schema.get("properties", {}).items()} == own
    shown = {field.name: field.help for field in fields_for(operation.request)} if operation.command else {}
    assert shown == {field: words for field, words in own.items() if field in shown}


Shared = Annotated[str, Meta(max_length=9, description="The shared type's words.", extra={"short": "Shared."})]


class Example(Struct):
    """Fields that describe a shared type in their own words, that leave it as it is, and that say nothing."""

    own: Annotated[Shared, Meta(description="The field's words.")]
    shared: Shared
    bare: str = ""


def test_a_field_s_words_win_over_those_of_its_type() -> None:
    meanings = meanings_of(Example)
    assert {name: meaning.description for name, meaning in meanings.items()} == {
        "own": "The field's words.",
        "shared": "The shared type's words.",
    }
    assert [short_of(meaning) for meaning in meanings.values()] == ["The field's words.", "Shared."]
    assert {field.name: field.help for field in fields_for(Example)}["own"] == "The field's words."
