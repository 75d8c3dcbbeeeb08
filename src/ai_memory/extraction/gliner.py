"""Names found by a GLiNER model whose weights are in a local folder.

The folder has what the `gliner` package exports: `gliner_config.json`, `tokenizer.json`, and the graph as `model.onnx` (or
`onnx/model.onnx`) or in OpenVINO's format (`model.xml` with `model.bin`). OpenVINO, which is installed anyway, runs either, so
nothing else has to be installed; nothing is fetched.

Only span models are supported: the input is the kinds as a prompt and the text word by word, the output a logit for each span of up
to `max_width` words and each kind. Source of the format: `gliner` 0.2 (`data_processing/processor.py`, `decoding/decoder.py`).

Importing this module imports openvino, so it is imported only where a model is loaded.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from ai_memory.embed.runtimes.openvino.importing import import_openvino
from ai_memory.errors import InvalidInputError, ModelFilesError
from ai_memory.extraction.values import Kind, Mention

ov, _ = import_openvino()

GRAPHS = ("model.onnx", "onnx/model.onnx", "model.xml")
"""Where the graph may be in the folder; the first that exists is used."""
LABELS = {
    "person": Kind.PERSON,
    "organization": Kind.ORGANISATION,
    "product": Kind.PRODUCT,
    "software": Kind.PRODUCT,
    "location": Kind.PLACE,
}
"""The labels that the model is asked for, and the kind of mention that each one means."""
_INPUTS = frozenset(("input_ids", "attention_mask", "words_mask", "text_lengths", "span_idx", "span_mask"))
_WORD = re.compile(r"\w+(?:[-_]\w+)*|\S")
"""The words that GLiNER models are trained on."""
_WINDOW = 128
"""Words read at once; models take some 384 tokens, and a word has one to three."""


class _Config(NamedTuple):
    max_width: int
    entity_token: str
    separator_token: str


class _Span(NamedTuple):
    score: float
    start: int
    end: int
    """The first and the last word."""
    label: int


class NameModel:
    """A loaded model. `find` may be called from one thread at a time."""

    def __init__(self, folder: Path, *, threshold: float = 0.5, threads: int = 0) -> None:
        """Read and compile the model in `folder`.

        `threshold` in (0, 1) is the probability above which a span counts; `threads` 0 leaves the number to OpenVINO.
        Raises ModelFilesError where the folder has no such model, InvalidInputError for a threshold outside that range.
        """
        if not 0.0 < threshold < 1.0:
            raise InvalidInputError(f"threshold must be between 0 and 1, not {threshold}")
        self._config = _read_config(folder)
        self._tokenizer = _read_tokenizer(folder)
        self._logit = float(np.log(threshold / (1.0 - threshold)))
        self._labels = tuple(LABELS)
        core = ov.Core()
        graph = _graph_file(folder)
        try:
            model = core.read_model(graph)
            self._names = {name for port in model.inputs for name in port.get_names()}
            properties = {"INFERENCE_NUM_THREADS": threads} if threads else {}
            self._request = core.compile_model(model, "CPU", properties).create_infer_request()
        except RuntimeError as failure:
            raise ModelFilesError(f"OpenVINO cannot read {graph}: {failure}", hint=_HINT) from failure
        if not self._names >= _INPUTS:
            missing = ", ".join(sorted(_INPUTS - self._names))
            raise ModelFilesError(f"{graph} is not a GLiNER span model: it has no input {missing}", hint=_HINT)

    def find(self, text: str) -> list[Mention]:
        """People, organisations, products and places in `text`, in order and not overlapping; empty for a text without words."""
        words = list(_WORD.finditer(text))
        found: list[Mention] = []
        for begin in range(0, len(words), _WINDOW):
            part = words[begin : begin + _WINDOW]
            for span in self._spans([match.group() for match in part]):
                start, end = part[span.start].start(), part[span.end].end()
                name = text[start:end]
                found.append(Mention(start, end, LABELS[self._labels[span.label]], name, name))
        return sorted(found)

    def _spans(self, words: list[str]) -> list[_Span]:
        """The best spans that do not overlap, best first."""
        logits = self._run(words)
        starts, widths, labels = np.nonzero(logits > self._logit)
        scored = sorted(
            _Span(-float(logits[start, width, label]), int(start), int(start + width), int(label))
            for start, width, label in zip(starts, widths, labels, strict=True)
            if start + width < len(words)
        )
        kept: list[_Span] = []
        for span in scored:
            if all(span.end < other.start or other.end < span.start for other in kept):
                kept.append(span)
        return kept

    def _run(self, words: list[str]) -> NDArray[np.float32]:
        """The logits of all spans by first word, width and label: float32, shape (words, `max_width`, labels)."""
        inputs = self._inputs(words)
        result = self._request.infer({name: inputs[name] for name in self._names if name in inputs})
        logits = np.asarray(next(iter(result.values())), dtype=np.float32)
        expected = (1, len(words), self._config.max_width, len(self._labels))
        if logits.shape != expected:
            raise ModelFilesError(
                f"the model gives logits of shape {logits.shape} where a span model gives {expected}", hint=_HINT
            )
        spans: NDArray[np.float32] = logits[0]
        return spans

    def _inputs(self, words: Sequence[str]) -> dict[str, NDArray[Any]]:
        """The graph's inputs for one text, the labels as a prompt and then its words: a batch of one, integers and bools.

        For t tokens, w words and s = w * `max_width` spans: `input_ids`, `attention_mask` and `words_mask` are of shape (1, t),
        `text_lengths` (1, 1), `span_idx` (1, s, 2) with the first and last word of each span, `span_mask` (1, s).
        """
        prompt = [part for label in self._labels for part in (self._config.entity_token, label)]
        prompt.append(self._config.separator_token)
        encoded = self._tokenizer.encode([*prompt, *words], is_pretokenized=True)
        mask = np.zeros((1, len(encoded.ids)), np.int64)
        before = None
        for place, word in enumerate(encoded.word_ids):
            if word is not None and word != before and word >= len(prompt):
                mask[0, place] = word - len(prompt) + 1  # words count from 1; their later pieces stay 0
            before = word
        count, width = len(words), self._config.max_width
        first = np.repeat(np.arange(count, dtype=np.int64), width)
        last = first + np.tile(np.arange(width, dtype=np.int64), count)
        return {
            "input_ids": np.asarray([encoded.ids], np.int64),
            "attention_mask": np.ones((1, len(encoded.ids)), np.int64),
            "words_mask": mask,
            "text_lengths": np.asarray([[count]], np.int64),
            "span_idx": np.stack([first, last], axis=1)[None],
            "span_mask": (last < count)[None],
        }


_HINT = "Point to a folder with gliner_config.json, tokenizer.json and model.onnx, as the gliner package exports it."


def _graph_file(folder: Path) -> Path:
    for name in GRAPHS:
        if (folder / name).is_file():
            return folder / name
    raise ModelFilesError(f"no {', '.join(GRAPHS)} in {folder}", hint=_HINT)


def _read_config(folder: Path) -> _Config:
    path = folder / "gliner_config.json"
    try:
        given = json.loads(path.read_text(encoding="utf-8"))
        width = int(given["max_width"])
    except (OSError, ValueError, KeyError, TypeError) as failure:
        raise ModelFilesError(f"{path} is missing or has no max_width: {failure}", hint=_HINT) from failure
    return _Config(width, str(given.get("ent_token", "<<ENT>>")), str(given.get("sep_token", "<<SEP>>")))


def _read_tokenizer(folder: Path) -> Tokenizer:
    path = folder / "tokenizer.json"
    if not path.is_file():
        raise ModelFilesError(f"no tokenizer.json in {folder}", hint=_HINT)
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as failure:
        raise ModelFilesError(f"{path} is not a tokenizer: {failure}", hint=_HINT) from failure
    tokenizer.no_truncation()
    return tokenizer
