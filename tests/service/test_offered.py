"""What a program that only writes keeps in memory of what it wrote."""

from __future__ import annotations

from pathlib import Path

from ai_memory import Memory
from ai_memory.service.background.follower import MOST_OFFERED


def test_a_program_that_only_writes_keeps_only_the_latest_of_what_it_wrote(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        count = 2 * MOST_OFFERED
        memory.import_lines(b'{"text": "number %d"}\n' % number for number in range(count))
        follower = memory._service._parts.follower
        before = follower.opened
        assert len(follower._offered) == MOST_OFFERED
        found = [memory.recall(f"number {number}").hits[0].memory.text for number in (0, count - 1)]
        assert found == ["number 0", f"number {count - 1}"]
        assert (before, follower.opened) == (False, True)
        assert not follower._offered
