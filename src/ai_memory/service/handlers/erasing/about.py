"""Handler of the operation that erases everything about one person, project or identifier."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from ai_memory.errors import InvalidInputError
from ai_memory.extraction.about.gathering import Doubt, Evidence, Gathering, Text
from ai_memory.extraction.about.subject import Subject
from ai_memory.extraction.extract import extract
from ai_memory.extraction.values import Kind
from ai_memory.operations.about import AboutMemory, ForgetAboutRequest, ForgottenAbout, LeftMemory
from ai_memory.service.handlers.erasing.forgetting import SHOWN_IDS, check_share, forget_all, forget_commands, states_of
from ai_memory.service.handlers.lookup import no_such_memory
from ai_memory.service.handlers.reasons import check_reason, clean_reason, texts_in
from ai_memory.service.parts import Parts
from ai_memory.store.base import StoredRevision
from ai_memory.text.normal import clean_text
from ai_memory.types import MemoryRecord

PAGE = 2_000
SHOWN_CHARACTERS = 300
_SHARED = frozenset((Kind.EMAIL, Kind.PLACE, Kind.ORGANISATION, Kind.PRODUCT, Kind.HANDLE))
_NUMBER = re.compile(r"(?<!\w)[\w-]*\d[\w-]*(?!\w)")
_PATHS = frozenset(("key", "context", "source", "session"))
_PATH_MARKS, _HYPHENS = re.compile(r"[/.:?#&=]+"), re.compile(r"[-_]+")
_SHORTEST_NUMBER = 4
_MOST_SHARING = 100
"""So many memories that have something in common with an erased one are named."""


def forget_about(parts: Parts, request: ForgetAboutRequest) -> ForgottenAbout:
    """Erase every memory that names the subject in any revision, in one spelling or another; with `dry_run` only show them.

    Raises InvalidInputError for a name without a letter or digit and for a reason that has it, BrakeError where it is too much
    of the namespace, NotFoundError for an id in `also` that is not there.
    """
    about = clean_text(request.about, "about").strip()
    if not any(map(str.isalnum, about)):
        raise InvalidInputError("about has no letter or digit", hint="give a name or an identifier", field="about")
    subjects = _subjects(parts, request.namespace, about)
    gathering = Gathering(subjects)
    latest: dict[str, MemoryRecord] = {}
    for stored in _revisions(parts, request):
        gathering.add(_text(stored))
        latest[stored.record.id] = stored.record
    found, doubts = gathering.found()
    also = _also(parts, request)
    latest.update((record.id, record) for record in also)
    erased = _erased(found, also, request.keep, latest)
    ids = [memory.id for memory in erased]
    reason = clean_reason(request.reason)
    if reason is not None and any(subject.read(reason).found for subject in subjects):
        raise InvalidInputError(
            "the reason has the name that is to be forgotten, and the log keeps reasons forever",
            hint="say why without the name, or give no reason",
            field="reason",
        )
    check_reason(parts, request.namespace, ids, reason)
    left = [*_left(doubts, request.keep, found, latest), *_sharing(ids, latest, {*ids, *doubts, *request.keep})]
    states = states_of([latest[memory] for memory in ids], parts.clock.now())
    forgotten = len(ids)
    if ids and not request.dry_run:
        check_share(parts, request.namespace, forgotten, request.allow_share, retired=True)
        relations = _relations(parts, request.namespace, subjects)
        now = parts.clock.now()
        commands = forget_commands(parts, request.namespace, ids, now, reason, relations=relations)
        forgotten = forget_all(parts, request.namespace, ids, commands)
        erased = [AboutMemory(id=memory.id, how=memory.how, where=memory.where) for memory in erased]
    return ForgottenAbout(
        about=about,
        forgotten=forgotten,
        dry_run=request.dry_run,
        names=tuple(sorted({evidence.written for evidence in found.values() if evidence.written})),
        erased=tuple(erased[:SHOWN_IDS]),
        left=tuple(left[:SHOWN_IDS]),
        states=states,
        wipe_pending=None if request.dry_run else parts.upkeep.unwiped(),
    )


def _subjects(parts: Parts, namespace: str, about: str) -> list[Subject]:
    """The name, and the other names of what people said is the same: by aliases and merges."""
    asked = Subject(about)
    file = None if parts.graph is None else parts.graph.file()
    identity = parts.decided.identity(namespace)
    decided = {end for each in parts.decided.relations(namespace) for end in (each.source, each.target)}
    entities = {each.id: each for each in parts.store.entities(namespace)}
    if decided:
        known = parts.decided.entities(file, namespace, identity, ids=sorted(decided))
        entities.update((each.id, each) for each in known)
    same = {
        identity.root(each.id)
        for each in entities.values()
        if any(asked.is_named(name) for name in (each.name, *each.aliases))
    }
    names = {
        name
        for each in entities.values()
        if identity.root(each.id) in same
        for name in (each.name, *each.aliases)
        if any(map(str.isalnum, name))
    }
    return [asked, *(Subject(name) for name in sorted(names) if not asked.is_named(name))]


def _revisions(parts: Parts, request: ForgetAboutRequest) -> Iterator[StoredRevision]:
    """All revisions of the namespace, or of one user's memories in it, in the order of writing."""
    after = 0
    while page := parts.store.live_revisions(after=after, limit=PAGE, namespace=request.namespace):
        for stored in page:
            if request.user is None or stored.record.user == request.user:
                yield stored
        after = page[-1].key


def _text(stored: StoredRevision) -> Text:
    record = stored.record
    named = (
        ("text", record.text),
        ("title", record.title),
        ("author", record.author),
        ("user", record.user),
        ("key", record.key),
        ("context", record.context),
        ("source", record.source),
        ("session", record.session),
        ("reason", record.retired_reason),
    )
    texts = [(where, text) for where, text in named if text]
    texts += [(where, part) for where, path in texts if where in _PATHS for part in _parts(path)]
    texts.extend(("tags", tag) for tag in record.tags)
    texts.extend(("attributes", text) for text in texts_in(record.attributes))
    return Text(record.id, stored.key, texts, record.session, record.retired_at is None)


def _parts(path: str) -> list[str]:
    """The names that a path, a key or an address is made of: `people/anna-schmidt` has *anna schmidt*."""
    return [_HYPHENS.sub(" ", part) for part in _PATH_MARKS.split(path) if part]


def _also(parts: Parts, request: ForgetAboutRequest) -> list[MemoryRecord]:
    found = parts.store.get(request.namespace, request.also) if request.also else []
    for memory, record in zip(request.also, found, strict=True):
        if record is None:
            raise no_such_memory(memory, request.namespace)
    return [record for record in found if record is not None]


def _erased(
    found: Mapping[str, Evidence], also: Sequence[MemoryRecord], keep: Sequence[str], latest: Mapping[str, MemoryRecord]
) -> list[AboutMemory]:
    kept = set(keep)
    erased = [
        AboutMemory(
            id=memory,
            text=latest[memory].text[:SHOWN_CHARACTERS],
            written=evidence.written,
            how=evidence.how,
            where=evidence.where,
            earlier=not evidence.latest,
        )
        for memory, evidence in found.items()
        if memory not in kept
    ]
    erased.extend(
        AboutMemory(id=record.id, text=record.text[:SHOWN_CHARACTERS], how="also")
        for record in {record.id: record for record in also}.values()
        if record.id not in found and record.id not in kept
    )
    return erased


def _left(
    doubts: Mapping[str, Doubt], keep: Sequence[str], found: Mapping[str, Evidence], latest: Mapping[str, MemoryRecord]
) -> Iterator[LeftMemory]:
    for memory in keep:
        if memory in found:
            yield _as_left(latest[memory], found[memory].written, "kept")
    for memory, doubt in doubts.items():
        yield _as_left(latest[memory], doubt.written, doubt.why.value)


def _sharing(ids: Sequence[str], latest: Mapping[str, MemoryRecord], named: Collection[str]) -> Iterator[LeftMemory]:
    """Memories that mention a place, an organisation or a number that an erased one mentions too, the rarest first."""
    values = Counter(value for memory in ids for value in set(_values(latest[memory].text)))
    sharing: dict[str, list[MemoryRecord]] = defaultdict(list)
    for memory, record in latest.items():
        if memory not in named and record.retired_at is None:
            lower = record.text.casefold()
            common = next((value for value in values if value in lower), None)
            if common is not None:
                sharing[common].append(record)
    shown = 0
    for value, records in sorted(sharing.items(), key=lambda each: len(each[1])):
        for record in records:
            if shown < _MOST_SHARING:
                shown += 1
                yield _as_left(record, value, "shares")


def _values(text: str) -> Iterator[str]:
    """What a text mentions that others may have too, case-folded."""
    for mention in extract(text).mentions:
        if mention.kind in _SHARED:
            yield mention.name.casefold()
    for number in _NUMBER.findall(text):
        if len(number) >= _SHORTEST_NUMBER:
            yield number.casefold()


def _as_left(record: MemoryRecord, written: str, why: str) -> LeftMemory:
    return LeftMemory(id=record.id, text=record.text[:SHOWN_CHARACTERS], written=written, why=why)


def _relations(parts: Parts, namespace: str, subjects: Sequence[Subject]) -> tuple[str, ...]:
    """The relations that people made of an entity with one of the names: they are erased too, and the entity with them."""
    entities = [
        each.id
        for each in parts.store.entities(namespace)
        if any(subject.is_named(name) for subject in subjects for name in (each.name, *each.aliases))
    ]
    return tuple(each.id for each in parts.store.relations(namespace, entities)) if entities else ()
