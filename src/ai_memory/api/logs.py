"""Log lines of the server: JSON objects or readable lines, on standard error. None contains a memory's text or a query."""

from __future__ import annotations

import datetime as dt
import logging
import sys
import traceback
from typing import Any, TextIO

import msgspec

FIELDS = "fields"
"""The name under which a log call passes its values: `logger.info("request", extra={FIELDS: {...}})`."""


class _Formatter(logging.Formatter):
    """Shows where an exception was raised, and its message only while debugging: a message may quote what a user wrote."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's own name)
        """The stack and the exception's type."""
        if logging.getLogger("ai_memory").isEnabledFor(logging.DEBUG):
            return super().formatException(ei)
        kind, _, trace = ei
        return "".join(traceback.format_tb(trace)) + (kind.__name__ if kind else "")


class JsonFormatter(_Formatter):
    """One JSON object per line: `time`, `level`, `logger`, `message`, the call's fields, and `trace` for exceptions."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as JSON without line breaks."""
        entry: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **getattr(record, FIELDS, {}),
        }
        if record.exc_info:
            entry["trace"] = self.formatException(record.exc_info)
        return msgspec.json.encode(entry, enc_hook=str).decode()


class TextFormatter(_Formatter):
    """A readable line: time, level, message, then the call's fields as `name=value`."""

    def format(self, record: logging.LogRecord) -> str:
        """The record as one line, a trace below it for exceptions."""
        fields = "".join(f" {name}={value}" for name, value in getattr(record, FIELDS, {}).items())
        line = f"{_time(record)} {record.levelname.lower():7} {record.getMessage()}{fields}"
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


def _time(record: logging.LogRecord) -> str:
    at = dt.datetime.fromtimestamp(record.created, dt.UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def configure_logging(level: str, form: str, stream: TextIO | None = None) -> None:
    """Send the package's log lines to `stream` (standard error); `form` is json, text, or auto: text on a terminal."""
    stream = stream or sys.stderr
    as_json = form == "json" or (form == "auto" and not stream.isatty())
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter() if as_json else TextFormatter())
    logger = logging.getLogger("ai_memory")
    logger.handlers = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    # The access log has a line for each request already, with its id.
    logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
