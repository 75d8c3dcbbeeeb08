"""`ai-memory service`: the files are what systemd and launchd read, and they come and go."""

from __future__ import annotations

import plistlib
import shutil
import subprocess
from pathlib import Path

import pytest

from ai_memory.cli.setup.unit import unit_for
from tests.support.command_line import Run

COMMAND = ["/opt/ai memory/bin/ai-memory", "serve", "--port", "7677"]
VARIABLES = {"AI_MEMORY_DATA_DIR": "/data/50%/$HOME"}


def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    tool = shutil.which("systemd-analyze")
    unit = unit_for([shutil.which("true") or "/bin/true", "serve"], VARIABLES, "linux")
    assert unit.file.name == "ai-memory.service"
    assert '"AI_MEMORY_DATA_DIR=/data/50%%/$$HOME"' in unit.text
    if tool is None:
        pytest.skip("systemd-analyze is not installed")
    file = tmp_path / unit.file.name
    file.write_text(unit.text)
    done = subprocess.run([tool, "verify", "--user", str(file)], capture_output=True, text=True, timeout=60)
    assert str(file) not in done.stderr and "ai-memory.service:" not in done.stderr, done.stderr


def test_launchd_s_list_says_what_to_start() -> None:
    unit = unit_for(COMMAND, VARIABLES, "darwin")
    values = plistlib.loads(unit.text.encode())
    assert values["ProgramArguments"] == COMMAND
    assert values["EnvironmentVariables"] == VARIABLES
    assert unit.start[0][0] == "launchctl"


def test_it_is_installed_and_taken_away(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a manager on the path, what it would be asked is named."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sys.platform", "linux")
    state = run("service", "install", "--port", "0", "--json").json
    assert state["installed"] and state["active"] == "unknown" and state["url"] is None
    assert state["left"] == ["systemctl --user daemon-reload", "systemctl --user enable --now ai-memory.service"]
    file = Path(state["file"])
    assert file.is_relative_to(tmp_path) and '"serve" "--port" "0"' in file.read_text()
    assert run("service", "install", "--print").out.startswith("[Unit]")
    assert "installed: " in run("service", "status").out
    assert not run("service", "uninstall", "--json").json["installed"]
    assert not file.exists()
