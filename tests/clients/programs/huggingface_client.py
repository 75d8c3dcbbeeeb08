"""huggingface_hub's InferenceClient: `huggingface_client.py URL MODEL TEXTS` reports a line of JSON; TEXTS is a JSON list."""

from __future__ import annotations

import json
import sys

from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError


def main(url: str, model: str, texts: str) -> None:
    del model  # the address names it
    given = json.loads(texts)
    client = InferenceClient(url)
    try:
        client.feature_extraction(given[0], prompt_name="nope")
        refused = None
    except HfHubHTTPError as error:
        refused = error.response.status_code
    report = {
        "bare": [client.feature_extraction(text).tolist()[0] for text in given],
        "query": client.feature_extraction(given[0], prompt_name="query", truncate=True).tolist()[0],
        "similarity": client.sentence_similarity(given[0], given),
        "refused": refused,
    }
    print(json.dumps(report))


main(*sys.argv[1:])
