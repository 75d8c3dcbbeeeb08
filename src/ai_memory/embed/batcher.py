"""Which inputs share a forward pass: as many tokens as its budget allows, and nothing that would cost more there than alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_OVERHEAD_SHARE = 32
"""A pass costs by itself about this share of its token budget (on two cores 13 to 16 tokens of 512): the budget is where what
a pass costs by itself no longer matters."""


class Batch:
    """Inputs of one pass, by their lengths in tokens.

    Where the runtime pads, a pass costs its longest input times their number; an input joins where that grows by no more than
    the input would cost in a pass of its own. Where it packs, a pass costs its tokens, and any lengths go together.
    """

    def __init__(self, token_budget: int, *, padded: bool) -> None:
        self._budget = token_budget
        self._padded = padded
        self._overhead = max(1, token_budget // _OVERHEAD_SHARE)
        self._longest = 0
        self._count = 0
        self.tokens = 0
        """Tokens of its inputs, without padding."""

    def room(self) -> tuple[int, int]:
        """The shortest and the longest input that may still join; (1, 0) when nothing may.

        An empty batch takes an input of any length, also one that is longer than the budget by itself.
        """
        if not self._count:
            return 1, 2**62
        if not self._padded:
            return 1, max(0, self._budget - self.tokens)
        fits = self._budget // (self._count + 1)
        if fits < self._longest:  # it would be padded to what is in already
            return 1, 0
        return max(1, self._longest - self._overhead), min(fits, self._longest + self._overhead // self._count)

    def add(self, length: int) -> None:
        """Let an input of that length join."""
        self._longest = max(self._longest, length)
        self._count += 1
        self.tokens += length

    def misfit(self, lengths: Sequence[int]) -> int:
        """By how many tokens the nearest of ascending `lengths`, one or more, differs from the longest input so far."""
        at = bisect_left(lengths, self._longest)
        return min(abs(length - self._longest) for length in lengths[max(0, at - 1) : at + 1])

    def choose(self, lengths: Sequence[int]) -> int | None:
        """Where in ascending `lengths` the longest input stands that may still join; None where none may."""
        shortest, longest = self.room()
        at = bisect_right(lengths, longest) - 1
        return at if at >= 0 and lengths[at] >= shortest else None
