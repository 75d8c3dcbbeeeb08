"""The calls of mem0, as its documentation has them, in process, over HTTP and as coroutines."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

import ai_memory
from ai_memory import InvalidInputError, NotFoundError
from ai_memory.integrations.mem0 import NOT_INFERRED, AsyncMemory, Memory, MemoryClient
from tests.support.rest_server import serving

CONVERSATION = [
    {"role": "user", "content": "I'm planning to watch a movie tonight. Any recommendations?"},
    {"role": "assistant", "content": "How about thriller movies?"},
    {"role": "user", "content": "I prefer science fiction movies."},
]


@pytest.fixture(params=["in process", "over HTTP"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    if request.param == "over HTTP":
        with serving(tmp_path, model="none") as served:
            client = MemoryClient(host=served.url)
            yield client
            client.close()
        return
    with ai_memory.Memory(data_dir=tmp_path, model="none") as opened:
        yield Memory(opened)


def test_what_mem0_s_examples_call(memory: Memory) -> None:
    added = memory.add(CONVERSATION, user_id="alice", metadata={"category": "movies", "year": 2026})
    assert [each["event"] for each in added["results"]] == ["ADD"] * 3
    assert added["results"][2]["memory"] == "I prefer science fiction movies."
    assert added["note"] == NOT_INFERRED
    assert "note" not in memory.add("Likes tea", user_id="bob", infer=False)
    found = memory.search("Which movies does Alice prefer?", filters={"user_id": "alice"}, top_k=1)["results"][0]
    assert (found["user_id"], found["metadata"]["category"]) == ("alice", "movies")
    assert 0 <= found["score"] <= 1
    memory_id = added["results"][2]["id"]
    assert memory.get(memory_id) is not None
    assert len(memory.get_all(filters={"user_id": "alice"})["results"]) == 3
    memory.update(memory_id, data="I prefer comedies.")
    assert [(each["event"], each["old_memory"]) for each in memory.history(memory_id)] == [
        ("ADD", None),
        ("UPDATE", "I prefer science fiction movies."),
    ]
    memory.update(memory_id, "I prefer dramas.", metadata={"year": 2027})
    changed = memory.get(memory_id)
    assert changed is not None
    assert (changed["memory"], changed["metadata"], changed["role"]) == ("I prefer dramas.", {"year": 2027}, "user")
    memory.delete(memory_id)
    assert memory.get(memory_id) is None
    with pytest.raises(NotFoundError):
        memory.delete(memory_id)
    memory.delete_all(user_id="alice")
    assert memory.get_all(user_id="alice") == {"results": []}
    assert len(memory.get_all(user_id="bob")["results"]) == 1
    memory.reset()
    assert memory.get_all(user_id="bob") == {"results": []}


def test_the_same_again_is_no_event(memory: Memory) -> None:
    memory.add(CONVERSATION, user_id="a", run_id="r")
    again = memory.add(CONVERSATION, user_id="a", run_id="r")
    assert [each["event"] for each in again["results"]] == ["NONE"] * 3


def test_filters(memory: Memory) -> None:
    for year, tag in ((2024, "old"), (2025, "mid"), (2026, "new")):
        memory.add(f"film of {year}", user_id="a", agent_id="x", metadata={"year": year, "tag": tag})
    memory.add("film of nobody", user_id="b")

    def years(**filters: object) -> list[int]:
        return sorted(each["metadata"]["year"] for each in memory.get_all(filters=filters)["results"])

    assert years(user_id="a", year={"gte": 2025}) == [2025, 2026]
    assert years(AND=[{"user_id": "a"}, {"OR": [{"tag": "old"}, {"tag": {"in": ["new"]}}]}]) == [2024, 2026]
    assert years(agent_id="x", NOT=[{"year": {"lt": 2026}}]) == [2026]
    assert years(tag="*", year={"ne": 2025}) == [2024, 2026]
    assert years(year=[2024, 2025]) == [2024, 2025]
    assert memory.search("film", filters={"user_id": "a"}, threshold=1.0) == {"results": []}


def test_what_is_wrong_is_named(memory: Memory) -> None:
    with pytest.raises(InvalidInputError, match="none of user_id, agent_id and run_id"):
        memory.add("x")
    with pytest.raises(InvalidInputError, match="none of user_id"):
        memory.delete_all()
    with pytest.raises(InvalidInputError, match="no filter"):
        memory.search("x")
    with pytest.raises(InvalidInputError, match="there is no contains here"):
        memory.search("x", filters={"tag": {"contains": "a"}})
    with pytest.raises(InvalidInputError, match="text is empty"):
        memory.add(" ", user_id="a")


def test_coroutines(tmp_path: Path) -> None:
    async def run(opened: ai_memory.Memory) -> None:
        memory = AsyncMemory(opened)
        added = await memory.add("Likes tea", user_id="a")
        found = await memory.search("tea", user_id="a")
        assert found["results"][0]["id"] == added["results"][0]["id"]
        await memory.delete_all(user_id="a")
        assert (await memory.get_all(user_id="a"))["results"] == []

    with ai_memory.Memory(data_dir=tmp_path, model="none") as opened:
        asyncio.run(run(opened))
