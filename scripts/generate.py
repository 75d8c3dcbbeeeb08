"""Writes the files made from operations, settings, the default recipe and the imports; `--check` fails where one is out of date."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from architecture_picture import architecture_picture
from cli_page import cli_page
from pages import reference_page, settings_page
from python_methods import (
    async_graph_module,
    async_inbox_module,
    async_module,
    graph_module,
    inbox_module,
    moving_module,
    sync_module,
    upkeep_module,
)
from recall_picture import recall_picture
from truth_picture import truth_picture
from typescript_client import typescript_module

ROOT = Path(__file__).resolve().parent.parent

FILES: dict[str, Callable[[], str]] = {
    "clients/typescript/src/operations.ts": typescript_module,
    "src/ai_memory/python/methods.py": sync_module,
    "src/ai_memory/python/graph_methods.py": graph_module,
    "src/ai_memory/python/moving_methods.py": moving_module,
    "src/ai_memory/python/upkeep_methods.py": upkeep_module,
    "src/ai_memory/python/inbox_methods.py": inbox_module,
    "src/ai_memory/python/async_methods.py": async_module,
    "src/ai_memory/python/async_graph_methods.py": async_graph_module,
    "src/ai_memory/python/async_inbox_methods.py": async_inbox_module,
    "docs/architecture.svg": architecture_picture,
    "docs/cli.md": cli_page,
    "docs/recall.svg": recall_picture,
    "docs/reference.md": reference_page,
    "docs/settings.md": settings_page,
    "docs/truth.svg": truth_picture,
}


def main() -> int:
    """Write or compare; 1 when a compared file is not what it should be."""
    check = "--check" in sys.argv[1:]
    stale = []
    for name, make in FILES.items():
        path, text = ROOT / name, make()
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        stale.append(name)
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    if check and stale:
        print(f"out of date: {', '.join(stale)}; run: python scripts/generate.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
