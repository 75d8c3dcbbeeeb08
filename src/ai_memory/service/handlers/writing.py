"""Handlers of the operations that add, change or end memories."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TypeVar

import msgspec

from ai_memory.errors import InvalidInputError, NotFoundError, StaleRevisionError
from ai_memory.operations.writing import (
    Draft,
    Receipts,
    RefusedDraft,
    RememberedMessages,
    RememberManyRequest,
    RememberMessagesRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.conversation.messages import drafts_of, new_session
from ai_memory.service.handlers.drafts import differing_fields, to_remember, to_revise
from ai_memory.service.handlers.expiry import with_expiry
from ai_memory.service.handlers.lookup import no_such_memory
from ai_memory.service.handlers.once import Write, write_once
from ai_memory.service.handlers.phrases import memory_meant
from ai_memory.service.handlers.reasons import clean_reason
from ai_memory.service.handlers.refusals import raise_rejected
from ai_memory.service.handlers.similar import Touched, ended, named, touched
from ai_memory.service.parts import Parts
from ai_memory.store.base import Duplicate, Rejected, Remember, Result, Retire, Stored, Unchanged
from ai_memory.types import Actor, MemoryRecord, Outcome, Receipt, Retirement, Searchable

AnyDraft = TypeVar("AnyDraft", bound=Draft)

WAIT_SECONDS = 30.0
"""How long `wait` waits: less than a client's time limit, so that a long backlog gives a receipt and not an error."""
PENDING = "not yet embedded: "
"""How the reason of a receipt begins where no embedder makes the vectors."""


def remember(parts: Parts, request: RememberRequest) -> Receipt:
    """Keep one memory."""
    now = parts.clock.now()
    draft = with_expiry(_with_ids(parts, request.namespace, in_users_zone(request, parts.zone)), now)
    command = to_remember(draft, request.namespace, now, reinstate=request.reinstate, policies=parts.policies)
    (found,) = touched(parts, [command], request.on_conflict)

    def answer(results: list[Result]) -> Receipt:
        return _touching(_receipt(draft, results[0], _why_pending(parts)), found, results[1:])

    asked = Write("remember", request, request.namespace, request.idempotency_key)
    receipt, repeated = write_once(parts, asked, [command, *found.commands], answer, Receipt)
    receipts = _as_it_is(parts, request.namespace, [receipt], repeated=repeated, texts=_texts([found]))
    return (_awaited(parts, receipts) if request.wait else receipts)[0]


def remember_many(parts: Parts, request: RememberManyRequest) -> Receipts:
    """Keep many memories; each gets its own receipt, and a wrong one does not stop the others."""
    return remember_drafts(parts, request, Write("remember_many", request, request.namespace, request.idempotency_key))


def remember_drafts(parts: Parts, request: RememberManyRequest, asked: Write) -> Receipts:
    """As `remember_many`, for the operation that was `asked` for, whose request the batch was made from."""
    given = [in_users_zone(draft, parts.zone) for draft in request.memories]
    drafts, commands, places, receipts = _prepare(parts, given, request.namespace, reinstate=request.reinstate)
    found = touched(parts, commands, request.on_conflict)
    following = [command for each in found for command in each.commands]

    def answer(results: list[Result]) -> Receipts:
        why_pending = _why_pending(parts)
        filled: list[Receipt | None] = list(receipts)
        rest = results[len(commands) :]
        for place, result, each in zip(places, results, found, strict=False):
            own, rest = rest[: len(each.commands)], rest[len(each.commands) :]
            filled[place] = _touching(_receipt(drafts[place], result, why_pending), each, own)
        return _counted([receipt for receipt in filled if receipt is not None])

    answered, repeated = write_once(parts, asked, [*commands, *following], answer, Receipts)
    true = _as_it_is(parts, request.namespace, answered.receipts, repeated=repeated, texts=_texts(found))
    return _counted(_awaited(parts, true) if request.wait else true)


def remember_messages(parts: Parts, request: RememberMessagesRequest) -> RememberedMessages:
    """Keep a conversation; each message gets a receipt, and one that is left out does not stop the others."""
    session = request.session or new_session(parts, request)
    many = RememberManyRequest(
        memories=list(drafts_of(request, session)),
        namespace=request.namespace,
        reinstate=request.reinstate,
        wait=request.wait,
    )
    asked = Write("remember_messages", request, request.namespace, request.idempotency_key)
    answered = remember_drafts(parts, many, asked)
    return RememberedMessages(session=session, receipts=answered.receipts, counts=answered.counts)


def _touching(receipt: Receipt, found: Touched, results: Sequence[Result]) -> Receipt:
    """The receipt with what the memory touches, and with what the service superseded by itself; without texts, as it is kept."""
    if not found.similar or receipt.outcome is Outcome.REJECTED:
        return receipt
    done = ended(found, results)
    return msgspec.structs.replace(
        receipt,
        similar=named(found, results, receipt.memory_id),
        supersedes=(*receipt.supersedes, *(each for each in done if each not in receipt.supersedes)),
        outcome=Outcome.SUPERSEDED if done and receipt.outcome is Outcome.STORED else receipt.outcome,
    )


def _texts(found: Sequence[Touched]) -> dict[str, str]:
    """What the memories say that new ones touch, by id."""
    return {each.id: each.text for touches in found for each in touches.similar if each.text is not None}


def _with_ids(parts: Parts, namespace: str, draft: AnyDraft) -> AnyDraft:
    """The draft with the ids of what it supersedes in place of keys and words."""
    if not draft.supersedes:
        return draft
    ids = tuple(dict.fromkeys(memory_meant(parts, namespace, reference) for reference in draft.supersedes))
    return msgspec.structs.replace(draft, supersedes=ids)


def _prepare(
    parts: Parts, given: Sequence[Draft], namespace: str, *, reinstate: bool
) -> tuple[list[Draft], list[Remember], list[int], list[Receipt | None]]:
    """The drafts with ids, commands for those that can be kept, their places, and a receipt for each that cannot."""
    drafts = list(given)
    commands: list[Remember] = []
    places: list[int] = []
    receipts: list[Receipt | None] = [None] * len(drafts)
    for place, draft in enumerate(given):
        if isinstance(draft, RefusedDraft):
            receipts[place] = Receipt(outcome=Outcome.REJECTED, code=draft.code, reason=draft.reason)
            continue
        try:
            now = parts.clock.now()
            drafts[place] = with_expiry(_with_ids(parts, namespace, draft), now)
            commands.append(to_remember(drafts[place], namespace, now, reinstate=reinstate, policies=parts.policies))
            places.append(place)
        except (InvalidInputError, NotFoundError) as error:
            receipts[place] = Receipt(outcome=Outcome.REJECTED, code=error.code, reason=error.message)
    return drafts, commands, places, receipts


def revise(parts: Parts, request: ReviseRequest) -> Receipt:
    """Give a memory a new revision: what the request leaves out stays as it is at the moment of writing.

    The new revision is made from the current one, so it is written only onto that one; where another writer comes between,
    it is made again from what that writer left, and neither change is lost.
    """
    while True:
        try:
            receipt = _revise(parts, request)
        except StaleRevisionError:
            if request.if_revision is not None:
                raise
        else:
            return _awaited(parts, [receipt])[0] if request.wait else receipt


def _revise(parts: Parts, request: ReviseRequest) -> Receipt:
    meant = memory_meant(parts, request.namespace, request.id)
    current = parts.store.get(request.namespace, [meant])[0]
    if current is None:
        raise no_such_memory(meant, request.namespace)
    command = to_revise(in_users_zone(request, parts.zone), current, parts.clock.now())

    def answer(results: list[Result]) -> Receipt:
        return _changed(results[0], parts, "nothing to change: the current revision is the same")

    asked = Write("revise", request, request.namespace, request.idempotency_key)
    receipt, repeated = write_once(parts, asked, [command], answer, Receipt)
    return _as_it_is(parts, request.namespace, [receipt], repeated=repeated)[0]


def retire(parts: Parts, request: RetireRequest) -> Receipt:
    """Stop holding a memory for true."""
    meant = memory_meant(parts, request.namespace, request.id)
    command = Retire(
        id=meant,
        namespace=request.namespace,
        at=parts.clock.now(),
        reason=clean_reason(request.reason),
        if_revision=request.if_revision,
    )

    def answer(results: list[Result]) -> Receipt:
        receipt = _changed(results[0], parts, "it was retired already")
        reason = receipt.reason if isinstance(results[0], Unchanged) else None
        return msgspec.structs.replace(receipt, searchable=Searchable(words=False, meaning=False), reason=reason)

    asked = Write("retire", request, request.namespace, request.idempotency_key)
    receipt, repeated = write_once(parts, asked, [command], answer, Receipt)
    about = receipt.memory_id or meant
    if repeated and parts.store.get(request.namespace, [about])[0] is None:
        raise no_such_memory(about, request.namespace)
    return receipt


def _counted(receipts: Sequence[Receipt]) -> Receipts:
    """Receipts with how many had each outcome."""
    counts = Counter(str(receipt.outcome) for receipt in receipts)
    return Receipts(receipts=tuple(receipts), counts=dict(sorted(counts.items())))


def _receipt(draft: Draft, result: Result, why_pending: str | None) -> Receipt:
    """What became of a draft. Lexical search finds a new memory at once, semantic search once it is embedded."""
    if isinstance(result, Stored):
        return Receipt(
            outcome=Outcome.SUPERSEDED if result.superseded else Outcome.STORED,
            memory_id=result.memory_id,
            revision=result.revision,
            actor=_actor(result.record),
            supersedes=result.superseded,
            expires_at=_expiry(result.record),
            reason=_stored_reason(result, why_pending),
            searchable=Searchable(words=True, meaning=False),
            contains_forgotten=result.contains_forgotten,
            was_retired=_retirement(result),
        )
    if isinstance(result, Duplicate):
        current = result.record
        differs = differing_fields(draft, current)
        return Receipt(
            outcome=Outcome.DUPLICATE_OF,
            memory_id=current.id,
            revision=current.revision,
            actor=current.actor,
            supersedes=result.superseded,
            expires_at=current.expires_at,
            reason=_sentences(
                "the same text is stored in this scope already",
                f"it now supersedes {', '.join(result.superseded)}" if result.superseded else None,
                _ended_before(result.ended_before),
                "it does not supersede itself" if current.id in draft.supersedes else None,
                f"it differs in {', '.join(differs)}: revise changes it" if differs else None,
            ),
            searchable=Searchable(words=True, meaning=False),
            differs=differs,
        )
    if isinstance(result, Rejected):
        return Receipt(outcome=Outcome.REJECTED, code=result.code, reason=result.reason)
    raise AssertionError(f"remember cannot give {result!r}")


def _ended_before(ids: Sequence[str]) -> str | None:
    if not ids:
        return None
    return (
        f"{', '.join(ids)} had ended or been retired before: {'it stays' if len(ids) == 1 else 'they stay'} unchanged"
    )


def _sentences(*parts: str | None) -> str | None:
    """The reasons that there are, as one; None for none."""
    return "; ".join(part for part in parts if part) or None


def _changed(result: Result, parts: Parts, unchanged: str) -> Receipt:
    """The receipt of a command on an existing memory; refusals become errors."""
    if isinstance(result, Stored):
        return Receipt(
            outcome=Outcome.STORED,
            memory_id=result.memory_id,
            revision=result.revision,
            actor=_actor(result.record),
            expires_at=_expiry(result.record),
            reason=_stored_reason(result, _why_pending(parts)),
            searchable=Searchable(words=True, meaning=False),
            contains_forgotten=result.contains_forgotten,
            was_retired=_retirement(result),
        )
    if isinstance(result, Unchanged) and result.record is not None:
        return Receipt(
            outcome=Outcome.STORED,
            memory_id=result.record.id,
            revision=result.record.revision,
            actor=result.record.actor,
            expires_at=result.record.expires_at,
            reason=unchanged,
            searchable=Searchable(words=True, meaning=False),
        )
    raise_rejected(result, "", "")
    raise AssertionError(f"unexpected result {result!r}")


def _retirement(stored: Stored) -> Retirement | None:
    """Without its reason, which is a person's words: the receipt is kept under an idempotency key longer than they may be."""
    before = stored.retired
    if before is None or before.retired_at is None:
        return None
    return Retirement(memory_id=before.id, retired_at=before.retired_at)


def _stored_reason(stored: Stored, why_pending: str | None) -> str | None:
    before = _retirement(stored)
    again: str | None = None
    if before is not None:
        when = before.retired_at.date().isoformat()
        again = f"the same text was retired on {when} as {before.memory_id}, and is current again"
    ended = None
    if stored.ended_by is not None and stored.record is not None and stored.record.valid_to is not None:
        ended = f"it ends on {stored.record.valid_to.date().isoformat()}, where the next value of its key begins"
        ended += f" ({stored.ended_by.id})"
    return _sentences(again, ended, _ended_before(stored.ended_before), why_pending)


def _as_it_is(
    parts: Parts,
    namespace: str,
    receipts: Sequence[Receipt],
    *,
    repeated: bool,
    texts: Mapping[str, str] | None = None,
) -> list[Receipt]:
    """The receipts with what is not kept of them; of one that is `repeated`, as true as it is by now.

    `texts` are what the memories say that these touch, as read for this write; of a repeated one they are read again.
    """
    ids = {receipt.memory_id for receipt in receipts if repeated and receipt.memory_id is not None}
    ids |= {receipt.was_retired.memory_id for receipt in receipts if receipt.was_retired is not None}
    if repeated:
        ids |= {each.id for receipt in receipts for each in receipt.similar}
    found = parts.store.get(namespace, sorted(ids)) if ids else []
    there = {record.id: record for record in found if record is not None}
    known = dict(texts or {}) if not repeated else {memory: record.text for memory, record in there.items()}
    whole = [_with_texts(receipt, known) for receipt in receipts]
    return [_filled(receipt, there, repeated=repeated) for receipt in whole] if ids else whole


def _with_texts(receipt: Receipt, texts: Mapping[str, str]) -> Receipt:
    """The receipt with what the memories say that it touches; one that is gone is left out."""
    if not receipt.similar:
        return receipt
    similar = tuple(msgspec.structs.replace(each, text=texts[each.id]) for each in receipt.similar if each.id in texts)
    return msgspec.structs.replace(receipt, similar=similar)


def _filled(receipt: Receipt, there: dict[str, MemoryRecord], *, repeated: bool) -> Receipt:
    if repeated and receipt.memory_id is not None and receipt.memory_id not in there:
        return Receipt(
            outcome=Outcome.REJECTED,
            code="forgotten",
            reason=f"{receipt.memory_id}, of which this request was answered before, was forgotten since; nothing was stored. "
            "To store it again, reinstate it with a new idempotency key",
        )
    before = receipt.was_retired
    if before is None or before.memory_id not in there:
        return receipt
    reason = there[before.memory_id].retired_reason
    return msgspec.structs.replace(receipt, was_retired=msgspec.structs.replace(before, reason=reason))


def _actor(record: MemoryRecord | None) -> Actor | None:
    return None if record is None else record.actor


def _expiry(record: MemoryRecord | None) -> dt.datetime | None:
    return None if record is None else record.expires_at


def _why_pending(parts: Parts) -> str | None:
    """Why a memory that was stored just now gets no vector; None where it will have one soon.

    Without the way out, which notices and health have: a receipt is kept, and given again where the request is repeated.
    """
    lack = parts.slot.lack()
    return None if lack is None else PENDING + lack.message


def _awaited(parts: Parts, receipts: Sequence[Receipt]) -> list[Receipt]:
    """The receipts once their memories are embedded; unchanged where there is no model or the time limit is reached first."""
    settled = parts.backlog.settle(WAIT_SECONDS)
    return [
        msgspec.structs.replace(
            receipt,
            searchable=Searchable(words=True, meaning=True),
            reason=(receipt.reason or "").partition(PENDING)[0].removesuffix("; ") or None,
        )
        if settled and receipt.memory_id is not None
        else receipt
        for receipt in receipts
    ]
