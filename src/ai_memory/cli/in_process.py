"""The service in this process, for when none is running."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from ai_memory.cli.output.screen import Screen
from ai_memory.operations.watching import STATS, StatsRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service

SETTLE_SECONDS = 60.0
"""How long a command that wrote goes on embedding before it leaves the rest pending."""


@contextmanager
def service_here(settings: Settings, screen: Screen, *, writes: bool, any_embedder: bool) -> Iterator[Service]:
    """The open service of a store, closed at the end. With `writes`, what is pending is embedded first, for at most a minute."""
    logging.getLogger("ai_memory").setLevel(logging.ERROR if settings.log_level != "debug" else logging.DEBUG)
    service = open_service(settings, any_embedder=any_embedder)
    try:
        try:
            yield service
        finally:
            if writes:
                _embed_pending(service, screen)
    finally:
        service.close()


def _embed_pending(service: Service, screen: Screen) -> None:
    begun = time.monotonic()
    if service.settle(SETTLE_SECONDS) or time.monotonic() - begun < SETTLE_SECONDS:
        return  # done, or there is no model, which every receipt has said
    pending = service.carry_out(STATS, StatsRequest()).pending
    screen.note(
        f"notice: {pending:,} memories are found lexically but not yet semantically; `ai-memory serve` embeds them"
    )
