"""The examples of each command, its other names, `-n`, and what a shell completes."""

from __future__ import annotations

import shlex

import pytest

from ai_memory.cli import main
from ai_memory.cli.examples import ALIASES, EXAMPLES
from ai_memory.cli.parser import as_defined, command_in, parse_line
from ai_memory.cli.table import COMMANDS
from tests.support.command_line import Run


@pytest.mark.parametrize("command", COMMANDS)
def test_the_examples_at_the_end_of_a_help_are_command_lines(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    for example in EXAMPLES[command]:
        words = as_defined(shlex.split(example.partition(" <")[0].partition(" >")[0]))
        name = command_in(words)
        assert name == command or (command, name) == ("forget", "forget-about")
        assert parse_line(words, name).command == name
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.rstrip().split("examples:\n")[1].startswith(f"  ai-memory {EXAMPLES[command][0]}")


def test_every_command_has_examples_and_other_names_are_none_of_them() -> None:
    assert set(EXAMPLES) == set(COMMANDS)
    assert set(ALIASES.values()) <= set(COMMANDS)
    assert set(ALIASES).isdisjoint(COMMANDS)


def test_commands_go_by_the_names_that_other_programs_give_them(run: Run) -> None:
    assert run("add", "Mira likes tea", "--key", "mira.drink").code == 0
    run("add", "Mira likes green tea too", "--namespace", "default")
    assert "Mira likes tea" in run("search", "-n", "1", "what does Mira like?").out
    assert len(run("search", "-n1", "Mira tea", "--json").json["hits"]) == 1
    assert len(run("list", "-n", "1", "--json").json["memories"]) == 1
    assert run("delete", "key:mira.drink").code == 0
    assert "did you mean search?" in run("serch", "tea").err


def test_completion_knows_files_models_and_namespaces(run: Run) -> None:
    run("add", "Mira likes tea", "--namespace", "kitchen")
    assert run("completion", "namespaces").out.split() == ["kitchen"]
    assert {"auto", "multilingual-e5-small"} <= set(run("completion", "models").out.split())
    script = run("completion", "bash").out
    assert "_ai_memory_namespaces()" in script and "_ai_memory_models()" in script
    assert "_recall___namespace_COMPGEN=_ai_memory_namespaces" in script
    assert "_embed___model_COMPGEN=_ai_memory_models" in script
    assert "_remember___file_COMPGEN=_shtab_compgen_files" in script
    assert "_recall___data_dir_COMPGEN=_shtab_compgen_dirs" in script
