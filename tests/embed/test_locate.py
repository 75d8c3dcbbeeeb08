from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from ai_memory.embed.base import Task
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.models.known import E5, EMBEDDING_GEMMA, EMBEDDING_GEMMA_2, KNOWN_MODELS, MINILM, known_model
from ai_memory.embed.models.locate import find_model, places
from ai_memory.errors import InvalidInputError, ModelFilesError
from ai_memory.places import ModelPlaces, model_places
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_gemma2 import tiny_gemma2
from tests.support.tiny_models import tiny_bert


def test_nothing_is_found_in_an_empty_data_folder(tmp_path: Path) -> None:
    assert find_model("auto", tmp_path) is None
    assert find_model("minilm", tmp_path) is None
    assert places("auto", tmp_path) == [
        tmp_path / "models" / name
        for name in ("embeddinggemma-2", "embeddinggemma-300m", "multilingual-e5-small", "all-MiniLM-L6-v2")
    ]


@pytest.mark.parametrize("preference", ["auto", "minilm", "all-MiniLM-L6-v2", "SENTENCE-TRANSFORMERS/all-minilm-l6-v2"])
def test_the_small_model_is_found_by_each_of_its_names(tmp_path: Path, preference: str) -> None:
    tiny_bert(tmp_path / "models" / "all-MiniLM-L6-v2")
    found = find_model(preference, tmp_path)
    assert found is not None
    assert found.known is MINILM


def test_auto_takes_the_best_that_is_here(tmp_path: Path) -> None:
    for name in ("all-MiniLM-L6-v2", "multilingual-e5-small"):
        tiny_bert(tmp_path / "models" / name)
        found = find_model("auto", tmp_path)
        assert found is not None
        assert found.name == name
        assert found.prompts.for_query(Task.CLUSTERING) == ("query: " if found.known is E5 else "")
    tiny_gemma(tmp_path / "models" / "embeddinggemma-300m")
    assert find_model("auto", tmp_path).known is EMBEDDING_GEMMA  # type: ignore[union-attr]
    tiny_gemma2(tmp_path / "models" / "embeddinggemma-2")
    assert find_model("auto", tmp_path).known is EMBEDDING_GEMMA_2  # type: ignore[union-attr]
    assert find_model("e5", tmp_path).known is E5  # type: ignore[union-attr]


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tiny_bert(tmp_path / "my own")
    found = find_model(str(path), tmp_path / "data")
    assert found is not None
    assert (found.path, found.known) == (path, None)
    monkeypatch.chdir(tmp_path)
    assert find_model("my own", tmp_path / "data") is not None
    with pytest.raises(ModelFilesError, match="no model folder at"):
        find_model(str(tmp_path / "gone"), tmp_path)


def test_an_unknown_name_is_refused_with_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(
        InvalidInputError, match="auto, embeddinggemma-2, embeddinggemma-300m, multilingual-e5-small, all-MiniLM-L6-v2"
    ):
        find_model("bigmodel", tmp_path)


def test_a_damaged_folder_is_an_error_and_not_skipped(tmp_path: Path) -> None:
    path = tiny_bert(tmp_path / "models" / "all-MiniLM-L6-v2")
    (path / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is missing"):
        find_model("auto", tmp_path)


def test_names_and_aliases_are_distinct() -> None:
    names = [name for model in KNOWN_MODELS for name in (model.name.lower(), *model.aliases)]
    assert len(names) == len(set(names))
    assert known_model("gemma") is EMBEDDING_GEMMA
    assert known_model("nothing") is None


def hub_cache(hub: Path, repository: str, folder: Path, *, leave_out: str = "") -> Path:
    """The folder as the hub's cache keeps a repository: blobs, and links to them in a snapshot. Gives the snapshot."""
    place = hub / f"models--{repository.replace('/', '--')}"
    commit = "64614b0b8b64f0c6c1e52b07e4e9a4e8fe4d2da2"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text(commit)
    (place / "blobs").mkdir()
    snapshot = place / "snapshots" / commit
    for file in (each for each in folder.rglob("*") if each.is_file() and each.name != leave_out):
        data = file.read_bytes()
        big = file.suffix == ".safetensors"
        blob = place / "blobs" / (hashlib.sha256(data).hexdigest() if big else hashlib.sha1(data).hexdigest())
        blob.write_bytes(data)
        link = snapshot / file.relative_to(folder)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(blob, link.parent))
    return snapshot


@pytest.mark.parametrize("repository", [EMBEDDING_GEMMA.repository, *EMBEDDING_GEMMA.copies])
def test_the_hubs_cache_is_searched_last(tmp_path: Path, repository: str) -> None:
    source = tiny_gemma(tmp_path / "source")
    elsewhere = ModelPlaces(folders=(tmp_path / "here",), hub=tmp_path / "hub")
    assert find_model("gemma", tmp_path, elsewhere) is None
    snapshot = hub_cache(tmp_path / "hub", repository, source)
    found = find_model("auto", tmp_path, elsewhere)
    assert found is not None
    assert (found.path, found.name, found.known) == (snapshot, "embeddinggemma-300m", EMBEDDING_GEMMA)
    assert found.revision() == read_model_folder(source).revision()
    assert not (snapshot / ".digests.json").exists(), "the hub's folder is not ours to write into"
    tiny_gemma(tmp_path / "here" / EMBEDDING_GEMMA.repository)
    nearer = find_model("gemma", tmp_path, elsewhere)
    assert nearer is not None
    assert nearer.path == tmp_path / "here" / EMBEDDING_GEMMA.repository
    tiny_gemma(tmp_path / "models" / "embeddinggemma-300m")
    assert find_model("gemma", tmp_path, elsewhere).path == tmp_path / "models" / "embeddinggemma-300m"  # type: ignore[union-attr]


def test_an_incomplete_snapshot_is_skipped(tmp_path: Path) -> None:
    hub = tmp_path / "hub"
    hub_cache(hub, EMBEDDING_GEMMA.repository, tiny_gemma(tmp_path / "source"), leave_out="tokenizer.json")
    minilm = tiny_bert(tmp_path / "models" / "all-MiniLM-L6-v2")
    found = find_model("auto", tmp_path, ModelPlaces(hub=hub))
    assert found is not None
    assert found.path == minilm


def test_the_folder_that_the_user_named_is_the_only_one_for_gemma(tmp_path: Path) -> None:
    tiny_gemma(tmp_path / "models" / "embeddinggemma-300m")
    named = tiny_gemma(tmp_path / "named")
    found = find_model("auto", tmp_path, ModelPlaces(gemma=named))
    assert found is not None
    assert (found.path, found.name) == (named, "embeddinggemma-300m")
    with pytest.raises(ModelFilesError, match="no model folder at"):
        find_model("auto", tmp_path, ModelPlaces(gemma=tmp_path / "gone"))


def test_the_places_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME", "EMBEDDINGGEMMA_MODEL_PATH"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    usual = tmp_path / ".cache" / "huggingface" / "hub"
    assert model_places() == ModelPlaces(folders=(tmp_path / "models",), hub=usual)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    assert model_places().hub == tmp_path / "hf" / "hub"
    monkeypatch.setenv("HF_HUB_CACHE", "~/cache")
    monkeypatch.setenv("EMBEDDINGGEMMA_MODEL_PATH", "~/gemma")
    assert model_places().hub == tmp_path / "cache"
    assert model_places().gemma == tmp_path / "gemma"
