"""Memories as files and as a knowledge graph, without the packages that `tests/clients` compares with; mem0's paths over REST."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import InvalidInputError, Memory, NotFoundError
from ai_memory.integrations.files import FileError, MemoryFiles, carried_out
from ai_memory.integrations.knowledge_graph import KnowledgeGraph
from ai_memory.integrations.tools import agent_tools
from tests.support.rest_server import ask, serving


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path, model="none") as opened:
        yield opened


def test_a_file_is_a_memory_with_a_history(memory: Memory) -> None:
    files = MemoryFiles(memory)
    files.create("/memories/work/atlas.md", "Uses MySQL.")
    files.str_replace("/memories/work/atlas.md", "MySQL", "Postgres")
    (record,) = memory.list(context="memories/work").memories
    assert (record.title, record.text) == ("atlas.md", "Uses Postgres.")
    assert [each.text for each in memory.history(record.id).revisions] == ["Uses MySQL.", "Uses Postgres."]
    files.str_replace("/memories/work/atlas.md", "Postgres", "MySQL")
    files.rename("/memories/work", "/memories/old")
    assert [each.context for each in memory.list().memories] == ["memories/old"]


def test_a_text_that_was_erased_may_be_written_again(memory: Memory) -> None:
    files = MemoryFiles(memory)
    files.create("/memories/a.md", "the same")
    files.delete("/memories/a.md")
    files.create("/memories/a.md", "other")
    files.str_replace("/memories/a.md", "other", "the same")
    assert files.view("/memories/a.md").endswith("\tthe same")
    assert len(memory.list().memories) == 1


@pytest.mark.parametrize("path", ["", "/", "/memory", "/memoriesx", "memories", "/memories/..", "/memories/a/../../b"])
def test_a_path_that_leads_out_is_refused(path: str, memory: Memory) -> None:
    files = MemoryFiles(memory)
    files.create("/memories/a/b", "x")
    for command, values in (("view", {}), ("create", {"file_text": "x"}), ("delete", {})):
        with pytest.raises(FileError):
            carried_out(files, command, {"path": path, **values})
    with pytest.raises(FileError):
        files.rename("/memories/a", path)
    with pytest.raises(FileError, match="inside"):
        files.rename("/memories/a", "/memories/a/c")
    assert len(memory.list().memories) == 1


def test_what_the_service_refuses_is_an_answer_of_the_tool(memory: Memory) -> None:
    files = MemoryFiles(memory)
    for text, reason in (("a\0b", "NUL"), ("x" * 200_001, "200")):
        with pytest.raises(FileError, match=reason):
            carried_out(files, "create", {"path": "/memories/a", "file_text": text})


def test_the_graph_of_the_reference_server_is_in_the_graph(memory: Memory) -> None:
    graph = KnowledgeGraph(memory)
    ada = {"name": "Ada_L", "entityType": "person", "observations": ["Likes tea"]}
    assert graph.create_entities([ada, ada, {"name": "Atlas", "entityType": "project", "observations": []}]) == {
        "entities": [ada, ada, {"name": "Atlas", "entityType": "project", "observations": []}]
    }
    graph.create_relations([{"from": "Ada_L", "to": "Atlas", "relationType": "works_on"}])
    assert len(memory.neighbours("entity:Ada L", types=["WORKS_ON"]).neighbours) == 1
    assert [each["name"] for each in graph.search_nodes("does anybody like teas")["entities"]] == ["Ada_L"]
    with pytest.raises(NotFoundError, match="Entity with name Bo not found"):
        graph.add_observations([{"entityName": "Ada_L", "contents": ["new"]}, {"entityName": "Bo", "contents": ["x"]}])
    assert graph.open_nodes(["Ada_L"])["entities"] == [ada]
    graph.delete_relations([{"from": "Ada_L", "to": "Atlas", "relationType": "works_on"}])
    assert memory.neighbours("entity:Ada L", types=["WORKS_ON"]).neighbours == ()


def test_tools_are_those_of_mcp(memory: Memory) -> None:
    remember, recall = agent_tools(memory, ["remember", "recall"])
    assert remember.answer({"text": "Ada likes tea"}).startswith("stored mem_")
    assert "Ada likes tea" in recall.answer('{"query": "Ada tea"}')
    assert recall.answer("[]").startswith("invalid_input: ")
    assert recall.answer("{").startswith("invalid_input: ")
    with pytest.raises(InvalidInputError, match="there is no tool nothing"):
        agent_tools(memory, ["nothing"])


def test_the_paths_of_mem0_have_keys_and_errors_of_their_own(tmp_path: Path) -> None:
    keys = '{"alice": ["key-a"], "*": ["key-all"]}'
    with serving(tmp_path, model="none", api_keys=keys) as served:

        def call(method: str, path: str, body: Any = None, key: str = "key-a") -> Any:
            return ask(served, method, f"/mem0{path}", body, {"Authorization": f"Token {key}"})

        assert call("GET", "/v1/ping/", key="wrong").status == 401
        assert "detail" in call("GET", "/v1/ping/", key="wrong").json
        assert call("GET", "/v1/ping/").json["status"] == "ok"
        stored = call("POST", "/memories", {"messages": "Likes tea", "user_id": "u", "expiration_date": "2099-01-01"})
        (made,) = stored.json["results"]
        assert call("GET", "/memories?user_id=u").json["results"][0]["id"] == made["id"]
        assert call("GET", "/memories?user_id=u", key="key-all").json["results"] == [], "another namespace"
        assert call("POST", "/search", {"query": "tea", "user_id": "u"}).json["results"][0]["memory"] == "Likes tea"
        assert call("PUT", f"/memories/{made['id']}", {"text": "Likes coffee"}).json["memory"] == "Likes coffee"
        assert len(call("GET", f"/memories/{made['id']}/history").json) == 2
        assert call("POST", "/search", {"query": "tea", "user_id": "u", "top_k": "many"}).status == 400
        assert call("GET", "/memories/mem_nothing").status == 404
        assert call("PATCH", "/memories").status == 405
        assert call("POST", "/reset", {}).json == {"message": "All memories reset"}
        assert call("GET", "/memories?user_id=u").json["results"] == []
