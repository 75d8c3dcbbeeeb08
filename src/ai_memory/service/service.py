"""The Service: carries out the operations over one store, one embedder and the in-memory index."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from ai_memory import __version__
from ai_memory.clock import Clock, SystemClock
from ai_memory.embed.base import Embedder
from ai_memory.errors import ServiceUnavailableError
from ai_memory.operations.base import Operation, Request, Response
from ai_memory.operations.caller import Progress
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest
from ai_memory.operations.reading import RecallRequest
from ai_memory.recall.answer import Answer
from ai_memory.recall.recipe import Recipe
from ai_memory.recall.tuned import Tuned
from ai_memory.service.background.backlog import BacklogWorker
from ai_memory.service.background.build_lock import BuildLock
from ai_memory.service.background.builder import Builder, Workshop
from ai_memory.service.background.decisions import Decisions
from ai_memory.service.background.embedder import Chooser, EmbedderSlot, Loader, find_embedder, no_choice
from ai_memory.service.background.extraction import GraphReader, OpenFile
from ai_memory.service.background.follower import Follower
from ai_memory.service.background.snapshots import SnapshotFolder
from ai_memory.service.background.tasks import Tasks
from ai_memory.service.background.upkeep import Upkeep
from ai_memory.service.handlers import moving, reading
from ai_memory.service.handlers.ageing.runner import Runner
from ai_memory.service.handlers.moving import Import
from ai_memory.service.handlers.upkeep import events, keeping
from ai_memory.service.parts import Keeping, Parts
from ai_memory.service.table import HANDLERS
from ai_memory.store.base import Store
from ai_memory.truth.ageing import Background, Policies
from ai_memory.types import Actor, OnConflict, Problem
from ai_memory.wording.ways import SERVE


class Service:
    """The whole service in one process: a `Caller`, and what its host needs. Every method may be called from any thread.

    What each operation does, and what it raises, is in its definition and on the reference page.
    """

    def __init__(
        self,
        store: Store,
        loader: Loader | None,
        *,
        clock: Clock | None = None,
        snapshots: SnapshotFolder | None = None,
        snapshot_rows: int = 0,
        forget_share: float = 0.2,
        on_conflict: Mapping[str, OnConflict] | None = None,
        choose: Chooser = no_choice,
        build_lock: Path | None = None,
        graph_file: OpenFile | None = None,
        tuned: Tuned | None = None,
        policies: Policies | None = None,
        background: Background | None = None,
        zone: dt.tzinfo = dt.UTC,
        ahead_seconds: float = 0.0,
        place: Keeping | None = None,
    ) -> None:
        """`place` is where it keeps backups and models.

        `choose` gives the embedders that `reembed` may be asked for; `build_lock` is a file by which the processes of a
        store agree on which of them builds a generation; `graph_file` opens the file of what memories name (None: no
        extraction); `tuned` are weights in place of a shipped recipe's; `policies` say when new memories lapse, and
        `background` what is decided by itself; `zone` is whose days a question and a memory mean by *yesterday*;
        `ahead_seconds` above 0 is for a process that carries out one command and ends: it embeds what is pending before it
        answers a question, for so long at most, and nothing in the background that it was not asked for.
        """
        clock = clock or SystemClock()
        slot = EmbedderSlot(store, loader)
        follower = Follower(store, snapshots, snapshot_rows=snapshot_rows)
        backlog = BacklogWorker(store, slot, self._vectors_stored, ahead_seconds=ahead_seconds)
        shop = Workshop(store, slot, backlog, clock, partial(find_embedder, loader, choose), self._generation_switched)
        decided = Decisions(store)
        graph = None if graph_file is None else GraphReader(store, graph_file, decided, zone)
        self._closed = threading.Event()
        self._runner = Runner()
        self._parts = Parts(
            store=store,
            clock=clock,
            slot=slot,
            follower=follower,
            backlog=backlog,
            builder=Builder(shop, BuildLock(build_lock)),
            choose=choose,
            forget_share=forget_share,
            on_conflict={"*": OnConflict.PROPOSE, **(on_conflict or {})},
            zone=zone,
            tuned=tuned,
            policies=policies,
            background=background or Background(),
            decided=decided,
            graph=graph,
            upkeep=Upkeep(store, graph),
            tasks=Tasks(store, clock),
            keeping=place,
            closed=self._closed,
        )
        if ahead_seconds == 0 and not store.read_only:
            self._runner.start(self._parts)
        self.version = __version__
        self.zone = zone
        """Whose days texts for people and models show."""

    def carry_out(
        self, operation: Operation[Request, Response], request: Request, actor: Actor = Actor.AGENT
    ) -> Response:
        """As `Caller.carry_out`, for `actor`: what it writes is recorded as theirs."""
        if operation.effect != "read":
            self._refuse_read_only()
        response: Response = HANDLERS[operation.name](self._for(actor), request)
        return response

    def recall_with(self, recipe: Recipe, request: RecallRequest) -> Answer:
        """Find the memories that answer a question by `recipe` in place of the one that the request names, to measure it."""
        return reading.recall(self._open(), request, recipe)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """As `Caller.export`."""
        return moving.export(self._open(), request)

    def import_lines(
        self,
        request: ImportRequest,
        lines: Iterable[bytes],
        progress: Progress | None = None,
        actor: Actor = Actor.AGENT,
    ) -> ImportReport:
        """As `Caller.import_lines`: each batch is durable before the next is read, and a wrong line does not stop the others."""
        self._refuse_read_only()
        return moving.import_lines(self._for(actor), request, lines, progress)

    def begin_import(self, request: ImportRequest, actor: Actor = Actor.AGENT) -> Import:
        """An import that is given its lines bit by bit; `import_lines` is the same for lines that one can wait for."""
        self._refuse_read_only()
        return Import(self._for(actor), request)

    def resume_build(self) -> None:
        """Continue an interrupted build of a generation; nothing happens where there is none, or the store is read-only."""
        if not self._open().store.read_only:
            self._parts.builder.begin()

    def warm_up(self) -> None:
        """Load the index, the model and what a question's times are read with now rather than at the first use."""
        parts = self._open()
        parts.follower.catch_up()
        parts.backlog.kick()
        reading.warm_up(parts)
        if parts.graph is not None:
            parts.graph.kick()

    def embedder(self) -> Embedder:
        """The embedder of the active vector generation, for embedding texts that are not kept; do not close it.

        Raises EmbedderUnavailableError where there is none.
        """
        return self._open().slot.require()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory is embedded; False at the time limit (seconds) or without a model."""
        return self._open().backlog.settle(timeout)

    def doctor(self, *, rebuild: bool = False) -> tuple[Problem, ...]:
        """What does not agree with the canonical rows or has no vector yet; with `rebuild`, derived parts are rebuilt first."""
        return keeping.examine(self._open(), rebuild=rebuild)

    def backup_files(self, name: str) -> list[Path]:
        """The files of a backup that this service made. Raises NotFoundError."""
        return keeping.belonging(keeping.backup_file(self._open(), name))

    def mark(self) -> str:
        """A short text that changes whenever there is an event. Cheap: for one who looks on behalf of many."""
        return events.mark(self._open())

    def close(self) -> None:
        """Finish what was acknowledged, save the index, release the store. Closing twice is allowed."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._runner.close()
        self._parts.tasks.close()
        self._parts.upkeep.close()
        self._parts.builder.close()
        self._parts.backlog.close()
        try:
            if self._parts.graph is not None:
                self._parts.graph.close()
            self._parts.follower.close()
        finally:
            self._parts.slot.close()
            self._parts.store.close()

    def _open(self) -> Parts:
        if self._closed.is_set():
            raise _closed()
        return self._parts

    def _for(self, actor: Actor) -> Parts:
        """What handlers work with when they act for somebody."""
        parts = self._open()
        return parts if actor is parts.actor else replace(parts, actor=actor)

    def _refuse_read_only(self) -> None:
        """Before anything derived is touched. Raises StoreReadOnlyError."""
        store = self._open().store
        if store.read_only and (trouble := store.trouble()) is not None:
            raise trouble

    def _generation_switched(self) -> None:
        """After a switch in this process: read the new vectors now, so that the next question need not wait for them."""
        self._parts.follower.catch_up()
        self._parts.backlog.kick()

    def _vectors_stored(self) -> None:
        """After each batch of vectors: bring the index up to date and save it when enough has changed."""
        self._parts.follower.catch_up()
        self._parts.follower.save()


def _closed() -> ServiceUnavailableError:
    return ServiceUnavailableError("the service is closed", hint=SERVE.after("open it again, or "))
