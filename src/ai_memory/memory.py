"""The service in this process."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any

import msgspec

from ai_memory.errors import InvalidInputError
from ai_memory.installation import require_service
from ai_memory.operations.moving import EXPORT, IMPORT, ImportReport
from ai_memory.python.calls import Line, Progress, Response, build, encode_line
from ai_memory.python.methods import Methods

if TYPE_CHECKING:
    from ai_memory.settings import Settings


class Memory(Methods):
    """A store opened in this process. May be used from any thread; use it as a context manager or close it.

    Other processes may have the same store open; each sees the others' writes at its next call.
    """

    def __init__(
        self,
        path: str | PathLike[str] | None = None,
        *,
        data_dir: str | PathLike[str] | None = None,
        settings: Settings | None = None,
        **flags: Any,
    ) -> None:
        """Open the store at `path`, or the one of `data_dir`, or the user's own.

        What is not given here comes from the environment and the configuration file; `flags` are further settings by name,
        such as `model="none"`. With `settings`, exactly those are used and nothing else may be given. Raises
        InvalidInputError for a wrong setting, NotInstalledError where only the client is installed, and StoreError's
        subclasses where the store cannot be opened.
        """
        require_service("Memory")
        from ai_memory.settings import given_settings
        from ai_memory.wiring import open_service  # loads numpy; whoever only imports Client need not wait for it

        if settings is None:
            settings = given_settings({"store": path, "data_dir": data_dir, **flags})
        elif path is not None or data_dir is not None or flags:
            raise InvalidInputError("settings are given, and a path or single settings too", hint="give one of them")
        self.settings = settings
        self._service = open_service(settings)

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory can be found by meaning; False at the time limit (seconds) or without a model."""
        return self._service.settle(timeout)

    def close(self) -> None:
        """Finish what was acknowledged and release the store. May be called twice."""
        self._service.close()

    def __enter__(self) -> Memory:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _call(self, name: str, response: type[Response], values: Mapping[str, Any]) -> Response:
        answer = getattr(self._service, name)(build(name, values))
        assert isinstance(answer, response)
        return answer

    def _export(self, values: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        request: Any = build(EXPORT.name, values)
        for line in self._service.export(request):
            yield msgspec.json.decode(line)

    def _import(self, values: Mapping[str, Any], lines: Iterable[Line], progress: Progress | None) -> ImportReport:
        request: Any = build(IMPORT.name, values)
        return self._service.import_lines(request, map(encode_line, lines), progress)
