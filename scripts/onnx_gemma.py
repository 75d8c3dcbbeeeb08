"""Write a model folder in the layout of the ONNX repackaging, which users of the ungated conversion have.

    python scripts/random_gemma.py FOLDER --small
    python scripts/onnx_gemma.py FOLDER OUT

    onnx/model.onnx         the graph: `input_ids` and `attention_mask`, int64 (batch, length), give `last_hidden_state` and
                            `sentence_embedding`, which is pooled, through both Dense layers and of unit length
    onnx/model.onnx_data    its weights
    config.json, tokenizer.json, tokenizer_config.json

Exported from sentence-transformers' modules; only the two masks are built here, because the tracer cannot follow those of
transformers. Needs torch, sentence-transformers, onnx and onnxruntime, and ends by comparing the two.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from sentence_transformers import SentenceTransformer

LENGTHS = (1, 31, 257, 258, 600, 2048)


class Exported(torch.nn.Module):
    """The module chain with additive masks: 0 where a token attends to another, else the lowest float32."""

    def __init__(self, model: SentenceTransformer) -> None:
        super().__init__()
        self.chain = torch.nn.ModuleList(model)
        self.window = model[0].auto_model.config.sliding_window

    def forward(self, input_ids: torch.Tensor, attention_mask: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        places = torch.arange(input_ids.shape[1])
        near = (places[None, :] - places[:, None]).abs() < self.window
        real = (attention_mask != 0)[:, None, None, :]
        lowest = torch.tensor(torch.finfo(torch.float32).min)
        masks = {
            "full_attention": torch.where(real.expand(-1, 1, input_ids.shape[1], -1), 0.0, lowest),
            "sliding_attention": torch.where(real & near[None, None], 0.0, lowest),
        }
        states = self.chain[0].auto_model(input_ids=input_ids, attention_mask=masks).last_hidden_state
        features = {"token_embeddings": states, "attention_mask": attention_mask}
        for module in self.chain[1:]:
            features = module(features)
        return states, features["sentence_embedding"]


def main(folder: Path, out: Path) -> None:
    torch.set_num_threads(2)
    model = SentenceTransformer(
        str(folder), device="cpu", model_kwargs={"attn_implementation": "eager"}, local_files_only=True
    ).eval()
    (out / "onnx").mkdir(parents=True, exist_ok=True)
    for name in ("config.json", "tokenizer.json", "tokenizer_config.json"):
        shutil.copy(folder / name, out / name)
    export(model, out / "onnx" / "model.onnx")
    compare(model, out / "onnx" / "model.onnx")


def export(model: SentenceTransformer, file: Path) -> None:
    ids = torch.tensor([[2, 300, 400, 500, 1], [2, 300, 1, 0, 0]])
    axes = {0: "batch_size", 1: "sequence_length"}
    with tempfile.TemporaryDirectory() as place, torch.no_grad():
        torch.onnx.export(
            Exported(model),
            (ids, (ids != 0).long()),
            f"{place}/whole.onnx",
            dynamo=False,
            opset_version=18,
            input_names=["input_ids", "attention_mask"],
            output_names=["last_hidden_state", "sentence_embedding"],
            dynamic_axes={
                "input_ids": axes,
                "attention_mask": axes,
                "last_hidden_state": axes,
                "sentence_embedding": {0: "batch_size"},
            },
        )
        graph = onnx.load(f"{place}/whole.onnx")
    data = file.with_name(f"{file.name}_data")
    data.unlink(missing_ok=True)  # onnx appends to it
    onnx.save_model(graph, str(file), save_as_external_data=True, location=data.name)
    onnx.checker.check_model(str(file))
    print(f"{file.stat().st_size / 1e6:.2f} MB of graph, {data.stat().st_size / 1e6:.2f} MB of weights")


def compare(model: SentenceTransformer, file: Path) -> None:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    draw = np.random.default_rng(7)
    batch = [np.array([2, *draw.integers(300, 1000, max(0, length - 2)), *[1][: length - 1]]) for length in LENGTHS]
    ids, mask = np.zeros((len(batch), max(LENGTHS)), np.int64), np.zeros((len(batch), max(LENGTHS)), np.int64)
    for row, tokens in enumerate(batch):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
    _, found = session.run(None, {"input_ids": ids, "attention_mask": mask})
    with torch.inference_mode():
        expected = [
            model({"input_ids": torch.tensor(tokens[None]), "attention_mask": torch.ones(1, len(tokens))})
            for tokens in batch
        ]
    for tokens, got, wanted in zip(batch, found, expected, strict=True):
        difference = 1 - float(got @ wanted["sentence_embedding"][0].numpy())
        print(f"{len(tokens):5} tokens: 1 - cosine {difference:.1e}")
        if difference > 1e-6:
            raise SystemExit("the exported graph is not the model")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
