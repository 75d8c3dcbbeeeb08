"""A route of the embedder over HTTP: reads the request, embeds in a thread, and answers in pieces."""

from __future__ import annotations

import itertools

import anyio
from starlette.types import Receive, Scope, Send

from ai_memory.api.embeddings.answers import Answer
from ai_memory.api.embeddings.call import Call
from ai_memory.api.embeddings.disconnect import run_unless_disconnected
from ai_memory.api.embeddings.engine import engine_of
from ai_memory.api.embeddings.metrics import EngineMetrics
from ai_memory.api.embeddings.routes import EngineRoute
from ai_memory.api.endpoints import Api, json_object
from ai_memory.api.http.body import Body
from ai_memory.api.http.headers import Headers
from ai_memory.api.http.responses import JSON, send_body
from ai_memory.api.threadpool import ThreadPool
from ai_memory.embed.base import Cancellation
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.operations.base import parse


class EngineEndpoint:
    """One route. Its thread pool is not that of the operations: texts that wait for the model must not delay them."""

    def __init__(self, api: Api, pool: ThreadPool, route: EngineRoute, metrics: EngineMetrics) -> None:
        self._api = api
        self._pool = pool
        self._route = route
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; raises the errors of `ai_memory.errors`. A client that disconnects gets no answer."""
        if not self._route.open:
            self._api.keys.access(scope["headers"])
        body = await self._api.bodies.read(scope["headers"], receive)
        cancellation = Cancellation()
        try:
            answer = await run_unless_disconnected(
                self._pool, lambda: self._work(scope, body, cancellation), receive, cancellation
            )
        except MemoryServiceError as error:
            _, shown = self._route.error_format.render(error)
            self._metrics.failed(str(shown.get("error_type", error.code)).lower())
            raise
        if answer is not None:
            await _send(send, answer)

    def _work(self, scope: Scope, body: Body, cancellation: Cancellation) -> Answer:
        call = Call(
            engine=engine_of(self._api.service),
            cancellation=cancellation,
            version=self._api.service.version,
            max_requests=self._pool.limit,
        )
        answer = self._route.carry_out(call, self._request(scope, body.unpacked()))
        self._metrics.answered(self._route.name, answer, call.seconds)
        return answer

    def _request(self, scope: Scope, body: bytes) -> object:
        if scope["query_string"]:
            raise InvalidInputError("this route takes no query string", hint="leave it out")
        if self._route.method == "GET":
            if body:
                raise InvalidInputError("GET takes no body", hint="leave it out")
            return parse(self._route.request, scope.get("path_params", {}))
        return parse(self._route.request, json_object(scope["headers"], body))


async def _send(send: Send, answer: Answer) -> None:
    """Send the pieces as they are made; a short answer is sent whole."""
    pieces = iter(answer.pieces)
    first = list(itertools.islice(pieces, 3))  # an opening, one part, an end
    following = next(pieces, None)
    if following is None:
        await send_body(send, b"".join(first), headers=answer.headers)
        return
    headers: Headers = [(b"content-type", JSON), *answer.headers]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for piece in itertools.chain((b"".join(first), following), pieces):
        await send({"type": "http.response.body", "body": piece, "more_body": True})
        await anyio.sleep(0)  # `send` need not wait, and other requests must run in between
    await send({"type": "http.response.body", "body": b""})
