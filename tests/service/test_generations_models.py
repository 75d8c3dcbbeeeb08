"""Generations of models with files: the dimension as a setting, what a store refuses, and cuts of a real architecture."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory.embed.matryoshka import CutEmbedder, cut
from ai_memory.embed.transformer import TransformerEmbedder
from ai_memory.errors import ConflictError, EmbedderMismatchError, EmbedderUnavailableError, InvalidInputError
from ai_memory.operations.generations import TAKE_BACK, TakeBackRequest
from ai_memory.operations.reading import RECALL, RecallRequest
from ai_memory.operations.watching import STATS, VECTORS_PENDING, StatsRequest
from ai_memory.operations.writing import REMEMBER, REMEMBER_MANY, Draft, RememberManyRequest, RememberRequest
from ai_memory.service.background.embedder import Choice
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.types import EmbedderIdentity
from ai_memory.wiring import Embedders, open_service
from tests.support.cutting_embedder import reembed, wait_for
from tests.support.tiny_gemma import tiny_gemma
from tests.support.tiny_models import tiny_bert

DIMENSIONS = (768, 512, 256, 128)
TEXTS = ["the house is green", "cats sleep all day", "ships sail out to sea", "whales sing in the deep", "x " * 900]


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of two known models, both tiny and with random weights."""
    folder = tmp_path_factory.mktemp("models")
    tiny_gemma(folder / "embeddinggemma-300m")
    tiny_bert(folder / "all-MiniLM-L6-v2", max_tokens=64)
    return folder


@pytest.fixture
def data_dir(tmp_path: Path, models: Path) -> Path:
    (tmp_path / "models").symlink_to(models)
    return tmp_path


def _settings(data_dir: Path, **flags: Any) -> Settings:
    return Settings(data_dir=data_dir, **{"dtype": "float32", **flags})


@contextmanager
def _opened(data_dir: Path, **flags: Any) -> Iterator[Service]:
    service = open_service(_settings(data_dir, **flags))
    try:
        yield service
        assert [each for each in service.doctor() if each.check != VECTORS_PENDING] == []
    finally:
        service.close()


def _fill(service: Service) -> None:
    service.carry_out(REMEMBER_MANY, RememberManyRequest(memories=[Draft(text=text) for text in TEXTS]))
    assert service.settle(60)


def _identity(service: Service) -> EmbedderIdentity:
    found = service.carry_out(STATS, StatsRequest()).embedder
    assert found is not None
    return found


def _answers(service: Service) -> list[str]:
    answers = [
        service.carry_out(RECALL, RecallRequest(query=question)) for question in ("a green house", "song of a whale")
    ]
    assert all(answer.searched.by_meaning and not answer.notices for answer in answers)
    return [answer.answer_hash for answer in answers]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_the_dimension_of_a_new_store_is_a_setting(data_dir: Path, dimension: int) -> None:
    with _opened(data_dir, model="gemma", dimension=dimension) as service:
        _fill(service)
        assert (_identity(service).model, _identity(service).dimension) == ("embeddinggemma-300m", dimension)
        found = _answers(service)
    with _opened(data_dir, model="gemma") as service:
        assert _answers(service) == found, "a store's dimension stays when the setting leaves it open"
    with _opened(data_dir) as service:
        assert _answers(service) == found
        assert _identity(service).dimension == dimension


def test_each_cut_of_the_architecture_is_what_the_model_gives_at_it(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """768 → 512 → 256 → 128 without a pass of the model, and each is taken back."""
    with _opened(data_dir, model="gemma") as service:
        _fill(service)
        model = Embedders(_settings(data_dir, model="gemma")).of_store(None)
        assert model is not None
        hashes = {768: _answers(service)}
        store = service._parts.store
        passes: list[int] = []
        whole = TransformerEmbedder.embed_documents

        def counted(self: TransformerEmbedder, texts: Any, titles: Any = None) -> Any:
            passes.append(len(texts))
            return whole(self, texts, titles)

        monkeypatch.setattr(TransformerEmbedder, "embed_documents", counted)
        for dimension in DIMENSIONS[1:]:
            reembed(service, dimension=dimension)
            assert wait_for(service).state == "done"
            assert passes == [], "documents were embedded"
            rows = {each.embedder.dimension: store.vector_rows(each.id)[0] for each in store.generations()}
            cuts = cut(np.stack([row.vector for row in rows[768]]), dimension)
            assert [row.vector.tobytes() for row in rows[dimension]] == [vector.tobytes() for vector in cuts]
            made = CutEmbedder(model, dimension).embed_documents(TEXTS[:4])
            assert np.abs(np.stack([row.vector for row in rows[dimension][:4]]) - made).max() < 1e-6
            hashes[dimension] = _answers(service)
            passes.clear()  # recall's anchor sentences
        for number, dimension in enumerate(DIMENSIONS, 1):
            service.carry_out(TAKE_BACK, TakeBackRequest(generation=number))
            assert _identity(service).dimension == dimension
            assert _answers(service) == hashes[dimension]


def test_what_differs_is_refused_with_the_command_that_mends_it(data_dir: Path) -> None:
    with _opened(data_dir, model="gemma") as service:
        _fill(service)
        sequence = service.carry_out(STATS, StatsRequest()).sequence
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"model": "gemma", "dimension": 256}, "dimension", "ai-memory reembed --dim 256"),
        ({"dimension": 256}, "dimension", "dimension = 0"),
        ({"model": "gemma", "dtype": "bfloat16"}, "dtype", "dtype = auto"),
        ({"dtype": "bfloat16"}, "dtype", "ai-memory reembed"),
        ({"model": "minilm"}, "model, revision", "ai-memory reembed"),
        ({"model": "hashing", "dimension": 768}, "model, revision", "model = auto"),
    ]
    for flags, differs, mend in cases:
        with pytest.raises(EmbedderMismatchError, match=f"differ in {differs}") as refused:
            open_service(_settings(data_dir, **flags))
        assert mend in (refused.value.hint or "")
        assert {"pinned", "given"} <= set(refused.value.details)
    with pytest.raises(InvalidInputError, match="768, 512, 256, 128"):
        open_service(_settings(data_dir, dimension=300))
    with _opened(data_dir) as service:
        assert service.carry_out(STATS, StatsRequest()).sequence == sequence
        assert _identity(service).dimension == 768


def test_what_the_settings_leave_open_is_the_stores(data_dir: Path) -> None:
    """A store keeps its arithmetic when it comes to a machine that would choose another."""
    embedders = Embedders(_settings(data_dir, dtype="auto"))
    new = embedders.of_store(None)
    assert new is not None
    assert (new.identity.model, new.identity.dimension) == ("embeddinggemma-300m", 768)
    for dtype in ("float32", "bfloat16"):
        pinned = EmbedderIdentity(
            model=new.identity.model,
            revision=new.identity.revision,
            prompts=new.identity.prompts,
            dtype=dtype,
            dimension=256,
        )
        found = embedders.of_store(pinned)
        assert found is not None
        assert found.identity == pinned
        larger = embedders.chosen(Choice(dimension=512), pinned)
        assert larger is not None
        assert (larger.identity.dtype, larger.identity.dimension) == (dtype, 512)
        other = embedders.chosen(Choice(dtype="float32"), pinned)
        assert other is not None
        assert (other.identity.dtype, other.identity.dimension) == ("float32", 256)
    small = embedders.chosen(Choice(model="minilm"), new.identity)
    assert small is not None
    assert (small.identity.model, small.identity.dimension) == ("all-MiniLM-L6-v2", 16)
    with pytest.raises(InvalidInputError, match="dimensions are"):
        embedders.chosen(Choice(model="minilm", dimension=8), new.identity)
    with pytest.raises(InvalidInputError, match="no model"):
        embedders.chosen(Choice(model="no such model"), new.identity)


def test_models_are_switched_and_taken_back_without_their_files(data_dir: Path, models: Path) -> None:
    """MiniLM's architecture to Gemma's and back; a kept generation that lacks nothing needs no model."""
    with _opened(data_dir, model="auto", dtype="auto") as service:
        _fill(service)
        gemma = _answers(service)
    with _opened(data_dir, model="auto", dtype="auto") as service:
        reembed(service, model="minilm")
        assert wait_for(service).state == "done"
        assert _identity(service).model == "all-MiniLM-L6-v2"
        bert = _answers(service)
        assert bert != gemma
        with pytest.raises(ConflictError, match="already"):
            reembed(service, model="minilm")
    (data_dir / "models").unlink()
    with _opened(data_dir, model="auto", dtype="auto") as service:
        service.carry_out(TAKE_BACK, TakeBackRequest())
        assert _identity(service).model == "embeddinggemma-300m"
        assert service.carry_out(RECALL, RecallRequest(query="green")).notices[0].code == "words_only"
        service.carry_out(REMEMBER, RememberRequest(text="written without a model"))
        service.carry_out(TAKE_BACK, TakeBackRequest())
        assert _identity(service).model == "all-MiniLM-L6-v2", "the new memory is found by words in either"
    (data_dir / "models").mkdir()
    (data_dir / "models" / "all-MiniLM-L6-v2").symlink_to(models / "all-MiniLM-L6-v2")
    with _opened(data_dir, model="auto", dtype="auto") as service:
        assert service.settle(60)
        assert service.carry_out(RECALL, RecallRequest(query="a green house")).searched.by_meaning == len(TEXTS) + 1
        with pytest.raises(EmbedderUnavailableError, match="written since"):
            service.carry_out(TAKE_BACK, TakeBackRequest())
        assert _identity(service).model == "all-MiniLM-L6-v2"
    (data_dir / "models" / "embeddinggemma-300m").symlink_to(models / "embeddinggemma-300m")
    with _opened(data_dir, model="auto", dtype="auto") as service:
        service.carry_out(TAKE_BACK, TakeBackRequest())
        assert wait_for(service).state == "done"
        assert _identity(service).model == "embeddinggemma-300m"
        assert service.carry_out(RECALL, RecallRequest(query="a green house")).searched.by_meaning == len(TEXTS) + 1


@pytest.mark.model
def test_the_small_model_replaces_hashes_and_finds_by_meaning(tmp_path: Path, minilm_folder: Any) -> None:
    settings = Settings(data_dir=tmp_path, model="hashing")
    service = open_service(settings)
    try:
        _fill(service)
        reembed(service, model=str(minilm_folder.path))
        assert wait_for(service, seconds=120).state == "done"
        answer = service.carry_out(RECALL, RecallRequest(query="vessels on the ocean"))
        assert answer.hits[0].memory.text == "ships sail out to sea"
        assert answer.notices == ()
    finally:
        service.close()
    with pytest.raises(EmbedderMismatchError):
        open_service(settings)
    service = open_service(Settings(data_dir=tmp_path, model=str(minilm_folder.path)))
    try:
        assert service.carry_out(RECALL, RecallRequest(query="vessels on the ocean")).answer_hash == answer.answer_hash
        service.carry_out(TAKE_BACK, TakeBackRequest())
        assert _identity(service).model == "hashing"
    finally:
        service.close()


@pytest.mark.model
def test_a_store_keeps_its_model_when_a_better_one_comes_and_moves_on_request(
    tmp_path: Path, minilm_folder: Any, e5_folder: Any
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / minilm_folder.name).symlink_to(minilm_folder.path)
    settings = Settings(data_dir=tmp_path)
    service = open_service(settings)
    try:
        _fill(service)
    finally:
        service.close()
    (tmp_path / "models" / e5_folder.name).symlink_to(e5_folder.path)
    service = open_service(settings)
    try:
        assert service.carry_out(RECALL, RecallRequest(query="vessels on the ocean")).searched.by_meaning == len(TEXTS)
        assert _identity(service).model == "all-MiniLM-L6-v2"
        reembed(service, model="e5")
        assert wait_for(service, seconds=120).state == "done"
        assert _identity(service).model == "multilingual-e5-small"
        answer = service.carry_out(RECALL, RecallRequest(query="киты поют"))
        assert (answer.hits[0].memory.text, answer.notices) == ("whales sing in the deep", ())
        service.carry_out(TAKE_BACK, TakeBackRequest())
        assert _identity(service).model == "all-MiniLM-L6-v2"
    finally:
        service.close()
    (tmp_path / "fresh").mkdir()
    (tmp_path / "fresh" / "models").symlink_to(tmp_path / "models")
    new = Embedders(Settings(data_dir=tmp_path / "fresh")).of_store(None)
    assert new is not None
    assert new.identity.model == "multilingual-e5-small", "a new store takes the better one"
