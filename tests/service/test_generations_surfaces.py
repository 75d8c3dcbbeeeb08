"""Generations through the command line, REST and a running service; and the index on disk, which is of one generation."""

from __future__ import annotations

import argparse
import json
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Client, Memory
from ai_memory.cli.commands.store.reembed import add, asked_for, rate_of
from ai_memory.errors import ForbiddenError, InvalidInputError
from ai_memory.operations import generations
from ai_memory.operations.base import fields_of
from ai_memory.settings import Settings
from tests.support.cutting_embedder import until
from tests.support.rest_server import ask, serving
from tests.support.serving import COMMAND, environment, running_service

QUESTION = "which colour has the house 7"


def _call(data_dir: Path, *words: str, model: str = "hashing") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [COMMAND, *words],
        env=environment(data_dir, AI_MEMORY_MODEL=model),
        capture_output=True,
        check=False,
        timeout=120,
        text=True,
    )


def _told(data_dir: Path, *words: str, code: int = 0, model: str = "hashing") -> Any:
    done = _call(data_dir, *words, "--json", model=model)
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout if code == 0 else done.stderr)


def _fill(memory: Any, count: int = 60) -> None:
    memory.remember_many([{"text": f"the house is green {number}"} for number in range(count)])


def _states(told: Any) -> list[tuple[int, str]]:
    return [(each["embedder"]["dimension"], each["state"]) for each in told["generations"]]


def _filled(data_dir: Path) -> None:
    with Memory(data_dir=data_dir, model="hashing") as memory:
        _fill(memory)
        assert memory.settle(60)


# ── the command line ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_command_builds_switches_takes_back_and_prunes(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    _filled(data_dir)
    told = _told(data_dir, "reembed", "--model", "hashing", "--dim", "32", "--rate", "500/s")
    assert _states(told) == [(64, "retired"), (32, "active")]
    assert (told["build"]["state"], told["build"]["done"], told["build"]["rate"]) == ("done", 60, 500.0)
    shown = _call(data_dir, "reembed", "--status").stdout
    assert shown.splitlines()[1].split()[:4] == ["1", "kept", "hashing", "64"]
    assert "complete and active" in shown
    assert _told(data_dir, "recall", QUESTION)["searched"]["by_meaning"] == 60
    assert _states(_told(data_dir, "reembed", "--back")) == [(64, "active"), (32, "retired")]
    assert _states(_told(data_dir, "reembed", "--back", "2")) == [(64, "retired"), (32, "active")]
    assert _states(_told(data_dir, "reembed", "--prune")) == [(32, "active")]
    assert _told(data_dir, "reembed", "--back", code=3)["error"]["code"] == "not_found"
    assert _told(data_dir, "reembed", "--model", "hashing", "--dim", "32", code=5)["error"]["code"] == "conflict"
    assert _call(data_dir, "doctor").stdout == "no problems found\n"


def test_a_build_can_be_left_to_the_next_service(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    _filled(data_dir)
    begun = _call(data_dir, "reembed", "--model", "hashing", "--dim", "32", "--rate", "5", "--background")
    assert (begun.returncode, "ai-memory serve" in begun.stderr) == (0, True)
    waiting = _told(data_dir, "reembed", "--status")
    assert (waiting["build"]["state"], _states(waiting)) == ("waiting", [(64, "active"), (32, "building")])
    assert "reembed" in {part["name"] for part in _told(data_dir, "health")["parts"]}
    with running_service(data_dir, AI_MEMORY_MODEL="hashing") as url:
        joined = _told(data_dir, "reembed", "--rate", "100000")
        assert _states(joined) == [(64, "retired"), (32, "active")]
        with Client(url) as client:
            assert client.recall(QUESTION).searched.by_meaning == 60


def test_the_running_service_builds_and_every_process_follows(tmp_path: Path) -> None:
    """The command asks the service, which works beside its requests; a process beside it follows at its next call."""
    data_dir = tmp_path / "data"
    _filled(data_dir)
    beside = Memory(settings=Settings(data_dir=data_dir, model="hashing"))
    with running_service(data_dir, AI_MEMORY_MODEL="hashing") as url, Client(url) as client, beside:
        before = client.recall(QUESTION).answer_hash
        assert beside.recall(QUESTION).answer_hash == before
        begun = _told(data_dir, "reembed", "--model", "hashing", "--dim", "40", "--rate", "40", "--background")
        assert _states(begun) == [(64, "active"), (40, "building")]
        assert client.recall(QUESTION).answer_hash == before
        client.remember("written while it is built")
        assert _told(data_dir, "reembed", "--status")["build"]["state"] == "running"
        _ended(client)
        after = client.recall(QUESTION)
        assert (after.searched.by_meaning, after.answer_hash == before) == (61, False)
        assert beside.recall(QUESTION).answer_hash == after.answer_hash
        assert beside.stats().embedder == client.stats().embedder
        taken = _told(data_dir, "reembed", "--back")
        assert _states(taken) == [(64, "active"), (40, "retired")]
        back = client.recall(QUESTION)
        assert back.searched.by_meaning == 61
        assert beside.recall(QUESTION).answer_hash == back.answer_hash
        assert _told(data_dir, "doctor") == {"problems": []}


def _ended(client: Client) -> None:
    def build() -> Any:
        found = client.generations().build
        assert found is not None
        return found

    assert until(build, lambda found: found.state not in ("running", "waiting")).state == "done"


def test_an_interrupted_command_is_gone_on_with(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    _filled(data_dir)
    words = [COMMAND, "reembed", "--model", "hashing", "--dim", "32", "--rate", "3"]
    with subprocess.Popen(
        words,
        env=environment(data_dir, AI_MEMORY_MODEL="hashing"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as child:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            told = _told(data_dir, "reembed", "--status")
            if told["build"] is not None and told["build"]["done"] >= 3:
                break
        child.kill()
    killed = _told(data_dir, "reembed", "--status")["build"]
    assert (killed["state"], 3 <= killed["done"] < 60) == ("waiting", True)
    assert _states(_told(data_dir, "reembed")) == [(64, "retired"), (32, "active")]


@pytest.mark.parametrize(
    "words",
    [
        ("--rate", "0"),
        ("--rate", "nan"),
        ("--rate", "-5/s"),
        ("--rate", "inf"),
        ("--rate", "fast"),
        ("--rate", ""),
        ("--dim", "7"),
        ("--dim", "0"),
        ("--model", "no such model"),
        ("--status", "--model", "hashing"),
        ("--cancel", "--rate", "5"),
        ("--incomplete",),
        ("--back", "0x"),
        ("--status", "--cancel"),
        ("--dim", "many"),
    ],
)
def test_wrong_options_begin_nothing(tmp_path: Path, words: tuple[str, ...]) -> None:
    data_dir = tmp_path / "data"
    _filled(data_dir)
    done = _call(data_dir, "reembed", *words)
    assert done.returncode in (2, 4), done.stderr
    assert "error: " in done.stderr
    assert "Traceback" not in done.stderr
    with Memory(data_dir=data_dir, model="hashing") as memory:
        assert [each.state for each in memory.generations().generations] == ["active"]


def test_rates_and_options_are_read() -> None:
    assert (rate_of("50"), rate_of("0.5/s"), rate_of(" 7/s ")) == (50.0, 0.5, 7.0)
    for wrong in ("0", "-1", "nan", "1e9", "x", "", "5/m"):
        with pytest.raises(InvalidInputError):
            rate_of(wrong)
    parser = argparse.ArgumentParser()
    add(parser)
    for words, operation, values in (
        (["--status"], generations.GENERATIONS, {}),
        (["--cancel"], generations.CANCEL_REEMBED, {}),
        (["--activate", "--incomplete"], generations.ACTIVATE_GENERATION, {"incomplete": True}),
        (["--back"], generations.TAKE_BACK, {"generation": None}),
        (["--back", "3"], generations.TAKE_BACK, {"generation": 3}),
        (["--prune", "2"], generations.PRUNE_GENERATIONS, {"generation": 2}),
    ):
        assert asked_for(parser.parse_args(words)) == (operation, values)
    making, values = asked_for(parser.parse_args(["--dim", "256", "--rate", "9/s", "--no-switch"]))
    assert making is generations.REEMBED
    assert values == {"model": None, "dimension": 256, "dtype": None, "rate": 9.0, "switch": False}
    assert values.keys() == fields_of(generations.ReembedRequest).keys()


# ── REST ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────

ROUTES = [
    (operation.route.method, "/v1" + operation.route.path)
    for operation in (
        generations.GENERATIONS,
        generations.REEMBED,
        generations.CANCEL_REEMBED,
        generations.ACTIVATE_GENERATION,
        generations.TAKE_BACK,
        generations.PRUNE_GENERATIONS,
    )
]


def test_only_a_key_of_everything_opens_the_whole_store(tmp_path: Path) -> None:
    with serving(tmp_path, api_keys={"one": ["key-of-one"], "*": ["key-of-all"]}) as served:
        for method, path in ROUTES:
            got = ask(served, method, path, None, {"Authorization": "Bearer key-of-one"})
            assert (got.status, got.error["code"]) == (403, "forbidden")
            assert ask(served, method, path, None, {"Authorization": "Bearer key-of-all"}).status != 403
        with Client(served.url, api_key="key-of-one") as client, pytest.raises(ForbiddenError, match="all namespaces"):
            client.reembed(model="hashing", dimension=32)


@pytest.mark.parametrize(
    "body",
    [
        {"rate": 0},
        {"rate": "5"},
        {"rate": 1e308},
        {"dimension": 7},
        {"dimension": 64.5},
        {"dimension": "64"},
        {"model": "\u0000"},
        {"model": "\u202egnihsah"},
        {"model": []},
        {"switch": "yes"},
        {"unknown": 1},
    ],
)
def test_bad_bodies_are_told_and_begin_nothing(tmp_path: Path, body: dict[str, Any]) -> None:
    with serving(tmp_path) as served:
        got = ask(served, "POST", "/v1/generations", {"model": "hashing", **body})
        assert (got.status, got.error["code"]) in ((400, "invalid_input"), (400, "model_files")), got.body
        assert got.error["message"]
        assert ask(served, "GET", "/v1/generations").json == {"generations": [], "build": None}
        nan = ask(served, "POST", "/v1/generations", b'{"rate": NaN}', {"Content-Type": "application/json"})
        assert nan.error["code"] == "invalid_input"


# ── the index on disk ────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_saved_index_of_another_generation_is_not_mixed_in(tmp_path: Path) -> None:
    """It is saved, the generation is switched by a process that saves nothing, and the answers are of the new one."""
    data_dir = tmp_path / "data"

    def opened(rows: int) -> Memory:
        return Memory(settings=Settings(data_dir=data_dir, model="hashing", snapshot_rows=rows))

    with opened(1) as memory:
        _fill(memory, 1_200)
        assert memory.settle(60)
        large = memory.recall(QUESTION).answer_hash
    saved = data_dir / "memory.db.index" / "progress.json"
    assert json.loads(saved.read_bytes())["origin"]["generation"] == 1
    with opened(0) as memory:
        memory.reembed(model="hashing", dimension=40)
        until(lambda: _build_of(memory), lambda build: build.state == "done")
        small = memory.recall(QUESTION).answer_hash
    assert json.loads(saved.read_bytes())["origin"]["generation"] == 1, "it still is the old one's"
    assert small != large
    with opened(1) as memory:
        assert memory.recall(QUESTION).answer_hash == small
    assert json.loads(saved.read_bytes())["origin"]["generation"] == 2, "and now the new one's"
    with opened(1) as memory:
        assert memory.recall(QUESTION).answer_hash == small
        memory.take_back()
        assert memory.recall(QUESTION).answer_hash == large
    with opened(1) as memory:
        assert memory.recall(QUESTION).answer_hash == large
        assert memory.recall(QUESTION).searched.by_meaning == 1_200


def _build_of(memory: Memory) -> Any:
    return memory.generations().build
