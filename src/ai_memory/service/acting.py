"""The service as somebody uses it: a caller whose every write is recorded as theirs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Progress
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest
from ai_memory.types import Actor

if TYPE_CHECKING:
    from ai_memory.service.service import Service


class Acting:
    """A `Caller` over a service, which it closes; `Service` itself acts for an agent."""

    def __init__(self, service: Service, actor: Actor) -> None:
        self._service = service
        self._actor = actor

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        """As `Caller.carry_out`."""
        return self._service.carry_out(operation, request, self._actor)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """As `Caller.export`."""
        return self._service.export(request)

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
    ) -> ImportReport:
        """As `Caller.import_lines`."""
        return self._service.import_lines(request, lines, progress, self._actor)

    def settle(self, timeout: float | None = None) -> bool:
        """As `Service.settle`."""
        return self._service.settle(timeout)

    def close(self) -> None:
        """As `Caller.close`."""
        self._service.close()
