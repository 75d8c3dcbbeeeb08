"""Each dependency has its line in the decisions, and each line its dependency; what is imported is declared."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from itertools import chain
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
IMPORTED_AS = {
    "agent-framework-core": "agent_framework",
    "haystack-ai": "haystack",
    "llama-index-core": "llama_index",
    "openai-agents": "agents",
    "pydantic-ai-slim": "pydantic_ai",
    "pystemmer": "Stemmer",
    "python-docx": "docx",
    "pyyaml": "yaml",
}
BROUGHT_ALONG = {"huggingface_hub", "langchain_core", "mcp_types", "pip", "typing_extensions"}
"""Imported although another dependency brings it: huggingface_hub by tokenizers, langchain_core by langchain, mcp_types by mcp; pip
downloads the model where it is there; only type checkers, which have it built in, read typing_extensions."""


def declared() -> set[str]:
    """The names of all dependencies and of those of extras, but for the extra `all`, which names this project."""
    written = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    base = written["tool"]["hatch"]["metadata"]["hooks"]["custom"]["dependencies"]
    listed = [*base, *chain.from_iterable(written["project"]["optional-dependencies"].values())]
    return {re.split(r"[^A-Za-z0-9_.-]", each, maxsplit=1)[0] for each in listed} - {written["project"]["name"]}


def imported() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                found.update(alias.name.split(".")[0] for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                found.add(node.module.split(".")[0])
    return found - set(sys.stdlib_module_names) - {"ai_memory"}


def test_every_dependency_has_its_line() -> None:
    page = (ROOT / "docs" / "decisions" / "dependencies.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \|", page, re.MULTILINE)) == declared()


def test_what_is_imported_is_declared() -> None:
    names = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in declared()}
    assert imported() - names - BROUGHT_ALONG == set()
