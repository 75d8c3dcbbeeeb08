"""The console on the demonstration's memories: fills a store once, leaves the service running, and says where to look.

Run by `make console-demo`; Ctrl-C ends it. The store stays in `.cache/console-demo`, so the next time it starts at once.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

from ai_memory import Client
from ai_memory.cli.commands.setup.open import console_url
from ai_memory.discovery import find_service

if __package__:
    from demo.run import ROOT, Server, remember_all
else:
    from run import ROOT, Server, remember_all

FOLDER = ROOT / ".cache" / "console-demo"


def main() -> int:
    """Serve until interrupted."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    server = Server(Path(FOLDER))
    try:
        url = server.url()
        with Client(url) as client:
            if client.stats().memories == 0:
                remember_all(client)
        running = find_service(FOLDER)
        print(f"the console: {console_url(url, running.person_proof if running else '', None)}")
        print("Ctrl-C ends it")
        while server.process.poll() is None:
            time.sleep(0.5)
    except KeyboardInterrupt:
        print()
    finally:
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
