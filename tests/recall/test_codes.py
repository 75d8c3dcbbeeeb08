"""Versions, numbers and codes in questions: the memory that has the same one comes first, however either is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.settings import Settings

TEXTS = (
    "Release v3.3.0 fixes the clock widget.",
    "Release v3.1.0 fixes the login page.",
    "Release v5.2.0 drops the old parser.",
    "Release v2.5.0 drops the old printer.",
    "The cluster needs etcd 2.12.0 or later.",
    "The cluster needed etcd 2.120 once.",
    "The freezer in the lab runs at -250 degrees.",
    "The oven in the lab runs at 250 degrees.",
    "Call the plumber at +49 (0)30 901820.",
    "Call the painter at +49 (0)30 901822.",
    "The printer's card is 00:1A:2B:3C:4D:5E.",
    "The scanner's card is 00:1A:2B:3C:4D:5F.",
    "The spare belt is part AB-1234-X.",
    "The spare fuse is part AB-1235-X.",
    "The leak was fixed in 4a02515f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2.",
    "The race was fixed in 5b13626f9c8b7d6e5a4c3b2a1908f7e6d5c4b3a2.",
    "Merhaba, İstanbul'da buluştuk.",
    "Merhaba, İzmir'de buluştuk.",
    "繁體字：資料庫備份每天執行。",
    "繁體字：郵件伺服器每天重啟。",
)


@pytest.fixture(scope="module", params=["hashing", "none"])
def memory(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Memory]:
    folder: Path = tmp_path_factory.mktemp(request.param)
    with Memory(settings=Settings(data_dir=folder, model=request.param, extract=False)) as opened:
        opened.remember_many(list(TEXTS))
        yield opened


@pytest.mark.parametrize(
    ("question", "begins"),
    [
        ("What does release 3.1.0 fix?", "Release v3.1.0"),
        ("What does release 2.5.0 drop?", "Release v2.5.0"),
        ("Which etcd is 2.12?", "The cluster needs etcd 2.12.0"),
        ("What runs at -250 degrees?", "The freezer"),
        ("What runs at 250 degrees?", "The oven"),
        ("Who has the number +4930901820?", "Call the plumber"),
        ("Who has the number 030 901822?", "Call the painter"),
        ("Which card is 001A2B3C4D5F?", "The scanner"),
        ("What is part AB1234X?", "The spare belt"),
        ("What is part ab 1235 x, AB/1235/X?", "The spare fuse"),
        ("What was fixed in 4a02515?", "The leak"),
        ("İstanbul", "Merhaba, İstanbul"),
        ("资料库备份", "繁體字：資料庫備份"),
    ],
)
def test_the_same_code_comes_first_with_a_lead(memory: Memory, question: str, begins: str) -> None:
    hits = memory.recall(question, limit=2).hits
    assert hits[0].memory.text.startswith(begins)
    assert len(hits) < 2 or hits[0].score - hits[1].score > 0.5
