"""The adapters for LangChain and LlamaIndex, with the real libraries."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ai_memory import EmbeddingModel
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.errors import EmbedderUnavailableError, InvalidInputError, TooLargeError
from ai_memory.integrations.source import Source
from tests.support.rest_server import Served, serving
from tests.support.tiny_gemma import tiny_gemma

TEXTS = ["Mira is allergic to hazelnuts", "the ferry leaves at seven", "кошка спит"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_gemma(tmp_path_factory.mktemp("models") / "embeddinggemma-300m")


@pytest.fixture(scope="module")
def model(folder: Path) -> Iterator[EmbeddingModel]:
    with EmbeddingModel(folder, dtype="float32", dimension=256) as opened:
        yield opened


def test_langchain_gets_the_right_prompt(model: EmbeddingModel) -> None:
    from langchain_core.embeddings import Embeddings

    from ai_memory.integrations.langchain import LangChainEmbeddings

    adapter = LangChainEmbeddings(model)
    assert isinstance(adapter, Embeddings)
    np.testing.assert_allclose(adapter.embed_documents(TEXTS), model.embed_documents(TEXTS), atol=1e-5)
    np.testing.assert_allclose(adapter.embed_query(TEXTS[0]), model.embed_query(TEXTS[0]), atol=1e-5)
    np.testing.assert_allclose(asyncio.run(adapter.aembed_documents(TEXTS)), model.embed_documents(TEXTS), atol=1e-5)
    assert adapter.embed_documents([]) == []
    assert type(adapter.embed_query("a")[0]) is float
    clustering = LangChainEmbeddings(model, task="clustering")
    np.testing.assert_allclose(clustering.embed_query("a"), model.embed_query("a", task="clustering"), atol=1e-5)
    adapter.close()
    assert model.embed_query("the caller's model is still open").shape == (256,)


def test_langchain_reports_texts_that_are_too_long(model: EmbeddingModel, folder: Path) -> None:
    from ai_memory.integrations.langchain import LangChainEmbeddings

    with LangChainEmbeddings(str(folder), dtype="float32", too_long="truncate") as adapter:
        assert len(adapter.embed_documents(["word " * 3000])[0]) == 768
    with pytest.raises(EmbedderUnavailableError, match="closed"):
        adapter.embed_query("a")
    with pytest.raises(TooLargeError):
        LangChainEmbeddings(model).embed_documents(["word " * 3000])


@pytest.mark.model
def test_langchains_vector_store_finds_semantically(minilm_folder: ModelFolder) -> None:
    from langchain_core.vectorstores import InMemoryVectorStore

    from ai_memory.integrations.langchain import LangChainEmbeddings

    with LangChainEmbeddings(str(minilm_folder.path)) as adapter:
        store = InMemoryVectorStore(adapter)
        store.add_texts(TEXTS)
        assert store.similarity_search("what can Mira not eat?", k=1)[0].page_content == TEXTS[0]


def test_llamaindex_gets_the_right_prompt(model: EmbeddingModel) -> None:
    from ai_memory.integrations.llamaindex import LlamaIndexEmbedding

    adapter = LlamaIndexEmbedding(model, base={"embed_batch_size": 2})
    assert adapter.model_name == "embeddinggemma-300m"
    np.testing.assert_allclose(adapter.get_text_embedding_batch(TEXTS), model.embed_documents(TEXTS), atol=1e-5)
    np.testing.assert_allclose(adapter.get_text_embedding(TEXTS[1]), model.embed_documents(TEXTS)[1], atol=1e-5)
    np.testing.assert_allclose(adapter.get_query_embedding(TEXTS[0]), model.embed_query(TEXTS[0]), atol=1e-5)

    async def together() -> tuple[list[list[float]], list[float]]:
        return await adapter.aget_text_embedding_batch(TEXTS), await adapter.aget_query_embedding(TEXTS[0])

    documents, query = asyncio.run(together())
    np.testing.assert_allclose(documents, model.embed_documents(TEXTS), atol=1e-5)
    np.testing.assert_allclose(query, model.embed_query(TEXTS[0]), atol=1e-5)
    adapter.close()
    assert model.embed_query("still open").shape == (256,)


@pytest.mark.model
def test_llamaindexes_own_nodes_are_embedded(minilm_folder: ModelFolder) -> None:
    from llama_index.core.schema import TextNode
    from llama_index.core.vector_stores import SimpleVectorStore, VectorStoreQuery

    from ai_memory.integrations.llamaindex import LlamaIndexEmbedding

    adapter = LlamaIndexEmbedding(str(minilm_folder.path), dtype="float32")
    store = SimpleVectorStore()
    store.add(list(adapter([TextNode(id_=str(number), text=text) for number, text in enumerate(TEXTS)])))
    query = VectorStoreQuery(query_embedding=adapter.get_query_embedding("what can Mira not eat?"), similarity_top_k=1)
    assert store.query(query).ids == ["0"]
    adapter.close()
    with pytest.raises(EmbedderUnavailableError, match="closed"):
        adapter.get_query_embedding("a")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, folder: Path) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("service"), model=str(folder), dtype="float32") as running:
        yield running


def test_langchain_asks_a_running_service(model: EmbeddingModel, served: Served) -> None:
    from ai_memory.integrations.langchain import LangChainEmbeddings

    with LangChainEmbeddings(url=served.url, dimension=256, task="clustering") as adapter:
        np.testing.assert_allclose(adapter.embed_documents(TEXTS), model.embed_documents(TEXTS), atol=1e-5)
        query = model.embed_query(TEXTS[0], task="clustering")
        np.testing.assert_allclose(adapter.embed_query(TEXTS[0]), query, atol=1e-5)
        with pytest.raises(TooLargeError):
            adapter.embed_documents(["word " * 3000])


def test_llamaindex_asks_a_running_service(model: EmbeddingModel, served: Served) -> None:
    from ai_memory.integrations.llamaindex import LlamaIndexEmbedding

    adapter = LlamaIndexEmbedding(url=served.url, dimension=256, too_long="truncate")
    assert adapter.model_name == "embeddinggemma-300m"
    np.testing.assert_allclose(adapter.get_text_embedding_batch(TEXTS), model.embed_documents(TEXTS), atol=1e-5)
    np.testing.assert_allclose(adapter.get_query_embedding(TEXTS[0]), model.embed_query(TEXTS[0]), atol=1e-5)
    assert len(adapter.get_text_embedding("word " * 3000)) == 256
    adapter.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model": "minilm", "url": "http://127.0.0.1:1"}, "a model and the URL"),
        ({"url": "http://127.0.0.1:1", "dtype": "int8"}, "the service decides dtype"),
        ({"url": "not an address"}, "address"),
        ({"url": "http://127.0.0.1:1"}, "127.0.0.1:1"),
    ],
)
def test_a_wrong_source_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises((InvalidInputError, EmbedderUnavailableError), match=said):
        Source(**options)


def test_a_source_and_a_model_together_are_refused(model: EmbeddingModel, served: Served) -> None:
    with pytest.raises(InvalidInputError, match="already open"):
        Source(model, dtype="int8")
    with pytest.raises(InvalidInputError, match="768, 512, 256, 128"):
        Source(url=served.url, dimension=300)


@pytest.mark.parametrize(("module", "library"), [("langchain", "langchain_core"), ("llamaindex", "llama_index")])
def test_a_missing_library_is_named_with_its_command(module: str, library: str) -> None:
    code = f"""
import sys
sys.modules[{library!r}] = None
try:
    import ai_memory.integrations.{module}
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert f"needs: pip install {library.replace('_', '-')}" in done.stdout


@pytest.mark.parametrize("library", ["langchain_core", "llama_index.core"])
def test_the_adapters_bring_no_torch(library: str) -> None:
    module = "langchain" if library == "langchain_core" else "llamaindex"
    code = f"import sys, ai_memory.integrations.{module}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=110, check=True)
    assert done.stdout == "False\n"
