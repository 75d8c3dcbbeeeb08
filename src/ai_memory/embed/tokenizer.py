"""Text to token ids: the prompt precedes the text, and a text that is too long is split into windows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ai_memory.embed.base import TooLong
from ai_memory.embed.texts import replace_surrogates
from ai_memory.embed.unigram import UnigramEncoding, read_unigram
from ai_memory.errors import InvalidInputError, ModelFilesError, TooLargeError

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True)
class Window:
    """One input of a forward pass, and the text that it is part of."""

    text: int
    """The text's position in the call."""
    ids: tuple[int, ...]
    """Token ids, special tokens and prompt included; at most `max_tokens`."""
    weight: int
    """Its weight in the text's mean: the number of content tokens, at least 1."""
    cut: int = 0
    """Tokens of the text that were dropped."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One token of a text."""

    id: int
    text: str
    """As spelled in the vocabulary; of characters that it has not, the name of the unknown token or the characters themselves."""
    special: bool
    start: int
    """Start and end (exclusive) in the text, in characters; both 0 for a special token."""
    stop: int


def _of_the_library(file: Path) -> Any:
    """The `tokenizers` library's own, without the file's truncation and padding."""
    from tokenizers import Tokenizer  # 130 ms, and only where a model is used

    tokenizer = Tokenizer.from_file(str(file))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    _disable_word_cache(tokenizer.model)
    return tokenizer


def _disable_word_cache(model: Any) -> None:
    """Switch off the word cache of a BPE model.

    It caches the tokens of 10,000 words. EmbeddingGemma's tokenizer does not split texts at spaces, so a "word" is a whole text
    there: the cache never hits and grows beyond 110 MB.
    """
    resize = getattr(model, "_resize_cache", None)
    if resize is not None:
        resize(0)


class TextTokenizer:
    """The model's tokenizer, with its truncation and padding switched off. Safe to call from several threads."""

    def __init__(self, file: Path, max_tokens: int) -> None:
        try:
            self._tokenizer = read_unigram(file) or _of_the_library(file)
        except Exception as error:
            raise ModelFilesError(f"{file} cannot be read as a tokenizer: {error}", file=str(file)) from error
        self._max_tokens = max_tokens
        mask = self._tokenizer.encode("a").special_tokens_mask
        self._before = mask.index(0)
        """Number of special tokens before the content, such as one [CLS]."""
        self._after = mask[::-1].index(0)
        """Number of special tokens after the content, such as one [SEP]."""

    def count(self, texts: Sequence[str], prompts: Sequence[str]) -> list[int]:
        """Token count of each text with its prompt and the special tokens."""
        return [len(encoding.ids) for encoding in self._encode(texts, prompts)]

    def windows(
        self, texts: Sequence[str], prompts: Sequence[str], too_long: TooLong = TooLong.WINDOWS
    ) -> list[Window]:
        """Each text as one window; a text longer than `max_tokens` is treated as `too_long` says. [] for no texts.

        The windows of one text do not overlap, differ by at most one token in length, and each has the prompt and the special
        tokens, so that each is an input of the kind the model was trained on. A truncated text keeps the closing special tokens.
        Raises TooLargeError for the first text that is too long under `TooLong.ERROR`.
        """
        found: list[Window] = []
        for index, encoding in enumerate(self._encode(texts, prompts)):
            count = len(encoding.ids)
            if count <= self._max_tokens:
                found.append(Window(index, tuple(encoding.ids), max(1, count - self._before - self._after)))
            elif too_long is TooLong.ERROR:
                raise self._refuse(index, count)
            elif too_long is TooLong.TRUNCATE:
                found.append(self._truncate(index, encoding.ids))
            else:
                found.extend(self._split(index, encoding.ids, encoding.offsets, len(prompts[index])))
        return found

    def pieces(self, text: str, *, special: bool = True) -> list[Piece]:
        """The tokens of one text without a prompt, with their positions; `special` adds the model's special tokens."""
        encoding = self._tokenizer.encode(replace_surrogates(text), add_special_tokens=special)
        rows = zip(encoding.ids, encoding.tokens, encoding.special_tokens_mask, encoding.offsets, strict=True)
        return [Piece(token, written, bool(mask), *span) for token, written, mask, span in rows]

    def decode(self, ids: Sequence[int], *, skip_special: bool = True) -> str:
        """The text of token ids. Raises InvalidInputError for an id that is not in the vocabulary."""
        size = self._tokenizer.get_vocab_size(with_added_tokens=True)
        wrong = next((each for each in ids if not 0 <= each < size), None)
        if wrong is not None:
            raise InvalidInputError(
                f"there is no token {wrong}; ids run from 0 to {size - 1}", limit=size - 1, actual=wrong
            )
        return str(self._tokenizer.decode(list(ids), skip_special_tokens=skip_special))

    def _refuse(self, index: int, count: int) -> TooLargeError:
        return TooLargeError(
            f"text {index} has {count} tokens with its prompt; the model reads {self._max_tokens}",
            hint="shorten it, or ask for truncation",
            index=index,
            limit=self._max_tokens,
            actual=count,
        )

    def _truncate(self, index: int, ids: list[int]) -> Window:
        kept = ids[: self._max_tokens - self._after]
        tail = ids[len(ids) - self._after :] if self._after else []
        return Window(index, (*kept, *tail), len(kept) - self._before, cut=len(ids) - self._max_tokens)

    def _encode(self, texts: Sequence[str], prompts: Sequence[str]) -> list[Encoding | UnigramEncoding]:
        whole = [prompt + replace_surrogates(text) for prompt, text in zip(prompts, texts, strict=True)]
        if len(whole) == 1:
            return [self._tokenizer.encode(whole[0])]  # the batch call would start a thread pool
        return list(self._tokenizer.encode_batch(whole))

    def _split(self, index: int, ids: list[int], offsets: list[tuple[int, int]], prompt_length: int) -> list[Window]:
        start = self._before
        # The prompt's tokens are found by their offsets: a token that spans the end of the prompt belongs to the content.
        while start < len(ids) and prompt_length and offsets[start][1] <= prompt_length:
            start += 1
        head, tail = ids[:start], ids[len(ids) - self._after :] if self._after else []
        content = ids[start : len(ids) - self._after]
        room = self._max_tokens - len(head) - len(tail)
        if room < 1:
            raise InvalidInputError(
                f"the prompt alone has {len(head) + len(tail)} tokens; the model reads {self._max_tokens}",
                hint="give a shorter title",
                limit=self._max_tokens,
                actual=len(head) + len(tail),
            )
        count = -(-len(content) // room)  # rounded up
        bounds = [len(content) * each // count for each in range(count + 1)]
        return [
            Window(index, (*head, *content[begin:end], *tail), end - begin) for begin, end in itertools.pairwise(bounds)
        ]
