"""The two distributions: no file in both, what the client imports, what each requires, and which names and extras are mentioned."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ai_memory import __version__, installation
from ai_memory.errors import NotInstalledError
from ai_memory.installation import (
    CLIENT,
    EXTRAS,
    FRAMEWORKS,
    SERVICE,
    install_hint,
    is_installed,
    require,
    require_service,
)

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "src" / "ai_memory"
IMPORTED_AS = {"pyyaml": "yaml"}


def project(folder: Path) -> dict[str, Any]:
    return tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))


SERVICE_PROJECT, CLIENT_PROJECT = project(ROOT), project(ROOT / "client")
REQUIRED: list[str] = SERVICE_PROJECT["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"]


def client_files() -> set[Path]:
    """The files below `src` that the client's wheel has, by the patterns of its own project file."""
    build = CLIENT_PROJECT["tool"]["hatch"]["build"]
    return {path for path in sources() if matches(path, build["include"]) and not matches(path, build["exclude"])}


def matches(path: Path, patterns: list[str]) -> bool:
    """Whether a file is one of those, or below one of the folders; the last pattern that fits decides, and `!` takes out."""
    found = False
    for pattern in patterns:
        name = pattern.lstrip("!").lstrip("/")
        if shown(path) == name or shown(path).startswith(f"{name}/"):
            found = not pattern.startswith("!")
    return found


def sources() -> Iterator[Path]:
    return (path for path in SOURCE.rglob("*") if path.is_file() and path.suffix != ".pyc")


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_names_and_versions_are_the_same_everywhere() -> None:
    assert SERVICE_PROJECT["project"]["name"] == SERVICE
    assert CLIENT_PROJECT["project"]["name"] == CLIENT
    assert SERVICE_PROJECT["project"]["version"] == CLIENT_PROJECT["project"]["version"] == __version__
    for key in ("scripts", "requires-python", "license", "authors"):
        assert SERVICE_PROJECT["project"][key] == CLIENT_PROJECT["project"][key]
    assert (ROOT / "LICENSE").read_bytes() == (ROOT / "client" / "LICENSE").read_bytes()


def test_no_file_is_in_both_wheels() -> None:
    exclude = SERVICE_PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["exclude"]
    assert client_files() == {path for path in sources() if matches(path, exclude)}
    assert len(client_files()) > 50


def test_the_client_imports_only_itself_and_what_it_requires() -> None:
    """Its modules when they are loaded; and for other libraries, its functions too."""
    files = client_files()
    missing, foreign = set(), set()
    for path in files:
        if path.suffix != ".py":
            continue
        for name, at_load in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if name.split(".")[0] != "ai_memory":
                foreign.add(name.split(".")[0])
            elif at_load and not {(ROOT / "src" / name.replace(".", "/")).with_suffix(".py"), package(name)} & files:
                missing.add(f"{shown(path)} imports {name}")
    assert missing == set()
    required = {re.split(r"[^A-Za-z0-9_-]", each)[0] for each in CLIENT_PROJECT["project"]["dependencies"]}
    assert foreign - set(sys.stdlib_module_names) == {IMPORTED_AS.get(name, name) for name in required}


def package(name: str) -> Path:
    return ROOT / "src" / name.replace(".", "/") / "__init__.py"


def imports(tree: ast.AST, at_load: bool = True) -> Iterator[tuple[str, bool]]:
    """Each imported module and whether that happens when the file is loaded; not what only a type checker imports."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from ((alias.name, at_load) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                below = f"{node.module}.{alias.name}"
                is_module = (ROOT / "src" / below.replace(".", "/")).with_suffix(".py").exists() or package(
                    below
                ).exists()
                yield below if is_module else node.module, at_load
        yield from imports(node, at_load and not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_what_the_client_requires_the_service_requires_too() -> None:
    """An editable installation has no client, so its list has to be whole."""
    assert set(CLIENT_PROJECT["project"]["dependencies"]) < set(REQUIRED)


def test_the_base_brings_nothing_that_agent_frameworks_pin() -> None:
    named = {re.split(r"[^A-Za-z0-9_-]", each)[0] for each in REQUIRED}
    assert not named & {"mcp", "pydantic", "pydantic-settings", "httpx", "openai", "torch", "neo4j", "pyarrow"}


def test_every_extra_is_known_and_in_all() -> None:
    extras: dict[str, list[str]] = SERVICE_PROJECT["project"]["optional-dependencies"]
    assert set(extras) == {*EXTRAS, *FRAMEWORKS, "all"}
    (everything,) = extras["all"]
    assert everything == f"{SERVICE}[{','.join(sorted(EXTRAS))}]"
    for extra, module in EXTRAS.items():
        assert module.split(".")[0] in {re.split(r"[^A-Za-z0-9_-]", each)[0] for each in extras[extra]}


def texts() -> Iterator[tuple[str, str]]:
    """Every tracked text file, but pins, results of benchmarks and this test."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode != 0:
        pytest.skip("this is no git checkout, so its files are not known")
    for name in listed.stdout.decode().split("\0"):
        path = ROOT / name
        if not name or path.is_symlink() or not path.is_file() or name == shown(Path(__file__)):
            continue
        try:
            yield name, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


ABOUT_THE_NAME = {"docs/decisions/distribution-name.md", "CHANGELOG.md"}
"""Where the name that the package had before is explained."""


def test_no_file_names_the_package_of_somebody_else() -> None:
    assert [
        name
        for name, text in texts()
        if name not in ABOUT_THE_NAME and re.search("ai-memory-service|ai_memory_service", text)
    ] == []


def test_every_install_command_names_a_distribution_and_an_extra_that_exist() -> None:
    """`pip install NAME[extra]`, `pipx install`, `uv pip install`, `uv tool install`, of this project's own names and folders."""
    commands = re.compile(
        r"(?:pipx|uv tool|pip) install (?:-[-\w]+ )*[\"']?((?:ai[-_]memory[-\w]*|\.)(?:\[[\w,]+\])?)(?=[\"'\s`]|$)"
    )
    seen = []
    for name, text in texts():
        for wanted in commands.findall(text):
            distribution, _, extras = wanted.rstrip("]").partition("[")
            assert distribution in (".", SERVICE, CLIENT), f"{name}: {wanted}"
            assert {*filter(None, extras.split(","))} <= {*EXTRAS, *FRAMEWORKS, "all"}, f"{name}: {wanted}"
            seen.append(name)
    assert "README.md" in seen


def test_hints_of_extras_are_made_by_the_one_function() -> None:
    asked = [
        node.args[0].value
        for path in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("install_hint", "require", "is_installed")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    assert set(asked) == set(EXTRAS)
    written = [shown(path) for path in SOURCE.rglob("*.py") if SERVICE in path.read_text(encoding="utf-8")]
    assert written == ["src/ai_memory/installation.py", "src/ai_memory/store/neo4j/database/connection.py"]


RECORDS = {
    SERVICE: {
        None: "pip install 'ai-memory-local[neo4j]'",
        '{"url": "file:///a%20b/c", "dir_info": {}}': "pip install '/a b/c[neo4j]'",
        '{"url": "file:///c", "dir_info": {"editable": true}}': "pip install -e '/c[neo4j]'",
        '{"url": "https://x/y.git", "vcs_info": {"vcs": "git", "commit_id": "abc"}}': (
            "pip install 'ai-memory-local[neo4j] @ git+https://x/y.git@abc'"
        ),
        '{"url": "file:///x.whl", "archive_info": {}}': "pip install 'ai-memory-local[neo4j] @ file:///x.whl'",
    },
    CLIENT: {
        None: "pip install 'ai-memory-local[neo4j]'",
        '{"url": "file:///c/client", "dir_info": {}}': "pip install '/c[neo4j]'",
        '{"url": "file:///client.whl", "archive_info": {}}': "pip install 'ai-memory-local[neo4j]'",
    },
}


@pytest.mark.parametrize(
    ("name", "recorded", "command"),
    [(name, recorded, command) for name, each in RECORDS.items() for recorded, command in each.items()],
)
def test_the_hint_installs_from_where_this_came_from(
    name: str, recorded: str | None, command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"{name.replace('-', '_')}-{__version__}.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {__version__}\n", encoding="utf-8")
    if recorded is not None:
        (folder / "direct_url.json").write_text(recorded, encoding="utf-8")
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert install_hint("neo4j") == command
    assert shlex.split(install_hint()) == shlex.split(command.replace("[neo4j]", ""))


def test_without_an_installation_the_hint_names_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [])
    assert install_hint() == f"pip install {ROOT}"


def test_what_is_missing_is_refused_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    require_service("this")
    monkeypatch.setitem(sys.modules, "neo4j", None)
    assert not is_installed("neo4j")
    with pytest.raises(NotInstalledError, match="this needs the extra `neo4j`") as refused:
        require("neo4j", "this")
    assert (refused.value.hint, refused.value.details) == (install_hint("neo4j"), {"extra": "neo4j"})
    monkeypatch.setattr(installation, "_SHOWS_THE_SERVICE", "ai_memory.no_such_module")
    with pytest.raises(NotInstalledError, match="only its client is installed") as refused:
        require("neo4j", "this")
    assert refused.value.hint == install_hint("neo4j")


@pytest.mark.parametrize(("file", "there"), [("server/context.py", True), ("server/session.py", False)])
def test_version_1_of_the_mcp_sdk_does_not_count(
    file: str, there: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Frameworks bring it; it has no module of that name."""
    (tmp_path / "mcp" / file).parent.mkdir(parents=True)
    (tmp_path / "mcp" / file).touch()
    (tmp_path / "mcp" / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "mcp", raising=False)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    assert is_installed("mcp") == there
