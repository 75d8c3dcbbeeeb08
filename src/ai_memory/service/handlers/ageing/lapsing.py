"""Erasing what has expired, where the settings say so, with a brake: more than a share of a namespace waits for a person.

Whether it waits is found again each time from what is stored, so that all processes agree, and a person decides by erasing,
changing or pinning those memories, or by another setting. A memory is erased by the command of `forget`, and only as the revision
that was looked at: one that is changed meanwhile stays, and one that another process erased is not erased twice.
"""

from __future__ import annotations

import datetime as dt
import logging
import shlex
import time
from dataclasses import replace

from msgspec import Struct

from ai_memory.service.handlers.erasing.forgetting import forget_lapsed
from ai_memory.service.parts import Parts
from ai_memory.store.base import Action
from ai_memory.truth.ageing import is_too_much
from ai_memory.types import Actor, MemoryRecord, Selection
from ai_memory.wording.ways import Way, by_operator

logger = logging.getLogger(__name__)

EVERY_SECONDS = 60.0
PAGE = 500
A_DAY = dt.timedelta(days=1)


class Held(Struct, frozen=True):
    """A namespace in which more has expired than may be erased without a person."""

    namespace: str
    due: int
    message: str
    way: Way


class Lapsing:
    """Erases what is due about once a minute, in the thread of the upkeep."""

    def __init__(self) -> None:
        self._next = 0.0
        self._said: set[str] = set()
        """The namespaces of which the log has said that they wait."""

    def once(self, parts: Parts) -> None:
        """Erase now what is due, if it is time; nothing in a store that cannot be written. Raises StoreError."""
        if time.monotonic() < self._next or parts.store.read_only:
            return
        self._next = time.monotonic() + EVERY_SECONDS
        waiting: set[str] = set()
        for namespace, _ in parts.store.namespaces():
            held = erase_due(parts, namespace)
            if held is not None:
                waiting.add(namespace)
                if namespace not in self._said:
                    logger.warning("%s", held.message)
        self._said = waiting


def erase_due(parts: Parts, namespace: str) -> Held | None:
    """Erase what has expired long enough ago in a namespace; what is to be said where it waits for a person. Raises StoreError."""
    due = _due(parts, namespace)
    if not due:
        return None
    held = _held(parts, namespace, len(due))
    if held is None:
        forgotten = forget_lapsed(replace(parts, actor=Actor.POLICY), namespace, due)
        logger.info("%d memories of %s were erased, which had expired", forgotten, namespace)
    return held


def held_namespaces(parts: Parts) -> list[Held]:
    """The namespaces whose erasing waits for a person; none without a policy. Raises StoreError."""
    if parts.erasure is None:
        return []
    found = ((namespace, len(_due(parts, namespace))) for namespace, _ in parts.store.namespaces())
    return [held for namespace, due in found if due and (held := _held(parts, namespace, due)) is not None]


def _due(parts: Parts, namespace: str) -> list[MemoryRecord]:
    """The memories, retired ones too, that expired so long ago that they are to be erased; pinned ones never are."""
    if parts.erasure is None:
        return []
    limit = parts.clock.now() - parts.erasure.after
    selection = Selection(namespace=namespace, expires_before=limit, pinned=False)
    found: dict[str, MemoryRecord] = {}
    cursor: str | None = None
    while True:
        page = parts.store.select(selection, limit=PAGE, cursor=cursor, retired=True)
        found.update((record.id, record) for record in page.memories)
        cursor = page.cursor
        if cursor is None:
            return list(found.values())


def _held(parts: Parts, namespace: str, due: int) -> Held | None:
    """Why `due` memories may not be erased now, if so. What was erased in the last day counts: else many small runs would do it."""
    assert parts.erasure is not None
    before = _erased_within(parts, namespace, A_DAY)
    counts = parts.store.stats(namespace)
    total = counts.memories + counts.retired
    if not is_too_much(due + before, total + before, parts.erasure.share):
        return None
    limit = parts.clock.now() - parts.erasure.after
    also = f", after {before} in the last day" if before else ""
    message = (
        f"{due} of {total} memories of {namespace} have expired and wait to be erased{also}: more than {parts.erasure.share:.0%} "
        "of a namespace in a day is for a person to decide"
    )
    command = (
        f"ai-memory forget-many --namespace {shlex.quote(namespace)} --expires-before {limit:%Y-%m-%dT%H:%M:%SZ} --no-pinned "
        "--no-dry-run --allow-share 1; or change, pin or extend what is to stay; or set erase_share"
    )
    return Held(namespace, due, message, by_operator(command, "erase what has expired, or set erase_share"))


def _erased_within(parts: Parts, namespace: str, span: dt.timedelta) -> int:
    """How many memories this rule has erased in a namespace lately, as the log has it."""
    until = parts.clock.now()
    place, count = (until - span, 0), 0
    while entries := parts.store.log_between(namespace, after=place, until=until, limit=PAGE):
        count += sum(entry.action is Action.FORGOTTEN and entry.actor is Actor.POLICY for entry in entries)
        place = (entries[-1].at, entries[-1].sequence)
    return count
