"""Answers as bytes, in pieces small enough that making one holds nobody up.

Two thousand vectors of 768 values are some 30 MB of JSON, whose making takes a second in which no other thread of the process
would run; in pieces of a millisecond or two, others run in between.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from ai_memory.api.embeddings.engine import Made
from ai_memory.api.headers import Headers
from ai_memory.embed.base import Engine, Vectors
from ai_memory.embed.remote import IDENTITY_HEADER, identity_digest
from ai_memory.operations.base import to_json

VALUES_A_PIECE = 16_384
"""Numbers of one piece."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back for one request."""

    pieces: Iterator[bytes]
    headers: Headers = field(default_factory=list)
    made: Made | None = None
    """The vectors behind it, where there are some: for the metrics."""


def whole(value: object, headers: Headers | None = None, made: Made | None = None) -> Answer:
    """A value as JSON in one piece."""
    return Answer(iter((to_json(value),)), headers or [], made)


def plain_rows(vectors: Vectors) -> Iterator[bytes]:
    """A JSON list of lists."""
    yield b"["
    for first, part in _parts(vectors):
        yield (b"," if first else b"") + msgspec.json.encode(part.tolist())[1:-1]
    yield b"]"


def openai_rows(made: Made, model: str, *, as_base64: bool) -> Iterator[bytes]:
    """OpenAI's list of embeddings."""
    yield b'{"object":"list","data":['
    for first, part in _parts(made.vectors):
        written = map(_base64, part) if as_base64 else map(msgspec.json.encode, part.tolist())
        rows = (
            b'{"object":"embedding","index":%d,"embedding":%b}' % (first + number, row)
            for number, row in enumerate(written)
        )
        yield (b"," if first else b"") + b",".join(rows)
    encoded = made.encoded
    usage = {
        "prompt_tokens": made.tokens,
        "total_tokens": made.tokens,
        "tokens": encoded.tokens,
        "truncated": encoded.cut,
    }
    yield b'],"model":%b,"usage":%b}' % (msgspec.json.encode(model), msgspec.json.encode(usage))


def embedding_headers(engine: Engine, made: Made, seconds: float) -> Headers:
    """What text-embeddings-inference says of a request, in milliseconds, and whose vectors they are."""
    timings = made.encoded.timings
    told = {
        "x-compute-characters": made.characters,
        "x-compute-tokens": made.tokens,
        "x-compute-time": _milliseconds(timings.tokenizing + timings.computing),
        "x-total-time": _milliseconds(seconds),
        "x-tokenization-time": _milliseconds(timings.tokenizing),
        "x-queue-time": _milliseconds(timings.waiting),
        "x-inference-time": _milliseconds(timings.computing),
        "x-truncated-tokens": sum(made.encoded.cut),
        IDENTITY_HEADER.lower(): identity_digest(engine.identity),
    }
    return [(name.encode(), str(value).encode()) for name, value in told.items()]


def _parts(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    """The rows a few at a time, with the number of the first."""
    size = max(1, VALUES_A_PIECE // max(1, vectors.shape[1]))
    for first in range(0, len(vectors), size):
        yield first, vectors[first : first + size]


def _base64(row: Vectors) -> bytes:
    return b'"%b"' % base64.b64encode(row.astype("<f4", copy=False).tobytes())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
