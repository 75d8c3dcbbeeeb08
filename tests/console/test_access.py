"""What everybody can use: axe-core finds nothing serious in any view, and the keyboard reaches everything."""

from __future__ import annotations

from typing import Any

import pytest

from tests.console.conftest import Opener
from tests.console.test_views import PLACES
from tests.support.axe import axe_source
from tests.support.browser import Watched

RUN = """async () => {
  const found = await axe.run(document, { resultTypes: ["violations"], runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"] });
  return found.violations.map(({ id, impact, nodes }) => [impact, id, nodes.map((node) => node.html.slice(0, 160)).slice(0, 3)]);
}"""


def serious(opened: Watched) -> list[Any]:
    return [found for found in opened.page.evaluate(RUN) if found[0] in ("serious", "critical")]


@pytest.mark.parametrize(("width", "theme"), [(1440, "dark"), (360, "light")])
def test_axe_finds_nothing_serious(watched: Opener, width: int, theme: str) -> None:
    source = axe_source()
    opened = watched(width=width, theme=theme)
    found: dict[str, Any] = {}
    for place in PLACES:
        page = opened.open(place)
        page.evaluate(source)
        if wrong := serious(opened):
            found[place] = wrong
    page = opened.open("memories")
    page.locator(".mrow .what").first.click()
    page.wait_for_selector(".side .acts")
    if wrong := serious(opened):
        found["detail"] = wrong
    page.get_by_role("button", name="Edit").click()
    page.wait_for_selector("dialog[open]")
    if wrong := serious(opened):
        found["dialog"] = wrong
    assert found == {}


def test_the_keyboard_reaches_everything(watched: Opener) -> None:
    page = watched().open("memories")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("j")
    page.wait_for_selector(".side .acts")
    first = page.url
    page.keyboard.press("j")
    assert page.url != first
    page.keyboard.press("Escape")
    assert page.locator(".side").count() == 0
    page.keyboard.press("g")
    page.keyboard.press("i")
    page.wait_for_selector(".proposal")
    page.keyboard.press("/")
    page.wait_for_selector("#question:focus")
    page.keyboard.type("who leads the sync service")
    page.wait_for_selector(".hit")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0
