"""Score recall's sense of what is true now on the cases of `tests/truth/`, through the service itself.

    python scripts/score_truth.py --data-dir .cache                 # both halves, with the model that this folder has
    python scripts/score_truth.py --data-dir .cache --without       # the same with the order by time switched off

Cases of one language that are about different attributes share a namespace, so that each is a distractor of the others. Texts are
remembered in the order of the days on which they were said, each valid from its own day.

| figure | of | what is counted as right |
|---|---|---|
| newest above old | updates, chains, retractions | the value that holds is above all earlier ones |
| newest first | the same | and above everything else |
| as of then | the same | for a day in the past, what held then is above what holds now |
| earlier first | updates, chains | for a question about the earlier value, that one is above all others |
| older marked | the same | every earlier value among the hits is `ended`, `uncertain` or folded |
| in order | chains | the values are among the hits, newest first |
| both found | pairs | both are among the ten hits of the question that asks for both |
| none superseded | pairs | neither is `ended` |
| none marked | pairs | neither is `uncertain` either |
| right one first | pairs | for a question that asks for one of them, it is above the other |
| folded | restatements | the others are copies of the one hit |
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from ai_memory.operations.reading import RecallRequest
from ai_memory.operations.writing import REMEMBER, RememberRequest
from ai_memory.recall.answer import Answer, Hit
from ai_memory.recall.recipe import BALANCED, NEWEST, Recipe, without
from ai_memory.service.service import Service
from ai_memory.settings import load_settings
from ai_memory.wiring import open_service
from tests.truth import atlas
from tests.truth.atlas import Case

NOW = dt.datetime(2026, 6, 1, 12, tzinfo=dt.UTC)
LIMIT = 10
_NOWHERE = 1_000

Figure = tuple[str, bool]


class Asked:
    """The answer to one question of a case: where its texts are among the hits."""

    def __init__(self, answer: Answer, ids: Sequence[str]) -> None:
        self._hits: dict[int, Hit] = {}
        for hit in answer.hits:
            for said in (hit.memory.id, *(hit.copies.ids if hit.copies else ())):
                if said in ids:
                    self._hits[ids.index(said)] = hit

    def rank(self, text: int) -> int:
        """The rank of a text of the case, from 1; a thousand where it is not among the hits."""
        return self._hits[text].rank if text in self._hits else _NOWHERE

    def above(self, text: int, others: Sequence[int]) -> bool:
        """Return whether a text is among the hits, and above all others."""
        return self.rank(text) < _NOWHERE and all(self.rank(text) < self.rank(other) for other in others)

    def marked(self, text: int, *validities: str) -> bool:
        """Return whether a text has one of these validities; false where it is not among the hits."""
        return text in self._hits and self._hits[text].validity in validities

    def shown(self, text: int) -> bool:
        """Return whether a text is among the hits."""
        return text in self._hits

    def one_hit(self, texts: Sequence[int]) -> bool:
        """Return whether all texts are among the hits, as one."""
        return all(map(self.shown, texts)) and len({self.rank(text) for text in texts}) == 1


def figures(case: Case, ask: dict[str, Asked]) -> Iterator[Figure]:
    """Each figure that a case counts for, and whether it is right."""
    expected, everyone = case.expect, range(len(case.texts))
    if case.kind == "pair":
        if both := ask.get("both"):
            yield "both found", all(map(both.shown, everyone))
            yield "none superseded", not any(both.marked(text, "ended") for text in everyone)
            yield "none marked", not any(both.marked(text, "ended", "uncertain") for text in everyone)
        if (single := ask.get("question")) and expected.first is not None:
            yield "right one first", single.above(expected.first, [text for text in everyone if text != expected.first])
        return
    now = ask.get("question")
    if case.kind == "restatement":
        if now:
            yield "folded", now.one_hit(expected.same)
        return
    if now and expected.first is not None:
        yield "newest above old", now.above(expected.first, expected.superseded)
        yield "newest first", now.rank(expected.first) == 1
        yield "older marked", not any(now.marked(text, "current") for text in expected.superseded)
        if case.kind == "chain":
            ranks = [now.rank(text) for text in reversed(expected.order)]
            yield "in order", ranks == sorted(ranks) and ranks[-1] < _NOWHERE
    if (then := ask.get("question_at")) and expected.at:
        later = [text for text in everyone if text not in expected.at]
        yield "as of then", any(then.above(text, later) for text in expected.at)
    if (before := ask.get("question_before")) and expected.before is not None:
        yield "earlier first", before.above(expected.before, [text for text in everyone if text != expected.before])


def score(service: Service, cases: Sequence[Case], recipe: Recipe) -> Iterator[tuple[Case, Figure]]:
    """Remember the cases, room by room, and ask their questions."""
    rooms = atlas.rooms(cases)
    for number, room in enumerate(rooms):
        ids: dict[str, list[str]] = {case.id: [""] * len(case.texts) for case in room}
        said = [(text.told, case.id, place, text) for case in room for place, text in enumerate(case.texts)]
        for _, case_id, place, text in sorted(said, key=lambda each: each[:3]):
            draft = RememberRequest(
                text=text.text,
                namespace=f"room-{number}",
                valid_from=start_of(text.since),
                author=text.author,
                user=text.user,
                context=text.context,
                title=text.title,
                tags=text.tags,
            )
            ids[case_id][place] = service.carry_out(REMEMBER, draft).memory_id or ""
        service.settle()
        for case in room:
            asked = {
                name: Asked(ask(service, recipe, f"room-{number}", question, at), ids[case.id])
                for name, question, at in questions(case)
            }
            for figure in figures(case, asked):
                yield case, figure


def questions(case: Case) -> Iterator[tuple[str, str, dt.date | None]]:
    """The questions of a case: which it is, its text, and the day as of which it is asked."""
    for name in ("question", "both", "question_before"):
        if text := getattr(case, name):
            yield name, text, None
    if case.question_at:
        yield "question_at", case.question_at.question, case.question_at.at


def ask(service: Service, recipe: Recipe, namespace: str, question: str, at: dt.date | None) -> Answer:
    """The answer to a question in a namespace, as of a day or now."""
    as_of = None if at is None else start_of(at)
    return service.recall_with(
        recipe, RecallRequest(query=question, namespace=namespace, limit=LIMIT, now=NOW, as_of=as_of, layers=())
    )


def start_of(day: dt.date) -> dt.datetime:
    """The first instant of a day, UTC."""
    return dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC)


def main() -> None:
    """Print a table per half: the share that is right, and of how many."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="where the model is")
    parser.add_argument("--half", choices=["seen", "unseen"], help="one half alone")
    parser.add_argument("--language", choices=atlas.LANGUAGES, help="one language alone")
    parser.add_argument("--without", action="store_true", help="with the order by time switched off")
    given = parser.parse_args()
    recipe = without(BALANCED, NEWEST) if given.without else BALANCED
    languages = [given.language] if given.language else atlas.LANGUAGES
    settings = load_settings(data_dir=given.data_dir)
    for half in (given.half,) if given.half else ("seen", "unseen"):
        with TemporaryDirectory() as folder:
            scratch = msgspec.structs.replace(settings, store=str(Path(folder) / "memory.db"))
            with closing(open_service(scratch, shipped=True)) as service:
                _print(half, score(service, atlas.half(half, languages=languages), recipe))


def _print(half: str, scored: Iterator[tuple[Case, Figure]]) -> None:
    found: dict[tuple[str, str, str], list[bool]] = defaultdict(list)
    for case, (name, right) in scored:
        found[case.language, case.kind, name].append(right)
    print(f"\n{half} half")
    for (language, kind, name), rights in sorted(found.items()):
        print(f"  {language}  {kind:12} {name:18} {sum(rights) / len(rights):.3f}  of {len(rights)}")


if __name__ == "__main__":
    main()
