"""The operations as plain methods, typed and documented.

Written by scripts/generate.py from the operations; do not edit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ai_memory.operations.caller import Progress
from ai_memory.operations.moving import NAMESPACES, ImportReport, Namespaces
from ai_memory.python.calls import Calls, Line


class MovingMethods(Calls):
    """The methods that move memories out and in."""

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
            "namespace": namespace, "resume_key": resume_key, "reinstate": reinstate, "tombstones": tombstones,
        }  # fmt: skip
        return self._import(values, lines, progress)
