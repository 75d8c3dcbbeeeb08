"""Text to token ids: the prompt put in front, nothing cut, what is too long spread over windows."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ai_memory.embed.texts import replace_surrogates
from ai_memory.errors import InvalidInputError, ModelFilesError

if TYPE_CHECKING:
    from tokenizers import Encoding


@dataclass(frozen=True, slots=True)
class Window:
    """One input of a forward pass, and which text it is a part of."""

    text: int
    """The text's position in the call."""
    ids: tuple[int, ...]
    """Token ids, special tokens and prompt included; never more than `max_tokens`."""
    weight: int
    """Its share of the text's mean: the number of content tokens, at least 1."""


class TextTokenizer:
    """The model's own tokenizer, without its own truncation and padding. Safe to call from several threads."""

    def __init__(self, file: Path, max_tokens: int) -> None:
        from tokenizers import Tokenizer  # 130 ms, and only where a model is used

        try:
            self._tokenizer = Tokenizer.from_file(str(file))
        except Exception as error:
            raise ModelFilesError(f"{file} cannot be read as a tokenizer: {error}", file=str(file)) from error
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._max_tokens = max_tokens
        mask = self._tokenizer.encode("a").special_tokens_mask
        self._before = mask.index(0)
        """How many special tokens precede the content, such as one [CLS]."""
        self._after = mask[::-1].index(0)
        """How many follow it, such as one [SEP]."""

    def count(self, texts: Sequence[str], prompts: Sequence[str]) -> list[int]:
        """Tokens of each text with its prompt and the special tokens."""
        return [len(encoding.ids) for encoding in self._encode(texts, prompts)]

    def windows(self, texts: Sequence[str], prompts: Sequence[str]) -> list[Window]:
        """Every text as one window, or as several where it is longer than `max_tokens`.

        The windows of one text do not overlap, differ by at most one token in length, and each carries the prompt and the
        special tokens, so that each is an input as the model knows them.
        """
        found: list[Window] = []
        for index, encoding in enumerate(self._encode(texts, prompts)):
            if len(encoding.ids) <= self._max_tokens:
                found.append(Window(index, tuple(encoding.ids), max(1, len(encoding.ids) - self._before - self._after)))
            else:
                found.extend(self._split(index, encoding.ids, encoding.offsets, len(prompts[index])))
        return found

    def _encode(self, texts: Sequence[str], prompts: Sequence[str]) -> list[Encoding]:
        whole = [prompt + replace_surrogates(text) for prompt, text in zip(prompts, texts, strict=True)]
        if len(whole) == 1:
            return [self._tokenizer.encode(whole[0])]  # without the batch call's thread pool
        return list(self._tokenizer.encode_batch(whole))

    def _split(self, index: int, ids: list[int], offsets: list[tuple[int, int]], prompt_length: int) -> list[Window]:
        start = self._before
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
        count = -(-len(content) // room)
        bounds = [len(content) * each // count for each in range(count + 1)]
        return [
            Window(index, (*head, *content[begin:end], *tail), end - begin) for begin, end in itertools.pairwise(bounds)
        ]
