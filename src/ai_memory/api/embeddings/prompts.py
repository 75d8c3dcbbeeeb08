"""Which prompt goes before a request's texts: said by a field, by a suffix of the model's name, or by the route's default.

`None` stands for documents, a `Task` for queries of that task, `Task.NONE` for texts as they are.
"""

from __future__ import annotations

from collections.abc import Mapping

from ai_memory.embed.base import Task
from ai_memory.embed.models.known import known_model
from ai_memory.embed.models.prompts import prompt_names
from ai_memory.errors import InvalidInputError, NotFoundError

Side = Task | None

SUFFIXES: tuple[str, ...] = ("query", "document", *(str(task) for task in Task if task is not Task.RETRIEVAL))
"""The suffixes that `/v1/models` lists; any name of a prompt will do."""

_INPUT_TYPES: Mapping[str, Side] = {
    "query": Task.RETRIEVAL,
    "search_query": Task.RETRIEVAL,
    "document": None,
    "search_document": None,
    "passage": None,
    "classification": Task.CLASSIFICATION,
    "clustering": Task.CLUSTERING,
}


def named_side(name: str, field: str) -> Side:
    """The side of a prompt's name, in any letter case. Raises InvalidInputError that lists the names."""
    names = prompt_names()
    if name.lower() not in names:
        raise InvalidInputError(
            f"there is no prompt {name[:60]!r}", hint=f"there are {', '.join(names)}", field=field, actual=name[:60]
        )
    return names[name.lower()]


def input_type_side(name: str) -> Side:
    """The side that `input_type` names."""
    return _INPUT_TYPES[name]


def one_side(given: Mapping[str, Side], default: Side) -> Side:
    """The side that every field in `given` names; `default` where there is none. Raises InvalidInputError where they differ."""
    sides = set(given.values())
    if len(sides) > 1:
        raise InvalidInputError(
            f"{' and '.join(given)} name different prompts", hint="give one of them", field=next(iter(given))
        )
    return sides.pop() if sides else default


def split_model(asked: str, loaded: str) -> str:
    """The suffix of a model's name, empty where it has none. `loaded` is the model there is.

    Raises NotFoundError where another model is meant, and for a suffix that names no prompt.
    """
    if asked == loaded:
        return ""
    name, _, suffix = asked.partition(":")
    known = known_model(name)
    if name and name != loaded and (known is None or known.name != loaded):
        raise NotFoundError(
            f"The model `{asked[:100]}` does not exist or is not the one that is loaded here",
            hint=f"ask for {loaded}; /v1/models lists its names",
            field="model",
            openai_code="model_not_found",
        )
    if suffix and suffix.lower() not in prompt_names():
        raise NotFoundError(
            f"The model `{asked[:100]}` does not exist: {suffix[:60]!r} is no suffix",
            hint=f"{loaded} goes with {', '.join(f':{each}' for each in SUFFIXES)}",
            field="model",
            openai_code="model_not_found",
        )
    return suffix
