"""Score extraction on the hand-labelled sentences of `tests/extraction/`.

    python scripts/score_extraction.py            # both parts: what may be tuned on, and what is held out
    python scripts/score_extraction.py --errors   # also every error of the part that may be tuned on
    python scripts/score_extraction.py --speed    # how many memories of some 40 words one process reads in a second

A row whose number is a multiple of three is held out: of those only totals are printed. An entity counts where span and kind are
equal; a time where it overlaps and its interval is equal; a relation where subject, name, object and both dates are equal.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from ai_memory.extraction.extract import extract
from ai_memory.extraction.values import Extraction

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "extraction"
LANGUAGES = ("english", "russian")
HELD_OUT_EVERY = 3
MEMORY_WORDS = 40
ROUNDS = 20
PROSE = (
    "The team met again and talked about how the old service behaves when the network is slow, what the users see in that case,"
    " and which of the three ideas from the last meeting would be cheapest to try first."
)


class Count(NamedTuple):
    """How many were right, how many were found that are not labelled, and how many labelled were not found."""

    right: int = 0
    extra: int = 0
    missed: int = 0

    @property
    def precision(self) -> float:
        return self.right / max(1, self.right + self.extra)

    @property
    def recall(self) -> float:
        return self.right / max(1, self.right + self.missed)

    @property
    def f1(self) -> float:
        return 2 * self.right / max(1, 2 * self.right + self.extra + self.missed)

    def plus(self, other: Count) -> Count:
        return Count(*(first + second for first, second in zip(self, other, strict=True)))


class Compared(NamedTuple):
    """What one row gave against what is labelled, for one of the three parts."""

    found: frozenset[Hashable]
    labelled: frozenset[Hashable]

    @property
    def counted(self) -> Count:
        right = len(self.found & self.labelled)
        return Count(right, len(self.found) - right, len(self.labelled) - right)


def rows(language: str, *, held_out: bool) -> list[dict[str, Any]]:
    lines = (FOLDER / f"{language}.jsonl").read_text(encoding="utf-8").splitlines()
    every = [json.loads(line) for line in lines]
    return [row for row in every if (int(row["id"].rpartition("-")[2]) % HELD_OUT_EVERY == 0) is held_out]


def compare(row: dict[str, Any]) -> dict[str, Compared]:
    given = extract(row["text"], said_at=dt.datetime.fromisoformat(row["said_at"]))
    return {"entities": _entities(given, row), "dates": _times(given, row), "relations": _relations(given, row)}


def _entities(given: Extraction, row: dict[str, Any]) -> Compared:
    return Compared(
        frozenset((each.kind.value, each.start, each.end, each.name) for each in given.mentions),
        frozenset((each["kind"], each["start"], each["end"], each["text"]) for each in row["entities"]),
    )


def _times(given: Extraction, row: dict[str, Any]) -> Compared:
    """A found time is compared with the first labelled one that it overlaps."""
    left = list(row["times"])
    found: list[Hashable] = []
    for each in given.times:
        same = next((t for t in left if t["start"] < each.end and each.start < t["end"]), None)
        place = (same["start"], same["end"], same["text"]) if same else (each.start, each.end, each.text)
        found.append((*place, _iso(each.since), _iso(each.until)))
        if same:
            left.remove(same)
    labelled = ((t["start"], t["end"], t["text"], t["from"], t["to"]) for t in row["times"])
    return Compared(frozenset(found), frozenset(labelled))


def _relations(given: Extraction, row: dict[str, Any]) -> Compared:
    return Compared(
        frozenset(
            (s.subject.name, s.relation, s.object.name, _iso(s.valid_from), _iso(s.valid_to)) for s in given.statements
        ),
        frozenset((r["subject"], r["relation"], r["object"], r["from"], r["to"]) for r in row["relations"]),
    )


def _iso(instant: dt.datetime | None) -> str | None:
    return instant.strftime("%Y-%m-%dT%H:%M:%SZ") if instant else None


def score(some: Iterable[dict[str, Any]]) -> dict[str, Count]:
    totals = {"entities": Count(), "dates": Count(), "relations": Count()}
    for row in some:
        for part, compared in compare(row).items():
            totals[part] = totals[part].plus(compared.counted)
    return totals


def memories() -> list[tuple[str, dt.datetime]]:
    """The labelled sentences joined to memories of 40 words and a little more: many more names and dates than prose has."""
    found, words = [], []
    for language in LANGUAGES:
        for row in rows(language, held_out=False) + rows(language, held_out=True):
            words += row["text"].split()
            if len(words) >= MEMORY_WORDS:
                found.append((" ".join(words), dt.datetime.fromisoformat(row["said_at"])))
                words = []
    return found


def speed() -> None:
    """The best of several rounds, in CPU time, since whatever else runs can only slow a round down."""
    labelled = memories()
    prose = [(PROSE, labelled[0][1])] * len(labelled)
    for name, some in (("labelled sentences joined", labelled), ("prose without names", prose)):
        best = float("inf")
        for _ in range(ROUNDS):
            begin = time.process_time()
            for text, said_at in some:
                extract(text, said_at=said_at)
            best = min(best, time.process_time() - begin)
        words = sum(len(text.split()) for text, _ in some) / len(some)
        print(f"{name}: {len(some) / best:,.0f} memories of {words:.0f} words a second of CPU time")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--errors", action="store_true", help="print every error of the part that is not held out")
    parser.add_argument("--speed", action="store_true", help="measure how fast memories are read, and nothing else")
    wanted = parser.parse_args()
    if wanted.speed:
        speed()
        return
    print(
        f"{'part':10} {'language':9} {'what':10} {'right':>5} {'extra':>5} {'missed':>6} {'prec.':>6} {'recall':>6} {'F1':>6}"
    )
    for held_out in (False, True):
        for language in LANGUAGES:
            for what, count in score(rows(language, held_out=held_out)).items():
                figures = " ".join(f"{figure:6.3f}" for figure in (count.precision, count.recall, count.f1))
                name = "held out" if held_out else "tuned on"
                print(f"{name:10} {language:9} {what:10} {count.right:5} {count.extra:5} {count.missed:6} {figures}")
    if wanted.errors:
        for language in LANGUAGES:
            for row in rows(language, held_out=False):
                for what, compared in compare(row).items():
                    if compared.found != compared.labelled:
                        missed, extra = compared.labelled - compared.found, compared.found - compared.labelled
                        print(f"{row['id']} {what}: {row['text']}\n    missed {list(missed)} extra {list(extra)}")


if __name__ == "__main__":
    main()
