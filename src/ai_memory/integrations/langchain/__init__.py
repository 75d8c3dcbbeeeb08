"""LangChain over the service: embeddings, a retriever, a vector store, a history of messages. Needs langchain-core.

The middleware for agents is in `ai_memory.integrations.langchain.middleware`, which needs langchain itself.
"""

try:
    import langchain_core  # noqa: F401
except ImportError as missing:
    raise ImportError("ai_memory.integrations.langchain needs: pip install langchain-core") from missing

from ai_memory.integrations.langchain.embeddings import LangChainEmbeddings as LangChainEmbeddings
from ai_memory.integrations.langchain.history import MemoryChatHistory as MemoryChatHistory
from ai_memory.integrations.langchain.retriever import MemoryRetriever as MemoryRetriever
from ai_memory.integrations.langchain.vectorstore import MemoryVectorStore as MemoryVectorStore
