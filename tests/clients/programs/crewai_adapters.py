"""CrewAI's memory over the service with the real package: the storage, `Memory` over it, and a crew with a scripted model.

Usage: crewai_adapters.py URL FOLDER. Prints what `harness.py` says.
"""

from __future__ import annotations

import copy
import datetime as dt
import os
from typing import Any

os.environ |= {"CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true", "CREWAI_TRACING_ENABLED": "false"}

from crewai import Agent, BaseLLM, Crew, Task
from crewai.memory.storage.backend import StorageBackend
from crewai.memory.storage.factory import set_memory_storage_factory
from crewai.memory.types import MemoryRecord
from crewai.memory.unified_memory import Memory
from harness import check, pytest, run

from ai_memory import InvalidInputError
from ai_memory.integrations.crewai import CrewStorage, crew_memory, embed, register

KNOWN = {"categories": ["Food"], "importance": 0.9}
"""With all fields given CrewAI asks no model."""


class Scripted(BaseLLM):
    """A model that gives one answer, and keeps what it was asked."""

    answer: str = ""
    asked: list[Any] = []  # noqa: RUF012 - a field of pydantic, which copies it

    def call(self, messages: Any, *args: Any, **kwargs: Any) -> str:
        self.asked.append(messages)
        return self.answer


def records() -> list[MemoryRecord]:
    texts = {
        "/crew/a": "Ada is allergic to hazelnuts",
        "/crew/b": "the ferry leaves at seven",
        "/crewless": "rain is wet",
    }
    return [
        MemoryRecord(
            id=str(n),
            content=text,
            scope=scope,
            categories=["All", f"n{n}"],
            metadata={"n": n},
            importance=n / 10,
            source="ada" if n else None,
            private=bool(n),
            created_at=dt.datetime(2026, 3, n + 1, 12),
        )
        for n, (scope, text) in enumerate(texts.items())
    ]


def shown(record: MemoryRecord) -> dict[str, Any]:
    return record.model_dump(exclude={"last_accessed", "embedding"})


@check
async def the_storage_keeps_records(memory: Any, space: str) -> None:
    storage = CrewStorage(memory, namespace=space, user="ada", context="root")
    assert isinstance(storage, StorageBackend)
    storage.save(records()[:2])
    await storage.asave(records()[2:])
    assert [shown(each) for each in storage.list_records()] == [shown(each) for each in records()[::-1]]
    assert [each.id for each in storage.list_records(limit=1, offset=1)] == ["1"]
    assert shown(storage.get_record("1")) == shown(records()[1])
    assert storage.get_record("none") is None
    assert (storage.count(), storage.count("/crew"), storage.count("/crew/a/")) == (3, 2, 1)
    assert (storage.list_scopes(), storage.list_scopes("/crew")) == (["/crew", "/crewless"], ["/crew/a", "/crew/b"])
    assert storage.list_categories("/crew") == {"All": 2, "n0": 1, "n1": 1}
    info = storage.get_scope_info("/crew")
    assert (info.record_count, info.child_scopes, info.categories) == (2, ["/crew/a", "/crew/b"], ["All", "n0", "n1"])
    assert (info.oldest_record, info.newest_record) == (records()[0].created_at, records()[1].created_at)
    changed = records()[1].model_copy(update={"content": "the ferry leaves at eight", "scope": "/crew/c"})
    storage.update(changed)
    assert shown(storage.get_record("1")) == shown(changed)
    assert (
        len(
            memory.history(
                memory.list(namespace=space, context="root/crew/c").memories[0].id, namespace=space
            ).revisions
        )
        == 2
    )
    assert CrewStorage(memory, namespace=space, user="bob").list_records() == []
    assert copy.deepcopy(storage) is storage


@check
async def the_storage_finds_and_deletes(memory: Any, space: str) -> None:
    storage = CrewStorage(memory, namespace=space)
    storage.save(records())
    (question,) = embed(["When does the ferry leave? 🙂"])
    found = storage.search(question, limit=2)
    assert (found[0][0].id, len(found)) == ("1", 2)
    assert all(0 <= score <= 1 for _, score in found)
    assert [each.id for each, _ in storage.search(question, scope_prefix="/crewless")] == ["2"]
    assert [each.id for each, _ in storage.search(question, categories=["n0", "none"])] == ["0"]
    assert [each.id for each, _ in await storage.asearch(question, metadata_filter={"n": 2})] == ["2"]
    assert storage.search(question, min_score=1.0) == []
    with pytest.raises(InvalidInputError, match="embedder"):
        storage.search([0.1] * 1536)
    assert storage.delete(older_than=dt.datetime(2026, 3, 2)) == 1
    assert await storage.adelete(record_ids=["1", "none"]) == 1
    storage.reset("/crew")
    assert [each.id for each in storage.list_records()] == ["2"]
    storage.reset()
    assert storage.count() == 0


@check
def crewai_s_memory_over_it(memory: Any, space: str) -> None:
    crew = crew_memory(memory, namespace=space, base={"llm": Scripted(model="scripted", answer="{}")})
    crew.remember("Ada is allergic to hazelnuts", scope="/crew", **KNOWN)
    crew.remember_many(["the ferry leaves at seven", "the cat sleeps", "the cat sleeps"], scope="/crew", **KNOWN)
    crew.drain_writes()
    assert sorted(each.content for each in crew.list_records()) == [
        "Ada is allergic to hazelnuts",
        "the cat sleeps",
        "the ferry leaves at seven",
    ]
    (best, *_) = crew.recall("Which nuts is Ada allergic to?", depth="shallow", limit=1)
    assert (best.record.content, best.record.importance) == ("Ada is allergic to hazelnuts", 0.9)
    changed = crew.update(best.record.id, content="Ada is allergic to walnuts")
    assert crew.recall("walnuts", depth="shallow", limit=1)[0].record.content == changed.content
    assert (
        crew.scope("/crew").recall("ferry", depth="shallow", limit=1)[0].record.content == "the ferry leaves at seven"
    )
    assert crew.forget(record_ids=[changed.id]) == 1


@check
def the_factory(memory: Any, space: str) -> None:
    register(memory, namespace=space)
    try:
        crew = Memory(storage="ai-memory", embedder=embed)
        crew.remember("the ferry leaves at seven", scope="/", **KNOWN)
        crew.drain_writes()
        assert [each.text for each in memory.list(namespace=space).memories] == ["the ferry leaves at seven"]
    finally:
        set_memory_storage_factory(None)


@check
def a_crew_recalls(memory: Any, space: str) -> None:
    reader = Scripted(model="scripted", answer='{"memories": ["Ada gets no hazelnut cake"]}')
    kitchen = crew_memory(memory, namespace=space, base={"llm": reader})
    kitchen.remember("Ada is allergic to hazelnuts", scope="/kitchen", **KNOWN)
    model = Scripted(model="scripted", answer="Thought: I know.\nFinal Answer: No hazelnut cake.", asked=[])
    cook = Agent(role="cook", goal="feed Ada", backstory="a careful cook", llm=model, verbose=False)
    task = Task(description="Which cake may Ada eat, given her nuts?", expected_output="a cake", agent=cook)
    crew = Crew(name="kitchen", agents=[cook], tasks=[task], memory=kitchen, verbose=False)
    assert "No hazelnut cake." in crew.kickoff().raw
    assert any("Ada is allergic to hazelnuts" in str(each) for each in model.asked), model.asked
    kitchen.drain_writes()
    stored = [each.text for each in memory.list(namespace=space).memories]
    assert stored == ["Ada gets no hazelnut cake", "Ada is allergic to hazelnuts"], (
        "not what CrewAI's model took from it"
    )


run()
