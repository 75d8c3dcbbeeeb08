"""What the operations' handlers work with."""

from __future__ import annotations

import datetime as dt
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import Struct

from ai_memory.clock import Clock
from ai_memory.recall.tuned import Tuned
from ai_memory.service.background.backlog import BacklogWorker
from ai_memory.service.background.builder import Builder
from ai_memory.service.background.decisions import Decisions
from ai_memory.service.background.embedder import Chooser, EmbedderSlot
from ai_memory.service.background.extraction import GraphReader
from ai_memory.service.background.follower import Follower
from ai_memory.service.background.tasks import Tasks
from ai_memory.service.background.upkeep import Upkeep
from ai_memory.store.base import Store
from ai_memory.truth.ageing import Background, Policies
from ai_memory.types import Actor, OnConflict


class Keeping(Struct, frozen=True):
    """Where a service keeps what is no memory, and what it may fetch."""

    beside: Path
    """The path next to which the store's derived files are."""
    data_dir: Path
    offline: bool

    @property
    def backups(self) -> Path:
        """The folder of the backups that it is asked for."""
        return self.data_dir / "backups"


@dataclass(frozen=True)
class Parts:
    """The capabilities of one running service."""

    store: Store
    clock: Clock
    slot: EmbedderSlot
    follower: Follower
    backlog: BacklogWorker
    builder: Builder
    choose: Chooser
    forget_share: float
    on_conflict: Mapping[str, OnConflict]
    """What a new memory does that seems to give another value of what is stored, by namespace; `*` for all others."""
    decided: Decisions
    graph: GraphReader | None
    """None where extraction is switched off."""
    upkeep: Upkeep
    tasks: Tasks
    """Long work that somebody asked for."""
    keeping: Keeping | None = None
    """None for a service over a store alone."""
    zone: dt.tzinfo = dt.UTC
    """Whose days *yesterday* and *15 March* mean where a request's `now` has no zone."""
    actor: Actor = Actor.AGENT
    """Who the operations are carried out for: what the log says of every write."""
    ranking: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(os.cpu_count() or 1))
    """Held by a question while it is ranked: as many at once as there are cores. All at once would share the interpreter, so
    that each of them ended only when the last one did.
    """
    policies: Policies | None = None
    """When new memories lapse that are given no expiry."""
    background: Background = field(default_factory=Background)
    """What is decided in the background, and within which limits."""
    woken: threading.Event = field(default_factory=threading.Event)
    """Set to have the runner of background decisions look now, in place of within a minute."""
    closed: threading.Event = field(default_factory=threading.Event)
    """Set when the service is being closed: what waits for anything ends."""
    tuned: Tuned | None = None
    """Weights fitted to the user's own questions, in place of a shipped recipe's."""
