"""Published numbers against what the weights on this machine give: each one passes or fails, and says by how much.

`golden.json` has them by model, each with the place where it was published: sizes of the configuration, cosines of texts, and
first values of vectors. A model that loads and runs may still be another one, or be run wrongly: with a prompt too few, a
window too narrow, a Dense layer left out. These numbers tell.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.matryoshka import cut
from ai_memory.embed.models.digests import folder_digests
from ai_memory.embed.models.folder import read_json
from ai_memory.embed.models.known import FAMILIES, known_model
from ai_memory.embedding_model import EmbeddingModel
from ai_memory.errors import InvalidInputError

TOLERANCES: Mapping[str, tuple[float, float]] = {
    "float32": (2e-4, 1e-3),
    "bfloat16": (1e-2, 5e-3),
    "int8": (3e-2, 1.5e-2),
}
"""By dtype, how far a cosine and how far a value of a vector may be from the published one. The numbers are float32's, most of
them rounded to four places; for values fastembed's own tests allow 1e-3. What the narrower types are allowed is our judgement:
an error in how a model is run moves cosines by more."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One published number or list of numbers, and what came out here."""

    name: str
    source: str
    """Where it was published."""
    expected: str
    found: str
    difference: float | None
    """The largest, where both are numbers."""
    tolerance: float | None
    passed: bool


def golden_models() -> list[str]:
    """The models that have published numbers here."""
    return list(_golden())


def verify(model: EmbeddingModel) -> Iterator[Check]:
    """Every check of the model, as it is done; the weights are loaded for those that need them.

    Raises InvalidInputError where nothing is published for the model, and what embedding raises.
    """
    golden = _golden().get(_published_name(model))
    if golden is None:
        raise InvalidInputError(
            f"no numbers are published for {model.info.name!r}", hint=f"there are some for {', '.join(golden_models())}"
        )
    if model.dimension != model.supported_dimensions()[0]:
        raise InvalidInputError("the numbers are checked at the full dimension", hint="leave `dimension` out")
    yield from _files(model)
    yield from _configuration(model, golden["config"])
    cosines, values = TOLERANCES[model.info.dtype]
    for case in golden["scores"]:
        yield _scores(model, case, cosines)
    for case in golden["values"]:
        yield _values(model, case, values)


def _published_name(model: EmbeddingModel) -> str:
    """A folder of any name is checked as the model that alone has its architecture."""
    family = FAMILIES.get(str(read_json(model.info.folder / "config.json").get("model_type")))
    return model.info.name if family is None else family.name


def _files(model: EmbeddingModel) -> Iterator[Check]:
    """The known copy's files, by their hashes, where there is a known copy."""
    known = known_model(model.info.name)
    if known is None or not known.files:
        return
    there = [name for name in known.files if (model.info.folder / name).is_file()]
    found = folder_digests(model.info.folder, there)
    for name, expected in known.files.items():
        digest = found.get(name, "missing")
        yield Check(
            name=name,
            source="the copy that `ai-memory model fetch` brings",
            expected=f"sha256 {expected[:12]}…",
            found=digest if digest == "missing" else f"sha256 {digest[:12]}…",
            difference=None,
            tolerance=None,
            passed=digest == expected,
        )


def _configuration(model: EmbeddingModel, expected: Mapping[str, int]) -> Iterator[Check]:
    config = read_json(model.info.folder / "config.json")
    for key, value in expected.items():
        yield Check(
            name=f"config.json: {key}",
            source="the published configuration",
            expected=str(value),
            found=str(config.get(key)),
            difference=None,
            tolerance=None,
            passed=config.get(key) == value,
        )


def _scores(model: EmbeddingModel, case: Mapping[str, Any], tolerance: float) -> Check:
    dimension = min(case["dimension"], model.dimension)
    left, right = (cut(_embed(model, case[side]), dimension) for side in ("left", "right"))
    return _compared(case, np.array(case["expected"]), left @ right.T, tolerance)


def _values(model: EmbeddingModel, case: Mapping[str, Any], tolerance: float) -> Check:
    vector = _embed(model, {"side": case["side"], "texts": [case["text"]]})[0]
    expected = np.array(case["expected"])
    return _compared(case, expected, vector[: len(expected)], tolerance)


def _embed(model: EmbeddingModel, side: Mapping[str, Any]) -> NDArray[np.float32]:
    if side["side"] == "query":
        return model.embed_queries(side["texts"], task=side.get("task"))
    return model.embed_documents(side["texts"]) if side["side"] == "document" else model.embed(side["texts"])


def _compared(
    case: Mapping[str, Any], expected: NDArray[np.float64], found: NDArray[np.float32], tolerance: float
) -> Check:
    difference = float(np.abs(expected - found).max())
    return Check(
        name=case["name"],
        source=case["source"],
        expected=_written(expected),
        found=_written(found),
        difference=difference,
        tolerance=tolerance,
        passed=difference <= tolerance,
    )


def _written(numbers: NDArray[Any]) -> str:
    """The numbers to four places; of a square matrix those above the diagonal."""
    if numbers.ndim == 2 and numbers.shape[0] > 1:
        numbers = numbers[np.triu_indices(len(numbers), 1)]
    return " ".join(f"{number:.4f}" for number in numbers.ravel())


@cache
def _golden() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("golden.json").read_bytes()
    golden: dict[str, Any] = msgspec.json.decode(text)
    return golden
