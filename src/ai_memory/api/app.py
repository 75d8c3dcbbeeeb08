"""The ASGI application: routes made from the operations, and a few pages about the server itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from ai_memory.api.embeddings.endpoint import EngineEndpoint
from ai_memory.api.embeddings.metrics import EngineMetrics
from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.api.endpoints import Api, OperationEndpoint, PathEndpoint
from ai_memory.api.keys import Keys
from ai_memory.api.metrics import Metrics
from ai_memory.api.middleware import ROUTE_KEY, Gate
from ai_memory.api.pages import pages
from ai_memory.api.responses import TELL_KEY, Tell
from ai_memory.api.streams import ExportEndpoint, ImportEndpoint
from ai_memory.api.threadpool import WAITING_FACTOR, Hop
from ai_memory.api.trusted_host import HostGuard
from ai_memory.errors import NotFoundError
from ai_memory.mcp.http import PATH as MCP_PATH
from ai_memory.mcp.http import McpEndpoint
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.table import OPERATIONS
from ai_memory.service.service import Service
from ai_memory.settings import Settings

COMPRESS_FROM = 2_048
"""Bytes; below this, gzip costs more time than it saves."""


def create_app(
    service: Service,
    settings: Settings,
    *,
    stopping: Callable[[], bool] = bool,
    extra_routes: Sequence[BaseRoute] = (),
) -> Starlette:
    """The application over an open service, which it closes when it shuts down.

    `stopping` tells streaming requests to end; `extra_routes` come before the service's own (the MCP endpoint).
    """
    hop = Hop(settings.max_concurrent_requests)
    keys = Keys(
        {namespace: [key.get_secret_value() for key in found] for namespace, found in settings.api_keys.items()}
    )
    api = Api(service, hop, keys, settings.max_body_bytes, stopping)
    metrics = Metrics(service, lambda: hop.waiting)
    mcp = McpEndpoint(service, hop.run, keys.access, max_body_bytes=settings.max_body_bytes)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        async with mcp.lifespan():
            yield
        await hop.run(service.close)

    app = Starlette(
        routes=[*extra_routes, Route(MCP_PATH, _Templated(MCP_PATH, {"POST": mcp})), *_routes(api, metrics, settings)],
        lifespan=lifespan,
        middleware=[
            Middleware(Gate, guard=HostGuard(settings.host, settings.allowed_hosts), metrics=metrics),
            Middleware(Compressed, minimum_size=COMPRESS_FROM, compresslevel=2),
        ],
    )
    app.router.redirect_slashes = False
    app.router.default = _nowhere
    return app


def _routes(api: Api, metrics: Metrics, settings: Settings) -> list[BaseRoute]:
    paths: dict[str, dict[str, Any]] = {path: {"GET": page} for path, page in pages(api, metrics).items()}
    for operation in OPERATIONS:
        paths.setdefault(PREFIX + operation.route.path, {})[operation.route.method] = _endpoint(api, operation)
    # All of them in threads at once: one that waits for the model costs little, and a short text must not queue before it.
    hop = Hop(settings.max_concurrent_requests * (1 + WAITING_FACTOR), waiting=0)
    measures = EngineMetrics(metrics.registry, lambda: hop.inside)
    tells = {route.path: route.dialect.tell for route in ROUTES}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method] = EngineEndpoint(api, hop, route, measures)
    # Fixed paths come first: /memories/batch is no memory called "batch".
    ordered = sorted(paths, key=lambda path: path.count("{"))
    return [Route(_pattern(path, paths), _Templated(path, paths[path], tells.get(path))) for path in ordered]


def _endpoint(api: Api, operation: Operation) -> Any:
    if operation.stream == "out":
        return ExportEndpoint(api)
    return ImportEndpoint(api) if operation.stream == "in" else OperationEndpoint(api, operation)


class _Anything(Convertor[str]):
    """The rest of a path, whatever is in it; starlette's own `path` stops at a line's end, and then no route is found."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """As it is."""
        return value

    def to_string(self, value: str) -> str:
        """As it is."""
        return value


register_url_convertor("anything", _Anything())


def _pattern(path: str, paths: dict[str, dict[str, Any]]) -> str:
    """The path for the router. A last parameter takes slashes too (`entity:person/Ada`) unless another path goes on from it."""
    if path.endswith("}") and not any(other.startswith(path + "/") for other in paths):
        return path[:-1] + ":anything}"
    return path


class _Templated(PathEndpoint):
    """A path's endpoint that leaves its template for the log, and how it tells errors."""

    def __init__(self, path: str, endpoints: dict[str, Any], tell: Tell | None = None) -> None:
        super().__init__(endpoints)
        self._path = path
        self._tell = tell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope[ROUTE_KEY] = self._path
        scope[TELL_KEY] = self._tell
        await super().__call__(scope, receive, send)


class Compressed(GZipMiddleware):
    """gzip for those who accept it, but not of vectors: they hardly shrink, and the event loop would stand still meanwhile."""

    _PLAIN = frozenset(route.path for route in ROUTES)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on."""
        plain = scope["type"] == "http" and scope["path"] in self._PLAIN
        await (self.app(scope, receive, send) if plain else super().__call__(scope, receive, send))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    del receive, send
    if scope["type"] == "http":
        raise NotFoundError(
            f"there is nothing at {scope['path'][:100]}", hint="the routes are listed at /docs and /v1/openapi.json"
        )
