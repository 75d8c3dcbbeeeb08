"""Where things lie on this machine, known without reading any settings: cheap enough for the command line's fast path."""

from __future__ import annotations

from pathlib import Path

APPLICATION = "ai-memory"
ENVIRONMENT_PREFIX = "AI_MEMORY_"
SERVICE_FILE = "service.json"
"""Written into the data folder by a running server: `{"url", "pid", "version"}`."""


def default_data_dir() -> Path:
    """The platform's folder for this user's application data."""
    import platformdirs  # 40 ms that a command with a folder of its own need not pay

    return Path(platformdirs.user_data_dir(APPLICATION, appauthor=False))


def default_config_file() -> Path:
    """The platform's place for this user's configuration."""
    import platformdirs

    return Path(platformdirs.user_config_dir(APPLICATION, appauthor=False)) / "config.toml"
