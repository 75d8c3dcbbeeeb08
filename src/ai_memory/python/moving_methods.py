"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ai_memory.operations.caller import Progress
from ai_memory.operations.generations import (
    ACTIVATE_GENERATION,
    CANCEL_REEMBED,
    GENERATIONS,
    PRUNE_GENERATIONS,
    REEMBED,
    TAKE_BACK,
    Generations,
)
from ai_memory.operations.moving import NAMESPACES, ImportReport, Namespaces
from ai_memory.python.calls import Calls, Line


class MovingMethods(Calls):
    """The methods that move memories out and in, or to vectors of another model."""

    def namespaces(self) -> Namespaces:
        """List the namespaces in use."""
        values: dict[str, Any] = {}
        return self._carry_out(NAMESPACES, values)

    def export(
        self,
        *,
        namespace: str | None = None,
        current_only: bool = False,
        tombstones: bool = True,
    ) -> Iterator[dict[str, Any]]:
        """Export memories as JSON lines.

        namespace: Export only this namespace. Default: all namespaces.
        current_only: Export only current revisions, without history, relations, retired memories and tombstones.
        tombstones: Also export what another store needs to refuse the texts that were forgotten here. No text can be
            read from it, but short ones can be guessed.
        """
        values: dict[str, Any] = {"namespace": namespace, "current_only": current_only, "tombstones": tombstones}
        return self._export(values)

    def import_lines(
        self,
        lines: Iterable[Line],
        *,
        namespace: str | None = None,
        resume_key: str | None = None,
        reinstate: bool = False,
        tombstones: bool = True,
        progress: Progress | None = None,
    ) -> ImportReport:
        """Import memories from JSON lines.

        lines: Values, or JSON text: drafts as for remember, or an archive's lines.
        namespace: Import everything into this namespace. Default: the namespace that each line names, else default.
        resume_key: A name for this import, up to 256 characters; a later call with the same name resumes where it
            ended.
        reinstate: Import memories even if the same texts were forgotten before.
        tombstones: Refuse from now on what was forgotten in the store that the archive is of.
        progress: Called after each batch with the lines done and the counts so far.
        """
        values: dict[str, Any] = {
            "namespace": namespace,
            "resume_key": resume_key,
            "reinstate": reinstate,
            "tombstones": tombstones,
        }
        return self._import(values, lines, progress)

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
            "model": model,
            "dimension": dimension,
            "dtype": dtype,
            "rate": rate,
            "switch": switch,
        }
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
