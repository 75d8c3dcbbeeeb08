"""An embedder in another process: a service like this one, asked over HTTP, so that many of them share one GPU.

It speaks the routes that every service offers (docs/embeddings-api.md): `/info` once, for the identity; `/v1/embeddings` for
vectors, as base64 of float32, so that they are the other side's to the last bit. Every answer names the identity it was made by;
one that is not the identity asked for at the beginning is refused, so that vectors of two models never mix.
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

Value = TypeVar("Value")

IDENTITY_HEADER = "X-Embedder"
DEFAULT_TIMEOUT = 60.0

_TEXTS = 256
_BYTES = 1 << 20
"""Of one request: enough to keep a GPU busy, and little to send again."""
_TRIES = 4
"""How often a request is sent where the other side is overloaded or not there for a moment."""
_QUERY_TRIES = 2
"""The same for a single query: somebody waits for the answer, which words alone can give."""
_LONGEST_PAUSE = 5.0
_FIRST_PAUSE = 0.25


class _Info(Struct, frozen=True):
    """What is needed of `/info`."""

    identity: EmbedderIdentity
    dimensions: tuple[int, ...]
    max_input_length: int


class _Row(Struct, frozen=True):
    embedding: str


class _Usage(Struct, frozen=True):
    tokens: tuple[int, ...]
    truncated: tuple[int, ...]


class _Answer(Struct, frozen=True):
    """What is needed of an answer of `/v1/embeddings`."""

    data: list[_Row]
    usage: _Usage


def identity_digest(identity: EmbedderIdentity) -> str:
    """A short name of all that decides an embedder's vectors."""
    return hashlib.sha256(msgspec.json.encode(identity)).hexdigest()[:16]


class RemoteEmbedder:
    """An `Engine` at `url`. Safe to call from several threads."""

    def __init__(self, url: str, *, api_key: str | None = None, timeout: float = DEFAULT_TIMEOUT) -> None:
        """Ask the other side who it is. `timeout` is in seconds, for connecting and for each wait for an answer.

        Raises InvalidInputError for an address that is none, EmbedderUnavailableError where nothing of ours answers there or it
        has no model.
        """
        self._wire = Wire(url, api_key, timeout)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._calls = 0
        self._info = self._read(self._exchange("GET", "/info", None, _Waiting(self._closed, tries=1)), _Info)
        self._digest = identity_digest(self._info.identity)

    @property
    def identity(self) -> EmbedderIdentity:
        """The other side's."""
        return self._info.identity

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The other side's."""
        return self._info.dimensions

    @property
    def max_tokens(self) -> int:
        """The other side's."""
        return self._info.max_input_length

    @property
    def waiting(self) -> int:
        """Calls from here that have not been answered."""
        return self._calls

    def embed_queries(self, texts: Sequence[str], task: Task = Task.RETRIEVAL) -> Vectors:
        """One unit vector a text, shape (len(texts), dimension); the other side puts a single query before other texts."""
        return self.embed(Inputs(texts, task)).vectors

    def embed_documents(self, texts: Sequence[str], titles: Sequence[str | None] | None = None) -> Vectors:
        """One unit vector a text, shape (len(texts), dimension)."""
        return self.embed(Inputs(texts, None, titles)).vectors

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as an untitled document, special tokens and prompt included."""
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
        """As the other side embeds them, in as many requests as their size needs.

        What is urgent the other side decides itself, and its own limit stands for `max_total`. Raises what an engine raises, and
        EmbedderMismatchError where the other side has changed its model.
        """
        del urgent, max_total
        texts = [replace_surrogates(text) for text in as_texts(inputs.texts)]
        titles = _titles(inputs.titles, len(texts))
        waiting = _Waiting(self._closed, tries=_TRIES if inputs.task is None or len(texts) > 1 else _QUERY_TRIES)
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
                answer = self._answer(fields, waiting)
                if not len(answer.data) == len(answer.usage.tokens) == len(answer.usage.truncated) == len(part):
                    raise self._not_ours(f"{len(answer.data)} vectors for {len(part)} texts")
                vectors[rows] = [self._vector(row.embedding) for row in answer.data]
                tokens += answer.usage.tokens
                cut += answer.usage.truncated
        return Encoded(vectors, tuple(tokens), tuple(cut))

    def close(self) -> None:
        """Close the connections; the other side's model stays."""
        self._closed.set()
        self._wire.close()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        with self._lock:
            self._calls += 1
        try:
            yield
        finally:
            with self._lock:
                self._calls -= 1

    def _answer(self, fields: dict[str, Any], waiting: _Waiting) -> _Answer:
        reply = self._exchange("POST", "/v1/embeddings", msgspec.json.encode(fields), waiting)
        if reply.headers.get(IDENTITY_HEADER) != self._digest:
            raise EmbedderMismatchError(
                f"{self._wire.url} embeds with another model now than {self.identity.model}, which it had at first",
                hint="start this service again; if the store refuses the new model, run: ai-memory reembed",
                url=self._wire.url,
            )
        return self._read(reply, _Answer)

    def _exchange(self, method: str, target: str, body: bytes | None, waiting: _Waiting) -> Reply:
        """A good answer. What may pass by itself is tried again, after the pause that the other side asks for."""
        while True:
            waiting.check()
            try:
                reply = self._wire.exchange(method, target, body, again=True)
            except ServiceUnavailableError as unreachable:
                error: MemoryServiceError = EmbedderUnavailableError(
                    f"the embedder cannot be asked: {unreachable.message}",
                    hint="look at embedder_url, and start the service there",
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
            told = from_json(reply.body, dict[str, Any])
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return self._not_ours(f"HTTP {reply.status}")
        inner = told.get("error")
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
            raise self._not_ours(str(error)) from None

    def _vector(self, text: str) -> Vectors:
        data = base64.b64decode(text)
        if len(data) != 4 * self.identity.dimension:
            raise self._not_ours(f"a vector of {len(data)} bytes")
        return np.frombuffer(data, "<f4")

    def _not_ours(self, why: str) -> EmbedderUnavailableError:
        return EmbedderUnavailableError(
            f"what answers at {self._wire.url} is no embedder of this service's kind: {why}",
            hint="look at embedder_url, and at the versions of both services",
            url=self._wire.url,
        )


class _Waiting:
    """How long a call goes on trying."""

    def __init__(self, closed: threading.Event, tries: int) -> None:
        self._closed = closed
        self._left = tries - 1
        self._pause = _FIRST_PAUSE
        self._stopped = threading.Event()

    def stop(self) -> None:
        """The caller has gone."""
        self._stopped.set()

    def check(self) -> None:
        """Raises where nobody waits any more."""
        if self._closed.is_set():
            raise EmbedderUnavailableError("the embedder has been closed")
        if self._stopped.is_set():
            raise ServiceUnavailableError("the caller went away before the texts were embedded")

    def again(self, asked: str | None) -> bool:
        """Wait for the seconds that were asked for, or for longer each time; False where it has been tried often enough."""
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
            f"there are {texts} texts and {len(titles)} titles", hint="give one title, or None, a text"
        )
    return [title and replace_surrogates(title) for title in titles]


def _parts(texts: Sequence[str]) -> Iterator[list[str]]:
    """The texts in requests of bounded size; one that is larger by itself makes a request of its own."""
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
