"""Whose days: dates without a zone are the user's, in filters, in what is stored and in what is shown."""

from __future__ import annotations

import datetime as dt
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from ai_memory import Memory
from ai_memory.clock import MachineZone, day_in, edge, has_come
from ai_memory.operations.base import to_json
from tests.support.rest_server import Served, ask, serving
from tests.support.serving import COMMAND, environment

AUCKLAND, LOS_ANGELES = "Pacific/Auckland", "America/Los_Angeles"
MAY = {
    AUCKLAND: {"last of April": "2026-04-30T23:30:00+12:00", "first of May": "2026-05-01T00:30:00+12:00"},
    LOS_ANGELES: {"last of April": "2026-04-30T23:30:00-07:00", "first of May": "2026-05-01T00:30:00-07:00"},
}


def told(memory: Memory, zone: str) -> None:
    for text, at in MAY[zone].items():
        memory.remember(text, valid_from=at)
    memory.remember("dated April", valid_from="2026-04-30")
    memory.remember("dated May", valid_from="2026-05-01")


@pytest.fixture(params=[AUCKLAND, LOS_ANGELES])
def zoned(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Memory]:
    with Memory(data_dir=tmp_path, model="none", timezone=request.param) as memory:
        told(memory, request.param)
        yield memory


def listed(memory: Memory, **filters: Any) -> set[str]:
    by_list = {one.text for one in memory.list(**filters).memories}
    question = memory.recall("first last dated April May of", limit=10, include_ended=True, **filters)
    assert {hit.memory.text for hit in question.hits} == by_list
    return by_list


def test_a_date_in_a_filter_is_the_users_day(zoned: Memory) -> None:
    assert listed(zoned, occurred_after="2026-05-01") == {"first of May", "dated May"}
    assert listed(zoned, occurred_before="2026-05-01") == {"last of April", "dated April"}
    assert listed(zoned, occurred_after="2026-04-30", occurred_before="2026-05-01") == {"last of April", "dated April"}
    assert listed(zoned, occurred_after="2026-05-01T00:15") == {"first of May"}
    assert zoned.forget_many(occurred_after="2026-05-01", everything=False).forgotten == 2


def test_an_offset_in_a_filter_wins_over_the_setting(zoned: Memory) -> None:
    assert listed(zoned, occurred_after="2026-06-01T00:00:00+14:00") == set()
    assert listed(zoned, occurred_before="2026-04-30T00:00:00-07:00") == set()
    assert "dated May" in listed(zoned, occurred_after="2026-05-01T00:00:00-11:00")
    assert "dated April" not in listed(zoned, occurred_after="2026-05-01T00:00:00+14:00")


def test_as_of_a_date_is_the_users_day_for_plain_dates(zoned: Memory) -> None:
    one = zoned.remember("Ana works at Initech", valid_from="2024-02-01", valid_to="2026-06-10")
    other = zoned.remember("Ana works at Hooli", valid_from="2026-06-10")
    assert one.memory_id is not None
    assert other.memory_id is not None
    for day, true in (("2026-06-09", one), ("2026-06-10", other)):
        found = {memory.id for memory in zoned.list(as_of=day).memories}
        assert true.memory_id in found
        assert len(found & {one.memory_id, other.memory_id}) == 1
        assert zoned.get(str(true.memory_id), as_of=day).id == true.memory_id


def test_a_stored_time_without_a_zone_is_the_users_and_a_date_is_that_day_everywhere(zoned: Memory) -> None:
    zone = ZoneInfo(zoned.settings.timezone)
    at = zoned.get(str(zoned.remember("met at nine", valid_from="2026-05-02T09:00").memory_id)).valid_from
    assert at == dt.datetime(2026, 5, 2, 9, tzinfo=zone)
    assert zoned.remember("met at nine", valid_from="2026-05-02T09:00").differs == ()
    day = zoned.get(str(zoned.remember("that day", valid_from="2026-05-02").memory_id)).valid_from
    assert day == dt.datetime(2026, 5, 2, tzinfo=dt.UTC)


def test_the_block_for_a_prompt_shows_the_users_days(zoned: Memory) -> None:
    found = zoned.recall("first of May", format="context").context or ""
    lines = found.splitlines()
    assert "2026-05-01" in lines[lines.index("> first of May") - 1]
    assert "2026-04-30" in lines[lines.index("> last of April") - 1]
    assert "2026-05-01" in lines[lines.index("> dated May") - 1]


def test_over_rest_a_date_without_an_offset_is_the_users_day(tmp_path: Path) -> None:
    with serving(tmp_path, model="none", timezone=AUCKLAND) as served:
        rest(served)


def rest(served: Served) -> None:
    for text, at in MAY[AUCKLAND].items():
        assert ask(served, "POST", "/v1/memories", {"text": text, "valid_from": at}).status == 201
    for target, body in (
        ("/v1/memories?occurred_after=2026-05-01", None),
        ("/v1/recall", {"occurred_after": "2026-05-01"}),
    ):
        method = "GET" if body is None else "POST"
        got = ask(served, method, target, body and {**body, "query": "April May"}).json
        found = got["memories"] if body is None else [hit["memory"] for hit in got["hits"]]
        assert [one["text"] for one in found] == ["first of May"]


def test_the_command_line_shows_and_reads_the_users_days(tmp_path: Path) -> None:
    def run(*words: str, **more: str) -> str:
        done = subprocess.run(
            [COMMAND, *words],
            env=environment(tmp_path / "data", **more),
            capture_output=True,
            text=True,
            check=True,
            timeout=110,
        )
        return done.stdout

    run("remember", "first of May", "--valid-from", MAY[AUCKLAND]["first of May"])
    for more in ({"TZ": AUCKLAND}, {"TZ": "UTC", "AI_MEMORY_TIMEZONE": AUCKLAND}):
        assert "2026-05-01 00:30" in run("list", **more)
        assert "2026-05-01 00:30+12:00" in run("get", run("list", "--json", **more).split('"id":"')[1][:30], **more)
        assert "first of May" in run("list", "--occurred-after", "2026-05-01", **more)
    assert "2026-04-30 12:30" in run("list", TZ="UTC")
    assert "first of May" not in run("list", "--occurred-after", "2026-05-01", TZ="UTC")


@pytest.mark.parametrize("name", [AUCKLAND, LOS_ANGELES, "Europe/Berlin", "Asia/Kathmandu", "UTC"])
def test_the_machines_zone_is_that_of_its_setting_in_every_season(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", name)
    time.tzset()
    try:
        zone, known = MachineZone(), ZoneInfo(name)
        begin = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        for hours in range(0, 365 * 24, 7):
            at = begin + dt.timedelta(hours=hours)
            assert at.astimezone(zone).isoformat() == at.astimezone(known).isoformat()
            assert at.astimezone(zone).astimezone(dt.UTC) == at
        assert dt.datetime.min.replace(tzinfo=zone).utcoffset() is not None
    finally:
        monkeypatch.undo()
        time.tzset()


def test_a_plain_date_comes_with_its_midnight_in_the_zone_of_the_edge() -> None:
    day = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    for offset in (-11, -7, 0, 5, 14):
        midnight = dt.datetime(2026, 5, 1, tzinfo=dt.timezone(dt.timedelta(hours=offset)))
        second = dt.timedelta(seconds=1)
        assert has_come(day, midnight)
        assert not has_come(day, midnight - second)
        assert has_come(day + second, day + second)
        assert edge(midnight).shifted == (offset != 0)
        assert day_in(day, midnight.tzinfo or dt.UTC) == "2026-05-01"
    assert to_json(day) == b'"2026-05-01T00:00:00Z"'
