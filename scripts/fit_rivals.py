"""Fit the trees of `truth/rivals.py` on the answers that recall gives today, and write them.

    python scripts/fit_rivals.py --data-dir .cache --kept .cache/answers           # what they do to kinds that were left out
    python scripts/fit_rivals.py --data-dir .cache --kept .cache/answers --write   # src/ai_memory/truth/data/rivals.json

The cases are the seen half of the atlas, the development cases, those made by rules, and scenes of talk and notes; English is asked
with all-MiniLM-L6-v2, other languages with multilingual-e5-small. Their best hits are kept in the folder `--kept`: asking takes
minutes, fitting does not. Delete it when the ranking has changed.

Two figures say how well it carries over: with all cases of a domain (an attribute) left out, and with all of a language left out.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ai_memory.embed.models.known import E5, MINILM
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.recall import newest
from ai_memory.recall.recipe import BALANCED
from ai_memory.service.service import Service
from ai_memory.settings import load_settings
from ai_memory.truth.answers import Answers, Asking
from ai_memory.truth.rivals import COMPARED, MARKED, ORDERED, SAME, Related, rivals
from ai_memory.truth.statement import Statement, apart
from ai_memory.truth.trees import Trees, Values
from ai_memory.truth.weights import ORDER_FILE
from ai_memory.wiring import open_service
from boosting import fitted
from score_truth import ask, questions, start_of
from tests.truth import atlas
from tests.truth.atlas import Case, Language
from tests.truth.development import development, scenes
from tests.truth.made import made

_SOURCES = ("seen", "development", "made", "scenes")
_COUNTS = {"seen": 2.0, "development": 1.0, "made": 0.5, "scenes": 1.0}
"""The seen half is written as a stranger's cases are; sentences made by rules are many and alike."""
_FOLDS = 5
_DECIMALS = 4
DECISIONS = ("order", "mark", "same")


class Answered(NamedTuple):
    """The best hits of one question, as recall compared them, and what is right about them."""

    source: str
    language: Language
    domain: str
    question: str
    asking: Asking
    hits: tuple[Statement, ...]
    similar: NDArray[np.float64] | None
    case: Case | None
    """None for a question about a scene."""
    places: tuple[int | None, ...]
    """For each hit its place among the texts of the case, or in the scene whether it answers (0); None for any other."""


class Right(NamedTuple):
    """Whether a decision about two hits is right, and how much that counts, 0 for nothing."""

    yes: bool
    counts: float


_EITHER = Right(False, 0.0)


def right(answered: Answered, older: int, newer: int) -> dict[str, Right]:
    """What should be decided about two hits."""
    case, a, b = answered.case, answered.places[older], answered.places[newer]
    if case is None:
        worse = a is not None and b is None
        return {"order": Right(False, 1.0 if worse else 0.15), "mark": Right(False, 1.0), "same": Right(False, 1.0)}
    if a is None or b is None:
        # A newer text about something else: it must not come before the one that answers.
        answers = answered.question != case.question or case.expect.first in (None, a)
        worse = a is not None and b is None and answers
        return {"order": Right(False, 1.0 if worse else 0.25), "mark": Right(False, 1.0), "same": Right(False, 0.5)}
    if case.kind == "restatement":
        return {"order": _EITHER, "mark": _EITHER, "same": Right(True, 2.0)}
    same = Right(False, 3.0)
    if case.kind == "pair":
        only = case.expect.first if answered.question == case.question else None
        return {"order": Right(False, 1.0 if a == only else 0.25), "mark": Right(False, 2.0), "same": same}
    replaced = case.kind == "chain" or case.expect.first == b
    return {"order": Right(replaced, float(replaced)), "mark": Right(replaced, float(replaced)), "same": same}


class Pair(NamedTuple):
    """Two hits of an answer."""

    answer: int
    i: int
    j: int
    features: dict[str, float]
    right: dict[str, Right]


def pairs(answers: Sequence[Answered], *, by_words: bool = False) -> Iterator[Pair]:
    """The pairs of hits that are compared; `by_words`: as if there were no vectors."""
    for number, each in enumerate(answers):
        compared = Answers(each.asking, each.hits, None if by_words else each.similar)
        for i, j in compared.pairs():
            older, newer = (i, j) if each.hits[i].when < each.hits[j].when else (j, i)
            wanted = right(each, older, newer)
            if not apart(each.hits[i], each.hits[j]):
                wanted |= {"order": _EITHER, "mark": _EITHER}
            yield Pair(number, i, j, compared.features(i, j), wanted)


def kept(folder: Path, source: str, language: Language, data_dir: Path) -> list[Answered]:
    """The answers of a source, from the folder or asked and put there."""
    file = folder / f"{source}-{language}.pickle"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        model = MINILM if language == "en" else E5
        with TemporaryDirectory() as scratch:
            settings = load_settings(data_dir=data_dir, model=model.name, store=str(Path(scratch) / "memory.db"))
            with closing(open_service(settings, shipped=True)) as service:
                file.write_bytes(pickle.dumps(list(_asked(service, source, language))))
    found: list[Answered] = pickle.loads(file.read_bytes())
    return found


def _asked(service: Service, source: str, language: Language) -> Iterator[Answered]:
    compared: list[tuple[Asking, Sequence[Statement], NDArray[np.float64] | None]] = []
    plain = rivals

    def noted(asking: Asking, hits: Sequence[Statement], similar: NDArray[np.float64] | None, known: object) -> Related:
        compared.append((asking, hits[:COMPARED], similar))
        return plain(asking, hits, similar, known)  # type: ignore[arg-type]

    vars(newest)["rivals"] = noted
    try:
        for namespace, domain, question, case, places in _told(service, source, language):
            compared.clear()
            ask(service, BALANCED, namespace, question, None)
            for asking, hits, similar in compared:
                found = tuple(places.get(hit.text) for hit in hits)
                yield Answered(source, language, domain, question, asking, tuple(hits), similar, case, found)
    finally:
        vars(newest)["rivals"] = plain


Told = tuple[str, str, str, Case | None, dict[str, int]]


def _told(service: Service, source: str, language: Language) -> Iterator[Told]:
    """Remember the texts of a source, and give its questions: namespace, domain, question, case, and the place of each text."""
    if source == "scenes":
        for scene in scenes(language):
            for line in scene.lines:
                draft = RememberRequest(
                    text=line.text,
                    namespace=scene.name.replace(" ", "-"),
                    valid_from=start_of(line.day),
                    author=line.author,
                    session=line.day.isoformat() if line.author else None,
                )
                service.carry_out(REMEMBER, draft)
            service.settle()
            for question, answers in scene.questions:
                places = {scene.lines[number - 1].text: 0 for number in answers}
                yield scene.name.replace(" ", "-"), scene.name, question, None, places
        return
    if source == "seen":
        cases = atlas.half("seen", languages=(language,))
    else:
        cases = made(language) if source == "made" else development(language)
    for number, room in enumerate(atlas.rooms(cases)):
        for told in sorted((text for case in room for text in case.texts), key=lambda text: text.told):
            draft = RememberRequest(
                text=told.text,
                namespace=f"room-{number}",
                valid_from=start_of(told.since),
                author=told.author,
                user=told.user,
                context=told.context,
                title=told.title,
            )
            service.carry_out(REMEMBER, draft)
        service.settle()
        for case in room:
            for _, question, at in questions(case):
                if at is None:
                    places = {text.text: place for place, text in enumerate(case.texts)}
                    yield f"room-{number}", case.domain, question, case, places


class Data(NamedTuple):
    """All pairs as the trees take them."""

    names: tuple[str, ...]
    answers: list[Answered]
    pairs: list[Pair]
    values: Values

    def wanted(self, decision: str) -> tuple[Values, Values]:
        """Whether each pair is a yes, and how much it counts."""
        counts = [pair.right[decision].counts * _COUNTS[self.answers[pair.answer].source] for pair in self.pairs]
        return np.array([float(pair.right[decision].yes) for pair in self.pairs]), np.array(counts)


def data(answers: list[Answered], *, by_words: bool) -> Data:
    """The data of some answers."""
    found = list(pairs(answers, by_words=by_words))
    names = tuple(sorted({name for pair in found for name in pair.features} - {"constant"}))
    values = np.array([[pair.features.get(name, 0.0) for name in names] for pair in found])
    return Data(names, answers, found, values)


def carried_over(of: Data, group: Callable[[Answered], str]) -> dict[str, Values]:
    """The probability of each decision about each pair, by trees that have not seen its group."""
    groups = [group(of.answers[pair.answer]) for pair in of.pairs]
    chances = {}
    for decision in DECISIONS:
        yes, counts = of.wanted(decision)
        found = np.zeros(len(yes))
        for each in sorted(set(groups)):
            left_out = np.array([name == each for name in groups])
            trees = fitted(of.values[~left_out], yes[~left_out], counts[~left_out])
            found[left_out] = trees.chances(of.values[left_out])
        chances[decision] = found
    return chances


def by_domain(answered: Answered) -> str:
    """The fold of an answer's domain; cases made by rules share that of the same attribute."""
    domain = answered.domain.removeprefix("made ").removeprefix("my ")
    return str(int(sha256(domain.encode()).hexdigest(), 16) % _FOLDS)


def figures(of: Data, chances: dict[str, Values]) -> Iterator[str]:
    """For each source and language, and each decision at its threshold: the share found, and the share of wrong ones."""
    for decision, threshold in zip(DECISIONS, (ORDERED, MARKED, SAME), strict=True):
        tally: dict[tuple[str, str], list[float]] = defaultdict(lambda: [0.0] * 4)
        for pair, chance in zip(of.pairs, chances[decision].tolist(), strict=True):
            yes, counts = pair.right[decision]
            each = tally[of.answers[pair.answer].source, of.answers[pair.answer].language]
            at = 0 if yes else 2
            each[at] += counts
            each[at + 1] += counts * (chance >= threshold)
        for (source, language), (wanted, found, other, wrong) in sorted(tally.items()):
            share = f"{found / wanted:.3f} of {wanted:.0f}" if wanted else "–"
            wrongly = wrong / max(other, 1.0)
            yield f"{decision} (≥ {threshold}) {source} {language}: found {share}, wrongly {wrongly:.3f}"


def main() -> None:
    """Print what carries over, or write the trees."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=Path(".cache"), help="where the models are")
    parser.add_argument("--kept", type=Path, default=Path(".cache/answers"), help="where answers are kept")
    parser.add_argument("--write", action="store_true", help="write the trees")
    given = parser.parse_args()
    answers = [
        each
        for source in _SOURCES
        for language in atlas.LANGUAGES
        for each in kept(given.kept, source, language, given.data_dir)
    ]
    if given.write:
        written = [
            f'"{kind}": {_written(data(answers, by_words=kind == "by_words"))}' for kind in ("with_vectors", "by_words")
        ]
        ORDER_FILE.write_text("{\n" + ",\n".join(written) + "\n}\n", encoding="utf-8")
        return
    of = data(answers, by_words=False)
    for name, group in (("a domain", by_domain), ("a language", lambda answered: answered.language)):
        print(f"with {name} left out")
        for line in figures(of, carried_over(of, group)):
            print(f"  {line}")


def _written(of: Data) -> str:
    """The trees of all decisions as JSON, a line each, with the names of the features that they look at."""
    made_of = {decision: fitted(of.values, *of.wanted(decision)) for decision in DECISIONS}
    used = sorted({int(column) for trees in made_of.values() for column in trees.features.flat})
    number = {column: place for place, column in enumerate(used)}
    lines = [f'"names": {json.dumps([of.names[column] for column in used])}']
    lines += [f'"{decision}": {json.dumps(_plain(trees, number))}' for decision, trees in made_of.items()]
    return "{\n" + ",\n".join(lines) + "\n}"


def _plain(trees: Trees, number: dict[int, int]) -> dict[str, object]:
    return {
        "base": round(trees.base, _DECIMALS),
        "features": [[number[int(column)] for column in tree] for tree in trees.features],
        "limits": np.round(trees.limits, _DECIMALS).tolist(),
        "leaves": np.round(trees.leaves, _DECIMALS).tolist(),
    }


if __name__ == "__main__":
    main()
