"""Every error the service raises, drawn as a tree.

    MemoryServiceError
    ├── InvalidInputError          the request is wrong: a type, a range, a limit            400 invalid_input
    │   ├── TooLargeError          a text, batch or body is over its limit                   413 too_large
    │   └── MediaTypeError         the body is of a type or encoding that is not read here   415 unsupported_media_type
    ├── UnauthorizedError          no key, or one that is not known                          401 unauthorized
    ├── ForbiddenError             the key does not open this namespace or operation         403 forbidden
    ├── NotFoundError              no such memory, relation, entity, job or route            404 not_found
    │   └── MethodNotAllowedError  the route exists, but not for this HTTP method            405 method_not_allowed
    ├── ConflictError              the request is right but not in this state                409 conflict
    │   ├── StaleRevisionError     another writer revised the memory first                   409 stale_revision
    │   ├── IdempotencyConflictError  the key was used for a different request               409 idempotency_conflict
    │   ├── EmbedderMismatchError  the store's vectors were made by another embedder         409 embedder_mismatch
    │   └── BrakeError             a deletion would touch more than the allowed share        409 brake
    ├── OverloadedError            a queue is full; try again after `retry_after` seconds     429 overloaded
    ├── RequestTimeoutError        the request did not arrive in time                         408 request_timeout
    ├── StoreError                 the store cannot do its work                              500 store_error
    │   ├── StoreFullError         no space left on the device                               507 store_full
    │   ├── StoreReadOnlyError     the file or folder cannot be written                      403 store_read_only
    │   ├── StoreCorruptError      the file is damaged or is not an ai-memory store          500 store_corrupt
    │   ├── StoreBusyError         another process held the write lock for too long          503 store_busy
    │   ├── StoreUnavailableError  the store's server cannot be reached, or refuses the user 503 store_unavailable
    │   └── StoreVersionError      the store was written by a newer version                  409 store_version
    ├── EmbedderError              the embedder failed while running                         503 embedder_failed
    │   └── EmbedderUnavailableError  there is no model, or it could not be loaded           503 embedder_unavailable
    ├── ModelFilesError            a model folder is incomplete, damaged or unknown          400 model_files
    ├── OfflineError               the network was needed while `offline` is set             503 offline
    ├── NotInstalledError          an optional part of the package is not installed          501 not_installed
    ├── ServiceUnavailableError    the service is closing, or cannot be reached              503 unavailable
    └── InternalError              internal error; the log has the trace                    500 internal

An error names what was wrong, the limit, and in `hint` the command or change that fixes it. `code` is stable and is what
programs compare; `details` holds the values behind the message. The same four fields travel over every surface.
"""

from __future__ import annotations

from typing import Any, ClassVar


class MemoryServiceError(Exception):
    """Base of all errors; `message` says what was wrong, `hint` how to fix it, `details` the values involved.

    A hint may be given as any object: its `str` is taken where the error is shown, in the words of the surface that shows it
    (`ways.Way`).
    """

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500

    def __init__(self, message: str, *, hint: object | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.way = hint
        """The hint as it was given, to pass on to another error."""
        self.details: dict[str, Any] = details

    @property
    def hint(self) -> str | None:
        """How to fix it, for the reader of the surface that is speaking; None where nothing is known to help."""
        return None if self.way is None else str(self.way)

    def body(self) -> dict[str, Any]:
        """The one error shape of all surfaces: `{"code", "message", "hint", "details"}`."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "details": self.details}


class InvalidInputError(MemoryServiceError):
    """The request is wrong: a missing field, a wrong type, a value out of range."""

    code = "invalid_input"
    status = 400


class TooLargeError(InvalidInputError):
    """A text, batch or body is over its limit; `details` has `limit` and `actual`."""

    code = "too_large"
    status = 413


class MediaTypeError(InvalidInputError):
    """The body is of a media type or content encoding that is not read here; `details` has `accepted`."""

    code = "unsupported_media_type"
    status = 415


class UnauthorizedError(MemoryServiceError):
    """No API key was sent, or one that is not known."""

    code = "unauthorized"
    status = 401


class ForbiddenError(MemoryServiceError):
    """The API key does not open this namespace or this operation."""

    code = "forbidden"
    status = 403


class NotFoundError(MemoryServiceError):
    """No such memory, relation, entity, job or route, as far as the caller may see."""

    code = "not_found"
    status = 404


class MethodNotAllowedError(NotFoundError):
    """The route exists, but not for this HTTP method; `details` has `allowed`."""

    code = "method_not_allowed"
    status = 405


class ConflictError(MemoryServiceError):
    """The request is valid but cannot be carried out in the present state."""

    code = "conflict"
    status = 409


class StaleRevisionError(ConflictError):
    """Another writer was first; `details` has `expected` and `current`, the revision to read before trying again."""

    code = "stale_revision"


class IdempotencyConflictError(ConflictError):
    """The idempotency key was used before for a different request."""

    code = "idempotency_conflict"


class EmbedderMismatchError(ConflictError):
    """The store's active vectors were made by another embedder; nothing was written."""

    code = "embedder_mismatch"


class BrakeError(ConflictError):
    """A bulk deletion would touch a larger share of a namespace than allowed; nothing was deleted."""

    code = "brake"


class OverloadedError(MemoryServiceError):
    """A queue is full; `details["retry_after"]` is in seconds."""

    code = "overloaded"
    status = 429


class RequestTimeoutError(MemoryServiceError):
    """The caller did not send its request in time; nothing was done, except for the finished batches of an import."""

    code = "request_timeout"
    status = 408


class StoreError(MemoryServiceError):
    """The store cannot do its work; what was acknowledged before is still there."""

    code = "store_error"


class StoreFullError(StoreError):
    """No space is left on the device; nothing of this request was written."""

    code = "store_full"
    status = 507


class StoreReadOnlyError(StoreError):
    """The store's file or folder cannot be written."""

    code = "store_read_only"
    status = 403


class StoreCorruptError(StoreError):
    """The file is damaged, or is not an ai-memory store."""

    code = "store_corrupt"


class StoreBusyError(StoreError):
    """Another process held the write lock for longer than the busy timeout."""

    code = "store_busy"
    status = 503


class StoreUnavailableError(StoreError):
    """The server that keeps the store cannot be reached or refuses the user, or its file is not at its path any more."""

    code = "store_unavailable"
    status = 503


class StoreVersionError(StoreError):
    """The store was written by a newer version of this program."""

    code = "store_version"
    status = 409


class EmbedderError(MemoryServiceError):
    """The embedder failed while running; the texts are stored and will be embedded later."""

    code = "embedder_failed"
    status = 503


class EmbedderUnavailableError(EmbedderError):
    """There is no model, or it could not be loaded."""

    code = "embedder_unavailable"


class ModelFilesError(MemoryServiceError):
    """A model folder is incomplete, damaged or of an unknown architecture; `details` names each file."""

    code = "model_files"
    status = 400


class OfflineError(MemoryServiceError):
    """The network was needed while `offline` is set."""

    code = "offline"
    status = 503


class NotInstalledError(MemoryServiceError):
    """What was asked for needs an optional part of the package that is not installed; the hint has the command."""

    code = "not_installed"
    status = 501


class ServiceUnavailableError(MemoryServiceError):
    """The service is closing, or cannot be reached at its address."""

    code = "unavailable"
    status = 503


class InternalError(MemoryServiceError):
    """Internal error; the log has the trace under the request id."""

    code = "internal"


def error_classes() -> dict[str, type[MemoryServiceError]]:
    """All error classes by their stable code, for adapters that turn a wire error back into an exception."""
    found: dict[str, type[MemoryServiceError]] = {}
    todo: list[type[MemoryServiceError]] = [MemoryServiceError]
    while todo:
        cls = todo.pop()
        found[cls.code] = cls
        todo.extend(cls.__subclasses__())
    return found


def from_body(body: dict[str, Any]) -> MemoryServiceError:
    """The exception for a wire error `{"code", "message", "hint", "details"}`."""
    cls = error_classes().get(str(body.get("code")), InternalError)
    details = body.get("details")
    error = cls(str(body.get("message", "")), hint=body.get("hint"))
    error.details = dict(details) if isinstance(details, dict) else {}
    return error
