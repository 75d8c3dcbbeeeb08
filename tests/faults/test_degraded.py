"""Commands without a running service, where vectors are pending or a model cannot be used: each says so, and how to go on."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.cli import in_process, main
from ai_memory.cli.output import screen
from ai_memory.embed.base import Task
from ai_memory.embed.models.folder import read_model_folder
from ai_memory.errors import StoreCorruptError
from ai_memory.service.handlers.upkeep import keeping
from ai_memory.store.graph_file import GraphFile
from tests.support.tiny_models import tiny_bert, write_json

TEXTS = ("The gate opens at noon.", "The door is blue.", "Rolf repairs clocks.")

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs one command on a data folder of its own; exit code, output and errors, each on one line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(screen, "USUAL", 10_000)  # no path is broken at the end of a line
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))

    def command(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--data-dir", str(tmp_path / "data")])
        out, err = capfd.readouterr()
        return code, " ".join(out.split()), " ".join(err.split())

    return command


def fetched(data_dir: Path) -> Path:
    """A small model where `ai-memory model fetch minilm` puts the real one."""
    return tiny_bert(data_dir / "models" / "all-MiniLM-L6-v2")


def remember_all(run: Run) -> None:
    for text in TEXTS:
        assert run("remember", text)[0] == 0


def test_all_vectors_pending_one_question_embeds_them_and_compares(run: Run, tmp_path: Path) -> None:
    remember_all(run)
    code, out, _ = run("recall", "which colour")
    assert code == 0
    assert "lexical search only: there is no embedding model (ai-memory model fetch)" in out
    fetched(tmp_path / "data")
    _, out, _ = run("recall", "which colour")
    assert "3 semantically" in out
    assert "notice" not in out
    assert run("doctor")[:2] == (0, "no problems found")


def test_more_pending_than_a_question_waits_for_is_said_and_can_be_finished(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember_all(run)
    fetched(tmp_path / "data")
    monkeypatch.setattr(in_process, "AHEAD_SECONDS", 1e-9)
    monkeypatch.setattr(keeping, "SETTLE_SECONDS", 0.0)
    _, out, _ = run("recall", "what about the gate")
    assert "The gate opens at noon." in out, "all memories are found lexically"
    assert "3 memories lack a vector and are found lexically only (ai-memory embed --pending" in out
    assert "0 semantically" in out
    code, out, _ = run("doctor")
    assert (code, "vectors_pending" in out, "ai-memory embed --pending" in out) == (0, True, True)
    (problem,) = json.loads(run("stats", "--json")[1])["problems"]
    assert (problem["check"], problem["count"]) == ("vectors_pending", 3)
    assert "ai-memory embed --pending" in run("stats")[1]
    assert run("embed", "--pending")[:2] == (0, "3 memories were embedded")
    assert run("embed", "--pending")[:2] == (0, "every memory has its vector")
    assert "3 semantically" in run("recall", "what about the gate")[1]
    assert json.loads(run("stats", "--json")[1])["problems"] == []


def test_a_lexical_recipe_loads_no_model(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remember_all(run)
    fetched(tmp_path / "data")
    _, out, _ = run("recall", "gate", "--recipe", "words")
    assert "vector" not in out
    assert json.loads(run("stats", "--json")[1])["pending"] == 3


def test_embedding_what_is_pending_without_a_model_says_why(run: Run) -> None:
    remember_all(run)
    code, _, err = run("embed", "--pending")
    assert code == 8
    assert "there is no embedding model" in err
    assert "ai-memory model fetch" in err


def cut(folder: Path) -> str:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    return "model.safetensors"


def garbled_weights(folder: Path) -> str:
    weights = folder / "model.safetensors"
    weights.write_bytes(b"\x08" + weights.read_bytes()[1:])
    return "model.safetensors"


def other_sizes(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", {**config, "hidden_size": 32})
    return "model.safetensors"


def no_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").unlink()
    return "tokenizer.json"


def other_tokenizer(folder: Path) -> str:
    (folder / "tokenizer.json").write_text('{"model": {"type": "none"}}')
    return "tokenizer.json"


def wrong_config(folder: Path) -> str:
    (folder / "config.json").write_text("{")
    return "config.json"


def another_architecture(folder: Path) -> str:
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", {**config, "model_type": "gpt2"})
    return "gpt2"


@pytest.mark.parametrize(
    "harm",
    [cut, garbled_weights, other_sizes, no_tokenizer, other_tokenizer, wrong_config, another_architecture],
)
def test_a_damaged_model_is_said_at_once_and_the_write_is_kept(
    run: Run, tmp_path: Path, harm: Callable[[Path], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "SETTLE_SECONDS", 3600.0)  # who waits for it waits longer than a test may take
    named = harm(fetched(tmp_path / "data"))
    code, out, err = run("remember", TEXTS[0])
    assert (code, out.split()[0]) == (0, "stored")
    assert named in err, "the notice names the file"
    code, out, _ = run("recall", "gate at noon")
    assert (code, TEXTS[0] in out, named in out) == (0, True, True)
    assert "lexical search only" in out
    code, out, _ = run("doctor")
    assert (code, "vectors_pending" in out, named in out) == (0, True, True)
    shutil.rmtree(tmp_path / "data" / "models")
    fetched(tmp_path / "data")
    assert "1 semantically" in run("recall", "gate at noon")[1]


def test_a_folder_of_ones_own_is_found_by_every_later_process(run: Run, tmp_path: Path) -> None:
    fetched(tmp_path / "data")
    remember_all(run)
    own = tiny_bert(tmp_path / "house-model", seed=9)
    prompts = {"prompts": {"query": "query: ", "document": "passage: "}}
    write_json(own / "config_sentence_transformers.json", prompts)
    assert run("reembed", "--model", "house-model")[0] == 0
    assert "3 semantically" in run("recall", "gate")[1]
    assert run("remember", "One more.")[0] == 0
    assert json.loads(run("stats", "--json")[1])["pending"] == 0
    with Memory(data_dir=tmp_path / "data") as memory:
        assert memory.recall("gate").searched.by_meaning == 4


def test_a_folder_of_ones_own_that_was_moved_is_named(run: Run, tmp_path: Path) -> None:
    own = tiny_bert(tmp_path / "house-model")
    fetched(tmp_path / "data")
    remember_all(run)
    assert run("reembed", "--model", str(own))[0] == 0
    own.rename(tmp_path / "moved")
    code, out, _ = run("recall", "gate")
    assert (code, TEXTS[0] in out) == (0, True)
    assert f"there is no model folder at {own}" in out
    assert "ai-memory model use FOLDER" in out
    code, _, err = run("remember", "One more.")
    assert (code, str(own) in err) == (0, True)
    assert run("model", "use", str(tmp_path / "moved"))[0] == 0
    (tmp_path / "moved").rename(own)
    assert run("model", "use", "auto")[0] == 0
    assert "4 semantically" in run("recall", "gate")[1]


def test_the_store_of_a_folder_that_this_machine_never_saw_says_whose_it_is(run: Run, tmp_path: Path) -> None:
    own = tiny_bert(tmp_path / "house-model")
    fetched(tmp_path / "data")
    remember_all(run)
    assert run("reembed", "--model", str(own))[0] == 0
    (tmp_path / "data" / "model-folders.json").unlink()
    _, out, _ = run("recall", "gate")
    assert "the store's vectors were made by house-model, a folder that is not known on this machine" in out
    assert TEXTS[0] in out


def test_a_model_that_is_gone_is_fetched_by_its_name(run: Run, tmp_path: Path) -> None:
    model = fetched(tmp_path / "data")
    remember_all(run)
    shutil.rmtree(model)
    _, out, _ = run("recall", "gate")
    assert "all-MiniLM-L6-v2, is not here (ai-memory model fetch all-MiniLM-L6-v2)" in out


def test_a_setting_that_names_a_folder_that_is_gone_leaves_recall_lexical(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched(tmp_path / "data")
    remember_all(run)
    monkeypatch.setenv("AI_MEMORY_MODEL", str(tmp_path / "gone"))
    code, out, _ = run("recall", "gate")
    assert (code, TEXTS[0] in out, f"no model folder at {tmp_path / 'gone'}" in out) == (0, True, True)


def test_a_prompt_for_all_queries_reaches_every_task(tmp_path: Path) -> None:
    own = tiny_bert(tmp_path / "house-model")
    before = read_model_folder(own).prompts
    assert {before.for_query(task) for task in Task} == {""}
    write_json(own / "config_sentence_transformers.json", {"prompts": {"query": "query: ", "STS": "same: "}})
    prompts = read_model_folder(own).prompts
    asked = {task: prompts.for_query(task) for task in Task}
    assert asked.pop(Task.NONE) == ""
    assert asked.pop(Task.SIMILARITY) == "same: "
    assert set(asked.values()) == {"query: "}


@pytest.mark.parametrize("harm", [b"garbage" * 1000, b"SQLite format 3\x00" + bytes(5000)])
def test_a_damaged_graph_file_is_made_again(tmp_path: Path, harm: bytes) -> None:
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        memory.remember("Ada Lovelace works at Globex.")
        assert memory.neighbours("entity:Globex").neighbours
    (graph,) = tmp_path.glob("*.graph")
    graph.write_bytes(harm)
    with Memory(data_dir=tmp_path, model="hashing") as memory:
        assert memory.recall("Where does Ada Lovelace work?", recipe="linked").hits
        assert memory.neighbours("entity:Globex").neighbours
        assert "graph" not in memory.health().degraded


def test_recall_goes_on_without_a_graph_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> None:
        raise StoreCorruptError("the disk image is malformed")

    with Memory(data_dir=tmp_path, model="hashing") as memory:
        memory.remember("Ada Lovelace works at Globex.")
        monkeypatch.setattr(GraphFile, "relations", fails)
        answer = memory.recall("Where does Ada Lovelace work?", recipe="linked")
        assert answer.hits
        (notice,) = [each for each in answer.notices if each.code == "graph_failed"]
        assert "the disk image is malformed" in notice.message
        assert notice.mend == "ai-memory doctor --rebuild"
