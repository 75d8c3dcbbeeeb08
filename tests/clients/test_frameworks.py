"""The adapters for agent frameworks, with the frameworks' newest packages; `scripts/integrations` installs these."""

from __future__ import annotations

import os
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import pytest

from client_packages import EXAMPLES, UnavailableError, run_example
from tests.support.client_programs import name_id, report
from tests.support.serving import environment, running_service

ROOT = Path(__file__).resolve().parents[2]
EXPECTED = {"agent.py": "What can I not eat?\n  agent: You told me: I am allergic to hazelnuts."}
"""What the output of each example contains."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """The environment of a framework's program, with this checkout in it, and the address of a running service."""
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with running_service(data_dir) as url:
        paths = os.pathsep.join((str(ROOT / "src"), sysconfig.get_path("purelib")))
        yield {**environment(data_dir), "AI_MEMORY_PATHS": paths}, url


@pytest.mark.slow
@pytest.mark.parametrize("name", ["langgraph"], ids=name_id)
def test_the_store_conforms_in_process_and_over_http(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    found = report(name, variables, url, str(tmp_path))
    assert len(found["checks"]) >= 25
    assert found["failed"]["ours, in process"] == {}
    assert found["failed"]["ours, over HTTP"] == {}
    assert set(found["failed"]) == {
        "ours, in process",
        "ours, over HTTP",
        "LangGraph's InMemoryStore",
        "LangGraph's SqliteStore",
    }


@pytest.mark.slow
@pytest.mark.parametrize("program", EXAMPLES)
def test_an_example_runs(program: str, tmp_path: Path) -> None:
    source = (ROOT / "examples" / program).read_text(encoding="utf-8")
    assert len(source.splitlines()) <= 60
    try:
        done = run_example(program, str(tmp_path))
    except UnavailableError as error:
        pytest.skip(str(error))
    assert done.returncode == 0, done.stderr[-3000:]
    assert EXPECTED[program] in done.stdout
