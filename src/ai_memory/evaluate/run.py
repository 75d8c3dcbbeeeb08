"""Measuring recall on judged questions, through the service itself on a store of its own.

Each group is remembered in its own namespace, vectors are waited for, and every question goes through the same `recall` that a
client calls. A group that was remembered already is not remembered again, so that several question sets over the same documents
cost one embedding.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_builtins
from ai_memory.errors import InternalError
from ai_memory.evaluate import metrics
from ai_memory.evaluate.datasets import Document, Group, Query, parse_time, pooled
from ai_memory.evaluate.floor import TextbookBM25
from ai_memory.evaluate.significance import Interval, interval
from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.writing import MAX_BATCH, Draft, RememberManyRequest
from ai_memory.recall.answer import Layer
from ai_memory.recall.recipe import BALANCED, Recipe
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.types import Outcome
from ai_memory.wiring import open_service

DEPTH = 50
"""How many hits are asked for: the deepest cutoff that is reported."""
NO_CATEGORY = "all"

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""


class Measured(Struct, frozen=True):
    """One question: its measures, by name, and how long recall took."""

    key: str
    """The group and the question's id in it: what pairs the same question in two runs."""
    category: str
    figures: dict[str, float]
    seconds: float
    tokens: int = 0
    """Estimated tokens of the texts in the answer."""


class Run(Struct, frozen=True, kw_only=True):
    """One data set, measured: what each question gave."""

    name: str
    questions: tuple[Measured, ...]
    rejected: int = 0
    """Documents that the service would not take, such as empty ones."""

    @property
    def metrics(self) -> dict[str, float]:
        """The mean of each measure over all questions."""
        return metrics.mean([question.figures for question in self.questions])

    @property
    def categories(self) -> dict[str, tuple[int, dict[str, float]]]:
        """For each category, how many questions, and the means."""
        found: dict[str, list[dict[str, float]]] = {}
        for question in self.questions:
            found.setdefault(question.category, []).append(question.figures)
        return {name: (len(figures), metrics.mean(figures)) for name, figures in sorted(found.items())}

    def interval(self, measure: str) -> Interval:
        """The mean of a measure and its bootstrap bounds."""
        return interval([question.figures[measure] for question in self.questions])

    @property
    def tokens(self) -> float:
        """The mean number of estimated tokens in an answer."""
        return sum(question.tokens for question in self.questions) / max(1, len(self.questions))

    def latency_ms(self, share: float) -> float:
        """A percentile of recall's duration, embedding included."""
        return metrics.percentile([question.seconds * 1000.0 for question in self.questions], share)


class Harness:
    """A service on a scratch store, and what was remembered in it so far."""

    def __init__(self, service: Service, progress: Progress | None = None) -> None:
        self._service = service
        self._progress = progress or _silent
        self._corpora: dict[str, _Corpus] = {}

    def evaluate(self, name: str, groups: Sequence[Group], *, recipe: Recipe = BALANCED, pool: bool = False) -> Run:
        """Ask every question that has a relevant document; with `pool`, in one namespace for all groups.

        Vectors are waited for first. Where there is no embedding model, recall works by words alone.
        """
        measured: list[Measured] = []
        rejected = 0
        groups = pooled(groups) if pool else groups
        corpora = [self._corpus(group.docs) for group in groups]
        self._service.settle()
        total = sum(len(group.queries) for group in groups)
        for group, corpus in zip(groups, corpora, strict=True):
            rejected += corpus.rejected
            for key, query in group.queries.items():
                relevant = group.relevant(key)
                if relevant:
                    measured.append(self._ask(f"{group.group}/{key}", corpus, query, relevant, recipe))
                    self._progress(name, len(measured), total)
        return Run(name=name, questions=tuple(measured), rejected=rejected)

    def _ask(self, key: str, corpus: _Corpus, query: Query, relevant: dict[str, float], recipe: Recipe) -> Measured:
        request = from_builtins(
            {
                "query": query.text,
                "namespace": corpus.namespace,
                "limit": DEPTH,
                "layers": [Layer.SEMANTIC],
                "now": parse_time(query.asked_at),
                "include_ended": True,
            },
            RecallRequest,
        )
        started = time.perf_counter()
        answer = self._service.recall(request, recipe)
        seconds = time.perf_counter() - started
        ranked = [document for hit in answer.hits for document in corpus.documents[hit.memory.id]]
        category = query.category or NO_CATEGORY
        return Measured(key, category, metrics.measure(ranked, relevant), seconds, tokens=answer.tokens)

    def _corpus(self, docs: dict[str, Document]) -> _Corpus:
        digest = hashlib.blake2b(msgspec.json.encode(docs), digest_size=16).hexdigest()
        if digest not in self._corpora:
            self._corpora[digest] = self._remember(docs, f"corpus-{len(self._corpora) + 1}")
        return self._corpora[digest]

    def _remember(self, docs: dict[str, Document], namespace: str) -> _Corpus:
        corpus = _Corpus(namespace, {}, 0)
        names = list(docs)
        for start in range(0, len(names), MAX_BATCH):
            batch = names[start : start + MAX_BATCH]
            drafts = [_draft(docs[name]) for name in batch]
            receipts = self._service.remember_many(RememberManyRequest(memories=drafts, namespace=namespace)).receipts
            for name, receipt in zip(batch, receipts, strict=True):
                if receipt.outcome is Outcome.REJECTED:
                    corpus.rejected += 1
                elif receipt.memory_id is None:
                    raise InternalError(f"the receipt of document {name} names no memory")
                else:
                    corpus.documents.setdefault(receipt.memory_id, []).append(name)
            self._progress("remembering", start + len(batch), len(names))
        return corpus


class _Corpus(Struct):
    """Documents remembered in one namespace; equal documents share a memory."""

    namespace: str
    documents: dict[str, list[str]]
    rejected: int


def _draft(document: Document) -> Draft:
    return Draft(
        text=document.text,
        session=document.session or None,
        author=document.author or None,
        valid_from=parse_time(document.timestamp),
    )


def floor(name: str, groups: Sequence[Group], *, pool: bool = False) -> Run:
    """The same questions, answered by textbook BM25."""
    measured: list[Measured] = []
    for group in pooled(groups) if pool else groups:
        index = TextbookBM25({key: document.text for key, document in group.docs.items()})
        for key, query in group.queries.items():
            relevant = group.relevant(key)
            if relevant:
                started = time.perf_counter()
                ranked = index.search(query.text, DEPTH)
                seconds = time.perf_counter() - started
                category = query.category or NO_CATEGORY
                figures = metrics.measure(ranked, relevant)
                measured.append(Measured(f"{group.group}/{key}", category, figures, seconds))
    return Run(name=name, questions=tuple(measured))


@contextmanager
def open_harness(settings: Settings, progress: Progress | None = None) -> Iterator[Harness]:
    """A harness over a scratch store with the user's own model; the store is gone afterwards."""
    with TemporaryDirectory(prefix="ai-memory-evaluate-") as folder:
        scratch = settings.model_copy(update={"store": str(Path(folder) / "memory.db"), "snapshot_rows": 0})
        service = open_service(scratch)
        try:
            yield Harness(service, progress)
        finally:
            service.close()


def _silent(what: str, done: int, total: int) -> None:
    """No progress."""
