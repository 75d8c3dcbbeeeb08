"""llama.cpp, by the wheel `xllamacpp`: `llama_cpp_peer.py FOLDER GGUF DTYPE TEXTS`; without TEXTS only the file is written.

Its server runs in this process and is called without HTTP. It gets favourable input: token ids precomputed by the model's
tokenizer, in passes of up to 512 tokens unless one text is longer.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import xllamacpp
from engine_timing import measure
from safetensors.numpy import load_file
from tokenizers import Tokenizer

TYPES = {"float32": gguf.GGMLQuantizationType.F32, "int8": gguf.GGMLQuantizationType.Q8_0}
"""The second is what its documentation recommends: blocks of 32 weights in 8 bits with one scale."""
BUDGET = 512


def model_file(folder: Path, place: Path, kind: str) -> Path:
    """Write the model in llama.cpp's format, as its own conversion does."""
    path = place / f"{folder.name}-{kind}.gguf"
    if not path.exists():
        place.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".part")
        _write(folder, unfinished, TYPES[kind])
        unfinished.rename(path)
    return path


def _write(folder: Path, path: Path, kind: gguf.GGMLQuantizationType) -> None:
    arch = gguf.MODEL_ARCH.GEMMA_EMBEDDING
    writer = gguf.GGUFWriter(path, gguf.MODEL_ARCH_NAMES[arch])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    _write_facts(writer, config)
    _write_vocabulary(writer, folder, config["vocab_size"])
    names = gguf.get_tensor_name_map(arch, config["num_hidden_layers"])
    tensors = {f"model.{name}": array for name, array in load_file(folder / "model.safetensors").items()}
    for dense in ("2_Dense", "3_Dense"):
        tensors[f"dense_{dense[0]}.weight"] = load_file(folder / dense / "model.safetensors")["linear.weight"]
    for name, array in tensors.items():
        if name.startswith("dense_"):
            mapped = name
            writer.add_dense_features_dims(name.removesuffix(".weight"), array.shape[1], array.shape[0])
        else:
            mapped = names.get_name(name, try_suffixes=(".weight",))
        values = array.astype(np.float32) + (1.0 if name.endswith("norm.weight") else 0.0)
        # Norms and Dense modules stay in float32, as in the published files.
        used = kind if array.ndim > 1 and not name.startswith("dense_") else gguf.GGMLQuantizationType.F32
        writer.add_tensor(mapped, gguf.quants.quantize(values, used), raw_dtype=used)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def _write_facts(writer: gguf.GGUFWriter, config: dict[str, Any]) -> None:
    rope = config.get("rope_parameters") or {}
    writer.add_context_length(config["max_position_embeddings"])
    writer.add_embedding_length(config["hidden_size"])
    writer.add_block_count(config["num_hidden_layers"])
    writer.add_feed_forward_length(config["intermediate_size"])
    writer.add_head_count(config["num_attention_heads"])
    writer.add_head_count_kv(config["num_key_value_heads"])
    writer.add_key_length(config["head_dim"])
    writer.add_value_length(config["head_dim"])
    writer.add_layer_norm_rms_eps(config["rms_norm_eps"])
    writer.add_rope_freq_base(rope.get("full_attention", {}).get("rope_theta") or config["rope_theta"])
    writer.add_sliding_window(config["sliding_window"])
    writer.add_causal_attention(False)
    writer.add_pooling_type(gguf.PoolingType.MEAN)


def _write_vocabulary(writer: gguf.GGUFWriter, folder: Path, size: int) -> None:
    """The vocabulary by token id. Scores are not needed, because texts are passed as ids."""
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    special = tokenizer.get_added_tokens_decoder()
    tokens = [tokenizer.id_to_token(number) or f"<unused {number}>" for number in range(size)]
    writer.add_tokenizer_model("llama")
    writer.add_tokenizer_pre("default")
    writer.add_token_list(tokens)
    writer.add_token_scores([-float(number) for number in range(size)])
    writer.add_token_types([_token_type(token, number in special) for number, token in enumerate(tokens)])
    writer.add_pad_token_id(0)
    writer.add_eos_token_id(1)
    writer.add_bos_token_id(2)
    writer.add_unk_token_id(3)
    writer.add_add_bos_token(False)
    writer.add_add_eos_token(False)


def _token_type(token: str, special: bool) -> gguf.TokenType:
    if token == "<unk>":
        return gguf.TokenType.UNKNOWN
    if special:
        return gguf.TokenType.CONTROL
    return gguf.TokenType.BYTE if len(token) == 6 and token.startswith("<0x") else gguf.TokenType.NORMAL


def main(folder: Path, place: Path, kind: str, texts: Path) -> None:
    """Load, then time."""
    file = model_file(folder, place, kind)
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.no_padding()
    longest = max(len(tokenizer.encode(text).ids) for row in json.loads(texts.read_text()).values() for text in row)
    started = time.perf_counter()
    params = xllamacpp.CommonParams()
    params.model.path = str(file)
    params.embedding = True
    params.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    params.n_parallel = 16
    params.n_batch = params.n_ubatch = max(BUDGET, longest)
    params.n_ctx = params.n_parallel * params.n_batch
    params.verbosity = 0
    server = xllamacpp.Server(params)

    def encode(row: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        ids = [each.ids for each in tokenizer.encode_batch(row)]
        answer = server.handle_embeddings({"input": ids})
        return np.array([each["embedding"] for each in answer["data"]], np.float32)

    encode(["warm up"])
    load_s = time.perf_counter() - started
    measure(
        texts,
        encode,
        lambda row: sum(len(each.ids) for each in tokenizer.encode_batch(row)),
        load_s,
        f"xllamacpp {version('xllamacpp')}",
    )


if len(sys.argv) == 4:
    model_file(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
else:
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
