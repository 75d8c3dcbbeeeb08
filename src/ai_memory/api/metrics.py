"""Prometheus metrics of one server, in a separate registry."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from ai_memory.operations.watching import STATS, StatsRequest
from ai_memory.service.service import Service

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Counts requests as they end, and reads the service's figures at each scrape."""

    def __init__(self, service: Service, waiting: Callable[[], int]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "ai_memory_requests", "Requests answered.", ("operation", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "ai_memory_request_seconds",
            "Time from a request's headers to the end of its answer.",
            ("operation",),
            registry=self._registry,
            buckets=BUCKETS,
        )
        self._registry.register(_ServiceFigures(service, waiting))

    def count(self, operation: str, status: int, seconds: float) -> None:
        """Note one answered request."""
        self._requests.labels(operation, str(status)).inc()
        self._seconds.labels(operation).observe(seconds)

    @property
    def registry(self) -> CollectorRegistry:
        """Where other parts of the server register their metrics."""
        return self._registry

    def text(self) -> bytes:
        """All metrics in Prometheus' text format; reads the store, so it may block."""
        return generate_latest(self._registry)


class _ServiceFigures(Collector):
    """Gauges that are read from the service at each scrape."""

    def __init__(self, service: Service, waiting: Callable[[], int]) -> None:
        self._service = service
        self._waiting = waiting

    def describe(self) -> list[GaugeMetricFamily]:
        """Nothing: registering must not read the store."""
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The current figures."""
        stats = self._service.carry_out(STATS, StatsRequest())
        yield _gauge("memories", "Memories that are not retired.", stats.memories)
        yield _gauge("pending_vectors", "Revisions that are not embedded yet.", stats.pending)
        yield _gauge("index_bytes", "Memory used by the vector and lexical indexes, in bytes.", stats.index_bytes)
        yield _gauge("tombstones", "Forgotten texts that cannot be stored again.", stats.tombstones)
        yield _gauge("store_sequence", "Changes written to the store since it was created.", stats.sequence)
        yield _gauge("queue_length", "Requests that wait for a thread.", self._waiting())


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"ai_memory_{name}", text, value=value)
