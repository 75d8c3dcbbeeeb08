"""The Service: one method an operation, over one store, one embedder and the in-memory index."""

from __future__ import annotations

import math
import threading
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from ai_memory import __version__
from ai_memory.clock import Clock, SystemClock
from ai_memory.embed.base import Embedder
from ai_memory.errors import ServiceUnavailableError
from ai_memory.operations.deciding import (
    Decision,
    DecisionsRequest,
    MadeDecisions,
    MergeRequest,
    SplitRequest,
    UndoRequest,
)
from ai_memory.operations.generations import (
    ActivateGenerationRequest,
    CancelReembedRequest,
    Generations,
    GenerationsRequest,
    PruneGenerationsRequest,
    ReembedRequest,
    TakeBackRequest,
)
from ai_memory.operations.graph import (
    Entities,
    EntitiesRequest,
    Graph,
    GraphRequest,
    Neighbours,
    NeighboursRequest,
    PathRequest,
    Paths,
    RelateRequest,
    UnrelateRequest,
)
from ai_memory.operations.moving import ExportRequest, ImportReport, ImportRequest, Namespaces, NamespacesRequest
from ai_memory.operations.reading import (
    Contexts,
    ContextsRequest,
    GetRequest,
    History,
    HistoryRequest,
    ListRequest,
    RecallRequest,
    Timeline,
    TimelineRequest,
)
from ai_memory.operations.watching import Health, HealthRequest, Stats, StatsRequest
from ai_memory.operations.writing import (
    ForgetManyRequest,
    ForgetRequest,
    Forgotten,
    Receipts,
    RememberManyRequest,
    RememberRequest,
    RetireRequest,
    ReviseRequest,
)
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
from ai_memory.service.handlers import deciding, generations, graph, moving, reading, relations, watching, writing
from ai_memory.service.handlers.moving import ImportProgress
from ai_memory.service.parts import Parts
from ai_memory.store.base import Store
from ai_memory.types import MemoryRecord, Page, Problem, Receipt, Relation


class Service:
    """The whole service in one process. Every method may be called from any thread.

    Methods named after operations take the operation's request and return its response; what each does, and what it raises,
    is in the operation's definition and the reference page.
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
        choose: Chooser = no_choice,
        build_lock: Path | None = None,
        graph_file: OpenFile | None = None,
        tuned: Tuned | None = None,
    ) -> None:
        """`choose` gives the embedders that `reembed` may be asked for; `build_lock` is a file by which the processes of a
        store agree on which of them makes a generation; `graph_file` opens the file of what memories name (None: no extraction);
        `tuned` are weights in place of a shipped recipe's.
        """
        clock = clock or SystemClock()
        slot = EmbedderSlot(store, loader)
        follower = Follower(store, snapshots, snapshot_rows=snapshot_rows)
        backlog = BacklogWorker(store, slot, self._vectors_stored)
        shop = Workshop(store, slot, backlog, clock, partial(find_embedder, loader, choose), self._generation_switched)
        decided = Decisions(store)
        self._closed = threading.Event()
        self._parts = Parts(
            store=store,
            clock=clock,
            slot=slot,
            follower=follower,
            backlog=backlog,
            builder=Builder(shop, BuildLock(build_lock)),
            choose=choose,
            forget_share=forget_share,
            tuned=tuned,
            decided=decided,
            graph=None if graph_file is None else GraphReader(store, graph_file, decided),
        )
        self.version = __version__

    # writing
    def remember(self, request: RememberRequest) -> Receipt:
        """Keep one memory."""
        return writing.remember(self._open(), request)

    def remember_many(self, request: RememberManyRequest) -> Receipts:
        """Keep many memories at once."""
        return writing.remember_many(self._open(), request)

    def revise(self, request: ReviseRequest) -> Receipt:
        """Change a memory by adding a revision."""
        return writing.revise(self._open(), request)

    def retire(self, request: RetireRequest) -> Receipt:
        """Stop holding a memory for true."""
        return writing.retire(self._open(), request)

    def forget(self, request: ForgetRequest) -> Forgotten:
        """Erase a memory for good."""
        return writing.forget(self._open(), request)

    def forget_many(self, request: ForgetManyRequest) -> Forgotten:
        """Erase all memories that match a filter."""
        return writing.forget_many(self._open(), request)

    # reading
    def recall(self, request: RecallRequest, recipe: Recipe | None = None) -> Answer:
        """Find the memories that answer a question; `recipe` stands in for the one that the request names."""
        return reading.recall(self._open(), request, recipe)

    def get(self, request: GetRequest) -> MemoryRecord:
        """Get one memory by its id."""
        return reading.get(self._open(), request)

    def list(self, request: ListRequest) -> Page:
        """List memories by filter."""
        return reading.list_(self._open(), request)

    def history(self, request: HistoryRequest) -> History:
        """All revisions of a memory."""
        return reading.history(self._open(), request)

    def timeline(self, request: TimelineRequest) -> Timeline:
        """Memories along time."""
        return reading.timeline(self._open(), request)

    def contexts(self, request: ContextsRequest) -> Contexts:
        """The context paths in use."""
        return reading.contexts(self._open(), request)

    # relations
    def relate(self, request: RelateRequest) -> Relation:
        """Relate two memories, or a memory and a named thing."""
        return relations.relate(self._open(), request)

    def unrelate(self, request: UnrelateRequest) -> Relation:
        """End a relation."""
        return relations.unrelate(self._open(), request)

    def neighbours(self, request: NeighboursRequest) -> Neighbours:
        """What is related to a memory or a named thing."""
        return graph.neighbours(self._open(), request)

    def merge(self, request: MergeRequest) -> Decision:
        """Say that several named things are one."""
        return deciding.merge(self._open(), request)

    def split(self, request: SplitRequest) -> Decision:
        """Say that some memories mean another thing."""
        return deciding.split(self._open(), request)

    def decisions(self, request: DecisionsRequest) -> MadeDecisions:
        """Which things were merged and split, and when."""
        return deciding.decisions(self._open(), request)

    def undo(self, request: UndoRequest) -> Decision:
        """Take a merge or a split back."""
        return deciding.undo(self._open(), request)

    def entities(self, request: EntitiesRequest) -> Entities:
        """The things that memories name."""
        return graph.entities(self._open(), request)

    def path(self, request: PathRequest) -> Paths:
        """How two memories or things are connected."""
        return graph.path(self._open(), request)

    def graph(self, request: GraphRequest) -> Graph:
        """Nodes and relations around a memory or thing, or of a namespace."""
        return graph.graph(self._open(), request)

    # moving
    def namespaces(self, request: NamespacesRequest) -> Namespaces:
        """The namespaces in use."""
        return moving.namespaces(self._open(), request)

    def export(self, request: ExportRequest) -> Iterator[bytes]:
        """Memories as JSON lines."""
        return moving.export(self._open(), request)

    def import_lines(
        self, request: ImportRequest, lines: Iterable[bytes], progress: ImportProgress | None = None
    ) -> ImportReport:
        """Take memories in from JSON lines."""
        return moving.import_lines(self._open(), request, lines, progress)

    # watching
    def stats(self, request: StatsRequest) -> Stats:
        """Counts of what is stored."""
        return watching.stats(self._open(), request)

    def health(self, request: HealthRequest) -> Health:
        """Which parts work."""
        return watching.health(self._open(), request)

    # vector generations
    def generations(self, request: GenerationsRequest) -> Generations:
        """The vector generations, and the build in progress."""
        return generations.generations(self._open(), request)

    def reembed(self, request: ReembedRequest) -> Generations:
        """Make all vectors anew in the background, then switch to them."""
        return generations.reembed(self._open(), request)

    def cancel_reembed(self, request: CancelReembedRequest) -> Generations:
        """Stop making vectors anew."""
        return generations.cancel_reembed(self._open(), request)

    def activate_generation(self, request: ActivateGenerationRequest) -> Generations:
        """Switch to the generation that was built."""
        return generations.activate_generation(self._open(), request)

    def take_back(self, request: TakeBackRequest) -> Generations:
        """Switch back to a generation that was kept."""
        return generations.take_back(self._open(), request)

    def prune_generations(self, request: PruneGenerationsRequest) -> Generations:
        """Delete kept generations with their vectors."""
        return generations.prune_generations(self._open(), request)

    # beyond the operations
    def resume_build(self) -> None:
        """Go on with a generation whose making was interrupted; nothing happens where there is none."""
        self._open().builder.begin()

    def warm_up(self) -> None:
        """Load the index and the model now rather than at the first use."""
        parts = self._open()
        parts.follower.catch_up()
        parts.slot.get()
        parts.backlog.kick()
        if parts.graph is not None:
            parts.graph.kick()

    def embedder(self) -> Embedder:
        """The embedder of the active vector generation, for embedding texts that are not kept; do not close it.

        Raises EmbedderUnavailableError where there is none.
        """
        return self._open().slot.require()

    def settle(self, timeout: float | None = None) -> bool:
        """Wait until every memory can be found by meaning; False at the time limit (seconds) or without a model."""
        return self._open().backlog.settle(timeout)

    def doctor(self, *, rebuild: bool = False) -> tuple[Problem, ...]:
        """What does not agree with the canonical rows; with `rebuild`, derived parts are made anew first."""
        parts = self._open()
        mended: Sequence[Problem] = ()
        if rebuild:
            mended = parts.store.repair()
            parts.follower.reset()
            parts.follower.catch_up()
            parts.backlog.kick()
            if parts.graph is not None:
                parts.graph.reset()
                parts.graph.catch_up(math.inf)
        return (*mended, *parts.store.check())

    def close(self) -> None:
        """Finish what was acknowledged, save the index, release the store. Closing twice is allowed."""
        if self._closed.is_set():
            return
        self._closed.set()
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
            raise ServiceUnavailableError("the service is closed", hint="open it again, or ai-memory serve")
        return self._parts

    def _generation_switched(self) -> None:
        """After a switch in this process: read the new vectors now, so that the next question need not wait for them."""
        self._parts.follower.catch_up()
        self._parts.backlog.kick()

    def _vectors_stored(self) -> None:
        """After each batch of vectors: bring the index up to date and save it when enough has changed."""
        self._parts.follower.catch_up()
        self._parts.follower.save()
