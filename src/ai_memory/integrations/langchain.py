"""`EmbeddingModel` as LangChain's `Embeddings`. Needs langchain-core."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

from ai_memory.embed.base import Task, TooLong
from ai_memory.embedding_model import EmbeddingModel

try:
    from langchain_core.embeddings import Embeddings
except ImportError as missing:
    raise ImportError("ai_memory.integrations.langchain needs: pip install langchain-core") from missing


class LangChainEmbeddings(Embeddings):
    """Documents get the prompt for documents, queries that of `task`; what else is given goes to `EmbeddingModel`.

    A model that is passed in stays the caller's; one that is made here is closed with this object.
    """

    def __init__(
        self,
        model: EmbeddingModel | str | None = None,
        *,
        task: Task | str = Task.RETRIEVAL,
        too_long: TooLong | str = TooLong.ERROR,
        **options: Any,
    ) -> None:
        self._owned = not isinstance(model, EmbeddingModel)
        self.model = model if isinstance(model, EmbeddingModel) else EmbeddingModel(model, default_task=task, **options)
        self._task = task
        self._too_long = too_long

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One list of `model.dimension` numbers a text, of length 1; raises as `EmbeddingModel.embed_documents`."""
        vectors: list[list[float]] = self.model.embed_documents(texts, too_long=self._too_long).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """`model.dimension` numbers, of length 1; raises as `EmbeddingModel.embed_queries`."""
        vectors: list[list[float]] = self.model.embed_queries([text], task=self._task, too_long=self._too_long).tolist()
        return vectors[0]

    def close(self) -> None:
        """Free the model, unless it is the caller's."""
        if self._owned:
            self.model.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
