"""graphiti-core's storage without a language model, run by its own Python: `graphiti_peer.py FOLDER`. Prints figures as JSON.

Each text becomes an episode, as `Graphiti.add_episode_bulk` stores it before a model reads it. FOLDER has `batches.json`, lists of
texts, of which the first `warm_up` are not counted, and `server.json`, the address of the empty database.
"""

import asyncio
import json
import sys
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from graphiti_core.driver.neo4j_driver import Neo4jDriver
from graphiti_core.nodes import EpisodeType, EpisodicNode
from graphiti_core.utils.bulk_utils import add_nodes_and_edges_bulk


async def main(folder: Path) -> None:
    """Write all batches, each durable before the next."""
    batches = json.loads((folder / "batches.json").read_text(encoding="utf-8"))
    server = json.loads((folder / "server.json").read_text(encoding="utf-8"))
    driver = Neo4jDriver(server["uri"], server["user"], server["password"])
    await driver.build_indices_and_constraints()
    seconds, written = 0.0, 0
    for number, texts in enumerate(batches):
        now = datetime.now(UTC)
        episodes = [
            EpisodicNode(
                name="a memory", group_id="u", source=EpisodeType.text, source_description="", content=text,
                created_at=now, valid_at=now,
            )
            for text in texts
        ]  # fmt: skip
        started = time.perf_counter()
        await add_nodes_and_edges_bulk(driver, episodes, [], [], [], None)
        if number >= server["warm_up"]:
            seconds += time.perf_counter() - started
            written += len(texts)
    found, _, _ = await driver.execute_query("MATCH (e:Episodic) RETURN count(e) AS count")
    assert found[0]["count"] == sum(map(len, batches))
    await driver.close()
    print(json.dumps({"version": version("graphiti-core"), "write_rate": written / seconds}))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
