"""What speaks for or against a memory before its words and its vector are read: its author, and whether it only asks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ai_memory.index.base import Rows
from ai_memory.index.partition import PartitionView
from ai_memory.recall.evidence.scores import Values
from ai_memory.text.terms import QueryTerm


def by_named_author(view: PartitionView, terms: Sequence[QueryTerm], rows: Rows) -> Values:
    """1 for the rows of an author whom the question names, 0 for the others, shape (n,); all 0 when it names none."""
    named = view.named_authors(terms)
    return np.isin(view.authors()[rows], named).astype(np.float64) if named else np.zeros(len(rows))


def asking(view: PartitionView, rows: Rows) -> Values:
    """1 for the rows of memories that end in a question, else 0, shape (n,)."""
    return view.asks()[rows].astype(np.float64)
