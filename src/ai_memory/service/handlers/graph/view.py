"""The graph as one question sees it: what recall expands along."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from ai_memory.extraction.extract import extract
from ai_memory.extraction.resolve import Directory, forms, resolve
from ai_memory.operations.graph import Walk
from ai_memory.recall.answer import Notice
from ai_memory.recall.evidence.graph_expansion import HUB
from ai_memory.service.handlers.graph.walking import GraphView
from ai_memory.service.parts import Parts
from ai_memory.store.ids import MEMORY
from ai_memory.types import Relation, Selection
from ai_memory.wording.ways import STATS


class QuestionLinks:
    """`QuestionGraph` of recall over relations made by people and, where extraction is on, extracted ones.

    What is new is read first, for as long as the operations that walk the graph read it. Raises StoreError.
    """

    def __init__(self, parts: Parts, selection: Selection, text: str) -> None:
        self._parts = parts
        self._namespace = selection.namespace
        self._text = text
        self._view = GraphView(
            parts, Walk(namespace=selection.namespace, as_of=selection.as_of, known_at=selection.known_at)
        )

    def notices(self) -> tuple[Notice, ...]:
        """A notice if extraction has not covered everything yet."""
        unread = self._view.unread
        if not unread:
            return ()
        message = f"{unread:,} changes are not in the graph yet: what they name is linked to nothing"
        return (Notice(code="graph_unread", message=message, mend=str(STATS.after("ask again; "))),)

    def named(self) -> list[str]:
        """As `QuestionGraph.named`: entities by their whole name, in any case or inflection."""
        mentions = extract(self._text).mentions
        if not mentions:
            return []
        spelt = {name for mention in mentions for name in (mention.name, mention.canonical, *forms(mention.canonical))}
        known = self._view.names.made(names=sorted(spelt))
        root = self._view.names.identity.root
        found = resolve(mentions, Directory(known, root))
        return [root(each.entity.id) for each in found if each.entity is not None]

    def relations(self, nodes: Sequence[str]) -> list[Relation]:
        """As `QuestionGraph.relations`, without those of hubs."""
        hubs = self._hubs([node for node in nodes if not node.startswith(MEMORY)])
        wanted = [node for node in nodes if node not in hubs]
        return self._view.relations(wanted) if wanted else []

    def names(self, things: Sequence[str]) -> Mapping[str, str]:
        """As `QuestionGraph.names`."""
        return {thing: name for thing, (_, name) in self._view.labels(things).items()} if things else {}

    def _hubs(self, things: Sequence[str]) -> set[str]:
        """Those entities that more than `HUB` memories mention."""
        if self._parts.graph is None or not things:
            return set()
        of = {member: thing for thing in things for member in self._view.names.identity.members(thing)}
        counts: Counter[str] = Counter()
        for entity, count in self._parts.graph.file().entities(self._namespace, ids=list(of)):
            counts[of[entity.id]] += count
        return {thing for thing, count in counts.items() if count > HUB}
