"""Reading HTTP headers as ASGI gives them: pairs of bytes, names in lower case."""

from __future__ import annotations

import re
import uuid

from starlette.types import Scope

from ai_memory.errors import InvalidInputError

Headers = list[tuple[bytes, bytes]]

_SANE_ID = re.compile(rb"[A-Za-z0-9._:/+=-]{1,128}")


def header(headers: Headers, name: bytes) -> str | None:
    """The first header of that name, or None."""
    for key, value in headers:
        if key == name:
            return value.decode("latin-1").strip()
    return None


def address_of(scope: Scope) -> str:
    """The caller's IP address; empty where the connection has none."""
    client = scope.get("client")
    return str(client[0]) if client else ""


def request_id(headers: Headers) -> str:
    """The client's `X-Request-Id` where it is one short word, else a new one: no client can forge a log line with it."""
    for key, value in headers:
        if key == b"x-request-id" and _SANE_ID.fullmatch(value):
            return value.decode("ascii")
    return uuid.uuid4().hex


def expected_revision(headers: Headers) -> int | None:
    """The revision in `If-Match: "3"`; None where the header is missing or `*`."""
    value = header(headers, b"if-match")
    if value is None or value == "*":
        return None
    number = value.removeprefix("W/").strip('"')
    if not (number.isascii() and number.isdigit() and len(number) <= 18):
        raise InvalidInputError(
            f"If-Match: {value[:80]!r} is not a revision", hint='send the ETag of a memory, such as If-Match: "3"'
        )
    return int(number)


def media_type(headers: Headers) -> str | None:
    """The body's media type in lower case without its parameters, or None."""
    value = dict(reversed(headers)).get(b"content-type")  # reversed: the first of a name counts
    return value.decode("latin-1").split(";", 1)[0].strip().lower() if value else None
