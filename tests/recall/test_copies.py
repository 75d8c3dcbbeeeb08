"""A text that was remembered in many sessions: one hit, trusted the more, and no other memory is pushed out."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.embed.models.folder import ModelFolder
from ai_memory.recall.answer import Hit

SAID = "User prefers the dark theme."
OTHERS = ["The editor font is Iosevka.", "Lunch is at noon.", "The build runs nightly.", "Olga waters the plants."]
QUESTION = "Which theme does the user prefer?"


@pytest.mark.model
@pytest.mark.parametrize("model", ["none", "minilm"])
def test_a_repeated_fact_is_one_hit_and_trusted_more(tmp_path: Path, minilm_folder: ModelFolder, model: str) -> None:
    with Memory(data_dir=tmp_path, model="none" if model == "none" else str(minilm_folder.path)) as memory:
        best: list[Hit] = []
        for times in (1, 2, 12, 200):
            for number in range(times):
                memory.remember(SAID, namespace=f"n{times}", session=f"s{number}", agent="a" if number % 2 else "b")
            memory.remember_many(OTHERS, namespace=f"n{times}")
            if model != "none":
                assert memory.settle(60)
            answer = memory.recall(QUESTION, namespace=f"n{times}", limit=4)
            found = [hit.memory.text for hit in answer.hits]
            assert found[0] == SAID
            assert found.count(SAID) == 1
            assert answer.searched.memories == times + len(OTHERS)
            best.append(answer.hits[0])
        once, twice, twelve, many = best
        assert once.copies is None
        assert twice.copies is not None and twice.copies.agents == ("a", "b")
        assert twelve.copies is not None and (twelve.copies.count, twelve.copies.sessions) == (12, 12)
        assert len(set(twelve.copies.ids) | {twelve.memory.id}) == 12
        assert many.copies is not None and (many.copies.count, len(many.copies.ids)) == (200, 20)
        certain = [hit.confidence for hit in best]
        assert certain == sorted(certain)
        assert certain[0] < certain[-1]


def test_copies_are_counted_by_what_the_question_may_see(tmp_path: Path) -> None:
    """Filters, retirement and forgetting decide which copies there are, and the newest one is shown."""
    march = dt.datetime(2026, 3, 5, tzinfo=dt.UTC)
    with Memory(data_dir=tmp_path, model="none") as memory:
        old = memory.remember(SAID, session="one", valid_from=march)
        new = memory.remember(SAID, session="two", valid_from=march + dt.timedelta(days=90))
        memory.remember_many(OTHERS)

        best = memory.recall(QUESTION).hits[0]
        assert best.memory.id == new.memory_id
        assert best.copies is not None
        assert (best.copies.first, best.copies.last) == (march, march + dt.timedelta(days=90))
        assert best.copies.ids == (old.memory_id,)

        inside = memory.recall("What about the theme in March 2026?").hits[0]
        assert inside.memory.id == old.memory_id, "of copies the one from the time asked for is shown"
        filtered = memory.recall(QUESTION, session=["one"]).hits[0]
        assert (filtered.memory.id, filtered.copies) == (old.memory_id, None)

        memory.retire(new.memory_id, reason="said by mistake")
        left = memory.recall(QUESTION).hits[0]
        assert (left.memory.id, left.copies) == (old.memory_id, None)
