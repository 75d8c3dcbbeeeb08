"""`recall.`, `store.`, `index.`: questions in process, including their embedding, at several store sizes.

Each size is measured in a separate process, so that the time to open is that of a cold start and memory is that of one store.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.corpus import Corpus
from benchmarks.figures import ROOT, Figure, Target, load_average, median, percentile
from benchmarks.places import MODEL
from benchmarks.stores import bytes_in, store_of

P50_TARGETS_MS = {10_000: 8.0, 100_000: 12.0, 1_000_000: 50.0}
OPEN_TARGET = Target("<=", 15.0)
MEMORY_TARGET = Target("<=", 3.0)
WARM_UP = 20


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of these areas; none if the model is missing."""
    if not MODEL.exists():
        print("recall is skipped: the model is missing; make bench downloads it", file=sys.stderr)
        return
    for memories in P50_TARGETS_MS:
        if not (quick and memories > 100_000):
            yield from _at_size(memories, questions=100 if quick else 300)


def _at_size(memories: int, questions: int) -> Iterator[Figure]:
    settings = store_of(memories)
    measured = _in_own_process(settings.data_dir, questions)
    size = f"{memories // 1000}k" if memories < 1_000_000 else f"{memories // 1_000_000}m"
    about = {"memories": memories, "dimension": 384, "questions": questions, "load": measured["load"]}
    times = measured["ms"]
    p50 = median(times)
    yield Figure(f"recall.p50.{size}", p50, "ms", target=Target("<=", P50_TARGETS_MS[memories]), settings=about)
    yield Figure(f"recall.p95.{size}", percentile(times, 0.95), "ms", target=Target("<=", 2 * p50), settings=about)
    yield Figure(f"recall.without_embedding_p50.{size}", median(measured["answer_ms"]), "ms", settings=about)
    largest = memories == max(P50_TARGETS_MS)
    yield Figure(f"index.open.{size}", measured["open_s"], "s", target=OPEN_TARGET if largest else None, settings=about)
    yield Figure(
        f"index.resident.{size}",
        measured["resident_gb"],
        "GB",
        target=MEMORY_TARGET if largest else None,
        settings={**about, "peak_gb": measured["peak_gb"], "of_files_gb": measured["of_files_gb"]},
    )
    yield Figure(
        f"store.bytes_per_memory.{size}", bytes_in(settings.data_dir, "memory.db*") / memories, "B", settings=about
    )
    saved = bytes_in(settings.data_dir, "memory.db.index/**/*")
    yield Figure(f"index.snapshot_bytes_per_memory.{size}", saved / memories, "B", settings=about)


def _in_own_process(data_dir: Path, questions: int) -> dict[str, Any]:
    program = "from benchmarks.recalling import measure; measure()"
    arguments = [sys.executable, "-c", program, str(data_dir), str(questions)]
    done = subprocess.run(arguments, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    return dict(json.loads(done.stdout))


def measure() -> None:
    """The program of one size: open, ask, print the figures as JSON."""
    from ai_memory.operations.reading import RECALL, RecallRequest
    from ai_memory.settings import Settings
    from ai_memory.wiring import open_service

    data_dir, questions = Path(sys.argv[1]), int(sys.argv[2])
    corpus = Corpus()
    asked = [RecallRequest(query=corpus.question(number)) for number in range(questions + WARM_UP)]
    started = time.perf_counter()
    service = open_service(Settings(data_dir=data_dir, model=str(MODEL)))
    service.carry_out(RECALL, asked[0])
    opened = time.perf_counter() - started
    times, answer_times = [], []
    for request in asked[1:]:
        started = time.perf_counter()
        answer = service.carry_out(RECALL, request)
        times.append((time.perf_counter() - started) * 1e3)
        answer_times.append(answer.took_ms)
        assert len(answer.hits) == request.limit
        assert answer.searched.by_meaning > 0
    memory = _memory_gb()
    print(
        json.dumps(
            {
                "ms": times[WARM_UP - 1 :],
                "answer_ms": answer_times[WARM_UP - 1 :],
                "open_s": opened,
                "resident_gb": memory["VmRSS"],
                "peak_gb": memory["VmHWM"],
                "of_files_gb": memory["RssFile"],
                "load": load_average(),
            }
        )
    )
    service.close()


def _memory_gb() -> dict[str, float]:
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    fields = dict(line.split(":", 1) for line in lines)
    return {name: int(fields[name].split()[0]) / 2**20 for name in ("VmRSS", "VmHWM", "RssFile")}
