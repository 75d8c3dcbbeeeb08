"""Measuring recall on judged questions, through the service itself on a separate store.

Each group is remembered in a separate namespace, its vectors are waited for, and every question goes through the same `recall` that
a client calls. A group that was remembered already is not remembered again, so that several question sets over the same documents
are embedded once.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import msgspec
from msgspec import Struct

from ai_memory.decoding import from_builtins
from ai_memory.errors import InternalError, InvalidInputError, NotFoundError
from ai_memory.evaluate import metrics
from ai_memory.evaluate.datasets import Document, Group, Query, parse_time, pooled
from ai_memory.evaluate.floor import TextbookBM25
from ai_memory.evaluate.significance import Interval, interval
from ai_memory.evaluate.trust import Asked, Trust, trust
from ai_memory.operations.reading import GET, GetRequest, RecallRequest
from ai_memory.operations.watching import STATS, StatsRequest
from ai_memory.operations.writing import MAX_BATCH, REMEMBER_MANY, Draft, RememberManyRequest
from ai_memory.recall.answer import Answer, Layer
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
    """The group and the question's id in it: what identifies the same question in two runs."""
    category: str
    figures: dict[str, float]
    seconds: float
    tokens: int = 0
    """Estimated tokens of the texts in the answer."""
    best: Asked | None = None
    """How sure of its best hit the answer was; None in runs saved by earlier versions, and where nothing says how sure."""


class Run(Struct, frozen=True, kw_only=True):
    """One data set, measured: the figures of each question."""

    name: str
    questions: tuple[Measured, ...]
    rejected: int = 0
    """Documents that the service rejected, such as empty ones."""
    unanswerable: tuple[Asked, ...] = ()
    """The questions that have no answer, which no measure counts."""

    @property
    def trust(self) -> Trust | None:
        """What the confidence of the best hits is worth; None where no question says how sure its answer was."""
        return trust([question.best for question in self.questions if question.best is not None], self.unanswerable)

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


class Judged(NamedTuple):
    """A question of a group, what answers it, and where the group was remembered."""

    key: str
    """The group and the question's id in it."""
    group: str
    query: Query
    relevant: dict[str, float]
    corpus: _Corpus


class Harness:
    """A service and what was remembered in it so far; with `own`, the user's own store, where a group is an existing namespace."""

    def __init__(self, service: Service, progress: Progress | None = None, *, own: bool = False) -> None:
        self._service = service
        self._progress = progress or _silent
        self.own = own
        self._corpora: dict[str, _Corpus] = {}

    @property
    def embedder(self) -> str | None:
        """The model whose vectors are compared; None where recall is lexical only."""
        found = self._service.carry_out(STATS, StatsRequest()).embedder
        return None if found is None else found.model

    def evaluate(self, name: str, groups: Sequence[Group], *, recipe: Recipe = BALANCED, pool: bool = False) -> Run:
        """Ask every question; with `pool`, in one namespace for all groups. Those without a relevant document are not measured.

        Vectors are waited for first. Where there is no embedding model, recall works lexically alone.
        """
        everything = self.all_questions(groups, pool=pool)
        questions = [one for one in everything if one.relevant]
        rejected = sum({one.corpus.namespace: one.corpus.rejected for one in questions}.values())
        found = tuple(self.measure(name, questions, recipe))
        without = [one for one in everything if not one.relevant] if found else []
        unanswerable = tuple(_asked(self.ask(one, recipe, DEPTH)) for one in without)
        return Run(name=name, questions=found, rejected=rejected, unanswerable=unanswerable)

    def judged(self, groups: Sequence[Group], *, pool: bool = False) -> list[Judged]:
        """Those of `all_questions` that have a relevant document."""
        return [one for one in self.all_questions(groups, pool=pool) if one.relevant]

    def all_questions(self, groups: Sequence[Group], *, pool: bool = False) -> list[Judged]:
        """Remember the groups' documents, wait for their vectors, and give the questions.

        A user's own namespaces stay as they are: nothing is remembered or pooled.
        """
        groups = pooled(groups) if pool and not self.own else groups
        corpora = [self._corpus(group) for group in groups]
        self._service.settle()
        return [
            Judged(f"{group.group}/{key}", group.group, query, group.relevant(key), corpus)
            for group, corpus in zip(groups, corpora, strict=True)
            for key, query in group.queries.items()
        ]

    def measure(self, name: str, questions: Sequence[Judged], recipe: Recipe) -> Iterator[Measured]:
        """Ask each question and measure the answer."""
        for number, one in enumerate(questions, 1):
            started = time.perf_counter()
            answer = self.ask(one, recipe, DEPTH)
            seconds = time.perf_counter() - started
            yield measured(one, answer, seconds)
            self._progress(name, number, len(questions))

    def explained(self, questions: Sequence[Judged], recipe: Recipe, limit: int) -> Iterator[Answer]:
        """Ask each question, with the trace of every hit."""
        for number, one in enumerate(questions, 1):
            yield self.ask(one, recipe, limit, explain=True)
            self._progress("explaining", number, len(questions))

    def ask(self, one: Judged, recipe: Recipe, limit: int, *, explain: bool = False) -> Answer:
        """The service's answer to one question, asked at its own time."""
        request = from_builtins(
            {
                "query": one.query.text,
                "namespace": one.corpus.namespace,
                "limit": limit,
                "layers": [Layer.SEMANTIC],
                "now": parse_time(one.query.asked_at),
                "include_ended": True,
                "explain": explain,
            },
            RecallRequest,
        )
        return self._service.recall_with(recipe, request)

    def _corpus(self, group: Group) -> _Corpus:
        if self.own:
            return self._namespace(group)
        docs = group.docs
        digest = hashlib.blake2b(msgspec.json.encode(docs), digest_size=16).hexdigest()
        if digest not in self._corpora:
            self._corpora[digest] = self._remember(docs, f"corpus-{len(self._corpora) + 1}")
        return self._corpora[digest]

    def _namespace(self, group: Group) -> _Corpus:
        """A namespace of the user's store. Raises InvalidInputError where it lacks a memory that a question expects."""
        missing = []
        for memory in group.docs:
            try:
                self._service.carry_out(GET, GetRequest(id=memory, namespace=group.group))
            except NotFoundError:
                missing.append(memory)
        if missing:
            shown = ", ".join(missing[:3]) + (", …" if len(missing) > 3 else "")
            raise InvalidInputError(
                f"{len(missing)} expected memories are not in the namespace {group.group}: {shown}",
                hint="ai-memory list shows ids; check `expect` and `namespace` of the questions",
                missing=missing,
            )
        return _Corpus(group.group, {}, 0)

    def _remember(self, docs: dict[str, Document], namespace: str) -> _Corpus:
        corpus = _Corpus(namespace, {}, 0)
        names = list(docs)
        for start in range(0, len(names), MAX_BATCH):
            batch = names[start : start + MAX_BATCH]
            drafts = [_draft(docs[name]) for name in batch]
            receipts = self._service.carry_out(
                REMEMBER_MANY, RememberManyRequest(memories=drafts, namespace=namespace)
            ).receipts
            for name, receipt in zip(batch, receipts, strict=True):
                if receipt.outcome is Outcome.REJECTED:
                    corpus.rejected += 1
                elif receipt.memory_id is None:
                    raise InternalError(f"the receipt of document {name} has no memory id")
                else:
                    corpus.documents.setdefault(receipt.memory_id, []).append(name)
            self._progress("remembering", start + len(batch), len(names))
        return corpus


class _Corpus(Struct):
    """Documents remembered in one namespace; equal documents share a memory. In the user's store, a memory's id is its document."""

    namespace: str
    documents: dict[str, list[str]]
    rejected: int

    def ranked(self, answer: Answer) -> list[list[str]]:
        """The documents of each hit, best first."""
        return [self.documents.get(hit.memory.id, [hit.memory.id]) for hit in answer.hits]


def _draft(document: Document) -> Draft:
    return Draft(
        text=document.text,
        session=document.session or None,
        author=document.author or None,
        valid_from=parse_time(document.timestamp),
    )


def measured(one: Judged, answer: Answer, seconds: float) -> Measured:
    """The measures of an answer's first `DEPTH` hits, given what is known to answer."""
    ranked = [document for documents in one.corpus.ranked(answer)[:DEPTH] for document in documents]
    figures = metrics.measure(ranked, one.relevant)
    category = one.query.category or NO_CATEGORY
    best = _asked(answer, right=any(document in one.relevant for document in next(iter(one.corpus.ranked(answer)), ())))
    return Measured(one.key, category, figures, seconds, tokens=answer.tokens, best=best)


def _asked(answer: Answer, *, right: bool = False) -> Asked:
    """How sure an answer is of its best hit."""
    confidence = max((hit.confidence for hit in answer.hits[:1]), default=0.0)
    return Asked(confidence=confidence, abstained=answer.abstained, right=right)


def floor(name: str, groups: Sequence[Group], *, pool: bool = False) -> Run:
    """The same questions, answered by textbook BM25."""
    found: list[Measured] = []
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
                found.append(Measured(f"{group.group}/{key}", category, figures, seconds))
    return Run(name=name, questions=tuple(found))


@contextmanager
def open_harness(settings: Settings, progress: Progress | None = None) -> Iterator[Harness]:
    """A harness over a temporary store with the user's own model; the store is deleted afterwards."""
    with TemporaryDirectory(prefix="ai-memory-evaluate-") as folder:
        scratch = msgspec.structs.replace(settings, store=str(Path(folder) / "memory.db"), snapshot_rows=0)
        with closing(open_service(scratch, shipped=True)) as service:
            yield Harness(service, progress)


@contextmanager
def open_own(settings: Settings, progress: Progress | None = None) -> Iterator[Harness]:
    """A harness over the user's own store, which is not written to.

    The caller names every recipe, so a file of tuned weights is not read and a broken one does no harm.
    """
    with closing(open_service(settings, shipped=True)) as service:
        yield Harness(service, progress, own=True)


def _silent(what: str, done: int, total: int) -> None:
    """Report no progress."""
