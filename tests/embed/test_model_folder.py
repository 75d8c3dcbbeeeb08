from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from ai_memory.embed.models.digests import SIDECAR, file_sha256, folder_digests
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.errors import ModelFilesError
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import CONFIG, MODULES, POOLING, tiny_bert, write_json


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_bert(tmp_path / "tiny")


def test_a_complete_folder_is_described(folder: Path) -> None:
    model = read_model_folder(folder)
    assert (model.name, model.architecture, model.dimension, model.max_tokens) == ("tiny", "bert", 16, 32)
    assert model.known is None
    assert model.dense == ()
    assert model.files == (
        "1_Pooling/config.json",
        "config.json",
        "model.safetensors",
        "modules.json",
        "sentence_bert_config.json",
        "tokenizer.json",
    )


def test_a_known_name_brings_its_description(folder: Path) -> None:
    model = read_model_folder(folder, name="MiniLM")
    assert model.name == "all-MiniLM-L6-v2"
    assert model.known is not None
    assert model.known.licence == "Apache-2.0"


def test_without_its_own_limit_the_positions_are_the_limit(folder: Path) -> None:
    (folder / "sentence_bert_config.json").unlink()
    assert read_model_folder(folder).max_tokens == 64
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 500})
    assert read_model_folder(folder).max_tokens == 64


def test_every_missing_file_is_named(folder: Path) -> None:
    for name in ("config.json", "model.safetensors"):
        (folder / name).unlink()
    with pytest.raises(ModelFilesError, match=r"config\.json is missing; model\.safetensors is missing") as caught:
        read_model_folder(folder)
    assert caught.value.details["missing"] == ["config.json", "model.safetensors"]
    assert caught.value.hint is not None


def test_a_missing_pooling_folder_is_named(folder: Path) -> None:
    (folder / "1_Pooling" / "config.json").unlink()
    with pytest.raises(ModelFilesError, match=r"1_Pooling/config\.json is missing"):
        read_model_folder(folder)


@pytest.mark.parametrize("name", ["adapter_config.json", "model.safetensors.index.json"])
def test_a_file_that_would_change_the_vectors_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_text("{}", encoding="utf-8")
    with pytest.raises(ModelFilesError, match=name.replace(".", r"\.")) as caught:
        read_model_folder(folder)
    assert caught.value.details["unexpected"] == [name]


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.json"])
@pytest.mark.parametrize("left", [0, 5, 0.5, 0.99])
def test_a_file_that_was_cut_off_is_named_before_anything_is_loaded(folder: Path, name: str, left: float) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[: int(left if left >= 1 else left * len(content))])
    with pytest.raises(
        ModelFilesError, match=rf"{name} (cannot be read as safetensors|is not a JSON object)"
    ) as caught:
        read_model_folder(folder)
    assert caught.value.details["file"] == str(folder / name)
    (folder / name).write_bytes(content)
    assert read_model_folder(folder).name == "tiny"


def test_a_missing_folder_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ModelFilesError, match="no model folder at"):
        read_model_folder(tmp_path / "nothing")


@pytest.mark.parametrize(
    "modules",
    [
        [],
        MODULES[:2],
        [MODULES[0], MODULES[2], MODULES[1]],
        [*MODULES, {"type": "sentence_transformers.models.LayerNorm", "path": "3"}],
        ["Transformer"],
    ],
)
def test_another_chain_of_modules_is_refused(folder: Path, modules: list[object]) -> None:
    write_json(folder / "modules.json", modules)
    with pytest.raises(ModelFilesError, match="this version runs Transformer → Pooling"):
        read_model_folder(folder)


def test_dense_modules_are_found_with_their_files(folder: Path) -> None:
    dense = [{"type": "sentence_transformers.models.Dense", "path": f"{number}_Dense"} for number in (2, 3)]
    write_json(folder / "modules.json", [*MODULES[:2], *dense, MODULES[2]])
    with pytest.raises(ModelFilesError, match=r"2_Dense/config\.json is missing"):
        read_model_folder(folder)
    for number, out in ((2, 64), (3, 24)):
        write_json(folder / f"{number}_Dense" / "config.json", {"out_features": out})
        save_file({"linear.weight": np.zeros((1, 1), np.float32)}, folder / f"{number}_Dense" / "model.safetensors")
    model = read_model_folder(folder)
    assert (model.dense, model.dimension) == (("2_Dense", "3_Dense"), 24)
    assert "3_Dense/model.safetensors" in model.files


@pytest.mark.parametrize(
    "pooling",
    [
        {**POOLING, "pooling_mode_cls_token": True},
        {**POOLING, "pooling_mode_mean_tokens": False},
        {"pooling_mode": "max"},
        {"pooling_mode": "cls", "include_prompt": False},
        {**POOLING, "include_prompt": False},
        {},
    ],
)
def test_another_pooling_is_refused(folder: Path, pooling: dict[str, object]) -> None:
    write_json(folder / "1_Pooling" / "config.json", pooling)
    with pytest.raises(ModelFilesError, match="a pooling other than the mean"):
        read_model_folder(folder)


@pytest.mark.parametrize("pooling", [{"pooling_mode": "cls"}, {"pooling_mode_cls_token": True}])
def test_the_first_token_is_a_pooling_of_berts_alone(folder: Path, tmp_path: Path, pooling: dict[str, object]) -> None:
    write_json(folder / "1_Pooling" / "config.json", pooling)
    assert read_model_folder(folder).pooling == "cls"
    gemma = tiny_gemma(tmp_path / "gemma")
    write_json(gemma / "1_Pooling" / "config.json", pooling)
    with pytest.raises(ModelFilesError, match="a pooling other than the mean"):
        read_model_folder(gemma)


def test_both_spellings_of_mean_pooling_are_read(folder: Path) -> None:
    write_json(folder / "1_Pooling" / "config.json", {"embedding_dimension": 16, "pooling_mode": "mean"})
    assert read_model_folder(folder).dimension == 16


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[1, 2]", b"null"])
def test_a_damaged_configuration_is_named(folder: Path, content: bytes) -> None:
    (folder / "config.json").write_bytes(content)
    with pytest.raises(ModelFilesError, match=r"config\.json"):
        read_model_folder(folder)


@pytest.mark.parametrize("value", [0, -3, "16", None, True, 1.5])
def test_sizes_must_be_positive_integers(folder: Path, value: object) -> None:
    write_json(folder / "config.json", {**CONFIG, "hidden_size": value})
    with pytest.raises(ModelFilesError, match="hidden_size"):
        read_model_folder(folder)


def test_lower_case_before_the_tokenizer_is_refused(folder: Path) -> None:
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": 32, "do_lower_case": True})
    with pytest.raises(ModelFilesError, match="lower case"):
        read_model_folder(folder)


def test_the_revision_follows_content_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    first = read_model_folder(folder).revision()
    assert read_model_folder(tiny_bert(tmp_path / "other" / "place")).revision() == first
    (folder / "README.md").write_text("a card", encoding="utf-8")
    os.utime(folder / "config.json")
    assert read_model_folder(folder).revision() == first
    revisions = {first}
    for name in ("model.safetensors", "tokenizer.json", "config.json", "1_Pooling/config.json"):
        content = (folder / name).read_bytes()
        if name.endswith(".safetensors"):  # whose size its header states
            content = content[:-1] + bytes([content[-1] ^ 1])
        else:
            content += b" "
        (folder / name).write_bytes(content)
        revisions.add(read_model_folder(folder).revision())
    assert len(revisions) == 5


def test_digests_are_remembered_and_checked_by_size_and_time(folder: Path) -> None:
    file = folder / "config.json"
    before = folder_digests(folder, ["config.json"])
    assert before == {"config.json": file_sha256(file)}
    stat = file.stat()
    changed = file.read_bytes().replace(b"bert", b"BERT")
    file.write_bytes(changed)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert folder_digests(folder, ["config.json"]) == before, "same size and time: taken from the sidecar"
    os.utime(file)
    assert folder_digests(folder, ["config.json"]) == {"config.json": file_sha256(file)} != before


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'{"config.json": 3}', b'{"config.json": ["x"]}'])
def test_a_damaged_sidecar_is_ignored(folder: Path, content: bytes) -> None:
    expected = read_model_folder(folder).revision()
    (folder / SIDECAR).write_bytes(content)
    assert read_model_folder(folder).revision() == expected


def test_a_sidecar_that_cannot_be_written_costs_only_time(folder: Path) -> None:
    (folder / SIDECAR).mkdir()
    assert read_model_folder(folder).revision() == read_model_folder(folder).revision()


def test_a_file_that_vanished_is_named(folder: Path) -> None:
    model = read_model_folder(folder)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelFilesError, match=r"tokenizer\.json cannot be read"):
        model.revision()
    with pytest.raises(ModelFilesError, match=r"nothing cannot be read"):
        file_sha256(folder / "nothing")
