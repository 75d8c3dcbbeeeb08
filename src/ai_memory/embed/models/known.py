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
    """Other names accepted in settings, in lower case; the first is the one that hints name."""
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

E5 = KnownModel(
    name="multilingual-e5-small",
    aliases=("e5", "multilingual", "e5-small", "intfloat/multilingual-e5-small"),
    repository="intfloat/multilingual-e5-small",
    architecture="bert",
    dimensions=(384,),
    max_tokens=512,
    # One prompt for all queries: its authors ask for `query: ` on both sides of symmetric tasks.
    prompts=PromptTable(
        queries={Task.RETRIEVAL: "query: "}, document="passage: ", titled_document="passage: {title}\n"
    ),
    licence="MIT",
    files={
        "1_Pooling/config.json": "59b17485dfd10b0357a0895542798f37669325f2924052ead0670f69fd05e2f8",
        "NOTICE": "99b8705a4eb9a5a890deb0db3b3080348a1732ea457530231e406ed0e547c0d8",
        "config.json": "62bf5b08936b01b97066ea20402ca8b81f2effcd6b3662f527036938a9999f93",
        "config_sentence_transformers.json": "b81d83d22b526413baf36c795afb00ae4f284a5a7efc5c7bd58daca405fe0d3e",
        "e5-small-q4.bin": "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f",
        "modules.json": "cebd88583c259d17a9e4e1fa6296a0c7c3dc1ec52e36d5c82d2f68d894efa01e",
        "sentence_bert_config.json": "bf769a0285c6b5e8af4da77c7d6dff678e3a0568f4ff34cfcc58d2ada57c6d16",
        "tokenizer.json": "0b44a9d7b51c3c62626640cda0e2c2f70fdacdc25bbbd68038369d14ebdf4c39",
    },
)

_GEMMA_PROMPTS = PromptTable(
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
)
"""Both EmbeddingGemmas were trained with these."""

EMBEDDING_GEMMA = KnownModel(
    name="embeddinggemma-300m",
    aliases=("gemma", "embeddinggemma", "embeddinggemma:300m", "google/embeddinggemma-300m"),
    repository="google/embeddinggemma-300m",
    copies=("unsloth/embeddinggemma-300m", "onnx-community/embeddinggemma-300m-ONNX"),
    architecture="gemma3_text",
    dimensions=(768, 512, 256, 128),
    max_tokens=2048,
    prompts=_GEMMA_PROMPTS,
    licence="Gemma Terms of Use",
    terms="https://ai.google.dev/gemma/terms",
)

SECOND_GEMMA = ("embedding_gemma2", "embedding_gemma2_text")
"""`model_type` of EmbeddingGemma 2: of the whole model, and of its text part alone."""

EMBEDDING_GEMMA_2 = KnownModel(
    name="embeddinggemma-2",
    aliases=("gemma2", "embeddinggemma2", "embeddinggemma:270m", "google/embeddinggemma-2"),
    repository="google/embeddinggemma-2",
    architecture=SECOND_GEMMA[0],
    dimensions=(768, 512, 256, 128),
    max_tokens=8192,
    prompts=_GEMMA_PROMPTS,
    licence="Apache-2.0",
)

_SEARCHING = PromptTable(queries={Task.RETRIEVAL: "Represent this sentence for searching relevant passages: "})
"""Before a question alone: memories are embedded as they are."""

ARCTIC_S = KnownModel(
    name="snowflake-arctic-embed-s",
    aliases=("arctic-embed-s", "arctic", "snowflake/snowflake-arctic-embed-s"),
    repository="Snowflake/snowflake-arctic-embed-s",
    architecture="bert",
    dimensions=(384,),
    max_tokens=512,
    prompts=_SEARCHING,
    licence="Apache-2.0",
)
E5_SMALL_V2 = KnownModel(
    name="e5-small-v2",
    aliases=("e5-english", "intfloat/e5-small-v2"),
    repository="intfloat/e5-small-v2",
    architecture="bert",
    dimensions=(384,),
    max_tokens=512,
    prompts=E5.prompts,
    licence="MIT",
)
BGE_SMALL = KnownModel(
    name="bge-small-en-v1.5",
    aliases=("bge-small", "baai/bge-small-en-v1.5"),
    repository="BAAI/bge-small-en-v1.5",
    architecture="bert",
    dimensions=(384,),
    max_tokens=512,
    prompts=_SEARCHING,
    licence="MIT",
)
BGE_M3 = KnownModel(
    name="bge-m3",
    aliases=("baai/bge-m3",),
    repository="BAAI/bge-m3",
    architecture="xlm-roberta",
    dimensions=(1024,),
    max_tokens=8192,
    prompts=NO_PROMPTS,
    licence="MIT",
)
"""Its dense vectors; its sparse ones and those of single tokens are not computed."""

BERTS = ("bert", "xlm-roberta")
"""`model_type` of what is run as a BERT."""

RUNNABLE = frozenset({*BERTS, "gemma3_text", *SECOND_GEMMA})
"""The architectures that this version can run."""

AUTO_MODELS: tuple[KnownModel, ...] = (EMBEDDING_GEMMA_2, EMBEDDING_GEMMA, E5, MINILM)
"""In order of preference: for a new store `auto` uses the first that is installed."""

KNOWN_MODELS: tuple[KnownModel, ...] = (*AUTO_MODELS, ARCTIC_S, E5_SMALL_V2, BGE_SMALL, BGE_M3)
"""All that can be chosen by name. Those that `auto` does not take come from the hub and are used where they are asked for."""

_MODERN = "is a ModernBERT, with rotary positions and attention to a window in most layers"
_GTE = "is a GTE model, with rotary positions and gated layers, whose code comes with its weights"
NOT_RUN: Mapping[str, str] = {
    "granite-embedding-97m-multilingual-r2": _MODERN,
    "granite-embedding-311m-multilingual-r2": _MODERN,
    "snowflake-arctic-embed-m-v2.0": _GTE,
    "gte-multilingual-base": _GTE,
}
"""Well-known models that this version does not run, by the last part of their names, and why."""

ARCHITECTURES_NOT_RUN: Mapping[str, str] = {"modernbert": _MODERN, "new": _GTE, "gte": _GTE}
"""The same by `model_type`."""

DEFAULT = E5
"""What is fetched where no model is named."""

FAMILIES: Mapping[str, KnownModel] = {
    EMBEDDING_GEMMA.architecture: EMBEDDING_GEMMA,
    **dict.fromkeys(SECOND_GEMMA, EMBEDDING_GEMMA_2),
}
"""Architectures with a single known model: a folder of another name is a fine-tuned copy, with the same prompts and dimensions."""


def why_not_run(name: str) -> str | None:
    """Why this version does not run the model of that name or hub repository; None if nothing is known of it."""
    return NOT_RUN.get(name.rpartition("/")[2].lower())


def known_model(name: str) -> KnownModel | None:
    """The model with that name, alias or hub repository, ignoring case; None if there is none."""
    wanted = name.lower()
    for model in KNOWN_MODELS:
        if wanted in (model.name.lower(), model.repository.lower(), *model.aliases):
            return model
    return None
