"""Handlers of the operations that add, change, end or erase memories."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_json
from ai_memory.errors import (
    BrakeError,
    ConflictError,
    InvalidInputError,
    MemoryServiceError,
    NotFoundError,
    StaleRevisionError,
)
from ai_memory.operations.writing import (
    Draft,
    ForgetManyRequest,
    ForgetRequest,
    Forgotten,
    Receipts,
    RememberManyRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
from ai_memory.operations.zones import in_users_zone
from ai_memory.service.handlers.drafts import differing_fields, to_remember, to_revise
from ai_memory.service.handlers.reasons import check_reason
from ai_memory.service.parts import Parts
from ai_memory.store.base import (
    Command,
    Duplicate,
    Forget,
    Rejected,
    Remember,
    Result,
    Retire,
    Stored,
    StoredRevision,
    Unchanged,
)
from ai_memory.text.normal import clean_text
from ai_memory.types import Actor, MemoryRecord, Outcome, Receipt, Searchable, Selection

FORGET_PAGE = 500
WAIT_SECONDS = 30.0
"""How long `wait` waits: less than a client's time limit, so that a long backlog gives a receipt and not an error."""
PENDING = "not yet embedded: there is no embedding model; run ai-memory model fetch"
ALWAYS_ALLOWED = 20
"""Bulk forgetting of this many memories or fewer never trips the brake."""

Answer = TypeVar("Answer", bound=Struct)


def remember(parts: Parts, request: RememberRequest) -> Receipt:
    """Keep one memory."""
    draft = in_users_zone(request, parts.zone)
    command = to_remember(draft, request.namespace, parts.clock.now(), reinstate=request.reinstate)

    def answer(results: list[Result]) -> Receipt:
        return _receipt(draft, results[0], _can_find_meaning(parts))

    receipt = write_once(parts, "remember", request, request.idempotency_key, [command], answer, Receipt)
    return _awaited(parts, [receipt])[0] if request.wait else receipt


def remember_many(parts: Parts, request: RememberManyRequest) -> Receipts:
    """Keep many memories; each gets its own receipt, and a wrong one does not stop the others."""
    drafts = [in_users_zone(draft, parts.zone) for draft in request.memories]
    commands, places, receipts = _prepare(parts, drafts, request.namespace, reinstate=request.reinstate)

    def answer(results: list[Result]) -> Receipts:
        can_find = _can_find_meaning(parts)
        filled: list[Receipt | None] = list(receipts)
        for place, result in zip(places, results, strict=True):
            filled[place] = _receipt(drafts[place], result, can_find)
        return _counted([receipt for receipt in filled if receipt is not None])

    answered = write_once(parts, "remember_many", request, request.idempotency_key, commands, answer, Receipts)
    return _counted(_awaited(parts, answered.receipts)) if request.wait else answered


def _prepare(
    parts: Parts, drafts: Sequence[Draft], namespace: str, *, reinstate: bool
) -> tuple[list[Remember], list[int], list[Receipt | None]]:
    """Commands for the drafts that can be kept, their places, and a receipt for each draft that cannot."""
    commands: list[Remember] = []
    places: list[int] = []
    receipts: list[Receipt | None] = [None] * len(drafts)
    for place, draft in enumerate(drafts):
        try:
            commands.append(to_remember(draft, namespace, parts.clock.now(), reinstate=reinstate))
            places.append(place)
        except InvalidInputError as error:
            receipts[place] = Receipt(outcome=Outcome.REJECTED, code=error.code, reason=error.message)
    return commands, places, receipts


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
    current = parts.store.get(request.namespace, [request.id])[0]
    if current is None:
        raise no_such_memory(request.id, request.namespace)
    command = to_revise(in_users_zone(request, parts.zone), current, parts.clock.now())

    def answer(results: list[Result]) -> Receipt:
        return _changed(results[0], parts, "nothing to change: the current revision is the same")

    return write_once(parts, "revise", request, request.idempotency_key, [command], answer, Receipt)


def retire(parts: Parts, request: RetireRequest) -> Receipt:
    """Stop holding a memory for true."""
    command = Retire(
        id=request.id,
        namespace=request.namespace,
        at=parts.clock.now(),
        reason=_reason(request.reason),
        if_revision=request.if_revision,
    )

    def answer(results: list[Result]) -> Receipt:
        receipt = _changed(results[0], parts, "it was retired already")
        reason = receipt.reason if isinstance(results[0], Unchanged) else None
        return msgspec.structs.replace(receipt, searchable=Searchable(words=False, meaning=False), reason=reason)

    return write_once(parts, "retire", request, request.idempotency_key, [command], answer, Receipt)


def forget(parts: Parts, request: ForgetRequest) -> Forgotten:
    """Erase a memory; a second request for the same id finds nothing and raises NotFoundError.

    Raises InvalidInputError for a reason that repeats the memory.
    """
    reason = _reason(request.reason)
    check_reason(parts, request.namespace, [request.id], reason)
    command = Forget(
        id=request.id,
        namespace=request.namespace,
        at=parts.clock.now(),
        reason=reason,
        if_revision=request.if_revision,
    )

    def answer(results: list[Result]) -> Forgotten:
        _raise_rejected(results[0], request.id, request.namespace)
        return Forgotten(forgotten=1, dry_run=False, ids=(request.id,))

    if parts.store.get(request.namespace, [request.id])[0] is not None:
        parts.follower.forget_saved()  # before the commit as well: a process killed right after it leaves no saved words
    forgotten = write_once(parts, "forget", request, request.idempotency_key, [command], answer, Forgotten)
    _drop_derived(parts, request.namespace, [request.id])
    return forgotten


def forget_many(parts: Parts, request: ForgetManyRequest) -> Forgotten:
    """Erase all memories that match, in batches; reason and share are checked for all of them before the first is erased."""
    selection = as_selection(in_users_zone(request, parts.zone))
    no_filter = selection == Selection(namespace=selection.namespace)
    if no_filter and not request.everything:
        raise InvalidInputError(
            "no filter was given, so this would erase the whole namespace",
            hint="give a filter, or everything=true to mean just that",
            field="everything",
        )
    ids = _all_ids(parts, request.namespace) if no_filter else _matching_ids(parts, selection)
    reason = _reason(request.reason)
    check_reason(parts, request.namespace, ids, reason)  # in a dry run too, which is to foresee a refusal
    if request.dry_run:
        return Forgotten(forgotten=len(ids), dry_run=True, ids=tuple(ids[:1000]))
    total = max(parts.store.stats(request.namespace).memories, 1)
    share = len(ids) / total
    allowed = parts.forget_share if request.allow_share is None else request.allow_share
    if not request.everything and len(ids) > ALWAYS_ALLOWED and share > allowed:
        raise BrakeError(
            f"this would erase {len(ids)} of {total} memories in {request.namespace}, more than the allowed {allowed:.0%}",
            hint=f"narrow the filter, or pass allow_share={min(1.0, share):.2f}",
            matching=len(ids),
            total=total,
        )
    if not ids:
        return Forgotten(forgotten=0, dry_run=False, ids=())
    parts.follower.forget_saved()
    forgotten = 0
    for start in range(0, len(ids), FORGET_PAGE):
        now = parts.clock.now()
        commands: list[Command] = [
            Forget(id=memory_id, namespace=request.namespace, at=now, reason=reason)
            for memory_id in ids[start : start + FORGET_PAGE]
        ]
        forgotten += sum(isinstance(result, Stored) for result in write(parts, commands))
    _drop_derived(parts, request.namespace, ids)
    return Forgotten(forgotten=forgotten, dry_run=False, ids=tuple(ids[:1000]))


def write(parts: Parts, commands: Sequence[Command]) -> list[Result]:
    """Write durably, hand the new revisions to the index, and wake the background workers."""
    results = parts.store.write(commands, actor=parts.actor)
    _after(parts, results)
    return results


def as_selection(request: Selection) -> Selection:
    """The plain selection inside a request that extends one."""
    return Selection(**{name: getattr(request, name) for name in Selection.__struct_fields__})


def _counted(receipts: Sequence[Receipt]) -> Receipts:
    """Receipts with how many had each outcome."""
    counts = Counter(str(receipt.outcome) for receipt in receipts)
    return Receipts(receipts=tuple(receipts), counts=dict(sorted(counts.items())))


def no_such_memory(memory_id: str, namespace: str) -> NotFoundError:
    """The error for an id that this namespace does not have."""
    return NotFoundError(
        f"there is no memory {memory_id} in namespace {namespace}",
        hint="ai-memory list shows what is there",
        memory_id=memory_id,
        namespace=namespace,
    )


def write_once(
    parts: Parts,
    name: str,
    request: Struct,
    idempotency_key: str | None,
    commands: Sequence[Command],
    answer: Callable[[list[Result]], Answer],
    kind: type[Answer],
) -> Answer:
    """Carry out the commands once per idempotency key; `answer` turns their results into the response."""
    if idempotency_key is None:
        return answer(write(parts, commands) if commands else [])
    if not 1 <= len(idempotency_key) <= 256:
        raise InvalidInputError("idempotency_key must have 1 to 256 characters", field="idempotency_key", limit=256)
    digest = hashlib.blake2b(msgspec.json.encode((name, request)), digest_size=16).digest()
    seen: list[Result] = []

    def encode(results: list[Result]) -> bytes:
        seen.extend(results)
        return msgspec.json.encode(answer(results))

    kept = parts.store.write_idempotent(f"{name}:{idempotency_key}", digest, commands, encode, actor=parts.actor)
    _after(parts, seen)
    return from_json(kept, kind)


def _after(parts: Parts, results: Sequence[Result]) -> None:
    parts.follower.offer(
        [
            StoredRevision(key=result.sequence, record=result.record)
            for result in results
            if isinstance(result, Stored) and result.record is not None and result.record.retired_at is None
        ]
    )
    parts.backlog.kick()
    if parts.graph is not None:
        parts.graph.kick()


def _receipt(draft: Draft, result: Result, can_find_meaning: bool) -> Receipt:
    """What became of a draft. Lexical search finds a new memory at once, semantic search once it is embedded."""
    if isinstance(result, Stored):
        return Receipt(
            outcome=Outcome.SUPERSEDED if result.superseded else Outcome.STORED,
            memory_id=result.memory_id,
            revision=result.revision,
            actor=_actor(result.record),
            supersedes=result.superseded,
            reason=_sentences(_ended_before(result.ended_before), None if can_find_meaning else PENDING),
            searchable=Searchable(words=True, meaning=False),
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
            reason=None if _can_find_meaning(parts) else PENDING,
            searchable=Searchable(words=True, meaning=False),
        )
    if isinstance(result, Unchanged) and result.record is not None:
        return Receipt(
            outcome=Outcome.STORED,
            memory_id=result.record.id,
            revision=result.record.revision,
            actor=result.record.actor,
            reason=unchanged,
            searchable=Searchable(words=True, meaning=False),
        )
    _raise_rejected(result, "", "")
    raise AssertionError(f"unexpected result {result!r}")


def _raise_rejected(result: Result, memory_id: str, namespace: str) -> None:
    if not isinstance(result, Rejected):
        return
    error: MemoryServiceError
    if result.code == "stale_revision":
        error = StaleRevisionError(result.reason, hint="read the memory again and decide on its current revision")
    elif result.code == "not_found":
        error = no_such_memory(memory_id, namespace) if memory_id else NotFoundError(result.reason)
    else:
        error = ConflictError(result.reason, hint=_HINTS.get(result.code))
    error.details.update(result.details)
    raise error


def _actor(record: MemoryRecord | None) -> Actor | None:
    return None if record is None else record.actor


def _reason(reason: str | None) -> str | None:
    return None if reason is None else clean_text(reason, "reason")


_HINTS = {
    "conflict": "remember the new text as a separate memory",
    "duplicate": "use that memory, or retire one of the two",
    "forgotten": "remember it with reinstate=true if it should come back",
}


def _can_find_meaning(parts: Parts) -> bool:
    return parts.slot.state in ("idle", "loading", "ready")


def _awaited(parts: Parts, receipts: Sequence[Receipt]) -> list[Receipt]:
    """The receipts once their memories are embedded; unchanged where there is no model or the time limit is reached first."""
    settled = parts.backlog.settle(WAIT_SECONDS)
    return [
        msgspec.structs.replace(
            receipt,
            searchable=Searchable(words=True, meaning=True),
            reason=_sentences((receipt.reason or "").removesuffix(PENDING).removesuffix("; ")),
        )
        if settled and receipt.memory_id is not None
        else receipt
        for receipt in receipts
    ]


def _drop_derived(parts: Parts, namespace: str, ids: Sequence[str]) -> None:
    """Erase every derived copy before a forget is acknowledged: in this process's index, its snapshot and the graph file."""
    parts.follower.forget_saved()
    parts.follower.catch_up()
    if parts.graph is not None:
        parts.graph.erase(namespace, ids)


def _matching_ids(parts: Parts, selection: Selection) -> list[str]:
    ids: list[str] = []
    cursor: str | None = None
    while True:
        page = parts.store.select(selection, limit=FORGET_PAGE, cursor=cursor)
        ids.extend(memory.id for memory in page.memories)
        cursor = page.cursor
        if cursor is None:
            return ids


def _all_ids(parts: Parts, namespace: str) -> list[str]:
    """Every memory of a namespace, the retired ones too, which no filter matches."""
    ids: dict[str, None] = {}
    after = 0
    while page := parts.store.live_revisions(after=after, limit=FORGET_PAGE, namespace=namespace):
        ids.update((revision.record.id, None) for revision in page)
        after = page[-1].key
    return list(ids)
