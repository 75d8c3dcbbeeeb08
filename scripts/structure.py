"""The structure of the code as it is: modules, imports, areas and their rows. ARCHITECTURE.md's picture and its test use this."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src"
FOLDERS = ("src", "tests", "scripts", "benchmarks", "demo")
_BASES = {"src": SOURCE, "tests": ROOT, "scripts": ROOT / "scripts", "benchmarks": ROOT, "demo": ROOT}
"""Where the dotted names of a folder's modules begin."""


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
        parts = path.relative_to(_BASES[folder]).with_suffix("").parts
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
