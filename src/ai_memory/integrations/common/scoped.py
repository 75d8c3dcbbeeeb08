"""A memory within one scope, for the adapters: what they write there has the scope, and what they read has it too."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypedDict, Unpack

from ai_memory.integrations.items import MAX_QUESTION, by_key, key_of, ranked, revise, write
from ai_memory.operations.writing import MAX_BATCH, RememberedMessages
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Methods
from ai_memory.types import DEFAULT_NAMESPACE, MemoryRecord

BLOCK_HITS = 6
BLOCK_TOKENS = 700


class Scope(TypedDict, total=False):
    """The scope of an adapter; what is not given, or None, limits nothing and is not written.

    namespace: The namespace to work in; nothing is read or written across namespaces.
    user: The user that the memories belong to.
    agent: The agent that the memories belong to.
    session: The conversation that they are part of.
    context: Their path of topics, such as work/projects; what is below it is read too.
    """

    namespace: str | None
    user: str | None
    agent: str | None
    session: str | None
    context: str | None


class ScopedMemory:
    """A store here or a running service, within one scope. The store or client stays the caller's to close."""

    def __init__(self, memory: Methods | AsyncMethods, **scope: Unpack[Scope]) -> None:
        """`memory` is a `Memory`, a `Client`, or one of their asynchronous twins. Raises TypeError for an unknown argument."""
        unknown = set(scope) - set(Scope.__annotations__)
        if unknown:
            raise TypeError(f"unknown: {', '.join(sorted(unknown))}; a scope has {', '.join(Scope.__annotations__)}")
        self.memory = memory if isinstance(memory, Methods) else Methods(memory.caller)
        self.namespace = scope.get("namespace") or DEFAULT_NAMESPACE
        self.facets: dict[str, Any] = {name: value for name, value in scope.items() if value and name != "namespace"}
        """The rest of the scope: fields of what is written, and filters of what is read."""

    def find(
        self, question: str, limit: int, *, where: Mapping[str, Any] | None = None, least: float = 0.0
    ) -> list[tuple[MemoryRecord, float]]:
        """At most `limit` memories that answer a question, the best first, each with its confidence, from 0 to 1.

        `least` is the lowest confidence. Memories that say the same in other words too are each given.
        """
        return ranked(self.memory, self.namespace, question, limit, min_relevance=least, where=where, **self.facets)

    def block(self, question: str, *, limit: int = BLOCK_HITS, max_tokens: int = BLOCK_TOKENS) -> str:
        """What answers a question as one block of text for a prompt, fenced and dated; empty where recall abstains.

        `remember` recognises such a block, and does not store what is in it once more.
        """
        answer = self.memory.recall(
            question[:MAX_QUESTION],
            namespace=self.namespace,
            limit=limit,
            max_tokens=max_tokens,
            format="context",
            **self.facets,
        )
        return answer.context or "" if answer.hits and not answer.abstained else ""

    def remember(
        self, messages: Sequence[Mapping[str, Any]], *, session: str | None = None
    ) -> list[RememberedMessages]:
        """Store what was said, as `remember_messages` does, in batches; `session` names the conversation unless the scope does."""
        fields = {**self.facets, "session": self.facets.get("session") or session}
        return [
            self.memory.remember_messages(messages[start : start + MAX_BATCH], namespace=self.namespace, **fields)
            for start in range(0, len(messages), MAX_BATCH)
        ]

    def key(self, kind: str, id_: str) -> str:
        """The key of what has this id among what is of a kind; the same id in another scope is another key."""
        return key_of(kind, *itertools.chain.from_iterable(sorted(self.facets.items())), "", id_)

    def put(self, drafts: Iterable[dict[str, Any]], fields: Sequence[str]) -> None:
        """Store drafts, each under its key, and wait until they can be found. Where a key is there, these fields are revised.

        Of two drafts with one key the last counts. Raises InvalidInputError for a draft that is refused.
        """
        given = {draft["key"]: draft for draft in drafts}
        there = by_key(self.memory, self.namespace, list(given))
        for key, record in there.items():
            if any(getattr(record, name) != given[key][name] for name in fields):
                revise(self.memory, self.namespace, record, given[key], fields, wait=True)
        write(self.memory, self.namespace, [draft for key, draft in given.items() if key not in there], wait=True)

    def forget_all(self, where: Mapping[str, Any]) -> int:
        """Erase for good what the scope has and a condition holds for; returns how many memories."""
        return self.memory.forget_many(
            namespace=self.namespace, where=where, dry_run=False, allow_share=1.0, **self.facets
        ).forgotten
