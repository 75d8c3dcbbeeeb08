"""Operations that export and import memories as JSON lines."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from ai_memory.operations.base import Command, Operation, Route


class ExportRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """What to export: one namespace, or all of them. The export has one JSON object per line."""

    namespace: Annotated[str | None, Meta(description="Export only this namespace. Default: all namespaces.")] = None
    current_only: Annotated[
        bool,
        Meta(description="Export only current revisions, without history, relations, retired memories and tombstones."),
    ] = False
    tombstones: Annotated[
        bool,
        Meta(
            description="Also export what another store needs to refuse the texts that were forgotten here. No text can be read "
            "from it, but short ones can be guessed.",
            extra={"short": "Also what another store needs to refuse what was forgotten."},
        ),
    ] = True


class ImportRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """How to import JSON lines: an archive made by export, or one draft per line with the fields of remember.

    A draft's list may be a string as in "a, b", and null is read as not given. What is not understood becomes an attribute, and a
    text over the limit several memories; `warnings` of the report has both. A line with `"record": "draft"` may name itself in
    `ref`; later lines with `"record": "link"` and the fields of relate may mean it by `ref:NAME`.
    """

    namespace: Annotated[
        str | None,
        Meta(
            description="Import everything into this namespace. Default: the namespace that each line names, else default."
        ),
    ] = None
    resume_key: Annotated[
        Annotated[str, Meta(max_length=256)] | None,
        Meta(
            description="A name for this import, up to 256 characters; a later call with the same name resumes where it ended."
        ),
    ] = None
    reinstate: Annotated[bool, Meta(description="Import memories even if the same texts were forgotten before.")] = (
        False
    )
    tombstones: Annotated[
        bool, Meta(description="Refuse from now on what was forgotten in the store that the archive is of.")
    ] = True


class RejectedLine(Struct, frozen=True, kw_only=True):
    """One line that was not imported: its number (from 1), the error's code, and why."""

    line: int
    code: str
    reason: str


class LineWarning(Struct, frozen=True, kw_only=True):
    """One imported line that was read otherwise than it was meant: its number (from 1), and how."""

    line: int
    message: str


class ImportReport(Struct, frozen=True, kw_only=True):
    """What became of the lines. `counts` counts all of them by outcome; `rejected` and `warnings` have the first 1,000 each."""

    lines: int
    counts: dict[str, int]
    rejected: tuple[RejectedLine, ...]
    skipped: int
    """Lines that an earlier, interrupted run had already imported."""
    state: Literal["done", "interrupted"] = "done"
    warnings: tuple[LineWarning, ...] = ()


class NamespacesRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class NamespaceCount(Struct, frozen=True, kw_only=True):
    """One namespace and its number of memories, without the retired ones."""

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
    summary="Export memories as JSON lines",
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
    summary="Import memories from JSON lines",
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
    summary="List the namespaces in use",
    request=NamespacesRequest,
    response=Namespaces,
    effect="read",
    idempotent=True,
    route=Route("GET", "/namespaces"),
    command=Command(name="namespaces"),
    visible=_only,
)
