"""Runs saved to a file, compared with one another question by question, and checked against least values."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ai_memory.decoding import from_json
from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.run import Run
from ai_memory.evaluate.significance import Difference, difference


def save(runs: Sequence[Run], file: Path) -> None:
    """Write every question's measures, to compare a later run with. Raises InvalidInputError where the file cannot be written."""
    try:
        file.write_bytes(msgspec.json.encode(list(runs)))
    except OSError as error:
        raise InvalidInputError(
            f"cannot write {file}: {error.strerror}", hint="give a path that can be written"
        ) from error


def load(file: Path) -> list[Run]:
    """The runs that `save` wrote. Raises InvalidInputError for a file that does not exist or contains something else."""
    try:
        return from_json(file.read_bytes(), list[Run])
    except OSError as error:
        raise InvalidInputError(f"cannot read {file}: {error.strerror}", hint="make it with --save FILE") from error
    except msgspec.DecodeError as error:
        raise InvalidInputError(f"{file.name} has no saved runs: {error}", hint="make it with --save FILE") from error


def compare(run: Run, other: Run, measures: Sequence[str]) -> tuple[int, dict[str, Difference]]:
    """How many questions both runs have, and by how much `run` is better than `other` on those, by measure."""
    before = {question.key: question.figures for question in other.questions}
    pairs = [(question.figures, before[question.key]) for question in run.questions if question.key in before]
    return len(pairs), {
        name: difference([first[name] for first, _ in pairs], [second[name] for _, second in pairs])
        for name in measures
    }


def floors(texts: Sequence[str]) -> dict[str, float]:
    """Least values by measure from texts such as `R@10=0.8`. Raises InvalidInputError for any that is not understood."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError:
            raise InvalidInputError(
                f"{text!r} is not a least value", hint="write MEASURE=VALUE, such as R@10=0.8"
            ) from None
    return found


def below(run: Run, least: dict[str, float]) -> list[str]:
    """What a run misses, in words; empty when every mean reaches its least value.

    Raises InvalidInputError for an unknown measure.
    """
    means = run.metrics
    for name in least:
        if means and name not in means:
            raise InvalidInputError(f"there is no measure {name!r}", hint=f"choose one of {', '.join(means)}")
    missed = ((name, means[name], value) for name, value in least.items() if means and means[name] < value)
    return [f"{run.name}: {name} is {mean:.4f}, below {value:g}" for name, mean, value in missed]
