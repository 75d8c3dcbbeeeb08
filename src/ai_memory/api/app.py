"""The ASGI application: routes made from the operations, the embedder's routes, and a few pages about the server itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.convertors import Convertor, register_url_convertor
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from ai_memory.api.documents.pages import pages
from ai_memory.api.embeddings.endpoint import EngineEndpoint
from ai_memory.api.embeddings.metrics import EngineMetrics
from ai_memory.api.embeddings.routes import ROUTES
from ai_memory.api.endpoints import Api, Handler, OperationEndpoint, PathEndpoint
from ai_memory.api.events import EventsEndpoint
from ai_memory.api.http.body import Bodies
from ai_memory.api.http.keys import Keys
from ai_memory.api.http.responses import ErrorRenderer
from ai_memory.api.http.trusted_host import TrustedHost
from ai_memory.api.mem0 import mem0_paths
from ai_memory.api.mem0 import render as render_for_mem0
from ai_memory.api.metrics import Metrics
from ai_memory.api.middleware import RequestMiddleware
from ai_memory.api.streams import BackupEndpoint, ExportEndpoint, ImportEndpoint, StreamPlaces
from ai_memory.api.threadpool import WAITING_FACTOR, ThreadPool
from ai_memory.discovery import RunningService
from ai_memory.errors import NotFoundError
from ai_memory.mcp.http import PATH as MCP_PATH
from ai_memory.mcp.http import McpEndpoint
from ai_memory.operations.base import PREFIX, Operation
from ai_memory.operations.table import OPERATIONS
from ai_memory.operations.upkeep.events import EVENTS
from ai_memory.service.service import Service
from ai_memory.settings import Settings

COMPRESS_FROM = 2_048
"""Bytes; below this, gzip costs more time than it saves."""
WATCHERS, WATCHERS_WAITING = 4, 256
"""Threads for health, statistics and metrics, and how many such requests may wait for one."""
COMPRESSED = [Middleware(GZipMiddleware, minimum_size=COMPRESS_FROM, compresslevel=2)]
"""The middleware of every route but the embedder's: vectors hardly shrink, and compressing them would block the event loop."""


def create_app(
    service: Service,
    settings: Settings,
    *,
    stopping: Callable[[], bool] = bool,
    extra_routes: Sequence[BaseRoute] = (),
    published: RunningService | None = None,
    proof: str = "",
) -> Starlette:
    """The application over an open service, which it closes when it shuts down.

    `stopping` becomes true when streaming requests are to end; `extra_routes` come before the service's routes; `published` is
    how programs on this machine find the server, which proves to them that it is this one. A request with `proof`, a secret
    that only this user's programs can read, may write as a person.
    """
    pool = ThreadPool(settings.max_concurrent_requests)
    keys = Keys(
        {namespace: [key.get_secret_value() for key in found] for namespace, found in settings.api_keys.items()},
        [key.get_secret_value() for key in settings.person_keys],
        proof,
    )
    api = Api(service, pool, keys, Bodies(settings.max_body_bytes), ThreadPool(WATCHERS, WATCHERS_WAITING), stopping)
    places = StreamPlaces(settings.max_concurrent_requests)
    metrics = Metrics(service, lambda: pool.waiting)
    mcp = McpEndpoint(service, pool.run, keys.access, api.read_body, zone=service.zone)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        del app
        async with mcp.lifespan():
            yield
        await pool.run(service.close)

    paths: dict[str, dict[str, Handler]] = {
        path: {"GET": page} for path, page in pages(api, metrics, published).items()
    }
    for operation in OPERATIONS:
        handler = Handler(operation.name, _endpoint(api, places, operation))
        paths.setdefault(PREFIX + operation.route.path, {})[operation.route.method] = handler
    paths[PREFIX + "/backups/{backup}/file"] = {"GET": Handler("download_backup", BackupEndpoint(api, places))}
    paths[MCP_PATH] = {"POST": Handler("other", mcp)}
    paths.update(mem0 := mem0_paths(api))
    app = Starlette(
        routes=[
            *extra_routes,
            *_routes(paths, _embedder_paths(api, metrics, settings), dict.fromkeys(mem0, render_for_mem0)),
        ],
        lifespan=lifespan,
        middleware=[
            Middleware(
                RequestMiddleware, trusted_host=TrustedHost(settings.host, settings.allowed_hosts), metrics=metrics
            )
        ],
    )
    app.router.redirect_slashes = False
    app.router.default = _not_found
    return app


def _endpoint(api: Api, places: StreamPlaces, operation: Operation) -> ASGIApp:
    if operation is EVENTS:
        return EventsEndpoint(api)
    if operation.stream == "out":
        return ExportEndpoint(api, places)
    return ImportEndpoint(api, places) if operation.stream == "in" else OperationEndpoint(api, operation)


def _embedder_paths(api: Api, metrics: Metrics, settings: Settings) -> dict[str, dict[str, Handler]]:
    # One thread for each request, waiting ones included: waiting for the model is cheap, and a short text must not queue before it.
    pool = ThreadPool(settings.max_concurrent_requests * (1 + WAITING_FACTOR), waiting=0)
    engine_metrics = EngineMetrics(metrics.registry, lambda: pool.inside)
    paths: dict[str, dict[str, Handler]] = {}
    for route in ROUTES:
        handler = Handler(route.name, EngineEndpoint(api, pool, route, engine_metrics))
        paths.setdefault(route.path, {})[route.method] = handler
    return paths


def _routes(
    paths: Mapping[str, Mapping[str, Handler]],
    embedder: Mapping[str, Mapping[str, Handler]],
    foreign: Mapping[str, ErrorRenderer],
) -> list[Route]:
    """The routes in the order in which they are tried: fixed paths first, since /memories/batch is no memory called "batch".

    `foreign` are the paths whose errors have a form of their own.
    """
    renderers = {**foreign, **{route.path: route.error_format.render for route in ROUTES}}
    every = {path: {**paths.get(path, {}), **embedder.get(path, {})} for path in {**paths, **embedder}}
    return [
        Route(
            _pattern(path, every),
            PathEndpoint(path, every[path], renderers.get(path)),
            middleware=[] if path in embedder else COMPRESSED,
        )
        for path in sorted(every, key=lambda path: path.count("{"))
    ]


class _Anything(Convertor[str]):
    """The rest of a path with any characters; starlette's `path` stops at a line break, and then no route matches."""

    regex = r"[\s\S]*"

    def convert(self, value: str) -> str:
        """Unchanged."""
        return value

    def to_string(self, value: str) -> str:
        """Unchanged."""
        return value


register_url_convertor("anything", _Anything())


def _pattern(path: str, paths: Mapping[str, object]) -> str:
    """The path for the router. A last parameter matches slashes too (`entity:person/Ada`), unless a longer path exists."""
    if path.endswith("}") and not any(other.startswith(path + "/") for other in paths):
        return path[:-1] + ":anything}"
    return path


async def _not_found(scope: Scope, receive: Receive, send: Send) -> None:
    del receive, send
    if scope["type"] == "http":
        raise NotFoundError(
            f"no route matches {scope['path'][:100]}", hint="the routes are listed at /docs and /v1/openapi.json"
        )
