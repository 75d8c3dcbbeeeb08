"""A server that runs out of file descriptors while it loads MCP serves MCP once it has some again."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("mcp_types", reason="the MCP SDK is not installed (the extra `mcp`)")

SCRIPT = """
import json, os, resource, sys, time
from pathlib import Path
resource.setrlimit(resource.RLIMIT_NOFILE, (200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
from ai_memory.mcp import http
from tests.support.rest_server import ask, serving

class Hungry(http.McpEndpoint):
    def _load(self):
        # At the moment of loading, other connections have all descriptors that the process may have.
        global hungry
        taken = []
        try:
            while hungry:
                taken.append(os.open("/dev/null", os.O_RDONLY))
        except OSError as error:
            assert error.errno == 24
        hungry = False
        try:
            return super()._load()
        finally:
            for each in taken:
                os.close(each)

hungry = True
from ai_memory.api import app
app.McpEndpoint = Hungry
listing = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
with serving(Path(sys.argv[1]), model="none") as served:
    statuses = []
    while not statuses or statuses[-1] != 200 and len(statuses) < 200:
        got = ask(served, "POST", "/mcp", listing)
        statuses.append(got.status)
        time.sleep(0.1)
    print(json.dumps([statuses[0], statuses[-1], len(json.loads(got.body)["result"]["tools"])]))
"""


def test_mcp_recovers_from_a_lack_of_file_descriptors(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    first, last, tools = json.loads(done.stdout)
    assert (first, last) == (503, 200), "it failed at first, or this shows nothing"
    assert tools
