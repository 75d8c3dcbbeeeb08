"""The routes that are compatible with Ollama."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from ai_memory.api.embeddings.answers import Answer, embedding_headers, json_answer, plain_rows
from ai_memory.api.embeddings.call import Call
from ai_memory.api.embeddings.engine import EmbeddingInput, EmbeddingResult, check_count
from ai_memory.api.embeddings.prompts import named_prompt, split_model
from ai_memory.api.embeddings.values import (
    Nothing,
    OllamaEmbeddings,
    OllamaEmbedRequest,
    OllamaModel,
    OllamaModels,
    OllamaPromptRequest,
)
from ai_memory.embed.base import Task, TooLong
from ai_memory.embed.models.known import known_model

_NANOSECONDS = 1e9


def embed(call: Call, request: OllamaEmbedRequest) -> Answer:
    """POST /api/embed."""
    texts = [request.input] if isinstance(request.input, str) else request.input
    check_count(len(texts), "input")
    prompt = _prompt(call, request.model)
    if not texts:  # as there: a program that asks whether the model is there
        counts = {"total_duration": 0, "load_duration": 0, "prompt_eval_count": 0}
        return json_answer(OllamaEmbeddings(model=request.model, embeddings=[], **counts))
    too_long = TooLong.TRUNCATE if request.truncate else TooLong.ERROR
    result = call.embed(EmbeddingInput(texts, prompt, too_long, request.dimensions))
    named = request.model or call.engine.identity.model
    return Answer(_rows(call, result, named), embedding_headers(call.engine, result, call.seconds), result)


def embed_prompt(call: Call, request: OllamaPromptRequest) -> Answer:
    """POST /api/embeddings."""
    result = call.embed(EmbeddingInput([request.prompt], _prompt(call, request.model), TooLong.TRUNCATE))
    pieces = iter((b'{"embedding":%b}' % msgspec.json.encode(result.vectors[0].tolist()),))
    return Answer(pieces, embedding_headers(call.engine, result, call.seconds), result)


def tags(call: Call, request: Nothing) -> Answer:
    """GET /api/tags."""
    del request
    identity = call.engine.identity
    details = {"family": "embedding", "format": "safetensors", "quantization_level": identity.dtype}
    loaded = OllamaModel(name=identity.model, model=identity.model, digest=identity.revision, size=0, details=details)
    return json_answer(OllamaModels(models=[loaded]))


def _prompt(call: Call, model: str) -> Task | None:
    """The prompt that a suffix of the model's name chooses, else none. Raises NotFoundError for another model."""
    loaded = call.engine.identity.model
    named = model.removesuffix(":latest")
    known = known_model(named)
    suffix = "" if known is not None and known.name == loaded else split_model(named, loaded)
    return named_prompt(suffix, "model") if suffix else Task.NONE


def _rows(call: Call, result: EmbeddingResult, model: str) -> Iterator[bytes]:
    """The answer in pieces: all vectors at once would keep other requests waiting."""
    yield b'{"model":%b,"embeddings":' % msgspec.json.encode(model)
    yield from plain_rows(result.vectors)
    nanoseconds = round(call.seconds * _NANOSECONDS)
    yield b',"total_duration":%d,"load_duration":0,"prompt_eval_count":%d}' % (nanoseconds, result.tokens)
