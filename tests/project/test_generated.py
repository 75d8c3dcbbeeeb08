"""Files that are made from the operations, the settings and the default recipe are what would be made now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from ai_memory.operations.base import fields_of
from ai_memory.operations.table import OPERATIONS
from ai_memory.python.async_methods import AsyncMethods
from ai_memory.python.methods import Filters, Methods
from ai_memory.recall.recipe import BALANCED, IN_DIALOGUE, STAGES
from ai_memory.settings import settings_table
from ai_memory.types import Selection

ROOT = Path(__file__).resolve().parents[2]


def test_generated_files_are_current() -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts" / "generate.py"), "--check"],
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_every_operation_is_a_method_of_all_doors() -> None:
    for operation in OPERATIONS:
        for door in (Methods, AsyncMethods):
            method = getattr(door, operation.name)
            assert method.__doc__.startswith(operation.summary)
            given = set(method.__annotations__) - {"return", "lines", "progress"}
            if "filters" in given:
                given = given - {"filters"} | set(Filters.__annotations__)
            assert given == set(fields_of(operation.request)), operation.name


def test_filters_are_the_selection() -> None:
    assert set(Filters.__annotations__) == set(Selection.__struct_fields__) - {"namespace"}


def test_every_setting_is_on_its_page() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    for setting in settings_table():
        assert f"`AI_MEMORY_{setting.name.upper()}`" in page
        assert setting.meaning
        assert setting.meaning in page


def test_the_picture_of_recall_shows_every_stage_and_fits_its_boxes() -> None:
    picture = ElementTree.fromstring((ROOT / "docs" / "recall.svg").read_text(encoding="utf-8"))
    name = "{http://www.w3.org/2000/svg}"
    told = [text.text for text in picture.iter(f"{name}text")]
    weighed = [stage for stage in STAGES if getattr(BALANCED, stage) and not stage.endswith(IN_DIALOGUE)]
    assert [stage.replace("_", " ") for stage in weighed] == [
        text for text in told if text in {s.replace("_", " ") for s in STAGES}
    ]
    assert picture.get("aria-label", "none") in (ROOT / "docs" / "recall.md").read_text(encoding="utf-8")
    bottoms = [float(box.get("y", "")) + float(box.get("height", "")) for box in picture.iter(f"{name}rect")]
    assert max(bottoms) <= float(picture.get("height", ""))
    assert "http" not in ElementTree.tostring(picture, encoding="unicode").replace("http://www.w3.org/2000/svg", "")
