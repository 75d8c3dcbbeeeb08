"""Reads and checks a model folder as sentence-transformers writes it, without loading any weight.

    modules.json                 the chain of modules: Transformer, Pooling, then Dense and Normalize as the model has them
    config.json                  the transformer's sizes
    sentence_bert_config.json    the longest input (optional)
    tokenizer.json               the tokenizer, in the form of the `tokenizers` library
    model.safetensors            the weights; in their place e5-small-q4.bin, weights of four bits (`embed.models.four_bits`)
    config_sentence_transformers.json   the prompts, if the model has any (optional)
    1_Pooling/config.json        how token states become one vector
    2_Dense/…                    a linear layer with its weights, if the chain has one

The other layout is that of the ungated ONNX repackaging, which has no modules.json: config.json, tokenizer.json,
onnx/model.onnx and onnx/model.onnx_data. Of its graphs only this one, in float32, is run.

Every error names the files or tensors that are wrong.
"""

from __future__ import annotations

import hashlib
import json
import mmap
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any, BinaryIO

from ai_memory.embed.models import four_bits
from ai_memory.embed.models.digests import folder_digests
from ai_memory.embed.models.known import BERTS, FAMILIES, SECOND_GEMMA, KnownModel, known_model
from ai_memory.embed.models.prompts import NO_PROMPTS, PromptTable, named_prompts
from ai_memory.errors import ModelFilesError
from ai_memory.wording.ways import FETCH_AGAIN, USE_FOLDER, fetch_model

WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
FOUR_BIT_WEIGHTS = "e5-small-q4.bin"
ONNX_WEIGHTS = "onnx/model.onnx"

_REFUSED = {
    "adapter_config.json": "an adapter must be merged into its base model first",
    "model.safetensors.index.json": "weights in several files are not supported",
}
_POOLING: Mapping[tuple[str, object], str] = {
    ("pooling_mode_mean_tokens", True): "mean",
    ("pooling_mode", "mean"): "mean",
    ("pooling_mode_cls_token", True): "cls",
    ("pooling_mode", "cls"): "cls",
}
"""How each pooling is spelled: a flag in older folders, a word in newer ones."""


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """What a folder says about its model. The listed files exist; the weights have not been read."""

    path: Path
    name: str
    architecture: str
    """`model_type` of config.json, such as `bert`."""
    config: Mapping[str, Any]
    """The content of config.json, or of its `text_config` if the model reads more than text."""
    max_tokens: int
    """The longest input, special tokens and prompt included."""
    dimension: int
    """The length of the full vectors."""
    dense: tuple[str, ...]
    """The subfolders of the Dense modules, in order; empty for most models."""
    files: tuple[str, ...]
    """Every file that determines a vector, relative to `path`, sorted."""
    known: KnownModel | None
    """The known model with this name, else the only known model with this architecture, else None."""
    prompts: PromptTable
    """The known model's prompts, overridden by those that the folder defines."""
    weights: str = WEIGHTS
    """The file with the transformer's weights, or the graph that contains them."""
    pooling: str = "mean"
    """What the vector is made of: `mean` over all tokens, or `cls`, the first token's state."""

    @property
    def is_onnx(self) -> bool:
        """Whether the folder has a finished graph instead of weights to build one from."""
        return self.weights == ONNX_WEIGHTS

    @property
    def has_four_bits(self) -> bool:
        """Whether the weights are those of four bits."""
        return self.weights == FOUR_BIT_WEIGHTS

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The lengths that a vector may be cut to, the full one first; only the full one if the model is not a known one."""
        smaller = [each for each in self.known.dimensions if each < self.dimension] if self.known else []
        return (self.dimension, *smaller)

    def revision(self) -> str:
        """sha256 (hexadecimal) over the names and contents of all `files`. Raises ModelFilesError if one cannot be read."""
        lines = "".join(f"{digest}  {name}\n" for name, digest in folder_digests(self.path, self.files).items())
        return hashlib.sha256(lines.encode()).hexdigest()


def read_model_folder(path: Path, *, name: str | None = None) -> ModelFolder:
    """Read and check a folder. `name` defaults to the folder's name.

    Raises ModelFilesError listing every file that is missing or unreadable, or that would change the vectors in a way that this
    version does not support.
    """
    if not path.is_dir():
        raise ModelFilesError(
            f"there is no model folder at {path}",
            hint=USE_FOLDER.after("check the path, put the folder back, or "),
            path=str(path),
        )
    if (path / "onnx").is_dir() and not (path / "modules.json").exists():
        return _read_onnx_folder(path, name or path.name)
    weights = weights_in(path)
    _check_inventory(path, ("modules.json", "config.json", TOKENIZER, weights))
    pooling, dense = _read_modules(path)
    config = read_json(path / "config.json")
    architecture = str(config.get("model_type", ""))
    if isinstance(config.get("text_config"), dict):  # of a model that reads more than text
        config = config["text_config"]
    _check_inventory(
        path, (f"{pooling}/config.json", *(f"{each}/{file}" for each in dense for file in ("config.json", WEIGHTS)))
    )
    pooled = _pooling_of(path / pooling / "config.json", architecture)
    optional = [each for each in ("sentence_bert_config.json",) if (path / each).is_file()]
    files = ["modules.json", "config.json", TOKENIZER, weights, f"{pooling}/config.json", *optional]
    files += [f"{each}/{file}" for each in dense for file in ("config.json", WEIGHTS)]
    _check_whole(path, [name for name in files if name.endswith((WEIGHTS, FOUR_BIT_WEIGHTS, TOKENIZER))])
    title = name or path.name
    named = known_model(title)
    known = named or FAMILIES.get(architecture)
    width = _size(config, "embedding_dim" if architecture in SECOND_GEMMA else "hidden_size", path)
    return ModelFolder(
        path=path,
        name=named.name if named else title,
        architecture=architecture,
        config=config,
        max_tokens=_max_tokens(path, config, FAMILIES.get(architecture)),
        dimension=_size(read_json(path / dense[-1] / "config.json"), "out_features", path) if dense else width,
        dense=dense,
        files=tuple(sorted(files)),
        known=known,
        prompts=_prompts(path, known),
        weights=weights,
        pooling=pooled,
    )


def weights_in(path: Path) -> str:
    """The name of the weights in a sentence-transformers folder: those of four bits where they are the only ones."""
    return FOUR_BIT_WEIGHTS if (path / FOUR_BIT_WEIGHTS).is_file() and not (path / WEIGHTS).exists() else WEIGHTS


def _check_whole(path: Path, files: Sequence[str]) -> None:
    """Raises ModelFilesError for weights or a tokenizer that were cut off, as an interrupted copy leaves them.

    It reads the ends of the files only: a model that cannot be used is known in milliseconds, not after it has been loaded.
    """
    for name in files:
        file = path / name
        try:
            with file.open("rb") as opened:
                size = opened.seek(0, os.SEEK_END)
                wrong = _CUT[PurePath(name).name](opened, size)
        except OSError as error:
            wrong = f"cannot be read: {error.strerror}"
        if wrong:
            raise ModelFilesError(f"{file} {wrong}", hint=FETCH_AGAIN, file=str(file), path=str(path))


def _cut_tensors(opened: BinaryIO, size: int) -> str | None:
    """What is wrong with the size of a safetensors file: its header says where the last tensor ends."""
    opened.seek(0)
    length = int.from_bytes(opened.read(8), "little")
    if size < 8 or length > size - 8:
        return f"cannot be read as safetensors: it has {size:,} bytes, fewer than its header"
    try:
        header = json.loads(opened.read(length))
        header.pop("__metadata__", None)
        needed = 8 + length + max(entry["data_offsets"][1] for entry in header.values())
    except (ValueError, LookupError, TypeError, AttributeError):
        return "cannot be read as safetensors: its header is damaged"
    if size == needed:
        return None
    return f"cannot be read as safetensors: it has {size:,} bytes in place of {needed:,}"


def _cut_json(opened: BinaryIO, size: int) -> str | None:
    """Whether a file is no JSON object, by its ends."""
    opened.seek(0)
    begins = opened.read(64).lstrip()[:1]
    opened.seek(max(0, size - 64))
    return None if begins == b"{" and opened.read().rstrip()[-1:] == b"}" else "is not a JSON object, or was cut off"


def _cut_four_bits(opened: BinaryIO, size: int) -> str | None:
    """Whether the file ends before its last tensor does, by its directory."""
    try:
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            ends = four_bits.end(mapped)
    except ValueError as error:  # also for an empty file
        return f"cannot be read as weights of four bits: {error}"
    return None if ends == size else f"has {size:,} bytes in place of {ends:,}"


_CUT: Mapping[str, Callable[[BinaryIO, int], str | None]] = {
    WEIGHTS: _cut_tensors,
    FOUR_BIT_WEIGHTS: _cut_four_bits,
    TOKENIZER: _cut_json,
}


def _read_onnx_folder(path: Path, title: str) -> ModelFolder:
    _check_inventory(path, ("config.json", TOKENIZER))
    graphs = sorted(file.name for file in (path / "onnx").glob("*.onnx"))
    if not (path / ONNX_WEIGHTS).is_file():
        others = f"; of {', '.join(graphs)} float16 overflows and the quantised ones are not run" if graphs else ""
        raise ModelFilesError(
            f"the model folder {path} cannot be used: {ONNX_WEIGHTS} is missing{others}",
            hint="fetch onnx/model.onnx and onnx/model.onnx_data",
            path=str(path),
            missing=[ONNX_WEIGHTS],
        )
    _check_whole(path, [TOKENIZER])
    config = read_json(path / "config.json")
    data = [f"onnx/{file.name}" for file in (path / "onnx").glob("model.onnx_data*")]
    optional = [each for each in ("sentence_bert_config.json",) if (path / each).is_file()]
    architecture = str(config.get("model_type", ""))
    known = known_model(title) or FAMILIES.get(architecture)
    return ModelFolder(
        path=path,
        name=known.name if known is not None and known_model(title) is known else title,
        architecture=architecture,
        config=config,
        max_tokens=_max_tokens(path, config, None),
        # The published graph's vectors are as wide as its layers; the runtime compares this with the graph when it loads it.
        dimension=_size(config, "hidden_size", path),
        dense=(),
        files=tuple(sorted(["config.json", TOKENIZER, ONNX_WEIGHTS, *data, *optional])),
        known=known,
        prompts=_prompts(path, known),
        weights=ONNX_WEIGHTS,
    )


def _check_inventory(path: Path, required: tuple[str, ...]) -> None:
    missing = [name for name in required if not (path / name).is_file()]
    refused = {name: why for name, why in _REFUSED.items() if (path / name).exists()}
    if not missing and not refused:
        return
    reasons = [f"{name} is missing" for name in missing] + [f"{name} exists ({why})" for name, why in refused.items()]
    raise ModelFilesError(
        f"the model folder {path} cannot be used: {'; '.join(reasons)}",
        hint=FETCH_AGAIN,
        path=str(path),
        missing=missing,
        unexpected=sorted(refused),
    )


def _read_modules(path: Path) -> tuple[str, tuple[str, ...]]:
    """The subfolders of the Pooling module and of the Dense modules, in order. Raises ModelFilesError for any other chain."""
    modules = read_json(path / "modules.json", list)
    pooling: list[str] = []
    dense: list[str] = []
    kinds = []
    for module in modules:
        kind = str(module.get("type", "")).rpartition(".")[2] if isinstance(module, dict) else "?"
        kinds.append(kind)
        where = str(module.get("path", "")) if isinstance(module, dict) else ""
        if kind == "Pooling":
            pooling.append(where)
        elif kind == "Dense":
            dense.append(where)
    if kinds != ["Transformer", "Pooling", *["Dense"] * len(dense), "Normalize"]:
        raise ModelFilesError(
            f"{path / 'modules.json'} names the chain {' → '.join(kinds) or 'of no modules'}; "
            "this version runs Transformer → Pooling → (Dense …) → Normalize",
            path=str(path),
            modules=kinds,
        )
    return pooling[0], tuple(dense)


def _pooling_of(file: Path, architecture: str) -> str:
    """`mean`, or `cls` for a BERT. Raises ModelFilesError for any other pooling, and for one that leaves the prompt out."""
    config = read_json(file)
    modes = sorted(
        key for key, value in config.items() if key.startswith("pooling_mode") and value not in (False, None)
    )
    found = _POOLING.get((modes[0], config[modes[0]])) if len(modes) == 1 else None
    if (
        found is None
        or (found == "cls" and architecture not in BERTS)
        or config.get("include_prompt", True) is not True
    ):
        raise ModelFilesError(
            f"{file} asks for a pooling other than the mean over all tokens or, of a BERT, the first token",
            file=str(file),
            modes=modes,
        )
    return found


def first_position(architecture: str, config: Mapping[str, Any]) -> int:
    """The row of a BERT's table of positions for an input's first token; XLM-RoBERTa leaves those up to its padding's out."""
    padding = config.get("pad_token_id", 1)
    return (padding if isinstance(padding, int) else 1) + 1 if architecture == "xlm-roberta" else 0


def _max_tokens(path: Path, config: Mapping[str, Any], family: KnownModel | None) -> int:
    longest = _size(config, "max_position_embeddings", path)
    longest = max(1, longest - first_position(str(config.get("model_type", "")), config))
    if family is not None:  # EmbeddingGemma 2's configuration has the 262,144 tokens of the model that it was made from
        longest = min(longest, family.max_tokens)
    file = path / "sentence_bert_config.json"
    if not file.is_file():
        return longest
    settings = read_json(file)
    if settings.get("do_lower_case"):
        raise ModelFilesError(
            f"{file} asks for lower case before the tokenizer, which is not supported", file=str(file)
        )
    limit = settings.get("max_seq_length")
    return min(limit, longest) if isinstance(limit, int) and limit > 0 else longest


def _prompts(path: Path, known: KnownModel | None) -> PromptTable:
    table = known.prompts if known else NO_PROMPTS
    file = path / "config_sentence_transformers.json"
    named = read_json(file).get("prompts") if file.is_file() else None
    if named is None:
        return table
    if not isinstance(named, dict) or not all(isinstance(prompt, str) for prompt in named.values()):
        raise ModelFilesError(f"{file} has prompts that are not a table of strings", hint=FETCH_AGAIN, file=str(file))
    return named_prompts(table, named)


def _size(config: Mapping[str, Any], key: str, path: Path) -> int:
    value = config.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or value <= 0:
        raise ModelFilesError(
            f"the configuration in {path} has {key} = {value!r}; a positive integer is needed", path=str(path)
        )
    return value


def read_json(file: Path, kind: type[Any] = dict) -> Any:
    """The value of a JSON file. Raises ModelFilesError if the file is not JSON or its value is not a `kind`."""
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelFilesError(f"{file} cannot be read as JSON: {error}", hint=FETCH_AGAIN, file=str(file)) from error
    if not isinstance(value, kind):
        raise ModelFilesError(
            f"{file} contains a {type(value).__name__}, not a {kind.__name__}", hint=FETCH_AGAIN, file=str(file)
        )
    return value


def is_size(value: object) -> bool:
    """Return whether a value of a configuration is a whole number above 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def not_run(folder: ModelFolder, what: str, wrong: list[str], *, fetch: str | None = None) -> ModelFilesError:
    """The error for a folder whose configuration this version does not run; `fetch` is the name of a model that it does."""
    return ModelFilesError(
        f"this version does not run the {what} in {folder.path}: {'; '.join(wrong)}",
        hint=None if fetch is None else fetch_model(fetch),
        path=str(folder.path),
        wrong=wrong,
    )
