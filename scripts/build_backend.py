"""Builds the distribution of the service: hatchling, and the client that the wheel needs.

Two distributions share the package folder `ai_memory`: the client's wheel has the client's modules, the service's wheel has the
others and requires the client of the same version (docs/decisions/two-distributions.md). Which client that is depends on what is
built, and so do the dependencies:

    a wheel from a checkout          the client in the folder `client` of the same checkout
    an sdist, or a wheel from one    the client of the same version, from the index
    an editable installation         none: all modules are read from `src`, and a second copy would hide them
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hatchling import build as hatchling
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).resolve().parents[1]
CLIENT = "ai-memory-local-client"
_BUILT = "AI_MEMORY_BUILT"
"""What is being built; hatchling loads this file a second time as a plugin, and only the environment is common to both."""


class Dependencies(MetadataHookInterface):
    """Adds the client to the dependencies that pyproject.toml lists for this hook."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `dependencies` in the project's metadata."""
        metadata["dependencies"] = [*self.config["dependencies"], *_client(str(metadata["version"]))]


def _client(version: str) -> list[str]:
    built = os.environ.get(_BUILT, "wheel")
    if built == "editable":
        return []
    if built == "sdist" or (ROOT / "PKG-INFO").exists():
        return [f"{CLIENT}=={version}"]
    return [f"{CLIENT} @ {(ROOT / 'client').as_uri()}"]


def _build(what: str, function: str, *arguments: Any) -> Any:
    os.environ[_BUILT] = what
    return getattr(hatchling, function)(*arguments)


def get_requires_for_build_sdist(config_settings: Any = None) -> Any:
    """As PEP 517 says."""
    return _build("sdist", "get_requires_for_build_sdist", config_settings)


def build_sdist(sdist_directory: str, config_settings: Any = None) -> Any:
    """As PEP 517 says."""
    return _build("sdist", "build_sdist", sdist_directory, config_settings)


def get_requires_for_build_wheel(config_settings: Any = None) -> Any:
    """As PEP 517 says."""
    return _build("wheel", "get_requires_for_build_wheel", config_settings)


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> Any:
    """As PEP 517 says."""
    return _build("wheel", "build_wheel", wheel_directory, config_settings, metadata_directory)


def get_requires_for_build_editable(config_settings: Any = None) -> Any:
    """As PEP 660 says."""
    return _build("editable", "get_requires_for_build_editable", config_settings)


def build_editable(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> Any:
    """As PEP 660 says."""
    return _build("editable", "build_editable", wheel_directory, config_settings, metadata_directory)
