"""Keeping an answer within a number of tokens: the weakest hits go first, and extras before hits."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from ai_memory.recall.answer import Detail, Hit, Surrounding
from ai_memory.text.properties import estimate_tokens
from ai_memory.types import MemoryRecord


def tokens_of(hits: Iterable[Hit]) -> int:
    """Estimated tokens of all texts in some hits: the memories, their surroundings and their histories; 0 for no hits."""
    return sum(
        _text(hit.memory) + sum(map(_surrounding, hit.surroundings)) + (_detail(hit.detail) if hit.detail else 0)
        for hit in hits
    )


def within(hits: Sequence[Hit], most: int) -> tuple[Hit, ...]:
    """The hits that fit in `most` tokens, the best ones first, and with them as many extras as still fit.

    Hits are kept from the best on while each one's own text fits; then extras, the best hit's first. Equal to `hits` when
    everything fits.
    """
    kept: list[Hit] = []
    left = most
    for hit in hits:
        cost = _text(hit.memory)
        if cost > left:
            break
        left -= cost
        kept.append(hit)
    fitted: list[Hit] = []
    for hit in kept:
        near: list[Surrounding] = []
        for surrounding in hit.surroundings:
            if _surrounding(surrounding) <= left:
                left -= _surrounding(surrounding)
                near.append(surrounding)
        detail = hit.detail if hit.detail and _detail(hit.detail) <= left else None
        left -= _detail(detail) if detail else 0
        fitted.append(msgspec.structs.replace(hit, surroundings=tuple(near), detail=detail))
    return tuple(fitted)


def _text(memory: MemoryRecord) -> int:
    return estimate_tokens(memory.text) + estimate_tokens(memory.title or "")


def _surrounding(surrounding: Surrounding) -> int:
    return _text(surrounding.memory)


def _detail(detail: Detail) -> int:
    """The current revision's text is counted with the hit already."""
    return sum(_text(revision) for revision in detail.history[:-1])
