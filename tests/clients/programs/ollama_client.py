"""The ollama package: `ollama_client.py URL MODEL TEXTS`, whose report is a line of JSON; TEXTS is a JSON list."""

from __future__ import annotations

import json
import sys

import ollama


def main(url: str, model: str, texts: str) -> None:
    given = json.loads(texts)
    client = ollama.Client(host=url)
    found = client.embed(model="embeddinggemma", input=given)
    try:
        client.embed(model="nomic-embed-text", input=given)
        refused = None
    except ollama.ResponseError as error:
        refused = [error.status_code, error.error]
    report = {
        "bare": [list(row) for row in found.embeddings],
        "query": list(client.embed(model=f"{model}:query", input=given[0]).embeddings[0]),
        "ollama": [list(client.embeddings(model="embeddinggemma", prompt=text).embedding) for text in given],
        "short": [len(row) for row in client.embed(model="embeddinggemma", input=given, dimensions=256).embeddings],
        "tokens": found.prompt_eval_count,
        "refused": refused,
        "models": [each.model for each in client.list().models],
    }
    print(json.dumps(report))


main(*sys.argv[1:])
