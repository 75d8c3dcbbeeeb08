"""Cases that are made by rules, to fit weights on: `development/made_<language>.txt` says each attribute in several frames.

A block begins with `==` and its domain. Each line of it begins with what it is:

| line | what it gives |
|---|---|
| `s` | a subject, its forms between slashes: `{s}` or `{s0}` is the first of them, `{s1}` the second |
| `v` | a value, in the same way |
| `o` | a sentence that gives a subject a value |
| `n` | one that gives it another value, later |
| `g` | one that says that the value has ended |
| `b` | one with a value that holds as well: a wish, an exception, somebody else |
| `x` | one about something else of the subject |
| `q` | a question for the value |

They are chosen by turns, so that a block gives the same cases always, and no case is measured as if it were one of the atlas.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random

from tests.truth.atlas import Case, Expect, Kind, Language, Told

_FOLDER = Path(__file__).resolve().parent / "development"
_FIRST = dt.date(2022, 3, 1)
_HOLE = re.compile(r"\{([sv])(\d?)\}")

Block = dict[str, list[str]]


def made(language: Language) -> tuple[Case, ...]:
    """The cases of a language, block by block; empty where it has no file."""
    file = _FOLDER / f"made_{language}.txt"
    blocks: dict[str, Block] = {}
    for line in file.read_text(encoding="utf-8").splitlines() if file.exists() else ():
        mark, _, rest = line.partition(" ")
        if mark == "==":
            block = blocks.setdefault(rest, defaultdict(list))
        elif mark != "#":
            block[mark].append(rest)
    return tuple(case for domain, block in blocks.items() for case in _Maker(language, domain, block).cases())


class _Maker:
    """The cases of one block."""

    def __init__(self, language: Language, domain: str, block: Block) -> None:
        self._language = language
        self._domain = domain
        self._block = block
        self._random = Random(f"{language} {domain}")
        self._turn: dict[str, list[str]] = {}
        self._made = 0

    def cases(self) -> Iterator[Case]:
        """All of them."""
        for at in range(2 * len(self._block["n"])):
            s, (v, w) = self._next("s"), self._values(2)
            # A plain sentence with another value is an update too: nothing in it says so.
            later = self._next("n") if at % 3 else self._next("o")
            yield self._case("update", [(self._next("o"), s, v), (later, s, w)], s)
        for _ in range(2):
            s, (u, v, w) = self._next("s"), self._values(3)
            yield self._case("chain", [(self._next("o"), s, u), (self._next("n"), s, v), (self._next("n"), s, w)], s)
        for at in range(4):
            s, (v,) = self._next("s"), self._values(1)
            again = self._next("o") if at % 2 else self._next("n")
            yield self._case("restatement", [(self._next("o"), s, v), (again, s, v)], s)
        for ended in self._block["g"] * 2:
            s, (v,) = self._next("s"), self._values(1)
            yield self._case("retraction", [(self._next("o"), s, v), (ended, s, v)], s)
        for other in [*self._block["b"], *self._block["x"]] * 2:
            s, (v, w) = self._next("s"), self._values(2)
            yield self._case("pair", [(self._next("o"), s, v), (other, s, w)], s)
        for _ in range(4 if len(self._block["s"]) > 1 else 0):
            s, t, (v, w) = self._next("s"), self._next("s"), self._values(2)
            if s != t:
                yield self._case("pair", [(self._next("o"), s, v), (self._next("n"), t, w)], s)

    def _next(self, mark: str) -> str:
        """The next one of the lines of a kind, in an order that changes with each round."""
        lines = self._turn.get(mark)
        if not lines:
            lines = self._turn[mark] = (
                self._random.sample(self._block[mark], len(self._block[mark]) or 1) if self._block[mark] else [""]
            )
        return lines.pop()

    def _values(self, count: int) -> list[str]:
        return self._random.sample(self._block["v"], count)

    def _case(self, kind: Kind, said: Sequence[tuple[str, str, str]], subject: str) -> Case:
        self._made += 1
        start = _FIRST + dt.timedelta(days=self._random.randrange(400))
        step = dt.timedelta(days=self._random.randrange(14, 400))
        texts = [_filled(*each) for each in said]
        if len(set(texts)) < len(texts):  # the same sentence twice is a copy, and nothing is decided about that
            return self._case(kind, [(said[0]), *((self._next("o"), s, v) for _, s, v in said[1:])], subject)
        everyone = tuple(range(len(texts)))
        replaced = kind in ("update", "chain", "retraction")
        return Case(
            id=f"made-{self._language}-{self._domain.replace(' ', '-')}-{self._made:03}",
            kind=kind,
            language=self._language,
            domain=self._domain,
            texts=tuple(Told(told=start + place * step, text=text) for place, text in enumerate(texts)),
            expect=Expect(
                values=(),
                holds=everyone[-1:] if replaced else everyone,
                superseded=everyone[:-1] if replaced else (),
                first=everyone[-1] if replaced else 0 if kind == "pair" else None,
                order=everyone if kind == "chain" else (),
                same=everyone if kind == "restatement" else (),
            ),
            question=_filled(self._next("q"), subject, ""),
        )


def _filled(frame: str, subject: str, value: str) -> str:
    """A frame with a subject and a value in the forms that it asks for, the first letter a capital."""
    forms = {"s": subject.split("/"), "v": value.split("/")}

    def form(hole: re.Match[str]) -> str:
        choice = forms[hole[1]]
        return choice[min(int(hole[2] or 0), len(choice) - 1)]

    text = _HOLE.sub(form, frame)
    return text[:1].upper() + text[1:]
