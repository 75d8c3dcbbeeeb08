"""Handlers that move memories out and in as JSON lines.

An archive begins with a line `{"record": "archive", "format": 1}`; then come the revisions of each memory (`"record":
"memory"`, oldest first), entities, relations, proposals, feedback and tombstones. It holds no time of its own, so that equal stores
give equal archives.
Lines without a `record` are drafts with the fields of remember, read as people and other programs write them. A line with
`"record": "draft"` is one too and may have a `ref`, a name for later lines with `"record": "link"`: these have the fields of
relate, and `ref:NAME` where they mean that draft.
"""

from __future__ import annotations

import codecs
import dataclasses
import hashlib
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

import msgspec

from ai_memory.decoding import from_builtins, whole_characters
from ai_memory.errors import InvalidInputError, MemoryServiceError
from ai_memory.inbox import Feedback, Judge, Proposal, Propose
from ai_memory.operations.base import parse
from ai_memory.operations.caller import Progress
from ai_memory.operations.graph import RelateRequest
from ai_memory.operations.imported import exact_draft, lenient_drafts
from ai_memory.operations.moving import (
    ExportRequest,
    ImportReport,
    ImportRequest,
    LineWarning,
    NamespaceCount,
    Namespaces,
    NamespacesRequest,
    RejectedLine,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.archived import checked_feedback, checked_proposal
from ai_memory.service.handlers.drafts import check_namespace, check_record, to_remember
from ai_memory.service.handlers.expiry import with_expiry
from ai_memory.service.handlers.graph.relations import check_relation, checked_entity, checked_relation, to_relate
from ai_memory.service.handlers.once import write
from ai_memory.service.parts import Parts
from ai_memory.store.base import Command, Duplicate, Exclude, Rejected, Relate, Restore, Result, Stored, Unchanged
from ai_memory.text.normal import dedup_key
from ai_memory.types import (
    DEFAULT_NAMESPACE,
    Actor,
    ArchivedTombstone,
    Entity,
    Job,
    JobStatus,
    MemoryRecord,
    Relation,
    contains_forgotten,
)

Written = TypeVar("Written", MemoryRecord, Relation)

logger = logging.getLogger(__name__)

FORMAT = 1
BATCH = 500
MAX_LINE_BYTES = 4 * 1024 * 1024
MAX_REJECTED = 1_000
REF = "ref:"
_DIGEST = re.compile("[0-9a-f]{32}")


def export(parts: Parts, request: ExportRequest) -> Iterator[bytes]:
    """JSON lines, each ending in a newline, from one consistent snapshot."""
    yield _line("archive", {"format": FORMAT})
    # Read before the rest: what is forgotten meanwhile is either among the memories or not, and in both cases no tombstone is here.
    kept = parts.store.tombstones(request.namespace) if request.tombstones and not request.current_only else []
    for item in parts.store.export(request.namespace):
        if request.current_only and (not isinstance(item, MemoryRecord) or item.retired_at is not None):
            continue
        yield _line(_RECORDS[type(item)], msgspec.to_builtins(item))
    for tombstone in kept:  # last, so that an import checks the archive's own memories against none of them
        yield _line("tombstone", msgspec.to_builtins(tombstone))


def import_lines(
    parts: Parts, request: ImportRequest, lines: Iterable[bytes], progress: Progress | None = None
) -> ImportReport:
    """Take lines in batches, each durable before the next is read; every wrong line is reported and does not stop the rest."""
    run = Import(parts, request, progress)
    run.read(lines)
    return run.finish()


def namespaces(parts: Parts, request: NamespacesRequest) -> Namespaces:
    """The namespaces in use."""
    del request
    counts = parts.store.namespaces()
    return Namespaces(namespaces=tuple(NamespaceCount(namespace=name, memories=count) for name, count in counts))


_RECORDS: dict[type, str] = {
    MemoryRecord: "memory",
    Relation: "relation",
    Entity: "entity",
    Proposal: "proposal",
    Feedback: "feedback",
}


def _line(record: str, values: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"record": record, **values}) + b"\n"


class Import:
    """One run over the lines of an import, which may come in parts, each from another thread."""

    def __init__(self, parts: Parts, request: ImportRequest, progress: Progress | None = None) -> None:
        self._parts = parts
        self._writing = dataclasses.replace(parts, actor=Actor.IMPORT)
        self._request = request
        self._progress = progress
        self._job = self._begin()
        self.skipped = int(self._job.progress.get("lines", 0)) if self._job else 0
        self._counts: Counter[str] = Counter()
        self._rejected: list[RejectedLine] = []
        self._warnings: list[LineWarning] = []
        self._pending: list[tuple[int, Command]] = []
        self._history: list[tuple[int, MemoryRecord]] = []
        self._entities: dict[tuple[str, str], Entity] = {}
        self._refs: dict[str, str | None] = {}
        """The memories that drafts with a `ref` became; None for one that was refused."""
        self._named: dict[int, str] = {}
        """The refs of pending drafts, by the number of their line."""
        self._last = self.skipped
        self._number = 0

    def read(self, lines: Iterable[bytes]) -> None:
        """Take the next lines; each batch is durable before the next is read. Lines of an earlier run are left out."""
        for line in lines:
            self._number += 1
            line = _without_mark(line) if self._number == 1 else line
            if self._number > self.skipped:
                self._take(self._number, line)
            elif b'"entity"' in line or b'"ref"' in line:
                self._take_up(line)

    def _take_up(self, line: bytes) -> None:
        """Of the lines that an earlier run has read, relations that are still to come may need the entities and named drafts."""
        try:
            values = _decode(line)
            if values is None:
                return
            record = values.get("record")
            if record == "entity":
                del values["record"]
                self._keep_entity(values)
            elif record == "draft" and "ref" in values:  # stored already: what is sent again says as which memory
                self._read(self._number, values)
                if len(self._pending) >= BATCH:
                    self._flush()
        except (MemoryServiceError, msgspec.ValidationError, UnicodeEncodeError) as error:
            logger.info("an entity of an earlier run is left out, as it was then: %s", error)

    def _take(self, number: int, line: bytes) -> None:
        """Read one line; it is written with its batch."""
        try:
            values = _decode(line)
            if values is not None:
                self._read(number, values)
        except (MemoryServiceError, msgspec.ValidationError, UnicodeEncodeError) as error:
            self._reject(number, error)
        self._last = number
        if len(self._pending) >= BATCH and not self._history:
            self._flush()

    def finish(self) -> ImportReport:
        """Write what is left and report what became of each line."""
        self._close_history()
        self._flush()
        self._save_job("done")
        return ImportReport(
            lines=self._last,
            counts=dict(sorted(self._counts.items())),
            rejected=tuple(self._rejected),
            skipped=self.skipped,
            warnings=tuple(self._warnings),
        )

    def _read(self, number: int, values: dict[str, Any]) -> None:
        record = values.pop("record", None)
        if record == "memory":
            self._read_revision(number, self._vouched(from_builtins(values, MemoryRecord)))
            return
        self._close_history()
        if record is None or record == "draft":
            if record is not None and (ref := values.pop("ref", None)) is not None:
                self._named[number] = str(ref)
                self._refs.setdefault(str(ref), None)
            self._read_draft(number, values, self._namespace_of(values))
        elif record == "link":
            link = self._link(values, self._namespace_of(values))  # may write what is pending first
            self._pending.append((number, link))
        elif record == "entity":
            self._keep_entity(values)
        elif record == "relation":
            self._flush()
            relation = self._vouched(checked_relation(from_builtins(values, Relation)))
            self._pending.append((number, self._relate(relation)))
        elif record in ("proposal", "feedback"):
            self._pending.append((number, self._of_inbox(record, values)))
        elif record == "tombstone":
            if self._request.tombstones:
                self._pending.append((number, self._exclude(from_builtins(values, ArchivedTombstone))))
        elif record == "archive":
            _check_format(values)
        else:
            raise InvalidInputError(
                f"unknown record {record!r}",
                hint="records are archive, memory, entity, relation, proposal, feedback, tombstone, draft and link",
                field="record",
            )

    def _namespace_of(self, values: dict[str, Any]) -> str:
        """The namespace that a line is for, which is taken out of its values."""
        own = values.pop("namespace", None)
        own = DEFAULT_NAMESPACE if own is None else own
        return check_namespace(str(own) if self._request.namespace is None else self._request.namespace)

    def _link(self, values: dict[str, Any], namespace: str) -> Relate:
        """The relation of a line of the kind `link`, whose ends are nodes as relate takes them, or `ref:NAME`."""
        if self._named:
            self._flush()
        known = {**values, "namespace": namespace}
        for field in ("source", "target", "evidence"):
            if isinstance(node := values.get(field), str) and node.startswith(REF):
                known[field] = self._memory_named(node.removeprefix(REF), field)
        return to_relate(self._parts, parse(RelateRequest, known))

    def _memory_named(self, ref: str, field: str) -> str:
        found = self._refs.get(ref)
        if found is None:
            what = "was rejected" if ref in self._refs else "is not above this line"
            raise InvalidInputError(f"the draft with the ref {ref[:80]!r} {what}", field=field)
        return found

    def _keep_entity(self, values: dict[str, Any]) -> None:
        """Keep an entity for the relations that need it: it is made with the first of them."""
        entity = checked_entity(from_builtins(values, Entity))
        namespace = check_namespace(self._request.namespace or entity.namespace)
        self._entities[namespace, entity.id] = entity

    def _read_draft(self, number: int, values: dict[str, Any], namespace: str) -> None:
        """One draft as it was written; it is several where its text is over the limit."""
        exact = exact_draft(values)
        drafts, warnings = ([exact], ()) if exact is not None else lenient_drafts(values)
        drafts = [in_users_zone(draft, self._parts.zone) for draft in drafts]
        now, reinstate = self._parts.clock.now, self._request.reinstate
        # What is imported lapses when its file says, even if that is over by now: nothing of a file is lost.
        dated = [with_expiry(draft, now(), past=True) for draft in drafts]
        self._pending += [(number, to_remember(draft, namespace, now(), reinstate=reinstate)) for draft in dated]
        room = MAX_REJECTED - len(self._warnings)
        self._warnings += [LineWarning(line=number, message=warning) for warning in warnings[:room]]

    def _read_revision(self, number: int, record: MemoryRecord) -> None:
        if self._request.namespace is not None:
            record = msgspec.structs.replace(record, namespace=self._request.namespace)
        check_record(record)
        if self._history and self._history[0][1].id != record.id:
            self._close_history()
            if len(self._pending) >= BATCH:
                self._flush()
        self._history.append((number, record))

    def _vouched(self, record: Written) -> Written:
        """What an archive says that a person wrote is theirs where a person imports it: an archive cannot vouch for one itself."""
        if record.actor is not Actor.PERSON or self._parts.actor is Actor.PERSON:
            return record
        return msgspec.structs.replace(record, actor=Actor.IMPORT)

    def _close_history(self) -> None:
        """Turn the revisions gathered for one memory into one command."""
        if not self._history:
            return
        number, latest = self._history[-1]
        revisions = tuple(record for _, record in self._history)
        self._history = []
        said = (latest.author, latest.title, latest.text)
        command = Restore(
            revisions=revisions,
            dedup_key=dedup_key(latest.namespace, latest.user, latest.agent, latest.session, *said, latest.key),
            at=self._parts.clock.now(),
        )
        self._pending.append((number, command))

    def _exclude(self, brought: ArchivedTombstone) -> Exclude:
        namespace = check_namespace(self._request.namespace or brought.namespace)
        for field in ("salt", "digest", "other_digest"):
            if not _DIGEST.fullmatch(getattr(brought, field)):
                raise InvalidInputError(f"{field} of a tombstone is not 32 hexadecimal digits", field=field)
        return Exclude(tombstone=msgspec.structs.replace(brought, namespace=namespace), at=self._parts.clock.now())

    def _of_inbox(self, record: str, values: dict[str, Any]) -> Propose | Judge:
        """A proposal in its state, or feedback; whether a person wrote it is as for `_vouched`."""
        vouched = self._parts.actor is Actor.PERSON
        if record == "feedback":
            said = checked_feedback(from_builtins(values, Feedback), vouched=vouched)
            namespace = check_namespace(self._request.namespace or said.namespace)
            return Judge(feedback=msgspec.structs.replace(said, namespace=namespace), restored=True)
        made = checked_proposal(from_builtins(values, Proposal), vouched=vouched)
        namespace = check_namespace(self._request.namespace or made.namespace)
        return Propose(proposal=msgspec.structs.replace(made, namespace=namespace))

    def _relate(self, relation: Relation) -> Relate:
        """The relation with its endpoints found by name where this store has the entity under another id."""
        namespace = check_namespace(self._request.namespace or relation.namespace)
        made: list[Entity] = []
        ends = {"source": relation.source, "target": relation.target}
        for field, node in ends.items():
            entity = self._entities.get((namespace, node))
            if entity is None:
                continue
            stored = [
                known
                for known in self._parts.store.entities(namespace, names=[entity.name])
                if known.kind == entity.kind
            ]
            if stored:
                ends[field] = stored[0].id
            else:
                made.append(msgspec.structs.replace(entity, namespace=namespace))
        moved = msgspec.structs.replace(relation, namespace=namespace, **ends)
        check_relation(moved)
        return Relate(relation=moved, new_entities=tuple(made))

    def _flush(self) -> None:
        """Write what is pending in one transaction; where that fails as a whole, the error is the caller's."""
        if not self._pending:
            return
        results = write(self._writing, [command for _, command in self._pending])
        for (number, _), result in zip(self._pending, results, strict=True):
            if number > self.skipped:
                self._count(number, result)
            if (ref := self._named.get(number)) is not None and self._refs.get(ref) is None:
                self._refs[ref] = _memory_in(result)
        self._pending, self._named = [], {}
        self._save_job("running")
        if self._progress is not None:
            self._progress(self._last, dict(self._counts))

    def _count(self, number: int, result: Result) -> None:
        if isinstance(result, Rejected):
            self._counts["rejected"] += 1
            self._note(RejectedLine(line=number, code=result.code, reason=result.reason))
        elif isinstance(result, Stored):
            self._counts["superseded" if result.superseded else "stored"] += 1
            warning = contains_forgotten(result.contains_forgotten)
            if warning is not None and len(self._warnings) < MAX_REJECTED:
                self._warnings.append(LineWarning(line=number, message=warning))
        elif isinstance(result, Duplicate | Unchanged):
            self._counts["duplicate_of"] += 1

    def _reject(self, number: int, error: Exception) -> None:
        self._counts["rejected"] += 1
        known = error if isinstance(error, MemoryServiceError) else InvalidInputError(str(error))
        self._note(RejectedLine(line=number, code=known.code, reason=known.message))

    def _note(self, rejected: RejectedLine) -> None:
        if len(self._rejected) < MAX_REJECTED:
            self._rejected.append(rejected)

    def _begin(self) -> Job | None:
        """The job that remembers how far an import with this key got, or None without a key."""
        if self._request.resume_key is None:
            return None
        digest = hashlib.blake2b(f"{self._request.namespace}\0{self._request.resume_key}".encode(), digest_size=13)
        job_id = f"job_{digest.hexdigest()}"
        earlier = [job for job in self._parts.store.jobs(kind="import", states=("running",)) if job.id == job_id]
        if earlier:
            return earlier[0]
        now = self._parts.clock.now()
        return Job(
            id=job_id,
            kind="import",
            state=JobStatus.RUNNING,
            namespace=self._request.namespace,
            created_at=now,
            updated_at=now,
        )

    def _save_job(self, state: str) -> None:
        if self._job is None:
            return
        self._parts.store.put_job(
            msgspec.structs.replace(
                self._job, state=state, progress={"lines": self._last}, updated_at=self._parts.clock.now()
            )
        )


def _memory_in(result: Result) -> str | None:
    """The id of the memory that a draft became or was already."""
    if isinstance(result, Stored):
        return result.memory_id
    return result.record.id if isinstance(result, Duplicate) else None


def _decode(line: bytes) -> dict[str, Any] | None:
    """The JSON object of one line, or None for a blank line."""
    if len(line) > MAX_LINE_BYTES:
        raise InvalidInputError(
            f"the line has {len(line)} bytes, the limit is {MAX_LINE_BYTES}", limit=MAX_LINE_BYTES, actual=len(line)
        )
    if not line.strip():
        return None
    try:
        values = msgspec.json.decode(whole_characters(line))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidInputError(f"not valid JSON: {error}") from None
    if not isinstance(values, dict):
        raise InvalidInputError(f"a JSON {type(values).__name__}, not an object; write one object per line")
    return values


def _without_mark(line: bytes) -> bytes:
    """The first line without a byte order mark of UTF-8. Raises InvalidInputError for lines in UTF-16 or UTF-32."""
    if line.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)):
        raise InvalidInputError("the lines are in UTF-16 or UTF-32", hint="send them in UTF-8")
    return line.removeprefix(codecs.BOM_UTF8)


def _check_format(values: dict[str, Any]) -> None:
    if values.get("format") != FORMAT:
        raise InvalidInputError(
            f"archive format {values.get('format')!r} is not known, this version reads {FORMAT}",
            hint="upgrade this service, or export again with its version",
        )
