"""Who is who: mentions against the entities of a namespace, and among themselves."""

from __future__ import annotations

import datetime as dt

import pytest

from ai_memory.extraction.extract import extract
from ai_memory.extraction.resolve import Directory, How, resolve
from ai_memory.extraction.values import Kind, Mention
from ai_memory.types import Entity

NOW = dt.datetime(2026, 3, 18, tzinfo=dt.UTC)


def entity(name: str, kind: str = "person", *aliases: str) -> Entity:
    return Entity(id=f"ent_{name}", namespace="default", name=name, kind=kind, aliases=aliases, created_at=NOW)


def mention(name: str, kind: Kind = Kind.PERSON) -> Mention:
    return Mention(0, len(name), kind, name, name)


@pytest.mark.parametrize(
    ("name", "kind", "known", "how"),
    [
        ("Anna Petrova", Kind.PERSON, entity("Anna Petrova"), How.EXACT),
        ("Big Blue", Kind.ORGANISATION, entity("IBM", "organisation", "Big Blue"), How.EXACT),
        ("GLOBEX", Kind.ORGANISATION, entity("Globex", "organisation"), How.SPELLING),
        ("Семен", Kind.PERSON, entity("Семён"), How.SPELLING),
        ("Яндексом", Kind.ORGANISATION, entity("Яндекс", "organisation"), How.INFLECTION),
        ("Казани", Kind.PLACE, entity("Казань", "place"), How.INFLECTION),
        ("Anna", Kind.PERSON, entity("Anna Petrova"), How.SHORT),
        ("Petrova", Kind.PERSON, entity("Anna Petrova"), How.SHORT),
        ("A. Petrova", Kind.PERSON, entity("Anna Petrova"), How.SHORT),
        ("Bill", Kind.PERSON, entity("William Adams"), How.SHORT),
        ("Саша", Kind.PERSON, entity("Александр Орлов"), How.SHORT),
        ("Марины", Kind.PERSON, entity("Марина Белова"), How.SHORT),
        ("Slack", Kind.ORGANISATION, entity("Slack", "product"), How.EXACT),
        ("Atlas", Kind.PRODUCT, entity("Atlas", "thing"), How.EXACT),
    ],
)
def test_known_entities_are_found(name: str, kind: Kind, known: Entity, how: How) -> None:
    others = [entity("Boris Ivanov"), entity("Initech", "organisation"), entity("Rome", "place")]
    (found,) = resolve([mention(name, kind)], [*others, known])
    assert (found.entity, found.name, found.how) == (known, known.name, how)


@pytest.mark.parametrize(
    ("name", "kind", "known"),
    [
        ("Anna", Kind.PERSON, [entity("Anna Petrova"), entity("Anna Smith")]),
        ("Анна", Kind.PERSON, [entity("Анна Белова"), entity("Анна Орлова")]),
        ("Paris", Kind.PLACE, [entity("Paris", "person")]),
        ("Anna Smith", Kind.PERSON, [entity("Anna Petrova")]),
        ("B. Petrova", Kind.PERSON, [entity("Anna Petrova")]),
        ("src/A.py", Kind.PATH, [entity("src/B.py", "path")]),
        ("Globex Two", Kind.ORGANISATION, [entity("Globex", "organisation")]),
    ],
)
def test_what_is_not_sure_stays_apart(name: str, kind: Kind, known: list[Entity]) -> None:
    (found,) = resolve([mention(name, kind)], known)
    assert (found.entity, found.name, found.how) == (None, name, How.NEW)


def test_new_mentions_of_one_person_share_a_name() -> None:
    text = "Anna Belova called. Later Anna wrote to Tom, and Belova left."
    names = [each.name for each in resolve(extract(text).mentions, [])]
    assert names == ["Anna Belova", "Anna Belova", "Tom", "Anna Belova"]


def test_two_persons_of_one_first_name_stay_apart() -> None:
    text = "Anna Belova met Anna Smith. Then Anna left."
    assert [each.name for each in resolve(extract(text).mentions, [])] == ["Anna Belova", "Anna Smith", "Anna"]


def test_the_same_kind_wins_where_a_name_has_two() -> None:
    known = [entity("Slack", "product"), entity("Slack", "organisation")]
    (found,) = resolve([mention("Slack", Kind.ORGANISATION)], known)
    assert found.entity == known[1]


def test_nothing_gives_nothing() -> None:
    assert resolve([], [entity("Anna")]) == ()
    assert Directory([]).find(mention("Anna")) == (None, How.NEW)
