"""`ai-memory setup` in a home of its own: every program's settings are changed, tried and put back, and none is damaged."""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ai_memory.errors import InvalidInputError
from ai_memory.programs.editing import ABSENT, changed, entry, parsed
from ai_memory.programs.known import PROGRAMS
from tests.support.command_line import Run

WRITTEN = {
    "json": '// my settings\n{\n  "theme": "dark", // keep\n  "mcpServers": {\n    "other": { "command": "x" },\n  },\n}\n',
    "toml": '# mine\nmodel = "o3"\n\n[mcp_servers.other]\ncommand = "x"\n\n[tui]\ntheme = "dark"\n',
    "yaml": "# mine\nGOOSE_MODEL: x\nextensions:\n  # the other one\n  other:\n    enabled: true\n    cmd: x\nlast: 1\n",
}
"""Files as people have them, with comments and a server of another kind."""


def values(file: Path) -> dict[str, Any]:
    text = file.read_text(encoding="utf-8")
    found: dict[str, Any]
    if file.suffix == ".toml":
        found = tomllib.loads(text)
    elif file.suffix in (".yaml", ".yml"):
        found = yaml.safe_load(text)
    else:
        found = parsed(text, "json")
    return found


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: Run) -> Path:
    monkeypatch.setattr(Path, "home", lambda: tmp_path / "home")
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_entered_and_put_back(name: str, home: Path, run: Run) -> None:
    program = PROGRAMS[name]
    file = program.file()
    assert str(home.parent) in str(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    before = WRITTEN[program.form].replace("mcpServers", program.path[0])
    file.write_text(before, encoding="utf-8")
    file.chmod(0o640)
    shown = run("setup", name)
    assert shown.code == 0, shown.err
    assert "nothing was written" in shown.out and "+" in shown.out
    assert file.read_text(encoding="utf-8") == before
    assert run("--namespace", "team", "setup", name, "--yes", "--json").json[0]["state"] == "added"
    after = file.read_text(encoding="utf-8")
    for line in before.splitlines():
        assert line.strip().rstrip(",") in after
    assert file.stat().st_mode & 0o777 == 0o640
    servers = values(file)[program.path[0]]
    assert set(servers) == {"other", "memory"}
    assert "team" in json.dumps(servers["memory"])
    assert run("setup", name, "--yes", "--json").json[0]["state"] == "added"  # the namespace is left out again
    assert run("setup", name, "--yes", "--json").json[0]["state"] == "unchanged"
    assert run("setup", name, "--undo", "--yes", "--json").json[0]["state"] == "removed"
    assert file.read_text(encoding="utf-8") == before
    assert sorted(each.name for each in file.parent.glob(f"{file.name}*")) == [file.name]


@pytest.mark.parametrize("name", ["claude-code", "codex", "goose"])
def test_a_program_without_settings_gets_a_file_that_goes_again(name: str, home: Path, run: Run) -> None:
    file = PROGRAMS[name].file()
    file.parent.mkdir(parents=True, exist_ok=True)
    assert run("setup", name, "--yes").code == 0
    assert set(values(file)) == {PROGRAMS[name].path[0]}
    assert run("setup", name, "--undo", "--yes").code == 0
    assert not file.exists()


def test_what_was_changed_since_stays(home: Path, run: Run) -> None:
    file = PROGRAMS["cursor"].file()
    file.parent.mkdir(parents=True)
    file.write_text(WRITTEN["json"])
    run("setup", "cursor", "--yes")
    file.write_text(file.read_text().replace('"dark"', '"light"'))
    assert run("setup", "cursor", "--undo", "--yes", "--json").json[0]["state"] == "removed"
    assert values(file) == {"theme": "light", "mcpServers": {"other": {"command": "x"}}}
    assert "// keep" in file.read_text()


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("cursor", '{"mcpServers": {'),
        ("cursor", "[1]"),
        ("cursor", '{"mcpServers": []}'),
        ("cursor", "\x00\x01"),
        ("codex", "model = "),
        ("codex", 'mcp_servers = { other = { command = "x" } }'),
        ("goose", "extensions: {other: {enabled: true}}\n"),
        ("goose", "a: [1\n"),
    ],
)
def test_a_file_that_cannot_be_changed_is_left_alone(name: str, text: str, home: Path, run: Run) -> None:
    file = PROGRAMS[name].file()
    file.parent.mkdir(parents=True)
    file.write_text(text)
    done = run("setup", name, "--yes", "--json")
    assert done.code != 0
    assert done.json[0]["state"] == "failed" and "by hand" in done.json[0]["reason"]
    assert file.read_text() == text


def test_programs_that_are_there_are_found(home: Path, run: Run) -> None:
    assert "name one" in run("setup", "--json").error["hint"]
    for folder in (".cursor", ".codex"):
        (home / folder).mkdir()
    assert [step["program"] for step in run("setup", "--json").json] == ["cursor", "codex"]
    assert "did you mean cursor" in run("setup", "curser", "--json").error["message"]


def test_a_check_starts_the_server_as_the_program_would(home: Path, run: Run, tmp_path: Path) -> None:
    pytest.importorskip("mcp.server.context", reason="the extra `mcp` is not installed")
    file = PROGRAMS["codex"].file()
    file.parent.mkdir(parents=True)
    start = [
        f"{name} = {json.dumps(value)}"
        for name, value in (("command", sys.executable), ("args", ["-m", "ai_memory", "mcp"]))
    ]
    file.write_text("[mcp_servers.memory]\n" + "\n".join(start) + "\n")
    (step,) = run("setup", "--check", "--json").json
    assert step["state"] == "works", step
    assert {"recall", "remember"} <= set(step["tools"])
    file.write_text('[mcp_servers.memory]\ncommand = "/nowhere/ai-memory"\n')
    (step,) = run("setup", "codex", "--check", "--json").json
    assert step["state"] == "failed" and "cannot be started" in step["reason"]
    file.write_text(
        f"[mcp_servers.memory]\ncommand = {json.dumps(sys.executable)}\nargs = ['-c', 'raise SystemExit(7)']\n"
    )
    (step,) = run("setup", "codex", "--check", "--json").json
    assert "listed no tools" in step["reason"]


NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=6)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | NAMES,
    lambda part: st.lists(part, max_size=3) | st.dictionaries(NAMES, part, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(NAMES, JSON, max_size=4), st.sampled_from([None, 2, "\t"]), NAMES)
def test_any_json_keeps_all_else(document: dict[str, Any], indent: Any, name: str) -> None:
    text = json.dumps(document, indent=indent, ensure_ascii=False)
    path = ("servers", name)
    if not isinstance(document.get("servers", {}), dict):
        with pytest.raises(InvalidInputError):
            changed(text, "json", path, {"command": "x"})
        return
    after = changed(text, "json", path, {"command": "x"})
    assert entry(parsed(after, "json"), path) == {"command": "x"}
    assert {key: value for key, value in parsed(after, "json").items() if key != "servers"} == {
        key: value for key, value in document.items() if key != "servers"
    }
    assert entry(parsed(changed(after, "json", path, ABSENT), "json"), path) is ABSENT
