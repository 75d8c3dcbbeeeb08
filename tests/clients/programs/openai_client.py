"""The openai package: `openai_client.py URL MODEL TEXTS`, whose report is a line of JSON; TEXTS is a JSON list."""

from __future__ import annotations

import json
import sys

import openai


def main(url: str, model: str, texts: str) -> None:
    given = json.loads(texts)
    with openai.OpenAI(base_url=f"{url}/v1/", api_key="any", max_retries=0) as client:
        documents = client.embeddings.create(model=model, input=given)
        query = client.embeddings.create(model=f"{model}:query", input=given[0])
        plain = client.embeddings.create(model="text-embedding-3-small", input=given, encoding_format="float")
        short = client.embeddings.create(model=model, input=given, dimensions=256)
        refused = []
        for wrong in ({"input": given, "model": "nope"}, {"input": [5, 6], "model": model}):
            try:
                client.embeddings.create(**wrong)
            except openai.APIStatusError as error:
                refused.append([type(error).__name__, error.status_code, error.code, error.param])
        report = {
            "documents": [each.embedding for each in documents.data],
            "query": query.data[0].embedding,
            "alias": [each.embedding for each in plain.data],
            "short": [len(each.embedding) for each in short.data],
            "tokens": documents.usage.total_tokens,
            "refused": refused,
            "models": [each.id for each in client.models.list()],
        }
    print(json.dumps(report))


main(*sys.argv[1:])
