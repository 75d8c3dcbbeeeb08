"""`ai-memory embed --ray` on a real Ray cluster of two nodes on this machine (the extra `ray`)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.tiny_gemma import tiny_gemma

pytest.importorskip(
    "ray.data",
    reason="Ray is not installed: the extra `ray` downloads 150 MB, so it is no part of the group `test`",
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """The address of a head and one more node, each with one core."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    paths = [str(Path(__file__).resolve().parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, paths))  # the nodes are separate processes
    from ray.cluster_utils import Cluster

    running = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    running.add_node(num_cpus=1)
    running.wait_for_nodes()
    try:
        yield running.address
    finally:
        running.shutdown()


@pytest.fixture(scope="module")
def gemma(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")


def corpus(file: Path, count: int) -> Path:
    with file.open("w", encoding="utf-8") as stream:
        for number in range(count):
            stream.write(json.dumps({"text": f"text {number} " + "word " * (number % 50), "id": number}) + "\n")
        stream.write("{broken\n")
    return file


def start(gemma: Path, source: Path, output: Path, *words: str) -> subprocess.Popen[bytes]:
    program = "import sys; from ai_memory.cli import main; sys.exit(main())"
    options = ["--model", str(gemma), "--dtype", "float32", "--threads", "1", "--dim", "256", *words]
    return subprocess.Popen(
        [sys.executable, "-c", program, "embed", str(source), "-o", str(output), "--json", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env={**os.environ, "AI_MEMORY_DATA_DIR": str(output.parent / "data")},
    )


def finish(process: subprocess.Popen[bytes]) -> dict[str, Any]:
    out, err = process.communicate(timeout=400)
    assert process.returncode == 4, err.decode()  # one line is broken, on purpose
    value: dict[str, Any] = json.loads(out)
    return value


def worker_processes() -> list[int]:
    """The processes of this machine in which Ray runs one of the workers, by the name that Ray gives them."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            command = (folder / "cmdline").read_bytes() if folder.name.isdecimal() else b""
        except OSError:
            continue
        if command.startswith(b"ray::MapWorker"):
            found.append(int(folder.name))
    return found


def test_two_workers_write_the_same_bytes_as_one_process(gemma: Path, cluster: str, tmp_path: Path) -> None:
    source = corpus(tmp_path / "in.jsonl", 3000)
    alone = finish(start(gemma, source, tmp_path / "alone.npy"))
    process = start(gemma, source, tmp_path / "ray.npy", "--ray", cluster)
    most = 0
    while process.poll() is None:
        most = max(most, len(worker_processes()))
        time.sleep(0.05)
    together = finish(process)
    assert most == 2, "one worker a node"
    assert {**alone, "output": ""} == {**together, "output": ""}
    assert (tmp_path / "ray.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()
    assert np.load(tmp_path / "ray.npy").shape == (3000, 256)


def test_a_killed_worker_loses_nothing(gemma: Path, cluster: str, tmp_path: Path) -> None:
    source = corpus(tmp_path / "in.jsonl", 6000)
    finish(start(gemma, source, tmp_path / "alone.npy"))
    process = start(gemma, source, tmp_path / "ray.npy", "--ray", cluster)
    partial = tmp_path / "ray.npy.partial"
    while process.poll() is None and len(list(partial.glob("chunk-*"))) < 2:
        time.sleep(0.01)
    killed = worker_processes()[:1]
    assert killed, "a worker is at work"
    done = len(list(partial.glob("chunk-*")))
    os.kill(killed[0], signal.SIGKILL)
    value = finish(process)
    assert done < 20, "it was killed in the middle"
    assert (value["vectors"], value["rejected"]) == (6000, 1)
    assert (tmp_path / "ray.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()


def test_a_killed_driver_goes_on(gemma: Path, cluster: str, tmp_path: Path) -> None:
    source = corpus(tmp_path / "in.jsonl", 3000)
    finish(start(gemma, source, tmp_path / "alone.npy"))
    process = start(gemma, source, tmp_path / "ray.npy", "--ray", cluster)
    while process.poll() is None and not list((tmp_path / "ray.npy.partial").glob("chunk-*")):
        time.sleep(0.01)
    process.kill()
    process.communicate()
    value = finish(start(gemma, source, tmp_path / "ray.npy", "--ray", cluster))
    assert value["resumed"] > 0
    assert (tmp_path / "ray.npy").read_bytes() == (tmp_path / "alone.npy").read_bytes()


def test_no_cluster_is_said(gemma: Path, tmp_path: Path) -> None:
    source = corpus(tmp_path / "in.jsonl", 3)
    process = start(gemma, source, tmp_path / "ray.npy", "--ray", "127.0.0.1:9")
    _, err = process.communicate(timeout=400)
    assert process.returncode == 6, err.decode()
    assert b"no Ray cluster answers at 127.0.0.1:9" in err
    refused = start(gemma, source, Path("-"), "--ray", "127.0.0.1:9")
    _, err = refused.communicate(timeout=60)
    assert refused.returncode == 4
    assert b"name a file with --output" in err
