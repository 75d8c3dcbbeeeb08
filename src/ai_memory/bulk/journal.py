"""The progress of a run, in a folder next to its output: one file per chunk, written completely or not at all."""

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
from ai_memory.places import open_private

_JOB = "job.json"
_LOCK = "lock"


class Journal:
    """The folder `OUTPUT.partial`, locked by one process at a time. The lock ends with the process, even when it is killed."""

    def __init__(self, output: Path, job: bytes, *, restart: bool = False) -> None:
        """Create the folder, or resume an existing one; `restart` discards its results.

        `job` is everything that the results depend on besides the input. Raises ConflictError if the folder belongs to another
        job (without `restart`) or another process is using it; StoreFullError and StoreReadOnlyError if it cannot be written.
        """
        self.folder = output.with_name(f"{output.name}.partial")
        self._output = output
        with file_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = self._locked()
            try:
                if restart:
                    self._clear()
                self._check(job)
            except BaseException:
                self._lock.close()
                raise

    def find(self, chunk: Chunk) -> Result | None:
        """The stored result of an identical chunk, else None; a damaged file counts as missing."""
        try:
            result = self.read(chunk.number)
        except (OSError, msgspec.DecodeError):
            return None
        return result if result.digest == chunk.digest() else None

    def read(self, number: int) -> Result:
        """The stored result of chunk `number`. Raises OSError if it is missing, msgspec.DecodeError if it is damaged."""
        return msgspec.msgpack.decode(self._file(number).read_bytes(), type=Result)

    def save(self, result: Result) -> None:
        """Write a result to disk; after this call it survives a kill."""
        with file_errors(self.folder):
            self._write(self._file(result.number), msgspec.msgpack.encode(result))

    @contextmanager
    def finished(self) -> Iterator[IO[bytes]]:
        """A stream for the whole output; after the block the output file is in place and the folder is deleted."""
        with file_errors(self.folder):
            draft = self.folder / "output"
            with open_private(draft) as stream:
                yield stream
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(self._output)
            done = self.folder.with_name(f"{self.folder.name}-done-{os.getpid()}")
            self.folder.rename(done)  # a kill from here on leaves no folder that looks like unfinished work
            shutil.rmtree(done, ignore_errors=True)

    def close(self) -> None:
        """Release the folder; its content is kept for the next run."""
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
                f"{self.folder} belongs to a run with another model or other options",
                hint="give the same ones to resume it, or --restart to start over",
            )

    def _clear(self) -> None:
        for file in self.folder.iterdir():
            if file.name != _LOCK:
                file.unlink()

    def _write(self, file: Path, data: bytes) -> None:
        draft = file.with_name(f".{file.name}")
        with open_private(draft) as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        draft.replace(file)


@contextmanager
def file_errors(where: Path) -> Iterator[None]:
    """Raises StoreFullError or StoreReadOnlyError in place of an OSError in the block."""
    try:
        yield
    except OSError as error:
        raise _disk_error(error, where) from error


def _disk_error(error: OSError, where: Path) -> MemoryServiceError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return StoreFullError(
            f"no space is left at {where.parent}",
            hint="free some and run the same command: it resumes the run",
            path=str(where),
        )
    return StoreReadOnlyError(f"{where} cannot be written: {error.strerror or error}", path=str(where))
