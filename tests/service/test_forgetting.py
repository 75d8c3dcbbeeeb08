"""Forgotten means gone: from every byte on disk, every answer and every process, and it cannot come back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.errors import ConflictError, NotFoundError
from ai_memory.settings import Settings
from ai_memory.types import MemoryRecord, Receipt
from ai_memory.wiring import backup, doctor
from tests.support.disk import files_with
from tests.support.secret_words import secret

WORDS = [secret(number) for number in range(1, 12)]
TEXT, TITLE, TAG, CONTEXT, AUTHOR, SOURCE, KEY, VALUE, OLD, REASON, WHY = WORDS
FILLING = 1_200
"""Enough memories around the secret one that the index is saved beside the store."""


def _settings(folder: Path, **flags: Any) -> Settings:
    return Settings(data_dir=folder, **{"model": "hashing", "snapshot_rows": 100, **flags})


def _open(folder: Path, **flags: Any) -> Memory:
    return Memory(settings=_settings(folder, **flags))


def _fill(memory: Memory) -> None:
    memory.remember_many([f"filling {secret(number, 'f')}" for number in range(FILLING)])


def _secret_memory(memory: Memory) -> str:
    """A memory that has a secret in every field, two revisions, reasons, and a relation with attributes."""
    first = memory.remember(f"an old text {OLD}", author=AUTHOR, idempotency_key="once")
    assert first.memory_id is not None
    memory.revise(
        first.memory_id,
        text=f"the text {TEXT}",
        title=TITLE,
        tags=[TAG],
        context=f"a/{CONTEXT}",
        source=SOURCE,
        attributes={KEY: VALUE},
        reason=f"because {REASON}",
        idempotency_key="twice",
    )
    memory.relate(
        first.memory_id, "entity:Ada Example", type="NEEDS", attributes={"why": WHY}, idempotency_key="thrice"
    )
    return first.memory_id


@pytest.fixture
def filled(tmp_path: Path) -> Iterator[tuple[Path, Memory, str]]:
    """A store with an index on disk, vectors, and the secret memory in it."""
    with _open(tmp_path / "data") as memory:
        _fill(memory)
        memory_id = _secret_memory(memory)
        assert memory.settle(60)
    with _open(tmp_path / "data") as memory:
        memory.recall(TEXT)
        yield tmp_path / "data", memory, memory_id


def _matched(memory: Memory, word: str, **how: Any) -> list[MemoryRecord]:
    return [hit.memory for hit in memory.recall(word, limit=20, **how).hits if hit.matched]


def test_the_secret_is_there_before_it_is_forgotten(filled: tuple[Path, Memory, str]) -> None:
    """Else the tests below would show nothing."""
    folder, memory, memory_id = filled
    on_disk = " ".join(files_with(folder, WORDS))
    assert [word for word in WORDS if word not in on_disk] == []
    assert list((folder / "memory.db.index").rglob("*.npy")), "the index lies beside the store"
    assert files_with(folder / "memory.db.index", [TEXT]) != [], "which holds words"
    assert [record.id for record in _matched(memory, TEXT)] == [memory_id]


def test_no_byte_of_it_stays_on_disk(filled: tuple[Path, Memory, str]) -> None:
    folder, memory, memory_id = filled
    assert memory.forget(memory_id).forgotten == 1
    assert files_with(folder, WORDS) == [], "while the service runs"
    memory.remember("something else")
    memory.close()
    assert files_with(folder, WORDS) == [], "after it was closed"
    backup(_settings(folder), folder.parent / "copy.db")
    assert files_with(folder.parent, WORDS) == [], "in a backup"
    assert doctor(_settings(folder)) == ()


def test_no_answer_shows_it(filled: tuple[Path, Memory, str]) -> None:
    _, memory, memory_id = filled
    before = memory.recall(TEXT).hits[0].memory.recorded_at
    assert memory.neighbours("entity:Ada Example").neighbours[0].id == memory_id
    memory.forget(memory_id, reason="asked to")
    for how in ({}, {"known_at": before}, {"as_of": before}, {"layers": ["semantic", "contextual", "detailed"]}):
        assert _matched(memory, TEXT, **how) == []
        assert _matched(memory, OLD, **how) == []
    for call in (memory.get, memory.history, memory.neighbours):
        with pytest.raises(NotFoundError):
            call(memory_id)
    with pytest.raises(NotFoundError, match="no entity"):
        memory.neighbours("entity:Ada Example")
    assert memory.list(known_at=before, ids=[memory_id]).memories == ()
    exported = json.dumps(list(memory.export()))
    assert [word for word in WORDS if word in exported] == []
    assert (memory.stats().tombstones, memory.stats().relations, memory.stats().entities) == (2, 0, 0)


def test_another_open_process_forgets_at_its_next_call(filled: tuple[Path, Memory, str]) -> None:
    folder, memory, memory_id = filled
    script = (
        "import sys\nfrom ai_memory import Memory\n"
        f"m = Memory(data_dir={str(folder)!r}, model='none', snapshot_rows=50)\n"
        "for line in sys.stdin:\n"
        "    print(sum(bool(hit.matched) for hit in m.recall(line.strip()).hits), len(m.list(ids=[%r]).memories), flush=True)\n"
        "m.close()\n"
    ) % memory_id
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None

        def ask() -> str:
            assert child.stdin is not None
            assert child.stdout is not None
            child.stdin.write(TEXT + "\n")
            child.stdin.flush()
            return child.stdout.readline().strip()

        assert ask() == "1 1"
        memory.forget(memory_id)
        assert ask() == "0 0"
        child.stdin.close()
        assert child.wait(60) == 0
    assert files_with(folder, WORDS) == [], "the other process, when it closed, saved no index that still had it"


def test_an_old_archive_and_the_same_words_are_refused(filled: tuple[Path, Memory, str], tmp_path: Path) -> None:
    folder, memory, memory_id = filled
    archive = list(memory.export())
    memory.forget(memory_id)
    report = memory.import_lines(archive)
    assert {line.code for line in report.rejected} == {"forgotten", "not_found"}, "the memory, and its relation"
    for text, title in ((f"the text {TEXT} \u200b", TITLE), (f"an old text {OLD}", None)):
        receipt = memory.remember(text, title=title, author=AUTHOR, user="someone else")
        assert (receipt.outcome, receipt.code) == ("rejected", "forgotten")
    other = memory.remember("innocent", author=AUTHOR)
    with pytest.raises(ConflictError, match="forgotten"):
        memory.revise(other.memory_id or "", text=f"an old text {OLD}")
    assert memory.import_lines([{"text": f"an old text {OLD}", "author": AUTHOR}]).rejected[0].code == "forgotten"
    memory.close()
    assert files_with(folder, [TEXT, OLD]) == []
    with _open(tmp_path / "elsewhere") as elsewhere:
        assert elsewhere.import_lines(archive).rejected == (), "another store has not forgotten it"


def test_reinstating_brings_it_back(filled: tuple[Path, Memory, str]) -> None:
    _, memory, memory_id = filled
    memory.forget(memory_id)
    receipt = memory.remember(f"an old text {OLD}", author=AUTHOR, reinstate=True)
    assert (receipt.outcome, receipt.memory_id == memory_id) == ("stored", False)
    assert [record.id for record in _matched(memory, OLD)] == [receipt.memory_id]
    memory.retire(receipt.memory_id or "")
    assert memory.remember(f"an old text {OLD}", author=AUTHOR).outcome == "stored", "the tombstone is lifted for good"


def test_what_others_said_alike_stays(tmp_path: Path) -> None:
    with _open(tmp_path) as memory:
        mine, yours = (memory.remember(f"shared {TEXT}", user=user).memory_id or "" for user in ("me", "you"))
        memory.forget(mine)
        assert memory.get(yours).text == f"shared {TEXT}"
        assert memory.revise(yours, title="still here").outcome == "stored"
        archive = list(memory.export())
        assert memory.import_lines(archive).rejected == (), "what stands is not refused as forgotten"


def test_forgetting_everything_takes_what_was_retired_too(tmp_path: Path) -> None:
    with _open(tmp_path, snapshot_rows=0) as memory:
        ended: Receipt = memory.remember(f"retired {TEXT}")
        memory.retire(ended.memory_id or "")
        memory.remember(f"current {OLD}")
        memory.forget_many(everything=True, dry_run=False)
        assert memory.stats().revisions == 0
        memory.close()
    assert files_with(tmp_path, [TEXT, OLD]) == []


def test_a_service_without_a_saved_index_still_deletes_one(filled: tuple[Path, Memory, str]) -> None:
    folder, memory, memory_id = filled
    memory.close()
    with _open(folder, snapshot_rows=0) as other:
        other.forget(memory_id)
    assert files_with(folder, WORDS) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from ai_memory.operations.writing import FORGET, ForgetRequest
from ai_memory.settings import Settings
from ai_memory.wiring import open_service
from ai_memory.store.sqlite.file import wal
from ai_memory.service.handlers.erasing import forgetting

die = lambda *args, **named: os.kill(os.getpid(), signal.SIGKILL)
if sys.argv[3] == "before-wiping":
    wal.Wiper.wipe = lambda self, connection, *, seconds, urgent: urgent and seconds and die()
else:
    forgetting._drop_derived = die
service = open_service(Settings(data_dir=Path(sys.argv[1]), model="none", snapshot_rows=100))
service.carry_out(FORGET, ForgetRequest(id=sys.argv[2]))
"""


@pytest.mark.parametrize("moment", ["before-wiping", "before-dropping-the-index"])
def test_killed_between_commit_and_clean_up(filled: tuple[Path, Memory, str], moment: str) -> None:
    """The next one to open the store finishes the work before it answers."""
    folder, memory, memory_id = filled
    memory.close()
    child = subprocess.run([sys.executable, "-c", KILLED, str(folder), memory_id, moment], check=False, timeout=60)
    assert child.returncode == -signal.SIGKILL
    if moment == "before-wiping":
        assert files_with(folder, [TEXT]), "the moment is right: the log still has it"
    with closing(_open(folder)) as again:
        with pytest.raises(NotFoundError):
            again.get(memory_id)
        assert files_with(folder, WORDS) == []
        assert _matched(again, TEXT) == []
    assert files_with(folder, WORDS) == []
    assert doctor(_settings(folder)) == ()


def test_forgetting_builds_no_index_that_nothing_has_asked_for(tmp_path: Path) -> None:
    with Memory(data_dir=tmp_path, model="none") as memory:
        memory.remember("the ferry to the island leaves at nine")
        kept = memory.remember("the ferry back leaves at six")
    with Memory(data_dir=tmp_path, model="none") as memory:
        follower = memory._service._parts.follower
        gone = memory.list().memories[1]
        memory.forget(gone.id)
        assert not follower._opened
        assert follower._offered == {}
        assert [hit.memory.id for hit in memory.recall("ferry").hits] == [kept.memory_id]
