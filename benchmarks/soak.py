"""Many different clients for a while: is every request answered, and does the server's memory stay constant?

    .venv/bin/python benchmarks/soak.py [--seconds 600] [--clients 16] [--model FOLDER] [--no-save]

Clients send single queries, batches, long texts that are cut, ids to decode and invalid requests, and disconnect in the middle. A
request that is neither answered nor abandoned by its client is lost. Memory is the server's resident set, sampled every second;
its slope is that of a linear fit to the second half of the samples, which in a run of a few minutes still includes warm-up. The
rows are those of `make bench`, over more seconds.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from ai_memory.discovery import find_service  # noqa: E402 - after the path
from benchmarks.figures import (  # noqa: E402
    Figure,
    Target,
    commit,
    load_average,
    results_file,
    table,
    write,
)
from benchmarks.http_load import Connection, Tally, request_bytes  # noqa: E402
from benchmarks.places import fresh_folder  # noqa: E402
from benchmarks.processes import running_service  # noqa: E402
from benchmarks.random_models import medium_gemma  # noqa: E402

WORDS = [
    "gate",
    "opens",
    "noon",
    "ferry",
    "leaves",
    "seven",
    "meeting",
    "moved",
    "room",
    "taken",
    "closes",
    "six",
    "ships",
]
HANGS_UP = 23
"""After this many requests a client disconnects without waiting for the answer."""
SLOPE = Target("<=", 1.0)
_SETTLED = 300.0
"""Duration in seconds from which the second half of a run has no warm-up, so that memory has a target."""
NOTHING = Target("<=", 0.0)
_PATIENCE = 600.0
"""Seconds until a request counts as lost; long, because a slow answer on a busy machine is not lost."""


@dataclass(frozen=True)
class Soaked:
    """The results of a run."""

    seconds: float
    tally: Tally
    abandoned: int
    """Requests whose clients disconnected on purpose."""
    samples_mb: tuple[float, ...]
    """The server's resident memory, one sample a second."""

    @property
    def lost(self) -> int:
        """Requests that were neither answered nor abandoned."""
        return self.tally.sent - self.tally.answered - self.tally.refused - self.abandoned

    @property
    def slope_mb_per_minute(self) -> float:
        """The growth of memory in the second half, in MB per minute."""
        half = np.asarray(self.samples_mb[len(self.samples_mb) // 2 :])
        return float(np.polyfit(np.arange(len(half)), half, 1)[0] * 60) if len(half) > 1 else 0.0


def soak(model: Path, *, seconds: float, clients: int) -> Soaked:
    """Run a server on `model` with `clients` clients for `seconds`."""
    tally, abandoned, samples = Tally(), [0], list[float]()
    with fresh_folder() as data_dir, running_service(data_dir, model) as url:
        found = find_service(data_dir)
        assert found is not None
        ends = time.monotonic() + seconds
        threads = [
            threading.Thread(target=_client, args=(number, url, ends, tally, abandoned)) for number in range(clients)
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        while time.monotonic() < ends:
            samples.append(resident_mb(found.pid))
            time.sleep(min(1.0, seconds / 10))
        for thread in threads:
            thread.join()
        took = time.perf_counter() - begun
    return Soaked(took, tally, abandoned[0], tuple(samples))


def figures_of(found: Soaked, clients: int) -> list[Figure]:
    """The rows of a run."""
    flat = SLOPE if found.seconds >= _SETTLED else None
    settings = {"seconds": round(found.seconds), "clients": clients, "load": load_average()}
    return [
        Figure("embed.http.soak.answered", found.tally.answered / found.seconds, "requests/s", settings=settings),
        Figure("embed.http.soak.lost", found.lost, "requests", target=NOTHING, settings=settings),
        Figure("embed.http.soak.memory", found.slope_mb_per_minute, "MB/min", target=flat, settings=settings),
    ]


def _client(number: int, url: str, ends: float, tally: Tally, abandoned: list[int]) -> None:
    connection = Connection(url, _PATIENCE)
    for turn, request in enumerate(_requests(number)):
        if time.monotonic() >= ends:
            break
        with tally.lock:
            tally.sent += 1
        if (turn + number) % HANGS_UP == HANGS_UP - 1:
            connection.send(request)
            connection.close()
            connection = Connection(url, _PATIENCE)
            with tally.lock:
                abandoned[0] += 1
            continue
        try:
            status = connection.post(request)
        except (OSError, StopIteration):
            with tally.lock:
                tally.broken += 1
            connection.close()
            connection = Connection(url, _PATIENCE)
            continue
        with tally.lock:
            tally.answered += status == 200
            tally.refused += status != 200
    connection.close()


def _requests(seed: int) -> Iterator[bytes]:
    """The endless requests of one client."""
    draw = np.random.default_rng(seed)
    while True:
        kind = draw.integers(0, 10)
        text = " ".join(draw.choice(WORDS, draw.integers(3, 60)))
        if kind < 4:
            yield request_bytes("/v1/embeddings", input=text, input_type="query", encoding_format="base64")
        elif kind < 7:
            yield request_bytes("/embed", inputs=[f"{text} {number}" for number in range(draw.integers(2, 12))])
        elif kind == 7:
            yield request_bytes("/embed", inputs=f"{text} " * 60)
        elif kind == 8:
            yield request_bytes("/tokenize", inputs=text)
        else:
            yield request_bytes("/v1/embeddings", input=[text], dimensions=5)


def resident_mb(pid: int) -> float:
    """The resident set of a process."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def main() -> int:
    """Run it, print the results and save the rows; returns 1 if a target is missed: a request was lost, or memory grew."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--model", type=Path, default=None, help="a model folder (default: one with random weights)")
    parser.add_argument("--no-save", action="store_true", help="write no rows")
    arguments = parser.parse_args()
    measured = commit()
    found = soak(arguments.model or medium_gemma(), seconds=arguments.seconds, clients=arguments.clients)
    tally, samples = found.tally, found.samples_mb
    print(f"{found.seconds:.0f} s, {arguments.clients} clients: {tally.sent:,} requests sent")
    print(
        f"{tally.answered:,} answered 200, {tally.refused:,} refused, {found.abandoned:,} disconnected, {tally.broken} broken"
    )
    print(f"{found.lost} lost")
    print(
        f"memory {samples[0]:.0f} MB at first, {samples[len(samples) // 2]:.0f} at half time, {samples[-1]:.0f} at the end, "
        f"most {max(samples):.0f}; {found.slope_mb_per_minute:+.2f} MB per minute in the second half"
    )
    figures = figures_of(found, arguments.clients)
    print(table(figures))
    missed = [figure.name for figure in figures if figure.met is False]
    print(f"missed: {', '.join(missed)}" if missed else "every target is met")
    if not arguments.no_save:
        path = results_file(measured)
        write(figures, path, measured)
        print(f"rows added to {path.relative_to(ROOT)}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
