"""mem0's own `MemoryClient` and `AsyncMemoryClient`, pointed at the service: the calls of its documentation.

Usage: mem0_client.py URL FOLDER. Prints a JSON object of what the calls gave.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from typing import Any

os.environ["MEM0_TELEMETRY"] = "False"
os.environ["MEM0_DIR"] = sys.argv[2]

from mem0 import AsyncMemoryClient, MemoryClient
from mem0.client.types import SearchMemoryOptions

MESSAGES = [
    {"role": "user", "content": "I'm planning to watch a movie tonight. Any recommendations?"},
    {"role": "assistant", "content": "How about thriller movies?"},
    {"role": "user", "content": "I prefer science fiction movies."},
]
ALICE = {"user_id": "alice"}


def refused(call: Callable[[], Any]) -> list[str]:
    try:
        return ["answered", str(call())]
    except Exception as error:  # noqa: BLE001 - the kind is what is looked at
        return [type(error).__name__, str(error)]


def calls(client: MemoryClient) -> dict[str, Any]:
    found: dict[str, Any] = {}
    added = client.add(MESSAGES, user_id="alice", metadata={"category": "movies", "year": 2026})
    found["added"] = [[each["event"], each["memory"]] for each in added["results"]]
    found["twice"] = [each["event"] for each in client.add(MESSAGES, user_id="alice")["results"]]
    client.add("Likes green tea", filters={"user_id": "bob"}, timestamp=1_700_000_000, expiration_date="2099-01-01")
    client.add([{"role": "user", "content": "Short lived"}], user_id="bob", expiration_date="2099-01-01")
    found["again"] = [each["event"] for each in client.add(MESSAGES[:1], agent_id="helper", run_id="r1")["results"]]
    hits = client.search("Which movies does Alice prefer?", filters=ALICE, top_k=1, threshold=0.1)["results"]
    found["search"] = [hits[0]["user_id"], hits[0]["metadata"], 0 <= hits[0]["score"] <= 1, len(hits)]
    options = SearchMemoryOptions(filters={"AND": [ALICE, {"year": {"gte": 2026}}]}, top_k=5)
    found["options"] = len(client.search("movies", options)["results"])
    found["none"] = client.search("movies", filters={"AND": [ALICE, {"year": {"lt": 2026}}]})["results"]
    page = client.get_all(filters=ALICE, page=1, page_size=2)
    found["page"] = [page["count"], len(page["results"]), page["next"] is not None, page["previous"]]
    found["second"] = len(client.get_all(filters=ALICE, page=2, page_size=2)["results"])
    memory_id = added["results"][2]["id"]
    found["get"] = client.get(memory_id)["memory"]
    client.update(memory_id, text="I prefer comedies.", metadata={"year": 2027})
    found["history"] = [[each["event"], each["new_memory"]] for each in client.history(memory_id)]
    client.batch_update([{"memory_id": memory_id, "text": "I prefer dramas."}])
    found["updated"] = [client.get(memory_id)["memory"], client.get(memory_id)["metadata"]]
    client.delete(memory_id)
    found["gone"] = refused(lambda: client.get(memory_id))
    found["refused"] = [
        refused(lambda: client.add("x")),
        refused(lambda: client.add("x", app_id="a")),
        refused(lambda: client.search("x", filters={"user_id": "alice", "n": {"near": 1}})),
        refused(lambda: client.get_webhooks("p")),
    ]
    found["users"] = [[each["type"], each["name"]] for each in client.users()["results"]]
    others = [{"memory_id": each["id"]} for each in client.get_all(filters={"user_id": "bob"})["results"]]
    client.batch_delete(others)
    client.delete_all(user_id="alice")
    found["left"] = [[each["type"], each["name"]] for each in client.users()["results"]]
    client.reset()
    found["reset"] = client.users()["results"]
    return found


async def later(client: AsyncMemoryClient) -> list[str]:
    await client.add("I live in Riga.", user_id="ada")
    found = await client.search("Riga", filters={"user_id": "ada"})
    await client.delete_users(user_id="ada")
    return [each["memory"] for each in found["results"]]


host = f"{sys.argv[1]}/mem0"
report = calls(MemoryClient(api_key="any", host=host))
report["later"] = asyncio.run(later(AsyncMemoryClient(api_key="any", host=host)))
print(json.dumps(report))
