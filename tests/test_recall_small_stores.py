"""A new store's first memories: found with a sensible confidence, and unrelated questions still refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.embed.folder import ModelFolder
from ai_memory.recall.anchors import ANCHORS


@pytest.mark.model
def test_the_only_memory_answers_its_question(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        memory.remember("Mira is allergic to hazelnuts", wait=True)
        found = memory.recall("what can Mira not eat?")
        assert [hit.memory.text for hit in found.hits] == ["Mira is allergic to hazelnuts"]
        assert found.hits[0].confidence >= 0.5
        assert not found.abstained
        assert memory.recall("what is the capital of France?").abstained


@pytest.mark.model
def test_more_memories_change_little_about_a_clear_answer(tmp_path: Path, minilm_folder: ModelFolder) -> None:
    others = ["Tea is at four o'clock", "The office Wi-Fi password changed on Monday", "The tiles moved to a new host"]
    with Memory(data_dir=tmp_path, model=str(minilm_folder.path)) as memory:
        memory.remember("Mira is allergic to hazelnuts", wait=True)
        alone = memory.recall("what can Mira not eat?").hits[0].confidence
        memory.remember_many(others, wait=True)
        among = memory.recall("what can Mira not eat?").hits[0]
        assert among.memory.text == "Mira is allergic to hazelnuts"
        assert abs(among.confidence - alone) < 0.15


def test_anchors_are_distinct_and_about_different_things() -> None:
    assert len(set(ANCHORS)) == len(ANCHORS) == 32
    lengths = np.array([len(anchor.split()) for anchor in ANCHORS])
    assert lengths.min() >= 6
    assert lengths.max() <= 16
