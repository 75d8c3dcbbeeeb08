"""A remark repeats a text: all of it, a run of its words, or what identifies by itself; shared vocabulary is no repetition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.text.repetition import Remark

DIAGNOSIS = "Ada's doctor found diabetes of type two in March and she does not want her employer to hear of it"
CARD = "The card of the company is 4111 1111 1111 1111, valid until 2029-03"


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("swordfish", "the password was swordfish"),
        ("swordfish", "SWORD\u00adFISH!"),
        ("Ada lives in Berlin", "she says: ada  lives,\nin BERLIN"),
        ("Ada lives in Berlin", "ａｄａ ｌｉｖｅｓ ｉｎ ｂｅｒｌｉｎ"),
        ("Ada lives in Berlin", "no longer lives in Berlin"),
        ("Café Müller, München", "cafe muller munchen has closed"),
        ("Ёлка у Ады дома", "больше нет: елка у ады дома"),
        ("उसका पासवर्ड गुप्त है", "कारण: उसका पासवर्ड गुप्त है"),
        ("アダは東京の港区に住んでいます", "理由：東京の港区に住んでいない"),
        (DIAGNOSIS, DIAGNOSIS),
        (DIAGNOSIS, "does not want her employer to hear"),
        (DIAGNOSIS, "a doctor found diabetes of type two, which is private"),
        (CARD, "remove card 4111-1111-1111-1111"),
        (CARD, "remove card 4111111111111111"),
        (CARD, "the number ended in 1111 11111"),
        ("Call +44 20 7946 0958 after six", "the number (020) 7946 0958 is old"),
        ("The router's password is Tr0ub4dor&3, changed in May", "leaked tr0ub4dor"),
        ("The service account uses sk-live-9f8a7b6c5d for billing", "rotated sk-live-9f8a7b6c5d"),
        ("Invoices go to ada@example.org since last year", "no mail to Ada@Example.org"),
        ("to be or not to be", "he asked to be or not to be"),
    ],
)
def test_what_gives_a_text_away(text: str, remark: str) -> None:
    assert Remark(remark).repeats(text)


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        (DIAGNOSIS, "asked to"),
        (DIAGNOSIS, "private: about a doctor and an employer"),
        (DIAGNOSIS, "the user asked to erase what she told in March"),
        (CARD, "a company card that is no longer valid"),
        (CARD, "expired in 2029-03, erased on 2026-11-30"),
        ("cat", "wrong category"),
        ("the", "at the request of the user"),
        ("Budget of the project is tight", "old notes of the project"),
        ("Ada lives in Berlin", "Ada moved"),
        ("Room 4711 in building 12 is Ada's", "erased for ticket 4711"),
        ("Atlas 2 uses HTTP2 and IPv6", "HTTP2 is gone"),
        ("アダは東京の港区に住んでいます", "東京の記録は不要"),
        ("アダは東京の港区に住んでいます", "東京の港区の古い記録"),
        ("", "any reason"),
        ("?!", "any reason?!"),
    ],
)
def test_what_a_remark_may_say(text: str, remark: str) -> None:
    assert not Remark(remark).repeats(text)


def test_a_short_text_as_a_whole_is_no_part() -> None:
    assert Remark("about a bill").repeats("bill")
    assert not Remark("about a bill").repeats_part("bill")
    assert Remark("about hunter2").repeats_part("hunter2")


@given(st.text(min_size=1, max_size=60), st.text(max_size=20), st.text(max_size=20))
def test_a_text_between_blanks_is_always_found(text: str, before: str, after: str) -> None:
    """Whatever the characters; a text without words, or of one function word, says nothing that could be kept."""
    alone = Remark(text).repeats(text)
    assert Remark(f"{before}\n{text}\n{after}").repeats(text) or not alone
