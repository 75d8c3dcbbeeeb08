"""The contract of ai_memory/store/base.py on every backend: proposals, what is decided about them, and feedback."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from msgspec.structs import replace

from ai_memory.inbox import Decide, Decision, Feedback, Judge, Proposal, ProposalKind, ProposalState, Propose, Verdict
from ai_memory.store.base import Action, Rejected, Store, Stored, Unchanged
from ai_memory.types import Actor, MemoryRecord, RelationType
from tests.support.inbox_samples import decide, judge, proposal
from tests.support.store_samples import DAY, START, Reopen, forget, kept, one, remember, retire, revise

pytest_plugins = ["tests.support.store_backends"]

YEAR = 365 * DAY


def made(store: Store, *args: Any, **kwargs: Any) -> Proposal:
    result = one(store, Propose(proposal=proposal(*args, **kwargs)))
    assert isinstance(result, Stored), result
    assert result.proposal is not None
    return result.proposal


def decided(store: Store, about: Proposal, decision: Decision, **fields: Any) -> Proposal:
    result = decide(store, about, decision, **fields)
    assert isinstance(result, Stored), result
    assert result.proposal is not None
    assert store.proposals(about.namespace, ids=[about.id]) == [result.proposal]
    return result.proposal


def moved(store: Store, **fields: Any) -> tuple[MemoryRecord, MemoryRecord]:
    old = kept(store, "Ann lives in Berlin", valid_from=START - YEAR, **fields)
    return old, kept(store, "Ann lives in Munich", valid_from=START - DAY, **fields)


def now(store: Store, memory: MemoryRecord) -> MemoryRecord:
    (found,) = store.get(memory.namespace, [memory.id])
    assert found is not None
    return found


def state_of(store: Store, *memories: MemoryRecord) -> Any:
    """All that a proposal may change about some memories."""
    ids = [each.id for each in memories]
    return (
        store.get("default", ids),
        [store.revisions("default", each) for each in ids],
        [each for each in store.relations("default", ids) if each.retired_at is None],
        [each.record for each in store.live_revisions()],
    )


# ── proposing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_proposal_is_kept_and_found_by_id_state_and_either_memory(store: Store, reopen: Reopen) -> None:
    old, new = moved(store)
    about = made(store, old, new)
    assert about.made_by is Actor.UNKNOWN
    for again in (store, reopen()):
        for found in (
            again.proposals("default"),
            again.proposals("default", ids=[about.id]),
            again.proposals("default", memories=[old.id]),
            again.proposals("default", memories=[new.id]),
            again.proposals("default", states=[ProposalState.OPEN]),
        ):
            assert found == [about]
        assert again.proposals("default", states=[ProposalState.REJECTED]) == []
        assert again.proposals("other") == again.proposals("default", ids=["pro_other"]) == []


def test_a_proposal_needs_its_memories(store: Store) -> None:
    old, new = moved(store)
    for wrong in (replace(proposal(old, new), memory_id="mem_0"), replace(proposal(old, new), other_id="mem_0")):
        result = one(store, Propose(proposal=wrong))
        assert isinstance(result, Rejected)
        assert result.code == "not_found"
    elsewhere = replace(proposal(old, new), namespace="other")
    assert isinstance(one(store, Propose(proposal=elsewhere)), Rejected)
    assert store.proposals("default") == store.proposals("other") == []


def test_the_same_texts_are_proposed_once_whichever_memories_have_them(store: Store) -> None:
    old, new = moved(store)
    about = made(store, old, new)
    assert one(store, Propose(proposal=about)) == Unchanged(proposal=about)
    again = kept(store, "ann lives in MUNICH.", session="another", valid_from=START)
    for other, kind in ((new, ProposalKind.CONTRADICTION), (again, ProposalKind.UPDATE)):
        assert one(store, Propose(proposal=proposal(old, other, kind))) == Unchanged(proposal=about)
    assert isinstance(one(store, Propose(proposal=proposal(new, again))), Stored)


def test_a_value_may_come_back_after_another_one(store: Store) -> None:
    old, new = moved(store)
    decided(store, made(store, old, new), "accepted")
    again = kept(store, old.text, valid_from=START)
    decided(store, made(store, new, again), "accepted")
    third = kept(store, new.text, valid_from=START + DAY)
    decided(store, made(store, again, third), "rejected")
    assert isinstance(one(store, Propose(proposal=proposal(third, again))), Unchanged)


def test_another_users_texts_are_other_texts(store: Store) -> None:
    mine, hers = moved(store, user="me"), moved(store, user="her")
    made(store, *mine)
    made(store, *hers)
    assert len(store.proposals("default")) == 2


# ── deciding ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", [ProposalKind.UPDATE, ProposalKind.CONTRADICTION])
def test_accepting_an_update_supersedes_as_remember_does(store: Store, kind: ProposalKind) -> None:
    old, new = moved(store)
    about = decided(store, made(store, old, new, kind), "accepted", note="she said so")
    assert (about.state, about.decided_by, about.note, about.revision) == (
        ProposalState.ACCEPTED,
        Actor.PERSON,
        "she said so",
        2,
    )
    ended = now(store, old)
    assert (ended.valid_to, ended.retired_at, ended.actor) == (new.valid_from, None, Actor.PERSON)
    (relation,) = store.relations("default", [old.id], types=[RelationType.SUPERSEDES])
    assert (relation.id, relation.source, relation.target) == (about.relation_id, new.id, old.id)
    actions = [entry.action for entry in store.log()][-4:]
    assert actions == [Action.PROPOSED, Action.REVISED, Action.RELATED, Action.DECIDED]
    assert store.log()[-1].reason == "accepted"
    assert decide(store, about, "accepted") == Unchanged(proposal=about)


def test_undoing_an_update_restores_all_as_it_was(store: Store, reopen: Reopen) -> None:
    old, new = moved(store)
    about = made(store, old, new)
    before = state_of(store, old, new)
    for _ in range(3):
        decided(store, about, "accepted")
        assert state_of(store, old, new) != before
        about = decided(store, about, "undone")
        assert (about.state, about.revision, about.relation_id) == (ProposalState.UNDONE, None, None)
        assert state_of(store, old, new) == state_of(reopen(), old, new) == before
        assert store.check() == []


@pytest.mark.parametrize("kind", [ProposalKind.COPY, ProposalKind.RETIREMENT])
def test_a_copy_or_a_wrong_memory_is_retired_and_current_again(store: Store, kind: ProposalKind) -> None:
    old, new = moved(store)
    before = state_of(store, old, new)
    about = decided(store, made(store, old, new, kind), "accepted")
    assert now(store, old).retired_at is not None
    assert about.revision == 1
    decided(store, about, "undone")
    assert state_of(store, old, new) == before


def test_what_is_outdated_ends_when_that_is_decided_or_as_told(store: Store) -> None:
    old, other = kept(store, "the office is open on Mondays"), kept(store, "the lift is broken")
    decided(store, made(store, old, kind=ProposalKind.EXPIRY), "accepted")
    assert now(store, old).valid_to == store.proposals("default")[0].decided_at
    decided(store, made(store, other, kind=ProposalKind.EXPIRY), "accepted", ends=START - DAY)
    assert now(store, other).valid_to == START - DAY


def test_another_kind_and_another_instant_may_be_accepted(store: Store) -> None:
    old, new = moved(store)
    about = made(store, old, new, ProposalKind.COPY)
    about = decided(store, about, "accepted", kind=ProposalKind.UPDATE, ends=START - 10 * DAY)
    assert (about.kind, now(store, old).valid_to) == (ProposalKind.UPDATE, START - 10 * DAY)
    alone = made(store, new, kind=ProposalKind.RETIREMENT)
    result = decide(store, alone, "accepted", kind=ProposalKind.UPDATE)
    assert isinstance(result, Rejected)
    assert result.code == "invalid_input"
    assert store.proposals("default", ids=[alone.id]) == [alone]


def test_a_memory_never_ends_before_it_begins(store: Store) -> None:
    old, new = moved(store)
    decided(store, made(store, old, new), "accepted", ends=START - 9 * YEAR)
    assert now(store, old).valid_to == old.valid_from


def test_what_had_ended_before_is_only_joined(store: Store) -> None:
    old = kept(store, "Ann lives in Berlin", valid_from=START - YEAR, valid_to=START - 100 * DAY)
    new = kept(store, "Ann lives in Munich", valid_from=START - DAY)
    before = state_of(store, old, new)
    about = decided(store, made(store, old, new), "accepted")
    assert about.revision is None
    assert now(store, old) == old
    assert len(store.relations("default", [old.id])) == 1
    decided(store, about, "undone")
    assert state_of(store, old, new) == before


def test_rejecting_changes_no_memory_and_holds_for_the_same_texts(store: Store, reopen: Reopen) -> None:
    old, new = moved(store)
    before = state_of(store, old, new)
    about = decided(store, made(store, old, new), "rejected", note="two homes")
    assert state_of(store, old, new) == before
    one(store, retire(new))
    again = kept(store, "Ann lives in  Munich!", session="later", valid_from=START)
    for opened in (store, reopen()):
        assert one(opened, Propose(proposal=proposal(old, again))) == Unchanged(proposal=about)
    result = decide(store, about, "accepted")
    assert isinstance(result, Rejected)
    assert result.code == "conflict"
    assert decided(store, about, "undone").state is ProposalState.OPEN


def test_one_put_off_keeps_until_when(store: Store) -> None:
    old, new = moved(store)
    about = decided(store, made(store, old, new), "later", until=START + DAY)
    assert about.until == START + DAY
    assert decide(store, about, "later", until=START + DAY) == Unchanged(proposal=about)
    assert decided(store, about, "later", until=START + 2 * DAY).until == START + 2 * DAY
    about = decided(store, about, "accepted")
    assert about.until is None
    for decision in ("later", "rejected"):
        assert isinstance(decide(store, about, decision), Rejected)


def test_nothing_is_accepted_about_what_is_retired(store: Store) -> None:
    old, new = moved(store)
    about = made(store, old, new)
    one(store, retire(new))
    result = decide(store, about, "accepted")
    assert isinstance(result, Rejected)
    assert (result.code, store.proposals("default")) == ("conflict", [about])
    assert isinstance(decide(store, replace(about, id="pro_0"), "accepted"), Rejected)


def test_what_changed_since_is_not_put_back(store: Store) -> None:
    old, new = moved(store)
    about = decided(store, made(store, old, new), "accepted")
    one(store, revise(now(store, old), "Ann lived in Berlin", valid_from=START - YEAR))
    result = decide(store, about, "undone")
    assert isinstance(result, Rejected)
    assert result.code == "conflict"
    assert store.proposals("default") == [about]
    assert now(store, old).text == "Ann lived in Berlin"


def test_what_is_said_again_since_is_not_put_back(store: Store) -> None:
    old, new = moved(store)
    about = decided(store, made(store, old, new), "accepted")
    kept(store, old.text, valid_from=START)
    assert isinstance(decide(store, about, "undone"), Rejected)


def test_a_key_keeps_one_value(store: Store) -> None:
    old = kept(store, "Ann lives in Berlin", valid_from=START - YEAR, key="home")
    other = kept(store, "Ann moved to Munich", valid_from=START - 10 * DAY)
    before = state_of(store, old, other)
    about = decided(store, made(store, old, other), "accepted")
    decided(store, about, "undone")
    assert state_of(store, old, other) == before
    about = decided(store, about, "accepted")
    kept(store, "Ann lives in Bonn", valid_from=START - DAY, key="home")
    result = decide(store, about, "undone")
    assert isinstance(result, Rejected)
    assert result.code == "conflict"


def test_one_batch_remembers_proposes_and_accepts(store: Store) -> None:
    old = kept(store, "Ann lives in Berlin", valid_from=START - YEAR)
    command = remember("Ann lives in Munich", valid_from=START)
    asked = replace(proposal(old), other_id=command.id, made_by=Actor.POLICY)
    accept = Decide(id=asked.id, namespace="default", decision="accepted", at=command.at, actor=Actor.POLICY)
    results = store.write([command, Propose(proposal=asked), accept], actor=Actor.AGENT)
    assert all(isinstance(result, Stored) for result in results)
    (about,) = store.proposals("default")
    assert (about.made_by, about.decided_by, now(store, old).valid_to) == (Actor.POLICY, Actor.POLICY, START)


# ── forgetting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("which", [0, 1])
def test_a_proposal_goes_with_either_memory(store: Store, which: int) -> None:
    pair = moved(store)
    about = made(store, *pair)
    decided(store, about, "rejected", note="no")
    third = kept(store, "Ann works at Initech")
    stays = made(store, third, kind=ProposalKind.RETIREMENT)
    judge(store, pair[which], Verdict.WRONG, "no")
    one(store, forget(pair[which]))
    assert store.proposals("default") == [stays]
    assert store.feedback("default") == []


# ── feedback ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_feedback_moves_the_confidence_and_is_withdrawn(store: Store) -> None:
    memory = kept(store, "the port is 80", confidence=0.8)
    first = judge(store, memory, Verdict.WRONG, "it is 443")
    assert (first.actor, first.given, first.confidence) == (Actor.PERSON, 0.8, 0.4)
    assert now(store, memory).confidence == 0.4
    second = judge(store, memory, Verdict.OUTDATED)
    assert (second.given, second.confidence) == (0.8, 0.2)
    assert store.feedback("default", [memory.id]) == store.feedback("default") == [first, second]
    assert [each.retired_reason for each in store.revisions("default", memory.id)] == [
        "feedback: wrong",
        "feedback: outdated",
        None,
    ]
    last = judge(store, memory, Verdict.WITHDRAWN)
    assert (last.given, last.confidence, now(store, memory).confidence) == (0.8, 0.8, 0.8)


@pytest.mark.parametrize(
    ("given", "verdict", "bound"),
    [
        (1.0, Verdict.USEFUL, 1.0),
        (0.5, Verdict.USEFUL, 0.7),
        (0.9, Verdict.WRONG, 0.3),
        (0.5, Verdict.WRONG, 0.05),
        (0.02, Verdict.WRONG, 0.02),
        (0.9, Verdict.IRRELEVANT, 0.3),
    ],
)
def test_feedback_stays_within_its_bounds(store: Store, given: float, verdict: Verdict, bound: float) -> None:
    memory = kept(store, "the port is 80", confidence=given)
    for _ in range(20):
        judge(store, memory, verdict)
    assert now(store, memory).confidence == pytest.approx(bound)
    assert len(store.revisions("default", memory.id)) <= 14  # where nothing moves there is no revision
    judge(store, memory, Verdict.WITHDRAWN)
    assert now(store, memory).confidence == given


def test_a_confidence_that_was_revised_counts_as_given(store: Store) -> None:
    memory = kept(store, "the port is 80", confidence=0.8)
    judge(store, memory, Verdict.WRONG)
    one(store, revise(now(store, memory), memory.text, confidence=0.9))
    assert judge(store, memory, Verdict.OUTDATED).given == 0.9


def test_feedback_on_what_is_retired_is_kept(store: Store) -> None:
    memory = kept(store, "the port is 80")
    one(store, retire(memory))
    judge(store, memory, Verdict.WRONG)
    assert len(store.feedback("default", [memory.id])) == 1
    assert now(store, memory).revision == 1
    unknown = replace(store.feedback("default")[0], id="fbk_0", memory_id="mem_0")
    assert isinstance(one(store, Judge(feedback=unknown)), Rejected)


def test_restored_feedback_is_kept_as_it_is(store: Store) -> None:
    memory = kept(store, "the port is 80")
    at = START - dt.timedelta(hours=1)
    asked = Feedback(
        id="fbk_1",
        namespace="default",
        memory_id=memory.id,
        verdict=Verdict.WRONG,
        at=at,
        actor=Actor.PERSON,
        given=1.0,
        confidence=0.6,
    )
    assert isinstance(one(store, Judge(feedback=asked, restored=True)), Stored)
    assert one(store, Judge(feedback=asked, restored=True)) == Unchanged(feedback=asked)
    assert store.feedback("default") == [asked]
    assert now(store, memory) == memory


# ── export ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_export_has_proposals_and_feedback(store: Store) -> None:
    old, new = moved(store)
    about = made(store, old, new)
    said = judge(store, old, Verdict.OUTDATED)
    for found in (list(store.export()), list(store.export("default"))):
        assert found[-2:] == [about, said]
    assert list(store.export("other")) == []
