"""A conversation as memories: who said what, in order, without what was not said and without what came from the memory itself."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from ai_memory.operations.writing import Draft, Message, RefusedDraft, RememberMessagesRequest
from ai_memory.recall.context_block import without_blocks
from ai_memory.service.parts import Parts
from ai_memory.store.ids import new_id
from ai_memory.types import MemoryType

SESSION = "ses_"
LEFT_OUT = "left_out"
_SPEAKERS = {"user": "user", "human": "user", "assistant": "assistant", "ai": "assistant", "model": "assistant"}
_NOT_SAID = ("system", "developer", "tool", "function")
_TEXT_PARTS = ("text", "input_text", "output_text")


def new_session(parts: Parts, request: RememberMessagesRequest) -> str:
    """A session of its own, which a repeated request gets again."""
    if request.idempotency_key is None:
        return new_id(SESSION, parts.clock.now())
    of = f"{request.namespace}\0{request.idempotency_key}".encode("utf-8", "surrogatepass")
    return SESSION + hashlib.blake2b(of, digest_size=13).hexdigest()


def drafts_of(request: RememberMessagesRequest, session: str) -> Iterator[Draft]:
    """A draft for each message, in order; a `RefusedDraft`, with the reason, for one that is left out."""
    for turn, message in enumerate(request.messages):
        speaker = _SPEAKERS.get(message.role.strip().lower())
        text = _text_of(message.content)
        said = without_blocks(text).strip()
        reason = _why_left_out(message, speaker, text, said)
        if reason is not None:
            yield RefusedDraft(text="", code=LEFT_OUT, reason=reason)
            continue
        yield Draft(
            text=said,
            type=MemoryType.CONVERSATION,
            author=message.name or speaker,
            session=session,
            user=request.user,
            agent=request.agent,
            context=request.context,
            tags=request.tags,
            attributes={**request.attributes, "role": speaker, "turn": turn},
            source=request.source,
            valid_from=message.time,
            ttl=request.ttl,
        )


def _why_left_out(message: Message, speaker: str | None, text: str, said: str) -> str | None:
    role = message.role.strip().lower()
    if role in _NOT_SAID:
        return f"what {role} says is an instruction or a result, not a part of the conversation"
    if speaker is None:
        return f"the role {message.role[:40]} is none of {', '.join(_SPEAKERS)}"
    if not text.strip():
        return "it has no text; calls of tools, pictures and files are left out"
    return None if said else "all of it was recalled from this memory"


def _text_of(content: str | list[str | dict[str, Any]] | None) -> str:
    """The text of a message's parts, each on lines of its own."""
    if content is None or isinstance(content, str):
        return content or ""
    found = []
    for part in content:
        if isinstance(part, str):
            found.append(part)
        elif isinstance(part, Mapping) and part.get("type") in _TEXT_PARTS and isinstance(part.get("text"), str):
            found.append(part["text"])
    return "\n".join(found)
