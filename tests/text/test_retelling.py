"""A forgotten text is known again in whatever dress, and another text is not taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.text.retelling import retelling

TEXT = "Anna Ivers' PIN is 4711 - don't tell!"


def _styled(text: str, upper: int, lower: int) -> str:
    """Letters of a mathematical alphabet."""
    return "".join(
        chr(upper + ord(c) - 65) if "A" <= c <= "Z" else chr(lower + ord(c) - 97) if "a" <= c <= "z" else c
        for c in text
    )


DRESSED = {
    "lower case": TEXT.lower(),
    "upper case": TEXT.upper(),
    "title case": TEXT.title(),
    "double blanks": TEXT.replace(" ", "  "),
    "no blanks": TEXT.replace(" ", ""),
    "a blank between all characters": " ".join(TEXT),
    "lines": TEXT.replace(" ", "\n"),
    "no-break blanks": TEXT.replace(" ", "\u00a0"),
    "blanks of Braille": TEXT.replace(" ", "\u2800"),
    "Hangul fillers": TEXT.replace(" ", "\u3164"),
    "a full stop": TEXT.rstrip("!") + ".",
    "no punctuation": TEXT.rstrip("!"),
    "an ellipsis": TEXT + "…",
    "straight quotes": f'"{TEXT}"',
    "curly quotes": f"“{TEXT.replace(chr(39), '’')}”",
    "guillemets": f"«{TEXT}»",
    "brackets": f"({TEXT})",
    "a dash for a hyphen": TEXT.replace("-", "—"),
    "a bullet": f"• {TEXT}",
    "a list's hyphen": f"- {TEXT}",
    "a list's number": f"1. {TEXT}",
    "a quotation": f"> {TEXT}",
    "a heading": f"## {TEXT}",
    "bold": f"**{TEXT}**",
    "code": f"`{TEXT}`",
    "full width": TEXT.replace("Anna", "Ａｎｎａ").replace("4711", "４７１１"),
    "Cyrillic look-alikes": TEXT.replace("a", "а").replace("P", "Р").replace("e", "е"),
    "Greek look-alikes": TEXT.replace("I", "Ι").replace("o", "ο"),
    "Cyrillic capitals": TEXT.replace("A", "А").replace("I", "І"),
    "l for I": TEXT.replace("I", "l"),
    "l for 1": TEXT.replace("1", "l"),
    "bold letters of mathematics": _styled(TEXT, 0x1D400, 0x1D41A),
    "letters in circles": _styled(TEXT, 0x24B6, 0x24D0),
    "small capitals": TEXT.replace("n", "ɴ").replace("t", "ᴛ"),
    "negative squares": TEXT.replace("P", "🅿").replace("N", "🅽"),
    "digits in circles": TEXT.replace("1", "①"),
    "Arabic digits": TEXT.replace("4711", "٤٧١١"),
    "variation selectors": TEXT.replace("P", "P\ufe0f\U000e0101"),
    "zero width": "\u200b".join(TEXT),
    "soft hyphens": TEXT.replace("i", "i\u00ad"),
    "direction marks": f"\u202e{TEXT}\u202c",
    "tags": TEXT + "\U000e0041\U000e0042",
    "controls": TEXT.replace("P", "P\x01"),
    "struck through": "".join(c + "\u0336" for c in TEXT),
    "accents": TEXT.replace("e", "é"),
}

OTHERS = {
    "another number": TEXT.replace("4711", "4712"),
    "digits changed over": TEXT.replace("4711", "7411"),
    "a decimal point": TEXT.replace("4711", "4.711"),
    "a sign": TEXT.replace("is 4711", "is -4711"),
    "another name": TEXT.replace("Anna", "Hanna"),
    "a longer name": TEXT.replace("Ivers'", "Iverson's"),
    "a negation": TEXT.replace("is", "is not"),
    "the opposite": TEXT.replace("don't tell", "do tell"),
    "another word": TEXT.replace("PIN", "PUK"),
    "more": f"{TEXT} She changed it in May.",
    "less": "Anna Ivers' PIN is 4711",
    "other places": "4711 is Anna Ivers' PIN - don't tell!",
    "an emoji": f"{TEXT} 👍",
}


@pytest.mark.parametrize("dress", DRESSED)
def test_a_text_is_known_again_in_another_dress(dress: str) -> None:
    assert retelling(DRESSED[dress]).digests & retelling(TEXT).digests


@pytest.mark.parametrize("difference", OTHERS)
def test_another_text_is_another(difference: str) -> None:
    assert not retelling(OTHERS[difference]).digests & retelling(TEXT).digests


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ПРИВЕТ, МИР", "привет мир."),
        ("Ёлка зелёная", "елка зеленая"),
        ("Пароль", "Пapoль"),
        ("我的密码是4711", "我的密码是 ４７１１。"),
        ("Straße", "STRASSE"),
        ("ΑΘΗΝΑ", "Αθήνα"),
        ("İstanbul", "istanbul"),
        ("يحب القطط", "يُحِبّ القطط"),
        ("Rate 10 - 30", "Rate 10–30"),
        ("- 4711", "4711"),
        ("...", "…"),
        ("", ""),
    ],
)
def test_the_same_in_other_scripts(one: str, other: str) -> None:
    assert retelling(one).digests & retelling(other).digests


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("-250", "250"),
        ("1.5 mg", "15 mg"),
        ("Rooms 1, 2", "Rooms 12"),
        ("Rate 10 - 30", "Rate 1030"),
        ("2*3", "23"),
        ("C++", "C#"),
        ("3 > 2", "3 < 2"),
        ("5 €", "5 $"),
        ("👍", "👎"),
        ("...", "?!"),
        ("the fail", "the fall"),
        ("modern", "modem"),
        ("мой врач", "мои врачи"),
        ("мой", "мои"),
        ("我的密码是4711", "我的密码是4712"),
        ("पता दिल्ली", "पता दिल्लि"),
    ],
)
def test_what_says_something_else_is_something_else(one: str, other: str) -> None:
    assert not retelling(one).digests & retelling(other).digests


@given(st.text())
def test_any_text_has_a_retelling_and_is_one_of_itself(text: str) -> None:
    told = retelling(text)
    assert told == retelling(text)
    assert {len(told.digest), len(told.other_digest)} == {16}
    assert told.digests & retelling(f"  {text}\n").digests


@pytest.mark.parametrize(
    ("text", "telling"),
    [
        ("Yes.", False),
        ("Thank you!", False),
        ("ok then", False),
        ("4711", True),
        ("hunter2", True),
        ("12", False),
        ("Anna has diabetes", True),
        ("好的", False),
        ("安娜有糖尿病", True),
    ],
)
def test_a_text_that_says_nothing_by_itself_is_not_looked_for_in_others(text: str, telling: bool) -> None:
    assert retelling(text).is_telling is telling
