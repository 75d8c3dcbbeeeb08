"""JSON-RPC errors made without the SDK, for messages that fail before they reach it."""

from __future__ import annotations

import json
from typing import Any

from ai_memory.errors import MemoryServiceError

_PARSE_ERROR, _INVALID_REQUEST, _INTERNAL_ERROR = -32700, -32600, -32603


def failure(message: Any, error: MemoryServiceError) -> bytes:
    """The JSON-RPC error response to a message; empty for a notification, which gets no response."""
    if not isinstance(message, dict):
        return rejected(message)
    if "id" not in message:
        return b""
    text = error.message + (f" ({error.hint})" if error.hint else "")
    return _error(message["id"], _INTERNAL_ERROR, text, error.body())


def rejected(message: Any) -> bytes:
    """The error response to a line that is not a JSON-RPC message; `message` is None where it is not even JSON."""
    if message is None:
        return _error(None, _PARSE_ERROR, "Parse error", None)
    return _error(None, _INVALID_REQUEST, "a message must be one JSON object", None)


def _error(message_id: Any, code: int, text: str, data: Any) -> bytes:
    error = {"code": code, "message": text, **({"data": data} if data is not None else {})}
    return json.dumps({"jsonrpc": "2.0", "id": message_id, "error": error}, ensure_ascii=False, default=str).encode()
