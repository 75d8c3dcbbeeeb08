"""A running service, over HTTP."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from ai_memory.client import Client
from ai_memory.operations.base import Operation
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest

TIMEOUT_SECONDS = 600.0
"""For one answer: an import or a `--wait` may take minutes."""


class HttpTarget:
    """Passes every call on to the client."""

    def __init__(self, url: str, api_key: str | None) -> None:
        self._client = Client(url, api_key=api_key, timeout=TIMEOUT_SECONDS)

    def call(self, operation: Operation, request: Struct) -> Any:
        """The operation's response."""
        return getattr(self._client, operation.name)(**_given(request))

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """JSON lines."""
        for line in self._client.export(**_given(request)):
            yield msgspec.json.encode(line) + b"\n"

    def import_lines(self, request: ImportRequest, lines: Iterable[bytes]) -> ImportReport:
        """What became of every line."""
        return self._client.import_lines(lines, **_given(request))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()


def _given(request: Struct) -> dict[str, Any]:
    """The request's fields as keyword arguments, without those that were left open."""
    return {name: value for name, value in msgspec.structs.asdict(request).items() if value is not UNSET}
