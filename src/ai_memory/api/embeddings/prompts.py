"""Which prompt is put before a request's texts: chosen by a field, by a suffix of the model's name, or by the route's default.

`None` is the prompt of documents, a `Task` that of queries for that task, `Task.NONE` no prompt.
"""

from __future__ import annotations

from collections.abc import Mapping

from ai_memory.embed.base import Task
from ai_memory.embed.models.known import known_model
from ai_memory.embed.models.prompts import prompt_names
from ai_memory.errors import InvalidInputError, NotFoundError

PromptChoice = Task | None

SUFFIXES: tuple[str, ...] = ("query", "document", *(str(task) for task in Task if task is not Task.RETRIEVAL))
"""The suffixes that `/v1/models` lists; any other name of a prompt works too."""

ALIASES = frozenset({"text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002"})
"""OpenAI's names, which programs often send without being able to change them: here they mean the loaded model."""

_INPUT_TYPES: Mapping[str, PromptChoice] = {
    "query": Task.RETRIEVAL,
    "search_query": Task.RETRIEVAL,
    "document": None,
    "search_document": None,
    "passage": None,
    "classification": Task.CLASSIFICATION,
    "clustering": Task.CLUSTERING,
}


def named_prompt(name: str, field: str) -> PromptChoice:
    """The prompt of that name, in any letter case. Raises InvalidInputError that lists the names."""
    names = prompt_names()
    if name.lower() not in names:
        raise InvalidInputError(
            f"there is no prompt {name[:60]!r}",
            hint=f"known prompts: {', '.join(names)}",
            field=field,
            actual=name[:60],
        )
    return names[name.lower()]


def input_type_prompt(name: str) -> PromptChoice:
    """The prompt for an `input_type`."""
    return _INPUT_TYPES[name]


def one_prompt(given: Mapping[str, PromptChoice], default: PromptChoice) -> PromptChoice:
    """The prompt that every field in `given` names; `default` without any. Raises InvalidInputError where they differ."""
    chosen = set(given.values())
    if len(chosen) > 1:
        raise InvalidInputError(
            f"{' and '.join(given)} name different prompts", hint="give one of them", field=next(iter(given))
        )
    return chosen.pop() if chosen else default


def split_model(requested: str, loaded: str) -> str:
    """The suffix of a model's name, empty where it has none. `loaded` is the name of the loaded model.

    Raises NotFoundError for another model that is not one of `ALIASES`, and for a suffix that names no prompt.
    """
    if requested == loaded:
        return ""
    name, _, suffix = requested.partition(":")
    known = known_model(name)
    if name and name != loaded and name not in ALIASES and (known is None or known.name != loaded):
        raise NotFoundError(
            f"The model `{requested[:100]}` does not exist or is not the one that is loaded here",
            hint=f"ask for {loaded}; /v1/models lists its names",
            field="model",
            openai_code="model_not_found",
        )
    if suffix and suffix.lower() not in prompt_names():
        raise NotFoundError(
            f"The model `{requested[:100]}` does not exist: {suffix[:60]!r} names no prompt",
            hint=f"{loaded} takes the suffixes {', '.join(f':{each}' for each in SUFFIXES)}",
            field="model",
            openai_code="model_not_found",
        )
    return suffix
