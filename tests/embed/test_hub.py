"""Fetching from the hub with its client library, from a hub on this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.hub import fetch_from_hub
from ai_memory.embed.models.known import EMBEDDING_GEMMA, MINILM
from ai_memory.errors import OfflineError
from tests.support.disk import mounted
from tests.support.hub_server import Hub, serving_hub
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

REPOSITORY = "google/embeddinggemma-300m"


class Done(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def error(self) -> dict[str, object]:
        error: dict[str, object] = json.loads(self.err.splitlines()[-1])["error"]
        return error


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    folder = tiny_gemma(tmp_path / "published")
    (folder / "onnx").mkdir()
    (folder / "onnx" / "model_fp16.onnx").write_bytes(b"not wanted")
    (folder / "pytorch_model.bin").write_bytes(b"not wanted")
    with serving_hub(folder, REPOSITORY) as served:
        yield served


def start(hub: Hub, data: Path, *words: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    """`ai-memory model fetch` in a separate process: the library reads the hub's address when it is imported."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "AI_MEMORY_"))}
    clean |= {
        "HF_ENDPOINT": hub.url,
        "HF_HOME": str(data.parent / "hf"),
        "HF_HUB_DISABLE_XET": "1",
        "AI_MEMORY_DATA_DIR": str(data),
    }
    command = [sys.executable, "-c", "import sys; from ai_memory.cli import main; sys.exit(main())", "model", "fetch"]
    return subprocess.Popen(
        [*command, *words, "--json"],
        env=clean | (environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def fetch(hub: Hub, data: Path, *words: str, environment: dict[str, str] | None = None) -> Done:
    """`start`, and the result."""
    process = start(hub, data, *words, environment=environment)
    out, err = process.communicate(timeout=100)
    return Done(process.returncode, out, err)


def test_the_model_comes_whole_and_nothing_else(hub: Hub, tmp_path: Path) -> None:
    done = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert done.code == 0, done.err
    folder = read_model_folder(tmp_path / "data" / "models" / "embeddinggemma-300m")
    assert json.loads(done.out) == {"model": "embeddinggemma-300m", "folder": str(folder.path)}
    assert folder.revision() == read_model_folder(hub.folder).revision()
    assert "Gemma Terms of Use: https://ai.google.dev/gemma/terms" in done.err
    assert not {"pytorch_model.bin", "onnx/model_fp16.onnx"} & hub.sent.keys()
    assert sorted(path.name for path in (tmp_path / "data" / "models").iterdir()) == [
        ".hub-embeddinggemma-300m.lock",
        "embeddinggemma-300m",
    ]
    assert not (folder.path / ".cache").exists()
    hub.sent.clear()
    assert fetch(hub, tmp_path / "data", "embeddinggemma", "--quiet").code == 0
    assert hub.sent == {}


def test_an_interrupted_download_is_resumed(hub: Hub, tmp_path: Path) -> None:
    tiny_gemma(hub.folder, inner=8000)
    size = (hub.folder / "model.safetensors").stat().st_size
    assert size > 30_000_000
    hub.break_after = 25_000_000
    first = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert first.code == 8
    assert "the same command resumes it" in str(first.error["hint"])
    assert fetch(hub, tmp_path / "data", "embeddinggemma").code == 0
    assert any(line.startswith("model.safetensors bytes=") for line in hub.ranges)
    assert hub.sent["model.safetensors"] < size + 2_000_000
    folder = read_model_folder(tmp_path / "data" / "models" / "embeddinggemma-300m")
    assert folder.revision() == read_model_folder(hub.folder).revision()


def test_a_killed_fetch_is_resumed(hub: Hub, tmp_path: Path) -> None:
    tiny_gemma(hub.folder, inner=8000)
    size = (hub.folder / "model.safetensors").stat().st_size
    hub.break_after, hub.stalls = 25_000_000, True
    process = start(hub, tmp_path / "data", "embeddinggemma")
    assert hub.stalled.wait(60)
    partial = tmp_path / "data" / "models" / ".hub-embeddinggemma-300m"
    while sum(file.stat().st_size for file in partial.rglob("*.part")) < 10_000_000:
        time.sleep(0.05)
    process.kill()
    process.communicate()
    hub.released.set()
    assert not (tmp_path / "data" / "models" / "embeddinggemma-300m").exists()
    done = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert done.code == 0, done.err
    assert any(line.startswith("model.safetensors bytes=") for line in hub.ranges)
    assert hub.sent["model.safetensors"] < size + 17_000_000
    folder = read_model_folder(tmp_path / "data" / "models" / "embeddinggemma-300m")
    assert folder.revision() == read_model_folder(hub.folder).revision()


def test_a_gated_answer_says_what_to_do(hub: Hub, tmp_path: Path) -> None:
    hub.gated = True
    done = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert done.code == 8
    assert "google/embeddinggemma-300m is gated" in str(done.error["message"])
    for part in ("https://huggingface.co/google/embeddinggemma-300m", "hf auth login", "--from unsloth/embeddinggemma"):
        assert part in str(done.error["hint"])
    assert not (tmp_path / "data" / "models" / "embeddinggemma-300m").exists()


def test_another_repository_can_be_named(tmp_path: Path) -> None:
    with serving_hub(tiny_gemma(tmp_path / "copy"), "unsloth/embeddinggemma-300m") as hub:
        missing = fetch(hub, tmp_path / "data", "embeddinggemma")
        assert missing.code == 8
        assert "no repository google/embeddinggemma-300m" in str(missing.error["message"])
        assert fetch(hub, tmp_path / "data", "embeddinggemma", "--from", "unsloth/embeddinggemma-300m").code == 0
    assert read_model_folder(tmp_path / "data" / "models" / "embeddinggemma-300m").known is EMBEDDING_GEMMA


def test_a_file_damaged_in_transit_is_downloaded_again(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "data" / "models" / ".hub-embeddinggemma-300m" / "embeddinggemma-300m"
    folder.mkdir(parents=True)
    etag = hub.etag("model.safetensors")
    (folder / f"model.safetensors.{etag}.part").write_bytes(b"damaged")
    done = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert done.code == 8
    assert "is not the file that the hub has" in str(done.error["message"])
    assert fetch(hub, tmp_path / "data", "embeddinggemma").code == 0


def test_an_incomplete_repository_is_not_put_in_place(hub: Hub, tmp_path: Path) -> None:
    (hub.folder / "tokenizer.json").unlink()
    done = fetch(hub, tmp_path / "data", "embeddinggemma")
    assert done.code == 8
    assert "tokenizer.json is missing" in str(done.error["message"])
    assert not (tmp_path / "data" / "models" / "embeddinggemma-300m").exists()


def test_too_little_disk_space_is_reported_before_the_download(hub: Hub, tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "1m") as place:
        done = fetch(hub, place / "data", "embeddinggemma", environment={"HF_HOME": str(tmp_path / "hf")})
        assert done.code == 7
        assert "more than" in str(done.error["message"])
        assert hub.sent == {}


def test_no_network_is_a_clear_error(hub: Hub, tmp_path: Path) -> None:
    done = fetch(hub, tmp_path / "data", "embeddinggemma", environment={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.code == 8
    assert done.error["code"] == "embedder_unavailable"


def test_the_hub_is_asked_only_online(tmp_path: Path) -> None:
    with pytest.raises(OfflineError, match="google/embeddinggemma-300m"):
        fetch_from_hub(EMBEDDING_GEMMA, tmp_path, offline=True)
    assert not (tmp_path / "models").exists()


def test_a_model_that_is_there_is_not_fetched_from_the_hub(tmp_path: Path) -> None:
    tiny_bert(tmp_path / "models" / MINILM.name)
    assert fetch_from_hub(MINILM, tmp_path, offline=True).dimension == 16
