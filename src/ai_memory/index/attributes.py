"""The attributes of each row, so that a condition on them is a mask before anything is ranked.

Every pair of a path and a value is a term, kept once; an entry is a row and one of its terms. A condition is first asked about the
terms of its path, which are few, and then looked up for all entries at once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.conditions.meaning import COMPARED, CONTAINER, Attribute, expand, is_number, same
from ai_memory.decoding import from_json
from ai_memory.index.base import Mask, Rows
from ai_memory.index.growable_array import GrowableArray

_TERM_BYTES = 300
"""Estimated bytes of one term in memory."""


class _Line:
    """The terms of one path that can be compared with each other, in order."""

    def __init__(self) -> None:
        self._taken = 0
        self._values: list[Any] = []
        self._numbers = np.empty(0, np.int32)

    def take(self, numbers: Sequence[int], values: Sequence[Any], is_one: Callable[[Any], bool]) -> None:
        """Take in what came since the last time; `numbers` only ever grows."""
        fresh = [number for number in numbers[self._taken :] if is_one(values[number])]
        self._taken = len(numbers)
        if fresh:
            pairs = zip(
                [*self._values, *(values[number] for number in fresh)], [*self._numbers.tolist(), *fresh], strict=True
            )
            ordered = sorted(pairs, key=itemgetter(0))
            self._values = [value for value, _ in ordered]
            self._numbers = np.array([number for _, number in ordered], np.int32)

    def within(self, operator: str, limit: Any) -> NDArray[np.int32]:
        """The numbers of the terms that are greater or less than a limit, int32."""
        limit = limit[:COMPARED] if isinstance(limit, str) else limit
        cut = (bisect_right if operator in ("gt", "lte") else bisect_left)(self._values, limit)
        return self._numbers[cut:] if operator in ("gt", "gte") else self._numbers[:cut]


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


class AttributeIndex:
    """The attributes of the rows of one namespace. One writer at a time."""

    def __init__(
        self,
        rows: NDArray[np.int32] | None = None,
        codes: NDArray[np.int32] | None = None,
        terms: Sequence[str | None] = (),
    ) -> None:
        """An empty index, or what `terms` and the two arrays of another one held."""
        self.rows = GrowableArray(np.int32, rows)
        """The row of each entry."""
        self.codes = GrowableArray(np.int32, codes)
        """The number of each entry's term."""
        self._values: list[Any] = []
        """The value of each term by its number; None too for those that no row has any more."""
        self._numbers: dict[tuple[str, type, Any], int] = {}
        self._paths: dict[str, list[int]] = {}
        """The numbers of the terms of each path."""
        self._lines: dict[tuple[str, bool], _Line] = {}
        """The terms of a path in order, its numbers (True) apart from its texts; made when they are first compared."""
        for term in terms:
            self._restore(term)

    def add(self, rows: range, attributes: Mapping[str, Any]) -> None:
        """Take in the attributes of one revision for all of its rows."""
        if not attributes:
            return
        found = sorted({self._number(path, value) for path, value in expand(attributes)})
        for row in rows:
            self.codes.extend(found)
            self.rows.extend([row] * len(found))

    def _number(self, path: str, value: Any) -> int:
        key = (path, type(value), value)
        number = self._numbers.get(key)
        if number is None:
            number = self._numbers[key] = len(self._values)
            self._values.append(value)
            self._paths.setdefault(path, []).append(number)
        return number

    def mask(self, condition: Attribute, n: int) -> Mask:
        """Which of the first `n` rows a condition holds for: a new array, bool, shape (n,)."""
        mask: Mask = np.zeros(n, np.bool_)
        numbers = self._meant(condition)
        if not len(numbers):
            return mask
        wanted = np.zeros(len(self._values), np.bool_)
        wanted[numbers] = True
        rows = self.rows.view()[wanted.take(self.codes.view())]
        mask[rows[rows < n]] = True
        return mask

    def _meant(self, condition: Attribute) -> Sequence[int] | NDArray[np.int32]:
        """The numbers of the terms that a condition means."""
        path = condition.path
        if condition.operator == "exists" or path not in self._paths:
            return self._paths.get(path, ())
        if condition.operator == "in":
            found = (self._numbers.get((path, type(each), each)) for value in condition.values for each in same(value))
            return [number for number in found if number is not None]
        (limit,) = condition.values
        line = self._lines.setdefault((path, is_number(limit)), _Line())
        line.take(self._paths[path], self._values, is_number if is_number(limit) else _is_text)
        return line.within(condition.operator, limit)

    def remove(self, rows: Rows) -> None:
        """Drop rows, int32, and the terms that only they had."""
        gone = np.isin(self.rows.view(), rows)
        if not gone.any():
            return
        lost = np.unique(self.codes.view()[gone])
        self.rows = GrowableArray(np.int32, self.rows.view()[~gone])
        self.codes = GrowableArray(np.int32, self.codes.view()[~gone])
        lost = lost[~np.isin(lost, self.codes.view())]
        unused = set(lost.tolist())
        keys = [key for key, number in self._numbers.items() if number in unused]
        for key in keys:
            self._values[self._numbers.pop(key)] = None
        for path in {path for path, *_ in keys}:
            for is_numbers in (True, False):
                self._lines.pop((path, is_numbers), None)
            left = [number for number in self._paths.pop(path) if number not in unused]
            if left:
                self._paths[path] = left

    def terms(self) -> list[str | None]:
        """Each term by its number, as JSON: its path, and its value but for an object or a list; None for one that is gone."""
        listed: list[str | None] = [None] * len(self._values)
        for (path, _, value), number in self._numbers.items():
            listed[number] = msgspec.json.encode([path] if value is CONTAINER else [path, value]).decode()
        return listed

    def _restore(self, term: str | None) -> None:
        if term is None:
            self._values.append(None)
            return
        path, *rest = from_json(term, list[Any])
        self._number(path, rest[0] if rest else CONTAINER)

    @property
    def nbytes(self) -> int:
        """Bytes of arrays and, estimated, of terms."""
        return self.rows.nbytes + self.codes.nbytes + _TERM_BYTES * len(self._numbers)
