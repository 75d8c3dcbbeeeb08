"""The command as a separate process: what it imports, a running service, a pipe that closes, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.serving import COMMAND, environment, running_service

HEAVY = {
    "numpy",
    "pydantic",
    "openvino",
    "httpx",
    "mcp",
    "starlette",
    "anyio",
    "asyncio",
    "sqlite3",
}
HEAVY |= {"yaml", "tqdm", "shtab", "tomllib", "ai_memory.wiring"}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("cli") / "data"
    with running_service(folder):
        yield folder


def call(data_dir: Path, *words: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [COMMAND, *words], env=environment(data_dir), input=stdin, capture_output=True, check=False, timeout=60
    )


def test_the_running_service_is_found_and_does_the_work(data_dir: Path) -> None:
    done = call(data_dir, "remember", "-", "--tags", "a,b", "--json", stdin="Ада пишет".encode())
    assert (done.returncode, json.loads(done.stdout)["outcome"]) == (0, "stored")
    listed = json.loads(call(data_dir, "list", "--tags", "a,b", "--json").stdout)["memories"]
    assert [memory["text"] for memory in listed] == ["Ада пишет"]


def test_the_fast_path_imports_nothing_heavy(data_dir: Path) -> None:
    code = (
        "import sys, json\n"
        "from ai_memory.cli import main\n"
        "code = main(['list', '--json'])\n"
        f"print(json.dumps([code, [name for name in {sorted(HEAVY)!r} if name in sys.modules]]), file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(data_dir), capture_output=True, check=True, timeout=60
    )
    assert json.loads(done.stderr) == [0, []]


def test_import_and_export_through_the_service(data_dir: Path, tmp_path: Path) -> None:
    lines = tmp_path / "lines.jsonl"
    lines.write_text('{"text": "imported one"}\n\nbroken\n{"text": "imported two"}\n', encoding="utf-8")
    done = call(data_dir, "--namespace", "moved", "import", str(lines), "--json")
    report = json.loads(done.stdout)
    assert (done.returncode, report["counts"], report["rejected"][0]["line"]) == (4, {"rejected": 1, "stored": 2}, 3)
    exported = call(data_dir, "--namespace", "moved", "export").stdout
    assert [json.loads(line)["record"] for line in exported.splitlines()] == ["archive", "memory", "memory"]


def test_a_rejected_text_is_told_the_same_way_by_a_service(data_dir: Path) -> None:
    stored = json.loads(call(data_dir, "remember", "to be forgotten", "--json").stdout)
    assert call(data_dir, "forget", stored["memory_id"]).returncode == 0
    refused = call(data_dir, "remember", "to be forgotten", "--json")
    assert (refused.returncode, json.loads(refused.stdout)["outcome"]) == (5, "rejected")
    missing = call(data_dir, "get", stored["memory_id"], "--json")
    assert (missing.returncode, json.loads(missing.stderr)["error"]["code"]) == (3, "not_found")


def test_events_are_followed(data_dir: Path) -> None:
    call(data_dir, "remember", "written before anybody follows")
    following = subprocess.Popen(
        [COMMAND, "events", "--follow", "--json", "--last", "1"],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert following.stdout is not None
    try:
        assert json.loads(following.stdout.readline())["kind"] == "memory"  # the newest that was there
        receipt = json.loads(call(data_dir, "remember", "--json", "written while somebody follows").stdout)
        assert json.loads(following.stdout.readline())["id"] == receipt["memory_id"]
    finally:
        following.send_signal(signal.SIGINT)
        following.communicate(timeout=30)
    assert call(data_dir, "events").stdout.decode().count("remembered") >= 2


def test_a_reader_that_leaves_is_no_error(data_dir: Path) -> None:
    many = b"".join(b'{"text": "%s %d"}\n' % (b"long text " * 100, number) for number in range(500))
    assert call(data_dir, "--namespace", "many", "import", "-", stdin=many).returncode == 0
    process = subprocess.Popen(
        [COMMAND, "--namespace", "many", "export"],
        env=environment(data_dir),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait(30) == 0


def test_ctrl_c_ends_without_a_trace(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [COMMAND, "remember", "-"],
        env=environment(tmp_path / "data"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(
            signal.SIGINT, signal.default_int_handler
        ),  # ignored by a shell's background jobs
    )
    wait_until_it_waits(process.pid)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"")


def wait_until_it_waits(pid: int) -> None:
    """Return when the process sleeps and has used no processor time for half a second: it has started and reads its input."""
    used, since = "", time.monotonic()
    while time.monotonic() - since < 0.5:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        now = " ".join(fields[11:13])
        if fields[0] != "S" or now != used:
            used, since = now, time.monotonic()
        time.sleep(0.05)
