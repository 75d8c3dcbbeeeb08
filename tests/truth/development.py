"""More cases to make rules on, with at most one question each: `development/<language>.txt`, one case a line.

`talk_<language>.txt` has scenes of talk and notes in which nothing replaces anything, with questions.

They are no part of the atlas and of no half of it: nothing is measured on them but how well rules carry over to kinds of cases
that were left out (`scripts/score_compare.py`). `rooms` and the like take them as they take the atlas's cases.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import NamedTuple

from tests.truth.atlas import KINDS, LANGUAGES, Case, Expect, Kind, Language, Told

_FOLDER = Path(__file__).resolve().parent / "development"
_FIRST = dt.date(2022, 1, 3)


def development(language: Language) -> tuple[Case, ...]:
    """The cases of a language, in the order of the file; empty where there are none.

    Raises ValueError where a line is not a kind, a domain and at least two texts between bars.
    """
    file = _FOLDER / f"{language}.txt"
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    return tuple(
        _case(f"development-{language}-{number:03}", language, line)
        for number, line in enumerate(lines, 1)
        if line and not line.startswith("#")
    )


class Line(NamedTuple):
    """What was said or noted on a day."""

    day: dt.date
    author: str | None
    text: str


class Scene(NamedTuple):
    """Lines of talk or of notes, and questions with the numbers of the lines that answer them, from 1."""

    name: str
    lines: list[Line]
    questions: list[tuple[str, tuple[int, ...]]]


def scenes(language: Language) -> tuple[Scene, ...]:
    """The scenes of a language, in the order of the file; empty where there are none."""
    file = _FOLDER / f"talk_{language}.txt"
    found: list[Scene] = []
    day = _FIRST
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        mark, _, rest = line.partition(" ")
        if mark == "==":
            found.append(Scene(rest, [], []))
        elif mark == "#" and found:
            day = dt.date.fromisoformat(rest)
        elif mark == "?":
            question, answers = rest.split(" | ")
            found[-1].questions.append((question, tuple(map(int, answers.split()))))
        elif mark != "#":
            author, said, text = line.partition("> ")
            found[-1].lines.append(Line(day, author, text) if said else Line(day, None, line))
    return tuple(found)


def _case(name: str, language: Language, line: str) -> Case:
    kind, domain, *texts = (part.strip() for part in line.split("|"))
    question = texts.pop()[1:].strip() if texts[-1].startswith("?") else None
    if kind not in KINDS or language not in LANGUAGES or len(texts) < 2 or not all((domain, *texts)):
        raise ValueError(f"{name} is not a kind, a domain and at least two texts: {line}")
    number = int(name.rsplit("-", 1)[1])
    start = _FIRST + dt.timedelta(days=number * 3 % 200)
    step = dt.timedelta(days=20 + number * 37 % 300)
    told = tuple(Told(told=start + place * step, text=text) for place, text in enumerate(texts))
    return Case(
        id=name,
        kind=kind,
        language=language,
        domain=domain,
        texts=told,
        expect=_expected(kind, len(texts), asked=question is not None),
        question=question,
    )


def _expected(kind: Kind | str, count: int, *, asked: bool) -> Expect:
    everyone = tuple(range(count))
    if kind == "pair":
        return Expect(values=(), holds=everyone, first=0 if asked else None)
    if kind == "restatement":
        return Expect(values=(), holds=everyone, same=everyone)
    return Expect(
        values=(),
        holds=everyone[-1:],
        superseded=everyone[:-1],
        first=count - 1,
        order=everyone if kind == "chain" else (),
    )
