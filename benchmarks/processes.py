"""`recall.http_overhead`, `cli.`, `mcp.`: the waiting times of a user, whole processes included."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ai_memory import Client
from ai_memory.discovery import find_service
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from benchmarks.corpus import Corpus
from benchmarks.figures import Figure, Peer, Target, load_average, median
from benchmarks.places import MODEL, fresh_folder
from benchmarks.stores import store_of

MEMORIES = 10_000
HTTP_TARGET = Target("<=", 3.0)
CLI_TARGET = Target("<=", 300.0)
MCP_TARGET = Target("<=", 1_000.0)
HOOK_TARGET = Target("<=", 150.0)
COMMAND = str(Path(sys.executable).with_name("ai-memory"))
_START_SECONDS = 120.0


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of these areas; none if the model is missing."""
    if not MODEL.exists():
        print("cli, mcp and recall.http are skipped: the model is missing; make bench downloads it", file=sys.stderr)
        return
    with fresh_folder() as data_dir:
        _copy(store_of(MEMORIES).data_dir, data_dir)
        with running_service(data_dir) as url:
            yield from _http(url, data_dir, 60 if quick else 200)
            yield _cli(data_dir, 5 if quick else 15)
            yield _hook(data_dir, "with_service", 5 if quick else 15)
            yield _mcp(data_dir, "with_service", 3 if quick else 7)
        yield _hook(data_dir, "alone", 5 if quick else 15)
        yield _mcp(data_dir, "alone", 3 if quick else 7)


@contextmanager
def running_service(data_dir: Path, model: Path = MODEL) -> Iterator[str]:
    """The URL of `ai-memory serve` on this data folder, ready and with its model loaded; stopped at the end."""
    words = [
        COMMAND,
        "--data-dir",
        str(data_dir),
        "serve",
        "--port",
        "0",
        "--log-level",
        "warning",
        "--model",
        str(model),
    ]
    process = subprocess.Popen(words, env=environment(), stdout=subprocess.DEVNULL)
    try:
        yield _ready(process, data_dir)
    finally:
        process.terminate()
        process.wait(60)


def environment() -> dict[str, str]:
    """This process's environment variables without the service's settings."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AI_MEMORY_")}


def _ready(process: subprocess.Popen[bytes], data_dir: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"ai-memory serve ended with status {process.returncode}")
        found = find_service(data_dir)
        if found is not None and found.pid == process.pid:
            with Client(found.url) as client:
                client.recall("is it warm?")
            return found.url
        time.sleep(0.05)
    raise TimeoutError(f"ai-memory serve was not ready after {_START_SECONDS:.0f} s")


def _http(url: str, data_dir: Path, questions: int) -> Iterator[Figure]:
    """The same question to a service in this process and, over a kept-alive connection, to the server, alternating."""
    corpus = Corpus()
    service = open_service(Settings(data_dir=data_dir, model=str(MODEL)))
    inside: list[float] = []
    outside: list[float] = []
    with Client(url) as client:
        for number in range(questions + 20):
            question = corpus.question(number)
            orders = (False, True) if number % 2 else (True, False)
            for over_http in orders:
                started = time.perf_counter()
                answer = (
                    client.recall(question) if over_http else service.carry_out(RECALL, RecallRequest(query=question))
                )
                if number >= 20:
                    (outside if over_http else inside).append((time.perf_counter() - started) * 1e3)
                assert answer.hits
    service.close()
    about = {"memories": MEMORIES, "questions": questions, "load": load_average()}
    differences = [there - here for there, here in zip(outside, inside, strict=True)]
    peer = Peer("in process", median(inside))
    yield Figure("recall.http_p50.10k", median(outside), "ms", peer, settings=about)
    yield Figure("recall.http_overhead", median(differences), "ms", target=HTTP_TARGET, settings=about)


def _cli(data_dir: Path, runs: int) -> Figure:
    """A complete `ai-memory recall`, from the start of the process to its end."""
    corpus = Corpus()
    times = []
    for number in range(runs + 1):
        words = [COMMAND, "--data-dir", str(data_dir), "--json", "recall", corpus.question(1_000 + number)]
        started = time.perf_counter()
        done = subprocess.run(words, env=environment(), stdout=subprocess.PIPE, check=True)
        times.append((time.perf_counter() - started) * 1e3)
        assert json.loads(done.stdout)["hits"]
    settings = {"runs": runs, "slowest": round(max(times[1:])), "load": load_average()}
    return Figure("cli.cold_recall", median(times[1:]), "ms", target=CLI_TARGET, settings=settings)


def _hook(data_dir: Path, case: str, runs: int) -> Figure:
    """A complete `ai-memory hook prompt`, as Claude Code starts it; without a service it says nothing."""
    corpus = Corpus()
    times = []
    for number in range(runs + 1):
        given = json.dumps({"prompt": corpus.question(2_000 + number), "cwd": "/home/user/project", "session_id": "s"})
        words = [COMMAND, "--data-dir", str(data_dir), "hook", "prompt"]
        started = time.perf_counter()
        done = subprocess.run(words, input=given.encode(), env=environment(), stdout=subprocess.PIPE, check=True)
        times.append((time.perf_counter() - started) * 1e3)
        assert case == "with_service" or not done.stdout
    settings = {"runs": runs, "slowest": round(max(times[1:])), "load": load_average()}
    return Figure(f"cli.hook_prompt.{case}", median(times[1:]), "ms", target=HOOK_TARGET, settings=settings)


def _mcp(data_dir: Path, case: str, runs: int) -> Figure:
    """From the start of `ai-memory mcp` to the complete answer to `initialize` on its standard output."""
    times = [_handshake(data_dir) for _ in range(runs + 1)][1:]
    settings = {"runs": runs, "slowest": round(max(times)), "load": load_average()}
    return Figure(f"mcp.handshake.{case}", median(times), "ms", target=MCP_TARGET, settings=settings)


def _handshake(data_dir: Path) -> float:
    parameters: dict[str, Any] = {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "bench", "version": "1"},
    }
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": parameters}
    started = time.perf_counter()
    process = subprocess.Popen(
        [COMMAND, "--data-dir", str(data_dir), "mcp"], env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(json.dumps(message).encode() + b"\n")
    process.stdin.flush()
    answer = json.loads(process.stdout.readline())
    elapsed = (time.perf_counter() - started) * 1e3
    assert answer["result"]["serverInfo"]["name"], answer
    process.stdin.close()
    process.wait(60)
    process.stdout.close()
    return elapsed


def _copy(source: Path, target: Path) -> None:
    """A kept store with the model in the same folder, as in a user's data folder."""
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("service*", "*.lock"))
    (target / "models").mkdir(exist_ok=True)
    (target / "models" / MODEL.name).symlink_to(MODEL, target_is_directory=True)
