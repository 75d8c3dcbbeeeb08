"""`model bench`: how fast a model runs on this machine."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ai_memory.cli import exits
from ai_memory.cli.model_options import add_model_options, open_model
from ai_memory.cli.output.layout import table
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for

if TYPE_CHECKING:
    from ai_memory.modelcheck.bench import Row


def add(parser: argparse.ArgumentParser) -> None:
    """The model, and for how long to measure."""
    parser.add_argument("--seconds", type=float, default=2.0, metavar="S", help="seconds per row (default: 2)")
    parser.add_argument(
        "--tune",
        action="store_true",
        help="measure passes of 512 to 2,048 tokens instead, and from then on use the best size on this machine",
    )
    add_model_options(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Measure the rows that the original service printed, and show its figures next to them; or find the best size of a pass."""
    if arguments.tune:
        return _tune(arguments, screen)
    with open_model(arguments) as model:
        from ai_memory.modelcheck.bench import bench, processor

        rows = []
        with progress(screen, "measuring", " rows") as advance:
            for row in bench(model, seconds=arguments.seconds):
                rows.append(row)
                advance(1)
        info, machine = model.info, processor()
    value = {
        "model": info.name,
        "dtype": info.dtype,
        "runtime": info.runtime,
        "device": info.device,
        "dimension": info.dimension,
        "machine": machine,
        "rows": [{name: getattr(row, name) for name in row.__dataclass_fields__} for row in rows],
    }
    lines = [f"{info.name}, {info.dtype} on {info.runtime} ({info.device}): {machine}", ""]
    headers = ("", "median", "texts/s", "the original service's", "runs", "tokens per run")
    lines += table(headers, [_cells(row) for row in rows], screen.width, right=(1, 2, 3, 4, 5))
    screen.value(value, lines)
    return exits.OK


def _tune(arguments: argparse.Namespace, screen: Screen) -> int:
    cache = settings_for(Choices.of(arguments)).cache_dir
    with open_model(arguments) as model:
        info, threads = model.info, model.threads
    from ai_memory.modelcheck.tune import shown, tune

    with progress(screen, "measuring", " ways") as advance:
        tuned = tune(info, threads=threads, cache=cache, seconds=4 * arguments.seconds, advance=advance)
    value = {"model": info.name, "dtype": info.dtype, **shown(tuned)}
    lines = [f"{info.name}, {info.dtype}: {tuned.machine}", ""]
    rows = [(f"{size:,}", f"{speed:,.0f}") for size, speed in sorted(tuned.tokens_per_second.items())]
    lines += table(("tokens of a pass", "tokens/s"), rows, screen.width, right=(0, 1))
    lines += ["", f"From now on passes have {tuned.shared:,} tokens, and {tuned.alone:,} for a caller who is alone."]
    screen.value(value, lines)
    return exits.OK


def _cells(row: Row) -> tuple[str, ...]:
    value = f"{row.value:.3f}" if row.unit == "cosine" else f"{row.value:,.1f} {row.unit}"
    return (
        row.name,
        value,
        "" if row.texts_per_second is None else f"{row.texts_per_second:,.1f}",
        "" if row.original is None else f"{row.original:,.1f}",
        str(row.runs) if row.tokens else "",
        str(row.tokens) if row.tokens else "",
    )
