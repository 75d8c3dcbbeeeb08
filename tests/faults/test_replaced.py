"""A store whose file is deleted or replaced while it is open acknowledges nothing that the next process would not find."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory import Memory
from ai_memory.errors import StoreUnavailableError
from ai_memory.settings import Settings
from ai_memory.store.sqlite.store import open_sqlite_store
from ai_memory.wording.ways import speaking
from tests.support.store_samples import CLOCK, kept, one, remember


def _delete(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    copy = path.with_name("copy.db")
    shutil.copy(path, copy)
    copy.replace(path)


def _delete_log(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


@pytest.mark.parametrize(
    ("harm", "word"), [(_delete, "deleted"), (_replace, "replaced"), (_delete_log, "store.db-wal was deleted")]
)
def test_a_write_is_refused(tmp_path: Path, harm: Callable[[Path], None], word: str) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "before")
        harm(path)
        with pytest.raises(StoreUnavailableError, match=word):
            one(store, remember("after"))


@pytest.mark.parametrize("harm", [_delete, _replace])
def test_a_read_is_refused(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store, open_sqlite_store(path, clock=CLOCK, read_only=True) as other:
        memory = kept(store, "before")
        harm(path)
        for each in (store, other):
            with pytest.raises(StoreUnavailableError, match="while the store was open"):
                each.get("default", [memory.id])


def test_a_file_that_goes_during_the_commit_is_not_acknowledged(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        kept(store, "before")
        with pytest.raises(StoreUnavailableError):
            store._submit(lambda _: path.unlink())


def test_a_file_that_is_put_back_is_used_again(tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    with open_sqlite_store(path, clock=CLOCK) as store:
        memory = kept(store, "before")
        path.rename(tmp_path / "aside.db")
        with pytest.raises(StoreUnavailableError):
            one(store, remember("after"))
        (tmp_path / "aside.db").rename(path)
        kept(store, "after all")
        assert store.get("default", [memory.id]) == [memory]
    with open_sqlite_store(path, clock=CLOCK) as store:
        assert sorted(each.record.text for each in store.live_revisions()) == ["after all", "before"]


def test_the_service_says_what_to_do(tmp_path: Path) -> None:
    with Memory(settings=Settings(data_dir=tmp_path, model="none")) as memory:
        memory.remember("before")
        (tmp_path / "memory.db").unlink()
        with pytest.raises(StoreUnavailableError) as caught:
            memory.remember("after")
        with speaking("mcp"):
            assert str(caught.value.hint).startswith("ask the user to have the file put back")
        (store,) = [part for part in memory.health().parts if part.name == "store"]
        assert store.state == "failed"
        assert not memory.health().ready
