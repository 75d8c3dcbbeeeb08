"""A full disk under a Neo4j server: a small file system of its own for its data, filled up and given room again."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.clock import SystemClock
from ai_memory.errors import StoreError, StoreFullError, StoreUnavailableError
from ai_memory.store.base import Stored
from ai_memory.store.neo4j.store import Neo4jStore
from neo4j_server import LINES, Server
from tests.support import neo4j_backend
from tests.support.store_samples import kept, remember

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DISK_MEGABYTES = 256
ROOM_BYTES = 4 * 1024 * 1024
"""What is left of it for the test to fill."""
BATCH = 20
TEXT = "x" * 20_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A folder with a file system of its own, of `DISK_MEGABYTES`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    try:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK_MEGABYTES}m", "tmpfs", str(folder)],
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:
        pytest.skip(f"no small file system can be mounted here: {error}")
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def server(disk: Path) -> Iterator[Server]:
    """A server whose data lies on the small disk."""
    started = neo4j_backend.start(LINES["newest"], disk)
    yield started
    started.kill()


def _open(server: Server) -> Neo4jStore:
    return neo4j_backend.open_on(server, SystemClock(), retry_seconds=2.0)


def _write_until_refused(store: Neo4jStore) -> tuple[list[str], StoreError]:
    """The memories that were acknowledged, and the error that ended it."""
    acknowledged: list[str] = []
    for number in range(10_000):
        try:
            results = store.write([remember(f"{number} {part} {TEXT}") for part in range(BATCH)])
        except StoreError as error:
            return acknowledged, error
        acknowledged += [each.memory_id for each in results if isinstance(each, Stored) and each.memory_id]
    raise AssertionError("the disk never got full")


def test_a_full_disk_is_said_and_loses_nothing_that_was_acknowledged(server: Server, disk: Path) -> None:
    store = _open(server)
    kept(store, "before")
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(max(shutil.disk_usage(disk).free - ROOM_BYTES, 0)))
    acknowledged, error = _write_until_refused(store)
    assert acknowledged
    assert isinstance(error, StoreFullError), error
    assert "free some space" in str(error.hint)
    with pytest.raises(StoreUnavailableError) as again:
        kept(store, "after")
    assert "restart" in str(again.value.hint)
    store.close()

    ballast.unlink()
    server.kill()
    server.start()
    with _open(server) as mended:
        assert None not in mended.get("default", acknowledged)
        assert mended.stats().memories % BATCH == 1, "a batch is there as a whole or not at all"
        assert mended.check() == []
        assert kept(mended, "with room again").text == "with room again"
