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
EXPECTED = {
    "agent.py": "What can I not eat?\n  agent: You told me: I am allergic to hazelnuts.",
    "agent_framework_agent.py": "(recalled > user: I am allergic to hazelnuts.)\n  agent: To hazelnuts.",
    "autogen_agent.py": "recalled > Ada is allergic to hazelnuts",
    "crewai_memory.py": "kept: Ada is allergic to hazelnuts\nkept: Ada was offered apple pie",
    "haystack_pipeline.py": "Apple pie with cinnamon\nQuestion: what to bake with apples?",
    "langchain_agent.py": "(recalled > user: I am allergic to hazelnuts.)\n  agent: To hazelnuts.",
    "llamaindex_memory.py": "> user: I am allergic to hazelnuts.\nrecipe: Apple pie with cinnamon",
}
"""What the output of each example contains."""
OWN_TESTS = {"langchain": 59, "llama-index-core": 0, "haystack": 154, "crewai": 0, "autogen": 0, "agent-framework": 0}
"""The frameworks whose programs report as `programs/harness.py` says, and how many tests of the framework's own pass at least."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """The environment of a framework's program, with this checkout in it, and the address of a running service."""
    data_dir = tmp_path_factory.mktemp("served") / "data"
    with running_service(data_dir) as url:
        yield framework_environment(data_dir), url


def framework_environment(data_dir: Path) -> dict[str, str]:
    paths = os.pathsep.join((str(ROOT / "src"), sysconfig.get_path("purelib")))
    return {**environment(data_dir), "AI_MEMORY_PATHS": paths}


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


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[dict[str, str], str]]:
    """As `served`, with a model, so that all that is asked for is found, whether words match or not."""
    data_dir = tmp_path_factory.mktemp("searched") / "data"
    with running_service(data_dir, AI_MEMORY_MODEL="hashing") as url:
        yield framework_environment(data_dir), url


@pytest.mark.slow
@pytest.mark.parametrize(("name", "own_tests"), OWN_TESTS.items(), ids=map(name_id, OWN_TESTS))
def test_the_adapters_pass_their_checks_in_process_and_over_http(
    name: str, own_tests: int, searched: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = searched
    found = report(name, variables, url, str(tmp_path))
    assert found["failed"] == {"in process": {}, "over HTTP": {}}
    assert len(found["checks"]) >= 2
    suites = found["suites"]
    assert suites.get("failures", {}) == {}
    assert suites.get("passed", 0) >= own_tests


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
