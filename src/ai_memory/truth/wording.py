"""What the wording of a question says about time and number: which of several values it asks for.

Written for this project from the closed word classes of English, Russian, German and Chinese.
"""

from __future__ import annotations

import re
from enum import Enum

_PAST = re.compile(
    r"\b(?:did|(?-i:was)|were|had|used to|before|previous(?:ly)?|former(?:ly)?|earlier|ago|when|how long|how many times"
    r"|originally)\b"
    r"|\b(?:раньше|прежн\w*|был[аои]?|до этого|когда|прошл\w*)\b"
    r"|\b(?:früher\w*|vorher\w*|zuvor|war|waren|hatten?|wann|ehemalig\w*|damals)\b"
    r"|之前|以前|曾|上一|原来|什么时候|何时",
    re.IGNORECASE,
)
_PAST_TENSE = re.compile(
    r"\b(?:did|(?-i:was)|were|had)\b|\b(?:был[аои]?|\w{3,}л(?:а|о|и|ся|ась|ось|ись)?)\b|\b(?:war|waren|hatten?|wurden?)\b",
    re.IGNORECASE,
)
_EARLIER = re.compile(
    r"\b(?:before(?! (?:noon|lunch|dinner|breakfast|bed|christmas|easter)\b)|previous(?:ly)?|former(?:ly)?|earlier|used to"
    r"|did\b.{1,40}\buse to"
    r"|originally|prior to|until then|at first|initially|in the past|ever|(?:my|our|his|her|their|the) (?:old|last))\b"
    r"|\b(?:раньше|прежн\w*|до (?:этого|того)|перед этим|в прошлом|сначала|поначалу|изначально|когда-то|бывш\w*|прежде)\b"
    r"|\b(?:früher(?:e[nmrs]?)?|vorher(?:ige[nmrs]?)?|zuvor|ehemalig\w*|davor|anfangs|zuerst|ursprünglich\w*|jemals)\b"
    r"|之前|以前|原来|原先|起初|最初|过去|曾经|早先|再早|上次|上一",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\bwhich (?:other |kinds? of |sorts? of )?(?!does\b|has\b|this\b|his\b)[a-z-]{2,}(?<![sui])s\b"
    r"|\bwhat (?:other |kinds? of |sorts? of )?[a-z-]{2,}(?<![sui])s (?:do|does|are|have|can|will|should|did|were|live|belong)\b"
    r"|\b(?:who are|what are|which of|all|both|list)\b|\bin (?:what|which) order\b"
    r"|\b(?:какие|каких|каким|какими|кого из|все|всех|оба|обе|обоих|перечисли\w*|в каком порядке)\b"
    r"|\bwelchen? \w+ (?:sind|haben|gibt|werden|können|leben|gehören)\b|\b(?:alle[nrs]?|beide[nrs]?|jede[nrs]?)\b"
    r"|哪些|哪几|分别|都有|都是|所有|哪两|什么顺序",
    re.IGNORECASE,
)
"""Numbers are single values: *how many* is not among these. Neither is what joins two subjects, as *Are Ben and Ada together?*"""


_IN_ORDER = re.compile(
    r"\bin (?:what|which) order\b|\b(?:one after (?:the other|another)|chronological(?:ly)?|timeline|history of)\b"
    r"|\ball (?:the|my|our|his|her|their) \w+s\b"
    r"|\bв каком порядке|по порядку|хронологи\w*|\bистори[яю] \w+"
    r"|\bin welcher reihenfolge\b|\bder reihe nach\b|\bnacheinander\b|\bchronologisch\w*"
    r"|什么顺序|先后|依次|按时间",
    re.IGNORECASE,
)
_JOINED = re.compile(
    r"\b\w+ (?:and|or|as well as) (?:the |my |our |his |her |their |its |what |where |when |who |this |in )*\w+"
    r"|\b(?:are|were|do|have|did) (?:my|our|his|her|their|the) \w+(?<![sui])s\b"
    r"|\b(?:what|which) (?:\w+ ){0,2}\w+(?<![sui])s (?:do|are|have|can|does|has|is)\b|\bhow (?:many|much)\b.*\band\b"
    r"|\w и \w|\b(?:дети|детей|друзья|такие|сёстры|братья|родители|соседи)\b"
    r"|\b\w+ (?:und|sowie|oder) \w+|\b(?:welche|welchen) \w+(?:en|e|s|n) (?:habe|haben|sind|gibt|hat|hast)\b"
    r"|\bwie (?:heißen|viele)\b|\b(?:leben|wohnen|meinen|sind|stehen|liegen|sagen) (?:die|meine|unsere|seine|ihre)\b"
    r"|[和与及、]|各|两",
    re.IGNORECASE,
)
"""What asks about two or more at once: *the blog and the shop*, *my cousins*."""


_SOUGHT_NUMBER = re.compile(
    r"\bhow (?:many|much|old|long|far|often|big|tall|high|heavy|large|fast)\b"
    r"|\b(?:price|cost|fee|number|age|size|version|port|dose)\b"
    r"|\bсколько\b|\bпочём\b|\bкаков?(?:ой)? (?:возраст|размер|номер|порт)\b|\bкакая (?:версия|цена|доза)\b"
    r"|\bwie (?:viele?|alt|lange?|weit|oft|groß|hoch|schwer|teuer)\b|\bwelche (?:version|nummer|dosis)\b"
    r"|多少|几[个岁人次年月]|多[大长高重远久]",
    re.IGNORECASE,
)
_SOUGHT_TIME = re.compile(
    r"\bwhen\b|\bwhat time\b|\b(?:which|what) (?:days?|date|week|month|year)\b"
    r"|\bкогда\b|\bво сколько\b|\bв какой день\b|\bкакого числа\b|\bдо какого\b"
    r"|\bwann\b|\bum wie ?viel uhr\b|\ban welchem tag\b|什么时候|几点|哪[天年月一]|何时|星期几|周几|几号",
    re.IGNORECASE,
)
_SOUGHT_PERSON = re.compile(r"\b(?:who|whom|whose|кто|кого|кому|кем|чей|чья|wer|wen|wem|wessen)\b|谁", re.IGNORECASE)
_SOUGHT_PLACE = re.compile(
    r"\bwhere\b|\b(?:which|what) (?:town|city|street|room|country|place|address)\b"
    r"|\b(?:где|куда|откуда|wo|wohin|woher)\b|\bв каком городе\b|哪里|哪儿|在哪|什么地方",
    re.IGNORECASE,
)


class Sought(Enum):
    """Which kind of value a question asks for, by its interrogative."""

    NUMBER = "number"
    TIME = "time"
    PERSON = "person"
    PLACE = "place"
    OTHER = "other"


class Wanted(Enum):
    """Which of the values of an attribute a question asks for."""

    NEWEST = "newest"
    EARLIER = "earlier"
    """The one before the present one: *What was my previous address?*"""
    PAST = "past"
    """One of the past, which the other words of the question select: *Who designed the bridge?*"""
    IN_ORDER = "in order"
    """All of them, the oldest first: *In which order did I live where?*"""
    SEVERAL = "several"
    """All of them: *Which cats live with us?*"""


def wanted(question: str) -> Wanted:
    """Which value the question asks for; a question without any sign of it asks for the newest."""
    if _IN_ORDER.search(question):
        return Wanted.IN_ORDER
    if _EARLIER.search(question):
        return Wanted.EARLIER
    if _SEVERAL.search(question):
        return Wanted.SEVERAL
    return Wanted.PAST if _PAST_TENSE.search(question) else Wanted.NEWEST


def asks_about_the_past(question: str) -> bool:
    """Return whether the question asks what was, when something was, or how it was before."""
    return _PAST.search(question) is not None


def asks_about_several(question: str) -> bool:
    """Return whether the wording joins two or more that it asks about, or names them in the plural; it need not ask for a list."""
    return _JOINED.search(question) is not None


def sought(question: str) -> Sought:
    """Which kind of value the question asks for; `OTHER` where no word of it says so."""
    for pattern, kind in (
        (_SOUGHT_NUMBER, Sought.NUMBER),
        (_SOUGHT_TIME, Sought.TIME),
        (_SOUGHT_PERSON, Sought.PERSON),
        (_SOUGHT_PLACE, Sought.PLACE),
    ):
        if pattern.search(question):
            return kind
    return Sought.OTHER
