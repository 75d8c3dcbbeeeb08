"""The service over HTTP, as a caller: the same operations, carried out by a process that runs elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import msgspec
from msgspec import NODEFAULT, UNSET, Struct

from ai_memory.decoding import from_builtins, from_json
from ai_memory.errors import ConflictError, InvalidInputError
from ai_memory.operations.base import PREFIX, Operation, Request, Response, fields_of
from ai_memory.operations.caller import Progress
from ai_memory.operations.moving import EXPORT, IMPORT, ExportRequest, ImportReport, ImportRequest
from ai_memory.places import Address
from ai_memory.types import Actor
from ai_memory.wire import Wire

DEFAULT_URL = "http://127.0.0.1:7677"
DEFAULT_TIMEOUT = 60.0
PROGRESS_EVERY = 500
ACTOR_HEADER = "X-AI-Memory-Actor"
PROOF_HEADER = "X-AI-Memory-Proof"


class RemoteService:
    """A `Caller` whose operations a running service carries out. May be used from any thread.

    Raises what the service answers with, and ServiceUnavailableError where nothing answers. A request that only reads is tried
    a second time when the connection breaks, and so is a write that has an idempotency key.
    """

    def __init__(
        self,
        url: str | Address = DEFAULT_URL,
        *,
        api_key: str | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        actor: Actor | None = None,
        proof: str = "",
    ) -> None:
        """`url` may say how to make sure of the service. `timeout` is in seconds, for connecting and each wait for an answer.

        `actor` is who writes; the service believes that it is a person where the key or `proof` shows it, and takes it for an
        agent otherwise.
        """
        headers = {} if actor is None else {ACTOR_HEADER: str(actor)}
        self._wire = Wire(
            url, api_key, timeout, prefix=PREFIX, headers=headers | ({PROOF_HEADER: proof} if proof else {})
        )

    @property
    def url(self) -> str:
        """The service's address."""
        return self._wire.url

    def close(self) -> None:
        """Close the idle connections. May be called twice."""
        self._wire.close()

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        """As `Caller.carry_out`."""
        target, body = written(operation, request)
        again = operation.effect == "read" or getattr(request, "idempotency_key", None) is not None
        try:
            reply = self._wire.send(operation.route.method, target, body, again=again)
        except ConflictError as error:
            if operation.refusal is not None and "receipt" in error.details:  # REST reports a refusal as an error
                return from_builtins(error.details["receipt"], operation.response)
            raise
        return from_json(reply.body, operation.response)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """As `Caller.export`."""
        target, _ = written(EXPORT, request)
        return self._wire.receive_lines(target)

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
    ) -> ImportReport:
        """As `Caller.import_lines`; the counts are known at the end only."""
        target, _ = written(IMPORT, request)
        reply = self._wire.send_lines(target, _counted(lines, progress))
        report = from_json(reply.body, ImportReport)
        if progress is not None:
            progress(report.lines, dict(report.counts))
        return report


def _counted(lines: Iterable[bytes], progress: Progress | None) -> Iterator[bytes]:
    """The lines without their ends."""
    for number, line in enumerate(lines, start=1):
        yield line.rstrip(b"\r\n")
        if progress is not None and number % PROGRESS_EVERY == 0:
            progress(number, {})


def written(operation: Operation, request: Struct) -> tuple[str, bytes | None]:
    """The target (path and query below /v1) and the JSON body of a request; fields that have their default are left out.

    Raises InvalidInputError for text that UTF-8 cannot hold.
    """
    values = {
        field.name: value
        for field in fields_of(type(request)).values()
        if (value := getattr(request, field.name)) is not UNSET and not _is_default(field, value)
    }
    try:
        target = operation.route.path
        for name in list(values):
            if f"{{{name}}}" in target:
                target = target.replace(f"{{{name}}}", quote(values.pop(name), safe=""))
        if operation.route.method in ("GET", "DELETE") or operation.stream == "in":
            query = urlencode(list(_parameters(values)))
            return f"{target}?{query}" if query else target, None
        return target, msgspec.json.encode(values)
    except UnicodeEncodeError:
        raise InvalidInputError(
            "the request has half a surrogate pair in a text, which UTF-8 cannot hold",
            hint="decode the text with errors='replace' where it comes from",
        ) from None


def _is_default(field: msgspec.structs.FieldInfo, value: Any) -> bool:
    if field.default is not NODEFAULT:
        return bool(value == field.default)
    return field.default_factory is not NODEFAULT and bool(value == field.default_factory())


def _parameters(values: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Fields as query parameters; a list of one is written as JSON where a comma or bracket in it would be read as several."""
    for name, value in msgspec.to_builtins(dict(values)).items():
        if isinstance(value, list | tuple):
            if len(value) == 1 and ("," in value[0] or value[0].startswith("[") or not value[0]):
                yield name, msgspec.json.encode(value).decode()
            else:
                yield from ((name, item) for item in value)
        elif isinstance(value, dict):
            yield name, msgspec.json.encode(value).decode()
        elif isinstance(value, bool):
            yield name, "true" if value else "false"
        else:
            yield name, str(value)
