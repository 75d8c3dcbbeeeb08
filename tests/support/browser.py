"""A real Chromium, and what its pages must never do."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Dialog, Page

WIDTHS = {360: 740, 768: 1024, 1440: 900}
"""The widths at which every view is looked at, with their heights."""


def chromium() -> str:
    """The browser's program: AI_MEMORY_TEST_CHROMIUM, else the system's. Skips the test where there is none."""
    pytest.importorskip("playwright.sync_api", reason="playwright drives the browser; it is in the group test")
    named = os.environ.get("AI_MEMORY_TEST_CHROMIUM")
    found = named or shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine; scripts/browser installs Debian's")
    return found


@contextmanager
def opened() -> Iterator[Browser]:
    """A browser that runs until the end of the block."""
    program = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


class Watched:
    """One page in a context of its own, and everything it did that it must not do."""

    def __init__(
        self, browser: Browser, url: str, *, width: int = 1440, theme: str = "light", language: str = "en"
    ) -> None:
        self.url = url
        self.context = browser.new_context(
            viewport={"width": width, "height": WIDTHS.get(width, 900)},
            locale={"en": "en-GB", "ru": "ru-RU"}[language],
            reduced_motion="reduce",
            accept_downloads=True,
        )
        self.context.set_default_timeout(15_000)
        self.page: Page = self.context.new_page()
        self.wrong: list[str] = []
        self.page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("dialog", self._shut)
        self.page.add_init_script(f"localStorage.setItem('ai-memory.theme', {theme!r})")
        self.page.add_init_script(
            "addEventListener('securitypolicyviolation', ({violatedDirective, sample}) => "
            "console.error(`CSP ${violatedDirective} ${sample}`))"
        )

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.wrong.append(f"console: {text}")

    def _shut(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, url: str) -> None:
        if not url.startswith((self.url, "data:", "blob:")):
            self.wrong.append(f"request to elsewhere: {url}")

    def open(self, place: str) -> Page:
        """The page at a view, such as `ask?q=…`, once nothing is loading."""
        self.page.goto(f"{self.url}/#/{place}")
        self.settle()
        return self.page

    def settle(self) -> None:
        """Wait until the view is drawn and nothing is loading."""
        self.page.wait_for_selector("main .view")
        from playwright.sync_api import expect

        expect(self.page.locator(".bone, .question-field .spin")).to_have_count(0, timeout=20_000)

    def check(self) -> None:
        """Nothing that must not happen has happened, and the page is no wider than its window."""
        assert self.wrong == []
        wider = self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{wider} px wider than its window"

    def close(self) -> None:
        """Close the page and its context."""
        self.context.close()
