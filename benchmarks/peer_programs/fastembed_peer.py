"""fastembed, by its own Python: `fastembed_peer.py ONNX TEXTS`, with the folder that the ONNX Runtime peer's program made."""

import os
import sys
import time
from importlib.metadata import version
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

import numpy as np
from engine_timing import measure
from fastembed import TextEmbedding
from tokenizers import Tokenizer


def main(onnx: Path, texts: Path) -> None:
    """As its guide loads a model from a folder; `embed` with its defaults."""
    if not (onnx / "onnx" / "model.onnx").exists():
        sys.exit("there is no ONNX graph, which ONNX Runtime's program makes")
    started = time.perf_counter()
    model = TextEmbedding("google/embeddinggemma-300m", specific_model_path=str(onnx))
    list(model.embed(["warm up"]))
    load_s = time.perf_counter() - started
    tokenizer = Tokenizer.from_file(str(onnx / "tokenizer.json"))
    measure(
        texts,
        lambda row: np.array(list(model.embed(row))),
        lambda row: sum(len(each.ids) for each in tokenizer.encode_batch(row)),
        load_s,
        f"{version('fastembed')}, onnxruntime {version('onnxruntime')}",
    )


main(Path(sys.argv[1]), Path(sys.argv[2]))
