"""The atlas: cases by which "what is true now" is judged, in four languages.

`load` reads the JSON lines of this folder, `half` says to which half a case belongs, `rooms` groups cases that may share
a namespace. What the kinds and fields mean, and what the two halves are for, README.md says.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Literal, get_args

import msgspec

Kind = Literal["update", "pair", "chain", "restatement", "retraction"]
Language = Literal["en", "ru", "de", "zh"]
Half = Literal["seen", "unseen"]
Trait = Literal[
    # of updates, chains and retractions
    "correction",  # the first value was never true
    "partial",  # one text makes two statements, and only one of them ends
    "ends_two",  # one text ends two earlier ones
    "late",  # stored in another order than the order in which the values held
    "long",
    "typo",
    # of pairs: why both hold
    "multi",  # the attribute has several values at a time
    "days",  # events on different days
    "people",  # the same attribute of different people
    "projects",  # the same attribute of different projects, systems or environments
    "authors",  # opinions of different people
    "plan",  # a fact, and a wish or a proposal
    "part",  # a whole and its part
    "exception",  # a habit and an exception
    "lookalike",  # different items with similar names
    "past",  # a text about the past, and one about the present
    "other",  # the same subject in the same kind of sentence, but another attribute
]

KINDS: tuple[Kind, ...] = get_args(Kind)
LANGUAGES: tuple[Language, ...] = get_args(Language)

_FOLDER = Path(__file__).resolve().parent


class Told(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A text to remember, and what is remembered with it.

    told: the day on which it is remembered.
    valid_from: the day from which it holds; without it, the day `told`.
    """

    told: dt.date
    text: str
    valid_from: dt.date | None = None
    title: str | None = None
    author: str | None = None
    user: str | None = None
    context: str = ""
    tags: tuple[str, ...] = ()
    key: str | None = None

    @property
    def since(self) -> dt.date:
        """The day from which the text holds."""
        return self.valid_from or self.told


class AskedAt(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A question about what held on an earlier day."""

    at: dt.date
    question: str


class Expect(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What must come out. Numbers are positions in `Case.texts`.

    values: for each text the words in it that are its value (in a retraction: what is retracted).
    holds: the texts that are true now, as a whole.
    superseded: the texts that are no longer true, or never were; marked so, or folded under the one that holds.
    first: the text that must come first for `question`; None where several may.
    before: the text that must come first for `question_before`.
    at: the texts that held at `question_at`; one of them must come first.
    rest: the text that must come first for `question_rest`: one of its statements has ended, the one in `kept` holds.
    order: the texts of a chain, from the oldest value to the newest.
    same: the texts that say the same and must be folded into one hit.
    """

    values: tuple[tuple[str, ...], ...]
    holds: tuple[int, ...]
    superseded: tuple[int, ...] = ()
    first: int | None = None
    before: int | None = None
    at: tuple[int, ...] = ()
    rest: int | None = None
    kept: tuple[str, ...] = ()
    order: tuple[int, ...] = ()
    same: tuple[int, ...] = ()


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Texts in the order in which they are stored, questions about them, and what is expected.

    domain: the attribute or area that the case is about; see `rooms`.
    question: asks for the value that holds now; optional in pairs, where it asks for one of the two.
    both: of pairs: the question to which both texts are answers.
    question_before: asks for the value directly before the one that holds now.
    question_rest: asks for the statement of a partly superseded text that still holds.
    question_at: asks, as of an earlier day, for what held then.
    """

    id: str
    kind: Kind
    language: Language
    domain: str
    texts: tuple[Told, ...]
    expect: Expect
    traits: tuple[Trait, ...] = ()
    question: str | None = None
    both: str | None = None
    question_before: str | None = None
    question_rest: str | None = None
    question_at: AskedAt | None = None

    @property
    def questions(self) -> tuple[str, ...]:
        """All questions of the case, each once."""
        asked = (self.question, self.both, self.question_before, self.question_rest)
        at = self.question_at.question if self.question_at else None
        return tuple(dict.fromkeys(question for question in (*asked, at) if question))


def load(kinds: Iterable[Kind] = KINDS, languages: Iterable[Language] = LANGUAGES) -> tuple[Case, ...]:
    """The cases of these kinds and languages, in the order of kinds, then languages, then the file.

    Raises msgspec.ValidationError where a line is not a case.
    """
    decoder = msgspec.json.Decoder(Case)
    languages = tuple(languages)
    return tuple(
        case
        for kind in kinds
        for language in languages
        for case in decoder.decode_lines((_FOLDER / f"{kind}_{language}.jsonl").read_bytes())
    )


def halves(cases: Iterable[Case]) -> Mapping[str, Half]:
    """The half of each case, by id.

    Of each kind and language the cases are put in the order of the SHA-256 digests of their ids, and the first half of them
    is seen: the halves differ by one case at most and do not depend on the order of the cases, and a new case moves at most
    one other. Give it all cases of a kind and language, as `load` does: a selection would be divided differently.
    """
    strata: dict[tuple[Kind, Language], list[str]] = defaultdict(list)
    for case in cases:
        strata[case.kind, case.language].append(case.id)
    divided: dict[str, Half] = {}
    for ids in strata.values():
        ids.sort(key=lambda name: sha256(name.encode()).digest())
        middle = (len(ids) + 1) // 2
        divided.update((name, "seen" if place < middle else "unseen") for place, name in enumerate(ids))
    return divided


def half(which: Half, kinds: Iterable[Kind] = KINDS, languages: Iterable[Language] = LANGUAGES) -> tuple[Case, ...]:
    """The cases of one half, in the order of `load`."""
    cases = load(kinds, languages)
    divided = halves(cases)
    return tuple(case for case in cases if divided[case.id] == which)


def rooms(cases: Iterable[Case]) -> tuple[tuple[Case, ...], ...]:
    """The cases in groups whose texts can share a namespace: of one language, and at most one case of each domain.

    Many cases speak of "me", and two of them that give my address would be rivals by accident. In a room the texts of the
    other cases are distractors. The first rooms of a language are the largest ones.
    """
    met: Counter[tuple[Language, str]] = Counter()
    found: dict[tuple[Language, int], list[Case]] = defaultdict(list)
    for case in cases:
        found[case.language, met[case.language, case.domain]].append(case)
        met[case.language, case.domain] += 1
    return tuple(tuple(room) for room in found.values())
