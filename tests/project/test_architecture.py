"""The shape of the code, held by tests: who may import whom, no cycles, and how long a file and a function may grow."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "ai_memory"
MAX_FILE_LINES = 600
MAX_FUNCTION_LINES = 80
MAX_CORE_LINES = 18_500
MAX_BACKEND_LINES = 2_800
BACKENDS = ("store.neo4j", "embed.remote", "embed.runtime_torch", "embed.torch_", "graph.gliner")
"""What a plain installation never runs: a server's client, another runtime. Each stays small by itself."""

# A row may import rows above it and itself; the areas of one row may not import each other.
ROWS: list[set[str]] = [
    {"types", "errors", "places", "clock", "decoding", "waiting", "installation"},
    {"attributes", "settings", "discovery", "wire"},
    {"text"},
    {"embed", "index", "store"},
    {"recall", "graph"},
    {"operations"},
    {"service"},
    {"wiring"},
    {"asynchronous", "client", "memory", "python", "embedding_model", "bulk", "integrations", "modelcheck"}
    | {"api", "mcp", "cli", "evaluate", "__main__"},
]
# `__init__` only names things (lazily); the adapters below are joined by what a person runs.
ADAPTERS = ROWS[-1]
ALLOWED_BETWEEN_ADAPTERS = {
    ("__main__", "cli"),
    ("asynchronous", "client"),
    ("asynchronous", "memory"),
    ("asynchronous", "python"),
    ("client", "python"),
    ("memory", "python"),
    ("api", "mcp"),
    ("bulk", "embedding_model"),
    ("integrations", "embedding_model"),
    ("modelcheck", "embedding_model"),
    ("cli", "bulk"),
    ("cli", "embedding_model"),
    ("cli", "modelcheck"),
    ("cli", "api"),
    ("cli", "client"),
    ("cli", "evaluate"),
    ("cli", "mcp"),
    ("mcp", "client"),
}


def modules() -> Iterator[tuple[str, Path, ast.Module]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        yield name, path, ast.parse(path.read_text(encoding="utf-8"))


def area(module: str) -> str:
    return module.split(".")[0]


def imports(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Modules of the package that a file imports, as dotted names below `ai_memory`, TYPE_CHECKING blocks included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "ai_memory":
            base = node.module.removeprefix("ai_memory").lstrip(".")
            for alias in node.names:
                below = f"{base}.{alias.name}" if base else alias.name
                yield (below if (PACKAGE / below.replace(".", "/")).with_suffix(".py").exists() else base), node.lineno
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "ai_memory":
                    yield alias.name.removeprefix("ai_memory").lstrip("."), node.lineno


def row_of(name: str) -> int:
    return next(number for number, row in enumerate(ROWS) if name in row)


def test_every_module_has_its_row() -> None:
    known = set().union(*ROWS)
    assert {area(name) for name, _, _ in modules() if name} <= known


def test_a_row_imports_only_rows_above_it() -> None:
    wrong = []
    for name, path, tree in modules():
        if not name:
            continue
        mine = area(name)
        for imported, line in imports(tree):
            theirs = area(imported)
            if not theirs or theirs == mine:
                continue
            sibling = row_of(theirs) == row_of(mine)
            if sibling and mine in ADAPTERS and (mine, theirs) in ALLOWED_BETWEEN_ADAPTERS:
                continue
            if row_of(theirs) > row_of(mine) or (sibling and row_of(mine) > 1):
                wrong.append(f"{path.relative_to(ROOT)}:{line} imports {imported}")
    assert wrong == []


def test_no_import_cycle() -> None:
    graph = {name: {imported for imported, _ in imports(tree) if imported} for name, _, tree in modules() if name}
    state: dict[str, int] = {}
    cycles: list[list[str]] = []

    def visit(name: str, path: list[str]) -> None:
        state[name] = 1
        for target in sorted(graph.get(name, ())):
            if state.get(target) == 1 and target in path:
                cycles.append([*path[path.index(target) :], target])
            elif target not in state:
                visit(target, [*path, target])
        state[name] = 2

    for name in sorted(graph):
        if name not in state:
            visit(name, [name])
    assert cycles == []


@pytest.mark.parametrize("folder", ["src", "tests", "scripts", "benchmarks", "demo"])
def test_no_file_is_too_long(folder: str) -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in (ROOT / folder).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


def test_no_function_is_too_long() -> None:
    long = []
    for folder in ("src", "tests", "scripts", "benchmarks", "demo"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                    lines = (node.end_lineno or node.lineno) - node.lineno + 1
                    if lines > MAX_FUNCTION_LINES:
                        long.append(f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {lines} lines")
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


def test_the_core_stays_small() -> None:
    """The core is every row but the adapters and the backends that a plain installation never runs."""
    lines = {
        name: code_lines(path.read_text(encoding="utf-8")) for name, path, _ in modules() if area(name) not in ADAPTERS
    }
    backends = {prefix: sum(lines.pop(name) for name in list(lines) if name.startswith(prefix)) for prefix in BACKENDS}
    assert sum(lines.values()) < MAX_CORE_LINES
    assert {prefix: count for prefix, count in backends.items() if not 0 < count < MAX_BACKEND_LINES} == {}


def test_only_code_is_counted() -> None:
    assert (
        code_lines('"""Docs."""\n\n# why\nx = 1\n\n\ndef f() -> int:\n    """Docs,\n    more."""\n    return x  # y\n')
        == 3
    )


def test_only_wiring_and_settings_read_the_environment() -> None:
    """`cli` and `mcp` may look up where a running service is before anything heavy is imported; `embed.fetch` hands pip its own
    environment, so that the user's package index is honoured; `embed.openvino_import` sets what oneDNN reads when it is loaded."""
    allowed = {"wiring", "settings", "places", "discovery"}
    readers = [
        str(path.relative_to(ROOT))
        for name, path, tree in modules()
        if name and area(name) not in allowed | {"cli", "mcp"} and name not in ("embed.fetch", "embed.openvino_import")
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv")
    ]
    assert readers == []


def test_every_operation_is_a_method_of_the_service() -> None:
    from ai_memory.operations.table import OPERATIONS
    from ai_memory.service.service import Service

    assert [operation.name for operation in OPERATIONS if not callable(getattr(Service, operation.name, None))] == []
