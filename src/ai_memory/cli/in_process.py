"""The service in this process, for when none is running."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from ai_memory.cli.output.screen import Screen
from ai_memory.operations.watching import HEALTH, HealthRequest
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import NO_MODEL, open_service

AHEAD_SECONDS = 5.0
"""How long a command that asks a question embeds what is pending before it answers: no service does it where none runs."""
SETTLE_SECONDS = 60.0
"""How long a command that wrote goes on embedding before it leaves the rest pending."""


@contextmanager
def service_here(settings: Settings, screen: Screen, *, writes: bool, any_embedder: bool) -> Iterator[Service]:
    """The open service of a store, closed at the end. With `writes`, what is pending is embedded first, for at most a minute."""
    logging.getLogger("ai_memory").setLevel(logging.ERROR if settings.log_level != "debug" else logging.DEBUG)
    service = open_service(settings, any_embedder=any_embedder, ahead_seconds=AHEAD_SECONDS)
    try:
        try:
            yield service
        finally:
            if writes and settings.model != NO_MODEL:
                _embed_pending(service, screen)
    finally:
        service.close()


def _embed_pending(service: Service, screen: Screen) -> None:
    if service.settle(SETTLE_SECONDS):
        return
    for part in service.carry_out(HEALTH, HealthRequest()).parts:
        if part.name == "vectors":
            screen.note(f"notice: {part.message}" + (f" ({part.mend})" if part.mend else ""))
