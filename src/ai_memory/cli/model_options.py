"""The options of commands that run a model in this process, and the model that they choose."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ai_memory.cli.target import Choices, settings_for

if TYPE_CHECKING:
    from ai_memory.python.embedding_model import EmbeddingModel


def add_model_options(parser: argparse.ArgumentParser, *, dimension: bool = True) -> None:
    """--model, --dtype, --runtime, --device, --threads, and --dim where it applies."""
    group = parser.add_argument_group("model")
    group.add_argument("--model", metavar="NAME|FOLDER", help="a known name or a model folder (default: the settings')")
    if dimension:
        group.add_argument(
            "--dim", "--dimension", dest="dim", type=int, metavar="N", help="length of the vectors, one of the model's"
        )
    group.add_argument("--dtype", help="auto, float32, bfloat16 or int8 (default: the settings')")
    group.add_argument("--runtime", default="auto", help="auto, openvino or torch")
    group.add_argument("--device", default="auto", help="auto, cpu or cuda")
    group.add_argument(
        "--threads", type=int, metavar="N", help="threads; 0 means one per core (default: the settings')"
    )


def open_model(arguments: argparse.Namespace) -> EmbeddingModel:
    """The model that these options and the settings choose. Raises what `EmbeddingModel` raises."""
    settings = settings_for(Choices.of(arguments))
    from ai_memory.python.embedding_model import EmbeddingModel  # loads numpy

    return EmbeddingModel(
        arguments.model,
        dimension=getattr(arguments, "dim", None),
        dtype=arguments.dtype,
        runtime=arguments.runtime,
        device=arguments.device,
        threads=arguments.threads,
        settings=settings,
    )
