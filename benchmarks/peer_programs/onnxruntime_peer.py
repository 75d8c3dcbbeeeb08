"""ONNX Runtime, by a Python that has it: `onnxruntime_peer.py FOLDER ONNX DTYPE TEXTS`; without TEXTS only the graph is written.

It gets favourable input: sorted by length, in passes of at most 512 padded tokens.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
from engine_timing import measure
from tokenizers import Tokenizer

BUDGET = 512


def model_file(folder: Path, onnx: Path, dtype: str) -> Path:
    """The graph in `dtype`: exported by this project's script, and quantised as ONNX Runtime's guide describes."""
    full = onnx / "onnx" / "model.onnx"
    if not full.exists():
        script = Path(__file__).resolve().parents[2] / "scripts" / "onnx_gemma.py"
        subprocess.run([sys.executable, str(script), str(folder), str(onnx)], check=True, stdout=subprocess.DEVNULL)
    if dtype == "float32":
        return full
    quantised = full.with_name("model_quantized.onnx")
    if not quantised.exists():
        from onnxruntime.quantization import QuantType, quantize_dynamic

        quantize_dynamic(
            full,
            quantised,
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            use_external_data_format=True,
        )
    return quantised


def main(folder: Path, onnx: Path, dtype: str, texts: Path) -> None:
    """Load, then time."""
    file = model_file(folder, onnx, dtype)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    started = time.perf_counter()
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])

    def encode(row: list[str]) -> np.ndarray:
        ids = [each.ids for each in tokenizer.encode_batch(row)]
        order = sorted(range(len(ids)), key=lambda at: -len(ids[at]))
        vectors = np.empty((len(ids), 768), np.float32)
        while order:
            count = max(1, BUDGET // len(ids[order[0]]))
            batch, order = order[:count], order[count:]
            inputs = np.zeros((len(batch), len(ids[batch[0]])), np.int64)
            for row_at, at in enumerate(batch):
                inputs[row_at, : len(ids[at])] = ids[at]
            given = {"input_ids": inputs, "attention_mask": (inputs != 0).astype(np.int64)}
            vectors[batch] = session.run(["sentence_embedding"], given)[0]
        return vectors

    encode(["warm up"])
    load_s = time.perf_counter() - started
    measure(
        texts,
        encode,
        lambda row: sum(len(each.ids) for each in tokenizer.encode_batch(row)),
        load_s,
        f"onnxruntime {onnxruntime.__version__}",
    )


if len(sys.argv) == 4:
    model_file(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
else:
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
