"""Metrics of the embedder's routes, under the names that dashboards for text-embeddings-inference read."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric, UntypedMetricFamily
from prometheus_client.registry import Collector

from ai_memory.api.embeddings.answers import Answer

BUCKETS = tuple(1e-5 * 1.5**power for power in range(35))
"""Seconds; those of text-embeddings-inference."""
LENGTHS = tuple(float(2**power) for power in range(3, 12))
"""Tokens of one text."""

_TIMES = {
    "te_request_duration": "Seconds from the end of a request's body to its answer.",
    "te_request_tokenization_duration": "Of these, tokenizing.",
    "te_request_queue_duration": "Of these, waiting for other requests' forward passes.",
    "te_request_inference_duration": "Of these, from the start of its first forward pass to the end of its last.",
}


_COUNTS = {
    "te_request_count": "Requests for vectors that were answered.",
    "te_request_success": "Requests for vectors that succeeded.",
    "te_request_failure": "Requests that failed.",
    "te_embed_count": "Texts embedded.",
}


class EngineMetrics:
    """Counts requests for vectors as they end."""

    def __init__(self, registry: CollectorRegistry, waiting: Callable[[], int]) -> None:
        self._counts = _Counts(waiting)
        registry.register(self._counts)
        self._times = {name: Histogram(name, text, registry=registry, buckets=BUCKETS) for name, text in _TIMES.items()}
        self._lengths = Histogram(
            "te_request_input_length", "Tokens of each text, prompt included.", registry=registry, buckets=LENGTHS
        )

    def answered(self, route: str, answer: Answer, seconds: float) -> None:
        """Count a request of the route with this name that succeeded; `seconds` from its arrival to the answer."""
        result = answer.result
        if result is None:
            return
        method = "single" if len(result.vectors) == 1 else "batch"
        self._counts.add("te_request_count", "method", method)
        self._counts.add("te_request_success", "method", method)
        self._counts.add("te_embed_count", "route", route, len(result.vectors))
        timings = result.encoded.timings
        parts = (seconds, timings.tokenizing, timings.waiting, timings.computing)
        for histogram, value in zip(self._times.values(), parts, strict=True):
            histogram.observe(value)
        for length in result.encoded.tokens:
            self._lengths.observe(length)

    def failed(self, kind: str) -> None:
        """Count a request that failed; `kind` is the error's type as its client sees it."""
        self._counts.add("te_request_failure", "err", kind)


class _Counts(Collector):
    """Counters whose names do not end in `_total`, and the queue's length."""

    def __init__(self, waiting: Callable[[], int]) -> None:
        self._waiting = waiting
        self._lock = threading.Lock()
        self._values: Counter[tuple[str, str, str]] = Counter()

    def add(self, name: str, label: str, value: str, count: int = 1) -> None:
        """Add to a counter."""
        with self._lock:
            self._values[name, label, value] += count

    def describe(self) -> list[Metric]:
        """Nothing: registering must not read the figures."""
        return []

    def collect(self) -> Iterator[Metric]:
        """The current figures."""
        with self._lock:
            values = dict(self._values)
        for name, text in _COUNTS.items():
            found = [(label, value, count) for (of, label, value), count in values.items() if of == name]
            family = UntypedMetricFamily(name, text, labels=[found[0][0]] if found else [])
            for _, value, count in found:
                family.add_metric([value], count)
            if found:
                yield family
        yield GaugeMetricFamily(
            "te_queue_size",
            "Requests in progress, waiting ones included.",
            value=self._waiting(),
        )
