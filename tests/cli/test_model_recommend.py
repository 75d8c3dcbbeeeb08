"""`ai-memory model recommend`: the decision at its edges, and the command."""

from __future__ import annotations

import json

import pytest

from ai_memory.cli import main
from ai_memory.embed.models.known import known_model
from ai_memory.errors import InvalidInputError
from ai_memory.modelcheck.recommend import MEMORY_MB, ROOM, recommend

MUCH = 16_000
ENOUGH = int(ROOM * MEMORY_MB["embeddinggemma-2"])


@pytest.mark.parametrize(
    ("languages", "memory", "hub", "name"),
    [
        ((), MUCH, True, "embeddinggemma-2"),
        (("en",), MUCH, True, "embeddinggemma-2"),
        (("ru", "en"), ENOUGH, True, "embeddinggemma-2"),
        (("ru", "en"), ENOUGH - 1, True, "multilingual-e5-small"),
        (("en",), ENOUGH - 1, True, "snowflake-arctic-embed-s"),
        (("EN", "en-GB"), MUCH, False, "all-MiniLM-L6-v2"),
        (("zh",), MUCH, False, "multilingual-e5-small"),
        ((), 1, True, "multilingual-e5-small"),
    ],
)
def test_the_model_follows_languages_memory_and_network(
    languages: tuple[str, ...], memory: int, hub: bool, name: str
) -> None:
    found = recommend(languages, memory, hub=hub)
    assert found.model.name == name
    assert found.model is known_model(name)
    assert found.otherwise is not found.model
    assert all(reason for reason in found.reasons)


def test_english_alone_is_better_off_with_minilm_than_with_e5_and_that_is_said() -> None:
    assert any("better off with it than with e5" in reason for reason in recommend(["en"], MUCH, hub=False).reasons)


@pytest.mark.parametrize("code", ["", "e", "english", "12", "éé", "\x00"])
def test_what_is_no_language_is_refused(code: str) -> None:
    with pytest.raises(InvalidInputError, match="no code of a language"):
        recommend([code], MUCH)


@pytest.mark.parametrize("memory", [0, -5])
def test_memory_must_be_positive(memory: int) -> None:
    with pytest.raises(InvalidInputError, match="1 MB or more"):
        recommend([], memory)


def test_the_command_prints_the_model_and_how_to_fetch_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["model", "recommend", "--language", "de", "--memory-mb", "900", "--no-hub"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("multilingual-e5-small (MIT)")
    assert "ai-memory model fetch e5" in out
    assert main(["model", "recommend", "--json"]) == 0
    value = json.loads(capsys.readouterr().out)
    assert value["memory_mb"] > 0
    assert value["fetch"].endswith(value["model"]) or known_model(value["fetch"].rpartition(" ")[2]) is not None


def test_offline_means_no_hub(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--offline", "model", "recommend", "--language", "en", "--memory-mb", "16000"]) == 0
    assert capsys.readouterr().out.startswith("all-MiniLM-L6-v2")
