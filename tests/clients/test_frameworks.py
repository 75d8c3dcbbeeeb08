"""The adapters for agent frameworks, with the frameworks' newest packages; `scripts/integrations` installs these."""

from __future__ import annotations

import os
import sys
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
    "claude_memory_tool.py": "     2\tAnswer in Latvian.",
    "mcp_reference.py": "Ada_Lovelace: Is allergic to hazelnuts",
    "mem0_client.py": "alice: I prefer science fiction movies.",
    "openai_agents_session.py": "agent: You said: My name is Ada.",
    "pydantic_ai_memory.py": "agent: I recall: user: Ada is allergic to hazelnuts.",
}
"""What the output of each example contains."""
WHOLE_SUITE_SECONDS = 500
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
@pytest.mark.timeout(WHOLE_SUITE_SECONDS + 60)
@pytest.mark.parametrize(("name", "own_tests"), OWN_TESTS.items(), ids=map(name_id, OWN_TESTS))
def test_the_adapters_pass_their_checks_in_process_and_over_http(
    name: str, own_tests: int, searched: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = searched
    found = report(name, variables, url, str(tmp_path), seconds=WHOLE_SUITE_SECONDS)
    assert found["failed"] == {"in process": {}, "over HTTP": {}}
    assert len(found["checks"]) >= 2
    suites = found["suites"]
    assert suites.get("failures", {}) == {}
    assert suites.get("passed", 0) >= own_tests


@pytest.mark.slow
@pytest.mark.parametrize("name", ["anthropic"], ids=name_id)
def test_the_memory_tool_answers_as_the_packages_own_files_do(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    found = report(name, variables, url, str(tmp_path))
    assert found["commands"] >= 60
    assert found["differ"] == {"in process": {}, "over HTTP": {}, "for one user, later": {}}


@pytest.mark.slow
@pytest.mark.parametrize("name", ["openai-agents-session"], ids=name_id)
def test_a_session_gives_what_the_packages_own_gives(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    found = report(name, variables, url, str(tmp_path))
    assert found["steps"] == 15
    for place in ("in process", "over HTTP"):
        seen = found[place]
        assert (seen["differ"], seen["limited"], seen["final"], seen["items"]) == ([], True, "No hazelnuts.", 12)
        stored, recalled, unknown, missing = seen["outputs"]
        assert stored.startswith("stored mem_") and "Mira is allergic to hazelnuts" in recalled
        assert "did you mean query?" in unknown and missing.startswith("not_found: ")
        assert seen["kept"] == ["What can Mira not eat?", "user"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["pydantic-ai-memory"], ids=name_id)
def test_an_agent_is_given_what_was_recalled_and_leaves_what_was_said(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    found = report(name, variables, url, str(tmp_path))
    for seen in found.values():
        assert seen["tools"] == ["recall", "remember", "revise", "forget"]
        assert seen["blocks"] == [[False], [True, False], *[[False, True, False]] * 3, [False, False, True, False]]
        assert seen["block"].splitlines()[2] == "> Mira is allergic to hazelnuts"
        stored, recalled, unknown = seen["returns"]
        assert stored.startswith("stored mem_") and "Mira is allergic to hazelnuts" in recalled
        assert "did you mean query?" in unknown
        assert seen["counts"] == {"rejected": 2, "stored": 4}, "the blocks are left out"
        assert [author for author, _ in seen["said"]] == ["user", "assistant"] * 3
        assert not any("[memories" in text for _, text in seen["said"])
        assert seen["nothing"] is None


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mem0"], ids=name_id)
def test_mem0_s_own_clients_work_when_they_are_pointed_here(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    found = report(name, variables, url, str(tmp_path))
    assert [event for event, _ in found["added"]] == ["ADD"] * 3
    assert found["twice"] == ["NONE"] * 3
    assert found["search"] == ["alice", {"category": "movies", "year": 2026}, True, 1]
    assert (found["options"], found["none"]) == (3, [])
    assert (found["page"], found["second"]) == ([3, 2, True, None], 1)
    assert found["get"] == "I prefer science fiction movies."
    assert found["history"] == [["ADD", "I prefer science fiction movies."], ["UPDATE", "I prefer comedies."]]
    assert found["updated"] == ["I prefer dramas.", {"year": 2027}]
    assert [kind for kind, _ in (found["gone"], *found["refused"])] == [
        "MemoryNotFoundError",
        *["ValidationError"] * 3,
        "MemoryNotFoundError",
    ]
    assert found["users"] == [["agent", "helper"], ["run", "r1"], ["user", "alice"], ["user", "bob"]]
    assert found["left"] == [["agent", "helper"], ["run", "r1"]]
    assert (found["reset"], found["later"]) == ([], ["I live in Riga."])


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mcp-reference"], ids=name_id)
def test_the_profile_answers_as_the_reference_server_does(
    name: str, served: tuple[dict[str, str], str], tmp_path: Path
) -> None:
    variables, url = served
    ours = [sys.executable, "-m", "ai_memory", "mcp", "--profile", "reference"]
    for place, more in (("here", {"AI_MEMORY_DATA_DIR": str(tmp_path / "own")}), ("served", {"AI_MEMORY_URL": url})):
        (tmp_path / place).mkdir()
        environment = {**variables, **more, "PYTHONPATH": str(ROOT / "src")}
        found = report(name, environment, str(tmp_path / place), *ours)
        assert found["tools"][0] == found["tools"][1]
        assert len(found["tools"][0]) == 9
        assert (found["definitions"], found["resource"]) == ([], [True, True])
        assert found["calls"] == 28
        ((call, theirs, own),) = found["differ"]
        assert call == ["create_entities", {"entities": [{"name": "x"}]}], "only how wrong arguments are named differs"
        assert theirs["isError"] and own["isError"]
        assert "entities[0].entityType" in theirs["text"] and "entities[0].entityType" in own["text"]


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
