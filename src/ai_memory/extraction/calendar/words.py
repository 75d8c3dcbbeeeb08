"""The words of dates and times in English and Russian.

Keys are case-folded, with е for ё. `patterns.py` combines the words into expressions, `atoms.py` gives those their meaning.
"""

from __future__ import annotations

from typing import NamedTuple


def words_of(text: str) -> tuple[str, ...]:
    """The words of a list that is written as one string."""
    return tuple(text.split())


MONTHS = words_of("january february march april may june july august september october november december")
WEEKDAYS = words_of("monday tuesday wednesday thursday friday saturday sunday")
NUMBERS = words_of("one two three four five six seven eight nine ten eleven twelve")
ORDINALS = words_of("first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth")
_MONTH_STEMS = words_of("январ феврал март апрел ма июн июл август сентябр октябр ноябр декабр")
_STEM_ENDINGS = {"ма": "й я е ю ем", "март": " а е у ом", "август": " а е у ом"}


def _months() -> dict[str, int]:
    found = {name: number for number, name in enumerate(MONTHS, 1)}
    found |= {name[:3]: number for name, number in found.items()} | {"sept": 9}
    for number, stem in enumerate(_MONTH_STEMS, 1):
        found |= {stem + ending: number for ending in _STEM_ENDINGS.get(stem, "ь я е ю ем").split(" ")}
    return found


MONTH = _months()
WEEKDAY = {name: number for number, name in enumerate(WEEKDAYS)} | {
    form: number
    for number, forms in enumerate(
        (
            "понедельник понедельника понедельнику понедельником понедельнике",
            "вторник вторника вторнику вторником вторнике",
            "среда среды среде среду средой",
            "четверг четверга четвергу четвергом четверге",
            "пятница пятницы пятнице пятницу пятницей",
            "суббота субботы субботе субботу субботой",
            "воскресенье воскресенья воскресенью воскресеньем",
        )
    )
    for form in forms.split()
}
UNIT = {
    form: name
    for name, forms in {
        "minute": "minute minutes минуту минуты минут",
        "hour": "hour hours час часа часов",
        "day": "day days день дня дней дни сутки суток",
        "week": "week weeks неделя недели неделю неделе недель",
        "weekend": "weekend weekends выходные выходных",
        "month": "month months месяц месяца месяце месяцу месяцев месяцы",
        "quarter": "quarter quarters квартал квартала квартале кварталу",
        "half": "half полугодие полугодия полугодии половина половины половине половину",
        "year": "year years год года году годом лет г",
    }.items()
    for form in forms.split()
}
SEASON = {
    form: number
    for number, forms in enumerate(
        (
            "spring весна весны весне весну весной",
            "summer лето лета лету летом лете",
            "autumn fall осень осени осенью",
            "winter зима зимы зиме зиму зимой",
        )
    )
    for form in forms.split()
}
NUMBER = (
    {word: number for number, word in enumerate(NUMBERS, 1)}
    | {word: number for number, word in enumerate(ORDINALS, 1)}
    | {"пару": 2, "couple": 2, "few": 3, "несколько": 3}
    | {
        form: number
        for number, forms in enumerate(
            (
                "один одну одна первое первого первый первом первая первую первой первые первых",
                "два две двух второе второго второй втором вторая вторую",
                "три трех третье третьего третий третьем третья третью третьей",
                "четыре четырех четвертое четвертого четвертый четвертом четвертая четвертую четвертой",
                "пять пяти пятого",
                "шесть шести шестого",
                "семь семи седьмого",
                "восемь восьми восьмого",
                "девять девяти девятого",
                "десять десяти десятого",
                "одиннадцать",
                "двенадцать",
            ),
            1,
        )
        for form in forms.split()
    }
)
SHIFT = {
    form: shift
    for shift, forms in {
        -1: "last past previous прошлый прошлая прошлое прошлого прошлой прошлом прошлую прошлым прошлые прошлых "
        "последний последняя последнее последнего последней последнем последнюю последние последних "
        "прошедший прошедшего прошедшей прошедшем прошедшую прошедшие прошедших",
        0: "this current coming этот эта это этого этой этом эту этим эти этих текущий текущего текущем нынешний нынешнем",
        1: "next following следующий следующая следующее следующего следующей следующем следующую следующим следующие "
        "следующих ближайший ближайшего ближайшей ближайшую ближайшие ближайших",
    }.items()
    for form in forms.split()
}
RELATIVE_DAY = {
    "yesterday": -1, "today": 0, "tomorrow": 1, "tonight": 0,
    "позавчера": -2, "вчера": -1, "сегодня": 0, "завтра": 1, "послезавтра": 2,
}  # fmt: skip
PART_OF_DAY = {
    form: hours
    for hours, forms in {
        (6, 12): "morning утром утра",
        (12, 18): "afternoon днем",
        (18, 24): "evening tonight вечером вечера",
        (0, 6): "ночью",
    }.items()
    for form in forms.split()
}
"""Hours from and to; *last night* is treated separately, from 18 to 6."""
THIRD = {
    form: which
    for which, forms in enumerate(
        (
            "early beginning start начале начала началу начало",
            "mid middle середине середины середину",
            "late end конце конца концу конец",
        )
    )
    for form in forms.split()
}


HOLIDAY = words_of(
    "christmas xmas boxing new good easter pentecost halloween thanksgiving valentine valentines "
    "рождество рождества рождеству рождеством рождестве новый нового новому новым новом пасха пасхи пасху пасхе пасхой"
)
"""First words of holidays; `holidays.py` has their days."""


class Bound(NamedTuple):
    """How the word before an atom bounds it, and in which direction it puts a date without a year."""

    opens: bool = False
    """The time begins with the atom and has no end: *since May*."""
    closes: bool = False
    """The time ends with the atom, which is included: *until May*."""
    excludes: bool = False
    """The atom itself is outside: *before May*, *after May*."""
    direction: str | None = None


_PLAIN = Bound()
_AHEAD = Bound(direction="future")
BOUND = {
    "since": Bound(opens=True, direction="past"),
    "from": Bound(opens=True, direction=None),
    "after": Bound(opens=True, excludes=True),
    "until": Bound(closes=True, direction="future"), "till": Bound(closes=True, direction="future"),
    "by": Bound(closes=True, direction="future"), "through": Bound(closes=True, direction="future"),
    "before": Bound(closes=True, excludes=True, direction="future"),
    "to": _AHEAD, "for": _AHEAD, "due": _AHEAD,
    "с": Bound(opens=True, direction="past"), "со": Bound(opens=True, direction="past"), "после": Bound(opens=True, excludes=True),
    "до": Bound(closes=True, direction="future"), "к": Bound(closes=True, direction="future"),
    "ко": Bound(closes=True, direction="future"), "по": Bound(closes=True, direction="future"), "на": _AHEAD,
}  # fmt: skip
"""Any other word before an atom (on, in, at, during, of, в, во, за, от) only belongs to it."""
