"""Which inputs share a forward pass: as many tokens as the budget allows, and no input that would cost more there than alone."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

_OVERHEAD_SHARE = 32
"""A pass has a fixed cost of about budget / 32 tokens (measured on two cores: 13 to 16 tokens with a budget of 512). The budget is
chosen so large that this fixed cost no longer matters."""


class Batch:
    """The inputs of one pass, by their lengths in tokens.

    If the runtime pads, a pass costs its longest input times the number of inputs; an input joins only if that adds no more
    than a separate pass would cost. If it packs, a pass costs its tokens, and any lengths go together.
    """

    def __init__(self, token_budget: int, *, padded: bool) -> None:
        self._budget = token_budget
        self._padded = padded
        self._overhead = max(1, token_budget // _OVERHEAD_SHARE)
        self._longest = 0
        self._count = 0
        self.tokens = 0
        """Tokens of all inputs, without padding."""

    def room(self) -> tuple[int, int]:
        """Lengths of the shortest and the longest input that may still join; (1, 0) if none may.

        An empty batch accepts any length, even one above the budget.
        """
        if not self._count:
            return 1, 2**62
        if not self._padded:
            return 1, max(0, self._budget - self.tokens)
        fits = self._budget // (self._count + 1)
        if fits < self._longest:  # the new input would be padded to the longest one and exceed the budget
            return 1, 0
        # A shorter input wastes (longest - length) tokens of padding on itself; a longer one adds its excess to each of the
        # inputs already in the batch, hence the division. Either waste must stay below the fixed cost of a separate pass.
        return max(1, self._longest - self._overhead), min(fits, self._longest + self._overhead // self._count)

    def add(self, length: int) -> None:
        """Add an input of that length."""
        self._longest = max(self._longest, length)
        self._count += 1
        self.tokens += length

    def misfit(self, lengths: Sequence[int]) -> int:
        """The smallest difference, in tokens, between any of `lengths` (ascending, not empty) and the longest input so far."""
        at = bisect_left(lengths, self._longest)
        return min(abs(length - self._longest) for length in lengths[max(0, at - 1) : at + 1])

    def choose(self, lengths: Sequence[int]) -> int | None:
        """The position in `lengths` (ascending) of the longest input that may still join; None if none may."""
        shortest, longest = self.room()
        at = bisect_right(lengths, longest) - 1
        return at if at >= 0 and lengths[at] >= shortest else None
