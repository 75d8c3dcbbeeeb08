"""`model use`: writes the choice of a model into the settings file."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.settings_file import write_setting
from ai_memory.cli.target import Choices, config_file, settings_for
from ai_memory.environment import PREFIX, setting_variable
from ai_memory.errors import EmbedderUnavailableError
from ai_memory.places import default_config_file, model_places

_WITHOUT_FOLDER = ("auto", "none")


def add(parser: argparse.ArgumentParser) -> None:
    """The model."""
    parser.add_argument("name", help="auto, none, a known model that was fetched, or a model folder")


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Check that the model exists, then write its name; everything else in the file stays unchanged."""
    from ai_memory.embed.models.locate import find_model, places

    choices = Choices.of(arguments)
    settings = settings_for(choices)
    chosen = str(arguments.name)
    if chosen not in _WITHOUT_FOLDER:
        folder = find_model(chosen, settings.data_dir, model_places())
        if folder is None:
            looked = ", ".join(map(str, places(chosen, settings.data_dir, model_places())))
            raise EmbedderUnavailableError(
                f"{chosen} was not found; looked at {looked}", hint=f"ai-memory model fetch {chosen}"
            )
        chosen = folder.known.name if folder.known and folder.name == folder.known.name else str(folder.path.absolute())
    file = config_file(choices) or default_config_file()
    write_setting(file, "model", chosen)
    screen.value({"model": chosen, "settings": str(file)}, [f"{file} now says: model = {chosen!r}"])
    if setting_variable("model"):
        screen.note(f"{PREFIX}MODEL is set and has precedence over the file")
    screen.note(
        "a running service reads it at its next start; a store with vectors of another model needs: ai-memory reembed"
    )
    return exits.OK
