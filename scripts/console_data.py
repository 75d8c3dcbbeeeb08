"""Memories to show the console with: the demo's team, its documentation, and a log of working days made of the same names.

`python scripts/console_data.py URL [COUNT]` stores them in a running service, with changes, relations and proposals, as a team of
agents would have left them. The same count gives the same memories.
"""

from __future__ import annotations

import datetime as dt
import json
import random
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory import Client

DEMO = Path(__file__).resolve().parent.parent / "demo"
PEOPLE = ("Mira Albrecht", "Jonas Weber", "Anna Schmidt", "Tomás Rey", "Yuki Tanaka", "Olga Petrova")
WORK = (
    ("{who} fixed the crash in the tile cache of the {part} and wrote a test for it.", "problem_solution", "bug"),
    (
        "{who} and {other} measured the {part}: {number} ms at the median, {more} ms at the 95th percentile.",
        "episodic",
        "measured",
    ),
    ("Stand-up: {who} works on the {part}, {other} reviews it. Blocked by the {thing}.", "conversation", "stand-up"),
    (
        "The customer at {place} asked for the {thing} to work without a signal; {who} answers by Friday.",
        "episodic",
        "customer",
    ),
    (
        "Decision: the {part} keeps {number} days of tracks, because {place} asked for the whole season.",
        "insight",
        "decision",
    ),
    (
        "{who} prefers to be asked about the {thing} in the morning, before the call with {place}.",
        "preference",
        "people",
    ),
    (
        "To release the {part}: run the {thing} check, tag {number}.{more}, wait for {other}, then announce it.",
        "procedural",
        "release",
    ),
    ("{who} is on call this week; {other} takes over on Monday. Open alarms: {number}.", "working", "on-call"),
)
PARTS = (
    "offline map",
    "track recorder",
    "rescue mode",
    "sync service",
    "elevation model",
    "avalanche layer",
    "waypoint sharing",
)
OBJECTS = (
    "battery saver",
    "backup battery",
    "satellite messenger",
    "contour lines",
    "tile server",
    "GPS filter",
    "map style",
)
PLACES = ("Zermatt", "Chamonix", "Innsbruck", "Tromsø", "Bergrettung Tirol", "Almaty", "札幌")


def team() -> Iterator[dict[str, Any]]:
    """What the demo's team remembered."""
    for line in (DEMO / "team.jsonl").read_text(encoding="utf-8").splitlines():
        memory = json.loads(line)
        yield {name: value for name, value in memory.items() if name != "key"}


def days(count: int) -> Iterator[dict[str, Any]]:
    """Notes of working days from 2023 on, one after the other."""
    chance = random.Random(count)
    start = dt.datetime(2023, 9, 4, 9, tzinfo=dt.UTC)
    for index in range(count):
        text, kind, tag = chance.choice(WORK)
        who, other = chance.sample(PEOPLE, 2)
        part, place = chance.choice(PARTS), chance.choice(PLACES)
        number = chance.randint(2, 90)
        at = start + dt.timedelta(hours=index * 26_000 / max(count, 1) + chance.random() * 5)
        yield {
            "text": text.format(
                who=who,
                other=other,
                part=part,
                place=place,
                thing=chance.choice(OBJECTS),
                number=number,
                more=number * 3,
            ),
            "type": kind,
            "author": who,
            "agent": chance.choice(("claude", "cursor", "nightly")),
            "session": f"day-{at:%Y-%m-%d}",
            "context": f"work/{part.replace(' ', '-')}",
            "tags": [tag, part],
            "importance": round(chance.uniform(0.2, 1), 2),
            "valid_from": at.isoformat(),
            **({"valid_to": (at + dt.timedelta(days=chance.randint(20, 400))).isoformat()} if index % 5 == 0 else {}),
            **({"expires_at": "2031-01-01T00:00:00Z"} if index % 41 == 0 else {}),
        }


CHANGED = (
    ("The rescue teams' hotline is +43 512 000 100.", "The rescue teams' hotline is +43 512 000 245.", "team.hotline"),
    ("Jonas Weber leads the sync service.", "Yuki Tanaka leads the sync service.", "team.sync.lead"),
    ("We release on Thursdays.", "We release on Tuesdays.", "team.release.day"),
)


def fill(client: Client, count: int) -> None:
    """Store about `count` memories, with some of everything that the console shows."""
    drafts = list(team())
    drafts += days(max(0, count - len(drafts)))
    for start in range(0, len(drafts), 1_000):
        client.remember_many(drafts[start : start + 1_000])
    for index, (before, after, key) in enumerate(CHANGED):
        began = dt.datetime(2024, 2 + index, 1, tzinfo=dt.UTC)
        client.remember(before, key=key, valid_from=began, context="work/team", author=PEOPLE[index])
        client.remember(
            after, key=key, valid_from=began + dt.timedelta(days=300), context="work/team", author=PEOPLE[index + 1]
        )
    pairs = (
        ("The office in Innsbruck closes at 18:00.", "The office in Innsbruck closes at 19:30.", "update"),
        ("Anna Schmidt's phone is an old Nokia.", "Anna Schmidt's phone is a Fairphone 5.", "contradiction"),
        ("The tile server runs on two machines in Graz.", "Two machines in Graz run the tile server.", "copy"),
        ("Nightly builds go to the test group at 02:00.", "Nightly builds go to the test group at 04:30.", "update"),
    )
    for old, new, kind in pairs:
        first = client.remember(
            old, author="Jonas Weber", context="work/office", valid_from=dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
        )
        second = client.remember(
            new, author="Anna Schmidt", context="work/office", valid_from=dt.datetime(2026, 2, 1, tzinfo=dt.UTC)
        )
        if first.memory_id and second.memory_id:
            client.propose(
                first.memory_id, kind, other=second.memory_id, reason="Said later, about the same.", confidence=0.82
            )
    changed = client.remember(
        "The map style is called Gletscher and has 14 layers.", author="Yuki Tanaka", context="work/offline-map"
    )
    if changed.memory_id:
        client.revise(
            changed.memory_id,
            text="The map style is called Gletscher and has 16 layers, two of them for snow.",
            reason="Snow layers added",
        )
        client.revise(changed.memory_id, tags=["map style"], importance=0.9, pinned=True)


def main() -> None:
    """Fill the service at the address given."""
    client = Client(sys.argv[1])
    began = time.perf_counter()
    fill(client, int(sys.argv[2]) if len(sys.argv) > 2 else 2_000)
    print(f"stored {client.stats().memories} memories in {time.perf_counter() - began:.1f} s")


if __name__ == "__main__":
    main()
