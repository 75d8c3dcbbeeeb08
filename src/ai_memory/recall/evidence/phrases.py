"""Quoted phrases: hard filters, found through the lexical index and verified on the text itself."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.index.base import Mask
from ai_memory.index.partition import PartitionView
from ai_memory.recall.plan import folded
from ai_memory.store.base import Store
from ai_memory.text.analysis import analyse_query
from ai_memory.types import MemoryRecord

MAX_VERIFIED = 2_000
"""Memories whose text is read for one question; the newest first."""
_BATCH = 500


class PhraseMatch(NamedTuple):
    """Rows of memories that contain every phrase, and whether some were not read because there were too many."""

    eligible: Mask
    cut_short: bool


def with_phrases(view: PartitionView, store: Store, eligible: Mask, phrases: tuple[str, ...]) -> PhraseMatch:
    """The eligible rows of memories whose title or text contains all `phrases` (folded), wherever passages are cut.

    `eligible` and the result: bool, shape (n,). Raises StoreError.
    """
    keys = _with_all_words(view, eligible, phrases)[::-1]
    found = np.zeros(len(eligible), np.bool_)
    for start in range(0, min(len(keys), MAX_VERIFIED), _BATCH):
        for key, stored in store.load(keys[start : min(start + _BATCH, MAX_VERIFIED)].tolist()).items():
            if _holds(stored.record, phrases):
                found[view.rows_of(key)] = True
    return PhraseMatch(found & eligible, len(keys) > MAX_VERIFIED)


def _with_all_words(view: PartitionView, eligible: Mask, phrases: tuple[str, ...]) -> NDArray[np.int64]:
    """Keys of eligible revisions that have every word of the phrases, int64 ascending; all of them for phrases without words.

    The words may be in different passages: a phrase can cross the place where a text is cut.
    """
    all_keys = view.keys()
    keys: NDArray[np.int64] | None = None
    for term in analyse_query(" ".join(phrases)).terms:
        rows = view.lexical_scores([term]).rows
        rows = rows[rows < len(eligible)]
        having = np.unique(all_keys[rows[eligible[rows]]])
        keys = having if keys is None else np.intersect1d(keys, having, assume_unique=True)
    return np.unique(all_keys[eligible]) if keys is None else keys


def _holds(record: MemoryRecord, phrases: tuple[str, ...]) -> bool:
    text = folded("\n".join(part for part in (record.title, record.text) if part))
    return all(phrase in text for phrase in phrases)
