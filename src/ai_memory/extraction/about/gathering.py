"""Which memories of a namespace are about a subject, and which only look like it.

One text does not show whether *Anna* is Anna Schmidt: that depends on whether another Anna occurs among the memories. So all are
read first, and what was unclear is decided at the end. In doubt a memory is left, and said to be.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import pairwise
from typing import NamedTuple

from ai_memory.extraction.about.spelling import even, is_one_name
from ai_memory.extraction.about.subject import Found, How, Reading, Subject
from ai_memory.extraction.extract import extract
from ai_memory.extraction.gazetteer import key, names
from ai_memory.extraction.values import Kind
from ai_memory.extraction.words import split

_PRONOUN = re.compile(
    r"\W*(?:she|he|her|his|they|their|он|она|его|её|ее|ему|ей|er|sie|ihre?|seine?|他|她)(?:['’](?:s|d|ll))?(?![\w])|\W*[他她]",
    re.IGNORECASE,
)


class Left(StrEnum):
    """Why a memory that looks like it is left."""

    LONGER = "longer_name"
    """It has a longer name or identifier, which means something else."""
    OTHER = "other_name"
    """It names somebody else who shares a part of the name."""
    UNCLEAR = "unclear"
    """It has only a part of the name that several have, or a word that may be a part of the name."""


class Text(NamedTuple):
    """One revision of a memory, with everything in it that may name something."""

    memory: str
    key: int
    """Its place in the order in which memories were stored."""
    texts: Sequence[tuple[str, str]]
    """Each with the field that has it; the memory's text is `text`."""
    session: str | None
    latest: bool


class Evidence(NamedTuple):
    """Why a memory is about the subject."""

    written: str
    """As it is named there; empty where it is not named."""
    how: str
    """A value of `How`, or `follows`: it says more about the subject of the memory before it, by a pronoun."""
    where: str
    """The field."""
    latest: bool
    """False where only an earlier revision says it."""


class Doubt(NamedTuple):
    """Why a memory is left."""

    written: str
    why: Left


@dataclass
class _Known:
    """What is known of one memory."""

    session: str | None
    key: int
    text: str = ""
    """The latest, where it has a session."""
    evidence: Evidence | None = None
    parts: list[tuple[Found, str, bool]] = field(default_factory=list)
    fuller: list[tuple[Found, str, bool]] = field(default_factory=list)
    longer: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    doubtful: list[str] = field(default_factory=list)


class Gathering:
    """Reads the memories of one namespace, in the order in which they were stored."""

    def __init__(self, subjects: Sequence[Subject]) -> None:
        """`subjects` are the names of one subject."""
        self._subjects = subjects
        self._known: dict[str, _Known] = {}

    def add(self, read: Text) -> None:
        """Read one revision of a memory."""
        known = self._known.get(read.memory)
        if known is None:
            known = self._known[read.memory] = _Known(read.session, read.key)
        for where, text in read.texts:
            for subject in self._subjects:
                if subject.may_be_in(text):
                    self._take(known, subject.read(text), where, read.latest)
            if where == "text" and read.latest and read.session is not None:
                known.text = text

    def found(self) -> tuple[Mapping[str, Evidence], Mapping[str, Doubt]]:
        """The memories that are about the subject, and those that look like it and are left, by id."""
        others = self._other_names()
        sessions = {known.session for known in self._known.values() if known.evidence and known.session is not None}
        fuller = {even(found.written) for known in self._known.values() for found, _, _ in known.fuller}
        doubts: dict[str, Doubt] = {}
        for memory, known in self._known.items():
            if known.evidence is not None:
                continue
            if known.fuller and len(fuller) == 1:
                known.evidence = _evidence(known.fuller[0])
            elif known.fuller:
                doubts[memory] = Doubt(known.fuller[0][0].written, Left.LONGER)
            elif known.parts:
                shared = any(_shares(found.written, others) for found, _, _ in known.parts)
                if not shared or known.session in sessions:
                    known.evidence = _evidence(known.parts[0])
                else:
                    doubts[memory] = Doubt(known.parts[0][0].written, Left.UNCLEAR)
            elif known.doubtful:
                doubts[memory] = Doubt(known.doubtful[0], Left.UNCLEAR)
            elif known.longer:
                doubts[memory] = Doubt(known.longer[0], Left.LONGER)
            elif known.others:
                doubts[memory] = Doubt(known.others[0], Left.OTHER)
        self._follow()
        about = {memory: known.evidence for memory, known in self._known.items() if known.evidence is not None}
        return about, doubts

    @staticmethod
    def _take(known: _Known, reading: Reading, where: str, latest: bool) -> None:
        if reading.found and (known.evidence is None or (latest and not known.evidence.latest)):
            found = reading.found[0]
            known.evidence = Evidence(found.written, found.how.value, where, latest)
        known.parts.extend((found, where, latest) for found in reading.parts)
        known.fuller.extend((found, where, latest) for found in reading.fuller)
        known.longer.extend(reading.longer)
        known.others.extend(reading.others)
        known.doubtful.extend(reading.doubtful)

    def _other_names(self) -> set[str]:
        """The full names of others that share a part with the subject's."""
        return {name for known in self._known.values() for name in (*known.others, *known.longer)}

    def _follow(self) -> None:
        """Take what goes on about the subject in a session without naming it: *Anna moved out. She lives in Bonn.*"""
        sessions: dict[str, list[_Known]] = defaultdict(list)
        for known in self._known.values():
            if known.session is not None:
                sessions[known.session].append(known)
        for session in sessions.values():
            session.sort(key=lambda known: known.key)
            for before, known in pairwise(session):
                if known.evidence is None and before.evidence and _goes_on(before.text, known.text):
                    known.evidence = Evidence("", "follows", "text", latest=True)


def _goes_on(before: str, text: str) -> bool:
    """Return whether a text says more about the one person that the text before it names or goes on about."""
    return _PRONOUN.match(text) is not None and not _persons(text) and len(_persons(before)) <= 1


def _evidence(seen: tuple[Found, str, bool]) -> Evidence:
    found, where, latest = seen
    return Evidence(found.written, How.PART.value, where, latest)


def _shares(part: str, names: Iterable[str]) -> bool:
    """Return whether somebody else has this part of a name."""
    return any(is_one_name(part, word.text) for name in names for word in split(name))


def _persons(text: str) -> set[str]:
    """The people that a text names, without single words that are no name elsewhere: *May*, *Will*."""
    known = names().entries
    found = (mention.canonical for mention in extract(text).mentions if mention.kind is Kind.PERSON)
    return {even(name) for name in found if not ((entry := known.get(key(name))) and entry.word)}
