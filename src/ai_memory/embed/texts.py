"""Checks and cleaning of the texts that callers pass in."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ai_memory.errors import InvalidInputError

_SURROGATE = re.compile("[\ud800-\udfff]")


def as_texts(texts: Sequence[str]) -> list[str]:
    """The texts as a list. Raises InvalidInputError for a single string, which would otherwise be read letter by letter."""
    if isinstance(texts, str):
        raise InvalidInputError("texts must be a list of strings, not one string", hint="put the text into a list")
    return list(texts)


def replace_surrogates(text: str) -> str:
    """The text as valid Unicode: surrogate pairs joined, lone surrogates replaced by U+FFFD.

    A Python string has lone surrogates where bytes were decoded with `surrogateescape` or JSON had a broken escape;
    tokenizers reject them. Raises InvalidInputError if `text` is not a string.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"each text must be a string, not {type(text).__name__}")
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
