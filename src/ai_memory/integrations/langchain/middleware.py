"""Memory for LangChain's agents: recall before the model is called, remember what was said after the agent's turn."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Any, NotRequired, Unpack

from langchain_core.messages import AnyMessage, HumanMessage

from ai_memory.integrations.common.scoped import BLOCK_HITS, BLOCK_TOKENS, Scope, ScopedMemory
from ai_memory.integrations.langchain.messages import said, text_of
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods

try:
    from langchain.agents.middleware.types import (
        AgentMiddleware,
        AgentState,
        ModelRequest,
        ModelResponse,
        PrivateStateAttr,
    )
    from langgraph.runtime import Runtime
except ImportError as missing:
    raise ImportError("ai_memory.integrations.langchain.middleware needs: pip install langchain") from missing


class RecalledState(AgentState):
    """The state of an agent, with what was recalled for this turn. It is no message: the conversation stays as it was said."""

    recalled: NotRequired[Annotated[str, PrivateStateAttr]]  # type: ignore[valid-type] # the base, skipped, is a TypedDict


class MemoryMiddleware(AgentMiddleware):
    """An agent that remembers: `create_agent(model, middleware=[MemoryMiddleware(memory, user="ada")])`.

    Once a turn, before the model is called first, the latest message of the user is a question to the memory; what answers it is
    put before that message, for the model alone. After the turn, what the user and the agent said is stored, by
    `remember_messages`: the session is the thread of LangGraph, unless the scope names one; without either, each turn is one.
    """

    state_schema = RecalledState
    tools = ()

    def __init__(
        self,
        memory: Methods | AsyncMethods,
        *,
        limit: int = BLOCK_HITS,
        max_tokens: int = BLOCK_TOKENS,
        remember: bool = True,
        **scope: Unpack[Scope],
    ) -> None:
        """At most `limit` memories and `max_tokens` tokens, as estimated, are recalled; nothing is stored without `remember`."""
        super().__init__()
        self.memory = ScopedMemory(memory, **scope)
        self.limit, self.max_tokens, self.remember = limit, max_tokens, remember

    def before_agent(self, state: RecalledState, runtime: Runtime[Any]) -> dict[str, Any]:
        """Recall what answers the latest message of the user."""
        del runtime
        place = _latest(state["messages"])
        question = "" if place is None else text_of(state["messages"][place])
        recalled = self.memory.block(question, limit=self.limit, max_tokens=self.max_tokens) if question.strip() else ""
        return {"recalled": recalled}

    async def abefore_agent(self, state: RecalledState, runtime: Runtime[Any]) -> dict[str, Any]:
        """As `before_agent`."""
        return await asyncio.to_thread(self.before_agent, state, runtime)

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """Call the model with what was recalled before the latest message of the user."""
        return handler(_with_recalled(request))

    async def awrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]]
    ) -> ModelResponse[Any]:
        """As `wrap_model_call`."""
        return await handler(_with_recalled(request))

    def after_agent(self, state: RecalledState, runtime: Runtime[Any]) -> None:
        """Store what was said; what the session has already is recognised and not stored again."""
        info = runtime.execution_info
        session = self.memory.facets.get("session") or (None if info is None else info.thread_id)
        # Where nothing names the session, each turn is one of its own, and has no earlier turns in it.
        begin = 0 if session else _latest(state["messages"])
        if self.remember and begin is not None:
            self.memory.remember(said(state["messages"][begin:]), session=session)

    async def aafter_agent(self, state: RecalledState, runtime: Runtime[Any]) -> None:
        """As `after_agent`."""
        await asyncio.to_thread(self.after_agent, state, runtime)


def _latest(messages: list[AnyMessage]) -> int | None:
    """The place of the latest message of the user."""
    return next((place for place in reversed(range(len(messages))) if messages[place].type == "human"), None)


def _with_recalled(request: ModelRequest[Any]) -> ModelRequest[Any]:
    recalled = request.state.get("recalled")
    place = _latest(request.messages)
    if not recalled or place is None:
        return request
    before, after = request.messages[:place], request.messages[place:]
    return request.override(messages=[*before, HumanMessage(recalled), *after])
