"""Default locations on this machine, known without reading settings: cheap enough for the command line's fast path."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

APPLICATION = "ai-memory"
ENVIRONMENT_PREFIX = "AI_MEMORY_"
SERVICE_FILE = "service.json"
"""Written into the data folder by a running server: `{"url", "pid", "version"}`."""


def default_data_dir() -> Path:
    """The platform's folder for this user's application data."""
    import platformdirs  # imported late: it costs 40 ms, which a command with an explicit folder does not need

    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def default_config_file() -> Path:
    """The platform's place for this user's configuration."""
    import platformdirs

    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "config.toml"


@dataclass(frozen=True, kw_only=True)
class ModelPlaces:
    """Where models may be in addition to the data folder."""

    gemma: Path | None = None
    """EmbeddingGemma's own folder, where the user has named it."""
    folders: tuple[Path, ...] = ()
    """Folders that hold model folders."""
    hub: Path | None = None
    """The cache of the Hugging Face hub, which other programs fill."""


def model_places() -> ModelPlaces:
    """What the environment and the current folder say: EMBEDDINGGEMMA_MODEL_PATH, ./models, and the hub's cache where its own
    variables (HF_HUB_CACHE, HF_HOME, XDG_CACHE_HOME) put it.
    """
    named = os.environ.get("EMBEDDINGGEMMA_MODEL_PATH")
    caches = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    home = Path(os.environ.get("HF_HOME") or caches / "huggingface")
    hub = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    return ModelPlaces(
        gemma=Path(named).expanduser() if named else None, folders=(Path("models").absolute(),), hub=hub.expanduser()
    )
