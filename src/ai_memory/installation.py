"""What is installed here: the names of the two distributions, their extras, and the command that adds what is missing.

This is the only place that names the distributions, so that no message can name a package of somebody else.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ai_memory.errors import NotInstalledError

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

SERVICE = "ai-memory-local"
"""The distribution with everything: store, engine, REST, command line and Python."""
CLIENT = "ai-memory-local-client"
"""The distribution with the client and the command line for a service elsewhere; the other one contains it."""
EXTRAS = {
    "documents": "pypdf",
    "gpu": "torch",
    "mcp": "mcp.server.context",
    "neo4j": "neo4j",
    "parquet": "pyarrow",
    "ray": "ray",
}
"""The module that shows whether an extra is installed; the extra `all` is all of them. For `mcp` it is one that only version 2 of
the SDK has: frameworks that require version 1 bring that, and this package cannot use it."""
FRAMEWORKS = (
    "agent-framework",
    "anthropic",
    "autogen",
    "crewai",
    "haystack",
    "langchain",
    "langgraph",
    "llamaindex",
    "openai-agents",
    "pydantic-ai",
)
"""The extras that bring a framework with which a module of `ai_memory.integrations` works; `all` has none of them."""
_SHOWS_THE_SERVICE = "ai_memory.wiring"


def install_hint(extra: str | None = None) -> str:
    """The command that installs the service here, with an extra, from where this installation came from.

    That is a checkout, a file, a repository or, where nothing else is recorded, the package index: an installation from a
    checkout must not be completed with whatever an index has under this name.
    """
    assert extra is None or extra in EXTRAS
    from shlex import quote

    with_extra = f"[{extra}]" if extra else ""
    origin, editable = _origin()
    if origin is None:
        return f"pip install {quote(SERVICE + with_extra)}"
    if isinstance(origin, Path):
        return f"pip install {'-e ' if editable else ''}{quote(str(origin) + with_extra)}"
    return f"pip install {quote(f'{SERVICE}{with_extra} @ {origin}')}"


def _find(name: str) -> ModuleSpec | None:
    from importlib.util import find_spec  # a command that needs no extra does without it

    return find_spec(name)


def is_installed(extra: str) -> bool:
    """Whether the module of an extra is there. Nothing is imported: `find_spec` would import the packages around the module."""
    package, *below = EXTRAS[extra].split(".")
    found = _find(package)
    if found is None or not below:
        return found is not None
    folders = found.submodule_search_locations or ()
    return any(Path(folder, *below).with_suffix(".py").is_file() for folder in folders)


def require(extra: str, what: str) -> None:
    """Raise NotInstalledError where an extra that `what` needs is not installed."""
    require_service(what, extra)
    if not is_installed(extra):
        command = install_hint(extra)
        raise NotInstalledError(f"{what} needs the extra `{extra}`: {command}", hint=command, extra=extra)


def require_service(what: str, extra: str | None = None) -> None:
    """Raise NotInstalledError where `what` needs the service, with an extra, and only the client is installed."""
    if _find(_SHOWS_THE_SERVICE) is None:
        command = install_hint(extra)
        raise NotInstalledError(f"{what} needs the service, and only its client is installed: {command}", hint=command)


def _origin() -> tuple[Path | str | None, bool]:
    """Where the service can be installed from: a checkout, an address, or None for the index; and whether it is editable."""
    import json
    from importlib import metadata  # 20 ms that only a message needs

    for name in (SERVICE, CLIENT):
        try:
            recorded = metadata.distribution(name).read_text("direct_url.json")
        except metadata.PackageNotFoundError:
            continue
        return (None, False) if recorded is None else _recorded(json.loads(recorded), name)
    checkout = Path(__file__).resolve().parents[2]  # run from its sources, without an installation
    return (checkout if (checkout / "pyproject.toml").is_file() else None), False


def _recorded(origin: dict[str, object], name: str) -> tuple[Path | str | None, bool]:
    """The origin that an installer recorded (direct_url.json, PEP 610)."""
    url = str(origin.get("url", ""))
    folder, repository = origin.get("dir_info"), origin.get("vcs_info")
    if isinstance(folder, dict):
        path = Path(unquote(urlsplit(url).path))
        return (path if name == SERVICE else path.parent), bool(folder.get("editable", False))
    if isinstance(repository, dict):
        return f"{repository['vcs']}+{url}@{repository['commit_id']}", False
    return (url if name == SERVICE else None), False
