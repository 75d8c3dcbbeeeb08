"""The shape of the code: ARCHITECTURE.md says it, and these tests hold the code to it, without exceptions."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src"
PACKAGE = SOURCE / "ai_memory"
FOLDERS = ("src", "tests", "scripts", "benchmarks", "demo")
BASES = {"src": SOURCE, "tests": ROOT, "scripts": ROOT / "scripts", "benchmarks": ROOT, "demo": ROOT}
"""Where the dotted names of a folder's modules begin."""

MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_MODULES_IN_A_FOLDER = 16
MAX_FLOORS = 6
FIRST_ASYNC_ROW = 9
"""Rows above it are synchronous: an event loop is the adapters' business."""


class Area(NamedTuple):
    """One line of ARCHITECTURE.md's table: a folder or module directly below `ai_memory`."""

    name: str
    row: int
    budget: int
    """The most lines of code that it may have."""


class Module(NamedTuple):
    """One file of Python."""

    name: str
    path: Path
    tree: ast.Module


@cache
def areas() -> Mapping[str, Area]:
    """The table of ARCHITECTURE.md: `| row | areas | what | lines of code, at most |`."""
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    found: dict[str, Area] = {}
    for row, names, budgets in re.findall(r"^\| (\d+) \| (.+?) \| .+ \| ([\d,· ]+) \|$", text, re.MULTILINE):
        each = [name.rstrip("/") for name in re.findall(r"`([\w/]+)`", names)]
        limits = [int(limit.replace(",", "")) for limit in budgets.split("·")]
        assert len(each) == len(limits), f"one budget for each area: {names}"
        found.update((name, Area(name, int(row), limit)) for name, limit in zip(each, limits, strict=True))
    return found


@cache
def modules(folder: str) -> tuple[Module, ...]:
    """The Python files of a folder with their dotted names; a package's is that of its folder."""
    found = []
    for path in sorted((ROOT / folder).rglob("*.py")):
        parts = path.relative_to(BASES[folder]).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(name, path, ast.parse(path.read_text(encoding="utf-8"))))
    return tuple(found)


def imports(module: Module, known: Iterable[str]) -> Iterator[tuple[str, int]]:
    """The modules among `known` that a file imports, with the line; those under TYPE_CHECKING too."""
    names = set(known)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                yield from (
                    (name, node.lineno) for name in (below if below in names else node.module,) if name in names
                )
        elif isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names if alias.name in names)


@cache
def graph(*folders: str) -> Mapping[str, frozenset[str]]:
    """For each module the modules that it imports."""
    everything = [module for folder in folders for module in modules(folder)]
    known = {module.name for module in everything}
    return {module.name: frozenset(name for name, _ in imports(module, known)) for module in everything}


def area_of(name: str) -> str:
    """`recall` for ai_memory.recall.plan; empty for the package itself, which only names things, lazily."""
    return name.partition(".")[2].partition(".")[0]


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


def cycles(edges: Mapping[str, Iterable[str]]) -> list[list[str]]:
    """Closed paths, each found once, by depth-first search."""
    state: dict[str, int] = {}
    found: list[list[str]] = []

    def visit(name: str, path: list[str]) -> None:
        state[name] = 1
        for target in sorted(edges.get(name, ())):
            if state.get(target) == 1 and target in path:
                found.append([*path[path.index(target) :], target])
            elif target not in state:
                visit(target, [*path, target])
        state[name] = 2

    for name in sorted(edges):
        if name not in state:
            visit(name, [name])
    return found


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


def floors(edges: Mapping[str, Iterable[str]]) -> dict[str, int]:
    """How high each room is: one above the highest that it imports."""
    height: dict[str, int] = {}

    def of(name: str) -> int:
        if name not in height:
            height[name] = 1 + max((of(target) for target in edges[name] if target in edges), default=0)
        return height[name]

    for name in edges:
        of(name)
    return height


def rooms_of(folder: str) -> dict[str, set[str]]:
    """The files and folders directly below a package, and which of the others each imports."""
    inside = {name: targets for name, targets in graph("src").items() if name.startswith(folder + ".")}

    def room(name: str) -> str:
        return name.removeprefix(folder + ".").partition(".")[0]

    edges: dict[str, set[str]] = {room(name): set() for name in inside}
    for name, targets in inside.items():
        edges[room(name)] |= {room(target) for target in targets if target in inside} - {room(name)}
    return edges


def packages() -> list[str]:
    """Every folder of the package below `ai_memory` itself."""
    return [module.name for module in modules("src") if module.path.name == "__init__.py" and "." in module.name]


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


def code_lines(source: str) -> int:
    """Lines that hold code: neither blank, nor comment alone, nor docstring (docs/decisions/size-of-the-core.md)."""
    layout = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in layout:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return len(lines)


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
