"""Proposals and feedback of an archive, once they are such as this service could have made."""

from __future__ import annotations

from msgspec.structs import replace

from ai_memory.errors import InvalidInputError
from ai_memory.inbox import Feedback, Proposal
from ai_memory.service.handlers.drafts import MAX_ID
from ai_memory.store.ids import FEEDBACK, MEMORY, PROPOSAL
from ai_memory.store.inbox import PAIRED
from ai_memory.text.normal import clean_text
from ai_memory.types import Actor

MAX_REASON = 2_000


def checked_proposal(made: Proposal, *, vouched: bool) -> Proposal:
    """A proposal of an archive, once it is one that this service could have made. Raises InvalidInputError.

    What a person is said to have decided is theirs only where a person imports it (`vouched`).
    """
    _check_id(made.id, PROPOSAL)
    for field in ("memory_id", "other_id"):
        _check_id(getattr(made, field), MEMORY, field)
    _check_texts({"reason": made.reason, "note": made.note, "relation_id": made.relation_id})
    _check_share(made.confidence)
    if made.kind in PAIRED and made.other_id is None:
        raise InvalidInputError(f"a proposal of the kind {made.kind} names no other memory", field="other_id")
    by = {"made_by": made.made_by, "decided_by": made.decided_by}
    return replace(made, **{name: _vouched(actor, vouched=vouched) for name, actor in by.items()})


def checked_feedback(said: Feedback, *, vouched: bool) -> Feedback:
    """The same for feedback."""
    _check_id(said.id, FEEDBACK)
    _check_id(said.memory_id, MEMORY, "memory_id")
    _check_texts({"note": said.note})
    _check_share(said.given)
    _check_share(said.confidence)
    return replace(said, actor=_vouched(said.actor, vouched=vouched) or Actor.UNKNOWN)


def _vouched(actor: Actor | None, *, vouched: bool) -> Actor | None:
    return Actor.IMPORT if actor is Actor.PERSON and not vouched else actor


def _check_id(value: str | None, prefix: str, field: str = "id") -> None:
    if value is not None and not (value.startswith(prefix) and len(value) <= MAX_ID and value.isascii()):
        raise InvalidInputError(f"{value[:80]!r} is no such id", hint=f"ids look like {prefix}…", field=field)


def _check_texts(texts: dict[str, str | None]) -> None:
    for field, text in texts.items():
        if text is not None and len(clean_text(text, field)) > MAX_REASON:
            raise InvalidInputError(
                f"{field} is over {MAX_REASON:,} characters", hint="shorten it", field=field, limit=MAX_REASON
            )


def _check_share(value: float) -> None:
    if not 0.0 <= value <= 1.0:
        raise InvalidInputError(f"confidence must be from 0 to 1, not {value}", field="confidence")
