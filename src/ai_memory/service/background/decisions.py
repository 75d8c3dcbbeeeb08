"""Cache of merge and split decisions per namespace, refreshed when the store changes: every walk and extraction needs them."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence

from ai_memory.graph.identity import Identity
from ai_memory.store.base import Store
from ai_memory.store.graph_file import GraphFile
from ai_memory.types import Entity, Relation


class Decisions:
    """The decisions of each namespace, read again after any write to the store, by this process or another."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._known: dict[str, tuple[int, list[Relation], Identity]] = {}

    def relations(self, namespace: str) -> list[Relation]:
        """As `Store.decisions`."""
        return self._read(namespace)[1]

    def identity(self, namespace: str, known_at: dt.datetime | None = None) -> Identity:
        """The decisions in force at an instant (None: now)."""
        _, relations, now = self._read(namespace)
        return now if known_at is None else Identity(relations, known_at)

    def entities(
        self,
        file: GraphFile | None,
        namespace: str,
        identity: Identity,
        *,
        ids: Sequence[str] = (),
        names: Sequence[str] = (),
    ) -> list[Entity]:
        """Entities as they were made and read, merged ones too: those that people made first, then those of memories.

        Without `ids` and `names` all. An entity that exists only because of a decision not in force in `identity` is left out.
        """
        made = self._store.entities(namespace, ids=ids, names=names)
        known = {entity.id for entity in made}
        read = [] if file is None else [entity for entity, _ in file.entities(namespace, ids=ids, names=names)]
        undone = identity.undone & known - {entity.id for entity in read}
        if undone:
            held = self._store.relations(namespace, sorted(undone))
            undone -= {end for relation in held for end in (relation.source, relation.target)}
        return [entity for entity in made if entity.id not in undone] + [
            entity for entity in read if entity.id not in known
        ]

    def _read(self, namespace: str) -> tuple[int, list[Relation], Identity]:
        sequence = self._store.sequence()
        with self._lock:
            known = self._known.get(namespace)
        if known is None or known[0] != sequence:
            relations = self._store.decisions(namespace) if sequence else []
            known = (sequence, relations, Identity(relations))
            with self._lock:
                self._known[namespace] = known
        return known
