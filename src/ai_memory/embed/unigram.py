"""SentencePiece's Unigram tokenizer (Kudo 2018) over a `tokenizer.json`, in a quarter of the memory that the library needs.

The library `tokenizers` keeps the 250,000 pieces of multilingual-e5-small in a tree of hash maps, 280 MB. Here they are one dict,
67 MB, and words that occurred lately are kept with their tokens. It is still the library that normalises and splits a text, as the
file says, so that no rule of Unicode is written twice; only the segmentation of a word is done here: the pieces whose scores add up
to the most.
"""

from __future__ import annotations

import mmap
import re
from array import array
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any

from msgspec import DecodeError, Raw, Struct

from ai_memory.decoding import from_json

_NAME = b'"Unigram"'
_UNKNOWN_PENALTY = 10.0
"""An unknown character costs this much more than the rarest piece."""
_KEPT_WORDS = 20_000
_KEPT_LENGTH = 64
"""Longer words, such as a sentence in Chinese, are not kept: they hardly recur."""


class _Added(Struct):
    id: int
    content: str
    single_word: bool = False
    lstrip: bool = False
    rstrip: bool = False
    normalized: bool = False


class _Model(Struct):
    vocab: list[tuple[str, float]]
    unk_id: int | None = None
    byte_fallback: bool = False
    type: str = ""


class _File(Struct):
    model: _Model
    normalizer: Raw
    pre_tokenizer: Raw
    post_processor: dict[str, Any]
    decoder: Raw
    added_tokens: list[_Added] = []


Token = tuple[int, int]
"""A token's id, and its characters in the normalised text."""


class UnigramEncoding:
    """The tokens of one text; what costs more than the ids is made when it is asked for. Fields are those of the library's."""

    def __init__(self, tokenizer: UnigramTokenizer, text: str, tokens: list[Token], special: bool) -> None:
        """`special` says whether the tokenizer's special tokens surround those of the text."""
        self._tokenizer = tokenizer
        self._text = text
        self._tokens = tokens
        before, after = tokenizer.around if special else ((), ())
        self._around = len(before), len(after)
        self.ids = [*before, *(token for token, _ in tokens), *after]

    @property
    def tokens(self) -> list[str]:
        """Each token as it is spelled in the vocabulary."""
        return self._tokenizer.spelled(self.ids)

    @property
    def special_tokens_mask(self) -> list[int]:
        """1 for the tokens that surround the text, else 0."""
        before, after = self._around
        return [1] * before + [0] * len(self._tokens) + [1] * after

    @cached_property
    def offsets(self) -> list[tuple[int, int]]:
        """Start and end (exclusive) of each token in the text, in characters."""
        before, after = self._around
        return [(0, 0)] * before + self._tokenizer.places(self._text, self._tokens) + [(0, 0)] * after


class UnigramTokenizer:
    """What `TextTokenizer` uses of the library's `Tokenizer`. Safe to call from several threads."""

    def __init__(self, file: _File, shell: Any, letters: Any) -> None:
        """`shell` has the file's normaliser, splitter and decoder; `letters` the same, and makes each character a token."""
        self._pieces = [piece for piece, _ in file.model.vocab]
        self._scores = array("d", (score for _, score in file.model.vocab))
        self._ids = {piece: number for number, piece in enumerate(self._pieces)}
        self._longest: dict[str, int] = {}
        for piece in self._pieces:
            self._longest[piece[:1]] = max(self._longest.get(piece[:1], 0), len(piece))
        self._unknown = file.model.unk_id or 0
        self._unknown_score = min(self._scores) - _UNKNOWN_PENALTY
        self._added = {each.content: each.id for each in file.added_tokens}
        longest_first = sorted(self._added, key=len, reverse=True)
        self._of_added = re.compile(f"({'|'.join(map(re.escape, longest_first))})") if longest_first else None
        self.around = _around(file.post_processor)
        """The ids before and after the tokens of a text."""
        self._shell = shell
        self._letters = letters
        self._kept: dict[str, list[Token]] = {}

    def encode(self, text: str, add_special_tokens: bool = True) -> UnigramEncoding:
        """The tokens of one text."""
        tokens: list[Token] = []
        for part, number in self._parts(text):
            if number is None:
                for word in self._words(part):
                    tokens += self._of_word(word)
            else:
                tokens.append((number, -1))
        return UnigramEncoding(self, text, tokens, add_special_tokens)

    def encode_batch(self, texts: Sequence[str]) -> list[UnigramEncoding]:
        """As `encode`, for each text."""
        return [self.encode(text) for text in texts]

    def decode(self, ids: Sequence[int], skip_special_tokens: bool = True) -> str:
        """The text of token ids, all of which must be in the vocabulary."""
        left_out = set(self._added.values()) if skip_special_tokens else set()
        return str(self._shell.decoder.decode(self.spelled([each for each in ids if each not in left_out])))

    def get_vocab_size(self, with_added_tokens: bool = True) -> int:
        """The number of ids."""
        return max(len(self._pieces), *(number + 1 for number in self._added.values() if with_added_tokens), 0)

    def spelled(self, ids: Sequence[int]) -> list[str]:
        """The pieces of these ids."""
        added = {number: content for content, number in self._added.items()}
        return [added.get(each) or self._pieces[each] for each in ids]

    def places(self, text: str, tokens: Sequence[Token]) -> list[tuple[int, int]]:
        """Where each token of a text is in it: start and end, in characters."""
        found: list[tuple[int, int]] = []
        waiting = iter(tokens)
        at = 0
        for part, number in self._parts(text):
            if number is not None:
                next(waiting)
                found.append((at, at + len(part)))
            else:
                spans = self._letters.encode(part, add_special_tokens=False).offsets
                done = 0
                while done < len(spans):
                    _, length = next(waiting)
                    found.append((at + spans[done][0], at + spans[done + length - 1][1]))
                    done += length
            at += len(part)
        return found

    def _parts(self, text: str) -> Iterator[tuple[str, int | None]]:
        """The text, cut at added tokens such as `</s>`, each part with the id of the added token that it is."""
        if self._of_added is None:
            yield text, None
            return
        for part in self._of_added.split(text):
            if part:
                yield part, self._added.get(part)

    def _words(self, part: str) -> list[str]:
        normal = self._shell.normalizer.normalize_str(part)
        return [word for word, _ in self._shell.pre_tokenizer.pre_tokenize_str(normal)] if normal else []

    def _of_word(self, word: str) -> list[Token]:
        found = self._kept.get(word)
        if found is None:
            found = self._segmented(word)
            if len(word) <= _KEPT_LENGTH:
                if len(self._kept) >= _KEPT_WORDS:
                    self._kept = {}
                self._kept[word] = found
        return found

    def _segmented(self, word: str) -> list[Token]:
        """The pieces of greatest total score (Viterbi); neighbouring unknown characters are one token."""
        length, ids, scores = len(word), self._ids, self._scores
        best = [0.0] + [-float("inf")] * length
        begins, tokens = [0] * (length + 1), [self._unknown] * (length + 1)
        for at in range(length):
            here, known = best[at], False
            for stop in range(at + 1, min(at + self._longest.get(word[at], 0), length) + 1):
                number = ids.get(word[at:stop])
                if number is None:
                    continue
                known = known or stop == at + 1
                if here + scores[number] > best[stop]:
                    best[stop], begins[stop], tokens[stop] = here + scores[number], at, number
            if not known and here + self._unknown_score > best[at + 1]:
                best[at + 1], begins[at + 1], tokens[at + 1] = here + self._unknown_score, at, self._unknown
        found: list[Token] = []
        stop = length
        while stop:
            begin, number = begins[stop], tokens[stop]
            if number == self._unknown and found and found[-1][0] == self._unknown:
                found[-1] = number, found[-1][1] + stop - begin
            else:
                found.append((number, stop - begin))
            stop = begin
        return found[::-1]


def read_unigram(file: Path) -> UnigramTokenizer | None:
    """The tokenizer of a `tokenizer.json`; None if it is of another kind, or asks for something that is not done here.

    Raises OSError if the file cannot be read.
    """
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        if mapped.find(_NAME) < 0:
            return None
    try:
        return _built(from_json(file.read_bytes(), _File))
    except (DecodeError, UnicodeDecodeError):
        return None  # the library says what is wrong with it


def _built(read: _File) -> UnigramTokenizer | None:
    from tokenizers import Tokenizer, models

    model = read.model
    plain = (
        model.type == "Unigram"
        and not model.byte_fallback
        and model.unk_id is not None
        and len(model.vocab) > model.unk_id
    )
    simple = not any(each.single_word or each.lstrip or each.rstrip or each.normalized for each in read.added_tokens)
    if not plain or not simple or _around(read.post_processor) == ((), ()):
        return None
    parts = b",".join(
        b'"%s":%s' % (name.encode(), bytes(getattr(read, name))) for name in ("normalizer", "pre_tokenizer", "decoder")
    )
    empty = b'{"version":"1.0","added_tokens":[],"post_processor":null,"truncation":null,"padding":null,'
    shell = Tokenizer.from_str(
        (empty + parts + b',"model":{"type":"Unigram","unk_id":0,"vocab":[["?",0.0]]}}').decode("utf-8")
    )
    if shell.normalizer is None or shell.pre_tokenizer is None or shell.decoder is None:
        return None
    letters = Tokenizer(models.BPE({"?": 0}, [], unk_token="?", fuse_unk=False))  # noqa: S106 (a token of text)
    letters.normalizer, letters.pre_tokenizer = shell.normalizer, shell.pre_tokenizer
    return UnigramTokenizer(read, shell, letters)


def _around(post_processor: dict[str, Any]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The ids that a template puts before and after a text; none for any other kind of post-processor."""
    if post_processor.get("type") != "TemplateProcessing":
        return (), ()
    ids = {name: each["ids"] for name, each in post_processor["special_tokens"].items()}
    single = post_processor["single"]
    at = next(number for number, each in enumerate(single) if "Sequence" in each)
    before, after = (
        tuple(chain.from_iterable(ids[each["SpecialToken"]["id"]] for each in part))
        for part in (single[:at], single[at + 1 :])
    )
    return before, after
