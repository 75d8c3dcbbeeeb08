"""From a request's fields to vectors: the steps between the routes and the service's embedder."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ai_memory.api.embeddings.prompts import PromptChoice
from ai_memory.api.embeddings.values import MAX_INPUTS, MAX_TOTAL_TOKENS
from ai_memory.embed.base import Cancellation, Encoded, Engine, Inputs, Task, TooLong, Vectors
from ai_memory.embed.matryoshka import CutEmbedder, check_dimension, cut
from ai_memory.embed.tokenizer import TextTokenizer
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError, ModelFilesError, TooLargeError
from ai_memory.service.service import Service


@dataclass(frozen=True, slots=True)
class EmbeddingInput:
    """Texts to embed, and how."""

    texts: Sequence[str]
    prompt: PromptChoice
    too_long: TooLong
    dimensions: int | None = None
    titles: Sequence[str | None] | None = None


@dataclass(frozen=True, slots=True)
class EmbeddingResult:
    """Vectors, and how the texts were tokenized."""

    vectors: Vectors
    encoded: Encoded
    characters: int

    @property
    def tokens(self) -> int:
        """Tokens that the model read."""
        return sum(self.encoded.tokens)


def engine_of(service: Service) -> Engine:
    """The service's embedder, at its full dimension. Raises EmbedderUnavailableError with a hint."""
    embedder = service.embedder()
    while isinstance(embedder, CutEmbedder):
        embedder = embedder.whole
    if not isinstance(embedder, Engine):
        raise EmbedderUnavailableError(f"{embedder.identity.model} is not available to other programs")
    return embedder


def embed(engine: Engine, given: EmbeddingInput, cancellation: Cancellation) -> EmbeddingResult:
    """Embed the texts. A single query goes before other callers' texts: a user is probably waiting for it."""
    if given.titles is not None and given.prompt is not None:
        raise InvalidInputError("only documents have titles", hint="leave titles out, or input_type", field="titles")
    if given.dimensions is not None:
        _check_dimensions(engine, given.dimensions)
    urgent = given.prompt not in (None, Task.NONE) and len(given.texts) == 1
    try:
        encoded = engine.embed(
            Inputs(given.texts, given.prompt, given.titles),
            too_long=given.too_long,
            urgent=urgent,
            max_total=None if given.too_long is TooLong.WINDOWS else MAX_TOTAL_TOKENS,
            cancellation=cancellation,
        )
    except ModelFilesError as error:  # the weights are read at the first use
        raise EmbedderUnavailableError(error.message, hint=error.hint) from error
    except TooLargeError as error:
        raise _too_long(error, engine.max_tokens) from error
    vectors = encoded.vectors if given.dimensions is None else cut(encoded.vectors, given.dimensions)
    return EmbeddingResult(vectors, encoded, sum(map(len, given.texts)))


def similarities(result: EmbeddingResult) -> list[float]:
    """The cosine of the first vector with each of the others."""
    cosines: list[float] = np.clip(result.vectors[1:] @ result.vectors[0], -1.0, 1.0).tolist()
    return cosines


def texts_of(engine: Engine, given: str | Sequence[str | int | list[int]], field: str) -> list[str]:
    """The texts of a request's input; token ids are decoded, special tokens left out.

    Raises InvalidInputError for empty input, and for texts and ids mixed; TooLargeError for too many.
    """
    if isinstance(given, str):
        return [given]
    if not given:
        raise InvalidInputError(f"`{field}` cannot be empty", hint="give at least one text", field=field, empty=True)
    if all(isinstance(each, int) for each in given):
        return decode(engine, [given], field)
    check_count(len(given), field)
    if all(isinstance(each, str) for each in given):
        return [str(each) for each in given]
    if all(isinstance(each, list) for each in given):
        return decode(engine, given, field)
    raise InvalidInputError(
        f"`{field}` mixes texts and token ids", hint="give only texts, or only lists of token ids", field=field
    )


def has_token_ids(given: str | Sequence[str | int | list[int]]) -> bool:
    """Whether any part of a request's input is a token id or a list of them."""
    return not isinstance(given, str) and not all(isinstance(each, str) for each in given)


def decode(engine: Engine, ids: Sequence[object], field: str, *, skip_special: bool = True) -> list[str]:
    """The texts of lists of token ids."""
    vocabulary = tokenizer(engine)
    found = []
    for one in ids:
        if not isinstance(one, list) or not one or not all(isinstance(each, int) for each in one):
            raise InvalidInputError(
                f"`{field}` has an entry that is not a list of token ids", hint="nor may a list be empty", field=field
            )
        try:
            found.append(vocabulary.decode(one, skip_special=skip_special))
        except InvalidInputError as error:
            raise InvalidInputError(
                error.message,
                hint=f"ids must be of {engine.identity.model}'s vocabulary, as /tokenize gives them; texts are safer",
                field=field,
            ) from error
    return found


def tokenizer(engine: Engine) -> TextTokenizer:
    """The model's tokenizer. Raises InvalidInputError where the embedder has none in this process."""
    if not isinstance(engine, TransformerEmbedder):
        raise InvalidInputError(f"{engine.identity.model} has no tokenizer on this server", hint="send texts")
    try:
        return engine.tokenizer()
    except ModelFilesError as error:
        raise EmbedderUnavailableError(error.message, hint=error.hint) from error


def check_count(count: int, field: str) -> None:
    """Raise TooLargeError for more inputs than one request may have."""
    if count > MAX_INPUTS:
        raise TooLargeError(
            f"batch size {count} > maximum allowed batch size {MAX_INPUTS}",
            hint="send the texts in several requests",
            field=field,
            limit=MAX_INPUTS,
            actual=count,
        )


def check_direction(direction: str) -> None:
    """Raise InvalidInputError for texts that are to be cut at their beginning."""
    if direction == "Left":
        raise InvalidInputError(
            "only the end of a text can be cut", hint="send truncation_direction: Right", field="truncation_direction"
        )


def _check_dimensions(engine: Engine, dimensions: int) -> None:
    try:
        check_dimension(engine.identity.model, engine.dimensions, dimensions)
    except InvalidInputError as error:
        error.details["field"] = "dimensions"
        raise


def _too_long(error: TooLargeError, limit: int) -> TooLargeError:
    """The same error with the words that programs look for in OpenAI's message."""
    if "index" not in error.details:
        return TooLargeError(error.message, hint=error.hint, field="input", **error.details)
    index, count = error.details["index"], error.details["actual"]
    return TooLargeError(
        f"This model's maximum context length is {limit} tokens, however text {index} has {count} tokens with its prompt",
        hint="shorten it, or send truncate: true",
        openai_code="context_length_exceeded",
        field="input",
        **error.details,
    )
