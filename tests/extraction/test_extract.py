"""What is read out of a text: each kind of mention, what is no name, statements and what is none, and any text at all."""

from __future__ import annotations

import datetime as dt
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError
from ai_memory.extraction.extract import extract, forget_words
from ai_memory.extraction.values import Extraction, Kind, Mention

SAID = dt.datetime(2026, 3, 18, 10, tzinfo=dt.UTC)


def found(text: str) -> list[tuple[str, str]]:
    return [(mention.kind.value, mention.name) for mention in extract(text, said_at=SAID).mentions]


def stated(text: str) -> list[tuple[str, str, str]]:
    return [(s.subject.canonical, s.relation, s.object.canonical) for s in extract(text, said_at=SAID).statements]


@pytest.mark.parametrize(
    ("text", "kind", "name", "canonical"),
    [
        ("Write to Jo.Doe+x@mail.example.org.", "email", "Jo.Doe+x@mail.example.org", "jo.doe+x@mail.example.org"),
        ("see (https://a.example/b_(c)?d=1#e), then", "url", "https://a.example/b_(c)?d=1#e", None),
        ("www.example.com/x is down", "url", "www.example.com/x", None),
        ("edit ~/notes/a.md now", "path", "~/notes/a.md", None),
        (r"open D:\work\a.txt now", "path", r"D:\work\a.txt", None),
        ("in src/core/: nothing", "path", "src/core/", None),
        ("call open_file() twice", "symbol", "open_file()", "open_file"),
        ("the `a + b` form", "symbol", "a + b", None),
        ("std::vector is slow", "symbol", "std::vector", None),
        ("built from v1.2.3-rc2.", "version", "v1.2.3-rc2", "1.2.3-rc2"),
        ("needs GCC 12.1 or later", "version", "12.1", None),
        ("KeyError again", "error", "KeyError", None),
        ("the server returned 502 twice", "error", "502", None),
        ("killed by SIGKILL", "error", "SIGKILL", None),
        ("вернул 404 на запрос", "error", "404", None),
        ("see [[Two  words|shown]]", "wiki", "[[Two  words|shown]]", "Two words"),
        ("filed under #Über-Thema.", "tag", "#Über-Thema", "über-thema"),
        ("ask @Jo_Doe.", "handle", "@Jo_Doe", "jo_doe"),
        ("Профессор Сидоров звонил", "person", "Сидоров", None),
        ("Письмо от Ольги Андреевны", "person", "Ольги Андреевны", "Ольга Андреевна"),
        ("живём под Рязанью", "place", "Рязанью", "Рязань"),
    ],
)
def test_kinds(text: str, kind: str, name: str, canonical: str | None) -> None:
    mentions = [m for m in extract(text, said_at=SAID).mentions if m.kind.value == kind]
    assert [(m.name, m.canonical) for m in mentions] == [(name, canonical or name)]
    assert text[mentions[0].start : mentions[0].end] == name


@pytest.mark.parametrize(
    "text",
    [
        "and/or, km/h, 3/4 of it",
        "costs 3.50 euros and weighs 2.5 kg",
        "See section 4.2 and step 3.",
        "colour #a1b2c3, issue #42",
        "e.g. this, i.e. that, U.S. law",
        "Hope is not a plan.",
        "Target for today: ten. May we stop?",
        "The End of the Beginning",
        "Вера в успех важна. Надежда умирает последней.",
        "Что делать, если всё сломалось?",
        "10:30, 15:45, room 404 is free",
    ],
)
def test_what_is_no_name(text: str) -> None:
    assert found(text) == []


def test_a_name_is_known_again_in_the_same_text() -> None:
    assert found("We met Anna Belova. Then Belova left.") == [("person", "Anna Belova"), ("person", "Belova")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Maria Bruni works at Fiat.", [("Maria Bruni", "WORKS_AT", "Fiat")]),
        ("Vim was replaced by Emacs.", [("Emacs", "REPLACED", "Vim")]),
        ("We switched from MySQL to SQLite.", [("SQLite", "REPLACED", "MySQL")]),
        ("Kibana depends on Elasticsearch and Redis.", [
            ("Kibana", "DEPENDS_ON", "Elasticsearch"),
            ("Kibana", "DEPENDS_ON", "Redis"),
        ]),
        ("Мария работает в Газпроме.", [("Мария", "WORKS_AT", "Газпром")]),
        ("Антон женат на Ольге.", [("Антон", "MARRIED_TO", "Ольга")]),
        ("Maria does not work at Fiat.", []),
        ("Maria never worked at Fiat.", []),
        ("Does Maria work at Fiat?", []),
        ("Maria works at Fiat?", []),
        ("If Maria works at Fiat, ask her.", []),
        ("Maria wants to move to Rome.", []),
        ("Maria might move to Rome.", []),
        ("Мария не работает в Газпроме.", []),
        ("Мария хочет переехать в Казань.", []),
        ("Maria works hard. At Fiat nobody does.", []),
    ],
)  # fmt: skip
def test_statements(text: str, expected: list[tuple[str, str, str]]) -> None:
    assert stated(text) == expected


@pytest.mark.parametrize(
    ("text", "valid_from", "valid_to"),
    [
        ("Maria works at Fiat.", None, None),
        ("Maria works at Fiat since May 2024.", "2024-05-01", None),
        ("Maria joined Fiat in 2020.", "2020-01-01", None),
        ("Maria left Fiat in 2020.", None, "2021-01-01"),
        ("Maria worked at Fiat from 2015 to 2019.", "2015-01-01", "2020-01-01"),
        ("Мария уволилась из Газпрома в мае 2024 года.", None, "2024-06-01"),
    ],
)
def test_when_a_statement_holds(text: str, valid_from: str | None, valid_to: str | None) -> None:
    (statement,) = extract(text, said_at=SAID).statements
    given = (statement.valid_from, statement.valid_to)
    assert tuple(bound.date().isoformat() if bound else None for bound in given) == (valid_from, valid_to)


def test_what_is_over_without_a_date_ended_when_it_was_said() -> None:
    (statement,) = extract("Maria no longer works at Fiat.", said_at=SAID).statements
    assert (statement.valid_from, statement.valid_to) == (None, SAID)
    assert extract("Maria no longer works at Fiat.").statements[0].valid_to is None


def test_a_statement_has_its_evidence() -> None:
    text = "As I said, Maria works at Fiat since May 2024, I think nothing of it."
    (statement,) = extract("As said, Maria works at Fiat since May 2024.", said_at=SAID).statements
    assert "As said, Maria works at Fiat since May 2024."[statement.start : statement.end] == (
        "Maria works at Fiat since May 2024"
    )
    assert extract(text, said_at=SAID).times[0].text == "since May 2024"


def test_a_model_adds_what_is_not_found_yet() -> None:
    text = "Maria met Zzyzx yesterday."

    def model(given: str) -> list[Mention]:
        assert given == text
        return [
            Mention(0, 5, Kind.PRODUCT, "Maria", "Maria"),
            Mention(10, 15, Kind.PERSON, "Zzyzx", "Zzyzx"),
            Mention(16, 25, Kind.PLACE, "yesterday", "yesterday"),
        ]

    mentions = extract(text, said_at=SAID, model=model).mentions
    assert [(m.kind, m.name) for m in mentions] == [(Kind.PERSON, "Maria"), (Kind.PERSON, "Zzyzx")]


WORDS = st.sampled_from(
    ["Anna", "Petrova", "works", "at", "Globex", "since", "May", "in", "2024", "from", "to", "by", "until", "3", "weeks", "ago",
     "yesterday", "v1.2", "a_b", "#x", "@y", "[[z]]", "`c`", "/", ".", ",", ";", "?", "\n", "не", "в", "с", "по", "Анна", "Яндексе",
     "15", "марта", "вчера", "99999", "31", "February", "\x00", "\ud800", "🤖", "שלום", "مرحبا", "﷽", "1.2.3.4",
     "C:\\", "http://", "a@b"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(max_size=200), st.lists(WORDS, max_size=30).map(" ".join)), st.booleans())
def test_any_text_gives_sound_spans(text: str, dated: bool) -> None:
    given = extract(text, said_at=SAID if dated else None)
    assert given == extract(text, said_at=SAID if dated else None)
    for mention in given.mentions:
        assert text[mention.start : mention.end] == mention.name != ""
    for time in given.times:
        assert text[time.start : time.end] == time.text
        assert time.since or time.until
        assert time.since is None or time.until is None or time.since < time.until
    spans = [(m.start, m.end) for m in given.mentions]
    assert spans == sorted(spans)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))
    for statement in given.statements:
        assert {statement.subject, statement.object} <= set(given.mentions)
        assert 0 <= statement.start <= statement.subject.start < statement.end <= len(text)


@pytest.mark.parametrize(
    "unit", ["a", "A.", "1.", "/a", "[[", "a@b.", "Anna works at ", "since May to ", "`", "_a", "?"]
)
def test_long_texts_are_read_to_the_end(unit: str) -> None:
    text = unit * (60_000 // len(unit)) + "\nmail last@example.org"
    assert extract(text, said_at=SAID).mentions[-1].name == "last@example.org"


def test_bad_input_is_refused_with_the_way_out() -> None:
    with pytest.raises(InvalidInputError, match="no timezone") as failure:
        extract("x", said_at=dt.datetime(2026, 1, 1))
    assert failure.value.hint
    with pytest.raises(InvalidInputError, match="must be a string, not bytes"):
        extract(b"x")  # type: ignore[arg-type]
    assert extract("") == extract(" \n") == Extraction()


def test_forgetting_words_changes_no_answer() -> None:
    text = "Maria Bruni works at Fiat since May, see src/a.py."
    before = extract(text, said_at=SAID)
    forget_words()
    assert extract(text, said_at=SAID) == before
