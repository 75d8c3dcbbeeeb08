"""LangChain's OpenAIEmbeddings: `langchain_openai_client.py URL MODEL TEXTS` reports a line of JSON; TEXTS is a JSON list."""

from __future__ import annotations

import asyncio
import json
import sys

import tiktoken
from langchain_openai import OpenAIEmbeddings
from openai import BadRequestError


def letters(name: str) -> tiktoken.Encoding:
    """Stands for an encoding of OpenAI's, which tiktoken would download: a token for each byte."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    return tiktoken.Encoding(name, pat_str=r"[\s\S]+", mergeable_ranks=ranks, special_tokens={})


def main(url: str, model: str, texts: str) -> None:
    given = json.loads(texts)
    named = {"base_url": f"{url}/v1", "api_key": "any", "max_retries": 0}
    documents = OpenAIEmbeddings(model=model, check_embedding_ctx_length=False, **named)
    queries = OpenAIEmbeddings(model=f"{model}:query", check_embedding_ctx_length=False, **named)
    alias = OpenAIEmbeddings(model="text-embedding-3-small", check_embedding_ctx_length=False, **named)
    tiktoken.encoding_for_model = tiktoken.get_encoding = letters
    try:
        OpenAIEmbeddings(model=model, **named).embed_documents(given)
        refused = None
    except BadRequestError as error:
        refused = str(error)
    report = {
        "documents": documents.embed_documents(given),
        "query": queries.embed_query(given[0]),
        "alias": asyncio.run(alias.aembed_documents(given)),
        "refused": refused,
    }
    print(json.dumps(report))


main(*sys.argv[1:])
