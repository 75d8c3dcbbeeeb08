"""How an error of ours is told in the words of the two services whose clients call: status and body."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from ai_memory.api.responses import RenderedError
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
    """The field of the request that was wrong, where it is one."""
    code: str
    """OpenAI's own word where its clients know one, else this service's."""


class OpenAIError(Struct, frozen=True, kw_only=True):
    """An error as OpenAI's client reads it."""

    error: OpenAIErrorDetail


class TeiError(Struct, frozen=True, kw_only=True):
    """An error as clients of text-embeddings-inference read it."""

    error: str
    error_type: str


_OPENAI_CODES: Mapping[type[MemoryServiceError], str] = {
    UnauthorizedError: "invalid_api_key",
    OverloadedError: "rate_limit_exceeded",
}


def openai_error(error: MemoryServiceError) -> RenderedError:
    """OpenAI's shape: what is wrong with a text is 400, as there; only a body that is too large is 413."""
    status = 400 if _is_about_a_text(error) else error.status
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
    """The shape, types and statuses of text-embeddings-inference: what is wrong with a request is 422."""
    otherwise = (error.status, "Backend" if error.status >= 500 else "Validation")
    status, name = next((told for kind, told in _TEI.items() if isinstance(error, kind)), otherwise)
    if error.details.get("empty"):
        status, name = 400, "Empty"  # a request without texts has a type of its own there
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
"""The first class that an error is of decides."""


def _is_about_a_text(error: MemoryServiceError) -> bool:
    """A text, or a list of them, over its limit: the error names its place or field. A body that is too large names neither."""
    return isinstance(error, TooLargeError) and bool({"index", "field"} & error.details.keys())


def _message(error: MemoryServiceError) -> str:
    """These shapes have no room for a hint of its own."""
    return f"{error.message}; {error.hint}" if error.hint else error.message


OPENAI_STATUSES = (400, 401, 403, 404, 405, 413, 415, 429, 500, 503)
TEI_STATUSES = (400, 401, 403, 405, 413, 415, 422, 424, 429, 500, 503)
