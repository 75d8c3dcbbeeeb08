"""A new store's first memories: found with a sensible confidence, and unrelated questions still refused."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest

from ai_memory import Memory
from ai_memory.embed.deterministic import HashingEmbedder
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.index.partition import Partition
from ai_memory.recall.evidence.background import BACKGROUND_SENTENCES
from ai_memory.recall.evidence.scores import score_all
from ai_memory.types import MemoryRecord


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


def test_background_sentences_are_distinct_and_varied() -> None:
    assert len(set(BACKGROUND_SENTENCES)) == len(BACKGROUND_SENTENCES) == 32
    lengths = np.array([len(sentence.split()) for sentence in BACKGROUND_SENTENCES])
    assert lengths.min() >= 6
    assert lengths.max() <= 16


def test_background_sentences_are_not_counted_as_memories_with_vectors() -> None:
    """As many memories without a vector as there are sentences: the count of vectors must not hide that some are pending."""
    embedder, partition = HashingEmbedder(), Partition("default", 64)
    texts = [f"memory number {number}" for number in range(8 + len(BACKGROUND_SENTENCES))]
    at = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    for key, text in enumerate(texts, start=1):
        record = MemoryRecord(
            id=f"mem_{key}", namespace="default", text=text, created_at=at, recorded_at=at, content_hash=f"{key:032x}"
        )
        partition.add(key, record)
    vectors = embedder.embed_documents(texts[:8])
    partition.set_vectors([(key, 0, vector) for key, vector in enumerate(vectors, start=1)])
    view, background = partition.view(), embedder.embed_documents(BACKGROUND_SENTENCES)
    question = embedder.embed_queries(["number"])[0]
    scored = score_all(view, np.ones(view.n, np.bool_), (), question, background)
    alone = score_all(view, np.ones(view.n, np.bool_), (), question)
    assert scored.dense_background.size == alone.dense_background.size == 8
    assert scored.dense_background.mean != alone.dense_background.mean
