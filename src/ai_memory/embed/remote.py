"""An embedder in another ai-memory service, called over HTTP, so that several services can share one GPU.

It uses the routes that every service has (docs/embeddings-api.md): `/info` once, for the identity, and `/v1/embeddings` for
vectors, as base64 of float32, so that they are bit-identical to the remote ones. Every answer names the identity of its model; an
answer with another identity than the first is refused, so that vectors of two models never mix.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import msgspec
import numpy as np
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.embed.base import Cancellation, Encoded, Inputs, Task, TooLong, Vectors
from ai_memory.embed.texts import as_texts, replace_surrogates
from ai_memory.errors import (
    EmbedderError,
    EmbedderMismatchError,
    EmbedderUnavailableError,
    InvalidInputError,
    MemoryServiceError,
    OverloadedError,
    ServiceUnavailableError,
    TooLargeError,
)
from ai_memory.types import EmbedderIdentity
from ai_memory.wire import Reply, Wire
from ai_memory.wording.ways import REEMBED

Value = TypeVar("Value")

IDENTITY_HEADER = "X-Embedder"
DEFAULT_TIMEOUT = 60.0

_TEXTS = 256
_BYTES = 1 << 20
"""Limits of one request: enough to keep a GPU busy, and cheap to repeat."""
_TRIES = 4
"""Attempts per request while the remote service is overloaded or briefly unreachable."""
_QUERY_TRIES = 2
"""The same for a single query: a user is waiting, and lexical search can answer without the vector."""
_QUESTION_SECONDS = 10.0
"""How long a single query waits for its answer at most, whatever the time limit of other calls: for the same reason."""
_LONGEST_PAUSE = 5.0
_FIRST_PAUSE = 0.25


class _Info(Struct, frozen=True):
    """The fields used of `/info`."""

    identity: EmbedderIdentity
    dimensions: tuple[int, ...]
    max_input_length: int


class _Row(Struct, frozen=True):
    embedding: str


class _Usage(Struct, frozen=True):
    tokens: tuple[int, ...]
    truncated: tuple[int, ...]


class _Answer(Struct, frozen=True):
    """The fields used of an answer of `/v1/embeddings`."""

    data: list[_Row]
    usage: _Usage


def identity_digest(identity: EmbedderIdentity) -> str:
    """The first 16 hexadecimal digits of the sha256 of an identity, sent in the header `X-Embedder`."""
    return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:16]


class RemoteEmbedder:
    """An `Engine` at `url`. Safe to call from several threads."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Connect and read the remote identity. `timeout` is in seconds, for connecting and for each wait for an answer; a single
        query, and the identity, wait 10 seconds at most.

        Raises InvalidInputError for an invalid URL, EmbedderUnavailableError if no ai-memory service answers there or it has no
        model.
        """
        self._wire = Wire(url, api_key, timeout)
        self._quick = Wire(url, api_key, min(timeout, _QUESTION_SECONDS))
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._calls = 0
        info = self._exchange("GET", "/info", None, _Waiting(self._closed, tries=1), self._quick)
        self._info = self._read(info, _Info)
        self._digest = identity_digest(self._info.identity)

    @property
    def identity(self) -> EmbedderIdentity:
        """The remote identity."""
        return self._info.identity

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The remote model's dimensions, the full one first."""
        return self._info.dimensions

    @property
    def max_tokens(self) -> int:
        """The remote model's limit."""
        return self._info.max_input_length

    @property
    def waiting(self) -> int:
        """Calls of this process that have not been answered yet."""
        return self._calls

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32; the remote service schedules a single query before other texts."""
        return self.embed(Inputs(texts, task)).vectors

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """Unit vectors, shape (len(texts), dimension), float32."""
        return self.embed(Inputs(texts, None, titles)).vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Token count of each text as an untitled document, special tokens and prompt included."""
        counts: list[int] = []
        _Waiting(self._closed, _TRIES).check()
        for part in _parts([replace_surrogates(text) for text in as_texts(texts)]):
            body = {"inputs": part, "prompt_name": "document"}
            reply = self._exchange("POST", "/tokenize", msgspec.json.encode(body), _Waiting(self._closed, _TRIES))
            counts += map(len, self._read(reply, list[list[msgspec.Raw]]))
        return counts

    def embed(
        self,
        inputs: Inputs,
        *,
        too_long: TooLong = TooLong.WINDOWS,
        urgent: bool = False,
        max_total: int | None = None,
        cancellation: Cancellation | None = None,
    ) -> Encoded:
        """Unit vectors of the remote model, shape (len(inputs.texts), dimension), in as many requests as their size needs.

        `urgent` and `max_total` are ignored: the remote service applies its own priority and limit. Raises what `Engine.embed`
        raises, and EmbedderMismatchError if the remote service has changed its model.
        """
        del urgent, max_total
        texts = [replace_surrogates(text) for text in as_texts(inputs.texts)]
        titles = _titles(inputs.titles, len(texts))
        question = inputs.task is not None and len(texts) == 1
        waiting = _Waiting(self._closed, tries=_QUERY_TRIES if question else _TRIES)
        wire = self._quick if question else self._wire
        if cancellation is not None:
            cancellation.bind(waiting.stop)
        vectors = np.empty((len(texts), self.identity.dimension), np.float32)
        tokens: list[int] = []
        cut: list[int] = []
        with self._counted():
            for part in _parts(texts):
                rows = slice(len(tokens), len(tokens) + len(part))
                fields = {
                    "model": self.identity.model,
                    "input": part,
                    "task": "document" if inputs.task is None else str(inputs.task),
                    "titles": titles and titles[rows],
                    "too_long": str(too_long),
                    "encoding_format": "base64",
                }
                answer = self._answer(fields, waiting, wire)
                if not len(answer.data) == len(answer.usage.tokens) == len(answer.usage.truncated) == len(part):
                    raise self._unexpected(f"{len(answer.data)} vectors for {len(part)} texts")
                vectors[rows] = [self._vector(row.embedding) for row in answer.data]
                tokens += answer.usage.tokens
                cut += answer.usage.truncated
        return Encoded(vectors, tuple(tokens), tuple(cut))

    def close(self) -> None:
        """Close the connections; the remote model stays loaded."""
        self._closed.set()
        self._wire.close()
        self._quick.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1

    def _answer(self, fields: dict[str, Any], waiting: _Waiting, wire: Wire) -> _Answer:
        reply = self._exchange("POST", "/v1/embeddings", msgspec.json.encode(fields), waiting, wire)
        if reply.headers.get(IDENTITY_HEADER) != self._digest:
            raise EmbedderMismatchError(
                f"{self._wire.url} no longer embeds with {self.identity.model}, the model it had at first",
                hint=REEMBED.after("restart this service; if the store refuses the new model: "),
                url=self._wire.url,
            )
        return self._read(reply, _Answer)

    def _exchange(
        self, method: str, target: str, body: bytes | None, waiting: _Waiting, wire: Wire | None = None
    ) -> Reply:
        """The successful answer. Temporary failures are tried again, after the pause that the remote service asks for."""
        while True:
            waiting.check()
            try:
                reply = (wire or self._wire).exchange(method, target, body, again=True)
            except ServiceUnavailableError as unreachable:
                error: MemoryServiceError = EmbedderUnavailableError(
                    f"the embedder cannot be reached: {unreachable.message}",
                    hint="check embedder_url, and start the service there",
                )
                pause, passes = None, not isinstance(unreachable.__cause__, TimeoutError)
            else:
                if reply.status < 400:
                    return reply
                error = self._error_in(reply)
                pause, passes = reply.headers.get("Retry-After"), reply.status in (429, 503)
            if not (passes and waiting.again(pause)):
                raise error

    def _error_in(self, reply: Reply) -> MemoryServiceError:
        try:
            answer = from_json(reply.body, dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._unexpected(f"HTTP {reply.status}")
        inner = answer.get("error")
        fields = inner if isinstance(inner, dict) else {"message": inner}
        message, code = f"{self._wire.url}: {fields.get('message')}", fields.get("code")
        if reply.status == 429:
            return OverloadedError(message, retry_after=reply.headers.get("Retry-After", 1))
        if reply.status in (401, 403):
            return EmbedderUnavailableError(message, hint="set embedder_api_key to a key of the service there")
        if reply.status == 503:
            return EmbedderUnavailableError(message)
        if code in ("context_length_exceeded", "too_large"):
            return TooLargeError(message)
        return EmbedderError(message, status=reply.status)

    def _read(self, reply: Reply, kind: type[Value]) -> Value:
        try:
            return from_json(reply.body, kind)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise self._unexpected(str(error)) from None

    def _vector(self, text: str) -> Vectors:
        try:
            data = base64.b64decode(text)
        except ValueError as error:
            raise self._unexpected(f"a vector that is no base64: {error}") from None
        if len(data) != 4 * self.identity.dimension:
            raise self._unexpected(f"a vector of {len(data)} bytes")
        return np.frombuffer(data, "<f4")

    def _unexpected(self, why: str) -> EmbedderUnavailableError:
        return EmbedderUnavailableError(
            f"the server at {self._wire.url} is not an ai-memory embedder: {why}",
            hint="check embedder_url and the versions of both services",
            url=self._wire.url,
        )


class _Waiting:
    """Decides how long a call keeps trying."""

    def __init__(self, closed: threading.Event, tries: int) -> None:
        self._closed = closed
        self._left = tries - 1
        self._pause = _FIRST_PAUSE
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Stop trying: the caller has disconnected."""
        self._stopped.set()

    def check(self) -> None:
        """Raises if the embedder is closed or the caller has disconnected."""
        if self._closed.is_set():
            raise EmbedderUnavailableError("the embedder has been closed")
        if self._stopped.is_set():
            raise ServiceUnavailableError("the caller disconnected before the texts were embedded")

    def again(self, asked: str | None) -> bool:
        """Wait for the `asked` seconds, or with exponential backoff; False if no attempt is left."""
        if self._left <= 0:
            return False
        self._left -= 1
        pause = float(asked) if asked is not None and asked.isdigit() else self._pause
        self._pause *= 2
        self._stopped.wait(min(pause, _LONGEST_PAUSE))
        return True


def _titles(titles: Sequence[str | None] | None, texts: int) -> list[str | None] | None:
    if titles is None:
        return None
    if len(titles) != texts:
        raise InvalidInputError(
            f"there are {texts} texts and {len(titles)} titles", hint="give one title, or None, for each text"
        )
    return [title and replace_surrogates(title) for title in titles]


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """Split the texts into requests of bounded size; a text above the limit gets a request of its own."""
    part: list[str] = []
    size = 0
    for text in texts:
        length = len(text.encode())
        if part and (len(part) >= _TEXTS or size + length > _BYTES):
            yield part
            part, size = [], 0
        part.append(text)
        size += length
    if part:
        yield part
