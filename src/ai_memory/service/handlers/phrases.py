"""Which memory some words mean: the one that clearly answers them, or none."""

from __future__ import annotations

from collections.abc import Sequence

from ai_memory.errors import InvalidInputError, NotFoundError
from ai_memory.operations.reading import RecallRequest
from ai_memory.recall.answer import Hit
from ai_memory.service.handlers.lookup import candidates, is_id, key_in, memory_named
from ai_memory.service.handlers.reading import recall
from ai_memory.service.parts import Parts
from ai_memory.text.normal import normal_form
from ai_memory.wording.ways import LIST

_LOOKED_AT = 5
SURE = 0.85
"""The confidence that the memory meant needs at least."""
LEAD = 2.0
"""By so many nats its score must be above that of the next one."""


def memory_meant(parts: Parts, namespace: str, reference: str) -> str:
    """The id of the memory that a reference means: an id, `key:NAME`, or words that only it answers to.

    Words mean a memory that holds now: the one whose text they are, or the one that answers them with a confidence of at least
    `SURE` and clearly better than any other. Raises NotFoundError where nothing answers, and InvalidInputError, with the
    candidates in its details, where it is not clear which one is meant.
    """
    if is_id(reference) or key_in(reference) is not None:
        return memory_named(parts, namespace, reference)
    request = RecallRequest(query=reference, namespace=namespace, limit=_LOOKED_AT, include_ended=False)
    hits = [hit for hit in recall(parts, request).hits if hit.validity != "ended"]
    if not hits:
        raise NotFoundError(f"no memory in namespace {namespace} answers these words", hint=LIST, namespace=namespace)
    meant = _meant(reference, hits)
    if meant is None:
        found = [hit.memory for hit in hits]
        raise InvalidInputError(
            f"it is not clear which memory these words mean; the nearest are {', '.join(each.id for each in found)}",
            hint="give the id of one of them",
            candidates=candidates(found),
        )
    return meant.memory.id


def _meant(reference: str, hits: Sequence[Hit]) -> Hit | None:
    said = normal_form(reference).casefold()
    same = [hit for hit in hits if normal_form(hit.memory.text).casefold() == said]
    if same:
        return same[0] if len(same) == 1 else None
    first, *others = hits
    clear = all(first.score - other.score >= LEAD for other in others)
    return first if clear and first.confidence >= SURE and not first.rivals else None
