"""Exit codes, in one table. Scripts may rely on them."""

from __future__ import annotations

from ai_memory.errors import MemoryServiceError, error_classes

EXITS: dict[int, str] = {
    0: "done",
    1: "an internal or unexpected error; the message says what happened",
    2: "the command line is wrong",
    3: "no such memory, relation, file or route",
    4: "the input is invalid or larger than a limit, or some of many files or lines were rejected",
    5: "conflict: a stale revision, a brake, a reused key, an embedder mismatch, a text that was forgotten before",
    6: "the service is closing, overloaded, or cannot be reached; try again later",
    7: "the store is full, read-only, busy, damaged, or of another version",
    8: "the model is missing, damaged or failing, or the network was needed while offline",
    9: "refused: the API key is missing, or does not allow this",
    10: "a part of the package that this needs is not installed; the message has the command",
    130: "interrupted with Ctrl-C",
}
"""Every exit code and its meaning."""

OK, INTERNAL, USAGE, INTERRUPTED = 0, 1, 2, 130

BY_CODE: dict[str, int] = {
    "error": 1,
    "internal": 1,
    "not_found": 3,
    "method_not_allowed": 3,
    "invalid_input": 4,
    "too_large": 4,
    "unsupported_media_type": 4,
    "conflict": 5,
    "stale_revision": 5,
    "idempotency_conflict": 5,
    "embedder_mismatch": 5,
    "brake": 5,
    "overloaded": 6,
    "request_timeout": 6,
    "unavailable": 6,
    "store_error": 7,
    "store_full": 7,
    "store_read_only": 7,
    "store_corrupt": 7,
    "store_busy": 7,
    "store_version": 7,
    "store_unavailable": 7,
    "embedder_failed": 8,
    "embedder_unavailable": 8,
    "model_files": 8,
    "offline": 8,
    "unauthorized": 9,
    "forbidden": 9,
    "not_installed": 10,
}
"""The exit code of each error code; the tests fail for an error class without a row here."""


REJECTED = BY_CODE["conflict"]
"""One text was rejected: nothing was stored."""
SOME_REJECTED = BY_CODE["invalid_input"]
"""Of many files or lines, some were rejected and reported; the others were stored."""


def exit_code(error: MemoryServiceError) -> int:
    """The exit code for an error; that of the nearest base class for a code without a row."""
    for cls in type(error).__mro__:
        if issubclass(cls, MemoryServiceError) and cls.code in BY_CODE:
            return BY_CODE[cls.code]
    return INTERNAL


def unmapped() -> list[str]:
    """Error codes that have no row; empty when the table is complete."""
    return sorted(set(error_classes()) - set(BY_CODE))
