"""The routes that order texts by a query, compatible with Cohere, Jina and text-embeddings-inference.

They compare token by token, as recall's recipe `thorough` does, so they need a model that gives a vector of each token.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Sequence

import numpy as np

from ai_memory.api.embeddings.answers import Answer, json_answer
from ai_memory.api.embeddings.call import Call
from ai_memory.api.embeddings.engine import check_direction
from ai_memory.api.embeddings.prompts import split_model
from ai_memory.api.embeddings.values import (
    RerankDocument,
    RerankRequest,
    RerankResult,
    RerankResults,
    RerankUsage,
    TeiRank,
    TeiRerankRequest,
)
from ai_memory.embed.base import Engine, TokenReader, TokenVectors
from ai_memory.errors import InvalidInputError, NotInstalledError, ServiceUnavailableError
from ai_memory.recall.evidence.token_rerank import content_tokens, max_similarity
from ai_memory.recall.plan import make_plan
from ai_memory.types import Selection

TEXTS_AT_ONCE = 16
"""Texts that are read in one call of the model: between two, recalls that compare tokens too have their turn."""
_OTHERS = re.compile(r"(?:rerank-|jina-reranker-)[\w.-]*")
"""The names that Cohere and Jina give their models: programs send them without being able to change them."""


def rerank(call: Call, request: RerankRequest) -> Answer:
    """POST /v1/rerank, /v2/rerank."""
    loaded = call.engine.identity.model
    if not _OTHERS.fullmatch(request.model):
        split_model(request.model, loaded)
    texts = [each if isinstance(each, str) else each.text for each in request.documents]
    scores, tokens = _scores(call, request.query, texts, "documents")
    results = [
        RerankResult(
            index=index,
            relevance_score=_share(scores[index]),
            document=RerankDocument(text=texts[index]) if request.return_documents else None,
        )
        for index in _best_first(scores)[: request.top_n]
    ]
    usage = RerankUsage(total_tokens=tokens)
    return json_answer(RerankResults(id=uuid.uuid4().hex, model=loaded, results=results, usage=usage))


def rerank_tei(call: Call, request: TeiRerankRequest) -> Answer:
    """POST /rerank."""
    check_direction(request.truncation_direction)
    scores, _ = _scores(call, request.query, request.texts, "texts")
    return json_answer(
        [
            TeiRank(
                index=index,
                score=scores[index] if request.raw_scores else _share(scores[index]),
                text=request.texts[index] if request.return_text else None,
            )
            for index in _best_first(scores)
        ]
    )


def _scores(call: Call, query: str, texts: Sequence[str], field: str) -> tuple[list[float], int]:
    """The similarity of each text to the query, in [-1, 1], and how many tokens were read.

    Raises InvalidInputError for no texts, NotInstalledError where the model gives no vectors of tokens.
    """
    if not texts:
        raise InvalidInputError(f"`{field}` cannot be empty", hint="give at least one text", field=field, empty=True)
    left = threading.Event()
    call.cancellation.bind(left.set)
    (asked,) = _read(call.engine, [query])
    words = frozenset(term.surface for term in make_plan(query, Selection()).content)
    question = asked.vectors[content_tokens(query, asked.spans, words)]
    scores: list[float] = []
    tokens = len(asked.vectors)
    for first in range(0, len(texts), TEXTS_AT_ONCE):
        if left.is_set():
            raise ServiceUnavailableError("the client disconnected")
        read = _read(call.engine, texts[first : first + TEXTS_AT_ONCE])
        scores += [max_similarity(question, each.vectors) for each in read]
        tokens += sum(len(each.vectors) for each in read)
    return scores, tokens


def _read(engine: Engine, texts: Sequence[str]) -> list[TokenVectors]:
    read = engine.read_tokens(texts) if isinstance(engine, TokenReader) else None
    if read is None:
        raise NotInstalledError(
            f"{engine.identity.model} on this server cannot rerank: it gives no vector of each token",
            hint="serve all-MiniLM-L6-v2 on the CPU for that, or compare whole texts with /similarity",
            model=engine.identity.model,
        )
    return read


def _share(similarity: float) -> float:
    """A score from 0 to 1, as clients expect it: nothing is less relevant than a text that is not similar at all."""
    return min(1.0, max(0.0, similarity))


def _best_first(scores: Sequence[float]) -> list[int]:
    """The indexes of the texts, the best first; equal ones in their order."""
    return [int(index) for index in np.argsort(-np.array(scores), kind="stable")]
