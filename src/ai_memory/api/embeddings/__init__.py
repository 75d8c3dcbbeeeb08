"""The embedder over HTTP, compatible with clients of OpenAI and of text-embeddings-inference (docs/embeddings-api.md)."""
