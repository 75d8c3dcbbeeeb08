"""The messages of a conversation, kept for LangChain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from langchain_core.chat_history import BaseChatMessageHistory
from langchain_core.messages import BaseMessage, message_to_dict, messages_from_dict

from ai_memory.integrations.common.scoped import Scope, ScopedMemory
from ai_memory.integrations.common.sequence import Item, Items
from ai_memory.integrations.langchain.messages import role_of, text_of
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods


class MemoryChatHistory(BaseChatMessageHistory):
    """All messages of a session, which come back equal and in order; recall finds what people and models said in them."""

    def __init__(self, memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
        """The scope has to name the `session`. Raises InvalidInputError where it does not."""
        self._items = Items(ScopedMemory(memory, **scope), "langchain_message")

    @property
    def messages(self) -> list[BaseMessage]:
        """The messages, oldest first."""
        return messages_from_dict(self._items.all())

    def add_messages(self, messages: Sequence[BaseMessage]) -> None:
        """Add messages at the end."""
        self._items.add(_item(message) for message in messages)

    def clear(self) -> None:
        """Erase the messages of the session for good."""
        self._items.clear()


def _item(message: BaseMessage) -> Item:
    role = role_of(message)
    return Item(message_to_dict(message), text_of(message) if role in ("user", "assistant") else "", role)
