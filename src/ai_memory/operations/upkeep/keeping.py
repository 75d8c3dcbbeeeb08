"""Operations that keep a store sound: its check, its backups, and the embedding models of this machine. Long ones are jobs."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from msgspec import Meta, Struct

from ai_memory.operations.base import Operation, Route
from ai_memory.operations.watching import JobView
from ai_memory.types import JobStatus, Problem

BackupName = Annotated[
    str, Meta(min_length=1, max_length=64, description="The name of a backup, as `backups` lists it.")
]


class CheckRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whether to repair first. The answer is the job; `findings` has what came of it."""

    repair: Annotated[
        bool, Meta(description="Make all derived parts again first: pending lists, the index, the graph, the vectors.")
    ] = False


class FindingsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class BackupsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class MakeBackupRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments: the service names the backup, and keeps it in its own folder."""


class VerifyBackupRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The backup to check as `check` checks the store."""

    backup: BackupName


class DeleteBackupRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The backup to delete."""

    backup: BackupName


class ModelsRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """No arguments."""


class FetchModelRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """The model to fetch: one of those that `models` lists. `reembed` switches to it."""

    model: Annotated[str, Meta(min_length=1, max_length=200, description="The name of a known model.")]


class Task(Struct, frozen=True, kw_only=True):
    """Work that goes on in the background: `jobs` and `events` say how far it is, `steer_job` cancels it."""

    job: JobView


class Findings(Struct, frozen=True, kw_only=True):
    """What the last check found. The audit chain, every digest and every reference are part of a check."""

    state: JobStatus | None = None
    """Of the last check; None where there was none."""
    at: dt.datetime | None = None
    """When it ended, or how far it is."""
    problems: tuple[Problem, ...] = ()
    """Empty where everything agrees, or before the first check has ended."""


class Backup(Struct, frozen=True, kw_only=True):
    """One copy of the whole store that this service made."""

    name: str
    bytes: int
    made_at: dt.datetime
    verified: JobStatus | None = None
    """How its last check is or ended; None where it was never checked."""
    problems: tuple[Problem, ...] = ()
    """What that check found."""


class Backups(Struct, frozen=True, kw_only=True):
    """The backups that this service made, the newest first."""

    backups: tuple[Backup, ...]
    folder: str
    """Where they are, on the machine of the service."""


class Model(Struct, frozen=True, kw_only=True):
    """One embedding model that this version knows."""

    name: str
    present: bool
    problem: str | None = None
    """What is wrong with its files."""
    active: bool = False
    """Whether the vectors that answer now are its."""
    runnable: bool
    dimensions: tuple[int, ...]
    max_tokens: int
    licence: str
    terms: str = ""
    """The address of terms that using it accepts."""
    job: JobView | None = None
    """How its download is, or ended."""


class Models(Struct, frozen=True, kw_only=True):
    """The models that this version knows, the best for most uses first."""

    models: tuple[Model, ...]


CHECK = Operation(
    name="check",
    summary="Check the store and all that is derived from it, and repair it",
    request=CheckRequest,
    response=Task,
    effect="write",
    idempotent=True,
    route=Route("POST", "/check"),
    command=None,
    whole_store=True,
)
FINDINGS = Operation(
    name="findings",
    summary="Show what the last check found",
    request=FindingsRequest,
    response=Findings,
    effect="read",
    idempotent=True,
    route=Route("GET", "/check"),
    command=None,
    whole_store=True,
)
BACKUPS = Operation(
    name="backups",
    summary="List the backups that the service has made",
    request=BackupsRequest,
    response=Backups,
    effect="read",
    idempotent=True,
    route=Route("GET", "/backups"),
    command=None,
    whole_store=True,
)
MAKE_BACKUP = Operation(
    name="make_backup",
    summary="Copy the store while it is in use",
    request=MakeBackupRequest,
    response=Task,
    effect="write",
    idempotent=False,
    route=Route("POST", "/backups"),
    command=None,
    whole_store=True,
)
VERIFY_BACKUP = Operation(
    name="verify_backup",
    summary="Check a backup as the store is checked",
    request=VerifyBackupRequest,
    response=Task,
    effect="write",
    idempotent=True,
    route=Route("POST", "/backups/{backup}/verify"),
    command=None,
    whole_store=True,
)
DELETE_BACKUP = Operation(
    name="delete_backup",
    summary="Delete a backup",
    request=DeleteBackupRequest,
    response=Backups,
    effect="erase",
    idempotent=True,
    route=Route("DELETE", "/backups/{backup}"),
    command=None,
    whole_store=True,
)
MODELS = Operation(
    name="models",
    summary="List the embedding models that this version knows, and which are installed",
    request=ModelsRequest,
    response=Models,
    effect="read",
    idempotent=True,
    route=Route("GET", "/embedding-models"),
    command=None,
    whole_store=True,
)
FETCH_MODEL = Operation(
    name="fetch_model",
    summary="Download an embedding model to the machine of the service",
    request=FetchModelRequest,
    response=Task,
    effect="write",
    idempotent=True,
    route=Route("POST", "/embedding-models/{model}/fetch"),
    command=None,
    whole_store=True,
)
