"""Operations that move memories in and out as JSON lines or Markdown."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route


class ExportRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to write out: a namespace, or all of them. One JSON object a line (see the export page)."""

    namespace: Annotated[str | None, Meta(description="Only this namespace; all of them when not given.")] = None
    current_only: Annotated[
        bool, Meta(description="Only current revisions, without history, relations and retired memories.")
    ] = False


class ImportRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """How to read JSON lines: an archive made by export, or one draft a line as for remember."""

    namespace: Annotated[
        str | None, Meta(description="Put everything into this namespace; an archive's own namespaces when not given.")
    ] = None
    resume_key: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        Meta(description="Names this import; a later call with the same key goes on where an earlier one ended."),
    ] = None
    reinstate: Annotated[bool, Meta(description="Keep texts even if they were forgotten before.")] = False


class RejectedLine(Struct, frozen=True, kw_only=True):
    """One line that was not taken: its number (from 1), why, and what mends it."""

    line: int
    code: str
    reason: str


class ImportReport(Struct, frozen=True, kw_only=True):
    """What became of every line. `rejected` holds the first 1,000; `counts` counts all by outcome."""

    lines: int
    counts: dict[str, int]
    rejected: tuple[RejectedLine, ...]
    skipped: int
    """Lines that an earlier, interrupted run had done already."""
    state: Literal["done", "interrupted"] = "done"


class NamespacesRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class NamespaceCount(Struct, frozen=True, kw_only=True):
    """One namespace and its number of unretired memories."""

    namespace: str
    memories: int


class Namespaces(Struct, frozen=True, kw_only=True):
    """The namespaces that the caller may see, sorted."""

    namespaces: tuple[NamespaceCount, ...]


def _only(response: Namespaces, opened: frozenset[str]) -> Namespaces:
    """The namespaces among those that a key opens."""
    return Namespaces(namespaces=tuple(one for one in response.namespaces if one.namespace in opened))


EXPORT = Operation(
    name="export",
    summary="Write memories out as JSON lines",
    request=ExportRequest,
    response=bytes,
    effect="read",
    idempotent=True,
    route=Route("GET", "/export"),
    command=Command(name="export"),
    stream="out",
)
IMPORT = Operation(
    name="import_lines",
    summary="Take memories in from JSON lines",
    request=ImportRequest,
    response=ImportReport,
    effect="write",
    idempotent=True,
    route=Route("POST", "/import"),
    command=Command(name="import"),
    stream="in",
)
NAMESPACES = Operation(
    name="namespaces",
    summary="The namespaces in use",
    request=NamespacesRequest,
    response=Namespaces,
    effect="read",
    idempotent=True,
    route=Route("GET", "/namespaces"),
    command=Command(name="namespaces"),
    visible=_only,
)
