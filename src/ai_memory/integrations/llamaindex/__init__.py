"""LlamaIndex over the service: an embedding model, a memory block, a retriever and a vector store. Needs llama-index-core."""

try:
    import llama_index.core  # noqa: F401
except ImportError as missing:
    raise ImportError("ai_memory.integrations.llamaindex needs: pip install llama-index-core") from missing

from ai_memory.integrations.llamaindex.block import MemoryBlock as MemoryBlock
from ai_memory.integrations.llamaindex.embedding import LlamaIndexEmbedding as LlamaIndexEmbedding
from ai_memory.integrations.llamaindex.retriever import MemoryRetriever as MemoryRetriever
from ai_memory.integrations.llamaindex.vectorstore import MemoryVectorStore as MemoryVectorStore
