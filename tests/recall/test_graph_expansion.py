"""Recall along the graph: what shares a rare entity with the question or a hit, or is related to one, with the path there."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from ai_memory import Memory
from ai_memory.cli.program import main
from ai_memory.clock import ManualClock
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.operations.graph import RELATE, RelateRequest
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.recall.answer import Answer, Hit
from ai_memory.recall.evidence.graph_expansion import HUB
from ai_memory.service.background import extraction
from ai_memory.service.handlers.graph import walking as graph
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.store.base import Store
from ai_memory.store.graph_file import GraphFile
from ai_memory.store.sqlite.store import open_sqlite_store
from neo4j_server import LINES
from tests.support import neo4j_backend
from tests.support.store_samples import START

QUESTION = "Who keeps the beekeeping ledger?"
LEDGER = "One beekeeping ledger is kept by Miroslava Kovalenko."
KAYAK = "Miroslava Kovalenko paddles a kayak at dawn."
OTHERS = tuple(
    f"{what} in our {where}."
    for what in (
        "A lamp stands",
        "Bread is baked",
        "Some clock strikes",
        "A cat sleeps",
        "Rain falls",
        "Music is heard",
    )
    for where in ("kitchen", "attic", "library", "garden", "tower")
)


def opened(folder: Path, **flags: object) -> Memory:
    return Memory(settings=Settings(data_dir=folder, **{"model": "none", **flags}))  # type: ignore[arg-type]


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path / "data") as opened_memory:
        opened_memory.remember_many([LEDGER, KAYAK, *OTHERS])
        yield opened_memory


def ask(memory: Memory, question: str = QUESTION, recipe: str = "linked", **how: object) -> Answer:
    return memory.recall(question, recipe=recipe, explain=True, **how)  # type: ignore[arg-type]


def texts(answer: Answer) -> list[str]:
    return [hit.memory.text for hit in answer.hits]


def hit_of(answer: Answer, text: str) -> Hit:
    (found,) = [hit for hit in answer.hits if hit.memory.text == text]
    assert found.trace is not None
    return found


def id_of(memory: Memory, text: str) -> str:
    (found,) = [each.id for each in memory.list(limit=100).memories if each.text == text]
    return found


def path_of(answer: Answer, text: str) -> tuple[str, ...]:
    trace = hit_of(answer, text).trace
    assert trace is not None
    return trace.path


def account(answer: Answer) -> bytes:
    """All of an answer but how long it took."""
    return msgspec.json.encode(msgspec.structs.replace(answer, took_ms=0.0))


def test_what_names_the_same_rare_person_as_the_first_hit_comes_up_with_its_path(memory: Memory) -> None:
    assert texts(ask(memory, recipe="balanced")) == [LEDGER]
    answer = ask(memory)
    assert texts(answer) == [LEDGER, KAYAK]
    kayak = hit_of(answer, KAYAK)
    assert kayak.trace is not None
    assert kayak.trace.candidates == ("graph",)
    assert kayak.trace.path == (
        id_of(memory, LEDGER), "—MENTIONS→", "entity:Miroslava Kovalenko", "←MENTIONS—", id_of(memory, KAYAK)
    )  # fmt: skip
    assert "linked to what the question names, or to a better hit" in kayak.reasons
    (stage,) = [stage for stage in kayak.trace.stages if stage.name == "entities"]
    assert stage.contribution == pytest.approx(stage.weight * stage.value)
    assert kayak.score == pytest.approx(sum(stage.contribution for stage in kayak.trace.stages))
    assert answer.asked is not None
    assert answer.asked.origins == {"lexical": 1, "graph": 1}
    assert [notice.code for notice in answer.notices] == ["words_only"]


def test_the_smallest_store_has_links(tmp_path: Path) -> None:
    with opened(tmp_path / "data") as memory:
        memory.remember_many([LEDGER, KAYAK])
        assert texts(ask(memory)) == [LEDGER, KAYAK]


def test_what_the_question_names_leads_to_memories_whose_words_it_lacks(memory: Memory) -> None:
    memory.remember("Анна Каренина любит варенье.")
    question = "Что известно об Анне Карениной?"
    found = path_of(ask(memory, question), "Анна Каренина любит варенье.")
    assert found[:2] == ("question", "names")
    assert found[2].startswith("entity:")
    assert found[3] == "←MENTIONS—"


def test_one_relation_away(memory: Memory) -> None:
    ledger, lamp = id_of(memory, LEDGER), id_of(memory, OTHERS[0])
    memory.relate(lamp, ledger, type="SUPERSEDES")
    answer = ask(memory)
    assert set(texts(answer)) == {LEDGER, KAYAK, OTHERS[0]}
    assert path_of(answer, OTHERS[0]) == (ledger, "←SUPERSEDES—", lamp)
    weak = memory.relate(ledger, id_of(memory, OTHERS[1]), type="REFERS_TO", weight=0.0)
    assert OTHERS[1] not in texts(ask(memory)), "a relation counts by its weight"
    memory.unrelate(weak.id)
    memory.relate(ledger, id_of(memory, OTHERS[1]), type="REFERS_TO", weight=0.5)
    answer = ask(memory)
    assert path_of(answer, OTHERS[1]) == (ledger, "—REFERS_TO→", id_of(memory, OTHERS[1]))
    assert hit_of(answer, OTHERS[1]).score < hit_of(answer, OTHERS[0]).score


def test_without_extraction_what_people_related_counts(tmp_path: Path) -> None:
    with opened(tmp_path / "data", extract=False) as memory:
        memory.remember_many([LEDGER, KAYAK, *OTHERS])
        ledger, lamp = id_of(memory, LEDGER), id_of(memory, OTHERS[0])
        assert texts(ask(memory)) == [LEDGER]
        memory.relate(ledger, "entity:project/Honey", type="PART_OF")
        memory.relate(lamp, "entity:project/Honey", type="PART_OF")
        answer = ask(memory)
        assert path_of(answer, OTHERS[0]) == (ledger, "—PART_OF→", "entity:Honey", "←PART_OF—", lamp)
        assert [notice.code for notice in answer.notices] == ["words_only"]


def test_a_hub_brings_nothing(memory: Memory) -> None:
    before = ask(memory)
    assert KAYAK in texts(before)
    memory.remember_many([f"Miroslava Kovalenko was seen on {day} occasions." for day in range(HUB)])
    assert texts(ask(memory)) == [LEDGER]
    for word in ("red", "blue"):
        memory.remember(f"Everybody saw {word} paint.")
    assert ask(memory, "Miroslava Kovalenko", limit=100).asked.origins.get("graph", 0) == 0  # type: ignore[union-attr]


def test_filters_come_first(memory: Memory) -> None:
    memory.remember("Miroslava Kovalenko wears a scarf.", tags=["clothes"], user="u1")
    assert texts(ask(memory, tags=["clothes"])) == [], "no hit, and the question names no entity"
    named = ask(memory, "What about Miroslava Kovalenko?", user=["u1"])
    assert texts(named) == ["Miroslava Kovalenko wears a scarf."]
    ledger = id_of(memory, LEDGER)
    assert texts(ask(memory, ids=[ledger])) == [LEDGER]


def test_a_namespace_is_a_wall(memory: Memory) -> None:
    memory.remember_many([LEDGER, *OTHERS], namespace="other")
    assert texts(ask(memory, namespace="other")) == [LEDGER]
    assert texts(ask(memory, namespace="empty")) == []


def test_as_of_and_known_at_hold_for_relations_and_memories(memory: Memory) -> None:
    ledger, lamp = id_of(memory, LEDGER), id_of(memory, OTHERS[0])
    memory.relate(ledger, lamp, valid_from="2020-01-01", valid_to="2021-01-01")
    assert OTHERS[0] in texts(ask(memory, as_of="2020-06-01"))
    assert OTHERS[0] not in texts(ask(memory, as_of="2021-06-01"))
    assert OTHERS[0] not in texts(ask(memory, as_of="2019-06-01T00:00:00Z"))
    assert texts(ask(memory, known_at="2020-01-01")) == []
    memory.revise(id_of(memory, KAYAK), text=KAYAK, valid_to="2022-01-01")
    assert KAYAK not in texts(ask(memory))
    assert KAYAK in texts(ask(memory, include_ended=True))
    assert KAYAK in texts(ask(memory, as_of="2021-06-01"))


def test_a_forgotten_memory_takes_its_links_along(memory: Memory) -> None:
    ledger, lamp = id_of(memory, LEDGER), id_of(memory, OTHERS[0])
    memory.remember("Hroswitha Blau painted our attic of Miroslava Kovalenko.")
    memory.remember("Hroswitha Blau eats figs.")
    memory.relate(ledger, lamp)
    assert len(ask(memory).hits) == 4
    memory.forget(lamp)
    memory.forget(id_of(memory, KAYAK))
    assert set(texts(ask(memory))) == {LEDGER, "Hroswitha Blau painted our attic of Miroslava Kovalenko."}
    memory.forget(ledger)
    assert texts(ask(memory)) == []


def test_what_was_merged_links_and_what_was_split_does_not(memory: Memory) -> None:
    memory.remember("M. Kovalenko-Bright owns two dogs.")
    pilot = str(memory.remember("Ludmila Brant flies gliders.").memory_id)
    assert "Ludmila Brant flies gliders." not in texts(ask(memory))
    memory.merge("entity:Miroslava Kovalenko", "entity:Ludmila Brant")
    answer = ask(memory)
    assert path_of(answer, "Ludmila Brant flies gliders.")[2:] == ("entity:Miroslava Kovalenko", "←MENTIONS—", pilot)
    assert KAYAK in texts(ask(memory, "What does Ludmila Brant do?")), "asked for by the merged name"
    kayak = id_of(memory, KAYAK)
    memory.split("entity:Miroslava Kovalenko", "entity:Other Kovalenko", kayak)
    assert KAYAK not in texts(ask(memory))


def test_switched_off_nothing_of_the_graph_is_in_an_answer(tmp_path: Path) -> None:
    """To the last bit, what a store without any graph answers: scores, accounts, confidence."""
    recipes = ("balanced", "fast", "thorough", "words", "meaning")
    with opened(tmp_path / "data", model="hashing") as memory:
        memory.remember_many([LEDGER, KAYAK, *OTHERS])
        assert memory.settle(60)
        memory.relate(id_of(memory, LEDGER), "entity:Miroslava Kovalenko")
        assert memory.entities("Miroslava").total == 1
        with_graph = [account(ask(memory, recipe=recipe, layers=["semantic"], now=START)) for recipe in recipes]
        assert ask(memory).hits != ask(memory, recipe="balanced").hits
    with opened(tmp_path / "data", model="hashing", extract=False) as memory:
        without = [account(ask(memory, recipe=recipe, layers=["semantic"], now=START)) for recipe in recipes]
    assert with_graph == without
    assert b"entities" not in b"".join(with_graph)
    assert b'"graph"' not in b"".join(with_graph)


def test_the_answer_is_the_same_after_a_restart_and_a_new_reading(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    with opened(folder, model="hashing") as memory:
        memory.remember_many([LEDGER, KAYAK, *OTHERS])
        assert memory.settle(60)
        first = ask(memory, now=START)
        assert path_of(first, KAYAK)
    with opened(folder, model="hashing") as memory:
        assert account(ask(memory, now=START)) == account(first)
    (graph,) = folder.glob("*.graph")
    for part in folder.glob("*.graph*"):
        part.unlink()
    with opened(folder, model="hashing") as memory:
        again = ask(memory, now=START)
        assert graph.exists()
    assert account(again) == account(first)


def test_a_smaller_limit_gives_the_beginning(memory: Memory) -> None:
    memory.relate(id_of(memory, LEDGER), id_of(memory, OTHERS[0]))
    many = ask(memory, limit=20)
    assert len(many.hits) == 3
    for limit in (1, 2):
        few = ask(memory, limit=limit)
        assert [(hit.memory.id, hit.score) for hit in few.hits] == [
            (hit.memory.id, hit.score) for hit in many.hits[:limit]
        ]


def test_an_answer_says_where_not_all_has_been_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(extraction, "PAUSE_SECONDS", 100.0)  # nothing is read but by asking
    monkeypatch.setattr(extraction, "LONGEST_PAUSE_SECONDS", 100.0)
    monkeypatch.setattr(graph, "READING_SECONDS", 0.0)
    with opened(tmp_path / "data") as memory:
        memory.remember_many([LEDGER, *(f"A shelf number {number}." for number in range(2 * extraction.PAGE)), KAYAK])
        first = ask(memory)
        assert [notice.code for notice in first.notices] == ["words_only", "graph_unread"]
        assert first.notices[1].message.startswith(f"{extraction.PAGE + 2} changes are not in the graph yet")
        assert texts(first) == [LEDGER]
        assert [notice.code for notice in ask(memory).notices] == ["words_only", "graph_unread"]
        whole = ask(memory)
    assert [notice.code for notice in whole.notices] == ["words_only"]
    assert texts(whole) == [LEDGER, KAYAK]


def test_with_the_real_small_model_a_link_lifts_what_is_far_in_meaning(
    tmp_path: Path, minilm_folder: ModelFolder, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    with opened(folder, model=str(minilm_folder.path)) as memory:
        memory.remember_many([LEDGER, KAYAK, *OTHERS])
        assert memory.settle(110)
        plain, linked = ask(memory, recipe="balanced", limit=40), ask(memory, limit=40)
        ledger, kayak = id_of(memory, LEDGER), id_of(memory, KAYAK)
    assert hit_of(plain, KAYAK).rank > 3
    assert texts(linked)[:2] == [LEDGER, KAYAK]
    found = hit_of(linked, KAYAK)
    assert found.trace is not None
    assert found.trace.candidates == ("dense", "graph")
    assert found.trace.path == (ledger, "—MENTIONS→", "entity:Miroslava Kovalenko", "←MENTIONS—", kayak)
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    assert main(["--data-dir", str(folder), "explain", QUESTION, "--recipe", "linked"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert f"the graph ({ledger} —MENTIONS→ entity:Miroslava Kovalenko ←MENTIONS— {kayak})" in shown
    assert "1 from the graph" in shown


@pytest.mark.parametrize("line", LINES)
def test_links_on_neo4j_are_those_on_sqlite(line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(START)
    expected = _answers(open_sqlite_store(tmp_path / "memory.db", clock=clock), tmp_path / "a.graph", monkeypatch)
    clock = ManualClock(START)
    server = neo4j_backend.server(line)
    neo4j_backend.clean(server)
    assert _answers(neo4j_backend.open_on(server, clock), tmp_path / "b.graph", monkeypatch) == expected


def _answers(
    store: Store, graph: Path, monkeypatch: pytest.MonkeyPatch
) -> list[tuple[str, str, float, tuple[str, ...]]]:
    """Hits with score and path, after the same writes with the same ids and instants."""
    chance = random.Random(7)
    monkeypatch.setattr("ai_memory.store.ids.secrets.randbits", chance.getrandbits)
    service = Service(
        store, None, clock=ManualClock(START), graph_file=lambda digest: GraphFile(graph, store.store_id, "1", digest)
    )
    try:
        drafts = [Draft(text=text) for text in (LEDGER, KAYAK, *OTHERS)]
        ids = [
            each.memory_id for each in service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts)).receipts
        ]
        service.carry_out(RELATE, RelateRequest(source=str(ids[0]), target=str(ids[2]), type="CAUSES"))
        service.carry_out(RELATE, RelateRequest(source=str(ids[1]), target="entity:Boats", type="ABOUT"))
        service.carry_out(RELATE, RelateRequest(source=str(ids[3]), target="entity:Boats", type="ABOUT"))
        asked = (QUESTION, "Where does Miroslava Kovalenko paddle?", "What about Boats?")
        requests = [RecallRequest(query=text, recipe="linked", explain=True) for text in asked]
        answers = [service.carry_out(RECALL, request) for request in requests]
        found = [
            (answer.answer_hash, hit.memory.id, hit.score, hit.trace.path)
            for answer in answers
            for hit in answer.hits
            if hit.trace
        ]
        assert sum(bool(path) for *_, path in found) >= 4
        return found
    finally:
        service.close()
