"""Models with random weights that several benchmarks share."""

from __future__ import annotations

import sys
from pathlib import Path

from benchmarks.figures import ROOT
from benchmarks.places import KEPT


def medium_gemma() -> Path:
    """The folder of an EmbeddingGemma of reduced size, written if it is missing; 2,048 tokens take a few tenths of a second."""
    folder = KEPT / "models" / "random-gemma-middle"
    if not (folder / "model.safetensors").exists():
        sys.path.insert(0, str(ROOT))
        from tests.support.tiny_gemma import Sizes, random_gemma

        random_gemma(folder, Sizes(width=192, inner=288, layers=6, pattern=6, head_width=64))
    return folder
