"""The routes that are compatible with OpenAI."""

from __future__ import annotations

from ai_memory.api.embeddings.answers import Answer, embedding_headers, json_answer, openai_rows
from ai_memory.api.embeddings.call import Call
from ai_memory.api.embeddings.engine import EmbeddingInput, has_token_ids, texts_of
from ai_memory.api.embeddings.prompts import (
    SUFFIXES,
    PromptChoice,
    input_type_prompt,
    named_prompt,
    one_prompt,
    split_model,
)
from ai_memory.api.embeddings.values import EmbeddingsRequest, ModelCard, ModelCards, ModelRequest, Nothing
from ai_memory.embed.base import TooLong
from ai_memory.embed.models.known import known_model
from ai_memory.errors import InvalidInputError

DEFAULT_PROMPT: PromptChoice = None
"""Documents, which most requests embed. For a query there are `NAME:query`, `input_type` and `task`."""


def embeddings(call: Call, request: EmbeddingsRequest) -> Answer:
    """POST /v1/embeddings."""
    loaded = call.engine.identity.model
    suffix = split_model(request.model, loaded)
    if has_token_ids(request.input):
        _check_tokenizer(request.tokenizer, loaded)
    given = EmbeddingInput(
        texts=texts_of(call.engine, request.input, "input"),
        prompt=_prompt_choice(request, suffix),
        too_long=_too_long(request),
        dimensions=request.dimensions,
        titles=request.titles,
    )
    result = call.embed(given)
    named = f"{loaded}:{suffix}" if suffix else loaded
    pieces = openai_rows(result, named, as_base64=request.encoding_format == "base64")
    return Answer(pieces, embedding_headers(call.engine, result, call.seconds), result)


def models(call: Call, request: Nothing) -> Answer:
    """GET /v1/models."""
    del request
    loaded = call.engine.identity.model
    names = [loaded, *(f"{loaded}:{suffix}" for suffix in SUFFIXES)]
    return json_answer(ModelCards(data=[ModelCard(id=name) for name in names]))


def model(call: Call, request: ModelRequest) -> Answer:
    """GET /v1/models/{model}."""
    loaded = call.engine.identity.model
    suffix = split_model(request.model, loaded)
    return json_answer(ModelCard(id=f"{loaded}:{suffix}" if suffix else loaded))


def _check_tokenizer(named: str | None, loaded: str) -> None:
    """Refuse token ids unless the request says that they are the loaded model's.

    LangChain and others send ids of tiktoken, OpenAI's tokenizer, to any server. Nearly all of them are ids here too, of other
    words, and the vectors would be of a text that nobody wrote.
    """
    if named is None:
        raise InvalidInputError(
            f"`input` has token ids, and nothing says that they are of {loaded}'s tokenizer; those of another one mean other words",
            hint="send texts (in LangChain's OpenAIEmbeddings: check_embedding_ctx_length=False), or, for ids from /tokenize, "
            f'"tokenizer": "{loaded}"',
            field="input",
        )
    known = known_model(named)
    if named != loaded and (known is None or known.name != loaded):
        raise InvalidInputError(
            f"the token ids are of {named[:60]!r}, and the model here is {loaded}",
            hint="send texts",
            field="tokenizer",
        )


def _prompt_choice(request: EmbeddingsRequest, suffix: str) -> PromptChoice:
    given: dict[str, PromptChoice] = {}
    if suffix:
        given["model"] = named_prompt(suffix, "model")
    if request.input_type is not None:
        given["input_type"] = input_type_prompt(request.input_type)
    if request.task is not None:
        given["task"] = named_prompt(request.task, "task")
    if request.prompt_name is not None:
        given["prompt_name"] = named_prompt(request.prompt_name, "prompt_name")
    return one_prompt(given, DEFAULT_PROMPT)


def _too_long(request: EmbeddingsRequest) -> TooLong:
    if request.too_long is None:
        return TooLong.TRUNCATE if request.truncate else TooLong.ERROR
    chosen = TooLong(request.too_long)
    if request.truncate is not None and request.truncate != (chosen is TooLong.TRUNCATE):
        raise InvalidInputError(
            f"truncate is {str(request.truncate).lower()} and too_long is {chosen}",
            hint="give one of them",
            field="too_long",
        )
    return chosen
