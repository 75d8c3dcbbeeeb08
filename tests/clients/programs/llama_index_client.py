"""LlamaIndex's embeddings: `llama_index_client.py URL MODEL TEXTS` reports a line of JSON; TEXTS is a JSON list.

It reaches the same service as OpenAI, as text-embeddings-inference and as Ollama.
"""

from __future__ import annotations

import asyncio
import json
import sys

from llama_index.embeddings.ollama import OllamaEmbedding
from llama_index.embeddings.openai_like import OpenAILikeEmbedding
from llama_index.embeddings.text_embeddings_inference import TextEmbeddingsInference


def main(url: str, model: str, texts: str) -> None:
    given = json.loads(texts)
    as_openai = OpenAILikeEmbedding(model_name=model, api_base=f"{url}/v1", api_key="any", max_retries=0)
    queries = OpenAILikeEmbedding(model_name=f"{model}:query", api_base=f"{url}/v1", api_key="any", max_retries=0)
    as_tei = TextEmbeddingsInference(base_url=url, model_name=model, text_instruction="", query_instruction="")
    as_ollama = OllamaEmbedding(model_name="embeddinggemma", base_url=url)
    report = {
        "documents": as_openai.get_text_embedding_batch(given),
        "query": queries.get_query_embedding(given[0]),
        "alias": asyncio.run(as_openai.aget_text_embedding_batch(given)),
        "bare": as_tei.get_text_embedding_batch(given),
        "ollama": as_ollama.get_text_embedding_batch(given),
    }
    print(json.dumps(report))


main(*sys.argv[1:])
