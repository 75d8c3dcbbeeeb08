"""`model info`: the model that the settings or the options choose."""

from __future__ import annotations

import argparse

from ai_memory.cli import exits
from ai_memory.cli.model_options import add_model_options, open_model
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.target import Choices, settings_for


def add(parser: argparse.ArgumentParser) -> None:
    """The model."""
    add_model_options(parser)


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """Show what it is and what it would run on; the weights are not loaded."""
    settings = settings_for(Choices.of(arguments))
    if arguments.model is None and settings.model == "none":
        screen.value({"model": None}, ["no model: the setting `model` is none, so recall is lexical only"])
        return exits.OK
    from ai_memory.errors import EmbedderUnavailableError

    try:
        model = open_model(arguments)
    except EmbedderUnavailableError as error:
        screen.value({"model": None, "looked_at": error.details.get("looked_at")}, [error.message, str(error.hint)])
        return exits.OK
    from ai_memory.embed.runtimes.tuning import kept
    from ai_memory.modelcheck.tune import shown

    info = model.info
    tuned = kept(settings.cache_dir, info.revision, info.dtype, model.threads) if info.device == "cpu" else None
    passes = shown(tuned) if info.device == "cpu" else {}
    value = {
        "model": info.name,
        "folder": str(info.folder),
        "revision": info.revision,
        "runtime": info.runtime,
        "device": info.device,
        "dtype": info.dtype,
        "dimension": info.dimension,
        "dimensions": list(info.dimensions),
        "max_tokens": info.max_tokens,
        "licence": info.licence,
        **passes,
        "prompts": info.prompts,
    }
    lines = [f"{name}: {_shown(given)}" for name, given in value.items() if name != "prompts"]
    lines += [f"prompt for {task}: {prompt!r}" for task, prompt in info.prompts.items() if prompt]
    screen.value(value, lines)
    return exits.OK


def _shown(value: object) -> str:
    if isinstance(value, dict):
        speeds = ", ".join(f"{size}: {speed:,}" for size, speed in value.items())
        return speeds or "not measured on this machine (ai-memory model bench --tune)"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value) if value != "" else "unknown"
