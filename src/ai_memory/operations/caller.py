"""What carries operations out: the one protocol between the surfaces and the service.

`service.Service` is a caller in this process, `remote.RemoteService` one over HTTP. The typed Python methods, REST, MCP and the
command line use whichever they are given and know no other way to a memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest

Progress = Callable[[int, dict[str, int]], None]
"""Called now and then with the number of lines done, and how many had each outcome so far (empty where not yet known)."""


class Caller(Protocol):
    """Carries out operations. Every method may be called from any thread, and raises the errors of `ai_memory.errors`."""

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        """The response to a request of any operation that does not stream.

        A rejected write is a response too: a receipt with that outcome, not an error.
        """
        ...

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """The lines of an archive: JSON in UTF-8, each with its line end."""
        ...

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
    ) -> ImportReport:
        """What became of each line: JSON in UTF-8, with or without its line end. Lines are read one by one as they are sent."""
        ...

    def close(self) -> None:
        """Finish what was acknowledged and release everything. May be called twice."""
        ...
