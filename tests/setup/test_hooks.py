"""Hooks are fed the documented JSON: they recall and remember through a running service, and are silent in every other case."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Client, Memory
from ai_memory.cli.setup.transcripts import said_in
from ai_memory.recall.context_block import FOOT, HEAD
from tests.support.serving import running_service

ROOT = Path(__file__).resolve().parents[2]


def line(role: str, content: Any, **more: Any) -> str:
    return json.dumps(
        {"type": role, "message": {"role": role, "content": content}, "timestamp": "2026-02-01T10:00:00Z", **more}
    )


CODEX = {"type": "input_text", "text": "Codex speaks like this."}
TRANSCRIPT = [
    line("user", "We use Postgres for the atlas project from now on."),
    line("assistant", [{"type": "text", "text": "I will change the configuration."}]),
    line("assistant", [{"type": "tool_use", "name": "Edit", "input": {}}]),
    line("user", [{"type": "tool_result", "content": "The file was changed, 3 lines."}]),
    line("assistant", [{"type": "text", "text": "Done: atlas now connects to Postgres."}]),
    line("user", f"And deploys?\n{HEAD}\n> The old deploy key is 99\n{FOOT} Which day is best?"),
    line("user", "<system-reminder>Do not mention this.</system-reminder>"),
    line("user", "This is a note of the program itself.", isMeta=True),
    line("assistant", "A sub-agent says something here.", isSidechain=True),
    "not JSON",
    json.dumps({"type": "response_item", "payload": {"type": "message", "role": "user", "content": [CODEX]}}),
]


@pytest.fixture
def transcript(tmp_path: Path) -> Path:
    file = tmp_path / "session.jsonl"
    file.write_text("\n".join(TRANSCRIPT) + "\n", encoding="utf-8")
    return file


def test_a_transcript_gives_what_people_said(transcript: Path) -> None:
    at = "2026-02-01T10:00:00Z"
    said = said_in(transcript, "claude-code")
    assert [(each["role"], each.get("name"), each["time"]) for each in said] == [
        ("user", None, at),
        ("assistant", "claude-code", at),
        ("user", None, at),
        ("user", None, None),
    ]
    assert [each["content"] for each in said if each["role"] == "assistant"] == [
        "Done: atlas now connects to Postgres."
    ]
    assert said[-1]["content"] == "Codex speaks like this."


class Hooks:
    """The commands as a program starts them, in a process of their own."""

    def __init__(self, data: Path) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AI_MEMORY_")}
        self.environment = {
            **kept,
            "AI_MEMORY_DATA_DIR": str(data),
            "HOME": str(data / "home"),
            "XDG_CONFIG_HOME": str(data / "config"),
            "PYTHONPATH": str(ROOT / "src"),
        }
        self.took = 0.0

    def __call__(self, *words: str, **given: Any) -> str:
        began = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-m", "ai_memory", "hook", *words],
            input=given["raw"] if "raw" in given else json.dumps(given),
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        self.took = time.perf_counter() - began
        assert (done.returncode, done.stderr) == (0, "")
        return str(done.stdout)


@pytest.fixture
def hooks(tmp_path: Path) -> Hooks:
    return Hooks(tmp_path / "data")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Client]:
    with running_service(tmp_path / "data") as url, Client(url) as client:
        yield client


def test_a_session_is_remembered_once_and_comes_back(hooks: Hooks, service: Client, transcript: Path) -> None:
    given = {
        "session_id": "s1",
        "transcript_path": str(transcript),
        "cwd": "/home/ada/atlas",
        "hook_event_name": "SessionEnd",
    }
    assert hooks("pre-compact", **given, trigger="auto") == ""
    assert hooks("session-end", **given, reason="exit") == ""
    memories = service.list().memories
    assert len(memories) == 4
    assert {memory.session for memory in memories} == {"s1"}
    assert {memory.context for memory in memories} == {"projects/atlas"}
    assert {memory.author for memory in memories} == {"user", "claude-code"}
    assert {memory.source for memory in memories} == {"claude-code:s1"}
    assert {memory.attributes["role"] for memory in memories} == {"user", "assistant"}
    assert "And deploys?\n Which day is best?" in {memory.text for memory in memories}
    assert not any("deploy key" in memory.text for memory in memories)
    said = json.loads(
        hooks("prompt", session_id="s2", cwd="/home/ada/atlas", prompt="Which database does the atlas project use?")
    )
    output = said["hookSpecificOutput"]
    assert output["hookEventName"] == "UserPromptSubmit"
    assert "Postgres" in output["additionalContext"] and output["additionalContext"].startswith("[memories]")
    assert hooks("prompt", session_id="s2", cwd="/x", prompt="ok") == ""
    assert hooks("prompt", session_id="s2", cwd="/x", prompt="/compact the whole conversation now") == ""
    started = hooks("session-start", session_id="s3", cwd="/home/ada/atlas", source="startup")
    assert "Postgres" in json.loads(started)["hookSpecificOutput"]["additionalContext"]


def test_nothing_is_said_and_nothing_stored_when_hooks_are_off(hooks: Hooks, service: Client, transcript: Path) -> None:
    assert hooks("off") == "hooks are off\n"
    hooks("session-end", session_id="s1", transcript_path=str(transcript), cwd="/a")
    assert service.list().memories == ()
    assert hooks("status") == "hooks are off\n"
    assert hooks("on") == "hooks are on\n"


@pytest.mark.parametrize("event", ["session-start", "prompt", "pre-compact", "session-end"])
def test_a_hook_is_silent_without_a_service_and_with_wrong_input(event: str, hooks: Hooks, service: Client) -> None:
    for raw in ("", "[]", "{broken", '{"prompt": 5}', '{"transcript_path": "/nowhere"}', "\0"):
        assert hooks(event, raw=raw) == ""
    hooks.environment["AI_MEMORY_DATA_DIR"] += "-elsewhere"
    assert hooks(event, prompt="What did we decide about the bridge?", transcript_path="/nowhere", cwd="/a") == ""
    hooks.environment["AI_MEMORY_URL"] = "http://127.0.0.1:9"
    assert hooks(event, prompt="What did we decide about the bridge?", transcript_path="/nowhere", cwd="/a") == ""


def test_the_plugin_calls_hooks_that_exist() -> None:
    from ai_memory.cli.commands.setup.hook import EVENTS

    for file in (ROOT / "plugins/claude-code/hooks/hooks.json", ROOT / "plugins/codex/hooks.json"):
        commands = [
            hook["command"].split()
            for matchers in json.loads(file.read_text())["hooks"].values()
            for matcher in matchers
            for hook in matcher["hooks"]
        ]
        assert len(commands) == 4
        assert {tuple(words[:2]) for words in commands} == {("ai-memory", "hook")}
        assert {words[2] for words in commands} == set(EVENTS)


def test_the_folder_of_a_plugin_is_named(hooks: Hooks) -> None:
    assert hooks("folder") == f"{ROOT / 'plugins' / 'claude-code'}\n"
    assert hooks("folder", "--agent", "codex") == f"{ROOT / 'plugins' / 'codex'}\n"


def test_a_memory_is_there_to_compare_with(tmp_path: Path) -> None:
    """The block that hooks cut out of what they store is the one that recall makes."""
    with Memory(tmp_path / "m", model="none") as memory:
        memory.remember("The gate code is 4711")
        block = memory.recall("gate code", format="context").context
    assert block is not None and block.startswith(HEAD.split()[0]) and block.rstrip().endswith(FOOT)
