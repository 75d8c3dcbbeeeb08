"""The embedder over HTTP, as clients of OpenAI and of text-embeddings-inference know it (docs/embeddings-api.md)."""
