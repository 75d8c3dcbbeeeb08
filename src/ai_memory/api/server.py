"""The server process: opens the service, listens, publishes its address, and shuts down gracefully."""

from __future__ import annotations

import logging
import math
import os
import secrets
import signal
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import uvicorn
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ai_memory.api.allocator import limit_arenas, trimming
from ai_memory.api.app import create_app
from ai_memory.api.connections import Connections, Server, connection_limit
from ai_memory.api.logs import FIELDS, configure_logging
from ai_memory.discovery import Announcement, RunningService
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.operations.watching import HEALTH, HealthRequest
from ai_memory.places import is_loopback
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service

logger = logging.getLogger("ai_memory.api")

BACKLOG = 512
SECRET_BYTES = 32
"""Of the secret by which programs on this machine know the server."""


def serve(
    settings: Settings,
    *,
    say: Callable[[str], None] | None = None,
    extra_routes: Callable[[Service], Sequence[BaseRoute]] | None = None,
) -> None:
    """Run the server until SIGTERM or SIGINT; then stop listening, finish the requests in progress, and close the service.

    `say` receives the startup lines, the log by default. Raises InvalidInputError when the server would listen beyond loopback
    without API keys or its address is in use, ConflictError when another server has the data folder, and StoreError's subclasses.
    """
    check_exposure(settings)
    configure_logging(settings.log_level, settings.log_format)
    limit_arenas()
    announcement = Announcement(settings.data_dir)
    try:
        listener = listen(settings.host, settings.port)
        with listener:
            service = open_service(settings)
            try:
                with trimming():
                    _run(settings, service, listener, announcement, say or logger.info, extra_routes)
            finally:
                service.close()
    finally:
        announcement.withdraw()


def check_exposure(settings: Settings) -> None:
    """Raise InvalidInputError for a server that other machines could use without a key."""
    if not is_loopback(settings.host) and not any(settings.api_keys.values()):
        raise InvalidInputError(
            f"{settings.host} can be reached from other machines, and there are no API keys",
            hint='set AI_MEMORY_API_KEYS=\'{"*": ["a long random key"]}\', or listen on 127.0.0.1',
            host=settings.host,
        )


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; connections wait in its queue until the server takes them. Raises InvalidInputError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise InvalidInputError(
            f"cannot listen on {host}:{port}: {error.strerror or error}",
            hint="choose another with --host and --port, or port 0 for a free one",
            host=host,
            port=port,
        ) from None


def address_of(host: str, listener: socket.socket) -> str:
    """The URL by which programs on this machine reach `listener`."""
    port = listener.getsockname()[1]
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 (a comparison, not a bind)
    return f"http://{f'[{reachable}]' if ':' in reachable else reachable}:{port}"


def _run(
    settings: Settings,
    service: Service,
    listener: socket.socket,
    announcement: Announcement,
    say: Callable[[str], None],
    extra_routes: Callable[[Service], Sequence[BaseRoute]] | None,
) -> None:
    url = address_of(settings.host, listener)
    running = RunningService(
        url=url,
        pid=os.getpid(),
        version=service.version,
        store=settings.store_place,
        secret=secrets.token_hex(SECRET_BYTES),
        person_proof=secrets.token_hex(16),
    )
    app = create_app(
        service,
        settings,
        stopping=lambda: server.should_exit,
        extra_routes=extra_routes(service) if extra_routes is not None else (),
        published=running,
        proof=running.person_proof,
    )
    server = build_server(_Published(app, service, announcement, running, say), settings)
    if settings.preload:
        threading.Thread(target=_warm_up, args=(service,), name="warm-up", daemon=True).start()
    service.resume_build()
    with _stop_on_signals(server):
        server.run(sockets=[listener])
    logger.info("stopped", extra={FIELDS: {"url": url}})


def build_server(app: ASGIApp, settings: Settings) -> Server:
    """A uvicorn server as this service needs it: one process, our logging, limited connections and time to stop."""
    config = uvicorn.Config(
        app,
        ws="none",
        loop="auto",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_seconds),
    )
    return Server(config, Connections(connection_limit(settings.max_connections), settings.client_seconds))


def start_lines(service: Service, url: str) -> Iterator[str]:
    """The startup lines: the server's address, and the state of its parts."""
    yield f"AI Memory Service {service.version} at {url} (API page: {url}/docs)"
    for part in service.carry_out(HEALTH, HealthRequest()).parts:
        yield f"{part.name}: {part.message}" + (f" (fix: {part.mend})" if part.mend else "")


class _Published:
    """Publishes the service file once the application has started; `serve` removes it at the end."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        announcement: Announcement,
        running: RunningService,
        say: Callable[[str], None],
    ) -> None:
        self._app = app
        self._service = service
        self._announcement = announcement
        self._say = say
        self._running = running

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; publish when the startup is complete."""
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return

        async def publishing(message: Message) -> None:
            if message["type"] == "lifespan.startup.complete":
                self._announcement.publish(self._running)
                for line in start_lines(self._service, self._running.url):
                    self._say(line)
            await send(message)

        await self._app(scope, receive, publishing)


def _warm_up(service: Service) -> None:
    """Load the model in the background; failures show in /v1/health and as notices in answers."""
    try:
        service.warm_up()
    except MemoryServiceError as error:
        logger.warning("the model could not be loaded: %s", error.message)
    except Exception:
        logger.exception("the model could not be loaded: internal error")


@contextmanager
def _stop_on_signals(server: Server) -> Iterator[None]:
    """Make SIGTERM and SIGINT stop the server and let it return normally, also before and after uvicorn handles them itself."""
    earlier = {number: signal.signal(number, server.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
