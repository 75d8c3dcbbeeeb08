"""`recall.filtered…`: questions under a condition that one memory in a thousand meets, beside the same questions without it.

The two are asked in turns in one process, so that whatever else the machine does, it does to both.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Peer, Target, load_average, median
from benchmarks.places import MODEL
from benchmarks.stores import store_of

MEMORIES = 100_000
SHELVES = 1_000
TARGET = Target("<=", 1.5, "ratio")
CONDITIONS: dict[str, dict[str, Any]] = {
    "equal": {"attributes.shelf": 7},
    "range": {"attributes.place": {"$gte": 5_000, "$lt": 5_100}},
    "joined": {"$or": [{"attributes.shelf": 7}, {"$not": {"attributes.place": {"$gte": 0}}}]},
}
"""Each is met by 100 memories. Of a range, each of the 100,000 places is compared."""
WARM_UP = 10


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area; none if the model is missing."""
    if not MODEL.exists():
        print("filters are skipped: the model is missing; make bench downloads it", file=sys.stderr)
        return
    from ai_memory.operations.reading import LIST, RECALL, ListRequest, RecallRequest
    from ai_memory.settings import Settings
    from ai_memory.wiring import open_service

    questions = 50 if quick else 200
    corpus = Corpus()
    settings = store_of(MEMORIES, shelves=SHELVES)
    about = {"memories": MEMORIES, "met_by": MEMORIES // SHELVES, "questions": questions}
    with closing(open_service(Settings(data_dir=settings.data_dir, model=str(MODEL)))) as service:
        times: dict[str, list[float]] = {name: [] for name in ("plain", *CONDITIONS)}
        for number in range(questions + WARM_UP):
            for name in times:
                request = RecallRequest(query=corpus.question(number), where=CONDITIONS.get(name))
                started = time.perf_counter()
                answer = service.carry_out(RECALL, request)
                times[name].append((time.perf_counter() - started) * 1e3)
                assert name == "plain" or answer.searched.memories <= about["met_by"]
        plain = median(times["plain"][WARM_UP:])
        for name in CONDITIONS:
            peer = Peer("unfiltered", plain)
            found = median(times[name][WARM_UP:])
            yield Figure(
                f"recall.filtered_{name}_p50.100k", found, "ms", peer, TARGET, {**about, "load": load_average()}
            )
        listed = []
        for name in CONDITIONS:
            started = time.perf_counter()
            page = service.carry_out(LIST, ListRequest(where=CONDITIONS[name], limit=50))
            listed.append((time.perf_counter() - started) * 1e3)
            assert len(page.memories) == 50
        yield Figure("recall.filtered_list.100k", median(listed), "ms", settings=about)
