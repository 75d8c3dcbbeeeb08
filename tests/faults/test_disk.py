"""A full device, a device that fails, a file that may not be written, a file that is damaged: clear errors, nothing lost."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ai_memory import Memory
from ai_memory.cli.program import main
from ai_memory.errors import (
    MemoryServiceError,
    NotFoundError,
    StoreCorruptError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreVersionError,
)
from ai_memory.settings import Settings
from ai_memory.wiring import backup, doctor
from tests.support.disk import files_with, mounted
from tests.support.rest_server import ask
from tests.support.secret_words import secret

FILLER = "to fill the device, word by word " * 300


def _settings(folder: Path, **flags: Any) -> Settings:
    return Settings(data_dir=folder, **{"model": "none", "snapshot_rows": 0, **flags})


def _open(folder: Path, **flags: Any) -> Memory:
    return Memory(settings=_settings(folder, **flags))


def _remount(place: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(place)], check=True, capture_output=True)


def _fill_until_refused(memory: Memory, text: str = FILLER) -> tuple[list[str], MemoryServiceError]:
    """The ids that were acknowledged, and the error that ended it."""
    kept: list[str] = []
    for number in range(2_000):
        try:
            receipt = memory.remember(f"{secret(number)} {text}")
        except MemoryServiceError as error:
            return kept, error
        kept.append(receipt.memory_id or "")
    raise AssertionError("nothing was refused")


def _check_kept(memory: Memory, kept: list[str]) -> None:
    for number, memory_id in enumerate(kept):
        assert memory.get(memory_id).text.startswith(secret(number) + " ")
    assert memory.stats().memories == len(kept)


def test_a_full_device_refuses_writes_and_loses_nothing(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "3m") as place:
        with _open(place) as memory:
            kept, error = _fill_until_refused(memory)
            assert len(kept) > 20
            assert isinstance(error, StoreFullError)
            assert "space" in (error.hint or "")
            _check_kept(memory, kept)
            found = memory.recall(f'"{secret(3)}"')
            assert [hit.memory.id for hit in found.hits] == [kept[3]], "reading goes on"
            with pytest.raises(StoreFullError):
                memory.remember_many([f"{secret(number, 'b')} {FILLER}" for number in range(100)])
            _check_kept(memory, kept)
            _remount(place, "size=32m")
            kept.append(memory.remember(f"{secret(len(kept))} after space was made").memory_id or "")
            _check_kept(memory, kept)
        assert doctor(_settings(place)) == ()


def test_a_full_device_at_the_start(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "64k") as place:
        with pytest.raises(StoreFullError):
            _open(place)
        _remount(place, "size=16m")
        with _open(place) as memory:
            assert memory.remember("now it goes").outcome == "stored"


def _fill_up(place: Path) -> None:
    """Take what is left of the device, as another program does."""
    with suppress(OSError), (place / "ballast").open("wb", buffering=0) as ballast:
        while True:
            ballast.write(bytes(4_096))


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline, "it never came"
        time.sleep(0.05)


@pytest.mark.parametrize("model", ["none", "hashing"])
@pytest.mark.parametrize("how", ["one", "with a key", "many", "in a new process"])
def test_forgetting_works_on_a_full_device(tmp_path: Path, how: str, model: str) -> None:
    """Before, it was refused: erasing needs space for the write-ahead log before it frees any."""
    with mounted(tmp_path / "small", "32m") as place:
        memory = _open(place, model=model)
        kept = [str(memory.remember(f"{secret(number)} Anna Ivers {FILLER}").memory_id) for number in range(40)]
        memory.settle(30)
        memory.merge("entity:Anna", ["entity:Anna Ivers"])
        _until(lambda: _size(place / "memory.db.reserve") > _size(place / "memory.db-wal"))
        if how == "in a new process":
            memory.close()
        _fill_up(place)
        if how == "in a new process":
            memory = _open(place, model=model)
        with pytest.raises(StoreFullError):
            memory.remember(f"{secret(99)} {FILLER * 20}")
        assert files_with(place, [secret(0)]) != []
        if how == "many":
            assert memory.forget_many(ids=kept[:30], dry_run=False, allow_share=1.0).forgotten == 30
        else:
            memory.forget(kept[0], idempotency_key="k" if how == "with a key" else None)
        with pytest.raises(NotFoundError):
            memory.get(kept[0])
        _until(lambda: "wipe" not in memory.health().degraded)
        assert files_with(place, [secret(0)]) == [], "also from the bytes of the device"
        assert memory.get(kept[-1]).text.startswith(secret(39))
        memory.close()
        (place / "ballast").unlink()
        with _open(place, model=model) as again:
            assert again.remember("with room again").outcome == "stored"
            again.settle(30)
        assert doctor(_settings(place, model=model)) == ()


def test_a_full_device_is_not_ready_and_is_again_when_there_is_room(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "8m") as place, _open(place) as memory:
        kept = memory.remember("before").memory_id or ""
        assert memory.health().ready
        _fill_up(place)
        health = memory.health()
        assert (health.live, health.ready) == (True, False), "also before any write has failed"
        part = next(each for each in health.parts if each.name == "store")
        assert "space" in part.message
        assert part.mend
        with pytest.raises(StoreFullError) as refused:
            memory.remember(FILLER * 20)
        assert "forgetting still works" in (refused.value.hint or "")
        assert memory.get(kept).text == "before"
        (place / "ballast").unlink()
        assert memory.health().ready
        assert memory.remember(FILLER).outcome == "stored"


def test_a_read_only_device_is_read_and_says_so_to_who_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before, nothing could be read from it: opening it was refused, and `serve` ended with an unexpected OSError."""
    with mounted(tmp_path / "small", "16m") as place:
        with _open(place, model="hashing", snapshot_rows=1) as memory:
            kept = [memory.remember(f"{secret(0)} was said by Anna Ivers").memory_id or ""]
            memory.remember_many([f"other {number}" for number in range(1_100)])
            assert memory.settle(60)
        _remount(place, "ro")
        before = {file: file.stat().st_mtime_ns for file in place.rglob("*")}
        settings = _settings(place, model="hashing", snapshot_rows=1)
        with _open(place, model="hashing", snapshot_rows=1) as memory:
            assert memory.get(kept[0]).text.startswith(secret(0))
            assert [hit.memory.id for hit in memory.recall(secret(0)).hits][:1] == kept
            assert len(list(memory.export())) == 1 + 1_101
            assert memory.entities("Ivers").entities, "what memories name is read into a temporary file"
            health = memory.health()
            assert (health.live, health.ready) == (True, False)
            assert "read-only" in next(part.message for part in health.parts if part.name == "store")
            for write in (
                lambda: memory.remember("more"),
                lambda: memory.forget(kept[0]),
                lambda: memory.import_lines([{"text": "more"}]),
                lambda: memory.merge("entity:A", ["entity:Anna Ivers"]),
            ):
                with pytest.raises(StoreReadOnlyError, match="read-only") as refused:
                    write()
                assert "reading works" in (refused.value.hint or "")
        assert doctor(settings) == ()
        backup(settings, tmp_path / "copy.db")
        assert main(["export", "--data-dir", str(place), "-o", str(tmp_path / "out.jsonl")]) == 0
        assert main(["recall", secret(0), "--data-dir", str(place)]) == 0
        assert secret(0) in capsys.readouterr().out
        assert main(["remember", "more", "--data-dir", str(place)]) != 0
        assert "read-only" in capsys.readouterr().err
        server = subprocess.Popen(
            [sys.executable, "-m", "ai_memory", "serve", "--model", "none", "--port", "0"],
            env={**os.environ, "AI_MEMORY_DATA_DIR": str(place)},
            stderr=subprocess.PIPE,
            text=True,
        )
        with server:
            assert server.stderr is not None
            lines = iter(server.stderr.readline, "")
            said = ""
            while "API page: " not in said:
                said = next(lines)
            port = int(said.split("http://127.0.0.1:")[1].split("/")[0].split()[0])
            assert ask(port, "GET", f"/v1/memories/{kept[0]}").json["text"].startswith(secret(0))
            refused_ = ask(port, "POST", "/v1/memories", {"text": "more"})
            assert (refused_.status, refused_.json["error"]["code"]) == (403, "store_read_only")
            server.send_signal(signal.SIGTERM)
            rest = server.stderr.read()
            assert "Traceback" not in rest
        assert server.returncode == 0
        assert {file: file.stat().st_mtime_ns for file in place.rglob("*")} == before
        _remount(place, "rw")
        with _open(place, model="hashing") as again:
            assert again.remember("written again").outcome == "stored"
            assert again.stats().memories == 1_102


def test_a_store_that_was_not_closed_and_cannot_be_written_says_how_it_can_be_read(tmp_path: Path) -> None:
    with mounted(tmp_path / "small", "16m") as place:
        with _open(place) as memory:
            memory.remember(secret(0))
            names = ("memory.db", "memory.db-wal", "memory.db.key")
            for name in names:
                shutil.copy(place / name, tmp_path / name)
        for name in names:
            shutil.copy(tmp_path / name, place / name)
        (place / "memory.db-shm").unlink(missing_ok=True)
        _remount(place, "ro")
        with pytest.raises(StoreReadOnlyError) as refused:
            _open(place)
        assert "memory.db-wal" in (refused.value.hint or "")
        (tmp_path / "there").mkdir()
        for name in names:
            shutil.copy(place / name, tmp_path / "there" / name)
        with _open(tmp_path / "there") as memory:
            assert memory.stats().memories == 1, "as the hint says"


def test_a_backup_that_does_not_fit_leaves_nothing_behind(tmp_path: Path) -> None:
    with _open(tmp_path / "data") as memory:
        memory.remember_many([f"{secret(number)} {FILLER}" for number in range(100)])
    with mounted(tmp_path / "small", "256k") as place:
        with pytest.raises(StoreFullError):
            backup(_settings(tmp_path / "data"), place / "copy.db")
        assert list(place.iterdir()) == []


def _limited(limit: int) -> Callable[[], None]:
    """For a child: files may not grow beyond `limit` bytes, and trying gives EFBIG instead of a signal."""

    def apply() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return apply


WRITES_UNTIL_REFUSED = """
import sys
from ai_memory import Memory
from ai_memory.errors import MemoryServiceError, StoreError
memory = Memory(data_dir=sys.argv[1], model="none", snapshot_rows=0)
for number in range(3000):
    try:
        print(memory.remember(f"{number} " + "until the file may not grow " * 300).memory_id, flush=True)
    except MemoryServiceError as error:
        assert isinstance(error, StoreError), error
        print(error.code, flush=True)
        break
first = memory.list(limit=1, order="oldest").memories[0]
assert first.text.startswith("0 ")
memory.close()
"""


def test_an_io_error_while_writing_is_told_and_loses_nothing(tmp_path: Path) -> None:
    child = subprocess.run(
        [sys.executable, "-c", WRITES_UNTIL_REFUSED, str(tmp_path)],
        preexec_fn=_limited(1_500_000),
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    *kept, code = child.stdout.split()
    assert code in ("store_error", "store_full")
    assert len(kept) > 5
    with _open(tmp_path) as memory:
        for number, memory_id in enumerate(kept):
            assert memory.get(memory_id).text.startswith(f"{number} ")
        assert memory.stats().memories == len(kept)
        assert memory.remember("and on it goes").outcome == "stored"
    assert doctor(_settings(tmp_path)) == ()


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store with 200 memories, closed."""
    with _open(tmp_path / "data") as memory:
        memory.remember_many([f"{secret(number)} kept" for number in range(200)])
    return tmp_path / "data"


def _damage_header(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.write(b"no database here")


def _damage_pages(file: Path) -> None:
    with file.open("r+b") as opened:
        opened.seek(8192 * 3)
        opened.write(os.urandom(8192 * 12))


def _cut(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 3)


def _other_program(file: Path) -> None:
    file.unlink()
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE mine (x)")
        connection.execute("PRAGMA user_version = 3")
    connection.close()


def _newer(file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("PRAGMA user_version = 999")
    connection.close()


def _folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    ("harm", "error"),
    [
        (_damage_header, StoreCorruptError),
        (_other_program, StoreCorruptError),
        (_newer, StoreVersionError),
        (_folder, StoreCorruptError),
    ],
    ids=lambda given: getattr(given, "__name__", ""),
)
def test_a_file_that_is_no_store_of_ours_is_refused_untouched(
    store: Path, harm: Callable[[Path], None], error: type[StoreError]
) -> None:
    file = store / "memory.db"
    harm(file)
    before = file.read_bytes() if file.is_file() else b""
    with pytest.raises(error) as refused:
        _open(store)
    assert refused.value.hint
    assert (file.read_bytes() if file.is_file() else b"") == before


@pytest.mark.parametrize("harm", [_damage_pages, _cut], ids=["pages", "cut"])
def test_damage_inside_the_file_is_told_as_such(store: Path, harm: Callable[[Path], None]) -> None:
    """Wherever the damage shows first, it is told as damage, and doctor names it."""
    backup(_settings(store), store / "good.db")
    harm(store / "memory.db")
    with pytest.raises(StoreCorruptError) as refused, _open(store) as memory:
        assert memory._service.doctor() != ()
        for _ in memory.export():
            pass
        memory.remember("more")
        raise StoreCorruptError("only doctor saw it", hint="doctor")
    assert "restore a backup" in str(refused.value.hint)
    shutil.copy(store / "good.db", store / "memory.db")
    with _open(store) as memory:
        assert memory.stats().memories == 200


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "memory.db").touch()
    with _open(tmp_path) as memory:
        assert memory.remember("first").outcome == "stored"


NOBODY = 65534


def _as_nobody(call: Callable[[], str]) -> str:
    """What `call` says in a fork that has no right of root's."""
    out, into = os.pipe()
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setgid(NOBODY)
            os.setuid(NOBODY)
        os.write(into, call().encode())
        os._exit(0)
    os.close(into)
    with os.fdopen(out, encoding="utf-8") as said:
        text = said.read()
    os.waitpid(child, 0)
    return text


@pytest.mark.parametrize("what", ["file", "folder"])
def test_a_store_that_may_not_be_written(what: str) -> None:
    with tempfile.TemporaryDirectory() as place:
        store, file = Path(place) / "data", Path(place) / "data" / "memory.db"
        with _open(store) as memory:
            memory.remember("kept")
        Path(place).chmod(0o755)
        if os.geteuid() == 0:
            for each in (store, *store.iterdir()):
                os.chown(each, NOBODY, NOBODY)

        def open_it() -> str:
            try:
                with _open(store) as memory:
                    assert memory.list(order="oldest").memories[0].text == "kept"
                    memory.remember("more")
                    return "written"
            except StoreReadOnlyError as error:
                return f"{error.code} | {error.message} | {error.hint}"

        assert _as_nobody(open_it) == "written"
        (file if what == "file" else store).chmod(0o444 if what == "file" else 0o555)
        said = _as_nobody(open_it)
        assert said.startswith("store_read_only | "), said
        assert str(file) in said
        store.chmod(0o755)
        file.chmod(0o644)
        with _open(store) as memory:
            assert memory.stats().memories == 2
