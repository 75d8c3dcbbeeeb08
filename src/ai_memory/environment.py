"""The process environment: read, and added to, in this module alone."""

from __future__ import annotations

import os

PREFIX = "AI_MEMORY_"
"""What the names of the settings' variables begin with."""


OF_CLIENTS = frozenset({"url", "config", "namespace", "api_key", "data_dir"})
"""Names behind the prefix that the command line and MCP read to find a service; all but the last are no settings."""


def variable(name: str) -> str:
    """The value of a variable; empty if it is unset, which means the same everywhere here."""
    return os.environ.get(name, "")


def setting_variable(name: str) -> str:
    """The value of a setting's variable, such as AI_MEMORY_URL for `url`, in any letter case; empty if it is unset."""
    wanted = PREFIX + name.upper()
    if found := os.environ.get(wanted):
        return found
    return next((value for given, value in os.environ.items() if value and given.upper() == wanted), "")


def variables() -> dict[str, str]:
    """A copy of all variables."""
    return dict(os.environ)


def names() -> set[str]:
    """What the names of all variables have behind the prefix, in lower case; those without the prefix are left out."""
    return {name.upper().removeprefix(PREFIX).lower() for name in os.environ if name.upper().startswith(PREFIX)}


def set_default(name: str, value: str) -> None:
    """Give a variable a value unless the user has set one: for libraries that have no other option."""
    os.environ.setdefault(name, value)
