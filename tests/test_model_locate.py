from __future__ import annotations

from pathlib import Path

import pytest

from ai_memory.embed.known import EMBEDDING_GEMMA, KNOWN_MODELS, MINILM, known_model
from ai_memory.embed.locate import find_model, places
from ai_memory.errors import InvalidInputError, ModelFilesError
from tiny_models import tiny_bert


def test_nothing_is_found_in_an_empty_data_folder(tmp_path: Path) -> None:
    assert find_model("auto", tmp_path) is None
    assert find_model("minilm", tmp_path) is None
    assert places("auto", tmp_path) == [
        tmp_path / "models" / name for name in ("embeddinggemma-300m", "all-MiniLM-L6-v2")
    ]


@pytest.mark.parametrize("preference", ["auto", "minilm", "all-MiniLM-L6-v2", "SENTENCE-TRANSFORMERS/all-minilm-l6-v2"])
def test_the_small_model_is_found_by_each_of_its_names(tmp_path: Path, preference: str) -> None:
    tiny_bert(tmp_path / "models" / "all-MiniLM-L6-v2")
    found = find_model(preference, tmp_path)
    assert found is not None
    assert found.known is MINILM


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
    with pytest.raises(InvalidInputError, match="auto, embeddinggemma-300m, all-MiniLM-L6-v2"):
        find_model("bigmodel", tmp_path)


def test_a_damaged_folder_is_an_error_and_not_passed_over(tmp_path: Path) -> None:
    path = tiny_bert(tmp_path / "models" / "all-MiniLM-L6-v2")
    (path / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json is missing"):
        find_model("auto", tmp_path)


def test_names_and_aliases_are_distinct() -> None:
    names = [name for model in KNOWN_MODELS for name in (model.name.lower(), *model.aliases)]
    assert len(names) == len(set(names))
    assert known_model("gemma") is EMBEDDING_GEMMA
    assert known_model("nothing") is None
