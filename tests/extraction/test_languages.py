"""German, Spanish, French and Chinese times, seen from a Wednesday in March."""

from __future__ import annotations

import pytest

from tests.extraction.test_times import times

GERMAN = """
Was haben wir in den letzten 7 Tagen gemacht?|2026-03-11..2026-03-19
in den letzten zwei Wochen|2026-03-04..2026-03-19
in den vergangenen paar Monaten|2025-12-18..2026-03-19
Was war letzte Woche?|2026-03-09..2026-03-16
vor drei Wochen|2026-02-23..2026-03-02
in drei Tagen|2026-03-21..2026-03-22
Was geschah im Mai 2023?|2023-05-01..2023-06-01
Was haben wir im Mai gemacht?|2025-05-01..2025-06-01
am 15. März 2024|2024-03-15..2024-03-16
seit dem 15. Februar|2026-02-15..
bis August 2024|..2024-09-01
gestern Abend|2026-03-17T18:00..2026-03-18
letzten Freitag|2026-03-13..2026-03-14
Was haben wir am Montag besprochen?|2026-03-16..2026-03-17
Anfang Mai 2024|2024-05-01..2024-05-11
in der ersten Hälfte 2024|2024-01-01..2024-07-01
zweite Woche im Mai 2025|2025-05-08..2025-05-15
Woche vom 12. Mai 2025|2025-05-12..2025-05-19
im ersten Quartal 2024|2024-01-01..2024-04-01
Was haben wir an Weihnachten gemacht?|2025-12-24..2025-12-27
Was haben wir im Sommer gemacht?|2025-06-01..2025-09-01
"""
SPANISH = """
¿Qué hicimos en los últimos 7 días?|2026-03-11..2026-03-19
en las últimas dos semanas|2026-03-04..2026-03-19
en el último mes|2026-02-18..2026-03-19
la semana pasada|2026-03-09..2026-03-16
el año pasado|2025-01-01..2026-01-01
hace tres semanas|2026-02-23..2026-03-02
la semana que viene|2026-03-23..2026-03-30
en mayo de 2023|2023-05-01..2023-06-01
el 15 de marzo de 2024|2024-03-15..2024-03-16
desde el 15 de febrero|2026-02-15..
antes de mayo de 2024|..2024-05-01
¿Qué hicimos ayer?|2026-03-17..2026-03-18
el lunes pasado|2026-03-16..2026-03-17
segunda semana de mayo de 2025|2025-05-08..2025-05-15
la primera mitad de 2024|2024-01-01..2024-07-01
primer trimestre de 2024|2024-01-01..2024-04-01
a principios de mayo de 2024|2024-05-01..2024-05-11
¿Qué hicimos en Navidad?|2025-12-24..2025-12-27
el verano pasado|2025-06-01..2025-09-01
de mayo a julio de 2024|2024-05-01..2024-08-01
"""
FRENCH = """
Qu'avons-nous fait ces 7 derniers jours ?|2026-03-11..2026-03-19
ces deux dernières semaines|2026-03-04..2026-03-19
la semaine dernière|2026-03-09..2026-03-16
l'année dernière|2025-01-01..2026-01-01
il y a trois semaines|2026-02-23..2026-03-02
il y a sept ans|2019-01-01..2020-01-01
dans trois jours|2026-03-21..2026-03-22
en mai 2023|2023-05-01..2023-06-01
le 15 mars 2024|2024-03-15..2024-03-16
depuis le 15 février|2026-02-15..
avant mai 2024|..2024-05-01
Qu'avons-nous fait hier ?|2026-03-17..2026-03-18
aujourd’hui|2026-03-18..2026-03-19
lundi dernier|2026-03-16..2026-03-17
deuxième semaine de mai 2025|2025-05-08..2025-05-15
première moitié de 2024|2024-01-01..2024-07-01
mi-mai 2024|2024-05-11..2024-05-21
Qu'avons-nous fait à Noël ?|2025-12-24..2025-12-27
l'été dernier|2025-06-01..2025-09-01
du 3 mai au 5 mai 2024|2024-05-03..2024-05-06
"""
CHINESE = """
上周我们做了什么？|2026-03-09..2026-03-16
上週我們做了什麼？|2026-03-09..2026-03-16
昨天发生了什么？|2026-03-17..2026-03-18
最近7天我们做了什么？|2026-03-11..2026-03-19
過去兩週發生了什麼？|2026-03-04..2026-03-19
最近三个月|2025-12-18..2026-03-19
未来几天|2026-03-18..2026-03-22
去年夏天我们去了哪里？|2025-06-01..2025-09-01
2024年5月发生了什么？|2024-05-01..2024-06-01
五月我们做了什么？|2025-05-01..2025-06-01
2024年5月15日之前|..2024-05-15
自从2024年以来|2024-01-01..
三天前|2026-03-15..2026-03-16
两个星期前|2026-03-02..2026-03-09
上个月|2026-02-01..2026-03-01
上星期五|2026-03-13..2026-03-14
2024年第一季度|2024-01-01..2024-04-01
去年下半年|2025-07-01..2026-01-01
2024年五月初|2024-05-01..2024-05-11
圣诞节我们做了什么？|2025-12-24..2025-12-27
昨天晚上|2026-03-17T18:00..2026-03-18
2024年5月到7月|2024-05-01..2024-08-01
"""


@pytest.mark.parametrize("row", (GERMAN + SPANISH + FRENCH + CHINESE).strip().replace("\n\n", "\n").splitlines())
def test_meaning(row: str) -> None:
    text, _, expected = row.partition("|")
    assert times(text) == [expected]


@pytest.mark.parametrize(
    "text",
    [
        "Was ist hier passiert?",
        "Hablé con Marta por la mañana.",
        "We landed on Mars. Mai called. Noel and Pascua. I have a Sommer job.",
        "目前天气很好，上海周围下周转。三个月，天上月亮。",
        "jeden Sommer, chaque été",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert times(text) == []
