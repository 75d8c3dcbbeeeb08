"""This service's engine: `engine_ours.py FOLDER DTYPE TEXTS`. Compiled models are kept beside the folder: loads are warm."""

import sys
import time
from pathlib import Path

from engine_timing import measure

from ai_memory import __version__
from ai_memory.embed.base import Prompted
from ai_memory.embed.folder import read_model_folder
from ai_memory.embed.load import load_embedder


def main(folder: Path, dtype: str, texts: Path) -> None:
    """Load twice, the second time from what the first has kept; then time."""
    read_model_folder(folder).revision()
    cache = folder.with_name(f"{folder.name}-compiled-{dtype}")
    if not cache.exists():
        load_embedder(read_model_folder(folder), dtype=dtype, cache_dir=cache).warm_up()
    started = time.perf_counter()
    embedder = load_embedder(read_model_folder(folder), dtype=dtype, cache_dir=cache)
    embedder.warm_up()
    load_s = time.perf_counter() - started
    measure(
        texts,
        lambda row: embedder.encode([Prompted(text) for text in row]).vectors,
        lambda row: sum(embedder.tokenizer().count(row, [""] * len(row))),
        load_s,
        f"ai-memory-service {__version__}",
    )


main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))
