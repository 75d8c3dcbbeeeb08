"""Model folders of a few kilobytes, with random weights and the files of a real one."""

from __future__ import annotations

import json
import string
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.bert import expected_tensors

Tensors = dict[str, NDArray[np.float32]]

CONFIG = {
    "model_type": "bert",
    "hidden_size": 16,
    "intermediate_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "vocab_size": 160,
    "max_position_embeddings": 64,
    "type_vocab_size": 2,
    "layer_norm_eps": 1e-12,
    "hidden_act": "gelu",
}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
    {"idx": 2, "name": "2", "path": "2_Normalize", "type": "sentence_transformers.models.Normalize"},
]
POOLING = {"word_embedding_dimension": 16, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True}


def write_json(file: Path, value: object) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(value), encoding="utf-8")


def random_tensors(seed: int = 7) -> Tensors:
    """Weights around 0.5 in size, so that every layer matters to the result."""
    rng = np.random.default_rng(seed)
    shapes = expected_tensors({key: value for key, value in CONFIG.items() if isinstance(value, int)})
    return {name: (rng.standard_normal(shape) * 0.5).astype(np.float32) for name, shape in shapes.items()}


def write_tensors(folder: Path, tensors: Tensors) -> None:
    from safetensors.numpy import save_file

    save_file(dict(tensors), str(folder / "model.safetensors"))


def write_tokenizer(file: Path) -> None:
    """A WordPiece of single characters: a token a letter."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

    letters = string.ascii_lowercase + string.digits + ".,:| "
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *letters, *(f"##{letter}" for letter in letters)]
    tokenizer = Tokenizer(models.WordPiece({word: index for index, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    tokenizer.enable_truncation(8)  # a folder's own settings must not cut anything
    tokenizer.enable_padding(length=8)
    tokenizer.save(str(file))


def tiny_bert(folder: Path, *, max_tokens: int = 32, seed: int = 7) -> Path:
    """A complete sentence-transformers folder of a two-layer BERT."""
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "modules.json", MODULES)
    write_json(folder / "config.json", CONFIG)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})
    write_json(folder / "1_Pooling" / "config.json", POOLING)
    write_tokenizer(folder / "tokenizer.json")
    write_tensors(folder, random_tensors(seed))
    return folder


def changed(folder: Path, target: Path, **config: Any) -> Path:
    """A copy of the folder with other values in its config.json; None takes a key out."""
    target.mkdir()
    for file in folder.rglob("*"):
        if file.is_file() and file.name != ".digests.json":
            place = target / file.relative_to(folder)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(file.read_bytes())
    values = {**json.loads((folder / "config.json").read_text()), **config}
    (target / "config.json").write_text(json.dumps({key: value for key, value in values.items() if value is not None}))
    return target


def write_bfloat16(file: Path, halves: Mapping[str, NDArray[np.uint16]]) -> None:
    """A safetensors file of bfloat16, which numpy has no type for: a header of names and offsets, then the data."""
    header, place = {}, 0
    for name, array in halves.items():
        header[name] = {"dtype": "BF16", "shape": array.shape, "data_offsets": [place, place + array.nbytes]}
        place += array.nbytes
    written = json.dumps(header).encode()
    data = b"".join(array.tobytes() for array in halves.values())
    file.write_bytes(len(written).to_bytes(8, "little") + written + data)
