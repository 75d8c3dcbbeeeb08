"""Every route of the embedder, defined once: the server, the OpenAPI document and the API page are made from this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from msgspec import Struct

from ai_memory.api.embeddings import ollama, openai, rerank, tei
from ai_memory.api.embeddings.answers import Answer
from ai_memory.api.embeddings.error_formats import (
    OPENAI_STATUSES,
    TEI_STATUSES,
    CohereError,
    OllamaError,
    OpenAIError,
    TeiError,
    cohere_error,
    ollama_error,
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
    OllamaEmbedding,
    OllamaEmbeddings,
    OllamaEmbedRequest,
    OllamaModels,
    OllamaPromptRequest,
    RerankRequest,
    RerankResults,
    RootRequest,
    SimilarityRequest,
    TeiRank,
    TeiRerankRequest,
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
OLLAMA = ErrorFormat(name="Ollama", render=ollama_error, error=OllamaError, statuses=OPENAI_STATUSES)
COHERE = ErrorFormat(name="Cohere and Jina", render=cohere_error, error=CohereError, statuses=OPENAI_STATUSES)


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
    needs_tokens: bool = False
    """Whether it needs a model that gives a vector of each token; another one answers 501."""

    @property
    def statuses(self) -> tuple[int, ...]:
        """The statuses of its errors."""
        return (*self.error_format.statuses, 501) if self.needs_tokens else self.error_format.statuses


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
        name="embedding_models",
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
        summary="The same as /embed and /similarity, at the address that Hugging Face's InferenceClient is given",
        request=RootRequest,
        response=list[list[float] | float],
        error_format=TEI,
        carry_out=tei.root,
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
        name="rerank",
        method="POST",
        path="/rerank",
        summary="Order texts by a query, compatible with text-embeddings-inference",
        request=TeiRerankRequest,
        response=list[TeiRank],
        error_format=TEI,
        carry_out=rerank.rerank_tei,
        example={"query": "When do we ship?", "texts": ["It rains.", "We ship on Fridays."]},
        needs_tokens=True,
    ),
    *(
        EngineRoute(
            name=f"rerank_{version}",
            method="POST",
            path=f"/{version}/rerank",
            summary="Order texts by a query, compatible with Cohere and Jina",
            request=RerankRequest,
            response=RerankResults,
            error_format=COHERE,
            carry_out=rerank.rerank,
            example={"query": "When do we ship?", "documents": ["It rains.", "We ship on Fridays."], "top_n": 1},
            needs_tokens=True,
        )
        for version in ("v1", "v2")
    ),
    EngineRoute(
        name="ollama_embed",
        method="POST",
        path="/api/embed",
        summary="Embed texts, compatible with Ollama",
        request=OllamaEmbedRequest,
        response=OllamaEmbeddings,
        error_format=OLLAMA,
        carry_out=ollama.embed,
        example={"input": ["We ship on Fridays."]},
    ),
    EngineRoute(
        name="ollama_embeddings",
        method="POST",
        path="/api/embeddings",
        summary="Embed one text, compatible with Ollama's older route",
        request=OllamaPromptRequest,
        response=OllamaEmbedding,
        error_format=OLLAMA,
        carry_out=ollama.embed_prompt,
        example={"prompt": "We ship on Fridays."},
    ),
    EngineRoute(
        name="ollama_tags",
        method="GET",
        path="/api/tags",
        summary="Show the model as Ollama lists its models",
        request=Nothing,
        response=OllamaModels,
        error_format=OLLAMA,
        carry_out=ollama.tags,
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
