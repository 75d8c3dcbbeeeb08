"""The engine as LangChain's `Embeddings`."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from langchain_core.embeddings import Embeddings

from ai_memory.integrations.source import Source
from ai_memory.python.embedding_model import EmbeddingModel


class LangChainEmbeddings(Embeddings):
    """Embeds documents with the document prompt and queries with that of `task`. Close it, or use it as a context manager."""

    def __init__(self, model: EmbeddingModel | str | None = None, **options: Any) -> None:
        """`model` is an open model, or the name or folder of one; instead, `url=` and `api_key=` name a running service.

        Further options: `task`, `too_long`, `dimension` and the others of `EmbeddingModel`; see `integrations.source.Source`.
        """
        self.source = Source(model, **options)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One unit vector of `source.dimension` numbers per text; [] for no texts. Raises TooLargeError if a text is too long."""
        return self.source.documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """The unit vector of one query. Raises as `embed_documents`."""
        return self.source.query(text)

    def close(self) -> None:
        """Free the model, unless it was passed in open."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
