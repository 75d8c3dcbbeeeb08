"""Every route of the embedder, defined once: the server, the OpenAPI document and the API page are made from this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from ai_memory.api.embeddings import openai, tei
from ai_memory.api.embeddings.answers import Answer
from ai_memory.api.embeddings.error_formats import (
    OPENAI_STATUSES,
    TEI_STATUSES,
    OpenAIError,
    TeiError,
    openai_error,
    tei_error,
)
from ai_memory.api.embeddings.values import (
    DecodeRequest,
    Embeddings,
    EmbeddingsRequest,
    EmbedRequest,
    EngineHealth,
    EngineInfo,
    ModelCard,
    ModelCards,
    ModelRequest,
    Nothing,
    SimilarityRequest,
    Token,
    TokenizeRequest,
)
from ai_memory.api.http.responses import ErrorRenderer


class ErrorFormat(Struct, frozen=True, kw_only=True):
    """How errors look to the clients of the service that a route is compatible with."""

    name: str
    render: ErrorRenderer
    error: type[Struct]
    statuses: tuple[int, ...]


OPENAI = ErrorFormat(name="OpenAI", render=openai_error, error=OpenAIError, statuses=OPENAI_STATUSES)
TEI = ErrorFormat(name="text-embeddings-inference", render=tei_error, error=TeiError, statuses=TEI_STATUSES)


class EngineRoute(Struct, frozen=True, kw_only=True):
    """One route: its request, its answer, and the function that carries it out."""

    name: str
    """The operation id in OpenAPI, and the name in log and metrics."""
    method: Literal["GET", "POST"]
    path: str
    summary: str
    request: type[Struct]
    response: Any
    error_format: ErrorFormat
    carry_out: Callable[[Any, Any], Answer]
    """From a call and its request to the answer; runs in a thread and may block."""
    example: dict[str, Any] = {}
    """A sensible request, for the pages."""
    open: bool = False
    """Whether it needs no API key."""


ROUTES: tuple[EngineRoute, ...] = (
    EngineRoute(
        name="embeddings",
        method="POST",
        path="/v1/embeddings",
        summary="Embed texts, compatible with OpenAI",
        request=EmbeddingsRequest,
        response=Embeddings,
        error_format=OPENAI,
        carry_out=openai.embeddings,
        example={"input": ["When do we ship?"], "input_type": "query"},
    ),
    EngineRoute(
        name="models",
        method="GET",
        path="/v1/models",
        summary="List the names that a request may give as its model",
        request=Nothing,
        response=ModelCards,
        error_format=OPENAI,
        carry_out=openai.models,
    ),
    EngineRoute(
        name="model",
        method="GET",
        path="/v1/models/{model}",
        summary="Show one of these names",
        request=ModelRequest,
        response=ModelCard,
        error_format=OPENAI,
        carry_out=openai.model,
        example={"model": "embeddinggemma-300m:query"},
    ),
    EngineRoute(
        name="embed",
        method="POST",
        path="/embed",
        summary="Embed texts, compatible with text-embeddings-inference",
        request=EmbedRequest,
        response=list[list[float]],
        error_format=TEI,
        carry_out=tei.embed,
        example={"inputs": ["When do we ship?"], "prompt_name": "query"},
    ),
    EngineRoute(
        name="embed_root",
        method="POST",
        path="/",
        summary="The same as /embed, at the address that Hugging Face's InferenceClient is given",
        request=EmbedRequest,
        response=list[list[float]],
        error_format=TEI,
        carry_out=tei.embed,
        example={"inputs": ["When do we ship?"], "prompt_name": "query"},
    ),
    EngineRoute(
        name="similarity",
        method="POST",
        path="/similarity",
        summary="Compare a text with others",
        request=SimilarityRequest,
        response=list[float],
        error_format=TEI,
        carry_out=tei.similarity,
        example={"inputs": {"source_sentence": "We ship on Fridays.", "sentences": ["When do we ship?", "It rains."]}},
    ),
    EngineRoute(
        name="tokenize",
        method="POST",
        path="/tokenize",
        summary="Tokenize texts",
        request=TokenizeRequest,
        response=list[list[Token]],
        error_format=TEI,
        carry_out=tei.tokenize,
        example={"inputs": "We ship on Fridays."},
    ),
    EngineRoute(
        name="decode",
        method="POST",
        path="/decode",
        summary="Turn token ids into texts",
        request=DecodeRequest,
        response=list[str],
        error_format=TEI,
        carry_out=tei.decode,
        example={"ids": [[1, 2, 3]]},
    ),
    EngineRoute(
        name="info",
        method="GET",
        path="/info",
        summary="Show the model and its limits",
        request=Nothing,
        response=EngineInfo,
        error_format=TEI,
        carry_out=tei.info,
    ),
    EngineRoute(
        name="engine_health",
        method="GET",
        path="/health",
        summary="Check whether texts can be embedded",
        request=Nothing,
        response=EngineHealth,
        error_format=TEI,
        carry_out=tei.health,
        open=True,
    ),
)
