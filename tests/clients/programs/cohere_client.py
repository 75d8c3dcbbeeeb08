"""The cohere package: `cohere_client.py URL QUERY TEXTS`, whose report is a line of JSON; TEXTS is a JSON list."""

from __future__ import annotations

import json
import sys

import cohere
from cohere.core import ApiError


def main(url: str, query: str, texts: str) -> None:
    given = json.loads(texts)
    newer = cohere.ClientV2(base_url=url, api_key="any")
    older = cohere.Client(base_url=url, api_key="any")
    found = newer.rerank(model="rerank-v3.5", query=query, documents=given, top_n=2)
    again = older.rerank(model="rerank-v3.5", query=query, documents=given, return_documents=True)
    try:
        newer.rerank(model="nope", query=query, documents=given)
        refused = None
    except ApiError as error:
        refused = [error.status_code, error.body["message"]]
    report = {
        "best": [each.index for each in found.results],
        "scores": [each.relevance_score for each in again.results],
        "texts": [each.document.text for each in again.results],
        "refused": refused,
    }
    print(json.dumps(report))


main(*sys.argv[1:])
