"""Measures the speed of a model on this machine, in the rows that the original service printed, next to its figures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ai_memory.embed.runtimes.processor import cores, described
from ai_memory.errors import InvalidInputError
from ai_memory.python.embedding_model import EmbeddingModel

ORIGINAL_TEXTS_PER_SECOND: Mapping[int, float] = {1: 18.6, 10: 268.1, 50: 678.5}
"""The original service's output for batches of 1, 10 and 50 texts; its machine, texts and dtype were not recorded."""

_SUBJECTS = ("The release", "Our database", "The night train", "A new colleague", "The heating", "My sister", "The map")
_ACTIONS = ("was moved", "is restarted", "will be repaired", "was praised", "has been renamed", "is expected")
_TIMES = ("before Thursday noon", "after the long weekend", "at seven each morning", "in the first week of May")
_REASONS = (
    "because the customer in Lyon asked for it twice and nobody had answered",
    "so that the team can look at the remaining errors together and close them",
    "although the plan said otherwise and two people were already on their way",
)
QUESTION = "When was the release moved?"
RELEVANT = "The release was moved to Thursday noon because the customer in Lyon asked for it."
IRRELEVANT = "My sister's cat sleeps on the warm kitchen stove all winter long."


@dataclass(frozen=True, kw_only=True)
class Row:
    """One row of the table."""

    name: str
    value: float
    unit: str
    texts_per_second: float | None = None
    original: float | None = None
    """The original service's texts per second, if it printed any."""
    runs: int = 1
    tokens: int = 0
    """Of all texts of one run."""


def sentences(count: int) -> list[str]:
    """`count` different sentences of about 30 tokens, the same ones at each call."""
    return [
        f"{_SUBJECTS[number % 7]} {_ACTIONS[number % 6]} {_TIMES[number % 4]}, {_REASONS[number % 3]} ({number + 1})."
        for number in range(count)
    ]


def bench(
    model: EmbeddingModel, *, seconds: float = 2.0, clock: Callable[[], float] = time.perf_counter
) -> Iterator[Row]:
    """Yields each row when it is measured: the median of at least five runs that take about `seconds` together.

    The model is warmed up first, so that no row includes its loading. Raises InvalidInputError if `seconds` is not a positive
    number, and what embedding raises.
    """
    if not 0 < seconds < float("inf"):
        raise InvalidInputError(f"the seconds per row must be above 0, not {seconds}")
    before = clock()
    model.warm_up()
    yield Row(name="load and first query", value=1000 * (clock() - before), unit="ms")
    for size in (1, 10, 50):
        texts = sentences(size)
        name = "single document" if size == 1 else f"batch of {size}"
        yield _row(model, name, texts, seconds, clock, original=ORIGINAL_TEXTS_PER_SECOND[size])
    yield _row(model, "five documents", sentences(5), seconds, clock)
    queries = [QUESTION]
    yield _row(model, "one query", queries, seconds, clock, query=True)
    similar = model.similarity(model.embed_query(QUESTION), model.embed_documents([RELEVANT, IRRELEVANT]))[0]
    yield Row(name="similarity of a relevant pair", value=float(similar[0]), unit="cosine")
    yield Row(name="similarity of an irrelevant pair", value=float(similar[1]), unit="cosine")


def _row(
    model: EmbeddingModel,
    name: str,
    texts: list[str],
    seconds: float,
    clock: Callable[[], float],
    *,
    query: bool = False,
    original: float | None = None,
) -> Row:
    encode = model.encode_queries if query else model.encode_documents
    tokens = sum(encode(texts).tokens)  # the first run also compiles code for these lengths
    times: list[float] = []
    while len(times) < 5 or sum(times) < seconds:
        before = clock()
        encode(texts)
        times.append(clock() - before)
    middle = statistics.median(times)
    return Row(
        name=name,
        value=1000 * middle,
        unit="ms",
        texts_per_second=len(texts) / middle,
        original=original,
        runs=len(times),
        tokens=tokens,
    )


def processor() -> str:
    """The processor's name and units, and the number of cores that this process may use."""
    return f"{described()}, {cores()} cores"
