"""Rivals among hits: the newest value first, the earlier ones marked, and texts that have nothing to do with it left alone."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.recall.answer import Answer
from ai_memory.truth import reading
from ai_memory.truth import statement as statements
from ai_memory.truth.answers import Asking
from ai_memory.truth.rivals import rivals
from ai_memory.truth.statement import TOGETHER, Statement
from ai_memory.truth.wording import Wanted, wanted

OTHERS = [
    "The editor font is Iosevka.",
    "Lunch is at noon.",
    "The build runs nightly.",
    "Olga waters the plants.",
    "The router is on the shelf.",
]
VIM, HELIX = "The favourite editor is Vim.", "The favourite editor is Helix."


def day(number: int) -> dt.datetime:
    return dt.datetime(2024, 1, 1, tzinfo=dt.UTC) + dt.timedelta(days=number)


def _number(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def texts(answer: Answer) -> list[str]:
    return [hit.memory.text for hit in answer.hits]


@pytest.mark.model
@pytest.mark.parametrize("model", ["none", "minilm"])
@pytest.mark.parametrize(
    ("written", "asked"),
    [
        ([f"note {number} about tea" for number in range(6)], "note 3 about tea"),
        ([f"The key to room {number} hangs in cupboard B." for number in (12, 21, 34)], "Where is the key to room 12?"),
        (
            [f"Ticket AB-{number}: the printer is jammed." for number in (104, 107, 131)],
            "What was ticket AB-104 about?",
        ),
        ([f"Заметка {number} о чае." for number in range(6)], "Что в заметке 3 о чае?"),
    ],
)
def test_a_question_that_names_one_of_several_by_its_number_gets_that_one(
    tmp_path: Path, minilm_folder: ModelFolder, model: str, written: list[str], asked: str
) -> None:
    """Before, the newest of six notes that differ in their number came first, whichever was asked for."""
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path) if model == "minilm" else "none") as memory:
        for number, text in enumerate(written):
            memory.remember(text, valid_from=day(number))
        memory.settle(30)
        answer = memory.recall(asked)
        wanted_one = next(text for text in written if _number(text) == _number(asked))
        assert texts(answer)[0] == wanted_one
        assert (answer.hits[0].validity, answer.hits[0].rivals) == ("current", ())


@pytest.mark.model
@pytest.mark.parametrize("model", ["none", "minilm"])
@pytest.mark.parametrize("late", [False, True])
def test_the_newest_value_comes_first_whichever_was_stored_first(
    tmp_path: Path, minilm_folder: ModelFolder, model: str, late: bool
) -> None:
    with Memory(data_dir=tmp_path, model="none" if model == "none" else str(minilm_folder.path)) as memory:
        told = [(VIM, day(0)), (HELIX, day(700))]
        for text, since in reversed(told) if late else told:
            memory.remember(text, valid_from=since)
        memory.remember_many(OTHERS)
        memory.settle(60)

        answer = memory.recall("What is the favourite editor?")
        new, old = answer.hits[:2]
        assert (new.memory.text, old.memory.text) == (HELIX, VIM)
        assert (new.validity, old.validity) == ("current", "uncertain")
        assert [(each.id, each.order, each.since) for each in old.rivals] == [(new.memory.id, "newer", day(700))]
        assert [(each.id, each.order) for each in new.rivals] == [(old.memory.id, "older")]
        assert new.confidence > old.confidence
        assert memory.recall("What is the favourite editor?", limit=1).hits[0].memory.text == HELIX

        then = memory.recall("What is the favourite editor?", as_of=day(300)).hits[0]
        assert (then.memory.text, then.validity) == (VIM, "current")
        earlier = memory.recall("What was the favourite editor before?")
        assert texts(earlier)[:2] == [VIM, HELIX]


@pytest.mark.model
def test_the_trace_says_what_the_order_by_time_gave(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        memory.remember("I work at Initech as an analyst.", valid_from=day(0))
        memory.remember("I left Initech; I now work at Hooli.", valid_from=day(500))
        memory.remember_many(OTHERS, wait=True)
        answer = memory.recall("Where do I work?", explain=True)
        assert answer.hits[0].memory.text.endswith("Hooli.")
        for hit in answer.hits:
            assert hit.trace is not None
            assert sum(stage.contribution for stage in hit.trace.stages) == pytest.approx(hit.score)
        scores = [hit.score for hit in answer.hits]
        assert scores == sorted(scores, reverse=True)


@pytest.mark.model
def test_a_superseded_memory_names_its_successor(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        old = memory.remember(VIM, valid_from=day(0))
        new = memory.remember(HELIX, valid_from=day(700), supersedes=[old.memory_id or ""], wait=True)
        found = {
            hit.memory.text: hit for hit in memory.recall("What is the favourite editor?", include_ended=True).hits
        }
        assert found[VIM].superseded_by == new.memory_id
        assert (found[VIM].validity, found[VIM].until) == ("ended", day(700))
        assert (found[HELIX].validity, found[HELIX].superseded_by) == ("current", None)


@pytest.mark.model
@pytest.mark.parametrize(
    ("text", "other", "question"),
    [
        ("Alice's phone number is 555-1234.", "Bob's phone number is 555-9876.", "What is Alice's phone number?"),
        ("The API key for staging is abc.", "The API key for production is xyz.", "What is the API key for staging?"),
        ("My sister lives in Oslo.", "My brother lives in Rome.", "Where does my sister live?"),
        ("Mira likes tea.", "Tom likes coffee.", "What does Mira like?"),
        (VIM, "The editor font is Fira.", "What is the favourite editor?"),
    ],
)
def test_a_newer_answer_about_another_subject_does_not_take_the_place(
    tmp_path: Path, minilm_folder: ModelFolder, text: str, other: str, question: str
) -> None:
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        memory.remember(text, valid_from=day(0))
        memory.remember(other, valid_from=day(300))
        memory.remember_many(OTHERS, wait=True)
        best = memory.recall(question).hits[0]
        assert (best.memory.text, best.validity) == (text, "current")


@pytest.mark.model
def test_answers_about_other_subjects_are_no_rivals(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        for number, text in enumerate(["Mira is allergic to hazelnuts.", "Tom plays the cello.", *OTHERS]):
            memory.remember(text, valid_from=day(number))
        memory.settle(60)
        for question in ("What can Mira not eat?", "Which instrument does Tom play?", "When is lunch?"):
            best = memory.recall(question).hits[0]
            assert (best.validity, best.rivals) == ("current", ()), question


def test_a_question_for_several_or_about_the_past_keeps_the_order_of_evidence() -> None:
    kinds = {
        "Where do I live?": Wanted.NEWEST,
        "What is my current address?": Wanted.NEWEST,
        "Was ist meine Adresse?": Wanted.NEWEST,
        "Где я живу?": Wanted.NEWEST,
        "我住在哪里？": Wanted.NEWEST,
        "Where did I live before?": Wanted.EARLIER,
        "What was my previous phone?": Wanted.EARLIER,
        "Где я жил раньше?": Wanted.EARLIER,
        "Wo habe ich vorher gewohnt?": Wanted.EARLIER,
        "我以前住在哪里？": Wanted.EARLIER,
        "In which order did I live in these towns?": Wanted.IN_ORDER,
        "List all the places where I worked.": Wanted.IN_ORDER,
        "В каком порядке я жил в этих городах?": Wanted.IN_ORDER,
        "In welcher Reihenfolge habe ich dort gewohnt?": Wanted.IN_ORDER,
        "我先后住过哪里？": Wanted.IN_ORDER,
        "Which cats do we have?": Wanted.SEVERAL,
        "What phones do I have?": Wanted.SEVERAL,
        "Какие у нас кошки?": Wanted.SEVERAL,
        "我们有哪些猫？": Wanted.SEVERAL,
        "Who designed the bridge that was built in 1900?": Wanted.PAST,
    }
    assert {question: wanted(question) for question in kinds} == kinds


def statement(words: str, when: int, *, asks: bool = False, author: str | None = None) -> Statement:
    return Statement(tuple(words.split()), frozenset(words.split()), asks, author, when, True, 5.0, float("nan"))


ASKED = Asking(frozenset({"favourit", "editor"}))


def test_neither_questions_nor_hits_of_one_instant_are_rivals() -> None:
    old, new = statement("favourit editor vim", 1), statement("favourit editor helix", 2)
    assert [group.places for group in rivals(ASKED, [old, new], None).groups] == [(0, 1)]
    assert rivals(ASKED, [old, new._replace(when=1)], None).groups == []
    assert rivals(ASKED, [old, new._replace(asks=True)], None).groups == []
    assert rivals(ASKED, [old, new._replace(dated=False)], None).groups == [], "stored together"
    assert rivals(ASKED, [old, new._replace(dated=False, when=1 + TOGETHER)], None).groups != []
    assert rivals(ASKED, [old], None).groups == []
    assert rivals(ASKED, [], None).groups == []
    assert rivals(Asking(frozenset()), [statement("", 1), statement("", 2)], None).groups == []


def test_vectors_that_tell_nothing_apart_are_not_asked() -> None:
    """An embedder that does not know a language finds all of its texts alike: then only words are compared."""
    hits = [statement(f"favourit editor {name}", at) for at, name in enumerate(("vim", "helix", "emacs"))]
    alike = np.full((3, 3), 0.8)
    assert rivals(ASKED, hits, alike) == rivals(ASKED, hits, None)
    missing = np.full((3, 3), np.nan)
    assert rivals(ASKED, hits, missing) == rivals(ASKED, hits, None)


def test_no_text_outlives_its_memory_in_a_cache(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        ids = [memory.remember(text, valid_from=day(at)).memory_id for at, text in enumerate((VIM, HELIX, *OTHERS))]
        assert texts(memory.recall("What is the favourite editor?"))[0] == HELIX
        assert reading._read.cache_info().currsize > 0
        assert statements._terms_of.cache_info().currsize > 0
        memory.forget(str(ids[1]))
        assert texts(memory.recall("Who waters the plants?"))[0] == "Olga waters the plants."
        read_again = statements._terms_of.cache_info().misses
        statements.terms_of(HELIX)
        assert statements._terms_of.cache_info().misses == read_again + 1, "it was kept"
