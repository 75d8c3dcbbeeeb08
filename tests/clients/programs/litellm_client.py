"""LiteLLM: `litellm_client.py URL MODEL TEXTS`, whose report is a line of JSON; TEXTS is a JSON list.

It reaches the same service as OpenAI, as Ollama and as Cohere.
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else it is downloaded at the import

import litellm
import openai


def rows(answer: Any) -> list[list[float]]:
    return [each["embedding"] for each in answer.data]


def main(url: str, model: str, texts: str) -> None:
    given = json.loads(texts)
    litellm.suppress_debug_info = True
    as_openai: dict[str, Any] = {"api_base": f"{url}/v1", "api_key": "any", "num_retries": 0}
    documents = litellm.embedding(model=f"openai/{model}", input=given, encoding_format=None, **as_openai)
    query = litellm.embedding(model=f"openai/{model}:query", input=given[:1], **as_openai)
    alias = litellm.embedding(model="openai/text-embedding-3-small", input=given, **as_openai)
    short = litellm.embedding(model="openai/text-embedding-3-small", input=given, dimensions=256, **as_openai)
    ollama = litellm.embedding(model="ollama/embeddinggemma", input=given, api_base=url)
    refused = []
    for wrong in ({"input": given, "model": "openai/nope"}, {"input": [[5, 6]], "model": f"openai/{model}"}):
        try:
            litellm.embedding(**wrong, **as_openai)
        except openai.APIStatusError as error:
            refused.append([type(error).__name__, error.status_code])
    report = {
        "documents": rows(documents),
        "query": rows(query)[0],
        "alias": rows(alias),
        "short": [len(row) for row in rows(short)],
        "bare": rows(ollama),
        "tokens": documents.usage.total_tokens,
        "refused": refused,
    }
    print(json.dumps(report))


main(*sys.argv[1:])
