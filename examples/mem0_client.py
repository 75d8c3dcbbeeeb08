"""mem0's own client, pointed at this service: only `host` differs from a program for mem0's platform.

    pip install mem0ai ; ai-memory serve & python examples/mem0_client.py

Here the service is started on a folder of its own, and stopped at the end.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

os.environ["MEM0_TELEMETRY"] = "False"

from mem0 import MemoryClient

from ai_memory import Client, ServiceUnavailableError

MESSAGES = [
    {"role": "user", "content": "I'm planning to watch a movie tonight. Any recommendations?"},
    {"role": "assistant", "content": "How about thriller movies?"},
    {"role": "user", "content": "I prefer science fiction movies."},
]


@contextmanager
def service(folder: str) -> Iterator[str]:
    """A service on a free port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ai_memory", "serve", "--port", str(port), "--data-dir", folder]
    with subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) as process:
        url = f"http://127.0.0.1:{port}"
        for _ in range(300):
            try:
                Client(url).health()
                break
            except ServiceUnavailableError:
                time.sleep(0.2)
        yield url
        process.terminate()


with tempfile.TemporaryDirectory() as folder, service(folder) as url:
    client = MemoryClient(api_key="any", host=f"{url}/mem0")
    client.add(MESSAGES, user_id="alice", metadata={"category": "movies"})
    for found in client.search("Which movies does she prefer?", filters={"user_id": "alice"})["results"]:
        print(f"{found['score']:.0%} {found['user_id']}: {found['memory']}")
    client.delete_all(user_id="alice")
