"""A model folder of a few kilobytes whose weights are of four bits, written here by the format's description."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.bert import expected_tensors
from tests.support.tiny_models import CONFIG, MODULES, POOLING, write_json, write_tokenizer

WIDE = {**CONFIG, "hidden_size": 64, "intermediate_size": 96}
_SHORT = {
    "embeddings.word_embeddings.weight": "emb.word",
    "embeddings.position_embeddings.weight": "emb.pos",
    "embeddings.token_type_embeddings.weight": "emb.type",
    "embeddings.LayerNorm.weight": "emb.ln.w",
    "embeddings.LayerNorm.bias": "emb.ln.b",
}
_PARTS = {
    "attention.self.query": "q",
    "attention.self.key": "k",
    "attention.self.value": "v",
    "attention.output.dense": "ao",
    "attention.output.LayerNorm": "aln",
    "intermediate.dense": "fi",
    "output.dense": "fo",
    "output.LayerNorm": "oln",
}
_IN_BLOCKS = ("word_embeddings", "query", "key", "value", "dense")


def tiny_e5(folder: Path, seed: int = 7) -> dict[str, NDArray[np.float32]]:
    """Write the folder; gives the tensors that its file means, by BERT's names."""
    write_json(folder / "modules.json", MODULES)
    write_json(folder / "config.json", WIDE)
    write_json(folder / "1_Pooling" / "config.json", {**POOLING, "word_embedding_dimension": 64})
    write_tokenizer(folder / "tokenizer.json")
    rng = np.random.default_rng(seed)
    shapes = expected_tensors({key: value for key, value in WIDE.items() if isinstance(value, int)})
    tensors, packed = {}, {}
    for name, shape in shapes.items():
        array = (rng.standard_normal(shape) * 0.5).astype(np.float32)
        in_blocks = name.endswith(".weight") and name.split(".")[-2] in _IN_BLOCKS
        tensors[name], packed[short_name(name)] = _in_blocks(array) if in_blocks else (array, (0, array.tobytes()))
    write_four_bits(
        folder / "e5-small-q4.bin", packed, {name: tensors[long].size for long in shapes for name in [short_name(long)]}
    )
    return tensors


def short_name(name: str) -> str:
    """The format's name of one of BERT's tensors."""
    if name in _SHORT:
        return _SHORT[name]
    _, _, layer, *part, kind = name.split(".")
    return f"l{layer}.{_PARTS['.'.join(part)]}.{kind[0]}"


def _in_blocks(array: NDArray[np.float32]) -> tuple[NDArray[np.float32], tuple[int, bytes]]:
    """The nearest array that has a form of four bits, and that form."""
    data, restored = b"", np.empty_like(array)
    flat, out = array.reshape(-1, 32), restored.reshape(-1, 32)
    for row, values in enumerate(flat):
        scale = np.float16(np.abs(values).max() / 7)
        levels = np.clip(np.rint(values / np.float32(scale)), -8, 7).astype(int) + 8
        data += scale.tobytes() + bytes(
            int(low | high << 4) for low, high in zip(levels[:16], levels[16:], strict=True)
        )
        out[row] = (levels - 8).astype(np.float32) * np.float32(scale)
    return restored, (1, data)


def write_four_bits(file: Path, tensors: dict[str, tuple[int, bytes]], counts: dict[str, int]) -> None:
    """A file with these tensors, each a kind and its bytes, of so many values."""
    head = struct.pack("<4sI7ifi", b"E5S1", 1, 64, 2, 4, 96, 160, 64, 2, 1e-12, 32)
    pieces = [b"<s>", b"</s>", b"a"]
    ends = np.cumsum([0, *map(len, pieces)]).astype("<u4")
    head += struct.pack("<5iQ", len(pieces), 0, 1, 1, 2, int(ends[-1]))
    head += ends.tobytes() + np.zeros(len(pieces), "<f4").tobytes() + b"".join(pieces)
    rule = struct.pack("<IBI", 0xFF21, 1, 0x41)
    head += struct.pack("<iI", 1, len(rule)) + rule + struct.pack("<i", len(tensors))
    listed = sum(2 + len(name) + 21 for name in tensors)
    at = -(-(len(head) + listed) // 64) * 64
    body = b""
    for name, (kind, data) in tensors.items():
        head += (
            struct.pack("<H", len(name))
            + name.encode()
            + struct.pack("<BIQQ", kind, counts[name], at + len(body), len(data))
        )
        body += data
    file.write_bytes(head + bytes(at - len(head)) + body)
