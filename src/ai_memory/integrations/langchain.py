"""The engine as LangChain's `Embeddings`. Needs langchain-core."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ai_memory.embedding_model import EmbeddingModel
from ai_memory.integrations.source import Source

try:
    from langchain_core.embeddings import Embeddings
except ImportError as missing:
    raise ImportError("ai_memory.integrations.langchain needs: pip install langchain-core") from missing


class LangChainEmbeddings(Embeddings):
    """Documents get the prompt for documents, queries that of `task`. Close it, or use it as a context manager."""

    def __init__(self, model: EmbeddingModel | str | None = None, **options: Any) -> None:
        """A model that is open, the name or folder of one, or `url=` of a running service with `api_key=`.

        Further options: `task`, `too_long`, `dimension` and what else `EmbeddingModel` takes; see `integrations.source.Source`.
        """
        self.source = Source(model, **options)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """`source.dimension` numbers a text, of length 1; raises TooLargeError where a text is too long."""
        return self.source.documents(texts)

    def embed_query(self, text: str) -> list[float]:
        """As `embed_documents`, of one query."""
        return self.source.query(text)

    def close(self) -> None:
        """Free the model, unless it is the caller's."""
        self.source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
