"""Questions without what says only their language."""

from __future__ import annotations

import numpy as np
import pytest

from ai_memory.embed.models.known import KNOWN_MODELS
from ai_memory.embed.models.languages import data_file, without_language
from ai_memory.embed.transformer import TransformerEmbedder
from language_directions import SENTENCES, directions

E5 = "multilingual-e5-small"


def test_each_file_is_a_known_models_and_orthonormal() -> None:
    files = list(data_file(E5).parent.glob("*.npy"))
    assert data_file(E5) in files
    widths = {model.name: model.dimensions[0] for model in KNOWN_MODELS}
    for file in files:
        found = np.load(file)
        assert found.shape == (len(SENTENCES) - 1, widths[file.stem])
        np.testing.assert_allclose(found @ found.T, np.eye(len(found)), atol=1e-5)


def test_what_is_left_is_a_unit_vector_across_the_directions() -> None:
    found = np.load(data_file(E5))
    vector = np.random.default_rng(1).standard_normal(384).astype(np.float32)
    vector /= np.linalg.norm(vector)
    rest = without_language(vector, E5)
    assert rest.dtype == np.float32
    assert np.linalg.norm(rest) == pytest.approx(1.0, abs=1e-6)
    np.testing.assert_allclose(found @ rest, 0.0, atol=1e-6)
    np.testing.assert_array_equal(without_language(found[0], E5), found[0])
    for other in ("all-MiniLM-L6-v2", "my own/model", "../data/multilingual-e5-small", ""):
        np.testing.assert_array_equal(without_language(vector, other), vector)
    short = np.ones(3, np.float32)
    np.testing.assert_array_equal(without_language(short, E5), short)


@pytest.mark.model
def test_the_file_is_what_the_script_writes(e5: TransformerEmbedder) -> None:
    """The same space, whatever basis of it: processors round differently."""
    shipped, made = np.load(data_file(E5)), directions(e5)
    np.testing.assert_allclose(shipped.T @ shipped, made.T @ made, atol=5e-3)


@pytest.mark.model
def test_a_model_of_english_alone_has_no_such_directions(minilm: TransformerEmbedder) -> None:
    with pytest.raises(ValueError, match="all-MiniLM-L6-v2 does not know ru"):
        directions(minilm)


@pytest.mark.model
def test_a_memory_in_another_language_comes_before_others_in_the_questions_own(e5: TransformerEmbedder) -> None:
    memories = e5.embed_documents(
        [
            "Oskar stopped eating meat this New Year.",
            "Мира любит свою собаку и гуляет с ней каждый вечер.",
            "На турбазе есть четыре места, хозяйка варит лобио.",
            "Оскар прилетает одиннадцатого вечером.",
        ]
    )
    question = e5.embed_queries(["Кто из нас не ест мясо?"])[0]
    before, after = memories @ question, memories @ without_language(question, E5)
    assert after.argmax() == 0
    assert after[0] - after[1:].max() > before[0] - before[1:].max() + 0.01
