"""A small tokenizer of Gemma's kind: byte-pair pieces over the text with U+2581 for spaces, bytes for what has no piece.

The published file's structure, with a vocabulary that is trained here on a sentence in each of twenty scripts. Numbers up to
the vocabulary's size are filled with pieces that no text gives.
"""

from __future__ import annotations

import functools
import itertools
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.scripts_of_the_world import SENTENCES
from tests.support.tiny_models import write_json

SPACE = "\u2581"
SPECIAL = ("<pad>", "<eos>", "<bos>", "<unk>", "<mask>")
"""Numbers 0 to 4."""
_ADDED = ("[multimodal]", "<unused0>", "<unused1>", "<start_of_turn>", "<end_of_turn>")
_RUNS = (*("\n" * count for count in range(1, 6)), *(SPACE * count for count in range(2, 6)))
_MERGES = 480


def write_tokenizer(folder: Path, vocabulary: int, longest: int = 2048) -> None:
    """tokenizer.json and tokenizer_config.json with exactly `vocabulary` pieces, for inputs of `longest` tokens."""
    pieces, merges = _trained()
    ordered = [*SPECIAL, *_ADDED, *_RUNS, *(f"<0x{byte:02X}>" for byte in range(256)), *pieces]
    if len(ordered) > vocabulary:
        raise ValueError(f"the tokenizer has {len(ordered)} pieces; the vocabulary has room for {vocabulary}")
    ordered += [f"<unused{index}>" for index in range(2, 2 + vocabulary - len(ordered))]
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": "<unk>",
        "continuing_subword_prefix": None,
        "end_of_word_suffix": None,
        "fuse_unk": True,
        "byte_fallback": True,
        "ignore_merges": False,
        "vocab": {piece: number for number, piece in enumerate(ordered)},
        "merges": [list(pair) for pair in merges],
    }
    write_json(folder / "tokenizer.json", _around(model, ordered))
    settings = {
        "tokenizer_class": "GemmaTokenizer",
        "add_bos_token": True,
        "add_eos_token": True,
        "bos_token": "<bos>",
        "eos_token": "<eos>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
        "mask_token": "<mask>",
        "model_max_length": longest,
        "padding_side": "right",
        "clean_up_tokenization_spaces": False,
        "spaces_between_special_tokens": False,
        "use_default_system_prompt": False,
    }
    write_json(folder / "tokenizer_config.json", settings)


def _around(model: dict[str, Any], ordered: list[str]) -> dict[str, Any]:
    """The whole of tokenizer.json around its model."""
    added = [
        {
            "id": number,
            "content": piece,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": piece not in _RUNS,
        }
        for number, piece in enumerate(ordered[: len(SPECIAL) + len(_ADDED) + len(_RUNS)])
    ]
    single = [
        {"SpecialToken": {"id": "<bos>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}},
        {"SpecialToken": {"id": "<eos>", "type_id": 0}},
    ]
    second = [
        {"SpecialToken": {"id": "<bos>", "type_id": 1}},
        {"Sequence": {"id": "B", "type_id": 1}},
        {"SpecialToken": {"id": "<eos>", "type_id": 1}},
    ]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": SPACE},
        "pre_tokenizer": {
            "type": "Split",
            "pattern": {"String": " "},
            "behavior": "MergedWithPrevious",
            "invert": False,
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": single,
            "pair": single + second,
            "special_tokens": {
                "<bos>": {"id": "<bos>", "ids": [2], "tokens": ["<bos>"]},
                "<eos>": {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]},
            },
        },
        "decoder": {
            "type": "Sequence",
            "decoders": [
                {"type": "Replace", "pattern": {"String": SPACE}, "content": " "},
                {"type": "ByteFallback"},
                {"type": "Fuse"},
            ],
        },
        "model": model,
    }


@functools.cache
def _trained() -> tuple[list[str], list[tuple[str, str]]]:
    """Pieces and merges by byte-pair encoding (Sennrich et al. 2016): the most frequent pair first, ties in the pairs' order.

    The rarest letter of each script has no piece, so that bytes are needed for it as for what was never seen.
    """
    spelled: Counter[tuple[str, ...]] = Counter()
    for text in SENTENCES.values():
        first, *others = text.split()
        spelled.update(map(tuple, [first, *(SPACE + word for word in others)]))
    letters = {letter for word in spelled for letter in word} - {_rarest(text) for text in SENTENCES.values()}
    pieces = dict.fromkeys(sorted(letters))
    merges: list[tuple[str, str]] = []
    while len(merges) < _MERGES:
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in spelled.items():
            for pair in itertools.pairwise(word):
                if pair[0] in pieces and pair[1] in pieces:
                    pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        pieces["".join(best)] = None
        spelled = _merged(spelled, best)
    return list(pieces), merges


def _rarest(text: str) -> str:
    counts = Counter(text.replace(" ", ""))
    return min(counts, key=lambda letter: (counts[letter], letter))


def _merged(spelled: Counter[tuple[str, ...]], pair: tuple[str, str]) -> Counter[tuple[str, ...]]:
    changed: Counter[tuple[str, ...]] = Counter()
    for word, count in spelled.items():
        pieces: list[str] = []
        for piece in word:
            if pieces and (pieces[-1], piece) == pair:
                pieces[-1] += piece
            else:
                pieces.append(piece)
        changed[tuple(pieces)] += count
    return changed
