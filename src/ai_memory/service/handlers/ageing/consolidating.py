"""Summing up a session, a topic or a context without a language model: a digest with citations, copies, facts that changed.

A digest is an insight with a key of its own, so that a later one supersedes it and the same one is not stored twice. It is joined
to each memory that it cites: the store erases it with any of them, since it repeats their words. The sources stay as they are.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.inbox import Proposal, ProposalKind, Propose
from ai_memory.operations.inbox import ChangedValue, Consolidated, ConsolidateRequest, Digest, Repeated
from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.writing import Draft
from ai_memory.service.handlers.drafts import context_path, to_remember
from ai_memory.service.handlers.once import write
from ai_memory.service.handlers.reading import recall
from ai_memory.service.handlers.similar import LONGEST, speaks_of_itself, statement_of
from ai_memory.service.parts import Parts
from ai_memory.store.base import Command, Duplicate, Rejected, Relate, Remember, Result, Stored, Unchanged
from ai_memory.store.ids import PROPOSAL, RELATION, new_id
from ai_memory.store.inbox import begins
from ai_memory.text.normal import normal_form
from ai_memory.text.passages import sentences, split
from ai_memory.text.properties import asks
from ai_memory.truth.compare import PROPOSED, Kind, compare
from ai_memory.truth.digest import DIGEST, Sentence, chosen, is_digest
from ai_memory.truth.statement import Statement, terms_of
from ai_memory.types import Actor, Facets, MemoryRecord, MemoryType, Relation, RelationType, Selection

MOST = 1_000
"""At most so many memories are summed up at once."""
OF_A_TOPIC = 50
"""So many memories are looked at for a topic."""
OF_THE_BEST = 0.1
"""Those that are less likely to answer than this share of the best one are left out."""
LEAST_SHARED = 0.5
"""Texts that share less than this of their words are not compared."""
COMPARED = 8
"""So many earlier memories each one is compared with."""
LONGEST_SENTENCE = 400
"""A longer one is a list or a table: it is not taken into a digest."""
SAYS_SURE = "the same in other words"


class _About(NamedTuple):
    """What is summed up: the kind of it, its name, and how the digest is filed."""

    kind: str
    name: str
    session: str | None = None
    context: str = ""


def consolidate(parts: Parts, request: ConsolidateRequest) -> Consolidated:
    """Show, and unless it is a dry run also store and propose, what some memories come to. A second time changes nothing."""
    about = _about(request)
    now = parts.clock.now()
    found = _memories(parts, request, about, now)
    by_user: dict[str | None, list[MemoryRecord]] = defaultdict(list)
    for record in found:
        by_user[record.user].append(record)
    digests: list[Digest] = []
    repeated: list[Repeated] = []
    for user in sorted(by_user, key=lambda each: (each is not None, each or "")):
        current = [record for record in by_user[user] if record.ends is None or record.ends > now]
        copies = _repeated(current)
        gone = {each.id for each in copies}
        made = _digest(parts, request, about, [record for record in by_user[user] if record.id not in gone])
        digests += [made] if made is not None else []
        repeated += copies
    changed = _changed(parts, request.namespace, found)
    if not request.dry_run:
        digests = [_stored(parts, request, about, each, found, now) for each in digests]
        repeated = _proposed(parts, request.namespace, repeated, now)
    return Consolidated(
        dry_run=request.dry_run,
        memories=len(found),
        digests=tuple(digests),
        repeated=tuple(repeated),
        changed=changed,
    )


def _about(request: ConsolidateRequest) -> _About:
    given = [name for name in ("session", "topic", "context") if getattr(request, name) is not None]
    if len(given) != 1:
        raise InvalidInputError(
            "give a session, a topic or a context" + (f", and not {' and '.join(given)}" if given else ""),
            hint="one of them says which memories are summed up",
            field=given[1] if given else "session",
        )
    if request.session is not None:
        return _About("session", request.session, session=request.session)
    if request.context is not None:
        path = context_path(request.context)
        return _About("context", path, context=path)
    return _About("topic", " ".join(str(request.topic).split()))


def _memories(parts: Parts, request: ConsolidateRequest, about: _About, now: dt.datetime) -> list[MemoryRecord]:
    """The memories to sum up, in order of time: no digests, and none that lapse, so that no digest keeps what was to lapse."""
    users = () if request.user is None else (request.user,)
    if about.kind == "topic":
        facets: dict[str, Any] = {name: getattr(Facets(), name) for name in Facets.__struct_fields__}
        facets |= {"namespace": request.namespace, "user": users}
        hits = recall(parts, RecallRequest(**facets, query=about.name, limit=OF_A_TOPIC, now=now)).hits
        hits = tuple(hit for hit in hits if not is_digest(hit.memory))
        least = max((hit.confidence for hit in hits), default=0.0) * OF_THE_BEST
        found = [hit.memory for hit in hits if hit.confidence >= least]
    else:
        sessions = () if about.session is None else (about.session,)
        selection = Selection(
            namespace=request.namespace,
            user=users,
            session=sessions,
            context=about.context,
            include_expired=False,
            now=now,
        )
        page = parts.store.select(selection, limit=MOST, newest_first=False)
        if page.cursor is not None:
            raise TooLargeError(
                f"there are more than {MOST:,} memories in this {about.kind}",
                hint="sum up a context below it, or a session",
                limit=MOST,
            )
        found = list(page.memories)
    kept = [record for record in found if not is_digest(record) and record.expires_at is None]
    return sorted(kept, key=lambda record: (begins(record), record.created_at, record.id))


# ── the digest ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _digest(parts: Parts, request: ConsolidateRequest, about: _About, records: Sequence[MemoryRecord]) -> Digest | None:
    """The digest of one user's memories; None where they have no sentence to cite."""
    vectors = _vectors(parts, request.namespace, records)
    units: list[Sentence] = []
    texts: list[tuple[int, str]] = []
    for number, record in enumerate(records):
        for text, passage in _sentences_of(record):
            vector = vectors.get((record.id, passage))
            weight = 2.0 if record.pinned else 0.5 + record.importance
            units.append(Sentence(number, terms_of(text), weight, vector))
            texts.append((number, text))
    places = chosen(units, request.sentences)
    if not places:
        return None
    cited = sorted({texts[place][0] for place in places})
    numbers = {number: place for place, number in enumerate(cited, 1)}
    lines = [
        f"{_dates(parts, records[number])}: {text} [{numbers[number]}]"
        for number, text in (texts[place] for place in places)
    ]
    span = sorted({begins(record).astimezone(parts.zone).date() for record in records})
    when = f"{span[0]}" if len(span) == 1 else f"{span[0]} – {span[-1]}"
    return Digest(
        user=records[0].user,
        title=f"{about.name or '/'}: {when}"[:1000],
        text="\n".join(lines),
        sources=tuple(records[number].id for number in cited),
    )


def _sentences_of(record: MemoryRecord) -> Iterator[tuple[str, int]]:
    """The sentences of a memory that state something, each on one line, with the passage that it begins in."""
    passages = split(record.text)
    for start, end in sentences(record.text):
        said = " ".join(record.text[start:end].split())
        if len(said) <= LONGEST_SENTENCE and not asks(said):
            yield said, next(number for number, passage in enumerate(passages) if start < passage.end)


def _dates(parts: Parts, record: MemoryRecord) -> str:
    since = begins(record).astimezone(parts.zone).date()
    return f"{since}" if record.valid_to is None else f"{since} → {record.valid_to.astimezone(parts.zone).date()}"


def _vectors(
    parts: Parts, namespace: str, records: Sequence[MemoryRecord]
) -> dict[tuple[str, int], NDArray[np.float32]]:
    """The stored vectors of the passages of memories, by id and passage; empty where there is no generation."""
    generation = parts.slot.generation()
    view = None if generation is None or not records else parts.follower.view(namespace, None)
    if generation is None or view is None:
        return {}
    rows = view.rows_of_memories([record.id for record in records])
    places = list(zip(view.keys()[rows].tolist(), view.passages()[rows].tolist(), strict=True))
    ids = view.memory_ids(rows)
    found = parts.store.vectors(generation.id, places)
    return {
        (memory, place[1]): found[place]
        for memory, place in zip(ids, places, strict=True)
        if memory is not None and place in found
    }


def _stored(
    parts: Parts,
    request: ConsolidateRequest,
    about: _About,
    digest: Digest,
    found: Sequence[MemoryRecord],
    now: dt.datetime,
) -> Digest:
    """Keep a digest, joined to what it cites, in one transaction."""
    cited = [record for record in found if record.id in set(digest.sources)]
    draft = Draft(
        type=MemoryType.INSIGHT,
        text=digest.text,
        title=digest.title,
        key=_key(about),
        user=digest.user,
        session=about.session,
        context=about.context,
        importance=max(record.importance for record in cited),
        confidence=min(record.confidence for record in cited),
        attributes={DIGEST: {about.kind: about.name}, "derived_from": list(digest.sources)},
    )
    made = replace(to_remember(draft, request.namespace, now, reinstate=False), sources=digest.sources)
    results = write(parts, [made, *_joins(made, now)])
    return _outcome(digest, results[0])


def _key(about: _About) -> str:
    """The key of a digest: long names are cut, and their digest keeps them apart."""
    key = f"{DIGEST}/{about.kind}/{about.name}"
    if len(key) <= 200:
        return key
    return f"{key[:160]}…{hashlib.blake2b(key.encode('utf-8', 'surrogatepass'), digest_size=8).hexdigest()}"


def _joins(made: Remember, now: dt.datetime) -> list[Command]:
    return [
        Relate(
            relation=Relation(
                id=new_id(RELATION, now),
                namespace=made.namespace,
                source=made.id,
                target=source,
                type=str(RelationType.DIGEST_OF),
                recorded_at=now,
            )
        )
        for source in made.sources
    ]


def _outcome(digest: Digest, result: Result) -> Digest:
    if isinstance(result, Stored):
        outcome: Any = "superseded" if result.superseded else "stored"
        return replace(digest, outcome=outcome, memory_id=result.memory_id)
    if isinstance(result, Duplicate):
        return replace(digest, outcome="duplicate_of", memory_id=result.record.id)
    assert isinstance(result, Rejected)
    return replace(digest, outcome="rejected", reason=result.reason)


# ── copies, and facts that changed ─────────────────────────────────────────────────────────────────────────────────────


def _repeated(records: Sequence[MemoryRecord]) -> list[Repeated]:
    """The memories of one user that say what an earlier one says, in the same words or surely in others."""
    found: list[Repeated] = []
    first: dict[str, MemoryRecord] = {}
    earlier: list[tuple[MemoryRecord, Statement]] = []
    for record in records:
        same = first.setdefault(normal_form(record.text), record)
        if same is not record:
            found.append(Repeated(id=record.id, of=same.id, confidence=1.0, reason="the same words"))
            continue
        said = statement_of(record)
        if len(record.text) > LONGEST or said.asks:
            continue
        near = _nearest(record, said, earlier)
        for finding in compare(said, [other for _, other in near]):
            if finding.kind in (Kind.COPY, Kind.RESTATES) and finding.confidence >= PROPOSED:
                of = near[finding.place][0].id
                found.append(Repeated(id=record.id, of=of, confidence=round(finding.confidence, 4), reason=SAYS_SURE))
                break
        else:
            earlier.append((record, said))
    return found


def _nearest(
    record: MemoryRecord, said: Statement, earlier: Sequence[tuple[MemoryRecord, Statement]]
) -> list[tuple[MemoryRecord, Statement]]:
    """The earlier memories that share most words; in the first person only those of the same agent."""
    words = set(said.words)
    shared: list[tuple[float, int]] = []
    for place, (other, stated) in enumerate(earlier):
        theirs = set(stated.words)
        share = len(words & theirs) / max(len(words | theirs), 1)
        apart = other.agent != record.agent and (speaks_of_itself(record.text) or speaks_of_itself(other.text))
        if share >= LEAST_SHARED and not apart:
            shared.append((-share, place))
    return [earlier[place] for _, place in sorted(shared)[:COMPARED]]


def _proposed(parts: Parts, namespace: str, repeated: Sequence[Repeated], now: dt.datetime) -> list[Repeated]:
    """The copies with the proposals that retire them; one that was decided before is as it was decided."""
    commands = [
        Propose(
            proposal=Proposal(
                id=new_id(PROPOSAL, now),
                namespace=namespace,
                kind=ProposalKind.COPY,
                memory_id=each.id,
                other_id=each.of,
                confidence=each.confidence,
                reason=each.reason,
                made_at=now,
                made_by=Actor.POLICY,
            )
        )
        for each in repeated
    ]
    results = write(parts, commands) if commands else []
    return [
        replace(each, proposal=result.proposal if isinstance(result, Stored | Unchanged) else None)
        for each, result in zip(repeated, results, strict=True)
    ]


def _changed(parts: Parts, namespace: str, records: Sequence[MemoryRecord]) -> tuple[tuple[ChangedValue, ...], ...]:
    """The facts of which one memory superseded another, each with its values, the oldest first."""
    known = {record.id: record for record in records}
    relations = parts.store.relations(namespace, list(known), types=[RelationType.SUPERSEDES]) if known else []
    after = {
        each.target: each.source
        for each in relations
        if each.retired_at is None and each.target in known and each.source in known
    }
    begun = [each for each in after if each not in set(after.values())]
    chains = []
    for first in sorted(begun, key=lambda each: (begins(known[each]), each)):
        chain, at = [first], first
        while (following := after.get(at)) is not None and following not in chain:
            chain.append(following)
            at = following
        chains.append(
            tuple(
                ChangedValue(id=each, text=known[each].text, since=begins(known[each]), until=known[each].valid_to)
                for each in chain
            )
        )
    return tuple(chains)
