"""Times that a question names: what they say about memories, and recall through the service."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.clock import ManualClock, to_micros
from ai_memory.errors import InvalidInputError
from ai_memory.index.partition import Partition
from ai_memory.operations.reading import RECALL, TIMELINE, RecallRequest, TimelineRequest
from ai_memory.operations.writing import REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.recall.answer import Answer
from ai_memory.recall.evidence.periods import ELSEWHERE, ELSEWHERE_ASIDE, Period, nearness, period_evidence
from ai_memory.recall.evidence.scores import Values, score_all
from ai_memory.recall.plan import aside, asks_only_for
from ai_memory.recall.recipe import BALANCED, THOROUGH, without
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.types import MemoryRecord, Selection
from ai_memory.wiring import open_service

ASKED = dt.datetime(2024, 3, 20, 12, tzinfo=dt.UTC)
MAY = Period(to_micros(dt.datetime(2023, 5, 1, tzinfo=dt.UTC)), to_micros(dt.datetime(2023, 6, 1, tzinfo=dt.UTC)))


def instants(*days: dt.datetime) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([to_micros(day.replace(tzinfo=dt.UTC)) for day in days], np.int64)


def evidence(days: list[dt.datetime], *periods: Period) -> Values | None:
    """What the periods say about memories of these days, all of which may answer."""
    partition = Partition("x")
    for key, day in enumerate(days, 1):
        at = day.replace(tzinfo=dt.UTC)
        record = MemoryRecord(
            id=f"mem_{key}", namespace="x", text="x", valid_from=at, created_at=at, recorded_at=at, content_hash=""
        )
        partition.add(key, record)
    view = partition.view()
    scored = score_all(view, view.mask(Selection(namespace="x", include_ended=True)), (), None)
    return period_evidence(view, scored, np.arange(len(days), dtype=np.int32), periods)


def test_nearness_is_one_inside_and_falls_outside_slower_afterwards() -> None:
    inside, before, after, end = nearness(
        instants(dt.datetime(2023, 5, 31), dt.datetime(2023, 4, 16), dt.datetime(2023, 6, 16), dt.datetime(2023, 6, 1)),
        MAY,
    )
    assert inside == end == 1.0
    assert 0.0 < before < after < 1.0
    assert before == pytest.approx(math.exp(-15 / 15.5))
    assert after == pytest.approx(math.exp(-15 / 5 / 15.5))


def test_a_period_that_is_open_at_one_end_is_near_on_that_side_for_good() -> None:
    since, until = Period(MAY.since, None), Period(None, MAY.until)
    days = instants(dt.datetime(1970, 1, 1), dt.datetime(2023, 5, 9), dt.datetime(9999, 1, 1))
    assert nearness(days, since).tolist() == [0.0, 1.0, 1.0]
    assert nearness(days, until).tolist() == pytest.approx([1.0, 1.0, 0.0])


def test_a_time_speaks_for_the_few_memories_near_it_and_mildly_against_the_others() -> None:
    found = evidence([dt.datetime(2023, 5, 9), *(dt.datetime(2022, 1, day) for day in range(1, 31))], MAY)
    assert found is not None
    assert found[0] == pytest.approx(math.log((1 - ELSEWHERE) * 31 + ELSEWHERE), rel=1e-3)
    assert found[1:] == pytest.approx([math.log(ELSEWHERE)] * 30, rel=1e-3)


def test_the_nearest_of_several_periods_counts() -> None:
    june = Period(MAY.until, to_micros(dt.datetime(2023, 7, 1, tzinfo=dt.UTC)))
    days = [dt.datetime(2023, 5, 9), dt.datetime(2023, 6, 9), dt.datetime(2022, 1, 1), dt.datetime(2022, 1, 2)]
    found = evidence(days, MAY, june)
    assert found is not None
    assert found[0] == found[1] > 0 > found[2]


def test_nothing_is_told_without_a_time_where_no_memory_is_near_and_where_all_are() -> None:
    days = [dt.datetime(2023, 5, day) for day in range(1, 20)]
    assert evidence(days) is None
    assert evidence([], MAY) is None
    assert evidence([dt.datetime(2019, 1, 1)] * 9, MAY) is None
    assert evidence(days, MAY) == pytest.approx([0.0] * len(days))


def test_a_time_to_come_is_near_only_to_what_is_dated_inside_it() -> None:
    """What was said the day before is no likelier to be about next week than what was said a month ago."""
    coming = MAY._replace(ahead=True)
    days = instants(dt.datetime(2023, 5, 9), dt.datetime(2023, 4, 30), dt.datetime(2023, 6, 2))
    assert nearness(days, coming).tolist() == [1.0, 0.0, 0.0]
    assert evidence([dt.datetime(2023, 4, day) for day in range(1, 31)], coming) is None
    found = evidence([dt.datetime(2023, 5, 9), *(dt.datetime(2023, 4, day) for day in range(1, 31))], coming)
    assert found is not None
    assert found[0] > 0
    assert found[1:] == pytest.approx([math.log(ELSEWHERE)] * 30)


def test_a_time_named_in_passing_counts_less_and_not_at_all_next_to_one_that_is_asked_for() -> None:
    days = [dt.datetime(2023, 5, 9), *(dt.datetime(2022, 1, day) for day in range(1, 31))]
    passing, asked = evidence(days, MAY._replace(aside=True)), evidence(days, MAY)
    assert passing is not None
    assert asked is not None
    assert asked[0] > passing[0] > 0 > passing[1] > asked[1]
    assert passing[1] == pytest.approx(math.log(ELSEWHERE_ASIDE), rel=1e-3)
    january = Period(
        to_micros(dt.datetime(2022, 1, 1, tzinfo=dt.UTC)), to_micros(dt.datetime(2022, 2, 1, tzinfo=dt.UTC))
    )
    both = evidence(days, MAY, january._replace(aside=True))
    assert both is not None
    assert both.tolist() == asked.tolist()


@pytest.mark.parametrize(
    ("text", "named", "expected"),
    [
        ("What did we do in May?", "May", False),
        ("Lovely weather today. What did we do in May?", "today", True),
        ("Lovely weather today. What did we do in May?", "May", False),
        ("What did we do in May? I was in Rome last week.", "last week", True),
        ("I was in Rome last week", "last week", False),
        ("今天天气真好。我们五月做了什么？", "今天", True),
        ("今天天气真好。我们五月做了什么？", "五月", False),
    ],
)
def test_what_does_not_ask_is_aside_where_something_asks(text: str, named: str, expected: bool) -> None:
    assert aside(text, [text.index(named)]) == [expected]
    assert aside(text, []) == []


DAYS = {
    "may": dt.datetime(2023, 5, 9, 10, tzinfo=dt.UTC),
    "february": dt.datetime(2024, 2, 9, 10, tzinfo=dt.UTC),
    "yesterday": dt.datetime(2024, 3, 19, 10, tzinfo=dt.UTC),
    "long ago": dt.datetime(2020, 7, 7, 10, tzinfo=dt.UTC),
}


@pytest.fixture(params=["hashing", "none"])
def diary(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """The same event on four days, in two languages, with vectors and lexically alone."""
    service = open_service(Settings(data_dir=tmp_path, model=request.param), clock=ManualClock(ASKED))
    drafts = [
        Draft(text=text, valid_from=day, tags=(name,))
        for name, day in DAYS.items()
        for text in (f"Anna repaired the boat, part {day:%j}.", f"Анна чинила лодку, часть {day:%j}.")
    ]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts))
    service.settle()
    yield service
    service.close()


def ask(service: Service, query: str, *, explain: bool = False) -> Answer:
    return service.carry_out(RECALL, RecallRequest(query=query, now=ASKED, include_ended=True, explain=explain))


@pytest.mark.parametrize(
    ("question", "day"),
    [
        ("What did Anna do with the boat in May 2023?", "may"),
        ("What did Anna do with the boat yesterday?", "yesterday"),
        ("What did Anna do with the boat last month?", "february"),
        ("What did Anna do with the boat before 2021?", "long ago"),
        ("Что Анна делала с лодкой в мае 2023 года?", "may"),
        ("Что Анна делала с лодкой вчера?", "yesterday"),
        ("Что Анна делала с лодкой в прошлом месяце?", "february"),
    ],
)
def test_a_time_in_the_question_is_understood_from_when_it_is_asked(diary: Service, question: str, day: str) -> None:
    answer = ask(diary, question, explain=True)
    assert answer.hits[0].memory.tags == (day,)
    trace = answer.hits[0].trace
    assert trace is not None
    assert {stage.name: stage.contribution for stage in trace.stages}["time"] > 0.2
    assert "from about the time that the question names" in answer.hits[0].reasons
    assert {hit.memory.tags[0] for hit in answer.hits} == set(DAYS), "a time is no filter"
    assert answer.answer_hash == ask(diary, question).answer_hash


def test_switched_off_or_without_a_time_there_is_no_such_stage(diary: Service) -> None:
    request = RecallRequest(query="What did Anna do with the boat in May 2023?", now=ASKED, explain=True)
    off = diary.recall_with(without(BALANCED, "time"), request)
    plain = ask(diary, "What did Anna do with the boat?", explain=True)
    for answer in (off, plain):
        for hit in answer.hits:
            assert hit.trace is not None
            assert "time" not in [stage.name for stage in hit.trace.stages]


def test_a_time_that_no_memory_is_near_changes_nothing(diary: Service) -> None:
    request = RecallRequest(query="What did Anna do with the boat in May 1987?", now=ASKED)
    on, off = diary.carry_out(RECALL, request), diary.recall_with(without(BALANCED, "time"), request)
    assert [(hit.memory.id, hit.score) for hit in on.hits] == [(hit.memory.id, hit.score) for hit in off.hits]


@pytest.mark.parametrize(
    ("question", "time", "only"),
    [
        ("What did we do in the last 7 days?", "in the last 7 days", True),
        ("What happened in February?", "in February", True),
        ("February", "February", True),
        ("Что мы делали вчера?", "вчера", True),
        ("Что нового за последнюю неделю?", "за последнюю неделю", True),
        ("Was haben wir letzte Woche gemacht?", "letzte Woche", True),
        ("¿Qué hicimos la semana pasada?", "semana pasada", True),
        ("Qu'avons-nous fait la semaine dernière ?", "semaine dernière", True),
        ("上周我们做了什么？", "上周", True),
        ("What did we decide in February?", "in February", False),
        ("上周我们决定了什么？", "上周", False),
        ("What did Anna do in February?", "in February", False),
        ('What did we do with "it" in February?', "in February", False),
        ("Что Анна делала вчера?", "вчера", False),
    ],
)
def test_a_question_for_nothing_but_a_time_is_recognised(question: str, time: str, only: bool) -> None:
    start = question.index(time)
    assert asks_only_for(question, [(start, start + len(time))]) is only


LOUD = dt.datetime(2024, 1, 5, 10, tzinfo=dt.UTC)


@pytest.fixture(params=["hashing", "none"])
def busy(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Service]:
    """Three quiet memories of February among four hundred of another month that have all words of the question."""
    service = open_service(Settings(data_dir=tmp_path, model=request.param, extract=False), clock=ManualClock(ASKED))
    quiet = [
        Draft(text=text, valid_from=dt.datetime(2024, 2, day, 9, tzinfo=dt.UTC))
        for day, text in ((9, "Signed the lease."), (14, "Сдали ключи."), (29, "Bought a kayak."))
    ]
    loud = [Draft(text=f"What happened in February? Note {n}", valid_from=LOUD) for n in range(400)]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=quiet + loud))
    service.settle()
    yield service
    service.close()


@pytest.mark.parametrize(
    "question", ["What happened in February?", "What did we do in 2024-02?", "February", "Что было в феврале?"]
)
def test_what_is_inside_comes_first_where_only_a_time_is_asked_for(busy: Service, question: str) -> None:
    answer = ask(busy, question, explain=True)
    first = {hit.memory.text for hit in answer.hits[:3]}
    assert first == {"Signed the lease.", "Сдали ключи.", "Bought a kayak."}
    assert all(hit.confidence > 0.5 for hit in answer.hits[:3])
    assert answer.hits[0].trace is not None
    assert "time" in answer.hits[0].trace.candidates
    assert answer.answer_hash == ask(busy, question).answer_hash


def test_every_recipe_with_time_puts_what_is_inside_first(busy: Service) -> None:
    for recipe in (THOROUGH, without(BALANCED, "coverage"), without(BALANCED, "lexical")):
        answer = busy.recall_with(recipe, RecallRequest(query="What happened in February?", now=ASKED, limit=3))
        assert {hit.memory.valid_from.month for hit in answer.hits if hit.memory.valid_from} == {2}
    off = busy.recall_with(without(BALANCED, "time"), RecallRequest(query="What happened in February?", now=ASKED))
    assert off.hits[0].memory.valid_from == LOUD


def test_a_question_about_more_than_a_time_keeps_its_words(busy: Service) -> None:
    answer = ask(busy, "Which note says what happened in February?", explain=True)
    assert answer.hits[0].memory.valid_from == LOUD


def test_a_time_that_nothing_is_inside_leaves_the_ranking_to_the_words(busy: Service) -> None:
    assert ask(busy, "What happened in May 1987?").hits[0].memory.valid_from == LOUD


NIGHT = dt.datetime.fromisoformat("2024-03-20T09:00:00+13:00")
"""Still the 19th in UTC."""


@pytest.mark.parametrize(
    ("timezone", "now", "expected"),
    [
        ("", NIGHT, "breakfast"),  # the offset of `now`
        ("Pacific/Auckland", NIGHT.astimezone(dt.UTC), "dinner"),  # an offset goes before the setting
        ("Pacific/Auckland", None, "breakfast"),  # the setting, with the service's clock
        ("Pacific/Auckland", dt.datetime(2024, 3, 20, 9), "breakfast"),
        ("", None, "dinner"),
    ],
)
def test_days_are_the_users_days(tmp_path: Path, timezone: str, now: dt.datetime | None, expected: str) -> None:
    settings = Settings(data_dir=tmp_path, model="none", extract=False, timezone=timezone)
    service = open_service(settings, clock=ManualClock(NIGHT))
    drafts = [
        Draft(text="breakfast", valid_from=dt.datetime.fromisoformat("2024-03-20T07:00:00+13:00")),
        Draft(text="dinner", valid_from=dt.datetime.fromisoformat("2024-03-19T22:00:00+13:00")),
    ]
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=drafts))
    answer = service.carry_out(RECALL, RecallRequest(query="What did I do today?", now=now, explain=True))
    inside = {hit.memory.text for hit in answer.hits if hit.confidence > 0.5}
    assert inside == {"breakfast"} | ({"dinner"} if expected == "dinner" else set())
    assert answer.asked is not None
    since = answer.asked.times[0].since
    assert since is not None
    assert since.isoformat() == (
        "2024-03-20T00:00:00+13:00" if expected == "breakfast" else "2024-03-19T00:00:00+00:00"
    )
    bucket = service.carry_out(TIMELINE, TimelineRequest(bucket="day", now=now)).buckets[0]
    assert bucket.start.isoformat()[:10] == ("2024-03-20" if expected == "breakfast" else "2024-03-19")
    service.close()


def test_a_memory_means_the_days_of_the_setting(tmp_path: Path) -> None:
    """*Today*, said when it is still yesterday in UTC, begins what it states on the user's day."""
    began = {}
    for timezone in ("", "Pacific/Auckland", "America/New_York"):
        with Memory(settings=Settings(data_dir=tmp_path, model="none", timezone=timezone)) as memory:
            if not timezone:
                memory.remember("Anna Petrova joined Globex today.", valid_from=NIGHT)
            (works,) = memory.neighbours("entity:Anna Petrova", types=["WORKS_AT"]).neighbours
            began[timezone] = works.relation.valid_from
            if not timezone:
                memory.remember("Boris Ivanov joined Acme today.", valid_from="2024-03-19")
            (plain,) = memory.neighbours("entity:Boris Ivanov", types=["WORKS_AT"]).neighbours
            began[timezone + " plain"] = plain.relation.valid_from
    assert began[" plain"] == dt.datetime(2024, 3, 19, tzinfo=dt.UTC)
    assert began["America/New_York plain"] == dt.datetime.fromisoformat("2024-03-19T00:00:00-04:00")
    assert began[""] == dt.datetime(2024, 3, 19, tzinfo=dt.UTC)
    assert began["Pacific/Auckland"] == dt.datetime.fromisoformat("2024-03-20T00:00:00+13:00")


def test_a_zone_that_does_not_exist_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="timezone: expected the name of a time zone"):
        Settings(timezone="Mars/Olympus")


@pytest.mark.parametrize("now", ["2024-03-20T09:00:00+13:00", NIGHT])
def test_now_keeps_its_offset_however_it_is_given(tmp_path: Path, now: str | dt.datetime) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none", extract=False)) as memory:
        memory.remember("breakfast", valid_from="2024-03-20T07:00:00+13:00")
        answer = memory.recall("today", now=now, explain=True)
        assert answer.asked is not None
        assert answer.asked.times[0].since == dt.datetime.fromisoformat("2024-03-20T00:00:00+13:00")


@pytest.mark.parametrize("timezone", ["", "America/New_York", "Pacific/Auckland", "Asia/Kolkata"])
def test_a_plain_date_is_the_same_day_in_every_zone(tmp_path: Path, timezone: str) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none", extract=False, timezone=timezone)) as memory:
        for text, day in (
            ("eve", "2024-10-31"),
            ("first", "2024-11-01"),
            ("last", "2024-11-30"),
            ("after", "2024-12-01"),
        ):
            memory.remember(text, valid_from=day)
        answer = memory.recall("What happened in November 2024?", include_ended=True)
        assert {hit.memory.text for hit in answer.hits if hit.confidence > 0.5} == {"first", "last"}
        days = [(bucket.start.date().isoformat(), bucket.count) for bucket in memory.timeline(bucket="day").buckets]
        assert days == [("2024-12-01", 1), ("2024-11-30", 1), ("2024-11-01", 1), ("2024-10-31", 1)]


def test_a_bucket_of_the_timeline_is_whole_though_a_plain_date_falls_into_the_evening_before(tmp_path: Path) -> None:
    with Memory(
        settings=Settings(data_dir=tmp_path, model="none", extract=False, timezone="America/New_York")
    ) as memory:
        for at in ("2024-11-01", "2024-10-31T21:00:00-04:00", "2024-10-31T18:00:00-04:00", "2024-10-30", "2024-10-29"):
            memory.remember(f"at {at}", valid_from=at)
        found = memory.timeline(bucket="day", limit=2).buckets
        assert [(bucket.start.isoformat(), bucket.count) for bucket in found] == [
            ("2024-11-01T00:00:00-04:00", 1),
            ("2024-10-31T00:00:00-04:00", 2),
        ]
