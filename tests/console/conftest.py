"""A browser, and one service with memories of the demo's kind, for all tests of the console."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from ai_memory import Client
from console_data import fill
from tests.support.browser import Watched, chromium, opened
from tests.support.rest_server import Served, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser

COUNT = 2_000


class Opener(Protocol):
    """Opens a watched page on the filled service, or on another one."""

    def __call__(
        self, *, width: int = 1440, theme: str = "light", language: str = "en", served: Served | None = None
    ) -> Watched: ...


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each file: while Playwright runs, no test of the same process can run coroutines."""
    with opened() as found:
        yield found


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service with 2,000 memories, their graph read; without a browser nothing is filled."""
    chromium()
    with serving(tmp_path_factory.mktemp("console")) as served:
        client = Client(served.url)
        fill(client, COUNT)
        client.entities(limit=1)
        yield served


@pytest.fixture
def watched(browser: Browser, filled: Served) -> Iterator[Opener]:
    """Opens pages; at the end each must have done nothing wrong."""
    with ExitStack() as stack:
        pages: list[Watched] = []

        def open_page(
            *, width: int = 1440, theme: str = "light", language: str = "en", served: Served | None = None
        ) -> Watched:
            page = Watched(browser, (served or filled).url, width=width, theme=theme, language=language)
            stack.callback(page.close)
            pages.append(page)
            return page

        yield open_page
        for page in pages:
            page.check()


@pytest.fixture
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Served]]:
    """Starts empty services."""
    with ExitStack() as stack:

        def start(**flags: Any) -> Served:
            return stack.enter_context(serving(tmp_path_factory.mktemp("empty"), **flags))

        yield start
