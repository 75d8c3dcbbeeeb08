"""More cases to make rules on, without questions: `development/<language>.txt`, one case a line.

They are no part of the atlas and of no half of it: nothing is measured on them but how well rules carry over to kinds of cases
that were left out (`scripts/score_compare.py`). `rooms` and the like take them as they take the atlas's cases.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

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


def _case(name: str, language: Language, line: str) -> Case:
    kind, domain, *texts = (part.strip() for part in line.split("|"))
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
        expect=_expected(kind, len(texts)),
    )


def _expected(kind: Kind | str, count: int) -> Expect:
    everyone = tuple(range(count))
    if kind == "pair":
        return Expect(values=(), holds=everyone)
    if kind == "restatement":
        return Expect(values=(), holds=everyone, same=everyone)
    return Expect(
        values=(),
        holds=everyone[-1:],
        superseded=everyone[:-1],
        first=count - 1,
        order=everyone if kind == "chain" else (),
    )
