"""The public names of the package: one list, loaded lazily, and the same for type checkers."""

from __future__ import annotations

import ast
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import ai_memory
from ai_memory.errors import error_classes

HEAVY = ("numpy", "pydantic", "openvino", "starlette", "uvicorn", "httpx", "mcp", "anyio", "tokenizers")


def test_every_public_name_loads() -> None:
    for name in ai_memory.__all__:
        assert getattr(ai_memory, name) is not None
    assert set(ai_memory.__all__) <= set(dir(ai_memory))
    assert len(ai_memory.__all__) == len(set(ai_memory.__all__))


def test_every_error_is_public() -> None:
    assert {cls.__name__ for cls in error_classes().values()} <= set(ai_memory.__all__)


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(inspect.getfile(ai_memory)).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        (alias.asname, f"{line.module}.{alias.name}")
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    modules = ai_memory._MODULES
    assert seen == {(name, f"ai_memory.{module}.{name}") for module, names in modules.items() for name in names}


def test_unknown_names_are_attribute_errors() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'Memories'"):
        _ = ai_memory.Memories


@pytest.mark.parametrize("statement", ["import ai_memory", "from ai_memory import Client", "import ai_memory.errors"])
def test_importing_stays_light(statement: str) -> None:
    program = f"{statement}\nimport sys\nprint(*sorted({set(HEAVY)!r} & set(sys.modules)))"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.split() == []
