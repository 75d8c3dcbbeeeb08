"""The sizes of passes that are measured on a machine, kept there, and taken from then on."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from ai_memory.cli.program import main
from ai_memory.embed import load
from ai_memory.embed.base import Vectors
from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.embed.runtimes import tuning
from ai_memory.embed.runtimes.tuning import PASSES, UNMEASURED, Tuned, keep, kept, measure, measured
from ai_memory.errors import InvalidInputError, StoreReadOnlyError
from ai_memory.modelcheck.tune import tune
from ai_memory.python.embedding_model import EmbeddingModel
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

AMX = {512: 3_615.0, 1_024: 4_394.0, 2_048: 4_684.0}
"""Tokens per second of EmbeddingGemma in bfloat16, measured on two cores with AMX."""
ZEN4 = {512: 1_010.0, 1_024: 1_000.0, 2_048: 985.0}


class Machine:
    """A machine on which a pass takes as long as it is said to: its clock, and a model of which only that is known."""

    def __init__(self, speeds: dict[int, float]) -> None:
        self.now = 0.0
        self.passes: list[int] = []
        self._speeds = speeds

    def clock(self) -> float:
        return self.now

    def forward(self, inputs: Sequence[Sequence[int]]) -> Vectors:
        size = sum(map(len, inputs))
        self.passes.append(size)
        self.now += size / self._speeds[size]
        return np.zeros((len(inputs), 1), np.float32)


def test_each_size_is_measured_and_what_it_gives_is_its_speed() -> None:
    machine = Machine(AMX)
    found = measure(machine, seconds=30, vocabulary=100, clock=machine.clock)
    assert found == pytest.approx(AMX)
    assert machine.now <= 31


def test_a_slow_machine_is_not_kept_waiting() -> None:
    machine = Machine(dict.fromkeys(PASSES, 400.0))
    assert set(measure(machine, seconds=0.8, vocabulary=100, clock=machine.clock)) == {512}
    assert machine.passes == [512] * 3
    fast = Machine(dict.fromkeys(PASSES, 100_000.0))
    assert set(measure(fast, seconds=0.8, vocabulary=100, clock=fast.clock)) == set(PASSES)
    assert fast.now <= 0.9


@pytest.mark.parametrize(("speeds", "shared", "alone"), [(AMX, 1_024, 2_048), (ZEN4, 512, 512), ({512: 9.0}, 512, 512)])
def test_the_smallest_pass_that_gives_away_little_is_taken(speeds: dict[int, float], shared: int, alone: int) -> None:
    tuned = measured(speeds, dtype="bfloat16", threads=0)
    assert (tuned.shared, tuned.alone) == (shared, alone)


def test_what_was_measured_is_found_again_on_the_same_machine_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tuned = measured(AMX, dtype="int8", threads=2, group="768")
    path = keep(tmp_path, "a" * 64, tuned)
    assert kept(tmp_path, "a" * 64, "int8", 2) == tuned
    assert kept(tmp_path, "b" * 64, "int8", 2) is None
    assert kept(tmp_path, "a" * 64, "bfloat16", 2) is None
    assert kept(tmp_path, "a" * 64, "int8", 1) is None
    assert kept(None, "a" * 64, "int8", 2) is None
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(tuning, "described", lambda: "another processor")
        assert kept(tmp_path, "a" * 64, "int8", 2) is None
    assert [each.name for each in path.parent.iterdir()] == [path.name], "no draft is left"
    for damage in (b"", b"\x00" * 40, path.read_bytes()[:-9], json.dumps({"machine": 3}).encode()):
        path.write_bytes(damage)
        assert kept(tmp_path, "a" * 64, "int8", 2) is None


def test_a_model_takes_what_was_measured(tmp_path: Path) -> None:
    folder = read_model_folder(tiny_bert(tmp_path / "tiny"))
    embedder = load_embedder(folder, cache_dir=tmp_path / "cache")
    embedder.warm_up()
    assert embedder.token_budget == UNMEASURED
    vectors = embedder.embed_documents(["one text", "and another"] * 40)
    assert not (tmp_path / "cache" / "passes").exists(), "a small model is not measured when it is loaded"
    embedder.close()

    keep(tmp_path / "cache", folder.revision(), measured(AMX, dtype="float32", threads=0))
    embedder = load_embedder(folder, cache_dir=tmp_path / "cache")
    embedder.warm_up()
    assert embedder.token_budget == 1_024
    assert np.abs(embedder.embed_documents(["one text", "and another"] * 40) - vectors).max() < 1e-5
    embedder.close()


def test_a_large_model_is_measured_the_first_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_CACHE_FROM_BYTES", 1)
    folder = read_model_folder(tiny_gemma(tmp_path / "embeddinggemma-300m"))
    for _ in range(2):
        embedder = load_embedder(folder, dtype="float32", cache_dir=tmp_path / "cache")
        embedder.warm_up()
        found = kept(tmp_path / "cache", folder.revision(), "float32", 0)
        assert found is not None
        assert embedder.token_budget == found.shared
        embedder.close()
        (file,) = (tmp_path / "cache" / "passes").iterdir()
        os.utime(file, (0, 0))
    assert file.stat().st_mtime == 0, "the second time nothing was measured"


def test_a_cache_that_cannot_be_written_is_no_error_when_a_model_is_loaded(tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    machine = Machine(AMX)
    found = tuning.measure_and_keep(
        machine, tmp_path / "cache", "a" * 64, dtype="float32", threads=0, seconds=0.001, vocabulary=9
    )
    assert set(found.tokens_per_second) >= {512}


def test_the_command_measures_and_the_next_program_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(tmp_path / "data"))
    model = str(tiny_bert(tmp_path / "tiny"))
    assert main(["model", "info", "--model", model]) == 0
    assert "not measured on this machine (ai-memory model bench --tune)" in capsys.readouterr().out
    assert main(["model", "bench", "--tune", "--seconds", "0.05", "--model", model, "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert set(value["tokens_per_second"]) == {"512", "1024", "2048"}
    assert min(value["tokens_per_second"].values()) > 0
    assert main(["model", "info", "--model", model, "--json"]) == 0
    info = json.loads(capsys.readouterr().out)
    assert info["tokens_per_second"] == value["tokens_per_second"]
    assert info["pass_tokens"] == value["pass_tokens"]
    assert main(["model", "bench", "--tune", "--seconds", "0.05", "--model", model]) == 0
    assert "From now on passes have" in capsys.readouterr().out


def test_int8_is_measured_in_each_group_and_the_fastest_is_kept(tmp_path: Path) -> None:
    with EmbeddingModel(tiny_gemma(tmp_path / "embeddinggemma-300m"), dtype="int8") as model:
        ways: list[int] = []
        tuned = tune(model.info, threads=0, cache=tmp_path, seconds=0.05, advance=ways.append)
        kept_now = kept(tmp_path, model.info.revision, "int8", 0)
    assert isinstance(tuned, Tuned)
    assert tuned == kept_now
    assert (len(ways), bool(tuned.group)) in {(3, True), (1, False)}


def test_what_cannot_be_measured_is_refused(tmp_path: Path) -> None:
    with EmbeddingModel(tiny_bert(tmp_path / "tiny")) as model:
        for wrong in (0.0, float("nan"), float("inf"), -1.0):
            with pytest.raises(InvalidInputError, match="above 0"):
                tune(model.info, threads=0, cache=tmp_path, seconds=wrong)
        (tmp_path / "file").write_text("")
        with pytest.raises(StoreReadOnlyError, match="cannot be written"):
            tune(model.info, threads=0, cache=tmp_path / "file", seconds=0.01)
