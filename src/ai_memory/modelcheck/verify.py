"""Compares published numbers with those of the weights on this machine.

`golden.json` has the numbers by model, each with its source: sizes of the configuration, cosines of texts, and first values of
vectors. A model that loads and runs may still be the wrong one, or be run wrongly: without a prompt, with too narrow a window,
without a Dense layer. These numbers detect that.
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
from ai_memory.errors import InvalidInputError
from ai_memory.python.embedding_model import EmbeddingModel

TOLERANCES: Mapping[str, tuple[float, float]] = {
    "float32": (2e-4, 1e-3),
    "bfloat16": (1e-2, 5e-3),
    "int8": (3e-2, 1.5e-2),
}
"""By dtype: the tolerated differences of a cosine and of a value of a vector. The published numbers are of float32, most of them
rounded to four places; fastembed's tests allow 1e-3 for values. The tolerances of the narrower types are chosen here: an error
in how a model is run changes cosines by more."""


@dataclass(frozen=True, kw_only=True)
class Check:
    """One published number or list of numbers, and the result on this machine."""

    name: str
    source: str
    """Where it was published."""
    expected: str
    found: str
    difference: float | None
    """The largest absolute difference; None for comparisons that are not numeric."""
    tolerance: float | None
    passed: bool


def golden_models() -> list[str]:
    """The names of the models with published numbers."""
    return list(_golden())


def are_vectors_published(model: EmbeddingModel) -> bool:
    """Whether vectors or cosines of this model are published; if not, what is checked are sizes and shapes alone."""
    golden = _golden().get(_published_name(model), {"scores": (), "values": ()})
    return bool(golden["scores"] or golden["values"])


def verify(model: EmbeddingModel) -> Iterator[Check]:
    """Yields every check of the model as it is done; the weights are loaded for the checks that need them.

    Raises InvalidInputError if no numbers are published for the model, and what embedding raises.
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
    if not are_vectors_published(model):
        yield _runs(model)
    for case in golden["scores"]:
        yield _scores(model, case, cosines)
    for case in golden["values"]:
        yield _values(model, case, values)


def _published_name(model: EmbeddingModel) -> str:
    """The model's name in `golden.json`: that of the only known model with its architecture, whatever the folder is called."""
    family = FAMILIES.get(str(read_json(model.info.folder / "config.json").get("model_type")))
    return model.info.name if family is None else family.name


def _files(model: EmbeddingModel) -> Iterator[Check]:
    """Compare the files with the hashes of the known copy, if there is one."""
    known = known_model(model.info.name)
    if known is None or not known.files:
        return
    present = [name for name in known.files if (model.info.folder / name).is_file()]
    found = folder_digests(model.info.folder, present)
    for name, expected in known.files.items():
        digest = found.get(name, "missing")
        yield Check(
            name=name,
            source="the copy that `ai-memory model fetch` downloads",
            expected=f"sha256 {expected[:12]}…",
            found=digest if digest == "missing" else f"sha256 {digest[:12]}…",
            difference=None,
            tolerance=None,
            passed=digest == expected,
        )


def _configuration(model: EmbeddingModel, expected: Mapping[str, int]) -> Iterator[Check]:
    config = read_json(model.info.folder / "config.json")
    config = config.get("text_config", config)
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


def _runs(model: EmbeddingModel) -> Check:
    """What can be checked where no vectors are published: all tensors are there with their shapes, and a vector comes out."""
    length = float(
        np.linalg.norm(_embed(model, {"input_type": "query", "task": "retrieval", "texts": ["a question"]})[0])
    )
    return Check(
        name="a vector's length, with every tensor that the configuration asks for",
        source="no vectors of this model were published when this version was made",
        expected="1.0",
        found=f"{length:.6f}",
        difference=abs(length - 1.0),
        tolerance=1e-3,
        passed=abs(length - 1.0) <= 1e-3,
    )


def _scores(model: EmbeddingModel, case: Mapping[str, Any], tolerance: float) -> Check:
    dimension = min(case["dimension"], model.dimension)
    left, right = (cut(_embed(model, case[each]), dimension) for each in ("left", "right"))
    return _compared(case, np.array(case["expected"]), left @ right.T, tolerance)


def _values(model: EmbeddingModel, case: Mapping[str, Any], tolerance: float) -> Check:
    vector = _embed(model, {"input_type": case["input_type"], "texts": [case["text"]]})[0]
    expected = np.array(case["expected"])
    return _compared(case, expected, vector[: len(expected)], tolerance)


def _embed(model: EmbeddingModel, inputs: Mapping[str, Any]) -> NDArray[np.float32]:
    """Unit vectors, shape (texts, dimension), of one entry of `golden.json`."""
    texts, input_type = inputs["texts"], inputs["input_type"]
    if input_type == "query":
        return model.embed_queries(texts, task=inputs.get("task"))
    return model.embed_documents(texts) if input_type == "document" else model.embed(texts)


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
    """The numbers to four decimal places; of a matrix with several rows, those above the diagonal."""
    if numbers.ndim == 2 and numbers.shape[0] > 1:
        numbers = numbers[np.triu_indices(len(numbers), 1)]
    return " ".join(f"{number:.4f}" for number in numbers.ravel())


@cache
def _golden() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("golden.json").read_bytes()
    golden: dict[str, Any] = msgspec.json.decode(text)
    return golden
