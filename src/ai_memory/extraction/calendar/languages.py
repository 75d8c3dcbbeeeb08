"""Dates and times in German, Spanish and French: word by word into English, which `atoms.py` reads.

A language is a table of words and a pattern for each kind of atom; letters in braces stand for the words of a table: M months,
W weekdays, S seasons, U units, N numbers, L last, T this, X next, O ordinals, H holidays, Y a year.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ai_memory.extraction.calendar.words import MONTHS, ORDINALS, WEEKDAYS, words_of

_COUNTED = 12
_SEASONS = words_of("spring summer autumn winter")
_UNITS = words_of("minute hour day week weekend month quarter half year")


class Language(NamedTuple):
    """One language: its words in English, and a pattern for each atom by name."""

    english: dict[str, str]
    patterns: dict[str, str]
    starts: frozenset[str]
    """Words, case-folded, that an atom can begin with; digits may begin a date or what is rolling."""

    words: re.Pattern[str]
    """One word or phrase of the tables, or a number."""

    def translated(self, text: str) -> str:
        """The words of an atom in English, in its order; numbers stay, and words that add nothing go."""
        found = self.words.findall(text.casefold().replace("’", "'"))
        return " ".join(filter(None, (word if word.isdigit() else self.english[word] for word in found)))


def _rows(of: Iterable[str], listed: str) -> Iterator[tuple[str, str]]:
    """Pairs of a word and its English: rows are separated by bars, forms of one word by blanks, parts of a form by underscores."""
    for english, forms in zip(of, listed.split("|"), strict=True):
        for form in forms.split():
            yield form.replace("_", " "), english


def _any(words: Iterable[str]) -> str:
    escaped = (re.escape(word).replace("\\ ", "[ ]") for word in sorted(words, key=lambda word: (-len(word), word)))
    return "(?:" + "|".join(escaped) + ")"


def _language(tables: dict[str, dict[str, str]], patterns: dict[str, str]) -> Language:
    slots = {name: _any(table) for name, table in tables.items()}
    slots |= {"Y": r"(?:19|20)\d\d", "N": rf"(?:\d{{1,4}}|{slots['N']})"}
    english = {word.casefold(): meant for table in tables.values() for word, meant in table.items()}
    # Not `format`: the patterns have braces of their own.
    filled = {
        name: re.sub(r"\{([A-Z])\}", lambda slot: slots[slot[1]], pattern.replace(" ", "[ ]"))
        for name, pattern in patterns.items()
    }
    starts = frozenset(re.split("[ '-]", word)[0] for word in english)
    return Language(english, filled, starts, re.compile(rf"(?<!\w){_any(english)}(?!\w)|\d+"))


GERMAN = _language(
    {
        "M": dict(
            _rows(
                MONTHS,
                "Januar Jänner|Februar|März Maerz|April|Mai|Juni|Juli|August|September|Oktober|November|Dezember",
            )
        ),
        "W": dict(_rows(WEEKDAYS, "Montag|Dienstag|Mittwoch|Donnerstag|Freitag|Samstag Sonnabend|Sonntag")),
        "S": dict(_rows(_SEASONS, "Frühling Frühjahr|Sommer|Herbst|Winter")),
        "U": dict(
            _rows(
                _UNITS,
                "Minute Minuten|Stunde Stunden|Tag Tage Tagen Tages|Woche Wochen|Wochenende Wochenenden|Monat Monate Monaten Monats"
                "|Quartal Quartals|Hälfte Halbjahr Halbjahres|Jahr Jahre Jahren Jahres",
            )
        ),
        "N": dict(
            _rows(
                map(str, range(1, _COUNTED + 1)),
                "ein eine einem einen einer|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf",
            )
        )
        | {"paar": "few", "ein paar": "few"},
        "L": dict.fromkeys(
            words_of("letzte letzten letzter letztes letztem vergangene vergangenen vergangenes vergangener"), "last"
        ),
        "T": dict.fromkeys(words_of("diese diesen dieser dieses diesem"), "this"),
        "X": dict.fromkeys(
            words_of("nächste nächsten nächster nächstes nächstem kommende kommenden kommendes kommender"), "next"
        ),
        "O": dict(
            _rows(
                ORDINALS[:4],
                "erste ersten erster erstes|zweite zweiten zweiter zweites|dritte dritten dritter drittes|vierte vierten viertes",
            )
        ),
        "H": {
            "Weihnachten": "christmas",
            "Heiligabend": "christmas eve",
            "Silvester": "new years eve",
            "Neujahr": "new years day",
            "Karfreitag": "good friday",
            "Ostern": "easter",
            "Pfingsten": "pentecost",
        },
        "D": {
            "vorgestern": "the day before yesterday",
            "gestern": "yesterday",
            "heute": "today",
            "übermorgen": "the day after tomorrow",
            "morgen": "tomorrow",
        },
        "P": {
            "Morgen": "morning",
            "Vormittag": "morning",
            "früh": "morning",
            "Nachmittag": "afternoon",
            "Abend": "evening",
        },
        "Q": {"Anfang": "beginning", "Mitte": "mid", "Ende": "end"},
        "K": {"vor": "", "in": "", "Woche vom": "week of", "Woche ab": "week of", "Wochenende vom": "weekend of"},
    },
    {
        "week_of": r"\b(?:Woche|Wochenende) (?:vom|ab) \d{1,2}\. ?{M}(?: {Y})?\b",
        "nth": r"\b(?:{O}|{L}) (?:{U}|{W}) (?:(?:im|in|des) )?(?:{M}(?: {Y})?|{Y}|(?:{L} |{T} |{X} )?{U})\b",
        "quarter": r"\b{O} (?:Quartal|Halbjahr)s?(?: {Y}| {L} Jahres| {T} Jahres)?\b",
        "rolling": r"\b(?:{L}|{X}) {N} {U}\b",
        "date": r"(?<![\d.])\d{1,2}\. ?{M}\b(?: {Y}\b)?",
        "part": r"\b{Q} (?:{M}(?: {Y})?|{Y}|(?:des |(?:{L}|{T}|{X}) ){U})\b",
        "day": r"\b{D}\b(?: {P}\b)?",
        "ago": r"\bvor {N} {U}\b",
        "ahead": r"\bin {N} {U}\b",
        "shifted": r"\b(?:{L}|{T}|{X}) (?:{U}|{S}|{M}|{W})\b",
        "holiday": r"\b(?:(?:{L}|{T}|{X}) )?{H}(?: {Y})?\b",
        "month": r"\b{M}\b(?: {Y}\b)?(?!\w|-)",
        "weekday": r"\b{W}\b(?![-\w])",
        "season": r"\b{S}\b(?: {Y}\b)?(?!\w|-)",
    },
)

SPANISH = _language(
    {
        "M": dict(
            _rows(
                MONTHS,
                "enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre setiembre|octubre|noviembre|diciembre",
            )
        ),
        "W": dict(_rows(WEEKDAYS, "lunes|martes|miércoles miercoles|jueves|viernes|sábado sabado|domingo")),
        "S": dict(_rows(_SEASONS, "primavera|verano|otoño|invierno")),
        "U": dict(
            _rows(
                _UNITS,
                "minuto minutos|hora horas|día días dia dias|semana semanas|fin_de_semana fines_de_semana|mes meses"
                "|trimestre trimestres|mitad semestre semestres|año años",
            )
        ),
        "N": dict(
            _rows(
                map(str, range(1, _COUNTED + 1)),
                "un una uno|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|once|doce",
            )
        )
        | {"un par de": "2", "par de": "2", "pocos": "few", "pocas": "few"},
        "L": dict.fromkeys(
            words_of("última último últimas últimos ultima ultimo ultimas ultimos pasada pasado pasadas pasados"),
            "last",
        ),
        "T": dict.fromkeys(words_of("este esta estos estas"), "this"),
        "X": dict.fromkeys(
            [*words_of("próxima próximo próximas próximos proxima proximo proximas proximos"), "que viene"], "next"
        ),
        "O": dict(_rows(ORDINALS[:4], "primer primera primero|segunda segundo|tercer tercera tercero|cuarta cuarto")),
        "H": {
            "Navidad": "christmas",
            "Nochebuena": "christmas eve",
            "Nochevieja": "new years eve",
            "Año Nuevo": "new years day",
            "Viernes Santo": "good friday",
            "Semana Santa": "easter",
            "Pascua": "easter",
        },
        "D": {
            "anteayer": "the day before yesterday",
            "ayer": "yesterday",
            "anoche": "last night",
            "hoy": "today",
            "pasado mañana": "the day after tomorrow",
            "mañana": "tomorrow",
            "esta mañana": "today morning",
            "esta tarde": "today afternoon",
            "esta noche": "tonight",
        },
        "Q": {"principios": "beginning", "comienzos": "beginning", "mediados": "mid", "finales": "end", "fines": "end"},
        "K": {"hace": "", "dentro": "", "el": "", "semana del": "week of", "fin de semana del": "weekend of"},
    },
    {
        "week_of": r"\b(?:fin de )?semana del \d{1,2} de {M}(?: (?:de|del) {Y})?\b",
        "nth": r"\b(?:{O}|{L}) (?:{U}|{W}) (?:de|del) (?:{M}(?: (?:de|del) {Y})?|{Y}|año|mes)(?: {L})?\b",
        "quarter": r"\b{O} (?:trimestre|semestre)(?: (?:de|del) (?:{Y}|año(?: {L})?))?\b",
        "rolling": r"\b(?:(?:[úu]ltim|pasad|pr[óo]xim)[oa]s {N} {U}|{N} (?:[úu]ltim|pr[óo]xim)[oa]s {U}|[úu]ltim[oa] {U})\b",
        "date": r"\b\d{1,2} de {M}\b(?: (?:de|del) {Y}\b)?",
        "part": r"\b{Q} de (?:{M}(?: (?:de|del) {Y})?|{Y})\b",
        "day": r"\b(?<!la )(?<!de la ){D}\b",
        "ago": r"\bhace {N} {U}\b",
        "ahead": r"\bdentro de {N} {U}\b",
        "shifted": r"\b(?:(?:{T}|{X}|{L}) (?:{U}|{S}|{M}|{W})|(?:el )?(?:{U}|{S}|{M}|{W}) (?:pasad[oa]|próxim[oa]|que viene))\b",
        "holiday": r"\b{H}\b(?: (?:de|del) {Y}| (?:pasad[oa]))?(?!\w)",
        "month": r"\b{M}\b(?: (?:de|del) {Y}\b)?(?!\w|-)",
        "weekday": r"\bel {W}\b(?![-\w])",
        "season": r"\b{S}\b(?: (?:de|del) {Y}\b)?(?!\w|-)",
    },
)

FRENCH = _language(
    {
        "M": dict(
            _rows(
                MONTHS,
                "janvier|février fevrier|mars|avril|mai|juin|juillet|août aout|septembre|octobre|novembre|décembre decembre",
            )
        ),
        "W": dict(_rows(WEEKDAYS, "lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche")),
        "S": dict(_rows(_SEASONS, "printemps|été|automne|hiver")),
        "U": dict(
            _rows(
                _UNITS,
                "minute minutes|heure heures|jour jours|semaine semaines|week-end weekend week-ends weekends|mois"
                "|trimestre trimestres|moitié semestre semestres|an ans année années",
            )
        ),
        "N": dict(
            _rows(
                map(str, range(1, _COUNTED + 1)),
                "un une|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze",
            )
        )
        | {"quelques": "few"},
        "L": dict.fromkeys(
            words_of(
                "dernier dernière derniers dernières derniere dernieres passé passée passés passées précédent précédente"
            ),
            "last",
        ),
        "T": dict.fromkeys(words_of("ce cet cette ces"), "this"),
        "X": dict.fromkeys(words_of("prochain prochaine prochains prochaines"), "next"),
        "O": dict(_rows(ORDINALS[:4], "premier première premiere|deuxième second seconde|troisième|quatrième")),
        "H": {
            "Noël": "christmas",
            "Nouvel An": "new years day",
            "Saint-Sylvestre": "new years eve",
            "Vendredi saint": "good friday",
            "Pâques": "easter",
            "Pentecôte": "pentecost",
            "Toussaint": "all saints",
        },
        "D": {
            "avant-hier": "the day before yesterday",
            "hier": "yesterday",
            "hier soir": "yesterday evening",
            "hier matin": "yesterday morning",
            "aujourd'hui": "today",
            "après-demain": "the day after tomorrow",
            "demain": "tomorrow",
            "ce matin": "today morning",
            "cet après-midi": "today afternoon",
            "ce soir": "tonight",
        },
        "Q": {"début": "beginning", "mi": "mid", "fin": "end"},
        "K": {"il": "", "dans": "", "l": "", "d": "", "semaine du": "week of", "week-end du": "weekend of"},
    },
    {
        "week_of": r"\b(?:semaine|week-end) du \d{1,2}(?:er)? {M}(?: {Y})?\b",
        "nth": r"\b(?:{O}|{L}) (?:{U}|{W}) (?:de |d['’]|du )?(?:{M}(?: {Y})?|{Y}|mois|l['’]année)(?: {L})?\b",
        "quarter": r"\b{O} (?:trimestre|semestre)(?: (?:de )?{Y})?\b",
        "rolling": r"\b(?:{N} (?:derni[eè]re?s|prochaine?s) {U}|(?:derni[eè]re?s|prochaine?s) {N} {U})\b",
        "date": r"\b\d{1,2}(?:er)? {M}\b(?: {Y}\b)?",
        "part": r"\b{Q}(?: |-)(?:{M}(?: {Y})?|{Y})\b",
        "day": r"\b(?<!’)(?:{D}|aujourd’hui)\b",
        "ago": r"\bil y a {N} {U}\b",
        "ahead": r"\bdans {N} {U}\b",
        "shifted": r"\b(?:{T} (?:{U}|{S}|{M}|{W})|(?:[ld]['’])?(?:{U}|{S}|{M}|{W}) (?:{L}|{X}))\b",
        "holiday": r"\b{H}\b(?: {Y}| (?:dernier|prochain))?(?!\w)",
        "month": r"\b{M}\b(?: {Y}\b)?(?!\w|-)",
        "weekday": r"(?<!le )(?<!les )(?<!chaque )\b{W}\b(?![-\w])",
        "season": r"\b{S}\b(?: {Y}\b)?(?!\w|-)",
    },
)

LANGUAGES = {"de": GERMAN, "es": SPANISH, "fr": FRENCH}

PREPOSITIONS = {
    form: english
    for english, forms in {
        "in": "im en au aux durante während pendant mes mois à",
        "on": "am zum zur ce",
        "since": "seit desde depuis dès",
        "until": "bis hasta jusqu'au jusqu'en jusqu'à jusqu'aux",
        "before": "vor antes avant",
        "after": "nach después despues tras après",
        "from": "ab vom von",
        "between": "zwischen entre",
    }.items()
    for form in forms.split()
}
"""Prepositions in English, as the word before an atom bounds it."""
FOREIGN_PREPOSITIONS = {"an": "on", "zu": "on"}
"""Those that are other words in English: only before an atom that is not English."""
ARTICLES = frozenset(words_of("de del des dem den der el la los las le les du"))
"""Passed over on the way from an atom back to its preposition."""
JOINS = r"bis|und|a|al|y|hasta|et|au|à"
"""What joins two atoms to a range."""
TENSES = {
    form: tense
    for tense, forms in {
        "past": "habe haben hatte hatten war waren wurde wurden gab fue fueron era hice hizo hicimos hicieron pasó paso ocurrió "
        "sucedió fuimos estuvimos había avons avez ai étaient était avait fait passé",
        "future": "werden wird werde soll sollen será seran serán vamos haremos sera serons allons fera ferons",
    }.items()
    for form in forms.split()
}
FRENCH_MARKS = frozenset(
    words_of("que qu quoi nous vous je j'ai tu les le la est avons ai fait on qui où c'est a s'est")
)
"""Words that make *hier* French; in German it means here."""
