"""What receipts and erasure say of themselves: no more, and no less, than is so."""

from __future__ import annotations

from pathlib import Path

import pytest

from ai_memory import BrakeError, ConflictError, Draft, Memory, NotFoundError
from ai_memory.settings import Settings


def test_a_retired_memory_is_not_called_searchable(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        kept = memory.remember("the lighthouse keeper retires")
        assert kept.searchable.words
        receipt = memory.retire(kept.memory_id or "")
        assert (receipt.searchable.words, receipt.searchable.meaning) == (False, False)
        assert receipt.reason is None
        assert memory.recall("lighthouse").hits == ()
        assert memory.retire(kept.memory_id or "").reason == "it was retired already"


def test_forgetting_what_is_not_there_keeps_the_saved_index(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, model="none", snapshot_rows=1_000)
    with Memory(settings=settings) as memory:
        memory.remember_many([Draft(text=f"note {number} on tides") for number in range(1_200)])
        assert memory.recall("tides").hits
    saved = tmp_path / "memory.db.index" / "progress.json"
    assert saved.exists()
    with Memory(settings=settings) as memory:
        with pytest.raises(NotFoundError):
            memory.forget("mem_00000000000000000000000000")
        assert memory.forget_many(tags="no such tag", dry_run=False).forgotten == 0
        assert saved.exists()
        memory.forget(memory.recall("tides").hits[0].memory.id)
        assert not saved.exists()


@pytest.mark.parametrize(("setting", "asked", "refused"), [(0.9, None, False), (0.9, 0.2, True), (0.2, None, True)])
def test_the_brake_takes_the_request_before_the_setting(
    tmp_path: Path, setting: float, asked: float | None, refused: bool
) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none", forget_share=setting)) as memory:
        memory.remember_many([Draft(text=f"note {number}", tags=("a",) if number < 30 else ()) for number in range(60)])
        if refused:
            with pytest.raises(BrakeError):
                memory.forget_many(tags="a", allow_share=asked, dry_run=False)
        else:
            assert memory.forget_many(tags="a", allow_share=asked, dry_run=False).forgotten == 30


def test_a_receipt_says_what_a_write_ended_and_what_had_ended_before(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        old = str(memory.remember("The port is 80.").memory_id)
        there = memory.remember("The port is 443.")
        again = memory.remember("The port is 443.", supersedes=[old])
        assert (again.outcome, again.memory_id, again.supersedes) == ("duplicate_of", there.memory_id, (old,))
        assert f"it now supersedes {old}" in (again.reason or "")
        assert memory.get(old).valid_to is not None
        third = memory.remember("The port is 443.", supersedes=[old])
        assert third.supersedes == ()
        assert f"{old} had ended or been retired before: it stays unchanged" in (third.reason or "")
        new = memory.remember("The port is 8443.", supersedes=[old])
        assert (new.outcome, new.supersedes) == ("stored", ())
        assert f"{old} had ended" in (new.reason or "")
        self_ = memory.remember("The port is 8443.", supersedes=[str(new.memory_id)])
        assert "it does not supersede itself" in (self_.reason or "")
        assert memory.get(str(new.memory_id)).valid_to is None


def test_a_fact_that_came_back_can_be_dated_again(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        text = "Ann lives in Berlin."
        first = str(memory.remember(text, valid_from="2015-01-01", valid_to="2018-01-01").memory_id)
        second = str(memory.remember(text, valid_from="2022-01-01").memory_id)
        assert first != second
        assert memory.revise(first, valid_to="2019-01-01").revision == 2
        assert memory.revise(second, valid_to="2024-01-01").revision == 2
        with pytest.raises(ConflictError):
            memory.revise(second, valid_from="2017-01-01", valid_to="2019-01-01")
