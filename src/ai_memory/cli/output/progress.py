"""Progress bars, on a terminal only."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ai_memory.cli.output.screen import Screen


@contextmanager
def progress(screen: Screen, label: str, unit: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A bar on standard error while the block runs; call the yielded function with the number of further items done."""
    if not screen.shows_progress:
        yield _unseen
        return
    from tqdm import tqdm

    with tqdm(desc=label, total=total, unit=unit, unit_scale=unit == "B", dynamic_ncols=True, leave=False) as bar:

        def advance(more: int) -> None:
            bar.update(more)

        yield advance


def _unseen(more: int) -> None:
    del more
