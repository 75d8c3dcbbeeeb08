"""A caller that writes nothing: it reads what an import sends as a service would, counts it and keeps a few samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from ai_memory.cli.output.arrival import Sample
from ai_memory.decoding import from_json, whole_characters
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Progress
from ai_memory.operations.imported import exact_draft, lenient_drafts
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest, LineWarning, RejectedLine
from ai_memory.operations.writing import Draft, Receipts, RememberManyRequest
from ai_memory.types import Outcome, Receipt

SAMPLES = 3
MOST_NAMED = 1_000
_RELATIONS = ("link", "relation")


class Rehearsal:
    """A `Caller` for the two ways in which an import sends: lines, and drafts in batches."""

    def __init__(self) -> None:
        self.memories = self.relations = 0
        self.types: Counter[str] = Counter()
        self.samples: list[Sample] = []

    def carry_out(self, operation: Operation[Request, Response], request: Request) -> Response:
        """Receipts that say what would be stored. Only `remember_many` is ever sent: relations need what was stored."""
        assert isinstance(request, RememberManyRequest), operation.name
        for each in request.memories:
            self._take(each)
        receipts = tuple(Receipt(outcome=Outcome.STORED) for _ in request.memories)
        return Receipts(receipts=receipts, counts={Outcome.STORED.value: len(receipts)})  # type: ignore[return-value]

    def export(self, request: ExportRequest) -> Iterator[bytes]:  # noqa: ARG002 - the protocol names it
        """Nothing: nothing was stored."""
        return iter(())

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
    ) -> ImportReport:
        """What would become of the lines."""
        del request, progress
        rejected: list[RejectedLine] = []
        warnings: list[LineWarning] = []
        counts: Counter[str] = Counter()
        number = 0
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                said = self._line(line)
            except (MemoryServiceError, msgspec.MsgspecError, UnicodeError, RecursionError) as error:
                counts["rejected"] += 1
                if len(rejected) < MOST_NAMED:
                    code = error.code if isinstance(error, MemoryServiceError) else "invalid_input"
                    reason = error.message if isinstance(error, MemoryServiceError) else str(error)
                    rejected.append(RejectedLine(line=number, code=code, reason=reason))
            else:
                counts["stored"] += 1
                room = MOST_NAMED - len(warnings)
                warnings += [LineWarning(line=number, message=each) for each in said[:room]]
        return ImportReport(
            lines=number, counts=dict(counts), rejected=tuple(rejected), skipped=0, warnings=tuple(warnings)
        )

    def close(self) -> None:
        """Nothing is open."""

    def _line(self, line: bytes) -> tuple[str, ...]:
        """Take one line; returns the warnings about it."""
        values = from_json(whole_characters(line.removeprefix(b"\xef\xbb\xbf")), dict[str, Any])
        record = values.pop("record", None)
        if record in _RELATIONS:
            self.relations += 1
        elif record in (None, "draft"):
            values.pop("ref", None)
            values.pop("namespace", None)
            exact = exact_draft(values)
            drafts, warnings = ([exact], ()) if exact is not None else lenient_drafts(values)
            for draft in drafts:
                self._take(draft)
            return warnings
        elif record == "memory" and values.get("retired_at") is None:
            self.memories += 1
            self.types[str(values.get("type"))] += 1
        return ()

    def _take(self, draft: Draft) -> None:
        if not draft.text.strip():
            raise InvalidInputError("text is empty", field="text")
        self.memories += 1
        self.types[draft.type.value] += 1
        if len(self.samples) < SAMPLES:
            self.samples.append(
                Sample(
                    text=draft.text,
                    type=draft.type.value,
                    title=draft.title,
                    author=draft.author,
                    session=draft.session,
                    context=draft.context,
                    tags=draft.tags,
                    valid_from=None if draft.valid_from is None else draft.valid_from.isoformat(),
                    source=draft.source,
                )
            )
