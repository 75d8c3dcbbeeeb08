"""What the service must do, in as little plain Python as says it: no files, no SQL, no index, no concurrency.

The model-based test drives this and the real service through the same operations and compares. Instants are given, never read.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

Scope = tuple[str, str | None, str | None, str | None]
"""namespace, user, agent, session"""


@dataclass(frozen=True)
class Revision:
    id: str
    scope: Scope
    number: int
    content: Mapping[str, Any]
    recorded: dt.datetime
    retired: dt.datetime | None = None

    @property
    def retold(self) -> str:
        """What a tombstone compares: the letters and digits of the text alone, in one case."""
        return "".join(filter(str.isalnum, self.content["text"].casefold()))

    @property
    def said(self) -> tuple[Any, ...]:
        normal = str(self.content["text"]).replace("\u200b", "").strip()
        return (self.content.get("author"), self.content.get("title"), normal)

    def ended(self, at: dt.datetime) -> bool:
        end = self.content.get("valid_to")
        return end is not None and end <= at

    def true_at(self, at: dt.datetime) -> bool:
        begin = self.content.get("valid_from")
        return (begin is None or begin <= at) and not self.ended(at)


@dataclass
class Oracle:
    memories: dict[str, list[Revision]] = field(default_factory=dict)
    tombstones: set[tuple[Any, ...]] = field(default_factory=set)
    relations: dict[str, dict[str, Any]] = field(default_factory=dict)
    entities: set[tuple[str, str]] = field(default_factory=set)

    def current(self, namespace: str, memory_id: str) -> Revision | None:
        revisions = self.memories.get(memory_id)
        return revisions[-1] if revisions and revisions[-1].scope[0] == namespace else None

    def twin(self, wanted: Revision, at: dt.datetime) -> Revision | None:
        """The unretired memory that says the same in the same scope; what has ended leaves room for what has not."""
        same = (last for last in self._same(wanted) if not last.ended(at) or wanted.ended(at))
        return min(same, key=lambda last: last.recorded, default=None)

    def _same(self, wanted: Revision) -> Iterator[Revision]:
        """Other unretired memories that say the same in the same scope."""
        for *_, last in self.memories.values():
            if (last.scope, last.said) == (wanted.scope, wanted.said) and last.id != wanted.id and last.retired is None:
                yield last

    def remember(self, new: Revision, supersedes: tuple[str, ...], *, reinstate: bool) -> tuple[str, str | None]:
        """Outcome, and the id of the memory that stands for the text afterwards."""
        namespace, at = new.scope[0], new.recorded
        if any(self.current(namespace, other) is None for other in supersedes):
            return "rejected", None
        if reinstate:
            self.tombstones.discard((namespace, new.retold))
        if (namespace, new.retold) in self.tombstones:
            return "rejected", None
        twin = self.twin(new, at)
        end, ended = new.content.get("valid_from") or at, False
        for other in dict.fromkeys(supersedes):
            last = self.memories[other][-1]
            if (twin is None or other != twin.id) and last.retired is None and not last.ended(end):
                ended = True
                end_of_this = max(end, last.content.get("valid_from") or end)
                self._add(replace(last, content={**last.content, "valid_to": end_of_this}), at)
        if twin is not None:
            return "duplicate_of", twin.id
        self.memories[new.id] = [new]
        return ("superseded" if ended else "stored"), new.id

    def revise(
        self, namespace: str, memory_id: str, if_revision: int | None, change: Mapping[str, Any], at: dt.datetime
    ) -> str:
        """`stored`, `unchanged`, or the code of the error."""
        last = self.current(namespace, memory_id)
        if last is None:
            return "not_found"
        wanted = replace(last, content={**last.content, **change})
        begin, end = wanted.content.get("valid_from"), wanted.content.get("valid_to")
        if begin and end and end <= begin and change.keys() & {"valid_from", "valid_to"}:
            return "invalid_input"
        if if_revision not in (None, last.number):
            return "stale_revision"
        if last.retired is not None:
            return "conflict"
        if wanted.content == last.content:
            return "unchanged"
        forgotten = wanted.said != last.said and (namespace, wanted.retold) in self.tombstones
        if forgotten or any(self._same_period(last, wanted, at) for last in self._same(wanted)):
            return "conflict"
        self._add(wanted, at)
        return "stored"

    def _same_period(self, one: Revision, other: Revision, at: dt.datetime) -> bool:
        still_true = not one.ended(at) and not other.ended(at)
        return still_true or one.content.get("valid_to") == other.content.get("valid_to")

    def retire(self, namespace: str, memory_id: str, at: dt.datetime) -> str:
        last = self.current(namespace, memory_id)
        if last is None:
            return "not_found"
        if last.retired is None:
            self.memories[memory_id][-1] = replace(last, retired=at)
        return "stored"

    def forget(self, namespace: str, memory_id: str) -> str:
        if self.current(namespace, memory_id) is None:
            return "not_found"
        for revision in self.memories.pop(memory_id):
            self.tombstones.add((namespace, revision.retold))
        gone = {key: edge for key, edge in self.relations.items() if memory_id in (edge["source"], edge["target"])}
        self.relations = {key: edge for key, edge in self.relations.items() if key not in gone}
        ends = {(edge["namespace"], end) for edge in gone.values() for end in (edge["source"], edge["target"])}
        kept = {
            (edge["namespace"], end) for edge in self.relations.values() for end in (edge["source"], edge["target"])
        }
        self.entities -= ends - kept
        return "forgotten"

    def visible(
        self, namespace: str, *, as_of: dt.datetime | None = None, known_at: dt.datetime | None = None
    ) -> dict[str, Revision]:
        """The revision of each memory that a reader sees, by id."""
        found = {}
        for revisions in self.memories.values():
            for revision in revisions:
                known = revision.retired is None
                if known_at is not None:
                    known = revision.recorded <= known_at and (revision.retired is None or known_at < revision.retired)
                if revision.scope[0] == namespace and known and (as_of is None or revision.true_at(as_of)):
                    found[revision.id] = revision
        return found

    def _add(self, changed: Revision, at: dt.datetime) -> None:
        revisions = self.memories[changed.id]
        revisions[-1] = replace(revisions[-1], retired=at)
        revisions.append(replace(changed, number=changed.number + 1, recorded=at, retired=None))
