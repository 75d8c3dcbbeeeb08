"""Null and an empty string for an optional field mean that it is not given, in every request of every surface."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from msgspec import UNSET, Struct

from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.errors import MemoryServiceError
from ai_memory.operations.about import ForgetAboutRequest
from ai_memory.operations.base import NEVER_EMPTY, fields_of, parse
from ai_memory.operations.table import OPERATIONS
from ai_memory.operations.writing import Draft, ForgetManyRequest, RememberManyRequest, ReviseRequest

REQUESTS = {
    request.__name__: request for request in [*(each.request for each in OPERATIONS), *(r.request for r in ROUTES)]
}
SAMPLES: dict[str, Any] = {
    "memories": [{"text": "a"}],
    "messages": [{"role": "user", "content": "a"}],
    "things": ["entity:a"],
    "ids": ["mem_a"],
    "inputs": "a",
    "input": "a",
    "kind": "update",
    "decision": "accept",
    "verdict": "useful",
    "action": "pause",
}
CLEARED = {"title", "author", "key", "source", "valid_from", "valid_to", "expires_at"}
"""Fields of a change that null clears."""


def required(request: type[Struct]) -> dict[str, Any]:
    """A value for each required field."""
    if request.__name__ == "SimilarityRequest":
        return {"inputs": {"source_sentence": "a", "sentences": ["b"]}}
    if request.__name__ == "DecodeRequest":
        return {"ids": [[1]]}
    return {name: SAMPLES.get(name, "x") for name, field in fields_of(request).items() if field.required}


@pytest.mark.parametrize("name", sorted(REQUESTS))
def test_null_is_not_given(name: str) -> None:
    request = REQUESTS[name]
    given = required(request)
    optional = [field for field, info in fields_of(request).items() if not info.required]
    kept = CLEARED if request is ReviseRequest else set()
    assert parse(request, {**given, **{field: None for field in optional if field not in kept}}) == parse(
        request, given
    )


@pytest.mark.parametrize("name", sorted(set(REQUESTS) - {"ForgetManyRequest", "ForgetAboutRequest"}))
def test_empty_is_not_given(name: str) -> None:
    request = REQUESTS[name]
    given = required(request)
    optional = {field for field, info in fields_of(request).items() if not info.required} - NEVER_EMPTY
    if request is ReviseRequest:
        optional -= {"text", "title", "author", "key", "context", "source"}
    assert parse(request, {**given, **dict.fromkeys(optional, "")}) == parse(request, given)


def test_a_change_can_clear() -> None:
    cleared = parse(ReviseRequest, {"id": "mem_a", "context": "", "title": None, "tags": [], "valid_to": None})
    assert (cleared.context, cleared.title, cleared.tags, cleared.valid_to) == ("", None, (), None)
    assert cleared.text is UNSET


def test_the_fields_of_a_list_s_items_and_of_a_nested_object_too() -> None:
    batch = parse(RememberManyRequest, {"memories": [{"text": "a", "tags": None, "session": "", "valid_from": ""}]})
    assert batch.memories == [Draft(text="a")]
    similarity = REQUESTS["SimilarityRequest"]
    given = required(similarity)
    nulls = {"truncate": None, "prompt_name": None, "truncation_direction": None}
    assert parse(similarity, {**given, "parameters": nulls}) == parse(similarity, {**given, "parameters": {}})


@pytest.mark.parametrize("name", ForgetManyRequest.EMPTY_REFUSED)
def test_an_empty_filter_never_widens_what_is_erased(name: str) -> None:
    with pytest.raises(MemoryServiceError, match=name):
        parse(ForgetManyRequest, {name: "", "everything": True, "dry_run": False})


def test_an_empty_user_does_not_widen_what_is_erased_either() -> None:
    with pytest.raises(MemoryServiceError, match="user"):
        parse(ForgetAboutRequest, {"about": "Anna", "user": ""})


@pytest.mark.parametrize("name", sorted(NEVER_EMPTY))
def test_an_empty_namespace_or_key_stays_as_given(name: str) -> None:
    request = REQUESTS["RememberRequest"]
    try:
        read = parse(request, {"text": "a", name: ""})
    except MemoryServiceError as error:
        assert error.details["field"] == name
    else:
        assert msgspec.structs.asdict(read)[name] == ""
