"""Every view in a real browser, at three widths, in both themes and languages, over 2,000 memories."""

from __future__ import annotations

import re

import pytest

from tests.console.conftest import Opener
from tests.support.browser import WIDTHS

KEY = re.compile(r"\b(?:ask|memories|time|graph|inbox|upkeep|transfer|watch|connect|field|filter)\.[a-z_.]+\b")
"""A key of the words where the words should be."""
PLACES = {
    "ask?q=who leads the sync service": ("Ask", "Вопрос"),
    "memories": ("Memories", "Записи"),
    "memories?as=cards": ("Memories", "Записи"),
    "time": ("Time", "Время"),
    "time?show=changes": ("Time", "Время"),
    "graph": ("Graph", "Граф"),
    "inbox": ("Inbox", "Решения"),
    "upkeep": ("Upkeep", "Уход"),
    "transfer": ("Import / export", "Импорт и экспорт"),
    "watch": ("Watch", "Наблюдение"),
    "connect": ("Connect", "Подключение"),
}


@pytest.mark.parametrize(
    ("width", "theme", "language"),
    [(1440, "light", "en"), (768, "dark", "ru"), (360, "light", "ru"), (360, "dark", "en")],
)
def test_every_view_is_drawn(watched: Opener, width: int, theme: str, language: str) -> None:
    opened = watched(width=width, theme=theme, language=language)
    for place, names in PLACES.items():
        page = opened.open(place)
        assert page.title().startswith(names[language == "ru"])
        assert page.locator("main h1").count() == 1
        assert page.evaluate("document.documentElement.dataset.theme") == theme
        assert page.evaluate("document.documentElement.lang") == language
        assert page.locator(".note.bad").count() == 0, place
        assert KEY.findall(page.inner_text("main")) == [], place
        opened.check()


def test_the_widths_are_those_of_the_design() -> None:
    assert sorted(WIDTHS) == [360, 768, 1440]
