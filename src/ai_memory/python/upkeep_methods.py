"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""
# ruff: noqa: A002 (parameters have the names of the requests' fields: id, type)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from ai_memory.operations.generations import (
    ACTIVATE_GENERATION,
    CANCEL_REEMBED,
    GENERATIONS,
    PRUNE_GENERATIONS,
    REEMBED,
    TAKE_BACK,
    Generations,
)
from ai_memory.operations.upkeep.events import EVENTS, EventKind, Events
from ai_memory.operations.upkeep.keeping import (
    BACKUPS,
    CHECK,
    DELETE_BACKUP,
    FETCH_MODEL,
    FINDINGS,
    MAKE_BACKUP,
    MODELS,
    VERIFY_BACKUP,
    Backups,
    Findings,
    Models,
    Task,
)
from ai_memory.operations.watching import HEALTH, JOBS, STATS, STEER_JOB, Health, Jobs, Stats
from ai_memory.python.calls import Calls
from ai_memory.types import JobStatus


class UpkeepMethods(Calls):
    """The methods of a store's state and its vector generations."""

    def jobs(
        self,
        *,
        namespace: str | None = None,
        kinds: str | Sequence[str] = (),
        states: JobStatus | str | Sequence[JobStatus | str] = (),
        ids: str | Sequence[str] = (),
        limit: int = 100,
    ) -> Jobs:
        """List background jobs, how far they are, and which wait for a person.

        namespace: Only jobs of this namespace. Default: those of the whole store.
        kinds: Only jobs of one of these kinds: erase_expired, lapse_proposals, reembed, import, check, backup,
            verify_backup or fetch_model.
        states: Only jobs in one of these states.
        ids: Only the jobs with these ids.
        limit: At most this many jobs, the newest.
        """
        values: dict[str, Any] = {"namespace": namespace, "kinds": kinds, "states": states, "ids": ids, "limit": limit}
        return self._carry_out(JOBS, values)

    def steer_job(self, id: str, action: Literal["pause", "resume", "cancel", "allow"]) -> Jobs:
        """Pause, resume, cancel or allow a background job.

        id: The job's id (job_…), or `all` to pause or resume all that decide.
        action: pause stops it after what it is doing, until resume; cancel ends it, so that nothing waits for a
            person any longer; allow lets one that the brake has stopped do once what waits now.
        """
        values: dict[str, Any] = {"id": id, "action": action}
        return self._carry_out(STEER_JOB, values)

    def stats(self, *, namespace: str | None = None) -> Stats:
        """Count what is stored.

        namespace: Count only this namespace. Default: the whole store.
        """
        values: dict[str, Any] = {"namespace": namespace}
        return self._carry_out(STATS, values)

    def health(self) -> Health:
        """Report which parts of the service work."""
        values: dict[str, Any] = {}
        return self._carry_out(HEALTH, values)

    def events(
        self,
        *,
        namespace: str | None = None,
        kinds: EventKind | str | Sequence[EventKind | str] = (),
        cursor: str | None = None,
        last: int = 0,
        wait: float = 0.0,
        limit: int = 200,
    ) -> Events:
        """Follow what happens: writes, proposals and background jobs.

        namespace: Only what happens in this namespace. Default: in all, with the jobs of the whole store.
        kinds: Only events of these kinds: memory, relation, proposal, feedback, tombstone or job.
        cursor: The cursor of an event or of an answer: what happened behind it. `start` is the first change of the
            store.
        last: Without a cursor: begin with this many of the newest writes.
        wait: Wait so many seconds where nothing has happened yet.
        limit: At most this many events, the earliest first.
        """
        values: dict[str, Any] = {
            "namespace": namespace, "kinds": kinds, "cursor": cursor, "last": last, "wait": wait, "limit": limit,
        }  # fmt: skip
        return self._carry_out(EVENTS, values)

    def check(self, *, repair: bool = False) -> Task:
        """Check the store and all that is derived from it, and repair it.

        repair: Make all derived parts again first: pending lists, the index, the graph, the vectors.
        """
        values: dict[str, Any] = {"repair": repair}
        return self._carry_out(CHECK, values)

    def findings(self) -> Findings:
        """Show what the last check found."""
        values: dict[str, Any] = {}
        return self._carry_out(FINDINGS, values)

    def backups(self) -> Backups:
        """List the backups that the service has made."""
        values: dict[str, Any] = {}
        return self._carry_out(BACKUPS, values)

    def make_backup(self) -> Task:
        """Copy the store while it is in use."""
        values: dict[str, Any] = {}
        return self._carry_out(MAKE_BACKUP, values)

    def verify_backup(self, backup: str) -> Task:
        """Check a backup as the store is checked.

        backup: The name of a backup, as `backups` lists it.
        """
        values: dict[str, Any] = {"backup": backup}
        return self._carry_out(VERIFY_BACKUP, values)

    def delete_backup(self, backup: str) -> Backups:
        """Delete a backup.

        backup: The name of a backup, as `backups` lists it.
        """
        values: dict[str, Any] = {"backup": backup}
        return self._carry_out(DELETE_BACKUP, values)

    def models(self) -> Models:
        """List the embedding models that this version knows, and which are installed."""
        values: dict[str, Any] = {}
        return self._carry_out(MODELS, values)

    def fetch_model(self, model: str) -> Task:
        """Download an embedding model to the machine of the service.

        model: The name of a known model.
        """
        values: dict[str, Any] = {"model": model}
        return self._carry_out(FETCH_MODEL, values)

    def generations(self) -> Generations:
        """List the vector generations, and the latest build."""
        values: dict[str, Any] = {}
        return self._carry_out(GENERATIONS, values)

    def reembed(
        self,
        *,
        model: str | None = None,
        dimension: int | None = None,
        dtype: str | None = None,
        rate: float | None = None,
        switch: bool = True,
    ) -> Generations:
        """Re-create all vectors in the background, then switch to them.

        model: The name of a known model, or a model folder. Default: the setting model; where that is auto and a
            dimension or dtype is given, the model of the store.
        dimension: The length of the vectors, one that the model supports. Default: the model's full length.
        dtype: The number format of the embedder's arithmetic, as in the setting dtype.
        rate: At most this many revisions per second, to leave time for other work. Default: no limit.
        switch: Switch to the new vectors as soon as they are complete; otherwise wait for activate_generation.
        """
        values: dict[str, Any] = {
            "model": model, "dimension": dimension, "dtype": dtype, "rate": rate, "switch": switch,
        }  # fmt: skip
        return self._carry_out(REEMBED, values)

    def cancel_reembed(self) -> Generations:
        """Stop re-creating vectors; those made so far are kept until they are pruned."""
        values: dict[str, Any] = {}
        return self._carry_out(CANCEL_REEMBED, values)

    def activate_generation(self, *, incomplete: bool = False) -> Generations:
        """Switch to the generation that was built.

        incomplete: Switch even if vectors are missing; memories without one are found only lexically until they have
            it.
        """
        values: dict[str, Any] = {"incomplete": incomplete}
        return self._carry_out(ACTIVATE_GENERATION, values)

    def take_back(self, *, generation: int | None = None) -> Generations:
        """Switch back to a retired generation.

        generation: The id of a retired generation. Default: the one before the last switch.
        """
        values: dict[str, Any] = {"generation": generation}
        return self._carry_out(TAKE_BACK, values)

    def prune_generations(self, *, generation: int | None = None) -> Generations:
        """Delete retired generations and their vectors.

        generation: Delete only this generation. Default: all retired ones.
        """
        values: dict[str, Any] = {"generation": generation}
        return self._carry_out(PRUNE_GENERATIONS, values)
