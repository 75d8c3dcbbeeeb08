"""Maps errors to the formats of OpenAI and of text-embeddings-inference: status and body."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ai_memory.api.http.responses import RenderedError
from ai_memory.errors import (
    EmbedderError,
    EmbedderUnavailableError,
    ForbiddenError,
    InvalidInputError,
    MediaTypeError,
    MemoryServiceError,
    OverloadedError,
    ServiceUnavailableError,
    TooLargeError,
    UnauthorizedError,
)


class OpenAIErrorDetail(Struct, frozen=True, kw_only=True):
    """What was wrong."""

    message: str
    type: str
    param: str | None
    """The request's field that was wrong, if it was one."""
    code: str
    """OpenAI's code where there is one, else this service's."""


class OpenAIError(Struct, frozen=True, kw_only=True):
    """An error as OpenAI's client reads it."""

    error: OpenAIErrorDetail


class TeiError(Struct, frozen=True, kw_only=True):
    """An error as clients of text-embeddings-inference read it."""

    error: str
    error_type: str


class OllamaError(Struct, frozen=True, kw_only=True):
    """An error as Ollama's clients read it."""

    error: str


class CohereError(Struct, frozen=True, kw_only=True):
    """An error as Cohere's and Jina's clients read it."""

    message: str


_OPENAI_CODES: Mapping[type[MemoryServiceError], str] = {
    UnauthorizedError: "invalid_api_key",
    OverloadedError: "rate_limit_exceeded",
}


def ollama_error(error: MemoryServiceError) -> RenderedError:
    """Ollama's format: a sentence."""
    return _text_status(error), {"error": _message(error)}


def cohere_error(error: MemoryServiceError) -> RenderedError:
    """Cohere's format: a sentence."""
    return _text_status(error), {"message": _message(error)}


def openai_error(error: MemoryServiceError) -> RenderedError:
    """OpenAI's format: an error in a text is 400, as there; only a body that is too large is 413."""
    status = _text_status(error)
    kind = "rate_limit_error" if status == 429 else "server_error" if status >= 500 else "invalid_request_error"
    field = error.details.get("field", "request")
    code = error.details.get("openai_code") or _OPENAI_CODES.get(type(error), error.code)
    detail = {
        "message": _message(error),
        "type": kind,
        "param": None if field == "request" else str(field),
        "code": code,
    }
    return status, {"error": detail}


def tei_error(error: MemoryServiceError) -> RenderedError:
    """The format, types and statuses of text-embeddings-inference: an invalid request is 422."""
    otherwise = (error.status, "Backend" if error.status >= 500 else "Validation")
    status, name = next((found for kind, found in _TEI.items() if isinstance(error, kind)), otherwise)
    if error.details.get("empty"):
        status, name = 400, "Empty"  # there, a request without texts has a separate type
    elif isinstance(error, TooLargeError) and not _is_about_a_text(error):
        status = 413
    return status, {"error": _message(error), "error_type": name}


_TEI: Mapping[type[MemoryServiceError], tuple[int, str]] = {
    MediaTypeError: (415, "Validation"),
    InvalidInputError: (422, "Validation"),
    OverloadedError: (429, "Overloaded"),
    EmbedderUnavailableError: (503, "Unhealthy"),
    ServiceUnavailableError: (503, "Unhealthy"),
    EmbedderError: (424, "Backend"),
    UnauthorizedError: (401, "Unauthorized"),
    ForbiddenError: (403, "Unauthorized"),
}
"""The first matching class decides."""


def _text_status(error: MemoryServiceError) -> int:
    return 400 if _is_about_a_text(error) else error.status


def _is_about_a_text(error: MemoryServiceError) -> bool:
    """True for a text or list over its limit: the error has an index or a field; that of a body that is too large has neither."""
    return isinstance(error, TooLargeError) and bool({"index", "field"} & error.details.keys())


def _message(error: MemoryServiceError) -> str:
    """Message and hint in one: these formats have no separate hint."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


OPENAI_STATUSES = (400, 401, 403, 404, 405, 413, 415, 429, 500, 503)
TEI_STATUSES = (400, 401, 403, 405, 413, 415, 422, 424, 429, 500, 503)
