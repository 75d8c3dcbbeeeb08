"""One background thread that looks after the files: what still has to be wiped, and logs into which nobody writes."""

from __future__ import annotations

import logging
import threading

from ai_memory.errors import MemoryServiceError
from ai_memory.service.background.extraction import GraphReader
from ai_memory.store.base import Store
from ai_memory.types import WipePending

logger = logging.getLogger(__name__)

EVERY_SECONDS = 1.0


class Upkeep:
    """Carries out the upkeep of the store and of the graph file about once a second, from the beginning to `close`."""

    def __init__(self, store: Store, graph: GraphReader | None) -> None:
        self._store = store
        self._graph = graph
        self._stopping = threading.Event()
        self._said = ""
        """The last failure that was logged; the same one again is not news."""
        self._thread = threading.Thread(target=self._run, name="upkeep", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop after what is being done."""
        self._stopping.set()
        self._thread.join()

    def unwiped(self) -> WipePending | None:
        """What keeps the bytes of forgotten memories on disk; None where they are gone. Raises StoreError."""
        return self._store.unwiped() or (None if self._graph is None else self._graph.unwiped())

    def once(self) -> None:
        """Do now what is to be done. Raises StoreError."""
        self._store.upkeep()
        if self._graph is not None:
            self._graph.upkeep()

    def _run(self) -> None:
        while not self._stopping.wait(EVERY_SECONDS):
            try:
                self.once()
                self._said = ""
            except MemoryServiceError as error:
                if error.message != self._said:
                    logger.warning("the upkeep of the files failed: %s", error.message)
                self._said = error.message
            except Exception:
                logger.exception("the upkeep of the files failed")
