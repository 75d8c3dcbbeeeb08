"""The pictures of docs/console.md: `python scripts/console_pictures.py URL [FOLDER]` photographs the views of a running service.

Fill the service with scripts/console_data.py before. With a FOLDER, every view is taken at three widths in both themes, to look at;
without one, the few pictures of the page. Needs playwright and a Chromium (scripts/browser).
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

DOCS = Path(__file__).resolve().parent.parent / "docs" / "console"
VIEWS = {
    "ask": "ask?q=who leads the sync service",
    "memories": "memories",
    "cards": "memories?as=cards",
    "time": "time",
    "changes": "time?show=changes",
    "graph": "graph",
    "inbox": "inbox",
    "upkeep": "upkeep",
    "transfer": "transfer",
    "watch": "watch",
    "connect": "connect",
}
PAGE = (
    ("ask", 1200, "light"),
    ("memories", 1200, "light"),
    ("time", 1200, "dark"),
    ("graph", 1200, "light"),
    ("inbox", 1200, "light"),
    ("upkeep", 1200, "dark"),
    ("transfer", 1200, "light"),
    ("watch", 1200, "dark"),
    ("connect", 1200, "light"),
    ("ask", 360, "dark"),
)
"""What docs/console.md shows: the view, the width and the theme."""
HEIGHTS = {360: 740, 768: 1024, 1200: 760, 1440: 900}
SETTLES = {"graph": 6_000, "watch": 9_000}
"""Milliseconds until a view has something to show."""


def take(browser: Browser, url: str, name: str, width: int, theme: str, file: Path) -> None:
    """One picture."""
    context = browser.new_context(
        viewport={"width": width, "height": HEIGHTS[width]}, locale="en-GB", reduced_motion="reduce"
    )
    page = context.new_page()
    page.add_init_script(f"localStorage.setItem('ai-memory.theme', {theme!r})")
    page.goto(f"{url}/#/{VIEWS[name]}")
    page.wait_for_selector("main .view")
    page.wait_for_function("!document.querySelector('.bone')")
    page.wait_for_timeout(SETTLES.get(name, 1_200))
    if name == "ask":
        page.locator(".hit button[aria-expanded]").first.click()
        page.mouse.move(0, 0)
    file.parent.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=str(file))
    context.close()
    print(file)


def main() -> None:
    """Take the pictures of the page, or all."""
    url = sys.argv[1].rstrip("/")
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    wanted: list[tuple[str, int, str, Path]] = [
        (name, width, theme, DOCS / f"{name}-{width}-{theme}.png") for name, width, theme in PAGE
    ]
    if folder is not None:
        wanted = [
            (name, width, theme, folder / f"{name}-{width}-{theme}.png")
            for name in VIEWS
            for width in (360, 768, 1440)
            for theme in ("light", "dark")
        ]
    options: dict[str, Any] = {"executable_path": shutil.which("chromium"), "args": ["--no-sandbox"]}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**options)
        for name, width, theme, file in wanted:
            take(browser, url, name, width, theme, file)
        browser.close()


if __name__ == "__main__":
    main()
