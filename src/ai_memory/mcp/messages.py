"""JSON-RPC errors made without the SDK, for messages that fail before they reach it."""

from __future__ import annotations

import json
from typing import Any

from ai_memory.decoding import whole_characters
from ai_memory.errors import MemoryServiceError
from ai_memory.text.shown import one_line
from ai_memory.wording.ways import speaking

_PARSE_ERROR, _INVALID_REQUEST, _INTERNAL_ERROR = -32700, -32600, -32603


def failure(message: Any, error: MemoryServiceError) -> bytes:
    """The JSON-RPC error response to a message; empty for a notification, which gets no response."""
    if not isinstance(message, dict):
        return rejected(message)
    if "id" not in message:
        return b""
    with speaking("mcp"):
        text = one_line(error.message + (f" ({error.hint})" if error.hint else ""))
        return _error(message["id"], _INTERNAL_ERROR, text, error.body())


def readable(line: bytes) -> bytes:
    """A client's line in UTF-8 that decoders read: what is not UTF-8, and each half of a surrogate pair, is U+FFFD instead."""
    try:
        line.decode()
    except UnicodeDecodeError:
        line = line.decode("utf-8", "replace").encode()
    return whole_characters(line)


def rejected(message: Any) -> bytes:
    """The error response to a line that is no JSON-RPC message, which would get no answer otherwise; empty for one that is.

    `message` is the decoded line, None where it is not JSON.
    """
    if message is None:
        return _error(None, _PARSE_ERROR, "Parse error: the line is not JSON", None)
    if not isinstance(message, dict):
        return _error(None, _INVALID_REQUEST, "a message must be one JSON object", None)
    if "method" not in message:
        if "result" in message or "error" in message:
            return b""
        return _error(None, _INVALID_REQUEST, "a message must have a method, a result or an error", None)
    wrong = _wrong_in(message)
    return invalid(message, wrong) if wrong else b""


def invalid(message: dict[str, Any], why: str) -> bytes:
    """The error response to a request that is not as JSON-RPC defines one."""
    return _error(
        message["id"] if _is_id(message.get("id")) else None,
        _INVALID_REQUEST,
        f"Invalid request: {one_line(why)}",
        None,
    )


def cancelled_id(message: Any) -> Any:
    """The id of the request that a message cancels; None for any other message."""
    if not isinstance(message, dict) or message.get("method") != "notifications/cancelled":
        return None
    params = message.get("params")
    return params.get("requestId") if isinstance(params, dict) else None


def _wrong_in(message: dict[str, Any]) -> str:
    """What is wrong in a request or notification; empty for nothing."""
    if message.get("jsonrpc") != "2.0":
        return 'jsonrpc must be "2.0"'
    if not isinstance(message["method"], str):
        return "method must be a string"
    if "id" in message and not _is_id(message["id"]):
        return "id must be a string or an integer"
    if not isinstance(message.get("params", {}), dict | None):
        return "params must be an object"
    return ""


def _is_id(value: Any) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool)


def _error(message_id: Any, code: int, text: str, data: Any) -> bytes:
    error = {"code": code, "message": text, **({"data": data} if data is not None else {})}
    return json.dumps({"jsonrpc": "2.0", "id": message_id, "error": error}, ensure_ascii=False, default=str).encode()
