"""The service in this process, for when none is running."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable, Iterator
from typing import Any

from msgspec import Struct

from ai_memory.operations.base import Operation
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest
from ai_memory.operations.watching import StatsRequest
from ai_memory.settings import Settings
from ai_memory.wiring import open_service

SETTLE_SECONDS = 60.0
"""How long a command that wrote makes vectors before it leaves the rest owed."""


class LocalTarget:
    """Opens the store; after a write, `close` makes the vectors that are owed, as far as a minute goes."""

    def __init__(self, settings: Settings, *, any_embedder: bool = False) -> None:
        logging.getLogger("ai_memory").setLevel(logging.ERROR if settings.log_level != "debug" else logging.DEBUG)
        self._service = open_service(settings, any_embedder=any_embedder)
        self._wrote = False

    def call(self, operation: Operation, request: Struct) -> Any:
        """The operation's response."""
        self._wrote |= operation.effect == "write"
        return getattr(self._service, operation.name)(request)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """JSON lines."""
        return self._service.export(request)

    def import_lines(self, request: ImportRequest, lines: Iterable[bytes]) -> ImportReport:
        """What became of every line."""
        self._wrote = True
        return self._service.import_lines(request, lines)

    def close(self) -> str | None:
        """Make owed vectors for at most a minute, then close the store."""
        try:
            if not self._wrote:
                return None
            begun = time.monotonic()
            if self._service.settle(SETTLE_SECONDS) or time.monotonic() - begun < SETTLE_SECONDS:
                return None  # done, or there is no model, which every receipt has said
            pending = self._service.stats(StatsRequest()).pending
            return f"{pending:,} texts are found by words but not by meaning yet; `ai-memory serve` makes their vectors"
        finally:
            self._service.close()
