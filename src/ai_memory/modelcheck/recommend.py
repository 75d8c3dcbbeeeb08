"""Which embedding model to take, from the languages and the machine in question: decided from published and measured figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ai_memory.embed.models.known import ARCTIC_S, E5, EMBEDDING_GEMMA, EMBEDDING_GEMMA_2, MINILM, KnownModel
from ai_memory.errors import InvalidInputError

MEMORY_MB = {
    MINILM.name: 250,
    ARCTIC_S.name: 400,
    E5.name: 410,
    EMBEDDING_GEMMA.name: 1_600,
    EMBEDDING_GEMMA_2.name: 1_600,
}
"""Peak memory of a process that embeds with the model, in MB. Measured for MiniLM, e5 and the first EmbeddingGemma (float32 or
bfloat16, whichever is more); an upper estimate from the size of the weights for the other two."""
ROOM = 2.0
"""So many times its peak a model needs of the memory that is available: the store and other programs are there as well."""


@dataclass(frozen=True, kw_only=True)
class Recommendation:
    """A model and the reasons."""

    model: KnownModel
    reasons: tuple[str, ...]
    """Sentences, the weightiest first."""
    otherwise: KnownModel | None
    """What to take where the model cannot be fetched or is too slow; None if it is the smallest already."""


def recommend(languages: Sequence[str], memory_mb: int, *, hub: bool = True) -> Recommendation:
    """The model for memories and questions in `languages`, two-letter codes such as `en`; no languages mean any.

    `memory_mb` is the memory that is available, in MB. `hub` says whether the Hugging Face hub can be reached, from which all but
    MiniLM and e5 come. Raises InvalidInputError for a code of other than two or three letters and for memory below 1 MB.
    """
    wanted = _codes(languages)
    if memory_mb < 1:
        raise InvalidInputError(f"the available memory must be 1 MB or more, not {memory_mb}")
    english = wanted == ("en",)
    room = f"{memory_mb:,} MB of memory are available"
    if hub and memory_mb >= ROOM * MEMORY_MB[EMBEDDING_GEMMA_2.name]:
        reasons = [
            "best on published figures among the models that this version runs: MTEB 61.36 multilingual, 68.46 English, 78.68 code",
            f"{room}, and it takes some {MEMORY_MB[EMBEDDING_GEMMA_2.name]:,} at most",
            "Apache-2.0, no account; it reads 8,192 tokens at once",
        ]
        if english:
            reasons.append(
                f"in English alone {EMBEDDING_GEMMA.name} is a point better (69.67), behind a gate of the hub"
            )
        return Recommendation(model=EMBEDDING_GEMMA_2, reasons=tuple(reasons), otherwise=ARCTIC_S if english else E5)
    why = "the hub cannot be reached" if not hub else f"{room}, too little for an EmbeddingGemma"
    if english and hub:
        return Recommendation(
            model=ARCTIC_S,
            reasons=(
                why,
                "for English, of the size of MiniLM and better by published figures (retrieval 54.9 against 42.9,"
                " LoCoMo 41.1 against 25.9)",
            ),
            otherwise=MINILM,
        )
    if english:
        return Recommendation(
            model=MINILM,
            reasons=(
                why,
                "English is better off with it than with e5: recall found .824 of LoCoMo against .813, at a sixth of the time",
            ),
            otherwise=None,
        )
    spoken = ", ".join(wanted) if wanted else "any language"
    return Recommendation(
        model=E5,
        reasons=(
            why,
            f"for {spoken}: a Russian question finds a Russian paragraph first in 95 of 100 cases, with MiniLM, which knows"
            " English alone, in 91, by its words",
            "across languages (Russian to English) in 81 of 100 cases, with MiniLM in 6",
        ),
        otherwise=None,
    )


def _codes(languages: Sequence[str]) -> tuple[str, ...]:
    found = []
    for each in languages:
        code = each.strip().lower().partition("-")[0]
        if not (code.isascii() and code.isalpha() and 2 <= len(code) <= 3):
            raise InvalidInputError(
                f"{each!r} is no code of a language", hint="give codes of two or three letters, such as en, ru or zh"
            )
        found.append(code)
    return tuple(dict.fromkeys(found))
