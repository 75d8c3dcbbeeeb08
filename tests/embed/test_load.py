"""Choosing and loading a model, up to the first vector."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes.base import Dtype
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError, ModelFilesError
from tests.support.tiny_models import CONFIG, random_tensors, tiny_bert, write_json, write_tensors


def run_python(code: str, home: Path) -> list[str]:
    """Lines printed by a fresh interpreter with an empty home folder."""
    environment = {**os.environ, "HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_identity_is_known_before_anything_heavy_is_imported(tmp_path: Path) -> None:
    folder = tiny_bert(tmp_path / "tiny")
    code = f"""
import sys
from pathlib import Path
from ai_memory.embed.models import fetch, known, locate
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.load import load_embedder
print(load_embedder(read_model_folder(Path({str(folder)!r}))).identity.dimension)
print([name for name in ("openvino", "tokenizers", "safetensors", "huggingface_hub", "torch") if name in sys.modules])
"""
    assert run_python(code, tmp_path) == ["16", "[]"]


def test_openvino_comes_without_its_telemetry(tmp_path: Path) -> None:
    """`import openvino` alone would start a thread, send an event and write ~/intel/openvino_ga_cid."""
    folder = tiny_bert(tmp_path / "tiny")
    home = tmp_path / "home"
    home.mkdir()
    code = f"""
import sys, threading
from pathlib import Path
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.load import load_embedder
load_embedder(read_model_folder(Path({str(folder)!r}))).warm_up()
print([name for name in sys.modules if "telemetry" in name], threading.active_count())
"""
    assert run_python(code, home) == ["[] 1"]
    assert list(home.iterdir()) == []


def test_nothing_is_left_in_the_way_of_others(tmp_path: Path) -> None:
    """A program that uses this package may convert models with OpenVINO itself."""
    code = """
import sys
from ai_memory.embed.runtimes.openvino.importing import import_openvino
import_openvino()
print("openvino.tools.ovc" in sys.modules)
"""
    assert run_python(code, tmp_path) == ["False"]


def test_dtype_is_part_of_the_identity(tmp_path: Path) -> None:
    folder = read_model_folder(tiny_bert(tmp_path / "tiny"))
    auto, full, half = (load_embedder(folder, dtype=name).identity for name in ("auto", "float32", "bfloat16"))
    assert auto == full
    assert auto.dtype == "float32"
    assert half.dtype == "bfloat16"


@pytest.mark.parametrize("dtype", ["float16", "fp32", "", "int4"])
def test_other_dtypes_are_refused(tmp_path: Path, dtype: str) -> None:
    with pytest.raises(InvalidInputError, match=dtype or "no dtype"):
        load_embedder(read_model_folder(tiny_bert(tmp_path / "tiny")), dtype=dtype)


def test_bfloat16_runs_where_the_processor_has_it_and_is_refused_elsewhere(tmp_path: Path) -> None:
    from ai_memory.embed.runtimes.openvino.importing import import_openvino

    folder = read_model_folder(tiny_bert(tmp_path / "tiny"))
    embedder = load_embedder(folder, dtype="bfloat16")
    ov, _ = import_openvino()
    if "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"):
        cosine = embedder.embed_queries(["noon"])[0] @ load_embedder(folder).embed_queries(["noon"])[0]
        assert cosine > 0.99
    else:
        with pytest.raises(EmbedderUnavailableError, match="no bfloat16"):
            embedder.warm_up()


def test_another_architecture_is_refused_at_once(tmp_path: Path) -> None:
    path = tiny_bert(tmp_path / "tiny")
    write_json(path / "config.json", {**CONFIG, "model_type": "mamba"})
    with pytest.raises(ModelFilesError, match="'mamba'; this version runs bert, embedding_gemma2"):
        load_embedder(read_model_folder(path))


def test_negative_threads_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="threads"):
        load_embedder(read_model_folder(tiny_bert(tmp_path / "tiny")), threads=-1)


def test_a_failed_load_can_be_tried_again(tmp_path: Path) -> None:
    path = tiny_bert(tmp_path / "tiny")
    embedder = load_embedder(read_model_folder(path))
    write_tensors(path, {})
    for _ in range(2):
        with pytest.raises(ModelFilesError, match="does not have the tensors"):
            embedder.warm_up()
    write_tensors(path, random_tensors())
    embedder.warm_up()


@pytest.mark.parametrize("threads", [1, 2])
def test_threads_and_the_compiled_cache_change_no_vector(tmp_path: Path, threads: int) -> None:
    from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime

    folder = read_model_folder(tiny_bert(tmp_path / "tiny"))
    inputs = [[2, 5, 6, 7, 3], [2, 9, 3]]
    expected = OpenVinoRuntime(folder, dtype=Dtype.FLOAT32).forward(inputs)
    cache = tmp_path / "cache"
    for _ in range(2):  # the first writes the cache, the second reads it
        runtime = OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, threads=threads, cache_dir=cache)
        np.testing.assert_allclose(runtime.forward(inputs), expected, atol=1e-6)
        runtime.close()
    assert len(_blobs(cache)) == 1


def _blobs(cache: Path) -> dict[Path, int]:
    """The compilations that OpenVINO has cached, with the time of each."""
    return {blob: blob.stat().st_mtime_ns for blob in cache.rglob("*.blob")}


def test_a_kept_compilation_is_found_whatever_was_loaded_before(tmp_path: Path) -> None:
    from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime

    folder, cache = read_model_folder(tiny_bert(tmp_path / "tiny")), tmp_path / "cache"
    OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, threads=1, cache_dir=cache).close()
    kept = _blobs(cache)
    OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, threads=1).close()
    OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, threads=1, cache_dir=cache).close()
    assert len(kept) == 1
    assert _blobs(cache) == kept


def test_an_outdated_compilation_does_not_stay_on_the_disk(tmp_path: Path) -> None:
    from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime

    folder, other = (read_model_folder(tiny_bert(tmp_path / str(seed), seed=seed)) for seed in (1, 2))
    cache = tmp_path / "cache"
    for each in (other, folder):
        OpenVinoRuntime(each, dtype=Dtype.FLOAT32, cache_dir=cache).close()
    kept = _blobs(cache)
    assert len({blob.parent for blob in kept}) == 2
    now = next(blob for blob in kept if folder.revision().startswith(blob.parent.name.split("-")[0]))
    now.rename(now.with_name("1.blob"))  # as another version of the graph would have left it
    OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, cache_dir=cache).close()
    assert _blobs(cache).keys() == kept.keys()


def test_a_damaged_compilation_is_rebuilt(tmp_path: Path) -> None:
    from ai_memory.embed.runtimes.openvino.runtime import OpenVinoRuntime

    folder, cache = read_model_folder(tiny_bert(tmp_path / "tiny")), tmp_path / "cache"
    first = OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, cache_dir=cache)
    expected = first.forward([[2, 5, 3]])
    first.close()
    for blob in _blobs(cache):
        blob.chmod(0o600)
        blob.write_bytes(blob.read_bytes()[: blob.stat().st_size // 2])
    damaged = OpenVinoRuntime(folder, dtype=Dtype.FLOAT32, cache_dir=cache)
    np.testing.assert_array_equal(damaged.forward([[2, 5, 3]]), expected)


def test_a_small_model_is_not_kept_compiled(tmp_path: Path) -> None:
    load_embedder(read_model_folder(tiny_bert(tmp_path / "tiny")), cache_dir=tmp_path / "cache").warm_up()
    assert not (tmp_path / "cache").exists()
