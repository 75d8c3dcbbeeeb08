"""fastembed, run by its own Python: `fastembed_peer.py ONNX TEXTS`, on the folder written by the ONNX Runtime peer."""

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
    """Load the model from a folder as in its guide; call `embed` with its defaults."""
    if not (onnx / "onnx" / "model.onnx").exists():
        sys.exit("the ONNX graph is missing; the ONNX Runtime peer writes it")
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
