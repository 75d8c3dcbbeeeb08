"""LangChain's messages as the service takes messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from langchain_core.messages import BaseMessage

_ROLES = {"human": "user", "ai": "assistant"}


def role_of(message: BaseMessage) -> str:
    """Who speaks, in the service's words; what is neither a person nor a model keeps its type's name."""
    return _ROLES.get(message.type, message.type)


def text_of(message: BaseMessage) -> str:
    """What a message says; empty where it has no text."""
    return str(message.text)  # a kind of text that encoders do not know


def said(messages: Iterable[BaseMessage]) -> list[dict[str, Any]]:
    """The messages for `remember_messages`, which leaves out what nobody said: instructions, calls and results of tools."""
    return [
        {"role": role_of(message), "content": text_of(message), **({"name": message.name} if message.name else {})}
        for message in messages
    ]
