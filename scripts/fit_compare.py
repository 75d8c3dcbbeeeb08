"""Fit the weights of `truth/compare.py` on the seen half of the atlas and the development cases, and write them.

    python scripts/fit_compare.py --data-dir .cache           # what each set of weights does to domains that it has not seen
    python scripts/fit_compare.py --data-dir .cache --write   # src/ai_memory/truth/data/weights.json

A softmax regression over four classes (no relation, update, restatement, extension) with a quadratic penalty on the weights of
standardised features, by Newton's method. The weights with vectors are fitted on English with both small models, and on the other
languages with the one that knows them: cosines are put on one scale before they count (`truth/features.py: relative`).
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.known import E5, MINILM
from ai_memory.truth.compare import Kind
from ai_memory.truth.features import Table
from ai_memory.truth.weights import FILE
from score_compare import Embed, comparisons, embedder, expected
from tests.truth import atlas
from tests.truth.development import development

_CLASSES = (None, Kind.UPDATES, Kind.RESTATES, Kind.EXTENDS)
_PENALTY = 20.0
_FOLDS = 6
_STEPS = 8
_SEEN_COUNTS = 2.0
"""The seen half is written as the unseen one is: each of its pairs counts as two."""
_UNLIKE = 0.12
"""Of unrelated pairs that are not even alike, so many are used, and each stands for the others."""

Values = NDArray[np.float64]


class Pair(NamedTuple):
    """A text and an earlier one: their features, what they are to one another, and how much the pair counts."""

    features: dict[str, float]
    right: int
    weight: float
    domain: str


def pairs(language: atlas.Language, embed: Embed | None) -> Iterator[Pair]:
    """Every pair of a text and a candidate, without those of which nothing is expected."""
    some = random.Random(1)
    for cases, counts in ((atlas.half("seen", languages=(language,)), _SEEN_COUNTS), (development(language), 1.0)):
        for new, candidates, _, similar in comparisons(cases, embed):
            table = Table([new.statement, *(each.statement for each in candidates)], similar)
            for place, old in enumerate(candidates, 1):
                right = expected(new, old)
                features = table.features(0, place)
                unlike = right is None and features.get("cosine", 0.0) < 0.25 and features["share"] < 0.35
                if right == "either" or (unlike and some.random() > _UNLIKE):
                    continue
                weight = counts / _UNLIKE if unlike else counts
                yield Pair(features, _CLASSES.index(right), weight, new.case.domain)  # type: ignore[arg-type]


def names_of(used: Sequence[Pair]) -> list[str]:
    """The features that occur, the constant first."""
    return ["constant", *sorted({name for pair in used for name in pair.features} - {"constant"})]


def fitted(used: Sequence[Pair], names: Sequence[str]) -> Values:
    """The weights, shape (features, classes)."""
    values = _matrix(used, names)
    mean, spread = values.mean(0), values.std(0) + 1e-6
    mean[0], spread[0] = 0.0, 1.0
    standard = (values - mean) / spread
    right = np.eye(len(_CLASSES))[[pair.right for pair in used]]
    counts = np.array([pair.weight for pair in used])
    size, kinds = standard.shape[1], len(_CLASSES)
    penalty = np.full(size, _PENALTY)
    penalty[0] = 0.01
    weights = np.zeros((size, kinds))
    for _ in range(_STEPS):
        chance = _chances(standard, weights)
        slope = standard.T @ ((chance - right) * counts[:, None]) + penalty[:, None] * weights
        curve = np.zeros((size * kinds, size * kinds))
        for a in range(kinds):
            for b in range(a, kinds):
                scale = counts * chance[:, a] * ((a == b) - chance[:, b])
                block = (standard * scale[:, None]).T @ standard
                curve[a * size : (a + 1) * size, b * size : (b + 1) * size] = block
                curve[b * size : (b + 1) * size, a * size : (a + 1) * size] = block
        curve += np.diag(np.tile(penalty, kinds))
        step = np.linalg.solve(curve, slope.T.ravel()).reshape(kinds, size).T
        weights -= step * min(1.0, 4.0 / max(1e-9, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-4:
            break
    plain = weights / spread[:, None]
    plain[0] = weights[0] - (mean[1:, None] * plain[1:]).sum(0)
    return plain


def carried_over(used: Sequence[Pair], names: Sequence[str]) -> Iterator[str]:
    """Precision and recall of updates in domains that were left out."""
    domains = sorted({pair.domain for pair in used})
    random.Random(0).shuffle(domains)
    fold = {domain: place % _FOLDS for place, domain in enumerate(domains)}
    chance = np.zeros(len(used))
    for each in range(_FOLDS):
        weights = fitted([pair for pair in used if fold[pair.domain] != each], names)
        left_out = [place for place, pair in enumerate(used) if fold[pair.domain] == each]
        chance[left_out] = _chances(_matrix([used[place] for place in left_out], names), weights)[:, 1]
    update = np.array([pair.right == 1 for pair in used])
    counts = np.array([pair.weight for pair in used])
    for threshold in (0.5, 0.7, 0.9, 0.95, 0.98):
        made = chance >= threshold
        precision = counts[made & update].sum() / counts[made].sum()
        recall = counts[made & update].sum() / counts[update].sum()
        yield f"updates (≥ {threshold}): precision {precision:.3f}, recall {recall:.3f}"


def _matrix(used: Sequence[Pair], names: Sequence[str]) -> Values:
    return np.array([[pair.features.get(name, 0.0) for name in names] for pair in used])


def _chances(values: Values, weights: Values) -> Values:
    odds = values @ weights
    scaled = np.exp(odds - odds.max(1, keepdims=True))
    result: Values = scaled / scaled.sum(1, keepdims=True)
    return result


def main() -> None:
    """Print what carries over, or write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path(".cache"), help="where the model is")
    parser.add_argument("--write", action="store_true", help="write the weights")
    given = parser.parse_args()
    written = []
    small, multilingual = (embedder(given.data_dir, model) for model in (MINILM, E5))
    for kind, of in (
        ("with_vectors", [("en", small), *((language, multilingual) for language in atlas.LANGUAGES)]),
        ("by_words", [(language, None) for language in atlas.LANGUAGES]),
    ):
        used = [pair for language, embed in of for pair in pairs(language, embed)]
        names = names_of(used)
        if given.write:
            lines = [
                f"{json.dumps(name)}: {json.dumps([round(float(weight), 4) for weight in each])}"
                for name, each in zip(names, fitted(used, names), strict=True)
            ]
            written.append(f'"{kind}": {{\n' + ",\n".join(lines) + "\n}")
        else:
            print(f"{kind}: {len(used)} pairs, {len(names)} features")
            for line in carried_over(used, names):
                print(f"  {line}")
    if written:
        FILE.write_text("{\n" + ",\n".join(written) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
