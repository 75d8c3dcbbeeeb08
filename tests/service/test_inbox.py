"""The inbox as it is used: what a write touches, what is proposed, decisions that are undone, and feedback."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory import ConflictError, InvalidInputError, Memory, NotFoundError
from ai_memory.inbox import ProposalKind, ProposalState
from ai_memory.recall.answer import Answer
from ai_memory.types import Actor, SimilarKind

BERLIN, MUNICH = "Ann works in Berlin.", "Ann now works in Munich."
ASKED = ("Where does Ann work?", "Ann", "Berlin", "who works in Munich?", "what did Ann do before?")


def opened(folder: Path, **settings: Any) -> Memory:
    return Memory(data_dir=folder, model="none", actor="person", **settings)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with opened(tmp_path / "one") as made:
        yield made


def moved(memory: Memory, **fields: Any) -> tuple[str, str, str]:
    """Two memories of which the second updates the first, and the proposal that the service makes of it."""
    old = memory.remember(BERLIN, valid_from="2020-01-01", **fields)
    new = memory.remember(MUNICH, valid_from="2024-01-01", **fields)
    made = {each.id: each.proposal for each in new.similar}[str(old.memory_id)]
    assert made is not None
    return str(old.memory_id), str(new.memory_id), made


def said(memory: Memory) -> list[bytes]:
    """What recalls answer, byte for byte but for the time that they took."""

    def plain(answer: Answer) -> bytes:
        return msgspec.json.encode(msgspec.structs.replace(answer, took_ms=0.0))

    now = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
    options: tuple[dict[str, Any], ...] = (
        {"include_ended": True, "layers": ["semantic", "contextual", "detailed"], "explain": True},
        {"as_of": "2021-01-01"},
        {"recipe": "linked"},
        {"format": "context"},
    )
    return [plain(memory.recall(question, now=now, **each)) for question in ASKED for each in options]


# ── what a write touches ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_receipt_names_copies_in_other_sessions_and_conflicts(memory: Memory) -> None:
    first = memory.remember(BERLIN, session="one", valid_from="2020-01-01")
    assert first.similar == ()
    copy = memory.remember("ann works in BERLIN", session="two", valid_from="2021-01-01")
    assert [(each.id, each.kind, each.text) for each in copy.similar] == [(first.memory_id, SimilarKind.COPY, BERLIN)]
    other = memory.remember(MUNICH, session="three", valid_from="2022-01-01")
    assert {each.id for each in other.similar} == {first.memory_id, copy.memory_id}
    assert {each.kind for each in other.similar} == {SimilarKind.UPDATES}
    assert all(0.0 < each.confidence <= 1.0 and each.reason for each in other.similar)
    assert memory.remember("The kettle is broken.").similar == ()


def test_a_question_and_a_document_are_compared_with_nothing(memory: Memory) -> None:
    memory.remember(BERLIN)
    assert memory.remember("Ann works in Berlin?").similar == ()
    assert memory.remember("Ann works in Berlin. " * 100).similar == ()


def test_a_proposal_is_made_once_and_shows_both_texts(memory: Memory) -> None:
    old, new, made = moved(memory)
    (shown,) = memory.proposals().proposals
    assert (shown.proposal.id, shown.proposal.kind, shown.proposal.made_by) == (
        made,
        ProposalKind.UPDATE,
        Actor.POLICY,
    )
    assert shown.other is not None
    assert (shown.memory.text, shown.other.text) == (BERLIN, MUNICH)
    assert "2024-01-01" in shown.accepting
    assert memory.remember(MUNICH, valid_from="2024-01-01", session="again").similar
    assert memory.proposals().total == 1
    for filters in ({"about": old}, {"about": new}, {"kinds": ["update"]}, {"ids": [made]}, {"states": ["open"]}):
        assert memory.proposals(**filters).total == 1
    for filters in ({"kinds": ["copy"]}, {"states": ["accepted"]}, {"namespace": "other"}):
        assert memory.proposals(**filters).total == 0


def test_the_older_one_ends_whichever_arrives_first(memory: Memory) -> None:
    new = memory.remember(MUNICH, valid_from="2024-01-01")
    old = memory.remember(BERLIN, valid_from="2020-01-01")
    (shown,) = memory.proposals().proposals
    assert (shown.memory.id, shown.proposal.other_id) == (old.memory_id, new.memory_id)


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ({"user": "ann"}, {"user": "bob"}),
        ({"user": "ann"}, {}),
        ({"agent": "a"}, {"agent": "b"}),
        ({"author": "Ann"}, {"author": "Bob"}),
    ],
)
def test_other_peoples_memories_are_never_compared(memory: Memory, one: dict[str, Any], two: dict[str, Any]) -> None:
    memory.remember("I live in Berlin and like it.", valid_from="2020-01-01", **one)
    receipt = memory.remember("I live in Munich and like it.", valid_from="2024-01-01", **two)
    assert receipt.similar == ()
    assert memory.proposals().total == 0


def test_no_namespace_is_crossed(memory: Memory) -> None:
    memory.remember(BERLIN, namespace="home")
    assert memory.remember(MUNICH, namespace="work").similar == ()
    assert memory.proposals(namespace="work").total == memory.proposals(namespace="home").total == 0


def test_what_is_superseded_or_has_a_key_is_no_conflict(memory: Memory) -> None:
    old = memory.remember(BERLIN, valid_from="2020-01-01")
    assert memory.remember(MUNICH, valid_from="2024-01-01", supersedes=[str(old.memory_id)]).similar == ()
    memory.remember("The port is 80.", key="port")
    assert memory.remember("The port is 443.", key="port").similar == ()
    assert memory.proposals().total == 0


def test_a_batch_names_what_it_touches_and_an_import_is_not_compared(memory: Memory) -> None:
    memory.remember(BERLIN, valid_from="2020-01-01")
    receipts = memory.remember_many([{"text": MUNICH, "valid_from": "2024-01-01"}, {"text": "Bo is away."}]).receipts
    assert [len(each.similar) for each in receipts] == [1, 0]
    assert memory.proposals().total == 1
    many = [{"text": f"Ann lives in Town{number}.", "valid_from": "2025-01-01"} for number in range(101)]
    assert not any(each.similar for each in memory.remember_many(many).receipts)
    line = {"text": "Ann now works in Rome.", "valid_from": "2025-06-01"}
    assert memory.import_lines([line]).counts == {"stored": 1}
    assert memory.proposals().total == 1


def test_a_repeated_request_gives_the_same_receipt_and_no_second_proposal(memory: Memory) -> None:
    memory.remember(BERLIN, valid_from="2020-01-01")
    first = memory.remember(MUNICH, valid_from="2024-01-01", idempotency_key="k")
    assert memory.remember(MUNICH, valid_from="2024-01-01", idempotency_key="k") == first
    assert memory.proposals().total == 1
    memory.forget(str(first.similar[0].id))
    assert memory.remember(MUNICH, valid_from="2024-01-01", idempotency_key="k").similar == ()
    assert memory.proposals().total == 0


# ── on_conflict ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_keep_stores_both_and_proposes_nothing(memory: Memory) -> None:
    memory.remember(BERLIN)
    (similar,) = memory.remember(MUNICH, on_conflict="keep").similar
    assert similar.proposal is None
    assert memory.proposals(states=list(ProposalState)).total == 0


def test_supersede_proposes_what_is_not_certain(memory: Memory) -> None:
    old = memory.remember(BERLIN, valid_from="2020-01-01")
    receipt = memory.remember(MUNICH, valid_from="2024-01-01", on_conflict="supersede")
    assert (receipt.outcome, receipt.supersedes, memory.proposals().total) == ("stored", (), 1)
    assert memory.get(str(old.memory_id)).valid_to is None


def test_supersede_ends_what_is_certain_and_it_can_be_undone(memory: Memory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai_memory.service.handlers.similar.CERTAIN", 0.5)
    old = memory.remember(BERLIN, valid_from="2020-01-01")
    receipt = memory.remember(MUNICH, valid_from="2024-01-01", on_conflict="supersede")
    assert (receipt.outcome, receipt.supersedes) == ("superseded", (old.memory_id,))
    assert memory.get(str(old.memory_id)).valid_to == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    (shown,) = memory.proposals(states=["accepted"]).proposals
    assert shown.proposal.decided_by is Actor.POLICY
    memory.decide(shown.proposal.id, "undo")
    assert memory.get(str(old.memory_id)).valid_to is None


def test_the_setting_says_what_a_namespace_does(tmp_path: Path) -> None:
    with opened(tmp_path / "two", on_conflict={"quiet": "keep", "*": "propose"}) as memory:
        for namespace in ("quiet", "default"):
            memory.remember(BERLIN, namespace=namespace)
            memory.remember(MUNICH, namespace=namespace)
        assert memory.proposals(namespace="quiet").total == 0
        assert memory.proposals().total == 1
        memory.remember(
            "Ann no longer works in Berlin or Munich, now in Rome.", namespace="quiet", on_conflict="propose"
        )
        assert memory.proposals(namespace="quiet").total == 2
    with pytest.raises(InvalidInputError, match="on_conflict"):
        opened(tmp_path / "two", on_conflict={"*": "overwrite"})


# ── deciding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["update", "contradiction", "copy", "retirement", "expiry"])
def test_undoing_restores_byte_for_byte_what_recalls_said(memory: Memory, kind: str) -> None:
    for text in ("Bo lives in Berlin.", "Ann met Bo in Munich.", "The kettle is from Berlin."):
        memory.remember(text, valid_from="2019-01-01", on_conflict="keep")
    _, _, made = moved(memory)
    before = said(memory)
    for _ in range(2):
        memory.decide(made, "accept", kind=kind)
        assert said(memory) != before
        memory.decide(made, "undo")
        assert said(memory) == before


def test_undo_holds_after_a_restart_and_for_another_process(tmp_path: Path) -> None:
    with opened(tmp_path / "one") as memory, opened(tmp_path / "one") as other:
        _, _, made = moved(memory)
        before = said(other)
        memory.decide(made, "accept")
        changed = said(other)
        assert changed != before
        other.decide(made, "undo")
        assert said(memory) == said(other) == before
    with opened(tmp_path / "one") as again:
        assert said(again) == before


def test_accepting_is_in_the_history_with_who_did_it(memory: Memory) -> None:
    old, new, made = moved(memory)
    shown = memory.decide(made, "accept", note="she wrote so")
    assert (shown.proposal.state, shown.proposal.decided_by, shown.proposal.note) == (
        ProposalState.ACCEPTED,
        Actor.PERSON,
        "she wrote so",
    )
    assert [each.retired_reason for each in memory.history(old).revisions] == [f"proposal {made} accepted", None]
    (first, second) = memory.recall("Where does Ann work?", include_ended=True).hits
    assert (first.memory.id, second.memory.id, second.superseded_by) == (new, old, new)
    assert memory.proposals().total == 0
    assert memory.decide(made, "accept").proposal == shown.proposal


def test_edit_is_accepting_with_another_kind_or_end(memory: Memory) -> None:
    old, _, made = moved(memory)
    memory.decide(made, "accept", valid_to="2023-07-01")
    assert memory.get(old).valid_to == dt.datetime(2023, 7, 1, tzinfo=dt.UTC)
    memory.decide(made, "undo")
    memory.decide(made, "accept", kind="retirement")
    assert memory.get(old).retired_at is not None


def test_later_hides_a_proposal_until_then(memory: Memory) -> None:
    _, _, made = moved(memory)
    memory.decide(made, "later", until="2100-01-01")
    assert memory.proposals().total == 0
    assert memory.proposals(states=["later"]).total == 1
    memory.decide(made, "undo")
    assert memory.proposals().total == 1


@pytest.mark.parametrize(
    ("decision", "fields"),
    [
        ("later", {}),
        ("later", {"until": "2020-01-01"}),
        ("accept", {"until": "2100-01-01"}),
        ("reject", {"kind": "copy"}),
        ("undo", {"valid_to": "2024-01-01"}),
        ("reject", {"note": "a\0b"}),
        ("reject", {"note": "a\ud800b"}),
        ("reject", {"note": "x" * 2_001}),
        ("perhaps", {}),
    ],
)
def test_a_wrong_decision_changes_nothing(memory: Memory, decision: Any, fields: dict[str, Any]) -> None:
    _, _, made = moved(memory)
    with pytest.raises(InvalidInputError):
        memory.decide(made, decision, **fields)
    assert memory.proposals().proposals[0].proposal.state is ProposalState.OPEN
    with pytest.raises(NotFoundError, match="pro_0"):
        memory.decide("pro_0", "accept")


def test_a_model_may_propose_and_is_not_a_person(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path / "m", model="none") as memory:
        one = memory.remember("The office is in Ghent.")
        two = memory.remember("We rent rooms in Namur these days.")
        shown = memory.propose(
            str(one.memory_id), "update", other=str(two.memory_id), reason="they moved", confidence=0.7
        )
        assert (shown.proposal.made_by, shown.proposal.confidence) == (Actor.AGENT, 0.7)
        assert memory.decide(shown.proposal.id, "accept").proposal.decided_by is Actor.AGENT
        with pytest.raises(InvalidInputError, match="reason"):
            memory.propose(str(two.memory_id), "retirement", reason="We rent rooms in Namur these days")
        with pytest.raises(InvalidInputError, match="two memories"):
            memory.propose(str(two.memory_id), "copy")


# ── a rejected value stays rejected ────────────────────────────────────────────────────────────────────────────────────


def test_a_rejected_pair_does_not_come_back_when_it_is_stored_again(memory: Memory) -> None:
    _, new, made = moved(memory)
    memory.decide(made, "reject", note="she has two homes")
    memory.retire(new)
    for session, text in (("a", MUNICH), ("b", "ANN NOW WORKS IN MUNICH"), ("c", "  Ann now works in Munich!  ")):
        receipt = memory.remember(text, valid_from="2025-01-01", session=session)
        assert all(each.kind is not SimilarKind.UPDATES for each in receipt.similar)
    assert memory.proposals().total == 0
    with pytest.raises(ConflictError, match="rejected"):
        memory.decide(made, "accept")
    memory.decide(made, "undo")
    assert memory.proposals().total == 1


def test_a_rejected_pair_does_not_come_back_from_an_archive(memory: Memory, tmp_path: Path) -> None:
    _, _, made = moved(memory)
    (open_before,) = [line for line in memory.export() if line["record"] == "proposal"]
    memory.decide(made, "reject", note="she has two homes")
    memory.feedback(str(memory.list().memories[0].id), "useful")
    archive = list(memory.export())
    assert memory.import_lines([open_before]).counts == {"duplicate_of": 1}
    assert memory.proposals(states=["rejected"]).total == 1
    with opened(tmp_path / "two") as other:
        report = other.import_lines(archive)
        assert report.rejected == ()
        assert list(other.export()) == archive
        receipt = other.remember(MUNICH, session="again", valid_from="2025-01-01")
        assert all(each.kind is SimilarKind.COPY for each in receipt.similar)
        assert other.proposals().total == 0
        assert memory.proposals(states=["rejected"]) == other.proposals(states=["rejected"])


def test_an_archive_cannot_say_that_a_person_decided(memory: Memory, tmp_path: Path) -> None:
    _, _, made = moved(memory)
    memory.decide(made, "reject")
    archive = list(memory.export())
    with Memory(data_dir=tmp_path / "two", model="none") as other:
        other.import_lines(archive)
        (shown,) = other.proposals(states=["rejected"]).proposals
        assert shown.proposal.decided_by is Actor.IMPORT


@pytest.mark.parametrize(
    "changed",
    [{"id": "x"}, {"confidence": 2.0}, {"memory_id": "mem_0"}, {"other_id": None}, {"note": "a\0b"}, {"kind": "merge"}],
)
def test_a_wrong_line_of_an_archive_is_reported(memory: Memory, changed: dict[str, Any]) -> None:
    moved(memory)
    (line,) = [each for each in memory.export() if each["record"] == "proposal"]
    fresh = {"id": "pro_1", "memory_id": line["other_id"], "other_id": line["memory_id"], "kind": "copy"}
    report = memory.import_lines([{**line, **fresh, **changed}])
    assert report.counts == {"rejected": 1}
    assert memory.proposals().total == 1


def test_a_forgotten_memory_takes_its_proposals_along(memory: Memory, tmp_path: Path) -> None:
    old, _, made = moved(memory)
    memory.decide(made, "reject", note="XYZZY")
    memory.forget(old)
    assert memory.proposals(states=list(ProposalState)).total == 0
    memory.close()
    assert not any(b"XYZZY" in file.read_bytes() for file in (tmp_path / "one").rglob("*") if file.is_file())


# ── feedback ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_feedback_shows_in_hits_and_in_the_history(memory: Memory) -> None:
    one = str(memory.remember(BERLIN, confidence=0.9).memory_id)
    judged = memory.feedback(one, "wrong", "she never lived there")
    assert (judged.feedback.given, judged.feedback.confidence) == (0.9, 0.5)
    assert judged.proposal is not None
    assert judged.proposal.kind is ProposalKind.RETIREMENT
    (hit,) = memory.recall("Where does Ann work?").hits
    assert hit.moved is not None
    assert (hit.moved.given, hit.moved.verdicts, hit.memory.confidence) == (0.9, {"wrong": 1}, 0.5)
    found = memory.history(one)
    assert [each.note for each in found.feedback] == ["she never lived there"]
    assert memory.list(min_confidence=0.8).memories == ()
    memory.feedback(one, "withdrawn")
    (hit,) = memory.recall("Where does Ann work?").hits
    assert (hit.moved, hit.memory.confidence) == (None, 0.9)


def test_outdated_proposes_an_end_and_accepting_it_ends_the_memory(memory: Memory) -> None:
    memory.remember(BERLIN, valid_from="2020-01-01", key="home")
    judged = memory.feedback("key:home", "outdated")
    assert judged.proposal is not None
    memory.decide(judged.proposal.id, "accept", valid_to="2024-01-01")
    assert memory.get(judged.feedback.memory_id).valid_to == dt.datetime(2024, 1, 1, tzinfo=dt.UTC)


def test_feedback_changes_no_order(memory: Memory) -> None:
    for number in range(8):
        memory.remember(f"Ann likes the number {number} a lot.", on_conflict="keep")
    before = [(hit.memory.id, hit.validity) for hit in memory.recall("What does Ann like?").hits]
    memory.feedback(before[0][0], "wrong")
    memory.feedback(before[-1][0], "useful")
    assert [(hit.memory.id, hit.validity) for hit in memory.recall("What does Ann like?").hits] == before


@pytest.mark.parametrize("wrong", [{"verdict": "great"}, {"verdict": ""}, {"note": "a\0"}, {"note": "x" * 2_001}])
def test_wrong_feedback_is_refused(memory: Memory, wrong: dict[str, str]) -> None:
    one = str(memory.remember(BERLIN).memory_id)
    with pytest.raises(InvalidInputError):
        memory.feedback(**{"id": one, "verdict": "useful", **wrong})
    with pytest.raises(NotFoundError):
        memory.feedback("mem_0", "useful")
    assert memory.history(one).feedback == ()
