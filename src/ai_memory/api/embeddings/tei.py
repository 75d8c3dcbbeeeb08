"""The routes that are compatible with text-embeddings-inference."""

from __future__ import annotations

from ai_memory.api.embeddings.answers import Answer, embedding_headers, json_answer, plain_rows
from ai_memory.api.embeddings.call import Call
from ai_memory.api.embeddings.engine import (
    EmbeddingInput,
    check_count,
    check_direction,
    similarities,
    texts_of,
    tokenizer,
)
from ai_memory.api.embeddings.engine import decode as decode_ids
from ai_memory.api.embeddings.prompts import PromptChoice, named_prompt
from ai_memory.api.embeddings.values import (
    MAX_INPUTS,
    DecodeRequest,
    EmbedRequest,
    EngineHealth,
    EngineIdentity,
    EngineInfo,
    ModelType,
    Nothing,
    RootRequest,
    SimilarityInputs,
    SimilarityParameters,
    SimilarityRequest,
    Token,
    TokenizeRequest,
)
from ai_memory.embed.base import Engine, Task, TooLong
from ai_memory.embed.models.prompts import prompt_names
from ai_memory.embed.tokenizer import Piece
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import InvalidInputError


def embed(call: Call, request: EmbedRequest) -> Answer:
    """POST /embed."""
    if not request.normalize:
        raise InvalidInputError("vectors always have length 1", hint="leave normalize out", field="normalize")
    given = EmbeddingInput(
        texts=texts_of(call.engine, request.inputs, "inputs"),
        prompt=_prompt_choice(request.prompt_name),
        too_long=_too_long(request.truncate, request.truncation_direction),
        dimensions=request.dimensions,
    )
    result = call.embed(given)
    return Answer(plain_rows(result.vectors), embedding_headers(call.engine, result, call.seconds), result)


def similarity(call: Call, request: SimilarityRequest) -> Answer:
    """POST /similarity."""
    chosen = request.parameters or SimilarityParameters()
    sentences = request.inputs.sentences
    if not sentences:
        raise InvalidInputError("`inputs.sentences` cannot be empty", field="inputs.sentences", empty=True)
    check_count(len(sentences), "inputs.sentences")
    given = EmbeddingInput(
        texts=[request.inputs.source_sentence, *sentences],
        prompt=_prompt_choice(chosen.prompt_name),
        too_long=_too_long(chosen.truncate, chosen.truncation_direction),
    )
    result = call.embed(given)
    return json_answer(similarities(result), embedding_headers(call.engine, result, call.seconds), result)


def root(call: Call, request: RootRequest) -> Answer:
    """POST /, the address that Hugging Face's InferenceClient is given for any task."""
    if isinstance(request.inputs, SimilarityInputs):
        return similarity(call, SimilarityRequest(inputs=request.inputs, parameters=request.parameters))
    if request.parameters is not None:
        raise InvalidInputError(
            "`parameters` are those of a comparison", hint="put the fields next to `inputs`", field="parameters"
        )
    return embed(call, request)


def tokenize(call: Call, request: TokenizeRequest) -> Answer:
    """POST /tokenize."""
    vocabulary = tokenizer(call.engine)
    prompt = _prompt(call.engine, _prompt_choice(request.prompt_name))
    texts = [prompt + text for text in texts_of(call.engine, list_of(request.inputs), "inputs")]
    return json_answer(
        [
            [_token(piece, text) for piece in vocabulary.pieces(text, special=request.add_special_tokens)]
            for text in texts
        ]
    )


def decode(call: Call, request: DecodeRequest) -> Answer:
    """POST /decode."""
    if not request.ids:
        raise InvalidInputError("`ids` cannot be empty", field="ids", empty=True)
    single = not any(isinstance(each, list) for each in request.ids)
    ids = [request.ids] if single else request.ids
    check_count(len(ids), "ids")
    return json_answer(decode_ids(call.engine, ids, "ids", skip_special=request.skip_special_tokens))


def info(call: Call, request: Nothing) -> Answer:
    """GET /info."""
    del request
    engine = call.engine
    identity = engine.identity
    return json_answer(
        EngineInfo(
            model_id=identity.model,
            model_sha=identity.revision,
            model_dtype=identity.dtype,
            served_model_name=identity.model,
            model_type=ModelType(embedding={"pooling": "mean"}),
            max_concurrent_requests=call.max_requests,
            max_input_length=engine.max_tokens,
            max_batch_tokens=engine.token_budget if isinstance(engine, TransformerEmbedder) else None,
            max_batch_requests=None,
            max_client_batch_size=MAX_INPUTS,
            auto_truncate=True,
            tokenization_workers=call.max_requests,
            version=call.version,
            sha=None,
            docker_label=None,
            identity=EngineIdentity(**{name: getattr(identity, name) for name in identity.__struct_fields__}),
            dimensions=list(engine.dimensions),
            prompt_names=list(prompt_names()),
        )
    )


def health(call: Call, request: Nothing) -> Answer:
    """GET /health: 503 where there is no model to embed with."""
    del request
    return json_answer(EngineHealth(healthy=True, model=call.engine.identity.model))


def list_of(inputs: str | list[str]) -> list[str]:
    """One text as a list of one."""
    return [inputs] if isinstance(inputs, str) else inputs


def _prompt_choice(prompt_name: str | None) -> PromptChoice:
    return Task.NONE if prompt_name is None else named_prompt(prompt_name, "prompt_name")


def _too_long(truncate: bool, direction: str) -> TooLong:
    check_direction(direction)
    return TooLong.TRUNCATE if truncate else TooLong.ERROR


def _prompt(engine: Engine, choice: PromptChoice) -> str:
    if not isinstance(engine, TransformerEmbedder):
        return ""
    prompted = engine.prompted_documents([""]) if choice is None else engine.prompted_queries([""], choice)
    return prompted[0].prompt


def _token(piece: Piece, text: str) -> Token:
    if piece.special:
        return Token(id=piece.id, text=piece.text, special=True, start=None, stop=None)
    return Token(id=piece.id, text=text[piece.start : piece.stop], special=False, start=piece.start, stop=piece.stop)
