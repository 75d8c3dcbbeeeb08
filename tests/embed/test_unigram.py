"""The Unigram tokenizer equals the library's, on the real file, in every script."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from ai_memory.embed.models.folder import TOKENIZER, ModelFolder
from ai_memory.embed.tokenizer import TextTokenizer
from ai_memory.embed.unigram import UnigramTokenizer, read_unigram
from tests.support.fuzzed_strings import COUNT, fuzzed_strings

ODD = (
    *("", " ", "   ", "\n", "\x00", "\x00a", "▁", "▁a ▁", "\u200b\u200d", "\ufeff", "\u00ad"),
    *("e\u0301 и\u0306 ", "ﷺ ﬁ ½ ～", "Aﾊﾟﾊﾞ", "👩‍👩‍👧🏳️‍🌈", "𐍈𐍈𐍈 a𐍈", "\ufffd"),
    *("<s>", "</s></s>", " </s> ", "x<mask>y", "＜s＞", "<unk>", "<pad", "query: <s> passage: "),
    "a" * 3_000,
    "备份每天凌晨两点运行" * 200,
)


def small(file: Path, **changes: Any) -> Path:
    """A file of a few pieces, written by the library; `changes` replace parts of it."""
    pieces = [
        ("<s>", 0.0),
        ("</s>", 0.0),
        ("<unk>", 0.0),
        ("▁", -2.0),
        ("a", -2.5),
        ("b", -2.5),
        ("ab", -3.0),
        ("▁ab", -4.0),
    ]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("q", "")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 1)]
    )
    file.write_text(json.dumps({**json.loads(tokenizer.to_str()), **changes}), encoding="utf-8")
    return file


def differences(ours: UnigramTokenizer, reference: Any, text: str) -> list[str]:
    """What is not as in the library; the spelling of unknown characters is left out."""
    one, other = ours.encode(text), reference.encode(text)
    found = [name for name in ("ids", "offsets", "special_tokens_mask") if getattr(one, name) != getattr(other, name)]
    if ours.decode(one.ids) != reference.decode(other.ids):
        found.append("decoded")
    return found


@pytest.mark.model
def test_ten_thousand_strings_in_twenty_scripts(e5_folder: ModelFolder) -> None:
    ours = read_unigram(e5_folder.path / TOKENIZER)
    assert ours is not None
    reference = Tokenizer.from_file(str(e5_folder.path / TOKENIZER))
    texts = [*fuzzed_strings(), *ODD]
    assert len(texts) == COUNT + len(ODD)
    wrong = [(text, found) for text in texts if (found := differences(ours, reference, text))]
    assert wrong == []
    prompted = [f"query: {text}" for text in texts[::10]]
    assert [each.ids for each in ours.encode_batch(prompted)] == [each.ids for each in reference.encode_batch(prompted)]


@pytest.mark.model
def test_the_embedder_uses_it(e5_folder: ModelFolder) -> None:
    tokenizer = TextTokenizer(e5_folder.path / TOKENIZER, 16)
    assert tokenizer.decode(tokenizer.windows(["Где ключ?"], ["query: "])[0].ids) == "query: Где ключ?"
    windows = tokenizer.windows(["eins zwei drei vier fünf sechs " * 9], ["passage: "])
    assert len(windows) > 3
    assert len({window.ids[:3] for window in windows}) == 1, "each window begins with the prompt"
    assert all(len(window.ids) <= 16 for window in windows)
    assert [piece.text for piece in tokenizer.pieces("ab")] == ["<s>", "▁ab", "</s>"]


def test_small_vocabularies_equal_the_library(tmp_path: Path) -> None:
    file = small(tmp_path / "tokenizer.json")
    ours, reference = read_unigram(file), Tokenizer.from_file(str(file))
    assert ours is not None
    for text in ("", "ab", "abab b", "xyz", "axyb", "qq", "q", "aqb", "x ab", "ab" * 40, "日本 ab", "x" * 99):
        assert differences(ours, reference, text) == [], text
    assert ours.encode("ab", add_special_tokens=False).tokens == ["▁ab"]
    assert ours.get_vocab_size() == 8


def test_words_that_are_kept_do_not_grow_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ai_memory.embed.unigram._KEPT_WORDS", 10)
    ours = read_unigram(small(tmp_path / "tokenizer.json"))
    assert ours is not None
    first = [ours.encode("a" * length).ids for length in range(1, 30)]
    assert len(ours._kept) <= 10
    assert [ours.encode("a" * length).ids for length in range(1, 30)] == first


@pytest.mark.parametrize(
    "changes",
    [
        {"added_tokens": [{"id": 2, "content": "<m>", "lstrip": True, "special": True}]},
        {"post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}},
        {"normalizer": None},
        {"model": {"type": "WordLevel", "vocab": {'"Unigram"': 0}, "unk_token": "x"}},
    ],
)
def test_what_is_not_done_here_is_left_to_the_library(tmp_path: Path, changes: dict[str, Any]) -> None:
    assert read_unigram(small(tmp_path / "tokenizer.json", **changes)) is None
