"""Everything about one person, project or identifier is one command, on every store: what it takes, and what it leaves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import BrakeError, InvalidInputError, NotFoundError
from ai_memory.extraction import extract
from ai_memory.operations.about import FORGET_ABOUT, ForgetAboutRequest, ForgottenAbout
from ai_memory.operations.deciding import MERGE, MergeRequest
from ai_memory.operations.graph import ENTITIES, RELATE, EntitiesRequest, RelateRequest
from ai_memory.operations.reading import LIST, ListRequest
from ai_memory.operations.writing import REMEMBER, RETIRE, REVISE, RememberRequest, RetireRequest, ReviseRequest
from ai_memory.service.service import Service
from ai_memory.store.graph_file import GraphFile
from tests.support.disk import files_with, stored_in
from tests.support.store_samples import Reopen

pytest_plugins = ["tests.support.store_backends"]

CASES = list(map(json.loads, (Path(__file__).parent / "about_cases.jsonl").read_text(encoding="utf-8").splitlines()))


@pytest.fixture(params=["sqlite", "neo4j-newest"])
def backend(request: pytest.FixtureRequest) -> str:
    """One line of Neo4j is enough here: what the store has to do is in the tests of its contract, on all of them."""
    return str(request.param)


@pytest.fixture
def service(reopen: Reopen, clock: ManualClock, tmp_path: Path) -> Iterator[Service]:
    store = reopen()
    path = tmp_path / "graph.db"
    made = Service(
        store,
        None,
        clock=clock,
        graph_file=lambda digest_at: GraphFile(path, store.store_id, extract.VERSION, digest_at),
    )
    yield made
    made.close()


def remember(service: Service, text: str, **fields: Any) -> str:
    return str(service.carry_out(REMEMBER, RememberRequest(text=text, **fields)).memory_id)


def forget_about(service: Service, about: str, **how: Any) -> ForgottenAbout:
    return service.carry_out(FORGET_ABOUT, ForgetAboutRequest(about=about, **how))


def texts(service: Service, namespace: str = "default") -> set[str]:
    page = service.carry_out(LIST, ListRequest(namespace=namespace, limit=1_000, include_ended=True))
    return {memory.text for memory in page.memories}


def test_the_written_cases(service: Service) -> None:
    """At least nine tenths of the cases are whole, and of a hundred memories about something else at most one is erased."""
    whole = bystanders = kept = 0
    for number, case in enumerate(CASES):
        namespace = f"case{number}"
        session = "s" if case.get("session") else None
        for text in (*case["erase"], *case["keep"]):
            remember(service, text, namespace=namespace, session=session)
        shown = forget_about(service, case["about"], namespace=namespace)
        assert shown.dry_run
        assert texts(service, namespace) == {*case["erase"], *case["keep"]}, "a dry run erases nothing"
        done = forget_about(service, case["about"], namespace=namespace, dry_run=False)
        assert [each.id for each in done.erased] == [each.id for each in shown.erased]
        left = texts(service, namespace)
        whole += left.isdisjoint(case["erase"])
        bystanders += len(case["keep"])
        kept += len(left.intersection(case["keep"]))
    assert len(CASES) >= 60
    assert whole >= 0.9 * len(CASES)
    assert kept >= 0.99 * bystanders


def test_what_is_erased_and_what_is_left_say_why(service: Service) -> None:
    found = {
        remember(service, "Anna Schmidt lives in Bonn."): ("name", "Anna Schmidt", "text"),
        remember(service, "Встреча с Анной Шмидт в пять."): ("spelling", "Анной Шмидт", "text"),
        remember(service, "prefers tea", author="anna schmidt"): ("name", "anna schmidt", "author"),
        remember(service, "a lease", title="Schmidt, Anna"): ("spelling", "Schmidt, Anna", "title"),
        remember(service, "a cello", tags=("Anna Schmidt",)): ("name", "Anna Schmidt", "tags"),
        remember(service, "a boat", attributes={"owner": {"name": "Anna Schmidt"}}): (
            "name",
            "Anna Schmidt",
            "attributes",
        ),
        remember(service, "a cabin", context="people/Anna Schmidt"): ("name", "Anna Schmidt", "context"),
    }
    left = {
        remember(service, "Anna Berg is a nurse."): ("other_name", "Anna Berg"),
        remember(service, "Anna came late."): ("unclear", "Anna"),
        remember(service, "Tom lives in Bonn."): ("shares", "bonn"),
    }
    remember(service, "It rained.")
    shown = forget_about(service, "Anna Schmidt")
    assert {each.id: (each.how, each.written, each.where) for each in shown.erased} == found
    assert {each.id: (each.why, each.written) for each in shown.left} == left
    assert all(each.text for each in shown.erased)
    done = forget_about(service, "Anna Schmidt", dry_run=False)
    assert (done.forgotten, {each.text for each in done.erased}) == (len(found), {None})
    assert texts(service) == {"Anna Berg is a nurse.", "Anna came late.", "Tom lives in Bonn.", "It rained."}
    assert forget_about(service, "Anna Schmidt", dry_run=False).forgotten == 0


def test_retired_memories_and_earlier_revisions_are_found(service: Service) -> None:
    retired = remember(service, "Olga Winter has the key.")
    service.carry_out(RETIRE, RetireRequest(id=retired, reason="she moved"))
    revised = remember(service, "Olga Winter pays the rent.")
    service.carry_out(REVISE, ReviseRequest(id=revised, text="Somebody pays the rent."))
    shown = forget_about(service, "Olga Winter")
    assert {each.id: each.earlier for each in shown.erased} == {retired: True, revised: True}
    assert shown.states == {"current": 1, "retired": 1}
    assert forget_about(service, "Olga Winter", dry_run=False).forgotten == 2


def test_other_names_of_the_same_are_found(service: Service) -> None:
    """What people merged is one, and is forgotten under each of its names; what they related to it goes too."""
    remember(service, "Klara Voss moved to Kiel.")
    remember(service, "Ludmila Blackmoor gave a talk.")
    service.carry_out(MERGE, MergeRequest(things=("entity:Ludmila Blackmoor",), into="entity:Klara Voss"))
    service.carry_out(RELATE, RelateRequest(source="entity:Klara Voss", target="entity:Orchid Club", type="MEMBER_OF"))
    shown = forget_about(service, "Klara Voss")
    assert set(shown.names) == {"Klara Voss", "Ludmila Blackmoor"}
    forget_about(service, "Klara Voss", dry_run=False)
    names = {named.entity.name for named in service.carry_out(ENTITIES, EntitiesRequest(limit=100)).entities}
    assert names.isdisjoint({"Klara Voss", "Ludmila Blackmoor"})


def test_nothing_of_it_is_left_in_the_store(service: Service, tmp_path: Path) -> None:
    def places() -> list[str]:
        return files_with(tmp_path, ["Quintessa"]) + ["store"] * ("Quintessa" in stored_in(service._parts.store))

    remember(service, "Xylo Quintessa plays the zither.", title="Quintessa's zither", key="people.xylo-quintessa")
    remember(service, "Xylo Quintessa met Tom.", session="Quintessa")
    remember(service, "Tom plays the lute.")
    service.carry_out(RELATE, RelateRequest(source="entity:Xylo Quintessa", target="entity:Tom", type="KNOWS"))
    assert places()
    assert forget_about(service, "Xylo Quintessa", dry_run=False).wipe_pending is None
    assert places() == []
    assert texts(service) == {"Tom plays the lute."}


def test_memories_can_be_added_and_kept(service: Service) -> None:
    about, kept, also = (
        remember(service, text) for text in ("Udo Lenz sings.", "Udo Lenz wrote our charter.", "The tenor.")
    )
    shown = forget_about(service, "Udo Lenz", also=(also,), keep=(kept,))
    assert {each.id: each.how for each in shown.erased} == {about: "name", also: "also"}
    assert [(each.id, each.why) for each in shown.left] == [(kept, "kept")]
    forget_about(service, "Udo Lenz", also=(also,), keep=(kept,), dry_run=False)
    assert texts(service) == {"Udo Lenz wrote our charter."}
    with pytest.raises(NotFoundError):
        forget_about(service, "Udo Lenz", also=("mem_00000000000000000000000000",))


def test_one_users_memories_are_not_anothers(service: Service) -> None:
    remember(service, "Mila Kern is my boss.", user="ada")
    remember(service, "Mila Kern is my aunt.", user="bob")
    forget_about(service, "Mila Kern", user="ada", dry_run=False)
    assert texts(service) == {"Mila Kern is my aunt."}


def test_the_share_is_checked_before_anything_is_erased(service: Service) -> None:
    for number in range(25):
        remember(service, f"Ben Ash said {number}.")
    with pytest.raises(BrakeError, match="25 of 25"):
        forget_about(service, "Ben Ash", dry_run=False)
    assert len(texts(service)) == 25
    assert forget_about(service, "Ben Ash", dry_run=False, allow_share=1.0).forgotten == 25


@pytest.mark.parametrize("reason", ["asked by Ben Ash", "asked by Ash, Ben"])
def test_a_reason_with_the_name_is_refused(service: Service, reason: str) -> None:
    remember(service, "Ben Ash snores.")
    with pytest.raises(InvalidInputError, match="reason has the name"):
        forget_about(service, "Ben Ash", reason=reason)


@pytest.mark.parametrize("about", ["...", " ", "\u200b", "🎉"])
def test_a_name_without_letters_is_refused(service: Service, about: str) -> None:
    with pytest.raises(InvalidInputError, match="about"):
        forget_about(service, about)
