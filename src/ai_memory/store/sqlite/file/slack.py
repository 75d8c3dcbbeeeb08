"""Zeroing the unused middle of b-tree pages, where SQLite leaves copies of rows that it has moved.

`secure_delete` zeroes a row where it is deleted. But when a page is split or merged, SQLite may rearrange it without
clearing the bytes between its cell pointers and its cells, so a copy of a row can outlive the row on another page (measured:
4 of 24,000 erased values in a store of 3,000 memories). No reader ever looks at these bytes, and any write may
overwrite them, so they can be zeroed at any moment in which no page is written. Layout of a page: section 1.6 of
https://www.sqlite.org/fileformat2.html.
"""

from __future__ import annotations

import os

import numpy as np

_FILE_HEADER_BYTES = 100
_CHUNK_PAGES = 2048
_INNER = (2, 5)
_LEAF = (10, 13)

MOST_PAGES = 2 << 24
"""Below this count the first byte of a page that is not a b-tree page is 0: it begins with a page number of four bytes."""


def scrub(descriptor: int) -> int:
    """Zero the unused middles of all pages of a database file, on disk when this returns; the number of pages changed.

    `descriptor` is open for reading and writing, and stays open: closing it would cost this process its locks (`files`).
    No one else may write the file meanwhile (hold the write lock, with an empty write-ahead log); readers are not disturbed.
    A file with pointer maps (auto_vacuum, which no ai-memory store has) or of more than `MOST_PAGES` pages is left as it is.
    """
    changed = _scrub(descriptor)
    if changed:
        os.fsync(descriptor)
    return changed


def _scrub(descriptor: int) -> int:
    header = os.pread(descriptor, _FILE_HEADER_BYTES, 0)
    if len(header) < _FILE_HEADER_BYTES or any(header[52:56]):
        return 0
    size = int.from_bytes(header[16:18], "big")
    size = 65536 if size == 1 else size
    count = os.fstat(descriptor).st_size // size
    if count >= MOST_PAGES:
        return 0
    zeros = bytes(size)
    changed = 0
    for first in range(1, count, _CHUNK_PAGES):  # page 1 holds the schema only
        block = os.pread(descriptor, _CHUNK_PAGES * size, first * size)
        pages = np.frombuffer(block, np.uint8, len(block) // size * size).reshape(-1, size)
        for page, begin, end in _gaps(pages):
            at = page * size
            if block[at + begin : at + end] != zeros[: end - begin]:
                os.pwrite(descriptor, zeros[: end - begin], first * size + at + begin)
                changed += 1
    return changed


def _gaps(pages: np.ndarray[tuple[int, int], np.dtype[np.uint8]]) -> list[tuple[int, int, int]]:
    """Page, begin and end of the bytes between the cell pointers and the cells of each b-tree page in a block."""
    wide = pages[:, :8].astype(np.int64)
    inner, leaf = np.isin(wide[:, 0], _INNER), np.isin(wide[:, 0], _LEAF)
    begin = np.where(inner, 12, 8) + 2 * (wide[:, 3] * 256 + wide[:, 4])
    end = wide[:, 5] * 256 + wide[:, 6]
    end[end == 0] = 65536
    found = np.flatnonzero((inner | leaf) & (begin < end) & (end <= pages.shape[1]))
    return [(int(page), int(begin[page]), int(end[page])) for page in found]
