"""The built distributions in fresh environments: each alone, both, one taken away and put back; remember and recall in each.

Needs a package index for the build backend and the dependencies; skips with the reason where there is none.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tarfile
import venv
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ai_memory import __version__
from ai_memory.installation import CLIENT, SERVICE
from tests.support.serving import environment, running_service

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.xdist_group("packages")]

ROOT = Path(__file__).resolve().parents[2]
CLIENT_MEGABYTES = 40
TEXT, QUESTION = "Mira is allergic to hazelnuts", "what can Mira not eat? hazelnuts?"
OWN_TOOLS = ("pip", "setuptools", "_distutils_hack", "pkg_resources", "distutils-precedence")
"""What a new environment has before anything is installed."""


class Environment:
    """A new virtual environment with pip."""

    def __init__(self, folder: Path, packages: Path) -> None:
        venv.create(folder, with_pip=True, symlinks=True)
        self._bin = folder / "bin"
        self._packages = packages
        self._outside = folder.parent
        self.data_dir = folder / "home" / "data"

    def run(
        self, *words: str, check: bool = True, more: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """One program of the environment, away from the checkout."""
        variables = environment(self.data_dir, **(more or {}))
        variables.pop("PYTHONPATH", None)
        done = subprocess.run(
            [str(self._bin / words[0]), *words[1:]],
            cwd=self._outside,
            env=variables,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            timeout=500,
        )
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done

    def pip(self, *words: str) -> None:
        self.run("python", "-m", "pip", "--disable-pip-version-check", "--quiet", *words)

    def install(self, *names: str) -> None:
        self.pip("install", "--find-links", str(self._packages), "-c", str(ROOT / "constraints.txt"), *names)

    def command(self, *words: str, **more: str) -> Any:
        """The JSON of an `ai-memory` command."""
        return json.loads(self.run("ai-memory", *words, "--json", more=more).stdout)

    def megabytes(self) -> float:
        """What has been installed into the environment."""
        (packages,) = self._bin.parent.glob("lib/python*/site-packages")
        files = (path for path in packages.rglob("*") if not path.relative_to(packages).parts[0].startswith(OWN_TOOLS))
        return sum(path.stat().st_size for path in files if path.is_file()) / 1e6


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `make dist` fills, built as it does."""
    folder = tmp_path_factory.mktemp("dist")
    probe = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--dest",
        str(folder / "probe"),
        "hatchling",
    ]
    reached = subprocess.run(probe, capture_output=True, text=True, check=False, timeout=120)
    if reached.returncode != 0:
        pytest.skip(f"no package index can be reached: {(reached.stderr.strip().splitlines() or ['?'])[-1]}")
    for place in ("client", "."):
        build = [sys.executable, "-m", "build", "--outdir", str(folder), place]
        done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def service(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An environment with the service, from its wheel."""
    made = Environment(tmp_path_factory.mktemp("service") / "env", packages)
    made.install(SERVICE)
    return made


@pytest.fixture
def client(packages: Path, tmp_path: Path) -> Environment:
    """An environment with the client alone, from its wheel."""
    made = Environment(tmp_path / "env", packages)
    made.install(CLIENT)
    return made


def wheel(packages: Path, name: str) -> Path:
    return packages / f"{name.replace('-', '_')}-{__version__}-py3-none-any.whl"


def test_together_the_wheels_have_every_file_of_the_source_once(packages: Path) -> None:
    names = [sorted(zipfile.ZipFile(wheel(packages, each)).namelist()) for each in (SERVICE, CLIENT)]
    sources = {path.relative_to(ROOT / "src").as_posix() for path in (ROOT / "src").rglob("*") if path.is_file()}
    sources = {name for name in sources if "__pycache__" not in name}
    every = [name for each in names for name in each if "dist-info" not in name]
    pages = {f"ai_memory/docs/{path.name}" for path in (ROOT / "docs").glob("*.md")}
    plugins = {
        f"ai_memory/{path.relative_to(ROOT).as_posix()}" for path in (ROOT / "plugins").rglob("*") if path.is_file()
    }
    assert len(every) == len(set(every))
    assert set(every) == sources | pages | plugins


def test_the_sdists_have_what_their_wheels_are_built_from(packages: Path) -> None:
    for name, file in ((SERVICE, "src/ai_memory/wiring/stores.py"), (CLIENT, "src/ai_memory/remote.py")):
        stem = f"{name.replace('-', '_')}-{__version__}"
        with tarfile.open(packages / f"{stem}.tar.gz") as archive:
            assert {f"{stem}/{each}" for each in (file, "LICENSE", "README.md", "pyproject.toml")} <= set(
                archive.getnames()
            )


def test_the_client_alone_works_with_a_service_elsewhere(client: Environment, tmp_path: Path) -> None:
    assert client.megabytes() < CLIENT_MEGABYTES
    with running_service(tmp_path / "elsewhere" / "data") as url:
        assert client.command("remember", TEXT, AI_MEMORY_URL=url)["outcome"] == "stored"
        assert client.command("recall", QUESTION, AI_MEMORY_URL=url)["hits"][0]["memory"]["text"] == TEXT
        program = (
            "import asyncio, sys; from ai_memory import AsyncClient, Client\n"
            "with Client(sys.argv[1]) as client: print(client.recall(sys.argv[2]).hits[0].memory.text)\n"
            "async def ask():\n"
            "    async with AsyncClient(sys.argv[1]) as client: print((await client.stats()).memories)\n"
            "asyncio.run(ask())\n"
            "print(sorted({'numpy', 'openvino', 'mcp', 'pydantic', 'starlette'} & set(sys.modules)))\n"
        )
        assert client.run("python", "-c", program, url, QUESTION).stdout.splitlines() == [TEXT, "1", "[]"]
    for words in (("recall", "x"), ("serve",), ("mcp",), ("model", "list"), ("graph", "--svg", "a.svg")):
        refused = client.run("ai-memory", *words, check=False)
        assert (refused.returncode, refused.stderr.count("\n")) == (10, 1), refused.stderr
        assert "pip install" in refused.stderr
        assert SERVICE in refused.stderr
    for name in ("Memory()", "EmbeddingModel()"):
        refused = client.run("python", "-c", f"import ai_memory; ai_memory.{name}", check=False)
        assert "NotInstalledError" in refused.stderr
        assert SERVICE in refused.stderr


def remembers_and_recalls(made: Environment, **more: str) -> None:
    """In a store of the environment's own, through the command line."""
    assert made.command("remember", TEXT, **more)["outcome"] in ("stored", "duplicate_of")
    assert made.command("recall", QUESTION, **more)["hits"][0]["memory"]["text"] == TEXT


def test_the_service_remembers_and_recalls_with_the_model(service: Environment, request: pytest.FixtureRequest) -> None:
    """Where the small model can be had; the other tests here recall lexically."""
    folder = request.getfixturevalue("minilm_folder")
    with_model = {"AI_MEMORY_MODEL": str(folder.path), "AI_MEMORY_DATA_DIR": str(service.data_dir.with_name("model"))}
    remembers_and_recalls(service, **with_model)
    stats = service.command("stats", **with_model)
    assert (stats["pending"], stats["embedder"]["model"]) == (0, "all-MiniLM-L6-v2")


def test_the_service_has_no_mcp_and_nothing_that_agent_frameworks_pin(service: Environment) -> None:
    listed = json.loads(service.run("python", "-m", "pip", "list", "--format=json").stdout)
    installed = {each["name"].lower() for each in listed}
    assert {SERVICE, CLIENT} <= installed
    assert not installed & {"mcp", "pydantic", "pydantic-settings", "httpx", "openai", "torch"}
    refused = service.run("ai-memory", "mcp", check=False)
    assert (refused.returncode, refused.stderr.count("\n")) == (10, 1)
    assert f"pip install '{SERVICE}[mcp]'" in refused.stderr


def test_either_can_be_taken_away_and_put_back(service: Environment) -> None:
    remembers_and_recalls(service)
    service.pip("uninstall", "--yes", SERVICE)
    client_left = "from ai_memory import Client; Client().close()"
    service.run("python", "-c", client_left)
    assert service.run("python", "-m", "ai_memory", "--version").stdout == f"ai-memory {__version__}\n"
    service.install(SERVICE)
    remembers_and_recalls(service)
    service.pip("uninstall", "--yes", CLIENT)
    broken = service.run("python", "-m", "pip", "check", check=False)
    assert f"requires {CLIENT}, which is not installed" in broken.stdout
    service.install(CLIENT)
    remembers_and_recalls(service)
    service.pip("check")


def test_the_checkout_installs_both_and_hints_name_it(service: Environment) -> None:
    """The last test here: it leaves the environment with what the checkout installs."""
    service.pip("uninstall", "--yes", SERVICE, CLIENT)
    service.pip("install", str(ROOT))
    remembers_and_recalls(service)
    refused = service.run("ai-memory", "mcp", check=False)
    assert f"pip install '{ROOT}[mcp]'" in refused.stderr
    service.pip("check")
