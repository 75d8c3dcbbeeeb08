"""The data of the atlas itself: that its cases are as many, as varied and as consistent as README.md says."""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

from tests.truth.atlas import KINDS, LANGUAGES, Case, Kind, Language, half, halves, load, rooms

CASES = load()
BY_KIND = {kind: [case for case in CASES if case.kind == kind] for kind in KINDS}

# English, and each of the others: together 240 updates, 240 pairs, 60 chains, 60 restatements and 40 retractions.
MINIMUM: dict[Kind, tuple[int, int]] = {
    "update": (120, 40),
    "pair": (120, 40),
    "chain": (30, 10),
    "restatement": (30, 10),
    "retraction": (19, 7),
}

# Words by which a text says that something has changed. Wider than needed: a doubtful word counts as a cue.
CUES: dict[Language, str] = {
    "en": r"\b(?:now|no longer|not any ?more|any ?more|any longer|mov(?:es?|ed|ing)|instead|chang(?:es?|ed|ing)|switch(?:ed|es)?"
    r"|new|newly|used to|actually|correct(?:ions?|ed)?|sorry|bec[ao]mes?|since|from (?:here|now) on|these days|replac\w+"
    r"|re(?:named|baptised|tired)|updated?|upgraded|postponed|rescheduled|cancel\w*|stopped|quit|latest|current(?:ly)?"
    r"|previous(?:ly)?|formerly|old|earlier|extended|slips|dropped|took over|taken over|split up|migrated|again|mixed it up"
    r"|still)\b",
    "ru": r"\b(?:теперь|сейчас|больше не\w*|уже не|переехал\w*|перешл?[аио]?|перешёл|перен[её]с\w*|перенос\w*|вместо|помен\w+"
    r"|сменил\w*|измени\w+|нов(?:ый|ая|ое|ые|ого|ой|ом|ую|ым|ых)|раньше|прежде|на самом деле|ошиб\w+|исправ\w+|поправк\w+"
    r"|стал\w*|отныне|отмен\w+|обнов\w+|замени\w+|переимен\w+|передумал\w*|бросил\w*|перестал\w*|стар(?:ый|ая|ое|ые)"
    r"|с тех пор|снова|последн\w+|продлил\w*)\b",
    "de": r"\b(?:jetzt|nun|mittlerweile|inzwischen|nicht mehr|kein\w* mehr|keine \w+ \w+ mehr|umgezogen|zieht um|gezogen|statt"
    r"|stattdessen|geänder\w+|ändert\w*|gewechselt|wechselt\w*|neue?[nrsm]?|neuerdings|früher|eigentlich|korrektur"
    r"|berichtig\w+|verwechselt|entschuldigung|geworden|seit|ab sofort|ab jetzt|ersetzt\w*|umbenannt|aktuali?s?iert|verschoben"
    r"|verlegt|abgesagt|aufgehört|aktuell\w*|bisher|alte[nrs]?|wieder|verlänger\w+|künftig|doch)\b",
    "zh": r"现在|如今|目前|不再|已经不|搬到|搬去|搬家|搬进|改成|改为|改到|改用|改在|改吃|换成|换到|换了|换去|跳槽|更新|更正|纠正"
    r"|其实|变成|变为|以后|从今|新的|原来|以前|之前|取消|替换|改名|升级|推迟|提前|停止|不用了|最新|弄错|写错|记错|调到|涨到|降到|又"
    r"|升到|延长|延到|减到|旧的",
}

# A Chinese character counts as a word.
_WORD = re.compile(r"[\u4e00-\u9fff]|[^\W\d_\u4e00-\u9fff]+|\d+")


def texts_of(case: Case) -> list[str]:
    return [told.text for told in case.texts]


def strata() -> list[tuple[Kind, Language]]:
    return [(kind, language) for kind in KINDS for language in LANGUAGES]


def of(kind: Kind, language: Language) -> list[Case]:
    return [case for case in BY_KIND[kind] if case.language == language]


def repeated(values: Iterable[str]) -> list[str]:
    return [value for value, times in Counter(values).items() if times > 1]


def wrong(kinds: Iterable[Kind], right: Callable[[Case], bool]) -> list[str]:
    """The ids of the cases of these kinds for which something does not hold; fails where there are no such cases."""
    cases = [case for kind in kinds for case in BY_KIND[kind]]
    assert cases
    return [case.id for case in cases if not right(case)]


@pytest.mark.parametrize(("kind", "language"), strata())
def test_there_are_enough_cases(kind: Kind, language: Language) -> None:
    english, other = MINIMUM[kind]
    assert len(of(kind, language)) >= (english if language == "en" else other)


def test_the_totals_are_those_that_were_asked_for() -> None:
    least: Mapping[Kind, int] = {"update": 240, "pair": 240, "chain": 60, "restatement": 60, "retraction": 40}
    assert {kind: len(BY_KIND[kind]) >= count for kind, count in least.items()} == dict.fromkeys(least, True)
    assert sum("partial" in case.traits for case in CASES) >= 20
    assert {case.language for case in CASES if "partial" in case.traits} == set(LANGUAGES)


def test_the_readme_counts_what_is_there() -> None:
    page = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    for kind in KINDS:
        numbers = [len(of(kind, language)) for language in LANGUAGES]
        row = " | ".join(str(number) for number in [*numbers, sum(numbers)])
        assert f"| {kind} | {row} |" in page


def test_ids_say_kind_language_and_number() -> None:
    assert repeated(case.id for case in CASES) == []
    assert wrong(KINDS, lambda case: bool(re.fullmatch(rf"{case.kind}-{case.language}-\d{{3}}", case.id))) == []


def test_no_text_is_there_twice() -> None:
    assert repeated(" ".join(text.casefold().split()) for case in CASES for text in texts_of(case)) == []


def test_no_two_cases_ask_the_same_question() -> None:
    assert repeated(question.casefold() for case in CASES for question in case.questions) == []


def skeleton(case: Case, position: int) -> str:
    """A text without its values, names and numbers: what remains is the template, if it has one."""
    text = case.texts[position].text
    for value in case.expect.values[position]:
        text = text.replace(value, "_")
    return re.sub(r"\b[A-ZА-ЯЁ]\w*|\d+", "_", text)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", ["update", "chain"])
def test_no_template_is_used_more_than_three_times(kind: Kind, language: Language) -> None:
    """Of values that change. In pairs and restatements the same sentence on purpose speaks of another subject."""
    frames = Counter(skeleton(case, place) for case in of(kind, language) for place in (0, len(case.texts) - 1))
    assert [frame for frame, times in frames.items() if times > 3] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_half_of_the_updates_have_no_cue_of_change(language: Language) -> None:
    """Of the text that changes the fact: both sorts are there, and most have to be recognised by what they say."""
    cues = re.compile(CUES[language], re.IGNORECASE)
    cases = of("update", language)
    share = sum(bool(cues.search(case.texts[-1].text)) for case in cases) / len(cases)
    assert 0.1 <= share <= 0.5


def test_texts_are_in_the_order_of_their_days_unless_stored_late() -> None:
    def right(case: Case) -> bool:
        told = [text.told for text in case.texts]
        since = [text.since for text in case.texts]
        if "late" in case.traits:
            return sorted(since) != since or sorted(told) != told
        return all(a < b for a, b in pairwise(told)) and since == told

    assert wrong(KINDS, right) == []


def test_every_value_is_in_its_text() -> None:
    def right(case: Case) -> bool:
        values = case.expect.values
        return len(values) == len(case.texts) and all(
            found and all(value in told.text for value in found) for told, found in zip(case.texts, values, strict=True)
        )

    assert wrong(KINDS, right) == []


def test_values_of_one_case_differ_where_the_facts_do() -> None:
    def right(case: Case) -> bool:
        values = [" ".join(found).casefold() for found in case.expect.values]
        neighbours = pairwise(values)
        return all(a != b for a, b in neighbours) and (case.kind == "chain" or len(set(values)) == len(values))

    assert wrong(("update", "pair", "chain"), right) == []


def test_the_newest_value_is_not_in_an_older_text() -> None:
    """Or a program that looks for the value in the answer could not tell the two apart."""

    def right(case: Case) -> bool:
        newest = case.expect.values[case.expect.holds[0]][0].casefold()
        return not any(newest in case.texts[old].text.casefold() for old in case.expect.superseded)

    assert wrong(("update",), right) == []


def test_questions_do_not_give_the_answer() -> None:
    def right(case: Case) -> bool:
        if case.question is None or case.expect.first is None:
            return True
        return not any(value.casefold() in case.question.casefold() for value in case.expect.values[case.expect.first])

    assert wrong(("update", "pair", "chain"), right) == []


def test_questions_are_worded_differently_from_the_texts() -> None:
    """No question of three words or more takes all its words from the text that answers it."""

    def right(case: Case) -> bool:
        first = case.expect.first
        asked = set(_WORD.findall((case.question or "").casefold()))
        return first is None or len(asked) < 3 or not asked <= set(_WORD.findall(case.texts[first].text.casefold()))

    assert wrong(KINDS, right) == []


def test_what_is_expected_of_updates_chains_and_retractions_follows_from_the_days() -> None:
    def right(case: Case) -> bool:
        expect = case.expect
        order = sorted(range(len(case.texts)), key=lambda place: case.texts[place].since)
        ended = {*expect.superseded, *([expect.rest] if expect.rest is not None else [])}
        return (
            case.question is not None
            and expect.first == order[-1]
            and expect.holds == (order[-1],)
            and ended == set(order[:-1])
            and expect.before in (None, order[-2])
            and (expect.before is None) == (case.question_before is None)
            and (expect.order == tuple(order) if case.kind == "chain" else not expect.order)
        )

    assert wrong(("update", "chain", "retraction"), right) == []


def test_questions_about_an_earlier_day_ask_for_what_held_then() -> None:
    def right(case: Case) -> bool:
        asked = case.question_at
        if asked is None:  # what was corrected never held: there is no right answer about the day before
            return "correction" in case.traits and not case.expect.at
        ends = case.expect.first if "ends_two" in case.traits or case.kind != "chain" else case.expect.order[1]
        held = [place for place, told in enumerate(case.texts) if told.since <= asked.at]
        return ends is not None and set(case.expect.at) == set(held) and asked.at < case.texts[ends].since

    assert wrong(("update", "chain", "retraction"), right) == []


def test_partly_superseded_texts_make_two_statements() -> None:
    partial = [case for case in CASES if "partial" in case.traits]
    for case in partial:
        rest = case.expect.rest
        assert rest is not None, case.id
        assert case.question_rest and case.expect.kept, case.id
        text = case.texts[rest].text
        assert all(kept in text for kept in case.expect.kept), case.id
        assert not set(case.expect.kept) & set(case.expect.values[rest]), case.id
    assert {case.id for case in CASES if case.expect.rest is not None} == {case.id for case in partial}


def test_pairs_hold_both_and_say_why() -> None:
    def right(case: Case) -> bool:
        one = case.question is None or case.expect.first in (0, 1)
        return len(case.texts) == 2 and case.expect.holds == (0, 1) and bool(case.both and case.traits) and one

    assert wrong(("pair",), right) == []
    assert wrong(("pair",), lambda case: not case.expect.superseded and not case.expect.order) == []


def test_chains_have_three_to_six_values() -> None:
    lengths = {len(case.texts) for case in BY_KIND["chain"]}
    assert min(lengths) == 3
    assert max(lengths) == 6


def test_restatements_supersede_nothing() -> None:
    def right(case: Case) -> bool:
        everything = tuple(range(len(case.texts)))
        return case.expect.same == case.expect.holds == everything and not case.expect.superseded

    assert wrong(("restatement",), right) == []


def test_the_halves_are_balanced_and_complete() -> None:
    seen, unseen = half("seen"), half("unseen")
    assert Counter(case.id for case in (*seen, *unseen)) == Counter(case.id for case in CASES)
    for kind, language in strata():
        sizes = [sum(case.kind == kind and case.language == language for case in part) for part in (seen, unseen)]
        assert sizes[0] - sizes[1] in (0, 1)


def test_the_halves_depend_on_the_ids_alone() -> None:
    shuffled = list(CASES)
    random.Random(7).shuffle(shuffled)
    assert halves(shuffled) == halves(CASES)
    assert half("seen", ["chain"], ["ru"]) == tuple(
        case for case in half("seen") if case.kind == "chain" and case.language == "ru"
    )


def test_a_new_case_moves_at_most_one_other() -> None:
    cases = of("update", "de")
    before, after = halves(cases[:-1]), halves(cases)
    assert sum(before[name] != after[name] for name in before) <= 1


def test_rooms_have_one_language_and_each_domain_once() -> None:
    made = rooms(CASES)
    assert Counter(case.id for room in made for case in room) == Counter(case.id for case in CASES)
    for room in made:
        assert len({case.language for case in room}) == 1
        assert repeated(case.domain for case in room) == []
