"""Frozen descriptions of the known models; no I/O.

A model folder describes most of itself. This module has what it cannot say: the prompts that the authors intended, the dimensions
that a vector may be cut to, the licence, and the hashes of the checked files. Sources: the model cards on the Hugging Face hub.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ai_memory.embed.base import Task
from ai_memory.embed.models.prompts import NO_PROMPTS, PromptTable


@dataclass(frozen=True, kw_only=True)
class KnownModel:
    """One model that the service knows by name."""

    name: str
    """The folder's name below `<data>/models/`, and the model's name in an embedder identity."""
    aliases: tuple[str, ...] = ()
    """Other names accepted in settings, in lower case."""
    repository: str
    """Its name on the Hugging Face hub."""
    copies: tuple[str, ...] = ()
    """Ungated repositories of others with the same weights; used from the hub's local cache if the first is not there."""
    architecture: str
    """`model_type` in its config.json."""
    dimensions: tuple[int, ...]
    """Supported vector lengths, the full one first."""
    max_tokens: int
    prompts: PromptTable
    licence: str
    terms: str = ""
    """URL of the licence, if it has to be accepted."""
    files: Mapping[str, str] = field(default_factory=dict)
    """sha256 of each file of the copy that `fetch` downloads; empty if there is no such copy."""


MINILM = KnownModel(
    name="all-MiniLM-L6-v2",
    aliases=("minilm", "sentence-transformers/all-minilm-l6-v2", "all-minilm", "all-minilm:22m"),
    repository="sentence-transformers/all-MiniLM-L6-v2",
    architecture="bert",
    dimensions=(384,),
    max_tokens=256,
    prompts=NO_PROMPTS,
    licence="Apache-2.0",
    files={
        "README.md": "7dfc82496ec33f906b5b0d6750c1e2397da6530c74d1ae3568c55bc2739125e7",
        "1_Pooling/config.json": "4be450dde3b0273bb9787637cfbd28fe04a7ba6ab9d36ac48e92b11e350ffc23",
        "config.json": "953f9c0d463486b10a6871cc2fd59f223b2c70184f49815e7efbcab5d8908b41",
        "modules.json": "84e40c8e006c9b1d6c122e02cba9b02458120b5fb0c87b746c41e0207cf642cf",
        "model.safetensors": "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
        "sentence_bert_config.json": "fc1993fde0a95c24ec6c022539d41cf6e2f7c9721e5415d6fb6897472a9cd4b7",
        "tokenizer.json": "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
        "tokenizer_config.json": "acb92769e8195aabd29b7b2137a9e6d6e25c476a4f15aa4355c233426c61576b",
    },
)

EMBEDDING_GEMMA = KnownModel(
    name="embeddinggemma-300m",
    aliases=("gemma", "embeddinggemma", "embeddinggemma:300m", "google/embeddinggemma-300m"),
    repository="google/embeddinggemma-300m",
    copies=("unsloth/embeddinggemma-300m", "onnx-community/embeddinggemma-300m-ONNX"),
    architecture="gemma3_text",
    dimensions=(768, 512, 256, 128),
    max_tokens=2048,
    prompts=PromptTable(
        queries={
            Task.RETRIEVAL: "task: search result | query: ",
            Task.QUESTION_ANSWERING: "task: question answering | query: ",
            Task.FACT_CHECKING: "task: fact checking | query: ",
            Task.CLASSIFICATION: "task: classification | query: ",
            Task.CLUSTERING: "task: clustering | query: ",
            Task.SIMILARITY: "task: sentence similarity | query: ",
            Task.CODE_RETRIEVAL: "task: code retrieval | query: ",
            Task.SUMMARIZATION: "task: summarization | query: ",
        },
        document="title: none | text: ",
        titled_document="title: {title} | text: ",
    ),
    licence="Gemma Terms of Use",
    terms="https://ai.google.dev/gemma/terms",
)

RUNNABLE = frozenset({"bert", "gemma3_text"})
"""The architectures that this version can run."""

KNOWN_MODELS: tuple[KnownModel, ...] = (EMBEDDING_GEMMA, MINILM)
"""In order of preference: `auto` uses the first that is installed and that this version can run."""


FAMILIES: Mapping[str, KnownModel] = {EMBEDDING_GEMMA.architecture: EMBEDDING_GEMMA}
"""Architectures with a single known model: a folder of another name is a fine-tuned copy, with the same prompts and dimensions."""


def known_model(name: str) -> KnownModel | None:
    """The model with that name, alias or hub repository, ignoring case; None if there is none."""
    wanted = name.lower()
    for model in KNOWN_MODELS:
        if wanted in (model.name.lower(), model.repository.lower(), *model.aliases):
            return model
    return None
