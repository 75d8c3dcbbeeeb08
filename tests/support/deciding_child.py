"""A process whose service decides in the background until it is killed, with small batches, a short lease and no pause.

Run as `python deciding_child.py DATA_DIR STORE PASSWORD`. It prints a line when it has opened the store, and one after each batch.
"""

from __future__ import annotations

import datetime as dt
import os
import sys
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ai_memory.clock import SystemClock
from ai_memory.service.handlers.ageing import runner
from ai_memory.service.handlers.ageing.kinds import KINDS, Kind
from ai_memory.service.parts import Parts
from ai_memory.service.service import Service
from ai_memory.settings import Settings
from ai_memory.truth.ageing import Background
from ai_memory.wiring import open_store

LIMITS = Background(erase_after=dt.timedelta(0), lapse_after=dt.timedelta(0), share=1.0, per_hour=1_000_000)


def telling(kind: Kind) -> Kind:
    """The kind, which says when it begins a batch: a kill that follows falls anywhere into it."""

    def carry_out(parts: Parts, namespace: str, due: Sequence[Any]) -> int:
        os.write(1, f"{kind.name}\n".encode())
        return kind.carry_out(parts, namespace, due)

    return replace(kind, carry_out=carry_out)


def main(folder: str, store: str, password: str) -> None:
    runner.BATCH = 2
    runner.LEASE = dt.timedelta(seconds=0.3)
    runner.EVERY_SECONDS = 0.01
    settings = Settings(data_dir=Path(folder), store=store, store_password=password)  # type: ignore[arg-type]
    service = Service(open_store(settings, SystemClock()), None, background=LIMITS, ahead_seconds=1.0)
    os.write(1, b"ready\n")
    telling_runner = runner.Runner([telling(kind) for kind in KINDS])
    while not threading.Event().wait(runner.EVERY_SECONDS):
        telling_runner.once(service._parts)


if __name__ == "__main__":
    main(*sys.argv[1:])
