"""Words in place of an id: on the written cases, either the memory that is meant is found, or none is taken."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import Draft, InvalidInputError, Memory, NotFoundError
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.service.handlers.phrases import memory_meant
from tests.truth.atlas import Half, half

LEAST_FOUND = 0.6


@pytest.fixture(params=["seen", "unseen"])
def which(request: pytest.FixtureRequest) -> Half:
    return request.param  # type: ignore[no-any-return]


@pytest.fixture
def memory(tmp_path: Path, which: Half, minilm_folder: ModelFolder) -> Iterator[Memory]:
    """The first text of each English case but the retractions."""
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as opened:
        first = dict.fromkeys(
            case.texts[0].text for case in half(which, languages=("en",)) if case.kind != "retraction"
        )
        opened.remember_many([Draft(text=text) for text in first])
        assert opened.settle(120)
        yield opened


def meant(memory: Memory, words: str) -> str | None:
    try:
        return memory.get(memory_meant(memory._service._parts, "default", words)).text
    except (InvalidInputError, NotFoundError):
        return None


@pytest.mark.model
def test_no_other_memory_is_taken_for_the_one_that_is_meant(memory: Memory, which: Half) -> None:
    asked = {
        text.text: case.texts[0].text for case in half(which, ("restatement",), ("en",)) for text in case.texts[1:]
    } | {case.question: case.texts[0].text for case in half(which, ("update",), ("en",)) if case.question}
    found = {words: meant(memory, words) for words in asked}
    assert {words: text for words, text in found.items() if text not in (None, asked[words])} == {}
    assert sum(text is not None for text in found.values()) / len(found) >= LEAST_FOUND


@pytest.mark.model
def test_words_for_what_is_not_there_take_nothing(memory: Memory, which: Half) -> None:
    absent = [
        words
        for case in half(which, ("retraction",), ("en",))
        for words in (case.texts[0].text, case.question)
        if words
    ]
    assert {words: text for words in absent if (text := meant(memory, words)) is not None} == {}
    assert len(absent) >= 20
