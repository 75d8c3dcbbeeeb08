"""Recall through the service on a real store, with the model-free embedder or lexically alone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ai_memory.clock import ManualClock
from ai_memory.errors import InvalidInputError
from ai_memory.operations.graph import RELATE, RelateRequest
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.writing import (
    FORGET,
    REMEMBER,
    REMEMBER_MANY,
    RETIRE,
    REVISE,
    Draft,
    ForgetRequest,
    RememberManyRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.recall.answer import Answer, Layer
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.text.passages import LIMIT
from ai_memory.text.properties import estimate_tokens
from ai_memory.wiring import open_service

START = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HARBOUR = "The harbour master repaired the lighthouse lamp after the storm."
BREAD = "Grandmother bakes rye bread on Sundays with caraway seeds."


def opened(folder: Path, model: str) -> Service:
    return open_service(Settings(data_dir=folder, model=model), clock=ManualClock(START))


@pytest.fixture(params=["hashing", "none"])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """With vectors, and lexically alone."""
    found = opened(tmp_path, request.param)
    yield found
    found.close()


@pytest.fixture
def with_vectors(tmp_path: Path) -> Iterator[Service]:
    found = opened(tmp_path, "hashing")
    yield found
    found.close()


@pytest.fixture
def words_only(tmp_path: Path) -> Iterator[Service]:
    found = opened(tmp_path, "none")
    yield found
    found.close()


def remember(service: Service, *texts: str, **fields: Any) -> list[str]:
    drafts = [Draft(text=text, **fields) for text in texts]
    receipts = service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts)).receipts
    service.settle(30)
    return [receipt.memory_id or "" for receipt in receipts]


def ask(service: Service, query: str, **fields: Any) -> Answer:
    return service.carry_out(RECALL, RecallRequest(query=query, **fields))


def ids(answer: Answer) -> list[str]:
    return [hit.memory.id for hit in answer.hits]


def texts(answer: Answer) -> list[str]:
    return [hit.memory.text for hit in answer.hits]


def codes(answer: Answer) -> list[str]:
    return [notice.code for notice in answer.notices]


def test_the_right_memory_comes_first_with_reasons(service: Service) -> None:
    remember(service, HARBOUR, BREAD, "The tax office moved to the second floor.")
    answer = ask(service, "Who repaired the lighthouse lamp?")
    assert answer.hits[0].memory.text == HARBOUR
    assert set(answer.hits[0].matched) == {"repaired", "lighthouse", "lamp"}
    assert any("lighthouse" in reason for reason in answer.hits[0].reasons)
    assert answer.hits[0].validity == "current"
    assert not answer.abstained
    assert [hit.rank for hit in answer.hits] == list(range(1, len(answer.hits) + 1))
    assert all(earlier.score >= later.score for earlier, later in zip(answer.hits, answer.hits[1:], strict=False))
    assert all(0.0 <= hit.confidence <= 1.0 for hit in answer.hits)


def test_without_a_model_the_answer_says_so(words_only: Service) -> None:
    remember(words_only, HARBOUR)
    answer = ask(words_only, "lighthouse")
    assert codes(answer) == ["words_only"]
    assert (answer.searched.memories, answer.searched.by_words, answer.searched.by_meaning) == (1, 1, 0)


def test_explained_stages_add_up_to_the_score(with_vectors: Service) -> None:
    remember(with_vectors, HARBOUR, BREAD, "A second lamp was bought.", session="talk")
    answer = ask(with_vectors, "the lighthouse lamp", explain=True)
    assert len(answer.hits) == 3
    for hit in answer.hits:
        assert hit.trace is not None
        assert sum(stage.contribution for stage in hit.trace.stages) == pytest.approx(hit.score, abs=1e-9)
        assert all(stage.contribution == pytest.approx(stage.weight * stage.value) for stage in hit.trace.stages)
        assert hit.trace.cosine is not None
        assert -1.0 <= hit.trace.cosine <= 1.000001
    first = answer.hits[0].trace
    assert first is not None
    assert first.candidates == ("dense", "lexical")
    assert (first.dense_rank, first.lexical_rank) == (1, 1)
    assert ask(with_vectors, "the lighthouse lamp").hits[0].trace is None


def test_filters_apply_before_ranking(service: Service) -> None:
    remember(service, *(f"The lamp number {number} is bright." for number in range(300)))
    wanted = remember(service, *(f"A dull lamp, kept as number {number}." for number in range(3)), tags=("rare",))
    answer = ask(service, "bright lamp", tags=("rare",), limit=3)
    assert sorted(ids(answer)) == sorted(wanted)
    assert answer.searched.memories == 3


def test_with_vectors_a_narrow_filter_still_fills_the_limit(with_vectors: Service) -> None:
    remember(with_vectors, *(f"Entry {number} about boats." for number in range(900)))
    wanted = remember(with_vectors, *(f"Note {number} on cheese." for number in range(9)), user="ada")
    answer = ask(with_vectors, "boats", user=("ada",), limit=9)
    assert sorted(ids(answer)) == sorted(wanted)


def test_more_hits_than_the_candidate_pool_holds(with_vectors: Service) -> None:
    long = " ".join(f"Paragraph {number} of the chronicle tells of boats." for number in range(4 * LIMIT // 6))
    remember(with_vectors, long, *(f"Entry {number} about boats." for number in range(40)))
    assert len(ask(with_vectors, "boats", limit=41).hits) == 41


def test_a_long_memory_is_one_hit_and_names_its_passage(service: Service) -> None:
    filler = "Nothing of note was said about the weather that day. " * 60
    long = filler + "The zeppelin landed at dawn. " + filler
    remember(service, long, BREAD)
    answer = ask(service, "When did the zeppelin land?")
    assert texts(answer).count(long) == 1
    passage = answer.hits[0].passage
    assert "zeppelin" in passage.text
    assert long[passage.start : passage.end] == passage.text
    assert len(passage.text) < len(long)


def test_neighbours_in_the_session_speak_for_a_memory(with_vectors: Service) -> None:
    alone, *_ = remember(with_vectors, "Yes, at nine.", session="other")
    remember(with_vectors, *(f"Some remark {number} of no weight." for number in range(20)))
    talk = remember(with_vectors, "When does the ferry to Hven leave?", "Yes, at ten.", session="talk")
    found = ids(ask(with_vectors, "ferry to Hven", limit=30))
    assert found[0] == talk[0]
    assert found.index(talk[1]) < found.index(alone)


def test_the_contextual_layer_shows_what_stands_beside_a_hit(service: Service) -> None:
    talk = remember(service, "Any news?", HARBOUR, "Good to hear.", "And the bread?", session="talk")
    answer = ask(service, "lighthouse lamp", limit=1, layers=(Layer.CONTEXTUAL,))
    assert ids(answer) == [talk[1]]
    assert [(one.memory.id, one.how) for one in answer.hits[0].surroundings] == [
        (talk[0], "previous"),
        (talk[2], "next"),
    ]
    assert ask(service, "lighthouse lamp", limit=1, layers=(Layer.SEMANTIC,)).hits[0].surroundings == ()


def test_limit_bounds_the_memories_of_an_answer_and_of_its_block(service: Service) -> None:
    talk = remember(service, "Any news?", HARBOUR, "Good to hear.", "And the bread?", session="talk")
    service.carry_out(RELATE, RelateRequest(source=talk[3], target=talk[1], type="CAUSES"))
    for limit in (1, 2, 3):
        answer = ask(service, "lighthouse lamp", limit=limit, format="context")
        assert len(answer.hits) + sum(len(hit.surroundings) for hit in answer.hits) <= limit
        assert answer.context is not None
        assert sum(line.startswith("[mem_") for line in answer.context.splitlines()) <= limit
    asked = ask(service, "lighthouse lamp", limit=1, format="context", layers=(Layer.SEMANTIC, Layer.CONTEXTUAL))
    assert len(asked.hits[0].surroundings) == 3


def test_related_memories_stand_beside_a_hit_too(service: Service) -> None:
    lamp, bread = remember(service, HARBOUR, BREAD)
    service.carry_out(RELATE, RelateRequest(source=bread, target=lamp, type="CAUSES"))
    answer = ask(service, "lighthouse lamp", limit=1, layers=(Layer.CONTEXTUAL,))
    assert [(one.memory.id, one.how) for one in answer.hits[0].surroundings] == [(bread, "CAUSES")]


def test_surroundings_pass_the_filters_of_the_question(service: Service) -> None:
    (lamp,) = remember(service, HARBOUR, user="ada")
    (bread,) = remember(service, BREAD, user="bob")
    service.carry_out(RELATE, RelateRequest(source=bread, target=lamp, type="CAUSES"))
    asked = {"limit": 1, "user": ("ada",), "layers": (Layer.CONTEXTUAL,)}
    assert ask(service, "lighthouse lamp", **asked).hits[0].surroundings == ()


def test_the_detailed_layer_has_history_and_relations(service: Service) -> None:
    lamp, bread = remember(service, HARBOUR, BREAD)
    service.carry_out(RELATE, RelateRequest(source=lamp, target=bread, type="REFERS_TO"))
    service.carry_out(REVISE, ReviseRequest(id=lamp, text=HARBOUR + " It is green."))
    service.settle(30)
    answer = ask(service, "lighthouse lamp", limit=1, layers=(Layer.DETAILED,))
    detail = answer.hits[0].detail
    assert detail is not None
    assert [revision.revision for revision in detail.history] == [1, 2]
    assert [relation.type for relation in detail.relations] == ["REFERS_TO"]


def test_quoted_phrases_are_hard_filters(service: Service) -> None:
    held, *_ = remember(
        service,
        "She said the  Red\nDoor was open.",
        "The door was red.",
        "Red paint for the door, the red one.",
    )
    assert ids(ask(service, 'which "red door" is it')) == [held]
    assert ids(ask(service, "“RED door”")) == [held]
    assert len(ask(service, 'Which is the "red door"?').hits) == 3, "a question quotes a name"
    assert len(ask(service, "«RED door»").hits) == 3, "ordinary Russian puts names in guillemets"
    nothing = ask(service, '"blue door"')
    assert nothing.hits == ()
    assert nothing.reason == "no memory contains the quoted phrase"
    assert ask(service, '"blue door" "red door"').reason == "no memory contains all quoted phrases"


def test_a_phrase_among_other_words_hides_no_answer_where_no_memory_has_it(service: Service) -> None:
    held, other = remember(service, "The ferry crosses at noon.", "The bridge is closed.")
    found = ask(service, 'when does the "ship" cross, the ferry I mean')
    assert ids(found)[0] == held
    (notice,) = [each for each in found.notices if each.code == "phrase_nowhere"]
    assert notice.message.startswith("no memory contains the quoted phrase")
    assert ids(ask(service, 'is the "bridge" a ferry')) == [other]
    assert not [each for each in ask(service, 'is the "bridge" a ferry').notices if each.code == "phrase_nowhere"]
    both = ask(service, 'the "ferry" and the "bridge" there')
    assert {held, other} <= set(ids(both))
    assert any("all quoted phrases" in each.message for each in both.notices)


def test_a_phrase_is_found_across_a_cut_between_passages(service: Service) -> None:
    long = "word " * (LIMIT // 5 - 1) + "quick brown fox jumps. " * 100
    (wanted,) = remember(service, long)
    assert ids(ask(service, '"quick brown fox"')) == [wanted]
    assert ids(ask(service, '"word quick brown"')) == [wanted]


@pytest.mark.parametrize(
    "query",
    ["", "   ", "the of and", "?!…", "🎉", "🎉🎉 👍🏽", "\u202eabc", "a" * 20_000, "lamp " * 4_000, '""', '"', "«»"],
)
def test_odd_questions_are_no_errors(service: Service, query: str) -> None:
    remember(service, HARBOUR, BREAD)
    answer = ask(service, query)
    assert answer.question == query
    assert answer.hits or answer.reason


@pytest.mark.parametrize("fields", [{"limit": 0}, {"max_tokens": 0}, {"max_tokens": -5}])
def test_limits_below_one_are_refused(service: Service, fields: dict[str, int]) -> None:
    with pytest.raises(InvalidInputError):
        ask(service, "lamp", **fields)


def test_empty_answers_say_why(words_only: Service) -> None:
    assert ask(words_only, "lamp").reason == "there are no memories in this namespace"
    (lamp,) = remember(words_only, HARBOUR)
    assert ask(words_only, "lamp", tags=("absent",)).reason == "no memory passes the filters"
    assert "no memory has a word" in str(ask(words_only, "zebra").reason)
    assert "no words to search by" in str(ask(words_only, "?!").reason)
    assert "function words only" in str(ask(words_only, "are you").reason)
    assert ask(words_only, " \n").reason == "the question is empty"
    words_only.carry_out(RETIRE, RetireRequest(id=lamp))
    assert ask(words_only, "lamp").reason == "there are no memories in this namespace"


def test_an_empty_answer_blames_no_vectors_that_exist(with_vectors: Service) -> None:
    remember(with_vectors, HARBOUR)
    assert ask(with_vectors, "").reason == "the question is empty"
    for question in ("zebra", "?!", "are you"):
        reason = str(ask(with_vectors, question, recipe="words").reason)
        assert reason.endswith("the recipe words does not search semantically")


def test_a_semantic_recipe_without_vectors_says_so(words_only: Service) -> None:
    remember(words_only, HARBOUR)
    reason = str(ask(words_only, "lamp", recipe="meaning").reason)
    assert reason == "there are no vectors to compare with, and the recipe meaning does not search lexically"


def test_a_match_that_says_little_is_not_trusted(with_vectors: Service) -> None:
    remember(with_vectors, HARBOUR, BREAD)
    answer = ask(with_vectors, "Which submarine explored Antarctic glaciers under what famous captain?")
    assert answer.hits
    assert answer.abstained
    assert answer.reason


@pytest.mark.parametrize(
    "asked",
    [
        "What is the number of the certificate that Johanna got?",
        pytest.param(
            "Johanna passport registration certificate",
            marks=pytest.mark.xfail(
                reason="bare keywords about somebody known get a confidence of .33, above the .3 of an answer"
            ),
        ),
    ],
)
def test_a_known_person_with_an_unknown_fact_is_not_trusted(with_vectors: Service, asked: str) -> None:
    remember(with_vectors, *(f"Johanna {did} on Monday." for did in ("swam", "cooked", "slept", "read", "ran", "sang")))
    remember(with_vectors, *(f"Bob watered plant number {n} in the greenhouse." for n in range(30)))
    known = ask(with_vectors, "Johanna cooked Monday")
    unknown = ask(with_vectors, asked)
    assert not known.abstained
    assert unknown.abstained
    assert "Johanna" in unknown.hits[0].memory.text
    for limit in (1, 2):
        assert ask(with_vectors, "Johanna cooked Monday", limit=limit).abstained == known.abstained
        assert ask(with_vectors, asked, limit=limit).abstained == unknown.abstained


def test_ended_memories_are_left_out_and_counted(service: Service) -> None:
    (old,) = remember(service, "The office is in Riga.", valid_to=START - dt.timedelta(days=5))
    (new,) = remember(service, "The office is in Turku.", valid_from=START - dt.timedelta(days=5))
    (later,) = remember(service, "The office is in Oslo soon.", valid_from=START + dt.timedelta(days=90))
    answer = ask(service, "Where is the office?")
    assert set(ids(answer)) == {new, later}
    assert {hit.memory.id: hit.validity for hit in answer.hits} == {new: "current", later: "future"}
    assert [notice.message for notice in answer.notices if notice.code == "ended_left_out"] == [
        "1 memory would have matched but had ended"
    ]
    everything = ask(service, "Where is the office?", include_ended=True)
    assert {hit.memory.id: hit.validity for hit in everything.hits}[old] == "ended"
    assert "ended_left_out" not in codes(everything)
    before = ask(service, "Where is the office?", as_of=START - dt.timedelta(days=30))
    assert ids(before) == [old]
    assert before.hits[0].validity == "current"


def test_known_at_asks_what_was_known_then(service: Service) -> None:
    (lamp,) = remember(service, HARBOUR)
    then = service.carry_out(RECALL, RecallRequest(query="lamp")).hits[0].memory.recorded_at
    service.carry_out(REVISE, ReviseRequest(id=lamp, text="The lamp of the lighthouse is broken."))
    service.settle(30)
    assert texts(ask(service, "lamp")) == ["The lamp of the lighthouse is broken."]
    answer = ask(service, "lamp", known_at=then, layers=(Layer.DETAILED,))
    assert texts(answer) == [HARBOUR]
    assert answer.hits[0].detail is not None
    assert [revision.revision for revision in answer.hits[0].detail.history] == [1]


def test_forgotten_memories_are_gone_from_the_next_answer(service: Service) -> None:
    lamp, _ = remember(service, HARBOUR, BREAD)
    service.carry_out(FORGET, ForgetRequest(id=lamp))
    assert lamp not in ids(ask(service, "lighthouse lamp"))


def test_a_budget_drops_the_weakest_first(service: Service) -> None:
    remember(service, *(f"The lamp of pier {number} " + "shines " * (number + 1) for number in range(8)))
    full = ask(service, "lamp pier", limit=8)
    assert full.tokens == sum(estimate_tokens(text) for text in texts(full))
    cut = ask(service, "lamp pier", limit=8, max_tokens=full.tokens - 1)
    assert ids(cut) == ids(full)[: len(cut.hits)]
    assert 0 < len(cut.hits) < 8
    assert cut.tokens < full.tokens
    assert "budget_cut" in codes(cut)
    nothing = ask(service, "lamp pier", max_tokens=1)
    assert nothing.hits == ()
    assert nothing.reason == "not even the best match fits in 1 tokens; raise max_tokens"


def test_surroundings_go_before_hits(service: Service) -> None:
    remember(service, "Any news?", HARBOUR, "Good to hear.", session="talk")
    enough = estimate_tokens(HARBOUR)
    answer = ask(service, "lighthouse lamp", limit=1, max_tokens=enough, layers=(Layer.CONTEXTUAL,))
    assert texts(answer) == [HARBOUR]
    assert answer.hits[0].surroundings == ()
    assert answer.tokens == enough


def test_equal_state_and_question_give_an_equal_answer(tmp_path: Path) -> None:
    first = opened(tmp_path, "hashing")
    remember(first, *(f"The lamp of pier {number} shines." for number in range(50)), session="piers")
    before = ask(first, "Which lamp shines?", explain=True)
    again = ask(first, "Which lamp shines?", explain=True)
    first.close()
    second = opened(tmp_path, "hashing")
    after = ask(second, "Which lamp shines?", explain=True)
    assert before.answer_hash == again.answer_hash == after.answer_hash
    assert ids(before) == ids(after)
    assert [hit.trace for hit in before.hits] == [hit.trace for hit in after.hits]
    assert ask(second, "Which lamp is dark?").answer_hash != after.answer_hash
    remember(second, "Another lamp shines and shines, the lamp.")
    assert ask(second, "Which lamp shines?").answer_hash != after.answer_hash
    second.close()


def test_no_question_crosses_a_namespace(service: Service) -> None:
    service.carry_out(REMEMBER, RememberRequest(text=HARBOUR, namespace="mine"))
    assert ask(service, "lighthouse lamp").hits == ()
    assert texts(ask(service, "lighthouse lamp", namespace="mine")) == [HARBOUR]


def test_one_search_alone(with_vectors: Service) -> None:
    remember(with_vectors, HARBOUR, BREAD)
    words = ask(with_vectors, "lighthouse", recipe="words", explain=True)
    assert texts(words) == [HARBOUR]
    assert words.recipe == "words"
    assert words.searched.by_meaning == 0
    meaning = ask(with_vectors, "lighthouse", recipe="meaning", explain=True)
    assert len(meaning.hits) == 2
    assert meaning.searched.by_words == 0
    trace = meaning.hits[0].trace
    assert trace is not None
    assert [stage.name for stage in trace.stages] == ["dense"]


def test_an_answer_survives_the_wire(service: Service) -> None:
    remember(service, HARBOUR, BREAD, session="talk")
    answer = ask(service, "lighthouse lamp", explain=True, layers=tuple(Layer))
    assert msgspec.json.decode(msgspec.json.encode(answer), type=Answer) == answer
