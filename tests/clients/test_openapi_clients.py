"""Clients that generators make of the running service's OpenAPI document work; `scripts/clients` installs the generators."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.client_programs import name_id, names, report
from tests.support.serving import environment, running_service


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    """A data folder, and the address of the service that runs on it."""
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with running_service(data_dir) as url:
        yield data_dir, url


@pytest.mark.parametrize("name", [name for name in names("openapi") if name != "redocly"], ids=name_id)
def test_a_made_client_works(name: str, served: tuple[Path, str], tmp_path: Path) -> None:
    data_dir, url = served
    text = f"A client made by {name} was here, ünïcödé 🙂"
    found = report(name, environment(data_dir), url, text, str(tmp_path))
    assert (found["status"], found["outcome"], found["type"]) == (201, "stored", "procedural")
    assert found["recalled"][0] == found["got"] == text
    assert found["since"].startswith("20")
    assert found["title"] == "Made"
    assert found["listed"] == [text]
    assert sum(found["imported"].values()) == 1
    assert found["exported"] is True
    assert found["forgotten"] == 1
    status, code, details = found["missing"]
    assert (status, code) == (404, "not_found")
    assert details["request_id"]
    assert found["refused"] == [400, "invalid_input"]
    assert found["generations"] == 0
    assert found["left_out"] == []


@pytest.mark.parametrize("name", ["redocly"], ids=name_id)
def test_the_document_follows_the_recommended_rules(name: str, served: tuple[Path, str], tmp_path: Path) -> None:
    data_dir, url = served
    found = report(name, environment(data_dir), url, "", str(tmp_path))
    assert found["problems"] == []
    assert found["status"] == 0
