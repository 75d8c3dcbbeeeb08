"""The shape of the code: ARCHITECTURE.md says it, and these tests hold the code to it, without exceptions."""

from __future__ import annotations

import ast

import pytest

from structure import (
    FOLDERS,
    ROOT,
    SOURCE,
    area_of,
    areas,
    code_lines,
    cycles,
    floors,
    graph,
    imports,
    modules,
    packages,
    rooms_of,
)

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_MODULES_IN_A_FOLDER = 16
MAX_FLOORS = 6
FIRST_ASYNC_ROW = 9
"""Rows above it are synchronous: an event loop is the adapters' business."""


def test_every_area_is_in_the_table_and_nothing_else_is() -> None:
    assert set(areas()) == {area_of(module.name) for module in modules("src")} - {""}


def test_imports_run_from_a_row_to_rows_above_it() -> None:
    """Never to the same row: areas of one row do not know each other."""
    known = graph("src")
    wrong = [
        f"{module.path.relative_to(ROOT)}:{line} imports {name}"
        for module in modules("src")
        if (mine := area_of(module.name))
        for name, line in imports(module, known)
        if (theirs := area_of(name)) and theirs != mine and areas()[theirs].row >= areas()[mine].row
    ]
    assert wrong == []


def test_a_cycle_would_be_found() -> None:
    assert cycles({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == [["a", "b", "c", "a"]]
    assert cycles({"a": {"b", "c"}, "b": {"c"}}) == []


def test_no_import_cycle() -> None:
    edges = graph(*FOLDERS)
    without_packages = {name: targets - {"ai_memory"} for name, targets in edges.items() if name != "ai_memory"}
    assert cycles(without_packages) == []


def test_the_package_imports_nothing_of_the_repository_around_it() -> None:
    outside = {module.name for folder in FOLDERS if folder != "src" for module in modules(folder)}
    assert [name for module in modules("src") for name, _ in imports(module, outside)] == []


@pytest.mark.parametrize("folder", packages())
def test_a_folder_is_climbed_in_a_few_floors(folder: str) -> None:
    edges = rooms_of(folder)
    assert cycles(edges) == [], "folders of a folder import each other in a circle"
    assert {room: floor for room, floor in floors(edges).items() if floor > MAX_FLOORS} == {}


@pytest.mark.parametrize("folder", [*packages(), "ai_memory"])
def test_a_folder_is_no_long_list(folder: str) -> None:
    path = SOURCE.joinpath(*folder.split("."))
    files = [file.name for file in path.glob("*.py") if file.name != "__init__.py"]
    assert len(files) <= MAX_MODULES_IN_A_FOLDER, sorted(files)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_file_is_too_long(folder: str) -> None:
    long = {
        str(module.path.relative_to(ROOT)): lines
        for module in modules(folder)
        if (lines := len(module.path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_function_is_too_long(folder: str) -> None:
    long = [
        f"{module.path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines"
        for module in modules(folder)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > MAX_FUNCTION_LINES
    ]
    assert long == []


def test_only_code_is_counted() -> None:
    source = '"""Docs."""\n\n# why\nx = 1\n\n\ndef f() -> int:\n    """Docs,\n    more."""\n    return x  # y\n'
    assert code_lines(source) == 3


def test_every_area_keeps_its_budget() -> None:
    """Whoever needs more raises the number in ARCHITECTURE.md, where a reader sees what it was raised for."""
    used: dict[str, int] = dict.fromkeys(areas(), 0)
    for module in modules("src"):
        if area_of(module.name):
            used[area_of(module.name)] += code_lines(module.path.read_text(encoding="utf-8"))
    over = {name: f"{lines} of {areas()[name].budget}" for name, lines in used.items() if lines > areas()[name].budget}
    assert over == {}
    idle = {
        name: f"{lines} of {areas()[name].budget}"
        for name, lines in used.items()
        if areas()[name].budget > 100 and lines < 0.8 * areas()[name].budget
    }
    assert idle == {}, "a budget that is a fifth larger than its area limits nothing"


def test_the_environment_is_read_in_one_module() -> None:
    readers = {
        module.name
        for module in modules("src")
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv", "expandvars")
    }
    assert readers == {"ai_memory.environment"}


def test_only_adapters_are_asynchronous() -> None:
    """Model, store and index block, so the core is synchronous; an adapter hands its calls to threads."""
    wrong = {
        f"{module.path.relative_to(ROOT)}:{node.lineno}"
        for module in modules("src")
        if area_of(module.name) and areas()[area_of(module.name)].row < FIRST_ASYNC_ROW
        for node in ast.walk(module.tree)
        if isinstance(node, ast.AsyncFunctionDef | ast.Await | ast.AsyncFor | ast.AsyncWith)
    }
    assert wrong == set()


def test_every_operation_has_a_handler() -> None:
    """The two that stream lines are methods of every caller instead."""
    from ai_memory.operations.table import OPERATIONS
    from ai_memory.service.table import HANDLERS

    assert set(HANDLERS) == {operation.name for operation in OPERATIONS if operation.stream is None}
