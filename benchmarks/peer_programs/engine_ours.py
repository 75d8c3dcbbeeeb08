"""This service's engine: `engine_ours.py FOLDER DTYPE TEXTS [DEVICE]`. Compiled models are cached next to FOLDER."""

import sys
import time
from multiprocessing import Process
from pathlib import Path

from engine_timing import measure

from ai_memory import __version__
from ai_memory.embed.base import Prompted
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.installation import SERVICE


def main(folder: Path, dtype: str, texts: Path, device: str = "cpu") -> None:
    """Load twice, the second time from the cache of the first; then time."""
    cache = folder.with_name(f"{folder.name}-compiled-{dtype}")
    # In a separate process, which does not count when memory is measured; it also warms the system's file cache.
    first = Process(target=_load, args=(folder, dtype, cache, device))
    first.start()
    first.join()
    started = time.perf_counter()
    embedder = _load(folder, dtype, cache, device)
    load_s = time.perf_counter() - started
    measure(
        texts,
        lambda row: embedder.encode([Prompted(text) for text in row]).vectors,
        lambda row: sum(embedder.tokenizer().count(row, [""] * len(row))),
        load_s,
        f"{SERVICE} {__version__}",
    )


def _load(folder: Path, dtype: str, cache: Path, device: str) -> TransformerEmbedder:
    embedder = load_embedder(read_model_folder(folder), dtype=dtype, device=device, cache_dir=cache)
    embedder.identity  # noqa: B018 - computes the digests of the files, which are cached in the folder
    embedder.warm_up()
    return embedder


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
