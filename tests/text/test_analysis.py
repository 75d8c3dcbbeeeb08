import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.text import analysis
from ai_memory.text.analysis import MAX_QUERY_TERMS, analyse, analyse_query, forget_words
from ai_memory.text.terms import QueryTerm
from ai_memory.text.words import tokens


def found_by(query: str, text: str) -> dict[str, float]:
    """Each word of the query with the best factor by which the text matches it (words that do not match are left out)."""
    terms = set(analyse(text))
    matched = {}
    for word in analyse_query(query).terms:
        factors = word.factors or (1.0,) * len(word.alternatives)
        best = max((f for name, f in zip(word.alternatives, factors, strict=True) if name in terms), default=0.0)
        if best:
            matched[word.surface] = best
    return matched


@pytest.mark.parametrize(
    ("query", "text"),
    [
        # English
        ("running", "She runs every day"),
        ("paintings", "He painted it"),
        ("cafe", "The Café closed"),
        ("resume", "her résumé"),
        ("alice", "Alice's desk"),
        ("dont", "don't do it"),
        ("don’t", "don't do it"),
        # Russian
        ("дорога", "шли по дорогам"),
        ("ещё", "еще раз"),
        ("еще", "ещё раз"),
        ("базу", "базы данных"),
        ("ПАРОЛЬ", "сменил пароли"),
        # German
        ("strasse", "Die Straße ist lang"),
        ("Straße", "die strasse"),
        ("Häuser", "Das Haus am See"),
        ("haeuser", "Die Häuser sind alt"),
        ("Mueller", "Frau Müller rief an"),
        ("Müller", "Frau Mueller rief an"),
        ("Müller", "Mueller called"),
        ("mueller", "Müller called"),
        ("Datenbank", "Wir haben die Datenbanken gesichert"),
        ("größe", "groesse"),
        # Chinese, Japanese, Korean
        ("记忆", "长期记忆服务"),
        ("鱼", "我昨天吃了鱼肉"),
        ("サーバー", "サーバーを再起動した"),
        ("サーバー", "ｻｰﾊﾞｰを再起動した"),
        ("회의", "내일 회의가 있다"),
        # other scripts
        ("ΑΘΗΝΑ", "στην Αθήνα"),
        ("שלום", "שָׁלוֹם עולם"),
        ("مرحبا", "مَرْحَبًا بالعالم"),
        ("नमस्ते", "नमस्ते दुनिया"),
        ("สวัสดี", "สวัสดีครับ"),
        # identifiers
        ("parseHttpRequest", "call parseHttpRequest(x)"),
        ("parsehttprequest", "call parseHttpRequest(x)"),
        ("http request", "call parseHttpRequest(x)"),
        ("snake_case", "use snake_case here"),
        ("a.b.c", "import a.b.c"),
        ("ERR_TILE_CHECKSUM", "failed with err_tile_checksum"),
        ("checksum", "failed with ERR_TILE_CHECKSUM"),
        ("E4312", "error E4312."),
        ("4312", "error E4312."),
        ("src/x/y.py", "see src/x/y.py:12"),
        ("y.py", "see src/x/y.py"),
        ("y.py", r"see src\x\y.py"),
        ("v2.3.1", "since v2.3.1"),
        ("github", "on GitHub"),
        ("GitHub", "on github"),
        ("https://example.org/a?b=1", "see (https://example.org/a?b=1)."),
        ("example.org", "see https://example.org:8000/a?b=1"),
        ("/a/b", "see https://example.org/a/b?c"),
        ("ann@example.org", "mail ann@example.org!"),
        ("C++", "a C++ class"),
        ("std::vector", "a std::vector<int>"),
        ("__init__", "the __init__ method"),
        # numbers and dates
        ("2024-05-17", "on 2024-05-17 at 12:30"),
        ("12:30", "on 2024-05-17 at 12:30"),
        ("1000000", "cost 1,000,000 euros"),
        ("3.14", "pi is 3.14."),
        ("１２３", "number 123"),
        ("−250", "at -250 degrees"),
        ("-1000.5", "a balance of (-1,000.5)"),
        # versions
        ("2.5.0", "since v2.5.0"),
        ("v2.5.0", "since 2.5.0"),
        ("2.12", "needs 2.12.0"),
        ("2.12", "needs v2.12.3-rc1"),
        ("2.12.0", "needs 2.12"),
        ("3.11", "runs python3.11"),
        # codes with and without separators
        ("AB1234X", "part AB-1234-X"),
        ("ab-1234-x", "part AB1234X"),
        ("AB/1234/X", "part AB‑1234‑X"),
        ("F150", "drives a Ford F-150"),
        ("aabbccddeeff", "the card AA:BB:CC:DD:EE:FF"),
        ("AA-BB-CC-DD-EE-FF", "the card aa:bb:cc:dd:ee:ff"),
        ("001a.2b3c.4d5e", "the card 00:1A:2B:3C:4D:5E"),
        ("20240517", "on 2024-05-17"),
        ("550e8400e29b41d4a716446655440000", "id 550e8400-e29b-41d4-a716-446655440000"),
        # telephone numbers
        ("+4930901820", "Phone +49 (0)30 901820"),
        ("030 901820", "Phone +49 (0)30 901820"),
        ("030901820", "Phone 0049 30 901820"),
        ("+49 30 901820", "Phone 030/901820"),
        ("(555) 123-4567", "call +15551234567"),
        ("5551234567", "call 555.123.4567."),
        # hashes
        ("4a02515", "in 4a02515f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2"),
        ("4a02515f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2", "in 4A02515"),
        # Turkish names with an ending, variants of Chinese characters
        ("İstanbul", "İstanbul'da buluştuk"),
        ("istanbul", "İstanbul’dan geldik"),
        ("Ankara'ya", "Ankara güzel"),
        ("istanbulda", "İstanbul'da buluştuk"),
        ("资料库备份", "繁體字：資料庫備份每天執行。"),
        ("資料庫備份", "资料库备份每天执行。"),
        ("東", "东京"),
        # emoji, invisible characters, compatibility forms
        ("👍", "fine 👍🏽"),
        ("👩‍💻", "she is a 👩‍💻"),
        ("❤", "I ❤️ it"),
        ("🇩🇪", "to 🇩🇪"),
        ("password", "pass\u200bword"),
        ("file", "the ﬁle"),
    ],
)
def test_a_question_finds_the_text(query: str, text: str) -> None:
    terms = analyse_query(query).terms
    heaviest = max(term.weight for term in terms)
    assert {term.surface for term in terms if term.weight == heaviest} & set(found_by(query, text))


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("work", "workshop"),
        ("鱼", "吃肉"),
        ("记忆", "忆记"),
        ("ERR_TILE", "tile error"),
        ("й", "и"),
        ("2.5.0", "v5.2.0"),
        ("2.12", "2.120 and 12.2"),
        ("-250", "250 metres"),
        ("250", "-250 degrees"),
        ("1230", "at 12:30"),
        ("1271", "at 127.1"),
        ("4a02515", "in 4a02516f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2"),
        ("+4930901820", "Phone +49 (0)30 901821"),
        ("का", "कि"),
    ],
)
def test_a_whole_is_not_found_by_another(query: str, text: str) -> None:
    assert not {term.surface for term in analyse_query(query).terms if term.weight == 1.0} & set(found_by(query, text))


@pytest.mark.parametrize(
    ("query", "same", "other"),
    [
        ("Ives", "Ives", "Ive"),
        ("Ive", "Ive", "Ives"),
        ("painted", "painted", "paints"),
        ("résumé", "résumé", "resume"),
        ("дорогам", "дорогам", "дорога"),
    ],
)
def test_the_exact_form_is_worth_more(query: str, same: str, other: str) -> None:
    surface = query.casefold()
    assert found_by(query, same)[surface] == 1.0
    assert 0.0 < found_by(query, other)[surface] < 1.0


def test_a_word_counts_once_however_many_forms_it_has() -> None:
    assert len(analyse_query("Müller müller MÜLLER").terms) == 1
    assert len(analyse_query("running").terms) == 1


def test_parts_of_an_identifier_weigh_less_than_the_whole() -> None:
    weights = {term.surface: term.weight for term in analyse_query("ERR_TILE_CHECKSUM").terms}
    assert weights["err_tile_checksum"] == 1.0
    assert weights["err"] == weights["tile"] == weights["checksum"] < 1.0


@pytest.mark.parametrize("query", ["who is the", "и в на", "und der die ist", "the"])
def test_stop_words_weigh_less_but_still_match(query: str) -> None:
    terms = analyse_query(query).terms
    assert terms
    assert all(0.0 < term.weight < 1.0 for term in terms)
    assert found_by(query, query)


def test_a_capitalised_word_inside_a_question_may_be_a_name() -> None:
    weights = {term.surface: term.weight for term in analyse_query("What did Will say").terms}
    assert weights["will"] == 1.0
    assert weights["what"] == weights["did"] < 1.0
    assert {term.weight for term in analyse_query("Will the").terms} == {weights["what"]}


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ('say "tile server" now', ("tile server",)),
        ("«б в» и „Guten Tag“ “x y”", ("б в", "Guten Tag", "x y")),
        ('5" disk', ()),
        ('a "" b', ()),
        ("«open", ()),
    ],
)
def test_quoted_parts_are_phrases(query: str, phrases: tuple[str, ...]) -> None:
    parsed = analyse_query(query)
    assert set(parsed.phrases) == set(phrases)
    surfaces = {term.surface for term in parsed.terms}
    assert all(term.surface in surfaces for phrase in phrases for term in analyse_query(phrase).terms)


@pytest.mark.parametrize("text", ["", " \n", "…!?—", "\x00\x07", "\u200b\u202e"])
def test_nothing_to_index_is_no_error(text: str) -> None:
    assert analyse(text) == []
    assert analyse_query(text).terms == ()


@settings(max_examples=300)
@given(st.text(st.characters(exclude_categories=())))
def test_any_text_is_taken_and_finds_itself(text: str) -> None:
    terms = analyse(text)
    assert all(terms)
    assert "\n" not in "".join(terms)
    query = analyse_query(text)
    assert len(query.terms) <= MAX_QUERY_TERMS
    assert bool(query.terms) == bool(terms)
    assert all(len(term.factors) in (0, len(term.alternatives)) for term in query.terms)
    known = set(terms)
    assert all(known.intersection(term.alternatives) for term in query.terms)


def test_a_huge_question_is_bounded() -> None:
    assert len(analyse_query(" ".join(f"word{n}" for n in range(10_000))).terms) == MAX_QUERY_TERMS


def test_a_long_text_without_blanks_is_taken() -> None:
    assert len(analyse("記" * 50_000)) == 99_999
    assert analyse("a" * 50_000)


def test_remembering_words_changes_nothing() -> None:
    text = "Die Straße in Größe 5, running paintings, 记忆"
    first = analyse(text)
    assert analyse(text) == first
    forget_words()
    assert analyse(text) == first


def test_the_same_word_is_read_by_the_language_of_its_text() -> None:
    german, english = analyse("wir haben die Datenbanken"), analyse("my Datenbanken")
    assert "~datenbank" in german
    assert "~datenbank" not in english


def test_query_terms_are_values() -> None:
    assert analyse_query("ip") == analyse_query("ip")
    assert QueryTerm(surface="a", alternatives=("a",)).weight == 1.0


@given(st.from_regex(analysis._PLAIN, fullmatch=True), st.booleans())
def test_the_short_way_for_plain_words_gives_what_the_long_way_gives(chunk: str, german: bool) -> None:
    long_way = [term for token in tokens(chunk) for term in analysis._document_terms(token, german)]
    assert list(analysis._Remembered(german)[chunk]) == long_way


def test_further_forms_of_a_code_do_not_lengthen_a_text() -> None:
    for text in ("v2.12.0", "AB-1234-X", "+49 (0)30 901820", "4a02515f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2"):
        parts = {term for term in analyse(text) if not term.startswith(("=", "~"))}
        assert parts <= {piece.casefold() for piece in re.findall(r"\w+", text)}, text


def test_a_question_in_other_characters_is_shown_as_it_was_written() -> None:
    assert [term.surface for term in analyse_query("資料庫").terms] == ["資料", "料庫"]
