"""The folders of the benchmarks, and services to measure."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from benchmarks.figures import ROOT

KEPT = ROOT / ".cache" / "bench"
"""Stores and the peers' environments, kept between runs; may be deleted to start from scratch."""
MODEL = ROOT / ".cache" / "models" / "all-MiniLM-L6-v2"


@contextmanager
def fresh_folder() -> Iterator[Path]:
    """A folder on the disk of the kept stores, deleted at the end."""
    KEPT.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="fresh-", dir=KEPT))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_service(**fields: Any) -> Iterator[Service]:
    """A service over an empty store."""
    with fresh_folder() as folder:
        service = open_service(Settings(data_dir=folder, **fields))
        try:
            yield service
        finally:
            service.close()
