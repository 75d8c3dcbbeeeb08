from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.embed.base import Task
from ai_memory.embed.models.known import EMBEDDING_GEMMA, MINILM
from ai_memory.embed.models.prompts import NO_PROMPTS, PromptTable
from ai_memory.embed.texts import replace_surrogates
from ai_memory.embed.tokenizer import TextTokenizer
from ai_memory.errors import InvalidInputError, ModelFilesError
from tests.support.tiny_models import write_tokenizer

CLS, SEP, PAD = 2, 3, 0


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> TextTokenizer:
    file = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    write_tokenizer(file)
    return TextTokenizer(file, max_tokens=12)


def test_a_text_that_fits_is_one_window(tokenizer: TextTokenizer) -> None:
    (window,) = tokenizer.windows(["abcdefghij"], [""])
    assert len(window.ids) == 12
    assert (window.ids[0], window.ids[-1], window.weight, window.text) == (CLS, SEP, 10, 0)
    assert PAD not in window.ids


def test_the_folders_own_truncation_and_padding_are_off(tokenizer: TextTokenizer) -> None:
    assert tokenizer.count(["a", "abcdefghijklmnop"], ["", ""]) == [3, 18]
    assert len(tokenizer.windows(["a"], [""])[0].ids) == 3


def test_an_empty_text_has_the_special_tokens(tokenizer: TextTokenizer) -> None:
    (window,) = tokenizer.windows([""], [""])
    assert (window.ids, window.weight) == ((CLS, SEP), 1)


@given(text=st.text("abc d", max_size=120), prompt=st.sampled_from(["", "q: ", "ab |"]))
def test_windows_hold_every_token_once(tokenizer: TextTokenizer, text: str, prompt: str) -> None:
    head = len(tokenizer.windows([prompt], [""])[0].ids) - 1
    windows = tokenizer.windows([text], [prompt])
    assert all(len(window.ids) <= 12 and window.ids[0] == CLS and window.ids[-1] == SEP for window in windows)
    assert len({window.ids[:head] for window in windows}) == 1, "each window begins with the prompt"
    content = [token for window in windows for token in window.ids[head:-1]]
    assert len(content) + head + 1 == tokenizer.count([text], [prompt])[0]
    if len(windows) > 1:
        sizes = [window.weight for window in windows]
        assert max(sizes) - min(sizes) <= 1
        assert sum(sizes) == len(content)


def test_windows_keep_the_order_of_the_text(tokenizer: TextTokenizer) -> None:
    whole = tokenizer.windows(["abcdefghij"], [""])[0].ids[1:-1]
    windows = tokenizer.windows(["abcdefghij" * 2], [""])
    assert [token for window in windows for token in window.ids[1:-1]][:10] == list(whole)


def test_a_prompt_that_leaves_no_room_is_refused(tokenizer: TextTokenizer) -> None:
    with pytest.raises(InvalidInputError, match="the prompt alone"):
        tokenizer.windows(["some text"], ["a prompt of many letters: "])


def test_a_damaged_tokenizer_is_named(tmp_path: Path) -> None:
    (tmp_path / "tokenizer.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json cannot be read"):
        TextTokenizer(tmp_path / "tokenizer.json", 12)


@given(st.text(st.characters(codec="utf-8")))
def test_valid_text_stays_as_it_is(text: str) -> None:
    assert replace_surrogates(text) == text


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_becomes_valid(text: str) -> None:
    assert replace_surrogates(text).encode("utf-8").decode("utf-8") == replace_surrogates(text)


def test_lone_surrogates_become_the_replacement_character() -> None:
    assert replace_surrogates("a\ud800b\udc00") == "a\ufffdb\ufffd"
    assert replace_surrogates("\ud83d\ude00") == "😀"


def test_prompts_are_put_where_the_authors_meant() -> None:
    gemma = EMBEDDING_GEMMA.prompts
    assert gemma.for_query(Task.RETRIEVAL) == "task: search result | query: "
    assert gemma.for_document(None) == gemma.for_document("") == "title: none | text: "
    assert gemma.for_document("Ferry {title}") == "title: Ferry {title} | text: "
    assert gemma.for_query(Task.NONE) == MINILM.prompts.for_query(Task.RETRIEVAL) == ""


def test_the_digest_covers_the_whole_table() -> None:
    tables = [
        NO_PROMPTS,
        PromptTable(document="text: "),
        PromptTable(titled_document="{title}: "),
        PromptTable(queries={Task.RETRIEVAL: "q: "}),
        PromptTable(queries={Task.CLUSTERING: "q: "}),
        EMBEDDING_GEMMA.prompts,
    ]
    assert len({table.digest() for table in tables}) == len(tables)
    assert PromptTable().digest() == NO_PROMPTS.digest()
