"""Fuzzing against the OpenAPI document: nothing that can be sent makes the server fail, and answers are as documented."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import hypothesis
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.operations.table import OPERATIONS
from ai_memory.operations.upkeep.events import LONGEST_WAIT
from tests.support.rest_server import Served, ask, remember, serving
from tests.support.tiny_models import tiny_bert

EXAMPLES = 12


@schemathesis.serializer("application/x-ndjson")
def lines(ctx: Any, value: Any) -> bytes:
    """Generated text as the lines of an import."""
    del ctx
    return value.encode() if isinstance(value, str) else bytes(value)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("fuzz")) as running:
        remember(running, "A memory to begin with.", tags=["a"])
        yield running


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server with a model that has a vocabulary and a limit."""
    place = tmp_path_factory.mktemp("engine")
    with serving(place / "data", model=str(tiny_bert(place / "tiny"))) as running:
        yield running


@pytest.mark.parametrize("name", [operation.name for operation in OPERATIONS])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fuzzing_finds_no_fault(served: Served, name: str) -> None:
    fuzz(served, name)


@pytest.mark.parametrize("name", [route.name for route in ROUTES])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_fuzzing_the_embedders_routes_finds_no_fault(engine: Served, name: str) -> None:
    fuzz(engine, name)


def fuzz(served: Served, name: str) -> None:
    document: dict[str, Any] = ask(served, "GET", "/v1/openapi.json").json
    schema = schemathesis.openapi.from_dict(document)
    operation = schema.find_operation_by_id(name)
    checks = [
        schemathesis.checks.not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
    ]

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        suppress_health_check=list(hypothesis.HealthCheck),
        phases=[hypothesis.Phase.generate],
    )
    @hypothesis.given(case=operation.as_strategy())
    def run(case: Any) -> None:
        wait = (case.query or {}).get("wait")
        if isinstance(wait, float | int) and 0.1 < wait <= LONGEST_WAIT:
            case.query["wait"] = 0.1  # any valid time is waited for, so that a short one shows the same
        case.call_and_validate(base_url=served.url, checks=checks, timeout=20)

    run()
