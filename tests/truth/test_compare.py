"""A statement against earlier ones: the same again, another value, its end, something more; and what it has nothing to do with."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.truth.compare import CERTAIN, PROPOSED, Finding, Kind, compare
from ai_memory.truth.statement import Statement, statement
from ai_memory.truth.weights import FILE
from tests.truth.atlas import LANGUAGES, half
from tests.truth.development import development

DAY = 86_400_000_000
OTHERS = (
    "The editor font is Iosevka.",
    "Lunch is served in the garden.",
    "Olga waters the plants.",
    "The router is on the shelf.",
    "Every Friday the choir sings in the chapel.",
)


def said(text: str, day: int = 0, **more: str) -> Statement:
    return statement(text, day * DAY, **more)  # type: ignore[arg-type]


def about(old: Statement, new: Statement) -> Finding | None:
    """What is found about an earlier statement among others, by words alone."""
    found = compare(new, [*map(said, OTHERS), old])
    return next((finding for finding in found if finding.place == len(OTHERS)), None)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("The favourite editor is Vim.", "The favourite editor is Helix."),
        ("I work at Initech as an analyst.", "I left Initech; I now work at Hooli."),
        ("The timeout of the gateway is 30 s.", "We raised the timeout of the gateway to 60 s."),
        ("Bea lives in Graz.", "Bea moved to Linz in May."),
        ("The standup is at 9:15.", "The standup is at 9:45 from now on."),
        ("Номер Вадима: +7 900 555-01-10.", "Вадим сменил номер: +7 900 555-02-74."),
        ("Die Heizung im Büro regelt auf 19 Grad.", "Die Heizung im Büro ist jetzt auf 21 Grad eingestellt."),
    ],
)
def test_another_value_of_the_same_is_an_update(old: str, new: str) -> None:
    found = about(said(old, 0), said(new, 300))
    assert found is not None
    assert found.kind is Kind.UPDATES
    assert found.confidence > 0.4
    assert found.reason


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Alice's phone number is 555-1234.", "Bob's phone number is 555-9876."),
        ("The API key for staging is abc.", "The API key for production is xyz."),
        ("My sister lives in Oslo.", "My brother lives in Rome."),
        ("We have a cat called Mustard.", "We also have two rabbits."),
        ("Lucia speaks French.", "Lucia speaks Finnish."),
        ("Our house is in Elm Lane.", "We dream of a house by the sea."),
        ("In 2021 the fair was in Leeds.", "In 2022 the fair was in Hull."),
    ],
)
def test_what_may_both_hold_is_no_update(old: str, new: str) -> None:
    found = about(said(old, 0), said(new, 300))
    assert found is None or found.kind is Kind.EXTENDS or found.confidence < PROPOSED


def test_an_end_without_another_value_contradicts() -> None:
    found = about(
        said("The choir rehearses on Monday in the chapel."), said("The choir rehearsal on Monday is cancelled.", 30)
    )
    assert found is not None
    assert found.kind is Kind.CONTRADICTS


def test_other_values_for_the_same_time_contradict() -> None:
    found = about(said("The favourite editor is Vim.", 3), said("The favourite editor is Helix.", 3))
    assert found is not None
    assert found.kind is Kind.CONTRADICTS


@pytest.mark.parametrize("text", ["I LIVE in  Berlin", "“I live in Berlin.”", "i live in berlin!"])
def test_the_same_words_are_a_copy(text: str) -> None:
    assert about(said("I live in Berlin."), said(text, 9)) == Finding(len(OTHERS), Kind.COPY, 1.0, "the same words")


def test_of_others_and_of_questions_nothing_is_found() -> None:
    old, new = "I live in Berlin.", "I live in Munich now."
    assert compare(said(new, 9, user="ada"), [said(old, user="ben")]) == []
    assert compare(said(new, 9, author="ada"), [said(old, author="ben")]) == []
    assert compare(said(new, 9)._replace(asks=True), [said(old)]) == []
    assert compare(said(new, 9), [said(old)._replace(asks=True)]) == []
    assert compare(said(new, 9), []) == []
    assert compare(said("", 9), [said(old)]) == []
    assert compare(said("…", 9), [said("…"), said("")]) == []


@pytest.mark.parametrize("text", ["\x00 \ud800 is 5", "a" * 100_000, "5 " * 5_000, "’s ’ '' @#/ 1:-", "١٢٣ ٤٥٦"])
def test_any_text_can_be_compared(text: str) -> None:
    for finding in compare(said(text, 9), [said("I live in Berlin."), said(text[:50] + " it is 7")]):
        assert 0.0 <= finding.confidence <= 1.0


def test_the_order_of_candidates_and_of_arrival_does_not_matter() -> None:
    old, new = said("The favourite editor is Vim.", 0), said("The favourite editor is Helix.", 300)
    found, late = about(old, new), about(new, old)
    backwards = next(each for each in compare(new, [old, *map(said, reversed(OTHERS))]) if each.place == 0)
    assert found is not None
    assert late is not None
    assert late.kind is backwards.kind is found.kind
    assert late.reason == backwards.reason == found.reason
    assert [late.confidence, backwards.confidence] == pytest.approx([found.confidence] * 2)


def test_missing_vectors_are_no_vectors() -> None:
    old, new = said("The favourite editor is Vim.", 0), said("The favourite editor is Helix.", 300)
    assert compare(new, [old], np.full((2, 2), np.nan)) == compare(new, [old], None)


@pytest.mark.model
def test_vectors_find_what_shares_few_words(minilm: TransformerEmbedder) -> None:
    texts = ["Dr Hobbs does my check-ups.", *OTHERS]
    new = "For my check-ups I see Dr Ng now."
    vectors = minilm.embed_documents([new, *texts]).astype(np.float64)
    found = compare(said(new, 400), [said(text) for text in texts], vectors @ vectors.T)
    assert [(finding.place, finding.kind) for finding in found[:1]] == [(0, Kind.UPDATES)]


def test_reasons_repeat_no_text() -> None:
    old, new = (
        said("Xanthippe's wardrobe costs 780 quatloos.", 0),
        said("Xanthippe's wardrobe now costs 990 quatloos.", 300),
    )
    found = about(old, new)
    assert found is not None
    assert not {"xanthippe", "wardrobe", "quatloos", "780", "990"} & set(
        found.reason.casefold().replace(";", " ").split()
    )


def test_the_weights_are_of_the_features_that_exist() -> None:
    for kind, weights in json.loads(FILE.read_text(encoding="utf-8")).items():
        assert {len(each) for each in weights.values()} == {4}, kind
        assert "constant" in weights, kind
    assert 0.5 <= PROPOSED < CERTAIN < 1.0


def test_development_cases_are_none_of_the_atlas() -> None:
    cases = [case for language in LANGUAGES for case in development(language)]
    assert len(cases) > 1000
    known = {text.text for which in ("seen", "unseen") for case in half(which) for text in case.texts}
    assert {text.text for case in cases for text in case.texts} & known == set()
    assert len({case.id for case in cases}) == len(cases)
    assert Path(__file__).with_name("development").is_dir()
