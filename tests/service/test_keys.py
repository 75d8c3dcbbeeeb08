"""Keys on the surfaces: read, replaced and erased by name; and words in place of an id where it is clear what they mean."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import ConflictError, Draft, InvalidInputError, Memory, NotFoundError, Outcome

CITY = "user.home.city"
MARCH, MAY = dt.datetime(2026, 3, 1, tzinfo=dt.UTC), dt.datetime(2026, 5, 1, tzinfo=dt.UTC)


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path, model="none") as opened:
        yield opened


def test_a_value_is_read_by_its_key_as_it_is_now_and_as_it_was(memory: Memory) -> None:
    old = memory.remember("Lives in Ghent", key=CITY, valid_from=MARCH)
    new = memory.remember("Lives in Namur", key=CITY, valid_from=MAY)
    assert (old.outcome, new.outcome, new.supersedes) == (Outcome.STORED, Outcome.SUPERSEDED, (old.memory_id,))
    assert memory.get(f"key:{CITY}").text == "Lives in Namur"
    assert memory.get(f"key:{CITY}", as_of=MARCH + dt.timedelta(days=1)).text == "Lives in Ghent"
    assert memory.get(f"key:{CITY}", known_at=memory.get(str(new.memory_id)).recorded_at).key == CITY
    assert memory.history(f"key:{CITY}").id == new.memory_id
    assert [each.text for each in memory.list(keys=CITY).memories] == ["Lives in Namur", "Lives in Ghent"]
    assert [hit.memory.text for hit in memory.recall("Lives", keys=CITY).hits] == ["Lives in Namur"]
    assert memory.recall("Lives", keys="another").hits == ()


def test_a_key_without_a_value_says_when_it_had_one(memory: Memory) -> None:
    with pytest.raises(NotFoundError, match="no memory with the key"):
        memory.get(f"key:{CITY}")
    memory.remember("Lives in Ghent", key=CITY, valid_from=MARCH, valid_to=MAY)
    with pytest.raises(
        NotFoundError, match=r"has no value at that time; mem_\w+ held from 2026-03-01.* until 2026-05-01"
    ):
        memory.get(f"key:{CITY}")
    with pytest.raises(NotFoundError, match="has no value at that time"):
        memory.retire(f"key:{CITY}")


def test_a_late_value_says_where_it_ends(memory: Memory) -> None:
    last = memory.remember("May", key="month", valid_from=MAY)
    late = memory.remember("March", key="month", valid_from=MARCH)
    assert late.outcome is Outcome.STORED
    assert late.reason is not None
    assert f"it ends on 2026-05-01, where the next value of its key begins ({last.memory_id})" in late.reason
    assert memory.get("key:month").text == "May"


def test_a_key_is_revised_retired_and_erased_by_name(memory: Memory) -> None:
    first = memory.remember("blue", key="colour", valid_from=MARCH)
    memory.remember("green", key="colour", valid_from=MAY)
    revised = memory.revise("key:colour", text="dark green", reason="more exact")
    assert memory.get("key:colour").text == "dark green"
    assert revised.revision == 2
    memory.retire("key:colour", reason="a mistake")
    with pytest.raises(NotFoundError):
        memory.get("key:colour")
    assert memory.get(f"key:{'colour'}", as_of=MARCH).id == first.memory_id
    gone = memory.forget("key:colour")
    assert (gone.forgotten, gone.states) == (2, {"ended": 1, "retired": 1})
    assert memory.list(keys="colour", retired=True).memories == ()
    with pytest.raises(NotFoundError):
        memory.forget("key:colour")


def test_the_same_key_of_two_users_needs_an_id(memory: Memory) -> None:
    memory.remember("Ghent", key=CITY, user="ann")
    bob = memory.remember("Bruges", key=CITY, user="bob")
    for refused in (memory.get, memory.retire, memory.forget):
        with pytest.raises(InvalidInputError, match="several users") as error:
            refused(f"key:{CITY}")
        assert {each["user"] for each in error.value.details["candidates"]} == {"ann", "bob"}
    assert [each.id for each in memory.list(keys=CITY, user="bob").memories] == [bob.memory_id]
    assert memory.forget_many(keys=CITY, user="ann", dry_run=False).forgotten == 1
    assert memory.get(f"key:{CITY}").id == bob.memory_id


def test_a_key_can_be_replaced_by_a_memory_without_one(memory: Memory) -> None:
    old = memory.remember("the port is 80", key="port")
    new = memory.remember("the port is 443", supersedes=("key:port",))
    assert new.supersedes == (old.memory_id,)
    receipts = memory.remember_many(
        [Draft(text="the host is a", supersedes=("key:none",)), Draft(text="the host is b")]
    ).receipts
    assert [receipt.outcome for receipt in receipts] == [Outcome.REJECTED, Outcome.STORED]
    assert receipts[0].code == "not_found"


def test_a_revision_that_gives_a_key_a_second_value_is_refused(memory: Memory) -> None:
    memory.remember("Ghent", key=CITY)
    plain = memory.remember("Bruges")
    with pytest.raises(ConflictError, match=f"the key {CITY} has another value from"):
        memory.revise(str(plain.memory_id), key=CITY)
    other = memory.revise(str(plain.memory_id), key="user.work.city")
    assert other.revision == 2
    assert memory.get("key:user.work.city").valid_from == memory.get(str(plain.memory_id)).created_at
    memory.revise(str(plain.memory_id), key=None)
    with pytest.raises(NotFoundError):
        memory.get("key:user.work.city")


@pytest.mark.parametrize("key", ["", " \t"])
def test_a_blank_key_is_not_given(memory: Memory, key: str) -> None:
    kept = memory.get(str(memory.remember("text", key=key).memory_id))
    assert (kept.key, kept.valid_from) == (None, None)
    assert memory.remember("again", key=" spaced ").outcome is Outcome.STORED
    assert memory.get("key:spaced").key == "spaced"


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_words_mean_the_memory_that_only_answers_them(memory: Memory) -> None:
    bakery = memory.remember("The bakery on Mill Lane opens at seven in the morning")
    memory.remember("Margaret plays the cello in the city orchestra")
    memory.remember("The dentist moved her practice to Harbour Street")
    receipt = memory.retire("bakery on Mill Lane", reason="it has closed")
    assert receipt.memory_id == bakery.memory_id
    cello = memory.remember("Margaret plays the viola now", supersedes=("Margaret plays the cello",))
    assert [memory.get(each).text for each in cello.supersedes] == ["Margaret plays the cello in the city orchestra"]


def test_words_that_mean_several_are_refused_with_the_candidates(memory: Memory) -> None:
    ids = {memory.remember(f"The {name} backup runs at night").memory_id for name in ("blue", "green")}
    for refused in (memory.retire, lambda words: memory.revise(words, text="x")):
        with pytest.raises(InvalidInputError, match="not clear which memory") as error:
            refused("the backup that runs at night")
        assert {each["id"] for each in error.value.details["candidates"]} == ids
    assert memory.list().memories[0].retired_at is None
    with pytest.raises(NotFoundError, match="no memory in namespace default answers"):
        memory.retire("submarine telegraphy")


def test_a_memory_s_whole_text_means_it(memory: Memory) -> None:
    short = memory.remember("The backup runs at night")
    memory.remember("The backup runs at night, and so does the cleaner")
    assert memory.retire("the backup runs at night").memory_id == short.memory_id


# ── questions ────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("question", "first"),
    [
        ("Where does she live?", "Namur"),
        ("Where did she live before?", "Liège"),
        ("Where did she use to live?", "Liège"),
        ("Where does she live now?", "Namur"),
    ],
)
def test_a_question_for_the_earlier_value_finds_what_has_ended(memory: Memory, question: str, first: str) -> None:
    values = [
        memory.remember(f"She lives in {city}", key=CITY, valid_from=dt.datetime(2022 + place, 3, 1, tzinfo=dt.UTC))
        for place, city in enumerate(("Ghent", "Liège", "Namur"))
    ]
    memory.remember("The cat is called Mo")
    hits = memory.recall(question).hits
    assert first in hits[0].memory.text
    ended = [hit for hit in hits if hit.validity == "ended"]
    assert all(hit.until is not None and hit.superseded_by is not None for hit in ended)
    if first == "Liège":
        assert ended[0].superseded_by == values[2].memory_id
        assert {rival.id for rival in hits[0].rivals} == {values[0].memory_id, values[2].memory_id}
        assert {rival.certainty for rival in hits[0].rivals} == {1.0}
    else:
        assert ended == []


def test_what_was_superseded_by_id_is_known_as_a_rival_too(memory: Memory) -> None:
    old = memory.remember("The build server is called Hazel", valid_from=MARCH)
    new = memory.remember("The build server is called Rowan", valid_from=MAY, supersedes=(str(old.memory_id),))
    hits = memory.recall("What was the build server called before?").hits
    assert [hit.memory.id for hit in hits] == [old.memory_id, new.memory_id]
    assert (hits[0].validity, hits[0].superseded_by, hits[1].validity) == ("ended", new.memory_id, "current")
