"""What a run has done so far, in a folder beside its output: a file a chunk, written whole or not at all."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Self

import msgspec

from ai_memory.bulk.records import Chunk, Result
from ai_memory.errors import ConflictError, MemoryServiceError, StoreFullError, StoreReadOnlyError

_JOB = "job.json"
_LOCK = "lock"


class Journal:
    """The folder `OUTPUT.partial`, held by one process at a time. The lock ends with the process, however that ends."""

    def __init__(self, output: Path, job: bytes, *, restart: bool = False) -> None:
        """Make the folder, or go on with the one that is there.

        `job` is all that the results depend on besides the input. Raises ConflictError where the folder is of another job and
        not `restart`, or another process works on it; StoreFullError and StoreReadOnlyError where it cannot be written.
        """
        self.folder = output.with_name(f"{output.name}.partial")
        self._output = output
        with told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = self._locked()
            try:
                if restart:
                    self._clear()
                self._check(job)
            except BaseException:
                self._lock.close()
                raise

    def find(self, chunk: Chunk) -> Result | None:
        """The result of the chunk, where it was done before and the chunk is the same; a damaged file counts as none."""
        try:
            result = self.read(chunk.number)
        except (OSError, msgspec.DecodeError):
            return None
        return result if result.digest == chunk.digest() else None

    def read(self, number: int) -> Result:
        """The result of that number, which is there."""
        return msgspec.msgpack.decode(self._file(number).read_bytes(), type=Result)

    def save(self, result: Result) -> None:
        """Keep a result; after this no kill costs it."""
        with told(self.folder):
            self._write(self._file(result.number), msgspec.msgpack.encode(result))

    @contextmanager
    def finished(self) -> Iterator[IO[bytes]]:
        """A stream to write the whole output to; after the block it is in its place and the folder is gone."""
        with told(self.folder):
            draft = self.folder / "output"
            with draft.open("wb") as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._output)
            done = self.folder.with_name(f"{self.folder.name}-done-{os.getpid()}")
            self.folder.rename(done)  # from here on a kill leaves nothing that looks like unfinished work
            shutil.rmtree(done, ignore_errors=True)

    def close(self) -> None:
        """Let the folder go; what it holds stays for the next run."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _file(self, number: int) -> Path:
        return self.folder / f"chunk-{number:08d}"

    def _locked(self) -> IO[bytes]:
        lock = (self.folder / _LOCK).open("ab")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            lock.close()
            raise ConflictError(
                f"another process is writing {self._output}", hint="wait for it, or choose another output"
            ) from None
        return lock

    def _check(self, job: bytes) -> None:
        file = self.folder / _JOB
        if not file.exists():
            self._write(file, job)
        elif file.read_bytes() != job:
            raise ConflictError(
                f"{self.folder} is of a run with another model or other options",
                hint="give the same ones to go on with it, or --restart to begin anew",
            )

    def _clear(self) -> None:
        for file in self.folder.iterdir():
            if file.name != _LOCK:
                file.unlink()

    def _write(self, file: Path, data: bytes) -> None:
        draft = file.with_name(f".{file.name}")
        with draft.open("wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)


@contextmanager
def told(where: Path) -> Iterator[None]:
    """Errors of the file system while the block runs become ours."""
    try:
        yield
    except OSError as error:
        raise _disk_error(error, where) from error


def _disk_error(error: OSError, where: Path) -> MemoryServiceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFullError(
            f"no space is left at {where.parent}",
            hint="free some and run the same command: it goes on where it ended",
            path=str(where),
        )
    return StoreReadOnlyError(f"{where} cannot be written: {error.strerror or error}", path=str(where))
