"""`embed --pending`: the vectors that a store's memories still lack."""

from __future__ import annotations

import time

from ai_memory.cli.opening import opened
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices
from ai_memory.errors import EmbedderError, EmbedderUnavailableError
from ai_memory.operations.caller import Caller
from ai_memory.operations.watching import HEALTH, STATS, HealthRequest, StatsRequest

LOOK_SECONDS = 0.5
STALLED_SECONDS = 60.0
"""After so long without another vector the rest counts as what the embedder fails on."""


def embed_pending(choices: Choices, screen: Screen) -> int:
    """Wait until every revision has its vector; the service in this process, or the running one, makes them. Returns how many.

    Raises EmbedderUnavailableError where there is no embedder, and EmbedderError where some cannot be embedded.
    """
    with opened(choices, screen, writes=False) as caller:
        begun = before = _pending(caller)
        with progress(screen, "embedding", " memories", begun) as advance:
            moved = time.monotonic()
            while before:
                _work(caller)
                now = _pending(caller)
                advance(max(0, before - now))
                if now != before:
                    moved = time.monotonic()
                else:
                    _refuse_to_wait(caller)
                    if time.monotonic() - moved > STALLED_SECONDS:
                        raise EmbedderError(f"{now:,} revisions are still not embedded", hint="see the service's log")
                before = now
    return begun


def _work(caller: Caller) -> None:
    settle = getattr(caller, "settle", None)  # a service in this process embeds while it is waited for
    if settle is not None:
        settle(LOOK_SECONDS)
    time.sleep(LOOK_SECONDS / 10)


def _refuse_to_wait(caller: Caller) -> None:
    """Raise EmbedderUnavailableError where the service says that it cannot embed."""
    for part in caller.carry_out(HEALTH, HealthRequest()).parts:
        if part.name == "vectors" and part.state in ("degraded", "failed"):
            raise EmbedderUnavailableError(part.message, hint=part.mend)


def _pending(caller: Caller) -> int:
    return caller.carry_out(STATS, StatsRequest()).pending
