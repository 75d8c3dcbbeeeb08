"""Answers as bytes, encoded in small pieces so that other requests run in between.

Two thousand vectors of 768 values are some 30 MB of JSON. Encoding them at once takes a second in which no other thread of the
process runs; in pieces of a millisecond or two, others do.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from ai_memory.api.embeddings.engine import EmbeddingResult
from ai_memory.api.http.headers import Headers
from ai_memory.embed.base import Engine, Vectors
from ai_memory.embed.remote import IDENTITY_HEADER, identity_digest
from ai_memory.operations.base import to_json

VALUES_PER_PIECE = 16_384
"""Numbers in one piece."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to one request."""

    pieces: Iterator[bytes]
    headers: Headers = field(default_factory=list)
    result: EmbeddingResult | None = None
    """The vectors in it, if any: for the metrics."""


def json_answer(value: object, headers: Headers | None = None, result: EmbeddingResult | None = None) -> Answer:
    """A value as JSON in one piece."""
    return Answer(iter((to_json(value),)), headers or [], result)


def plain_rows(vectors: Vectors) -> Iterator[bytes]:
    """Vectors, float32 of shape (n, dimension), as a JSON list of n lists of numbers; `[]` for none."""
    yield b"["
    for first, part in _parts(vectors):
        yield (b"," if first else b"") + msgspec.json.encode(part.tolist())[1:-1]
    yield b"]"


def openai_rows(result: EmbeddingResult, model: str, *, as_base64: bool) -> Iterator[bytes]:
    """OpenAI's list of embeddings."""
    yield b'{"object":"list","data":['
    for first, part in _parts(result.vectors):
        written = map(_base64, part) if as_base64 else map(msgspec.json.encode, part.tolist())
        rows = (
            b'{"object":"embedding","index":%d,"embedding":%b}' % (first + number, row)
            for number, row in enumerate(written)
        )
        yield (b"," if first else b"") + b",".join(rows)
    encoded = result.encoded
    usage = {
        "prompt_tokens": result.tokens,
        "total_tokens": result.tokens,
        "tokens": encoded.tokens,
        "truncated": encoded.cut,
    }
    yield b'],"model":%b,"usage":%b}' % (msgspec.json.encode(model), msgspec.json.encode(usage))


def embedding_headers(engine: Engine, result: EmbeddingResult, seconds: float) -> Headers:
    """The headers of text-embeddings-inference (times in milliseconds), and the embedder's identity."""
    timings = result.encoded.timings
    values = {
        "x-compute-characters": result.characters,
        "x-compute-tokens": result.tokens,
        "x-compute-time": _milliseconds(timings.tokenizing + timings.computing),
        "x-total-time": _milliseconds(seconds),
        "x-tokenization-time": _milliseconds(timings.tokenizing),
        "x-queue-time": _milliseconds(timings.waiting),
        "x-inference-time": _milliseconds(timings.computing),
        "x-truncated-tokens": sum(result.encoded.cut),
        IDENTITY_HEADER.lower(): identity_digest(engine.identity),
    }
    return [(name.encode(), str(value).encode()) for name, value in values.items()]


def _parts(vectors: Vectors) -> Iterator[tuple[int, Vectors]]:
    """The rows, a few at a time, with the number of the first."""
    size = max(1, VALUES_PER_PIECE // max(1, vectors.shape[1]))
    for first in range(0, len(vectors), size):
        yield first, vectors[first : first + size]


def _base64(row: Vectors) -> bytes:
    return b'"%b"' % base64.b64encode(row.astype("<f4", copy=False).tobytes())


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
