"""sentence-transformers, run by its own Python: `sentence_transformers_peer.py FOLDER DTYPE TEXTS [DEVICE]`."""

import os
import sys
import time
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import sentence_transformers
import torch
import transformers
from engine_timing import measure


def main(folder: str, dtype: str, texts: Path, device: str = "cpu") -> None:
    """Load the model as its card does; call `encode` with its defaults."""
    started = time.perf_counter()
    kwargs = {"dtype": getattr(torch, dtype)}
    model = sentence_transformers.SentenceTransformer(folder, device=device, model_kwargs=kwargs)
    model.encode(["warm up"])
    load_s = time.perf_counter() - started
    versions = (
        f"{sentence_transformers.__version__}, transformers {transformers.__version__}, torch {torch.__version__}"
    )
    measure(
        texts,
        lambda row: model.encode(row, show_progress_bar=False),
        lambda row: sum(len(each) for each in model.tokenizer(row)["input_ids"]),
        load_s,
        f"{versions}, {torch.get_num_threads()} threads",
    )


main(sys.argv[1], sys.argv[2], Path(sys.argv[3]), *sys.argv[4:])
