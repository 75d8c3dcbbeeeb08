"""Relations that a clause states outright: *A works at B since May*, *X was replaced by Y*.

A statement needs a verb of `frames.py` with a fitting mention directly on each side. What is denied, asked, wished or supposed is
not a statement. The times of the clause say when it holds: an event opens a state at the beginning of its time, leaving closes one
at the end of its time, and a state that is over without a date ended when it was said.
"""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left

from ai_memory.extraction.frames import Frame, Hit, follows
from ai_memory.extraction.values import NAMED, Kind, Mention, Statement, TimeExpression

_SENTENCE_END = re.compile(r"[.!?…](?=\s|$)|\n")
_ABBREVIATION = re.compile(r"\b(?:[A-ZА-ЯЁ]|[Dd]r|[Mm]rs?|[Mm]s|[Pp]rof|[Ss]t|г|ул)$")
_SPLIT = re.compile(r",[ ](?!who\b|котор)|;|:[ ]|[ ](?:but|and|а|но)[ ](?=[\w ]{0,30}\b(?:left|joined)\b)")
_UNSURE = frozenset(
    word
    for words in (
        "not never nobody none if whether unless when might may could would should maybe perhaps probably allegedly",
        "seem seems apparently rumour rumours rumoured rumor rumors rumored",
        "want wants wanted hope hopes hoped consider considers considered considering",
        "think thinks thought thinking ask asks asked wonder wonders wondered",
        "не ни никто нет если когда бы ли вдруг может возможно вероятно наверное наверно кажется похоже",
        "хочет хочу хочешь хотел хотела хотели мечтает планирует собирается думает спросил спросила спросили",
    )
    for word in words.split()
)
"""Signs that a clause denies, asks, wishes or supposes what it says."""
_ENDS = frozenset(("not", "не"))
_WORD = re.compile(r"[\w']+")
_PAST_STATE = re.compile(
    r"\b(?:worked|lived|depended|reported|led|owned|maintained|managed|headed|used|работала?|жила?|зависела?)\b",
    re.IGNORECASE,
)
_PERFECT = re.compile(r"\b(?:has|have|had|been)\b", re.IGNORECASE)
_AND = re.compile(r"[ ](?:and|&|и)[ ]|,[ ]")
_MARRIED = re.compile(r"[ ](?:are|got|were)[ ](?:now[ ])?married\b|[ ](?:женаты|поженились)\b")
_SWITCHED = re.compile(
    r"(?:^|\b(?:[Ww]e|[Tt]hey|I|[Tt]eam)[ ](?:have[ ]|had[ ]|finally[ ])?)"
    r"(?:(?:[Ss]witched|[Mm]oved|[Mm]igrated|[Cc]hanged)(?:[ ]\w+){0,2}[ ]from|[Rr]eplaced)[ ]$"
    r"|\b[Пп]ере(?:шли|ехали)[ ](?:с|со)[ ]$|\b[Зз]аменили[ ]$"
)
_SWITCHED_TO = re.compile(r"[ ](?:over[ ]to|to|with|by|на)[ ]")
_REACH = 400
"""Characters on each side of a statement that are read for doubt and dates, however long its sentence is."""
_MOST_COORDINATED = 8
"""Names of one list (A, B and C) that are treated as subjects or objects together, at most."""
_STATES = frozenset(
    ("WORKS_AT", "LIVES_IN", "REPORTS_TO", "LEADS", "OWNS", "USES", "DEPENDS_ON", "PART_OF", "LOCATED_IN")
)
"""Relations that hold for a while, and so can be over; the others are opened by an event."""


def find(
    text: str, mentions: list[Mention], times: list[TimeExpression], verbs: list[Hit], said_at: dt.datetime | None
) -> list[Statement]:
    """The statements of a text, in order of their subjects; empty where nothing is stated outright.

    `mentions` and `times` are those of the same text, in order.
    """
    named = [mention for mention in mentions if mention.kind in NAMED or mention.kind is Kind.SYMBOL]
    if len(named) < 2:
        return []
    clauses = _Clauses(text, named, times, said_at)
    found = [statement for hit in verbs for statement in clauses.stated(hit)]
    found += clauses.switched() + clauses.married()
    return sorted(set(found), key=lambda each: (each.subject.start, each.object.start, each.relation))


def _unsure(words: str, allowed: frozenset[str] = frozenset()) -> bool:
    """Return whether a clause denies, asks, wishes or supposes; `allowed` are signs that are part of its verb."""
    lower = words.lower().replace("’", "'")
    found = set(_WORD.findall(lower))
    return (
        "no one " in lower or not (found - allowed).isdisjoint(_UNSURE) or any(word.endswith("n't") for word in found)
    )


class _Clauses:
    """One text with its names and times."""

    def __init__(
        self, text: str, named: list[Mention], times: list[TimeExpression], said_at: dt.datetime | None
    ) -> None:
        self.text = text
        self.named = named
        self.by_start = {mention.start: place for place, mention in enumerate(named)}
        self.ends = [mention.end for mention in named]
        self.times = times
        self.time_starts = [time.start for time in times]
        self.said_at = said_at.astimezone(dt.UTC) if said_at else None
        self.stops = [
            m.start()
            for m in _SENTENCE_END.finditer(text)
            if not _ABBREVIATION.search(text, max(0, m.start() - 6), m.start())
        ]

    def stated(self, hit: Hit) -> list[Statement]:
        """What the verb at `hit` states about the names before and after it."""
        after, before = self.by_start.get(hit.end), bisect_left(self.ends, hit.start) - 1
        if after is None or before < 0 or not follows(self.text, self.named[before].end, hit):
            return []
        left, right = self._coordinated(before, -1), self._coordinated(after, 1)
        for frame in hit.frames:
            subjects, objects = (right, left) if frame.reverse else (left, right)
            subjects = [mention for mention in subjects if mention.kind in frame.subjects]
            objects = [mention for mention in objects if mention.kind in frame.objects]
            if subjects and objects:
                return self._statements(frame, subjects, objects)
        return []

    def _coordinated(self, index: int, step: int) -> list[Mention]:
        """The mention at `index` and those of its kind joined to it by *and* or a comma: Loki depends on MinIO and Consul."""
        found = [self.named[index]]
        while 0 <= index + step < len(self.named) and len(found) < _MOST_COORDINATED:
            near, far = self.named[index], self.named[index + step]
            left, right = (far, near) if step < 0 else (near, far)
            if far.kind is not near.kind or not _AND.fullmatch(self.text, left.end, right.start):
                break
            if step > 0 and re.match(r"[ ](?:is|are|was|has|\w+(?:s|ed))\b", self.text[far.end : far.end + 16]):
                break  # the next name is the subject of another verb
            found.append(far)
            index += step
        return found

    def _statements(self, frame: Frame, subjects: list[Mention], objects: list[Mention]) -> list[Statement]:
        parts = [*subjects, *objects]
        start, end = min(part.start for part in parts), max(part.end for part in parts)
        if not self._sure(frame, parts, start, end):
            return []
        times = self._times(start, end)
        valid = self._valid(frame, self.text[start:end], times)
        for time in times:
            start, end = min(start, time.start), max(end, time.end)
        return [Statement(one, frame.relation, other, *valid, start, end) for one in subjects for other in objects]

    # -- is it said outright?

    def _clause(self, start: int, end: int) -> tuple[int, int]:
        """The sentence that holds a span, no more than some hundred characters on each side of it."""
        before = bisect_left(self.stops, start)
        begin = self.stops[before - 1] + 1 if before else 0
        after = bisect_left(self.stops, end)
        stop = self.stops[after] if after < len(self.stops) else len(self.text)
        return max(begin, start - _REACH), min(stop, end + _REACH)

    def _sure(self, frame: Frame, parts: list[Mention], start: int, end: int) -> bool:
        begin, stop = self._clause(start, end)
        if self.text[stop : stop + 1] == "?":
            return False
        words = self.text[begin:end]
        for part in sorted(parts, reverse=True):  # a name is not a word of the clause: May is not may
            words = words[: part.start - begin] + words[part.end - begin :]
        return not _unsure(words, allowed=_ENDS if frame.ends else frozenset())

    # -- when does it hold?

    def _times(self, start: int, end: int) -> list[TimeExpression]:
        """The times of the clause: inside it, right before it, or after it up to the next name with a verb, comma or full stop."""
        begin, stop = self._clause(start, end)
        cut = _SPLIT.search(self.text, end, stop)
        stop = cut.start() if cut else stop
        return [
            time
            for time in self.times[bisect_left(self.time_starts, begin) : bisect_left(self.time_starts, stop)]
            if begin <= time.start and time.end <= stop
            and not (time.end <= start and re.search(r"[,;:—]", self.text[time.end : start].strip(" ")) and time.end < start - 3)
        ]  # fmt: skip

    def _valid(
        self, frame: Frame, words: str, times: list[TimeExpression]
    ) -> tuple[dt.datetime | None, dt.datetime | None]:
        since, until = (times[0].since, times[0].until) if times else (None, None)
        if frame.ends:
            return None, until if times else self.said_at
        if frame.relation not in _STATES:
            return since, None
        past = _PAST_STATE.search(words) is not None and not _PERFECT.search(words)
        if not times:
            return None, self.said_at if past else None
        ranged = (
            times[0].since is None
            or times[0].until is None
            or re.match(r"(?:from|between|с|со)\b", times[0].text.casefold())
        )
        if ranged or past:
            return since, until
        return since, None

    # -- statements of other shapes

    def switched(self) -> list[Statement]:
        """*We switched from A to B*, *We replaced A with B*: B replaced A."""
        found = []
        for place, (old, new) in enumerate(zip(self.named, self.named[1:], strict=False)):
            both = old.kind is Kind.PRODUCT and new.kind is Kind.PRODUCT
            if not both or not _SWITCHED_TO.fullmatch(self.text, old.end, new.start):
                continue
            begin, stop = self._clause(old.start, new.end)
            head = self.text[begin : old.start].lstrip()
            subject = place > 0 and self.named[place - 1].start >= begin
            if not subject and _SWITCHED.search(head) and not _unsure(head) and self.text[stop : stop + 1] != "?":
                times = self._times(old.start, new.end)
                end = max([new.end, *(time.end for time in times)])
                since = times[0].since if times else None
                found.append(Statement(new, "REPLACED", old, since, None, old.start, end))
        return found

    def married(self) -> list[Statement]:
        """*A and B are married.*"""
        found = []
        for one, other in zip(self.named, self.named[1:], strict=False):
            people = one.kind is Kind.PERSON and other.kind is Kind.PERSON
            if people and _AND.fullmatch(self.text, one.end, other.start) and _MARRIED.match(self.text, other.end):
                times = self._times(one.start, other.end)
                end = max([other.end, *(time.end for time in times)])
                since = times[0].since if times else None
                found.append(Statement(one, "MARRIED_TO", other, since, None, one.start, end))
        return found
