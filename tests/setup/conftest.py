"""The command line on a store of its own."""

from __future__ import annotations

import io
import os
import sys
from pathlib import Path

import pytest

from ai_memory.cli import main
from tests.support.command_line import Ran, Run


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    for name in list(os.environ):
        if name.startswith("AI_MEMORY_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("AI_MEMORY_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("AI_MEMORY_MODEL", "none")
    monkeypatch.chdir(tmp_path)

    def running(*words: str, stdin: bytes = b"") -> Ran:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        code = main(list(words))
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return running
