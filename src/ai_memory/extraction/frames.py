"""The verbs of simple statements: which relation each states, between which kinds of names.

A frame is a verb with its preposition (*works at*, *was replaced by*). `find` gives every frame of a text in one pass; the name
before it is its subject and the name after it its object. The same frames give the kind of a name that is in no list: what
something *depends on* is a product.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from ai_memory.extraction.values import Kind

_P, _O, _D, _L = Kind.PERSON, Kind.ORGANISATION, Kind.PRODUCT, Kind.PLACE
_LETTERS = {"P": _P, "O": _O, "D": _D, "L": _L, "-": None}

_AS = r"(?: as (?:an?|the) [\w -]{2,30}?)?"
_AS_RU = r"(?: [а-яё]{4,20}(?:ом|ем|ером|истом))?"
_FROM = r"(?: from [\w. ]{2,30}?)?"
_FROM_RU = r"(?: (?:из|с|со) [\w.]{2,30})?"


class Frame(NamedTuple):
    """One way to state a relation."""

    relation: str
    heads: re.Pattern[str]
    """The first word."""
    pattern: re.Pattern[str]
    """All words, up to where the object begins."""
    subjects: frozenset[Kind]
    objects: frozenset[Kind]
    before: Kind | None
    """The kind of an unknown name before the verb."""
    after: Kind | None
    """The kind of an unknown name after the verb."""
    reverse: bool
    """The name before is the object: *Y was replaced by X*."""
    ends: bool
    """The relation is over: *left*, *no longer works at*."""


class Hit(NamedTuple):
    """A verb in a text: `start` where it begins, `end` where the name after it must begin."""

    start: int
    end: int
    frames: tuple[Frame, ...]
    """Those that match there with the most words."""


def _frame(relation: str, phrases: str, kinds: str, guess: str, *, reverse: bool = False, ends: bool = False) -> Frame:
    """A frame from `phrases`, alternatives that each begin with a word; `kinds` and `guess` have letters for before and after."""
    alternatives = _alternatives(phrases)
    before, after = kinds.split()
    subjects, objects = (after, before) if reverse else (before, after)
    return Frame(
        relation,
        re.compile("|".join(re.split(r" |\(\?: ", phrase)[0] for phrase in alternatives)),
        re.compile(rf"(?:{phrases}) (?:(?:the|our|their|its|his|her) )?", re.IGNORECASE),
        frozenset(_LETTERS[letter] or _P for letter in subjects),
        frozenset(_LETTERS[letter] or _P for letter in objects),
        _LETTERS[guess[0]],
        _LETTERS[guess[1]],
        reverse,
        ends,
    )


def _alternatives(phrases: str) -> list[str]:
    """A pattern's alternatives at its outermost level."""
    found, depth, begin = [], 0, 0
    for place, character in enumerate(phrases):
        depth += (character == "(") - (character == ")")
        if character == "|" and depth == 0:
            found.append(phrases[begin:place])
            begin = place + 1
    return [*found, phrases[begin:]]


def _each(words: str, rest: str) -> str:
    return "|".join(word + rest for word in words.split())


_FRAMES: tuple[Frame, ...] = (
    # work
    _frame("WORKS_AT", _each("works? working worked", rf"{_AS} (?:at|for)"), "P O", "PO"),
    _frame("WORKS_AT",
        r"been (?:at|with)|joins?|joined|starts? (?:work |working )?at|started (?:work |working )?at"
        r"|employed (?:by|at)|got a job at",
        "P O", "PO"),
    _frame("WORKS_AT", r"hires?|hired", "O P", "OP", reverse=True),
    _frame("WORKS_AT",
        rf"used to work{_AS} (?:at|for)|no longer works?{_AS} (?:at|for)"
        rf"|not work(?:s|ing)? any ?more{_AS} (?:at|for)|stopped working{_AS} (?:at|for)",
        "P O", "PO", ends=True),
    _frame("WORKS_AT", r"left|leaves|quit|resigned from|retired from", "P O", "PO", ends=True),
    _frame("WORKS_AT", _each("работает работают работать работала? трудится", rf"{_AS_RU} (?:в|во|на)"), "P O", "PO"),
    _frame("WORKS_AT",
        _each("устроил(?:ся|ась) переш[её]л перешла", rf"(?: работать)?{_FROM_RU} (?:в|во|на)"),
        "P O", "PO"),
    _frame("WORKS_AT", r"выш(?:ел|ла) на работу (?:в|во)", "P O", "PO"),
    _frame("WORKS_AT", _each("уволил(?:ся|ась) уш[её]л ушла", " (?:из|с)"), "P O", "PO", ends=True),
    _frame("WORKS_AT", rf"больше не работает{_AS_RU} (?:в|во|на)", "P O", "PO", ends=True),
    _frame("REPORTS_TO", r"reports? to|reported to|подчиняется", "P P", "PP"),
    _frame("LEADS", r"leads?|led|heads?|headed|runs|manages?|managed|руководит|возглавляет|возглавила?", "P DO", "PD"),
    _frame("OWNS",
        r"owns?|owned|maintains?|maintained|responsible for|in charge of|отвечает за|поддерживает|владеет",
        "P D", "PD"),
    _frame("OWNS", r"owned by|maintained by", "D P", "D-", reverse=True),
    # places
    _frame("LIVES_IN",
        r"lives? in|lived in|living in|resides in|жив[её]т (?:в|во)|живут (?:в|во)|жила? (?:в|во)"
        r"|прожива(?:ет|ла?) в",
        "P L", "-L"),
    _frame("LIVES_IN", r"used to live in|no longer lives? in|больше не жив[её]т (?:в|во)", "P L", "-L", ends=True),
    _frame("MOVED_TO",
        rf"mov(?:es?|ed|ing){_FROM} to|relocate[sd]? to|переехал[аи]?{_FROM_RU} (?:в|во)|переезжает (?:в|во)"
        rf"|переед(?:ет|ут) (?:в|во)",
        "PO LO", "-L"),
    _frame("MOVED_TO", rf"mov(?:es?|ed) (?:its|their) (?:headquarters|offices?|hq){_FROM} to", "O L", "OL"),
    _frame("MOVED_TO", rf"mov(?:es|ed){_FROM} to|migrate[sd]?{_FROM} to|ported{_FROM} to", "D D", "-D"),
    _frame("MOVED_TO",
        rf"switche[sd]{_FROM} to|switches{_FROM} to|переш[её]л{_FROM_RU} на|перешла{_FROM_RU} на",
        "PD D", "-D"),
    _frame("LOCATED_IN",
        r"based in|located in|headquartered in|situated in|находится (?:в|во)|расположен[аоы]? (?:в|во)",
        "OL L", "OL"),
    _frame("LOCATED_IN", r"is in|is a city in", "L L", "-L"),
    # products
    _frame("REPLACED", r"replaces?|replaced|supersede[sd]?|заменил[аио]?|заменяет", "D D", "DD"),
    _frame("REPLACED", r"replaced (?:by|with)|superseded by|заменили на|заменен[аоы]? на", "D D", "DD", reverse=True),
    _frame("REPLACED", r"replaces?|replaced|succeeded|сменил[аи]?|заменил[аи]?", "P P", "--"),
    _frame("DEPENDS_ON", r"depends? on|requires?|relies on|built on|завис(?:ит|ят) от|требует", "D D", "DD"),
    _frame("DEPENDS_ON", r"no longer depends? on|больше не зависит от", "D D", "DD", ends=True),
    _frame("USES", r"uses?|used|using|runs on|использует|пользуется|работает на", "PDO D", "-D"),
    _frame("USES", r"no longer uses?|больше не использует", "PDO D", "-D", ends=True),
    _frame("PART_OF",
        r"a part of|part of|belongs? to|owned by|часть|является частью|входит в(?: состав)?|принадлежит",
        "DO DO", "--"),
    # companies and people
    _frame("ACQUIRED", r"bought|acquire[sd]?|buys|took over|купил[аио]?|приобрел[аио]?|поглотил[аи]?", "O OD", "OO"),
    _frame("ACQUIRED", r"bought by|acquired by|taken over by", "OD O", "OO", reverse=True),
    _frame("FOUNDED", r"founded|co-?founded|основал[аи]?", "P OD", "PO"),
    _frame("FOUNDED", r"founded by|started by|основал[аи]?|основан[аоы]?", "O P", "OP", reverse=True),
    _frame("MARRIED_TO", r"married|marries|married to|вышла замуж за|замужем за|женился на|женат на", "P P", "PP"),
)  # fmt: skip

_BETWEEN = re.compile(
    r"(?:,? (?:who|которая|который)| (?:service|server|cluster|client|library|module|project|gateway|app|platform|database))? "
    r"(?:(?:has|have|had|was|were|is|are|been|now|also|already|still|currently|just|recently|finally|always|officially|then|will|'ll"
    r"|теперь|сейчас|уже|тоже|пока|недавно|давно|будет|[—–-]) )*",
    re.IGNORECASE,
)
"""What may be between a subject and its verb."""
LONGEST_BETWEEN = 60


def beginning_with(word: str) -> tuple[Frame, ...]:
    """The frames whose first word a case-folded word may be."""
    return tuple(frame for frame in _FRAMES if frame.heads.fullmatch(word))


def find(text: str, beginnings: Iterable[tuple[int, tuple[Frame, ...]]]) -> list[Hit]:
    """Every verb of a frame in the text, in order; where several frames begin, those of the most words.

    `beginnings` are the places of words, in order, with the frames that may begin there.
    """
    hits = []
    for start, frames in beginnings:
        ends = [(match.end(), frame) for frame in frames if (match := frame.pattern.match(text, start))]
        longest = max((end for end, _ in ends), default=0)
        if longest:
            hits.append(Hit(start, longest, tuple(frame for end, frame in ends if end == longest)))
    return hits


def follows(text: str, end: int, hit: Hit) -> bool:
    """Return whether the verb belongs to a name that ends at `end`: only adverbs and auxiliary verbs are between them."""
    return end < hit.start <= end + LONGEST_BETWEEN and _BETWEEN.fullmatch(text, end, hit.start) is not None
