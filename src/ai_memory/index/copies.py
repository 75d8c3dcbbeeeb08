"""Which memories of a namespace say the same in the same words, so that a fact repeated in twelve sessions is one answer.

Two memories are copies if their texts are equal apart from letter case, runs of blanks and punctuation at the ends, and they have
the same title, context and user. *I* is another person in another mouth: in the first person the author has to be the same too. An
episodic memory reports an event, and the same event on another day is another one.

A row keeps a digest of all that. Digests that occur once are only remembered; rows of those that occur more often are listed.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Mask, Rows
from ai_memory.index.growable_array import GrowableArray
from ai_memory.text.normal import normal_form
from ai_memory.text.stopwords import FIRST_PERSON, FIRST_PERSON_WIDE
from ai_memory.types import MemoryRecord, MemoryType

ALONE = 0
"""The digest of a row that is no copy of any other: an erased one, or one that says too little to be a statement by itself."""
_BEFORE, _AFTER = " \"'“‘«„([", " .,;:!…。、！\"'”’»“)]"
"""What may surround a statement and says nothing; a point or a minus before a number does."""
_BULLET = re.compile(r"[-–—*•·]\s")
_LEAST_WORDS = 3
"""*Thanks a lot* means something else in every conversation."""
_LEAST_WIDE = 6
"""As many characters in a script without blanks."""
_WORD = re.compile(r"[^\W_]+")
_MERGED_AT = 10_000


class Groups(NamedTuple):
    """Copies among some rows: for each row that repeats another one, which one stands for its group. Both int32, shape (k,)."""

    rows: Rows
    kept: Rows


NO_GROUPS = Groups(np.empty(0, np.int32), np.empty(0, np.int32))


def statement(record: MemoryRecord) -> int:
    """The digest, a signed 64-bit integer, that a memory shares with its copies; `ALONE` for one that says too little."""
    said = _loosely(record.text)
    blanks = said.count(" ")
    if blanks < _LEAST_WORDS - 1 and (blanks or said.isascii() or len(said) < _LEAST_WIDE):
        return ALONE
    parts = [said, record.title or "", record.context, record.user or ""]
    if record.author is not None:
        parts.append(_speaker(record.author, said))
    if record.key is not None:
        parts.append(f"key {record.key}")
    if record.type is MemoryType.EPISODIC and record.valid_from is not None:
        parts.append(record.valid_from.date().isoformat())
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True) or 1


def _loosely(text: str) -> str:
    """The text as copies are compared."""
    if text.isascii() and not ("  " in text or "\n" in text or "\t" in text or "\r" in text):
        said = text.lower()  # most texts: splitting them would cost more than all else here
    else:
        said = " ".join(normal_form(text).casefold().split())
    bullet = _BULLET.match(said)
    return (said[bullet.end() :] if bullet else said).lstrip(_BEFORE).rstrip(_AFTER)


def _speaker(author: str, said: str) -> str:
    """The author of a text in the first person, else nobody."""
    mine = not FIRST_PERSON.isdisjoint(_WORD.findall(said)) or any(each in said for each in FIRST_PERSON_WIDE)
    return author if mine else ""


class Copies:
    """The rows that share their digest with another row. One writer; readers hold the partition's lock."""

    def __init__(self, digests: NDArray[np.int64] | None = None) -> None:
        """Of no rows, or of those whose digests are given, shape (n,)."""
        self._merged = np.empty(0, np.int64)  # sorted: digests met so far, and in `_recent` those met lately
        self._recent: set[int] = set()
        self._repeated: set[int] = set()
        self._rows = GrowableArray(np.int32)
        if digests is not None and len(digests):
            self._merged, counts = np.unique(digests[digests != ALONE], return_counts=True)
            repeated = self._merged[counts > 1]
            self._repeated = set(repeated.tolist())
            self._rows.extend(np.flatnonzero(np.isin(digests, repeated)).astype(np.int32))

    @property
    def nbytes(self) -> int:
        """Bytes of arrays, and an estimate of the sets."""
        return self._merged.nbytes + self._rows.nbytes + 64 * (len(self._recent) + len(self._repeated))

    def extend(self, first: int, digests: NDArray[np.int64]) -> None:
        """Take note of the new rows `first`, `first + 1`, …; `digests`, shape (n,), has those of all rows."""
        known, repeated = self._recent, self._repeated
        fresh: list[int] = []  # digests of earlier rows that occur for the second time now
        rows: list[int] = []
        there = self._in_merged(digests[first:])
        for row, (digest, before) in enumerate(zip(digests[first:].tolist(), there, strict=True), first):
            if digest == ALONE:
                continue
            if digest in repeated:
                rows.append(row)
            elif before or digest in known:
                repeated.add(digest)
                fresh.append(digest)
                rows.append(row)
            else:
                known.add(digest)
        if fresh:
            # The rows that were alone until now, those added just now included; few digests, so one look at the column finds all.
            rows += np.flatnonzero(np.isin(digests, np.array(fresh))).tolist()
        if rows:
            self._rows = GrowableArray(np.int32, np.union1d(self._rows.view(), np.array(rows, np.int32)))
        if len(known) > _MERGED_AT:
            self._merged = np.union1d(self._merged, np.fromiter(known, np.int64, len(known)))
            self._recent = set()

    def remove(self, rows: Rows, digests: NDArray[np.int64]) -> None:
        """Forget some rows, int32, and digests that only they had; `digests`, shape (n,), has those of all rows, before it."""
        gone = np.unique(digests[rows])
        left = digests.copy()
        left[rows] = ALONE
        counts = dict(
            zip(*(found.tolist() for found in np.unique(left[np.isin(left, gone)], return_counts=True)), strict=True)
        )
        lost = [digest for digest in gone.tolist() if digest not in counts]
        self._merged = np.setdiff1d(self._merged, np.array(lost, np.int64), assume_unique=True)
        self._recent.difference_update(lost)
        self._repeated -= {digest for digest in gone.tolist() if counts.get(digest, 0) < 2}
        kept = self._rows.view()
        kept = kept[np.isin(left[kept], np.fromiter(self._repeated, np.int64, len(self._repeated)))]
        self._rows = GrowableArray(np.int32, kept)

    def groups(self, digests: NDArray[np.int64], mask: Mask, preference: Sequence[NDArray[np.int64]]) -> Groups:
        """The copies among the rows of `mask`, bool, shape (n,); of each group that row is kept which comes last by `preference`.

        `digests` and each array of `preference` are of shape (n,), the most important one first; ties go to the later row.
        """
        rows = self._rows.view()
        rows = rows[rows < len(mask)]
        rows = rows[mask[rows]]
        if len(rows) < 2:
            return NO_GROUPS
        order = np.lexsort((rows, *(by[rows] for by in reversed(preference)), digests[rows]))
        rows, said = rows[order], digests[rows[order]]
        last = np.append(said[1:] != said[:-1], True)
        kept = rows[last][np.cumsum(np.append(False, last[:-1]))]
        return Groups(rows[~last], kept[~last])

    def _in_merged(self, digests: NDArray[np.int64]) -> list[bool]:
        if not len(self._merged):
            return [False] * len(digests)
        at = np.minimum(self._merged.searchsorted(digests), len(self._merged) - 1)
        return [bool(each) for each in self._merged[at] == digests]
