"""Traditional Chinese characters as simplified ones, so that either spelling finds the other.

The table is OpenCC's, character by character; `text/data/README.md` has its source. Where several traditional characters have one
simplified form, they are treated as one: a search finds more, never less.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

_FILE = Path(__file__).parent / "data" / "han_variants.txt"


def simplified(text: str) -> str:
    """`text` with every traditional character in its simplified form, one for one; other characters stay. Never raises."""
    return text.translate(_table())


@cache
def _table() -> dict[int, str]:
    pairs = _FILE.read_text(encoding="utf-8").replace("\n", "")
    return dict(zip(map(ord, pairs[::2]), pairs[1::2], strict=True))
